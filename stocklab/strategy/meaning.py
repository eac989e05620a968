"""Faults of a document's meaning: formulas, logic lines, and fields that contradict each other.

Works on the raw values, so that a wrong type in one place does not hide a wrong formula in another.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from stocklab.errors import FieldFault, FormulaError
from stocklab.factors import (
    CATALOGUE,
    NO_DEFINITIONS,
    Checked,
    Definitions,
    Kind,
    check,
    check_with,
    expand,
    translate,
)
from stocklab.strategy.json_text import join_path
from stocklab.strategy.logic import parse_logic
from stocklab.strategy.notation import canonical, parse_formula

__all__ = ["MOST_JUDGED", "PLAIN_COLUMNS", "is_condition", "meaning_faults", "more_helpful", "translate_formulas"]

PLAIN_COLUMNS: Final = ("symbol", "name", "market", "sector", "close_krw")
"""Columns every table of a screen has: what a stock is called and where it closed."""

MOST_JUDGED: Final = 60
"""So many items of a list are judged by what they mean; the structure says that a longer one is too long."""

_INDEX_INPUTS: Final = frozenset({"close"})
_KEEP_TRUTH: Final = frozenset({"nz", "coalesce", "max", "min", "lag"})
_BOOLEAN: Final = "bool"
_FOREIGN: Final = "forbidden"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a formula stands: the object that holds it, its path and what it must be."""

    holder: dict[str, Any] | list[Any]
    path: str
    role: Literal["rule", "value", "market"]
    key: Any = "formula"

    @property
    def formula(self) -> str | None:
        text = self.holder.get(self.key) if isinstance(self.holder, dict) else self.holder[self.key]
        return text if isinstance(text, str) and text.strip() else None


def translate_formulas(data: dict[str, Any], own: Definitions = NO_DEFINITIONS) -> list[FieldFault]:
    """Replace every formula in Korean or English names by the notation, in place; the faults met.

    Names of own factors stay as they are; their own formulas are `read_own_factors`' matter.
    """
    faults = []
    for place in _places(data):
        if place.formula is not None:
            try:
                place.holder[place.key] = translate(place.formula, own)
            except FormulaError as error:
                told = more_helpful(error, place.formula)
                faults.append(FieldFault(path=place.path, code=told.code, message=str(told)))
    return faults


def more_helpful(error: FormulaError, formula: str) -> FormulaError:
    """Where a sign or word of another language stands (``and``, ``%``), what to write instead beats "unknown name"."""
    if "{" not in formula:
        try:
            check(formula)
        except FormulaError as strict:
            return strict if strict.code == _FOREIGN else error
    return error


def meaning_faults(data: dict[str, Any], own: Definitions = NO_DEFINITIONS) -> list[FieldFault]:
    """Every fault of formulas, logic and contradictions in a raw document."""
    faults = [fault for place in _places(data) if (fault := _formula_fault(place, own)) is not None]
    faults += _logic_faults(_object(data.get("entry")), "entry", "all")
    faults += _logic_faults(_object(data.get("exit")), "exit", "any")
    faults += _logic_faults(_object(data.get("conditions")), "conditions", "all")
    return faults + list(_contradictions(data))


def is_condition(formula: str) -> bool:
    """Whether a formula gives true or false rather than an amount.

    >>> [is_condition(text) for text in ("close>1", "(close>1)&~(rsi_14>70)", "new_high_52w", "close", "close*2")]
    [True, True, True, False, False]
    """
    return _is_truth(parse_formula(formula))


def _is_truth(node: ast.expr) -> bool:
    match node:
        case ast.Compare():
            return True
        case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr(), right=right):
            return _is_truth(left) and _is_truth(right)
        case ast.UnaryOp(op=ast.Invert(), operand=operand):
            return _is_truth(operand)
        case ast.Name(id=name):
            return name in CATALOGUE and CATALOGUE[name].unit == _BOOLEAN
        case ast.Call(func=ast.Name(id="where"), args=[_, first, second]):
            return all(_is_truth(part) or _is_zero_or_one(part) for part in (first, second))
        case ast.Call(func=ast.Name(id="lag"), args=[first, *_]):
            return _is_truth(first)
        case ast.Call(func=ast.Name(id=name), args=args) if name in _KEEP_TRUTH:
            return all(_is_truth(part) or _is_zero_or_one(part) for part in args)
    return False


