"""Which formulas a panel can answer, and what it lacks for the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from stocklab.factors.catalogue import CATALOGUE
from stocklab.factors.check import missing_inputs
from stocklab.factors.lacking import never_known
from stocklab.market.panel import Panel

__all__ = ["FormulaStatus", "State", "catalogue_status", "status_of"]


class State(StrEnum):
    """How much of a formula a panel can compute."""

    COMPUTED = "computed"
    PARTIAL = "partial"  # an input is missing, and the formula has an answer without it (nz, coalesce, navg)
    LACKING = "lacking"  # null for every stock on every day


@dataclass(frozen=True, slots=True)
class FormulaStatus:
    """The state, and the fields and statement items the panel does not have, sorted."""

    state: State
    missing: tuple[str, ...]


def status_of(formula: str, panel: Panel) -> FormulaStatus:
    """What a panel can do with a formula.

    Raises
    ------
    FormulaError
        The formula is not valid.
    """
    missing = missing_inputs(formula, panel)
    if not missing:
        return FormulaStatus(State.COMPUTED, ())
    return FormulaStatus(State.LACKING if never_known(formula, panel) else State.PARTIAL, missing)


def catalogue_status(panel: Panel) -> Mapping[str, FormulaStatus]:
    """`status_of` for every factor, in the order of the catalogue."""
    return MappingProxyType({factor_id: status_of(factor_id, panel) for factor_id in CATALOGUE})
