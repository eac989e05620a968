"""How the book of a run differs from that of its replay at a close: orders, trades, positions, cash."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from stocklab.backtest import codes
from stocklab.backtest.layout import State
from stocklab.research.difference_marks import KEPT, Mark, number_words
from stocklab.types import AnyArray, IntArray

__all__ = ["Book", "book_differences"]

_SAID: Final = (
    "ordered", "filled", "shares", "price", "amount", "value", "close", "limit", "commission", "tax", "slippage",
    "new", "old", "cash",
)  # fmt: skip
"""What is said of a record, as far as it is another; where only other fields are, these are named."""
_NOT_COMPARED: Final = {"final_session", "n_quotes", "quote"}
_RECORDS: Final = {
    "order": ("orders", "n_orders", "decided"),
    "trade": ("trades", "n_trades", "session"),
    "position": ("held", "n_held", "session"),
    "share_change": ("actions", "n_actions", "session"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """What a walk has written by the close of a session, copied: a walk goes on in the same arrays."""

    session: int
    first: int
    book: AnyArray
    orders: AnyArray
    trades: AnyArray
    held: AnyArray
    actions: AnyArray
    positions: AnyArray
    waiting: AnyArray
    active: IntArray
    sold_on: IntArray
    days: AnyArray
    claims: AnyArray

    @classmethod
    def of(cls, state: State, session: int) -> Book:
        """The book in a state that has walked up to the close of a session."""
        book = state.book[0]
        first = int(book.first_session)
        claims = state.claims[: book.n_claims].copy()
        claims["due"] = np.minimum(claims["due"], session + 1)  # when exactly is not known yet
        return cls(
            session=session,
            first=first,
            book=state.book.copy(),
            orders=state.orders[: book.n_orders].copy(),
            trades=state.trades[: book.n_trades].copy(),
            held=state.held[: book.n_held].copy(),
            actions=state.actions[: book.n_actions].copy(),
            positions=state.positions[: book.n_positions].copy(),
            waiting=state.waiting[: book.n_waiting].copy(),
            active=state.active[: book.n_active].copy(),
            sold_on=state.sold_on.copy(),
            days=state.days[: session + 1 - first].copy(),
            claims=claims,
        )


def book_differences(run: Book, replay: Book) -> Iterator[Mark]:
    """Every record up to the close, what was decided at it included."""
    for part, (name, _, day) in _RECORDS.items():
        yield from _records(part, getattr(run, name), getattr(replay, name), day, run.session)
    for part, name in (("position", "positions"), ("waiting", "waiting"), ("claim", "claims")):
        yield from _records(part, getattr(run, name), getattr(replay, name), None, run.session)
    if not np.array_equal(run.active, replay.active):
        yield Mark("order", 1, run.session, -1, f"live {len(run.active):,}", f"live {len(replay.active):,}")
    sold = np.flatnonzero(run.sold_on != replay.sold_on)
    if sold.size:
        column = int(sold[0])
        words = ["sold" if book.sold_on[column] >= 0 else "-" for book in (run, replay)]
        yield Mark("trade", len(sold), run.session, column, words[0], words[1])
    yield from _cash(run, replay)


def _records(part: str, run: AnyArray, replay: AnyArray, day: str | None, cut: int) -> Iterator[Mark]:
    """Records that are another, in order; one that is missing on either side counts as well."""
    names = [name for name in (run.dtype.names or ()) if name not in _NOT_COMPARED]
    common = min(len(run), len(replay))
    differs = np.zeros(max(len(run), len(replay)), dtype=np.bool_)
    differs[common:] = True
    for name in names:
        left, right = run[name][:common], replay[name][:common]
        differs[:common] |= ~((left == right) | (np.isnan(left) & np.isnan(right)))
    count = int(np.count_nonzero(differs))
    for number, row in enumerate(np.flatnonzero(differs)[:KEPT].tolist()):
        one: Any = run[row] if row < len(run) else None
        other: Any = replay[row] if row < len(replay) else None
        known = one if one is not None else other
        session = cut if day is None else int(known[day])
        yield Mark(
            part,
            count if number == 0 else 0,
            min(session, cut),
            int(known["symbol"]),
            _record_words(one, other, names),
            _record_words(other, one, names),
        )


def _record_words(record: Any, beside: Any, names: Sequence[str]) -> str:
    """A record by what is another beside it; "-" where there is none."""
    if record is None:
        return "-"
    differing = [name for name in names if beside is None or record[name] != beside[name]]
    said = [name for name in _SAID if name in differing] or ([] if beside is None else differing)
    words = [f"{name} {number_words(record[name])}" for name in said]
    return ", ".join([codes.SIDE_NAMES[int(record["side"])], *words] if "side" in names else words)


def _cash(run: Book, replay: Book) -> Iterator[Mark]:
    for name in ("cash", "holdings", "equity"):
        differs = run.days[name] != replay.days[name]
        if differs.any():
            row = int(np.argmax(differs))
            count = int(np.count_nonzero(differs))
            words = [f"{name} {int(book.days[name][row]):,}" for book in (run, replay)]
            yield Mark("cash", count, run.first + row, -1, words[0], words[1])
    for name in run.book.dtype.names or ():
        if name not in _NOT_COMPARED and run.book[name][0] != replay.book[name][0]:
            words = [f"{name} {number_words(book.book[name][0])}" for book in (run, replay)]
            yield Mark("cash", 1, run.session, -1, words[0], words[1])
