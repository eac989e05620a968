"""`settle`: a sleeve's book after a session, from what really happened in it; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from stocklab.backtest.sleeve_book import OrderSide, SleeveBook, SleeveOrder
from stocklab.market.panel import Panel
from stocklab.strategy.document import Strategy

__all__ = ["Ended", "Fill", "Fired", "Settled", "settle"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """What an order filled: shares and average price in units of the panel.

    ``cash``: what it changed of the sleeve's cash, all costs included: negative for a purchase. ``order``: its number;
    None is the live sale of the symbol, or its only live purchase.
    """

    symbol: str
    side: OrderSide
    shares: int
    price: float
    cash: int
    order: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """A price trigger that fired inside the session, before its fills: ``cause`` is target, stop or trailing.

    ``shares``: what was to be sold, 0 where nothing could be yet (all of it bonus shares that are not listed). Its
    order gets the next number. The rest of a stop stays alive for the next open, the rest of a target ends.
    ``refused``: it was below the smallest order and not sent.
    """

    symbol: str
    cause: str
    shares: int
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """An order that ended in the session; ``status`` is a word of `codes.STATUS_NAMES`."""

    order: SleeveOrder
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The book after the session, ready to be decided on at its close, and the orders that ended in it."""

    book: SleeveBook
    ended: tuple[Ended, ...]


def settle(
    panel: Panel,
    strategy: Strategy,
    book: SleeveBook,
    session: date,
    happened: Sequence[Fill | Fired],
    *,
    cash: int | None = None,
) -> Settled:
    """Advance a book over one session, as the kernel does: claims, share changes and delistings before the open, then
    what happened, then what lapses.

    Parameters
    ----------
    panel : bars through ``session`` at least
    book : of the session before: `Decision.book`
    session : the session after the book's
    happened : fills and fired triggers in the order of time
    cash : the sleeve's cash as its account knows it, where that differs from what is counted here (dividends, deposits)

    Raises
    ------
    InputError
        The session does not follow the book's, or a fill belongs to no live order or is more than is left of it.
    """
    raise NotImplementedError
