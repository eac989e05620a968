"""The conditions of rules: what a user may ask for, judged before it is kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from stocklab.alerts.kinds import AlertKind
from stocklab.data.sources.dart_disclosures import DisclosureKind
from stocklab.errors import InputError
from stocklab.factors import check

__all__ = ["RULE_KINDS", "Sense", "judged"]

RULE_KINDS: Final = (
    AlertKind.PRICE,
    AlertKind.INDICATOR,
    AlertKind.DISCLOSURE,
    AlertKind.HALT,
    AlertKind.DATA_STALE,
)
"""Kinds that users make rules of; the others happen by themselves."""

_LONGEST_FORMULA: Final = 500
_LONGEST_WORD: Final = 40
_MOST_WORDS: Final = 10
_MOST_PERCENT: Final = 100.0
_MOST_WON: Final = 1e12
_MOST_SESSIONS: Final = 30


class Sense(StrEnum):
    """When a price rule holds: at a price in won, or at a move on the day in percent."""

    ABOVE = "above"
    BELOW = "below"
    RISES = "rises"
    FALLS = "falls"

    @property
    def is_move(self) -> bool:
        """Whether its limit is in percent."""
        return self in (Sense.RISES, Sense.FALLS)


def judged(kind: AlertKind, symbol: str, condition: Mapping[str, Any]) -> dict[str, Any]:
    """A condition as it is kept.

    Raises
    ------
    FormulaError
        The formula of an indicator is not one.
    InputError
        Something else of it cannot be.
    """
    if kind not in RULE_KINDS:
        raise InputError(f"Expected one of {', '.join(RULE_KINDS)}, found {kind}.")
    if not symbol and kind in (AlertKind.PRICE, AlertKind.INDICATOR, AlertKind.HALT):
        raise InputError(f"A rule about {kind} needs a symbol.")
    return _JUDGES[kind](symbol, condition)


def _price(_symbol: str, condition: Mapping[str, Any]) -> dict[str, Any]:
    try:
        sense, limit = Sense(condition.get("sense", "")), float(condition.get("limit", math.nan))
    except (TypeError, ValueError) as error:
        raise InputError("A price rule needs a sense (above, below, rises, falls) and a limit.") from error
    most = _MOST_PERCENT if sense.is_move else _MOST_WON
    if not 0 < limit <= most:
        raise InputError(f"limit: expected more than 0 and at most {most:,.0f}, found {limit}.")
    return {"sense": sense.value, "limit": limit}


def _indicator(_symbol: str, condition: Mapping[str, Any]) -> dict[str, Any]:
    formula = str(condition.get("formula", "")).strip()
    if len(formula) > _LONGEST_FORMULA:
        raise InputError(f"formula: expected at most {_LONGEST_FORMULA} characters, found {len(formula)}.")
    check(formula)
    return {"formula": formula}


def _disclosure(symbol: str, condition: Mapping[str, Any]) -> dict[str, Any]:
    words = [" ".join(str(word).split()) for word in condition.get("words", ())]
    words = [word for word in words if word]
    kinds = [str(kind) for kind in condition.get("kinds", ())]
    if len(words) > _MOST_WORDS or any(len(word) > _LONGEST_WORD for word in words):
        raise InputError(f"words: expected at most {_MOST_WORDS} of at most {_LONGEST_WORD} characters.")
    unknown = [kind for kind in kinds if kind not in {one.value for one in DisclosureKind}]
    if unknown:
        raise InputError(f"kinds: unknown {unknown[0]!r}.")
    if not symbol and not words and not kinds:
        raise InputError("A rule about filings needs a symbol, words of the title, or a kind.")
    return {"words": words, "kinds": kinds}


def _halt(_symbol: str, _condition: Mapping[str, Any]) -> dict[str, Any]:
    return {}


def _data_stale(_symbol: str, condition: Mapping[str, Any]) -> dict[str, Any]:
    sessions = condition.get("sessions", 1)
    if not isinstance(sessions, int) or not 1 <= sessions <= _MOST_SESSIONS:
        raise InputError(f"sessions: expected 1 to {_MOST_SESSIONS}, found {sessions!r}.")
    return {"sessions": sessions}


_JUDGES: Final[Mapping[AlertKind, Callable[[str, Mapping[str, Any]], dict[str, Any]]]] = MappingProxyType(
    {
        AlertKind.PRICE: _price,
        AlertKind.INDICATOR: _indicator,
        AlertKind.DISCLOSURE: _disclosure,
        AlertKind.HALT: _halt,
        AlertKind.DATA_STALE: _data_stale,
    }
)
