"""The document's own factors as the form needs them: what formulas may use, what pickers offer, how they are called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from typing import Any, Final

from pydantic import ValidationError

from stocklab.factors import Definitions
from stocklab.strategy.document import OwnFactor
from stocklab.strategy.own_factors import OwnFactors, read_own_factors
from stocklab.ui import catalogue
from stocklab.ui.builder import state
from stocklab.ui.text import N_, _

__all__ = [
    "CATEGORY",
    "categories",
    "category_label",
    "definitions",
    "given",
    "options",
    "read",
    "unit_of",
    "usable",
]

CATEGORY: Final = "own"
"""Category of pickers that holds the own factors."""
_NAME: Final = N_("My factors")


def given() -> list[dict[str, Any]]:
    """``factors`` of the document as it stands; a screen has none."""
    found: list[dict[str, Any]] = state.document().get("factors") or []
    return found


def read() -> OwnFactors:
    """The own factors judged, once per version of the document."""
    return _known()[0]


def definitions() -> Definitions:
    """Names the document's formulas may use."""
    return read().definitions


def usable() -> tuple[OwnFactor, ...]:
    """Own factors without a fault, in their order."""
    return _known()[1]


def _known() -> tuple[OwnFactors, tuple[OwnFactor, ...]]:
    editing = state.session()
    known = editing.get("own")
    if known is None or known[0] is not editing["document"]:
        judged = read_own_factors({"factors": deepcopy(given())})
        known = (editing["document"], judged, tuple(_sound(judged)))
        editing["own"] = known
    return known[1], known[2]


def _sound(judged: OwnFactors) -> Iterator[OwnFactor]:
    for factor in given():
        try:
            made = OwnFactor.model_validate(factor)
        except ValidationError:
            continue
        if made.id in judged.definitions.bodies:
            yield made


def options(category: str | None) -> tuple[str, ...]:
    """Ids a picker offers for a category (None = all): the document's own first."""
    ids = tuple(factor.id for factor in usable()) if category in (None, CATEGORY) else ()
    return ids if category == CATEGORY else (*ids, *catalogue.options(category))


def labels() -> Callable[[str], str]:
    """What a picker shows for a factor, field or own factor, as it is called now."""
    named = {factor.id: f"{factor.name or factor.id} · {factor.id}" for factor in usable()}
    known = catalogue.factor_labels()
    return lambda factor_id: named.get(factor_id) or known.get(factor_id, factor_id)


def category_label(category: str) -> str:
    """Name of a category in the user's language."""
    return _(_NAME) if category == CATEGORY else catalogue.category_name(category)


def categories() -> Sequence[str]:
    """Categories a picker offers."""
    return ([CATEGORY] if usable() else []) + list(catalogue.CATEGORIES)


def unit_of(factor_id: str) -> str:
    """Unit of a factor, field or own factor."""
    named = next((factor for factor in usable() if factor.id == factor_id), None)
    return catalogue.unit_of(factor_id) if named is None else named.unit
