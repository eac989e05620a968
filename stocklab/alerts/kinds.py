"""What an alert may be about, and how much it matters."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

__all__ = ["SEVERITIES", "AlertKind", "Severity"]


class Severity(StrEnum):
    """How much an alert matters: nice to know, worth a look, or somebody must act."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class AlertKind(StrEnum):
    """What happened. The parameters of each stand in docs/alerts.md."""

    FILL = "fill"
    REJECTED = "rejected"
    REFUSED = "refused"
    IN_DOUBT = "in_doubt"
    AMBIGUOUS = "ambiguous"
    DIFFERENCE = "difference"
    KILL_SWITCH = "kill_switch"
    STOP_FIRED = "stop_fired"
    TARGET_REACHED = "target_reached"
    PRICE = "price"
    INDICATOR = "indicator"
    DISCLOSURE = "disclosure"
    HALT = "halt"
    DATA_STALE = "data_stale"
    SCHEDULER_DOWN = "scheduler_down"
    BROKER = "broker"
    DAILY_NOTE = "daily_note"
    TEST = "test"


SEVERITIES: Final[Mapping[AlertKind, Severity]] = MappingProxyType(
    {
        **dict.fromkeys(AlertKind, Severity.INFO),
        **dict.fromkeys(
            (
                AlertKind.REJECTED,
                AlertKind.REFUSED,
                AlertKind.STOP_FIRED,
                AlertKind.HALT,
                AlertKind.DATA_STALE,
                AlertKind.BROKER,
                AlertKind.DIFFERENCE,
            ),
            Severity.WARNING,
        ),
        **dict.fromkeys(
            (AlertKind.IN_DOUBT, AlertKind.AMBIGUOUS, AlertKind.KILL_SWITCH, AlertKind.SCHEDULER_DOWN),
            Severity.CRITICAL,
        ),
    }
)
"""How much each kind matters unless whoever emits it says otherwise."""
