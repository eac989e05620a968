"""How a strategy's orders are sent: when, how near the price, priced anew how often, with or without a person's yes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

from stocklab.errors import InputError
from stocklab.trading.pricing import LastResort

__all__ = ["Timing", "TraderSettings"]

_MOST_SLICES: Final = 60
_TEXTS: Final = frozenset({"fraction"})


class Timing(StrEnum):
    """When orders go out. STRATEGY: where the document says that they fill; else one of the times of a session."""

    STRATEGY = "strategy"
    OPEN = "open"
    CHECK = "check"
    LATE_CHECK = "late_check"
    CLOSE = "close"
    SLICES = "slices"


@dataclass(frozen=True, slots=True, kw_only=True)
class TraderSettings:
    """``fraction`` is how far the limit of an order near the price goes beyond it; it is priced anew ``reprice_most``
    times, every ``reprice_seconds``, and the rest is then left, cancelled or traded at the market. ``slices``: how
    many, where orders are sliced; ``by_volume``: as the market trades over the day, else evenly. ``approval``: nothing
    is sent before a person says yes. ``guards``: stops and targets of the document are watched inside the session.

    Raises
    ------
    InputError
        A value is out of its range.
    """

    buy: Timing = Timing.STRATEGY
    sell: Timing = Timing.STRATEGY
    fraction: Decimal = Decimal("0.01")
    reprice_most: int = 3
    reprice_seconds: int = 30
    last_resort: LastResort = LastResort.LEAVE
    slices: int = 12
    by_volume: bool = True
    approval: bool = False
    guards: bool = True

    def __post_init__(self) -> None:
        if not -1 < self.fraction < 1:
            raise InputError(f"fraction: expected one within 1, found {self.fraction}.")
        if not 0 <= self.reprice_most <= 20 or not 5 <= self.reprice_seconds <= 3600:
            raise InputError(
                f"Expected up to 20 new prices, 5 to 3,600 seconds apart, "
                f"found {self.reprice_most} and {self.reprice_seconds}."
            )
        if not 2 <= self.slices <= _MOST_SLICES:
            raise InputError(f"slices: expected 2 to {_MOST_SLICES}, found {self.slices}.")

    @property
    def reprice_every(self) -> timedelta:
        """The pause between two prices."""
        return timedelta(seconds=self.reprice_seconds)

    def document(self) -> dict[str, Any]:
        """As JSON, for the trader's row."""
        return {one.name: _plain(getattr(self, one.name)) for one in fields(self)}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> TraderSettings:
        """Of a document; what it does not name is as by default. Raises InputError for unknown names and values."""
        odd = sorted(document.keys() - {one.name for one in fields(cls)})
        if odd:
            raise InputError(f"Unknown settings {', '.join(odd)}.")
        made: dict[str, Any] = dict(document)
        try:
            for name in ("buy", "sell"):
                if name in made:
                    made[name] = Timing(made[name])
            if "last_resort" in made:
                made["last_resort"] = LastResort(made["last_resort"])
            if "fraction" in made:
                made["fraction"] = Decimal(str(made["fraction"]))
        except (ValueError, InvalidOperation) as error:
            raise InputError(f"Settings that cannot be read: {dict(document)}.") from error
        return cls(**made)


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    return str(value) if isinstance(value, Decimal) else value
