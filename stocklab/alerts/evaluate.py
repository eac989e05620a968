"""Whether a rule fires: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from stocklab.alerts.conditions import Sense
from stocklab.alerts.kinds import AlertKind

__all__ = ["BAND", "MOVE_BAND", "Reading", "RuleState", "Verdict", "evaluate"]

BAND: Final = 0.005
"""A price must come back beyond its limit by this fraction before its rule may fire again."""

MOVE_BAND: Final = 0.3
"""A move on the day must come back by so many percentage points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleState:
    """What of a rule decides: ``armed`` is false from when it fired until its condition was clearly false again."""

    kind: AlertKind
    condition: Mapping[str, Any]
    armed: bool
    cooldown: timedelta
    last_fired_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is known at a moment. ``price_krw`` and ``move_percent`` are for prices, ``holds`` for conditions that are
    true or false; None where it is not known.
    """

    price_krw: float | None = None
    move_percent: float | None = None
    holds: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether it fires, whether it is armed afterwards, and the number it looked at."""

    fires: bool
    armed: bool
    value: float | None


def evaluate(rule: RuleState, reading: Reading, now: datetime) -> Verdict:
    """Judge one rule by one reading. What is unknown changes nothing.

    It fires when its condition holds, it is armed, and its cooldown is over. After that the condition must have been
    false, a price by more than the noise around its limit, before it fires again.
    """
    value, reached, left = _look(rule, reading)
    if reached is None:
        return Verdict(fires=False, armed=rule.armed, value=value)
    armed = rule.armed or left
    rested = rule.last_fired_at is None or now - rule.last_fired_at >= rule.cooldown
    fires = reached and armed and rested
    return Verdict(fires=fires, armed=armed and not fires, value=value)


def _look(rule: RuleState, reading: Reading) -> tuple[float | None, bool | None, bool]:
    """The number, whether the condition holds, and whether it was clearly left."""
    if rule.kind is not AlertKind.PRICE:
        holds = reading.holds
        return None if holds is None else float(holds), holds, holds is False
    sense, limit = Sense(rule.condition["sense"]), float(rule.condition["limit"])
    value = reading.move_percent if sense.is_move else reading.price_krw
    if value is None:
        return None, None, False
    if sense is Sense.ABOVE:
        return value, value >= limit, value < limit * (1 - BAND)
    if sense is Sense.BELOW:
        return value, value <= limit, value > limit * (1 + BAND)
    move = value if sense is Sense.RISES else -value
    return value, move >= limit, move < limit - MOVE_BAND
