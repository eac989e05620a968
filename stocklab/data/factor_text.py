"""The factor catalogue, one factor and one value as lines of text."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal

from stocklab.data.factor_json import pit_of
from stocklab.factors import Factor, check
from stocklab.factors.explain_parts import How
from stocklab.factors.explain_quarters import Amount, Origin
from stocklab.factors.explain_value import Explanation, ValueNode, Window
from stocklab.factors.input_info import INPUTS, NEEDS
from stocklab.factors.status import FormulaStatus, State
from stocklab.factors.words import top_terms
from stocklab.strategy.words import describe_value, label

__all__ = ["describe_catalogue", "describe_explanation", "describe_factor"]

Language = Literal["ko", "en"]
_MARKS: Final[Mapping[State, str]] = {State.COMPUTED: "+", State.PARTIAL: "~", State.LACKING: "-"}
_ORIGINS: Final[Mapping[Origin, str]] = {
    Origin.BALANCE: "balance",
    Origin.QUARTER: "three months as reported",
    Origin.FIRST: "first quarter to date",
    Origin.DIFFERENCE: "year to date {reported} less {before}",
    Origin.REMAINDER: "year to date {reported} less the quarters before",
    Origin.YEAR: "fiscal year",
    Origin.ABSENT: "not reported",
}


def describe_catalogue(
    factors: Iterable[Factor], statuses: Mapping[str, FormulaStatus] | None, *, counts: bool
) -> list[str]:
    """A line for each factor, then, with ``counts``, how many each category has and how many are computed."""
    shown = list(factors)
    lines = []
    for factor in shown:
        status = None if statuses is None else statuses[factor.id]
        mark = " " if status is None else _MARKS[status.state]
        lacks = f"  [lacks {', '.join(status.missing)}]" if status is not None and status.missing else ""
        names = f"{factor.name_ko} / {factor.name_en}"
        lines.append(f"{mark} {factor.id:<26} {factor.category:<14} {factor.unit:<7} {names}{lacks}")
    if counts:
        lines += ["", *_counts(shown, statuses)]
    return lines


def _counts(factors: list[Factor], statuses: Mapping[str, FormulaStatus] | None) -> list[str]:
    computed = {key for key, status in (statuses or {}).items() if status.state is not State.LACKING}
    total = Counter(factor.category for factor in factors)
    ready = Counter(factor.category for factor in factors if factor.id in computed)

    def line(name: str, number: int, known: int) -> str:
        return f"{name:<14} {number:>4}" + ("" if statuses is None else f"  {known:>4} computed")

    rows = [line(category, number, ready[category]) for category, number in total.items()]
    return [*rows, line("total", len(factors), len(computed & {factor.id for factor in factors}))]


def describe_factor(factor: Factor, status: FormulaStatus | None, language: Language) -> list[str]:
    """Everything known of a factor, as text."""
    direction = {1: "higher is better", -1: "lower is better", 0: "none"}[factor.higher_is_better]
    words = [describe_value(term, language) for term in top_terms(factor.formula)]
    lines = [
        f"{factor.id}: {factor.name_ko} / {factor.name_en}",
        f"  formula    {factor.formula}",
        *(f"  {'in words' if not place else '+':>10} {word}" for place, word in enumerate(words)),
        f"  category   {factor.category}, {factor.type}",
        f"  unit       {factor.unit}; direction: {direction}",
        f"  lookback   {factor.lookback}",
        f"  public     {pit_of(factor)}",
        f"  source     {factor.source}",
        f"  notes      {factor.notes}",
        "  inputs",
    ]
    for name in sorted(check(factor.id).inputs):
        info = INPUTS[name]
        meaning = info.meaning_ko if language == "ko" else info.meaning_en
        lines.append(f"    {name:<20} {label(name, language)}: {meaning}")
    if status is None:
        lines.append("  this home holds no market data")
    elif status.missing:
        needs = dict.fromkeys(NEEDS[INPUTS[name].need][language == "en"] for name in status.missing)
        partly = "computed without" if status.state is State.PARTIAL else "not computed; the data lack"
        lines.append(f"  {partly}: {', '.join(status.missing)} (import {'; '.join(needs)})")
    else:
        lines.append("  computed on this home's data")
    return lines


def describe_explanation(found: Explanation, name: str, language: Language) -> list[str]:
    """The value and the tree below it, two blanks a level."""
    view = ""
    if found.view is not None:
        basis = "consolidated" if found.view.consolidated else "separate"
        view = f"; newest reports public since {found.view.since}, {basis}"
    head = f"{found.formula} of {name} ({found.symbol}) at the close of {found.session}{view}"
    if not found.listed:
        head += "; not listed on that day"
    return [head, *_tree(found.top, language, 1)]


def _tree(node: ValueNode, language: Language, level: int) -> Iterator[str]:
    part, indent = node.part, "  " * level
    text = label(part.name, language) if part.name else describe_value(part.formula, language)
    formula = part.formula if not part.definition else f"{part.name} = {part.definition}"
    back = f", {part.quarters_back} quarters back" if part.quarters_back else ""
    back += f", {part.bars_back} sessions back" if part.bars_back else ""
    notes = [f"lacks {', '.join(node.missing)}"] if node.missing else []
    notes += ["no such figure for the financial sector"] if node.financial else []
    notes += ["as above"] if part.how is How.REPEATED else []
    if node.rank is not None:
        place = f"rank {_number(node.rank.place)} of" if not math.isnan(node.rank.place) else "among"
        notes.append(f"{place} {node.rank.count}{' in ' + node.rank.group if node.rank.group else ''}")
    said = f"  ({'; '.join(notes)})" if notes else ""
    yield f"{indent}{text} = {_number(node.value)} {part.unit}".rstrip() + f"  [{formula}{back}]{said}"
    for window in node.windows:
        yield f"{indent}    {_window(window)}"
    for quarter in node.statement.quarters if node.statement else ():
        yield f"{indent}    {_amount(quarter)}"
    for inner in node.below:
        yield from _tree(inner, language, level + 1)


def _window(window: Window) -> str:
    shown = ", ".join(f"{point.on or '-'}: {_number(point.value)}" for point in window.points)
    return f"{window.formula}: {window.known} of {window.size} known; {shown}"


def _amount(quarter: Amount) -> str:
    how = _ORIGINS[quarter.origin].format(reported=_number(quarter.reported), before=_number(quarter.before))
    filed = "" if quarter.filed_on is None else f", public {quarter.filed_on}"
    filed += " (statutory deadline)" if quarter.from_deadline else ""
    filed += " (restated later)" if quarter.restated else ""
    shares = "" if quarter.share_factor == 1.0 else f", share basis x{_number(quarter.share_factor)}"
    basis = "CFS" if quarter.consolidated else "OFS"
    return f"{quarter.period_end or '-'}: {_number(quarter.value)} ({basis}, {how}{filed}{shares})"


def _number(value: float) -> str:
    if math.isnan(value):
        return "-"
    if value == round(value) or abs(value) >= 100_000:
        return f"{value:,.0f}"
    return f"{value:,.6g}" if abs(value) < 1000 else f"{value:,.2f}"
