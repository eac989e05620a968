"""What must be true after a day: no order twice, none lost, each fill once, cash and holdings the broker's."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from fakes.exchange import Order
from simulated_process import ACCOUNT, OWNER

from stocklab.brokers.values import BrokerName
from stocklab.db import BookEntryRow, OrderEventRow, OrderRow
from stocklab.trading import Book, EntryKind, OrderState
from stocklab.trading.journal import Journal

if TYPE_CHECKING:
    from simulated_day import Day

ZERO = Decimal(0)
_TOLD = ("absent", "unsent", "rejected", "refused")
_GAP = timedelta(seconds=59)


def violations(day: Day) -> list[str]:
    """What is not as it must be; empty after a good day."""
    with day.database.read() as session:
        rows = {row.client_order_id: row for row in session.query(OrderRow).all()}
        entries = session.query(BookEntryRow).order_by(BookEntryRow.id).all()
        reasons = {row.order_id: row.details for row in session.query(OrderEventRow).order_by(OrderEventRow.id)}
    return [
        *day.world.wrong,
        *_sent(day),
        *_known(day, rows),
        *_ended(day, rows, reasons),
        *_booked(rows, entries),
        *_balances(day, rows, entries),
        *_paced(day),
    ]


def _sent(day: Day) -> Iterator[str]:
    for our_id, times in Counter(day.posted).items():
        if times > 1:
            yield f"{our_id} was sent {times} times"
    at_broker = Counter(one.client_id for one in day.exchange.orders if one.client_id is not None)
    for our_id, times in at_broker.items():
        if times > 1:
            yield f"{our_id} stands {times} times at the broker"


def _known(day: Day, rows: dict[str, OrderRow]) -> Iterator[str]:
    """Every order that the broker took is known by its number, with what was filled."""
    by_ref = {(row.broker_day, row.broker_number): row for row in rows.values()}
    for placed in day.exchange.orders:
        ref = day.venue.ref(placed)
        row = by_ref.get((ref.day, ref.number))
        if placed.client_id is not None:
            ours = rows[placed.client_id]
            if row is not ours:
                yield f"order {ref.number} is not known as {placed.client_id}, which is {ours.state}"
                continue
        elif placed.day < day.venue.opens.date():
            continue
        elif row is None:
            # Where rows were hidden until its day was over, it is found in the balances alone.
            if placed.filled and not day.story.faults["state of yesterday"]:
                yield f"order {ref.number} by hand is not known"
            continue
        elif row.origin != "by_hand":
            yield f"order {ref.number} was placed by hand, and is taken for {row.client_order_id}"
        assert row is not None
        yield from _figures(day, row, placed)


def _figures(day: Day, row: OrderRow, placed: Order) -> Iterator[str]:
    """Quantities always exactly. Amounts and costs as far as the broker tells them: see docs/brokers.md."""
    if row.booked_quantity != placed.filled:
        yield f"order {placed.number}: {row.booked_quantity} booked, {placed.filled} filled"
    if row.booked_krw != placed.amount:
        yield f"order {placed.number}: {row.booked_krw} won booked, {placed.amount} traded"
    wrong_costs = {
        BrokerName.UPBIT: row.booked_costs_krw != placed.costs,
        BrokerName.KIS: row.booked_costs_krw != 0,
        BrokerName.KIWOOM: not 0 <= row.booked_costs_krw <= placed.costs,
    }
    if wrong_costs[day.venue.name]:
        yield f"order {placed.number}: costs of {row.booked_costs_krw} booked, {placed.costs} paid"


def _ended(day: Day, rows: dict[str, OrderRow], reasons: dict[str, object]) -> Iterator[str]:
    """Every decision ended, and where nothing came of it the journal says why."""
    for our_id, row in rows.items():
        state = OrderState(row.state)
        if not state.final:
            yield f"{our_id} is still {state}"
        if row.state in _TOLD and not reasons.get(row.id) and day.placed(our_id) is None:
            yield f"{our_id} ended {state} without a word"
        if row.origin == "by_hand":
            continue
        if row.booked_quantity and day.placed(our_id) is None:
            yield f"{our_id} has fills and is not at the broker"
        if not day.troubled and row.state in ("absent", "unsent", "unknown", "ambiguous"):
            yield f"{our_id} ended {state} on a day without faults"
        if not day.troubled and row.state == "withdrawn" and not row.cancel_wanted and row.created_at.day == 19:
            yield f"{our_id} was not sent on a day without faults"


def _booked(rows: dict[str, OrderRow], entries: list[BookEntryRow]) -> Iterator[str]:
    """The entries of an order are what was filled, each once."""
    sums: defaultdict[str, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO, ZERO])
    for entry in entries:
        if entry.order_id is not None:
            found = sums[entry.order_id]
            found[0] += abs(entry.quantity)
            found[1] += abs(entry.cash_krw) if entry.kind == EntryKind.BY_HAND else entry.amount_krw
            found[2] += entry.costs_krw
    for row in rows.values():
        quantity, amount, costs = sums.pop(row.id, [ZERO, ZERO, ZERO])
        by_hand = row.origin == "by_hand" and row.side == "sell"
        expected = row.booked_krw - row.booked_costs_krw if by_hand else row.booked_krw
        if quantity != row.booked_quantity or (not by_hand and (amount, costs) != (expected, row.booked_costs_krw)):
            found_here = (quantity, amount, costs)
            booked = (row.booked_quantity, row.booked_krw, row.booked_costs_krw)
            yield f"{row.client_order_id}: entries of {found_here}, booked {booked}"
    if sums:
        yield f"entries of orders that are not there: {sorted(sums)}"


def _balances(day: Day, rows: dict[str, OrderRow], entries: list[BookEntryRow]) -> Iterator[str]:
    """The book is the broker's account, in this process and in a new one; holdings came by orders alone."""
    book = day.executor.book
    if book.cash_krw != day.exchange.cash:
        yield f"cash {book.cash_krw}, at the broker {day.exchange.cash}"
    held = {symbol: book.held(symbol) for symbol in book.symbols()}
    if held != day.exchange.held:
        yield f"held {held}, at the broker {day.exchange.held}"
    if Book().apply(Journal(day.database, OWNER, ACCOUNT).entries()) != book:
        yield "the book of a new process differs"
    unexplained: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for entry in entries:
        if entry.kind == EntryKind.UNEXPLAINED and entry.symbol is not None:
            unexplained[entry.symbol] += entry.quantity
    first = day.venue.goods[0]
    unexplained[first.symbol] -= first.sizes[-1] * 4
    known = {(row.broker_day, row.broker_number) for row in rows.values()}
    for placed in day.exchange.orders:
        ref = day.venue.ref(placed)
        if placed.by_hand and placed.day >= day.venue.opens.date() and (ref.day, ref.number) not in known:
            unexplained[placed.symbol] -= placed.filled if placed.buys else -placed.filled
    if any(unexplained.values()):
        yield f"holdings that no order explains: { {one: str(left) for one, left in unexplained.items() if left} }"


def _paced(day: Day) -> Iterator[str]:
    if day.venue.overruns:
        yield f"{day.venue.overruns} requests beyond the broker's limits"
    if any(later - earlier < _GAP for earlier, later in pairwise(day.tokens_asked)):
        yield f"tokens were asked for at {[f'{at:%H:%M:%S}' for at in day.tokens_asked]}"
