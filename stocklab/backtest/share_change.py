"""`with_share_change`: a book after ``new`` shares for ``old``, where the panel's bars are adjusted and say nothing.

On raw bars `settle` knows the events of its panel. Adjusted bars carry them: the day they take effect, all prices of
before are others, and a book of the day before has to be moved along before anything is decided on it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Literal

from stocklab.backtest.sleeve_book import OrderSide, SleeveBook, SleeveOrder, SleevePosition
from stocklab.errors import InputError
from stocklab.market.ticks import round_to_tick

__all__ = ["with_share_change"]


def with_share_change(
    book: SleeveBook, symbol: str, *, new: int, old: int, session: date, market: str, base_krw: int | None = None
) -> SleeveBook:
    """The book of the session before ``session``, in which ``new`` shares for ``old`` take effect.

    Whole shares stay, the fraction is paid in cash at the base price, or where that is unknown at the last close,
    scaled; average, high and last close are scaled; live orders, their limits (to the tick of ``market`` on
    ``session``) and waiting lots too. What leaves nothing is gone: a position (sold on ``session``), an order.

    Raises
    ------
    InputError
        Not a ratio of two positive numbers, or a book of coins.
    """
    if min(new, old) < 1 or book.unit != 1:
        raise InputError(f"New and old shares of a stock are expected, found {new} for {old}.")
    held = {one.symbol: one for one in book.positions}.get(symbol)
    moved = None if held is None else _moved(held, new, old, base_krw)
    paid = 0 if held is None or moved is None else held.shares * new % old * moved.last_close // old
    orders = tuple(_scaled(one, new, old, session, market) if one.symbol == symbol else one for one in book.orders)
    gone = moved is not None and moved.shares == 0
    return replace(
        book,
        cash=book.cash + paid,
        positions=_without_gaps(book.positions, symbol, moved),
        orders=tuple(one for one in orders if one.left > 0),
        waiting=tuple(
            replace(lot, shares=lot.shares * new // old) if lot.symbol == symbol else lot for lot in book.waiting
        ),
        sold_on={**book.sold_on, symbol: session} if gone else book.sold_on,
    )


def _moved(position: SleevePosition, new: int, old: int, base_krw: int | None) -> SleevePosition:
    return replace(
        position,
        shares=position.shares * new // old,
        unlisted=position.unlisted * new // old,
        average=position.average * old / new,
        high=position.high * old / new,
        last_close=base_krw or position.last_close * old // new,
    )


def _scaled(order: SleeveOrder, new: int, old: int, session: date, market: str) -> SleeveOrder:
    limit = order.limit
    if limit is not None:
        direction: Literal["up", "down"] = "up" if order.side is OrderSide.BUY else "down"
        limit = max(round_to_tick(max(limit * old // new, 1), market, session, direction), 1)
    return replace(order, shares=order.filled + order.left * new // old, limit=limit)


def _without_gaps(
    positions: tuple[SleevePosition, ...], symbol: str, moved: SleevePosition | None
) -> tuple[SleevePosition, ...]:
    """Positions with the moved one; the last takes the place of one of which nothing is left, as in the kernel."""
    if moved is None:
        return positions
    found = [moved if one.symbol == symbol else one for one in positions]
    if moved.shares == 0:
        place = found.index(moved)
        found[place] = found[-1]
        found.pop()
    return tuple(found)
