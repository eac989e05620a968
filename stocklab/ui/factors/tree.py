"""An explained value as a tree that opens and closes in the browser, without another page run."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from typing import Final

from stocklab.factors.explain_parts import How
from stocklab.factors.explain_quarters import Amount, Origin, Statement
from stocklab.factors.explain_value import Explanation, Rank, ValueNode, Window
from stocklab.strategy.labels import label
from stocklab.strategy.words import describe_value
from stocklab.ui import format as fmt
from stocklab.ui.factors.numbers import amount, exact, plain
from stocklab.ui.text import N_, _, language

__all__ = ["tree_html"]

_OPEN_LEVELS: Final = 3
_SMALL_TREE: Final = 16  # parts; a larger one opens a level less
_SERIES_SHOWN: Final = 20
_ORIGINS: Final[Mapping[Origin, str]] = {
    Origin.BALANCE: N_("balance at quarter end"),
    Origin.QUARTER: N_("three months as reported"),
    Origin.FIRST: N_("first quarter to date"),
    Origin.DIFFERENCE: N_("to date {reported} − {before}"),
    Origin.REMAINDER: N_("to date {reported} − the quarters before"),
    Origin.YEAR: N_("fiscal year"),
    Origin.ABSENT: N_("not reported"),
}


def tree_html(found: Explanation) -> str:
    """The whole tree; every text is escaped."""
    levels = _OPEN_LEVELS - (_size(found.top) > _SMALL_TREE)
    return f'<div class="lab-tree">{_node(found.top, levels, top=True)}</div>'


def _size(node: ValueNode) -> int:
    return 1 + sum(_size(inner) for inner in node.below)


def _node(node: ValueNode, levels: int, *, top: bool = False) -> str:
    """A part and what is below it; so many levels are open."""
    inside = ("" if top else _formula(node)) + "".join(_window(window, node) for window in node.windows)
    if node.statement is not None:
        inside += _quarters(node.statement, node.part.unit)
    inside += "".join(_node(inner, levels - 1) for inner in node.below)
    if not inside:
        return f'<div class="leaf">{_heading(node)}</div>'
    opened = " open" if levels > 0 else ""
    return f"<details{opened}><summary>{_heading(node)}</summary><div>{inside}</div></details>"


def _heading(node: ValueNode) -> str:
    part, spoken = node.part, language()
    value = amount(node.value, part.unit, spoken)
    notes = "".join(f'<span class="note">{html.escape(note)}</span>' for note in _notes(node))
    return (
        f'<span class="name">{html.escape(_title(node))}</span>'
        f'<span class="value" title="{html.escape(exact(node.value))}">{html.escape(value)}</span>{notes}'
    )


def _title(node: ValueNode) -> str:
    """The name people know it by, else its formula in words."""
    part, spoken = node.part, language()
    if part.name and part.how is not How.STATEMENT:
        words = label(part.name, spoken)
        if part.quarters_back:
            words = _("{name}, {count} quarters back").format(name=words, count=part.quarters_back)
    else:
        words = describe_value(part.formula, spoken)
    if part.bars_back:
        words = _("{name}, {count} sessions back").format(name=words, count=part.bars_back)
    return words[:1].upper() + words[1:] if spoken == "en" else words


def _notes(node: ValueNode) -> list[str]:
    part = node.part
    notes = []
    if node.missing:
        names = ", ".join(label(name, language()) for name in node.missing)
        notes.append(_("not in the data: {names}").format(names=names))
    if node.financial:
        notes.append(_("the financial sector has no such figure"))
    if part.how is How.REPEATED:
        notes.append(_("opened above"))
    if part.how is How.CUT:
        notes.append(_("not opened further"))
    if part.function == "pos" and math.isnan(node.value) and node.below and not math.isnan(node.below[0].value):
        notes.append(_("no value, because it is not above 0"))
    if part.function == "nz" and node.below and math.isnan(node.below[0].value):
        notes.append(_("counted as 0, because it is unknown"))
    if node.rank is not None:
        notes.append(_rank(node.rank))
    if node.statement is not None and part.unit == "KRW" and math.isnan(node.value) and not node.missing:
        notes.append(_("a report does not have it"))
    return notes


def _rank(rank: Rank) -> str:
    if rank.group:
        return _("among {count} stocks of {group}").format(count=f"{rank.count:,}", group=rank.group)
    if math.isnan(rank.place):
        return _("among {count} stocks").format(count=f"{rank.count:,}")
    return _("place {place} of {count} stocks, largest first").format(place=plain(rank.place), count=f"{rank.count:,}")


def _formula(node: ValueNode) -> str:
    part = node.part
    text = part.definition or part.formula
    return "" if part.how is How.INPUT else f"<code>{html.escape(text)}</code>"


def _window(window: Window, node: ValueNode) -> str:
    unit = next((inner.part.unit for inner in node.below if inner.part.formula == window.formula), "")
    spoken = language()
    quarters = node.part.how is How.QUARTERS
    words = (_("{known} of {size} quarters") if quarters else _("{known} of {size} sessions")).format(
        known=f"{window.known:,}", size=f"{window.size:,}"
    )
    points = [f"{fmt.day(point.on)} <b>{html.escape(amount(point.value, unit, spoken))}</b>" for point in window.points]
    shown = (" · " if quarters else " → ").join(points[:_SERIES_SHOWN])
    more = " …" if len(points) > _SERIES_SHOWN else ""
    name = "" if len(node.windows) == 1 else f"{html.escape(describe_value(window.formula, spoken))}: "
    return f'<p class="window">{name}{html.escape(words)} · {shown}{more}</p>'


def _quarters(statement: Statement, unit: str) -> str:
    heads = (_("Quarter end"), _("Amount"), _("Public since"), _("Basis"), _("How"))
    head = "".join(f"<th>{html.escape(name)}</th>" for name in heads)
    rows = "".join(_quarter(quarter, unit) for quarter in statement.quarters)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _quarter(quarter: Amount, unit: str) -> str:
    spoken = language()
    how = _(_ORIGINS[quarter.origin]).format(
        reported=amount(quarter.reported, unit, spoken), before=amount(quarter.before, unit, spoken)
    )
    if quarter.share_factor != 1.0 and quarter.origin is not Origin.ABSENT:
        how += " · " + _("shares × {ratio} since").format(ratio=plain(quarter.share_factor))
    filed = fmt.day(quarter.filed_on)
    if quarter.from_deadline:
        filed += " " + _("(statutory deadline)")
    if quarter.restated:
        filed += " " + _("(restated later)")
    cells = (
        fmt.day(quarter.period_end),
        amount(quarter.value, unit, spoken),
        filed,
        _("Consolidated") if quarter.consolidated else _("Separate"),
        how,
    )
    exactly = html.escape(exact(quarter.value))
    shown = [html.escape(cell) for cell in cells]
    return (
        f'<tr><td>{shown[0]}</td><td class="value" title="{exactly}">{shown[1]}</td>'
        + "".join(f"<td>{cell}</td>" for cell in shown[2:])
        + "</tr>"
    )