def _is_zero_or_one(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value in (0, 1)


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> Iterator[tuple[int, dict[str, Any]]]:
    for index, item in enumerate(value[:MOST_JUDGED] if isinstance(value, list) else ()):
        if isinstance(item, dict):
            yield index, item


def _places(data: dict[str, Any]) -> Iterator[_Place]:
    for section in ("entry", "exit", "conditions"):
        for index, rule in _objects(_object(data.get(section)).get("rules")):
            yield _Place(rule, f"{section}.rules.{index}.formula", "rule")
    for index, factor in _objects(_object(data.get("ranking")).get("factors")):
        yield _Place(factor, f"ranking.factors.{index}.formula", "value")
    if isinstance(data.get("market_filter"), dict):
        yield _Place(data["market_filter"], "market_filter.formula", "market")
    yield from _screen_places(data)


def _screen_places(data: dict[str, Any]) -> Iterator[_Place]:
    """Formulas only screens have: columns, and what they are sorted by."""
    columns, sort = data.get("columns"), data.get("sort")
    if isinstance(columns, list):
        for index in range(min(len(columns), MOST_JUDGED)):
            yield _Place(columns, f"columns.{index}", "value", index)
    if isinstance(sort, dict) and sort.get("by") not in PLAIN_COLUMNS:
        yield _Place(sort, "sort.by", "value", "by")


def _formula_fault(place: _Place, own: Definitions) -> FieldFault | None:
    formula = place.formula
    if formula is None:
        return None
    try:
        checked = check_with(formula, own)
        truth = is_condition(expand(formula, own))
    except FormulaError as error:
        return FieldFault(path=place.path, code=error.code, message=str(error))
    code, message = _role_fault(place, formula, checked, truth=truth)
    return FieldFault(path=place.path, code=code, message=message) if message else None


def _role_fault(place: _Place, formula: str, checked: Checked, *, truth: bool) -> tuple[str, str]:
    if checked.kind not in (Kind.DAILY, Kind.QUARTERLY):
        return "kind", f"Expected a value of each stock and session, found a {checked.kind.value}. Hint: use a factor."
    if place.role == "value":
        return "", ""
    if not truth:
        shown = canonical(formula)
        shown = shown if len(shown) <= 40 else "..."
        return "not_condition", f"Expected a condition, found a value. Hint: compare it, as in {shown}>0."
    if place.role == "market" and (checked.cross_sectional or not checked.inputs <= _INDEX_INPUTS):
        foreign = ", ".join(sorted(checked.inputs - _INDEX_INPUTS)) or "a comparison of stocks"
        return "market_inputs", f"A market filter knows only the close of the index, not {foreign}. Hint: use close."
    return "", ""


def _logic_faults(section: dict[str, Any], path: str, default: Literal["all", "any"]) -> list[FieldFault]:
    letters = [rule.get("id") for _, rule in _objects(section.get("rules"))]
    known = list(dict.fromkeys(letter for letter in letters if isinstance(letter, str)))
    faults = []
    for index, letter in enumerate(letters):
        if isinstance(letter, str) and letter in letters[:index]:
            message = f"Rule letter {letter!r} is used more than once. Hint: each may appear once."
            faults.append(FieldFault(path=f"{path}.rules.{index}.id", code="repeated_letter", message=message))
    logic = section.get("logic")
    if isinstance(logic, str):
        try:
            parse_logic(logic, known, default)
        except FormulaError as error:
            faults.append(FieldFault(path=f"{path}.logic", code=error.code, message=str(error)))
    return faults


def _contradictions(data: dict[str, Any]) -> Iterator[FieldFault]:
    ranking, exits = _object(data.get("ranking")), _object(data.get("exit"))
    if not ranking.get("factors"):
        for path, wants in (
            ("ranking.keep", ranking.get("keep", "all") != "all"),
            ("sizing.method", _object(data.get("sizing")).get("method") == "score"),
            ("exit.rank_below", exits.get("rank_below") is not None),
        ):
            if wants:
                message = "This needs a ranking. Hint: add a factor to ranking.factors."
                yield FieldFault(path=path, code="needs_ranking", message=message)
    if exits.get("when_entry_fails") is True and not _object(data.get("entry")).get("rules"):
        message = "There are no entry rules that could fail. Hint: add one to entry.rules."
        yield FieldFault(path="exit.when_entry_fails", code="needs_entry_rules", message=message)
    low, high = exits.get("min_holding"), exits.get("max_holding")
    if isinstance(low, int) and isinstance(high, int) and low > high:
        message = f"min_holding {low} is above max_holding {high}. Hint: lower it."
        yield FieldFault(path="exit.min_holding", code="range", message=message)
    months = _object(data.get("market_filter")).get("months")
    months = months[:MOST_JUDGED] if isinstance(months, list) else []
    for index, month in enumerate(months):
        if month in months[:index]:
            message = f"Month {month!r} is named more than once."
            yield FieldFault(path=join_path("market_filter.months", index), code="repeated_month", message=message)
