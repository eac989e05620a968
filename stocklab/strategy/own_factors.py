"""Own factors of a document: read in order, judged, and put in place of their names for whatever computes."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from stocklab.errors import FieldFault, FormulaError
from stocklab.factors import NO_DEFINITIONS, Definition, Definitions, check_with, expand, is_taken, translate
from stocklab.factors.naming import normal
from stocklab.strategy.document import OwnFactor, Rule, Strategy
from stocklab.strategy.meaning import more_helpful

__all__ = [
    "MOST_OWN_FACTORS",
    "OwnFactors",
    "definitions_of",
    "expanded",
    "own_definition",
    "read_own_factors",
    "statement_formulas",
]

MOST_OWN_FACTORS: Final = 20
_FILING_AGE: Final = "days_since_filing"
_ID: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")


def own_definition(factor: OwnFactor) -> Definition:
    """The factor as the formula language knows it."""
    return Definition(id=factor.id, formula=factor.formula, title=factor.name)


def definitions_of(strategy: Strategy) -> Definitions:
    """Names the formulas of a document may use.

    Raises
    ------
    FormulaError
        A formula of an own factor is not valid; documents of ``parse_document`` always are.
    """
    known = NO_DEFINITIONS
    for factor in strategy.factors:
        known = known.adding(own_definition(factor))
    return known


def expanded(strategy: Strategy) -> Strategy:
    """The same strategy in plain notation: own factors give way to what they mean. It computes the same.

    >>> own = OwnFactor(id="gap", formula="close/sma(close,20)-1")
    >>> found = expanded(Strategy(name="x", factors=(own,), entry={"rules": [{"id": "A", "formula": "gap>0.1"}]}))
    >>> found.factors, found.entry.rules[0].formula
    ((), 'close/sma(close,20)-1>0.1')
    """
    if not strategy.factors:
        return strategy
    own = definitions_of(strategy)

    def plain(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        return tuple(rule.model_copy(update={"formula": expand(rule.formula, own)}) for rule in rules)

    parts = tuple(part.model_copy(update={"formula": expand(part.formula, own)}) for part in strategy.ranking.factors)
    market = strategy.market_filter
    if market is not None and market.formula is not None:
        market = market.model_copy(update={"formula": expand(market.formula, own)})
    return strategy.model_copy(
        update={
            "factors": (),
            "entry": strategy.entry.model_copy(update={"rules": plain(strategy.entry.rules)}),
            "exit": strategy.exit.model_copy(update={"rules": plain(strategy.exit.rules)}),
            "ranking": strategy.ranking.model_copy(update={"factors": parts}),
            "market_filter": market,
        }
    )


def statement_formulas(strategy: Strategy) -> tuple[str, ...]:
    """Formulas to buy, sell and rank that read company reports, as written, each once."""
    own = definitions_of(strategy)
    formulas = [rule.formula for rule in (*strategy.entry.rules, *strategy.exit.rules)]
    formulas += [part.formula for part in strategy.ranking.factors]
    found = dict.fromkeys(formulas)
    return tuple(formula for formula in found if _reads_reports(formula, own))


def _reads_reports(formula: str, own: Definitions) -> bool:
    checked = check_with(formula, own)
    return bool(checked.items) or _FILING_AGE in checked.inputs


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFactors:
    """``factors`` of a raw document, judged.

    Attributes
    ----------
    definitions : what the other formulas may use; a factor at fault is known by name, and its use is told as that
    faults : every fault of ids, names and formulas
    errors : place in the list -> what is wrong with its formula, with the character in the text that was typed
    """

    definitions: Definitions
    faults: tuple[FieldFault, ...]
    errors: Mapping[int, FormulaError]


def read_own_factors(data: dict[str, Any]) -> OwnFactors:
    """Judge ``factors`` of a raw document in order; formulas in Korean names become the notation, in place."""
    given = [(index, factor) for index, factor in _factors(data) if _ID.fullmatch(str(factor.get("id")))]
    given = given[: 3 * MOST_OWN_FACTORS]
    own = NO_DEFINITIONS
    for _, factor in given:
        why = f"The own factor {factor['id']!r} is defined further down. Hint: move it up."
        own = own.refusing(_definition(factor), "own_factor_order", why)
    faults: list[FieldFault] = []
    errors: dict[int, FormulaError] = {}
    seen: dict[str, int] = {}
    for index, factor in given[:MOST_OWN_FACTORS]:
        wrong = list(_name_faults(index, factor, seen))
        error = _take(factor, own)
        if error is not None:
            errors[index] = error
            wrong.append(FieldFault(path=f"factors.{index}.formula", code=error.code, message=str(error)))
        faults += wrong
        own = _known(own, factor, sound=not wrong)
    return OwnFactors(definitions=own, faults=tuple(faults), errors=errors)


def _factors(data: Mapping[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    listed = data.get("factors")
    for index, factor in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(factor, dict):
            yield index, factor


def _definition(factor: Mapping[str, Any]) -> Definition:
    formula, title = factor.get("formula"), factor.get("name")
    return Definition(
        id=factor["id"],
        formula=formula if isinstance(formula, str) else "",
        title=title if isinstance(title, str) else "",
    )


def _known(own: Definitions, factor: Mapping[str, Any], *, sound: bool) -> Definitions:
    definition = _definition(factor)
    if sound and definition.formula.strip():
        return own.adding(definition)
    why = f"The own factor {definition.id!r} has a fault of its own. Hint: correct it first."
    return own.refusing(definition, "own_factor_fault", why)


def _take(factor: dict[str, Any], own: Definitions) -> FormulaError | None:
    """Translate the formula in place and judge it."""
    definition = _definition(factor)
    if not definition.formula.strip():
        return None  # the structure says that it is empty, or no text
    own = own.refusing(definition, "cycle", f"{definition.id!r} is defined by itself.")
    try:
        factor["formula"] = translate(definition.formula, own)
        own.adding(_definition(factor))
    except FormulaError as error:
        return more_helpful(error, definition.formula)
    return None


def _name_faults(index: int, factor: Mapping[str, Any], seen: dict[str, int]) -> Iterator[FieldFault]:
    for key in ("id", "name"):
        written = factor.get(key)
        if not isinstance(written, str) or not written.strip():
            continue
        path, wanted = f"factors.{index}.{key}", normal(written)
        if is_taken(written) or keyword.iskeyword(written):
            message = f"{written!r} already means something in the formula language. Hint: choose another {key}."
            yield FieldFault(path=path, code="name_taken", message=message)
        elif seen.setdefault(wanted, index) != index:
            message = f"{written!r} names another own factor already. Hint: each name may appear once."
            yield FieldFault(path=path, code="repeated_name", message=message)
