"""Corporate actions on what is held: before any decision, shares and levels change by the event, or all of it stands
still until a person looks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

from stocklab.errors import InputError
from stocklab.trading.book import Book, Entry
from stocklab.trading.guarding import Guard

__all__ = ["ActionState", "BaseChange", "Rescaled", "base_change", "rescale"]

_PRICE_DIGITS: Final = Decimal("0.00000001")


class ActionState(StrEnum):
    """What is done about a symbol. FROZEN: nothing is decided, bought or sold of it, and a person is told."""

    UNCHANGED = "unchanged"
    RESCALED = "rescaled"
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseChange:
    """A symbol whose base price of the day is not its close before: KRX lowered or raised it for an event.

    ``factor`` is the new price for the old one; a cash dividend changes no base price.
    """

    symbol: str
    previous_close_krw: Decimal
    base_price_krw: Decimal

    @property
    def factor(self) -> Decimal:
        """By how much prices of before are to be multiplied."""
        return self.base_price_krw / self.previous_close_krw


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescaled:
    """What an event does: entries for the book, and guards that watch from now on in the place of the same before."""

    state: ActionState
    symbol: str
    entries: tuple[Entry, ...] = ()
    guards: tuple[Guard, ...] = ()


def base_change(symbol: str, previous_close_krw: Decimal, base_price_krw: Decimal | None) -> BaseChange | None:
    """Whether something happened to a symbol before this session; None where nothing did or no base is named.

    Raises
    ------
    InputError
        A price is not above 0.
    """
    if previous_close_krw <= 0 or (base_price_krw is not None and base_price_krw <= 0):
        raise InputError(f"{symbol}: expected prices above 0, found {previous_close_krw} and {base_price_krw}.")
    if base_price_krw is None or base_price_krw == previous_close_krw:
        return None
    return BaseChange(symbol=symbol, previous_close_krw=previous_close_krw, base_price_krw=base_price_krw)


def rescale(
    book: Book, guards: Iterable[Guard], change: BaseChange, ratio: Decimal | None, unit: Decimal = Decimal(1)
) -> Rescaled:
    """What an event does to the sleeves and to the guards over its symbol.

    Shares change by the event's ratio, prices by what KRX made of them: for a rights issue shares stay and prices fall.
    Fractions of an average cost follow the book by themselves; costs of a holding do not change.

    Parameters
    ----------
    ratio : Decimal, optional
        New shares for each one held as of this session (1 = none); None where it is not known: then nothing changes
        and the symbol is frozen.

    Raises
    ------
    InputError
        The ratio is not above 0.
    """
    watching = [guard for guard in guards if guard.symbol == change.symbol]
    if not book.held(change.symbol) and not watching:
        return Rescaled(state=ActionState.UNCHANGED, symbol=change.symbol)
    if ratio is None:
        return Rescaled(state=ActionState.FROZEN, symbol=change.symbol)
    return Rescaled(
        state=ActionState.RESCALED,
        symbol=change.symbol,
        entries=book.of_ratio(change.symbol, ratio, unit),
        guards=tuple(_rescaled(guard, change.factor) for guard in watching),
    )


def _rescaled(guard: Guard, factor: Decimal) -> Guard:
    def scaled(price: Decimal | None) -> Decimal | None:
        return None if price is None else (price * factor).quantize(_PRICE_DIGITS)

    return replace(guard, level_krw=scaled(guard.level_krw), high_krw=scaled(guard.high_krw))
