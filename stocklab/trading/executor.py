"""One account's turn: look first, then act. Nothing is sent before the broker's journal was read and followed.

A turn may be cut at any instant: what it did so far is in the journal of orders, and the next one, perhaps of another
process, goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

import structlog

from stocklab.brokers.protocol import Broker
from stocklab.brokers.values import BrokerCash, BrokerHolding, BrokerOrder, OrderRef, Rejection, Side
from stocklab.data.sources.calls import KST
from stocklab.errors import (
    BrokerDenied,
    BrokerError,
    BrokerTemporary,
    OrderRejected,
    OrderStateError,
    OrderUnknown,
    OrderUnsent,
)
from stocklab.trading.book import OUTSIDE, Book, Entry, EntryKind
from stocklab.trading.conflicts import conflict
from stocklab.trading.journal import Journal, Kept, Origin
from stocklab.trading.netting import NetOrder
from stocklab.trading.order import Fill, advance, follow
from stocklab.trading.order_states import OrderEvent, OrderState
from stocklab.trading.reconcile import Difference, compare, may_be, resolve
from stocklab.trading.risk_gate import GateReason

__all__ = ["Executor", "Notice", "NoticeKind", "Turn", "Units"]

log = structlog.get_logger(__name__)
ZERO: Final = Decimal(0)
_LATE_ROWS: Final = timedelta(minutes=2)
_UNEXPLAINED: Final = Entry(kind=EntryKind.UNEXPLAINED, sleeve_id=OUTSIDE)
Gate = Callable[[Kept], Sequence[str]]


class NoticeKind(StrEnum):
    """What a person should hear of."""

    UNREACHABLE = "unreachable"
    DENIED = "denied"
    NOT_OF_NOW = "not_of_now"
    """The broker shows less than it showed before: nothing is sent until it does again."""
    UNKNOWN = "unknown"
    UNSENT = "unsent"
    AMBIGUOUS = "ambiguous"
    ABSENT = "absent"
    FOUND_LATE = "found_late"
    REJECTED = "rejected"
    REFUSED = "refused"
    BY_HAND = "by_hand"
    DIFFERENCE = "difference"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell; ``text`` is English, for logs and details."""

    kind: NoticeKind
    text: str
    order_id: str | None = None
    symbol: str | None = None


@dataclass(slots=True, kw_only=True)
class Turn:
    """What a turn came to. ``looked``: the journal was read and followed; ``of_now``: it is not older than ours."""

    looked: bool = False
    of_now: bool = False
    sent: int = 0
    notices: list[Notice] = field(default_factory=list)

    def tell(self, kind: NoticeKind, text: str, *, order_id: str | None = None, symbol: str | None = None) -> None:
        """Add a notice."""
        self.notices.append(Notice(kind=kind, text=text, order_id=order_id, symbol=symbol))


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """The smallest quantity and the smallest amount of money of an account."""

    quantity: Decimal = Decimal(1)
    krw: Decimal = Decimal(1)


class Executor:
    """Carries out the orders of one account.

    ``gate`` names what speaks against an order now; ``over`` the newest day in Seoul whose orders cannot be filled any
    more. ``stopped`` is set where only a person can say how to go on; nothing is sent then, and turns go on to look.
    """

    def __init__(
        self,
        broker: Broker,
        journal: Journal,
        *,
        clock: Callable[[], datetime],
        gate: Gate,
        over: Callable[[datetime], date],
        units: Units | None = None,
    ) -> None:
        self.broker = broker
        self.journal = journal
        self.book = Book().apply(journal.entries())
        self.stopped = ""
        self.cash: BrokerCash | None = None
        """The account's money as the broker said it last; None while it has not, or since something is in doubt."""
        self.holdings: Sequence[BrokerHolding] | None = None
        """What the broker holds, as said together with ``cash``."""
        self.known: Mapping[str, Kept] = {}
        """Orders by id as this turn knows them, for the gate."""
        self._clock = clock
        self._gate = gate
        self._over = over
        self._units = units or Units()
        self._suspected: tuple[Difference, ...] = ()
        self._passed: tuple[date, datetime] | None = None

    def recover(self) -> None:
        """Once, at the start: an order that a dead process was sending may be at the broker."""
        for kept in self.journal.orders(self._today()):
            if kept.order.state is OrderState.SENDING:
                self._record(kept, (OrderEvent.NO_ANSWER,), details={"why": "the process that sent it is gone"})

    def decide(self, order_id: str, ref: OrderRef | None) -> bool:
        """A person says which row of the broker's journal an ambiguous order is, or that there is none (None). False
        when the order is not ambiguous any more.
        """
        for kept in self.journal.orders(self._today()):
            if kept.order.order_id == order_id and kept.order.state is OrderState.AMBIGUOUS:
                event = OrderEvent.NOT_FOUND if ref is None else OrderEvent.FOUND
                after = replace(kept, order=replace(advance(kept.order, event), ref=ref))
                self.journal.record(kept, after, (event,), details={"why": "a person said so"}, now=self._clock())
                return True
        return False

    def turn(self) -> Turn:
        """Look, and act on what was seen.

        Raises
        ------
        JournalConflict
            Another process writes this account's journal: this one must end.
        """
        turn = Turn()
        try:
            state = self._look(turn)
        except BrokerTemporary as error:
            turn.tell(NoticeKind.UNREACHABLE, str(error))
            return turn
        except BrokerDenied as error:
            turn.tell(NoticeKind.DENIED, str(error))
            return turn
        except OrderStateError as error:
            self._stop(turn, str(error))
            return turn
        turn.looked = True
        self._cancel(turn, state)
        if turn.of_now and not self.stopped:
            self._send(turn, state)
        return turn

    # --- looking ---------------------------------------------------------------------------------------------------

    def _look(self, turn: Turn) -> _State:
        today, lately = self._today(), self._lately()
        kept = self.journal.orders(today)
        live = {_day_of(one) for one in kept if not one.order.state.final}
        days = sorted({today, *lately} | {day for day in live if day is not None})
        if days != [today]:
            # All orders of those days, also the ended: a row that is none of them was placed by hand.
            kept = self.journal.orders(*days)
        state = _State(kept={one.order.order_id: one for one in kept}, rows={})
        self.known = state.kept
        for day in days:
            for row in self.broker.day_orders(day):
                state.rows[row.ref] = row
        turn.of_now = self._follow_known(turn, state)
        if turn.of_now and lately and self._passed is None:
            self._passed = lately[0], self._clock()
        self._resolve_doubts(turn, state)
        self._adopt(turn, state)
        if turn.of_now:
            self._end_days(state)
            self._compare(turn, state)
        return state

    def _lately(self) -> tuple[date, ...]:
        """The last day that is over, for as long as rows of it may still turn up: what a person did after its last
        reading would else show in the balances alone."""
        now = self._clock()
        last = self._over(now)
        if self._passed is not None and self._passed[0] != last:
            self._passed = None
        late = self._passed is None or now - self._passed[1] < _LATE_ROWS
        return (last,) if late and last < self._today() else ()

    def _follow_known(self, turn: Turn, state: _State) -> bool:
        """Follow every order that the broker named; False when the journal shows less than it once did."""
        of_now = True
        for order_id in list(state.kept):
            one = state.kept[order_id]
            if one.order.ref is None:
                continue
            row = state.rows.get(one.order.ref)
            if row is None or not self._follow(state, one, row):
                of_now = False
                turn.tell(NoticeKind.NOT_OF_NOW, "the broker's journal is older than ours", order_id=order_id)
        return of_now

    def _follow(self, state: _State, one: Kept, row: BrokerOrder) -> bool:
        """Keep what a row brought; False when it is older than what is booked."""
        progress = follow(one.order, row)
        if progress.stale:
            return False
        # Journals of earlier days may tell amounts less exactly than they did on their day.
        told = (
            one.order.state.final and row.ref.day < self._today() and row.filled_quantity == one.order.booked_quantity
        )
        if told or progress.order == one.order:
            return True
        after = replace(one, order=progress.order)
        entries: tuple[Entry, ...] = ()
        if progress.fill is not None:
            after, entries = self._booked(state, after, progress.fill)
        state.put(
            self.journal.record(one, after, progress.events, entries=entries, details=_seen(row), now=self._clock())
        )
        self.book = self.book.apply(entries)
        return True

    def _booked(self, state: _State, kept: Kept, fill: Fill) -> tuple[Kept, tuple[Entry, ...]]:
        """Whose a fill is."""
        units = self._units
        if kept.origin is Origin.BY_HAND and fill.side is Side.SELL and fill.quantity:
            return kept, self._sold_by_hand(state, fill)
        if not fill.quantity:
            shares = {name: quantity for name, quantity in kept.parts.items() if quantity}
        elif kept.order.ticket.quantity is None:
            (name,) = kept.parts
            shares = {name: fill.quantity}
        else:
            order = NetOrder(side=fill.side, quantity=kept.order.ticket.quantity, parts=kept.parts)
            shares = order.divide(fill.quantity, kept.booked, units.quantity)
        booked = dict(kept.booked)
        if fill.quantity:
            for name, share in shares.items():
                booked[name] = booked.get(name, ZERO) + share
        entries = self.book.of_fill(fill, shares, units.krw)
        return replace(kept, booked=booked), (*self._was_there(entries), *entries)

    def _was_there(self, entries: Sequence[Entry]) -> tuple[Entry, ...]:
        """What sales were filled with beyond what a sleeve holds: the balances told of a sale by hand before its row
        did, and it was booked as both. What is too much then shows as a difference, and goes."""
        found = []
        for one in entries:
            sleeve = self.book.sleeves.get(one.sleeve_id)
            held = ZERO if sleeve is None or one.symbol is None else sleeve.held(one.symbol)
            if held + one.quantity < 0:
                missing = -one.quantity - held
                found.append(replace(_UNEXPLAINED, sleeve_id=one.sleeve_id, symbol=one.symbol, quantity=missing))
        return tuple(found)

    def _sold_by_hand(self, state: _State, fill: Fill) -> tuple[Entry, ...]:
        """What the broker sold was there, whether the book knew of it or not."""
        missing, book = fill.quantity - self.book.held(fill.symbol), self.book
        found: tuple[Entry, ...] = ()
        if missing > 0:
            found = (replace(_UNEXPLAINED, symbol=fill.symbol, quantity=missing),)
            book = book.apply(found)
        cash = fill.amount_krw - fill.costs_krw
        bound = state.bound(fill.symbol)
        gone = book.of_gone(EntryKind.BY_HAND, fill.symbol, fill.quantity, cash, self._units.quantity, bound=bound)
        return found + tuple(replace(one, order_id=fill.order_id, fill_number=fill.number) for one in gone)

    def _resolve_doubts(self, turn: Turn, state: _State) -> None:
        for order_id in list(state.kept):
            one = state.kept[order_id]
            doubtful = one.order.state in (OrderState.UNKNOWN, OrderState.AMBIGUOUS, OrderState.ABSENT)
            if not doubtful or one.order.sent_at is None:
                continue
            day = one.order.sent_at.astimezone(KST).date()
            candidates = self._candidates(state, one, day)
            if self.broker.traits.knows_client_ids and not candidates and not turn.of_now:
                continue  # a server that does not show what it showed before does not show this one likewise
            found = resolve(
                one.order,
                candidates,
                taken=state.taken(but=order_id),
                proof={*one.order.known_numbers, *state.numbers(day)},
                misses=one.misses,
                now=self._clock(),
                traits=self.broker.traits,
            )
            if found.event is None:
                if found.misses != one.misses:
                    state.put(self.journal.record(one, replace(one, misses=found.misses), (), now=self._clock()))
                continue
            after = replace(one, order=advance(one.order, found.event), misses=found.misses)
            if found.row is not None:
                after = replace(after, order=replace(after.order, ref=found.row.ref))
            state.put(self.journal.record(one, after, (found.event,), details={"why": found.reason}, now=self._clock()))
            self._tell_resolution(turn, one, found.event, found.reason)
            if found.row is not None:
                self._follow(state, state.kept[order_id], found.row)

    def _candidates(self, state: _State, one: Kept, day: date) -> list[BrokerOrder]:
        """The rows of a day; where the broker knows our ids, it is asked for the one."""
        if not self.broker.traits.knows_client_ids:
            return [row for row in state.rows.values() if row.ref.day == day]
        found = self.broker.find(one.order.ticket.client_order_id)
        return [] if found is None else [found]

    def _tell_resolution(self, turn: Turn, one: Kept, event: OrderEvent, reason: str) -> None:
        kinds = {
            OrderEvent.CANNOT_TELL: NoticeKind.AMBIGUOUS,
            OrderEvent.NOT_FOUND: NoticeKind.ABSENT,
        }
        kind = kinds.get(event)
        if event is OrderEvent.FOUND and one.order.state is OrderState.ABSENT:
            kind = NoticeKind.FOUND_LATE
        if kind is not None:
            turn.tell(kind, reason, order_id=one.order.order_id, symbol=one.order.symbol)

    def _adopt(self, turn: Turn, state: _State) -> None:
        """Orders that are nobody's of ours were placed by hand; not while one in doubt may be them."""
        taken = set(state.taken())
        doubtful = [one.order for one in state.kept.values() if one.order.state.in_doubt]
        for row in list(state.rows.values()):
            if row.ref in taken or (row.state.final and not row.filled_quantity):
                continue
            if any(order.sent_at is not None and may_be(order, row, order.sent_at) for order in doubtful):
                continue
            if row.client_order_id is not None and any(
                order.ticket.client_order_id == row.client_order_id for order in doubtful
            ):
                continue
            parts = {OUTSIDE: row.quantity if row.quantity is not None else Decimal(1)}
            adopted = self.journal.adopt(row, parts, self._clock())
            state.put(adopted)
            turn.tell(NoticeKind.BY_HAND, f"{row.side} by hand", order_id=adopted.order.order_id, symbol=row.symbol)
            self._follow(state, adopted, row)

    def _end_days(self, state: _State) -> None:
        """Day orders die at the close, and the journal of that day was just read."""
        if not self.broker.traits.day_ends:
            return
        over = self._over(self._clock())
        for one in list(state.kept.values()):
            if one.order.state.at_broker and one.order.ref is not None and one.order.ref.day <= over:
                state.put(self._record(one, (OrderEvent.DAY_OVER,)))

    def _compare(self, turn: Turn, state: _State) -> None:
        """Book what the broker has beyond the book, once two turns in a row saw the same and nothing moved between."""
        if any(one.order.state.in_doubt for one in state.kept.values()):
            self._suspected = ()
            self.cash = self.holdings = None
            return
        self.holdings, self.cash = self.broker.holdings(), self.broker.cash()
        found = compare(self.book, self.holdings, self.cash)
        if not found or found != self._suspected or self._moved(state):
            self._suspected = found
            return
        self._suspected = ()
        for one in found:
            entries = self._explained(state, one)
            self.journal.book(entries, self._clock())
            self.book = self.book.apply(entries)
            turn.tell(NoticeKind.DIFFERENCE, f"{one.booked} booked, {one.at_broker} there", symbol=one.symbol)

    def _moved(self, state: _State) -> bool:
        """Whether the journal of today changed while the balances were read."""
        today = self._today()
        again = {row.ref: row for row in self.broker.day_orders(today)}
        return again != {ref: row for ref, row in state.rows.items() if ref in again or ref.day == today}

    def _explained(self, state: _State, one: Difference) -> tuple[Entry, ...]:
        if one.symbol is None:
            return (Entry(kind=EntryKind.CASH_ELSEWHERE, sleeve_id=OUTSIDE, cash_krw=one.more),)
        if one.more > 0:
            return (Entry(kind=EntryKind.UNEXPLAINED, sleeve_id=OUTSIDE, symbol=one.symbol, quantity=one.more),)
        bound = state.bound(one.symbol)
        return self.book.of_gone(EntryKind.UNEXPLAINED, one.symbol, -one.more, ZERO, self._units.quantity, bound=bound)

    # --- acting ----------------------------------------------------------------------------------------------------

    def _cancel(self, turn: Turn, state: _State) -> None:
        """Ask for what is to be cancelled; asking again is harmless, so it goes on until the journal shows the end."""
        switches: dict[tuple[str, ...], tuple[int, bool]] = {}
        for one in list(state.kept.values()):
            if one.order.state.final:
                continue
            sleeves = tuple(sorted(one.parts))
            if sleeves not in switches:
                switches[sleeves] = self.journal.switch(sleeves)
            epoch, thrown = switches[sleeves]
            wanted = one.cancel_wanted or (thrown and one.origin not in (Origin.BY_HAND, Origin.KILL_SWITCH))
            if one.order.state is OrderState.INTENT:
                # What was decided before the switch was thrown is not sent after it, also when it is lifted again.
                why = self._withdrawn(one, epoch=epoch, wanted=wanted)
                if why:
                    state.put(self._record(one, (OrderEvent.WITHDRAWN,), details={"why": why}))
            elif not wanted and one.order.state is not OrderState.CANCELLING:
                continue  # a cancel once asked for is asked for until it is confirmed, also when the switch is lifted
            elif one.order.state.at_broker and one.order.ref is not None:
                asked = self._record(one, (OrderEvent.CANCEL_ASKED,))
                state.put(asked)
                self._ask_to_cancel(turn, state, asked, one.order.ref)

    def _withdrawn(self, one: Kept, *, epoch: int, wanted: bool) -> str:
        """Why an order that was not sent will not be; empty while it may. A decision is for its session."""
        if wanted:
            return "not wanted any more"
        if one.epoch != epoch:
            return "the kill switch"
        if one.too_late(self._clock()):
            return "its time was over before it could be sent"
        if one.waits(self._clock()):
            return ""
        since = one.created_at if one.not_before is None else max(one.created_at, one.not_before)
        if self.broker.traits.day_ends:
            old = since.astimezone(KST).date() < self._today()
        else:
            old = self._clock() - since > timedelta(days=1)
        return "the day it was decided on is over" if old else ""

    def _ask_to_cancel(self, turn: Turn, state: _State, asked: Kept, ref: OrderRef) -> None:
        try:
            self.broker.cancel(ref, symbol=asked.order.symbol, side=asked.order.side)
        except OrderRejected as error:
            # Nothing left to cancel: the journal will say whether it was filled or cancelled.
            if error.reason != Rejection.FINISHED:
                state.put(self._record(asked, (OrderEvent.CANCEL_FAILED,), details={"why": str(error)}))
        except BrokerError as error:
            turn.tell(NoticeKind.UNREACHABLE, str(error), order_id=asked.order.order_id)

    def _send(self, turn: Turn, state: _State) -> None:
        for order_id in list(state.kept):
            one = state.kept[order_id]
            if one.order.state is not OrderState.INTENT or one.waits(self._clock()):
                continue
            others = [other.order for other in state.kept.values() if other.order.symbol == one.order.symbol]
            if conflict(one.order.side, others) is not None:
                continue
            reasons = [*self._not_held(one), *self._gate(one)]
            if reasons:
                state.put(self._record(one, (OrderEvent.GATE_REFUSED,), details={"reasons": list(reasons)}))
                turn.tell(NoticeKind.REFUSED, ", ".join(reasons), order_id=order_id, symbol=one.order.symbol)
                continue
            sending = self.journal.begin(one, state.numbers(self._today()), self._clock())
            if sending is None:
                continue  # a switch was thrown, or the lock lost, since this turn began: the next one knows
            state.put(self._answered(turn, sending))
            turn.sent += 1

    def _not_held(self, one: Kept) -> tuple[str, ...]:
        """A sleeve never sells what another one holds, whatever became of its own since it decided."""
        if one.order.side is Side.BUY:
            return ()
        sleeves, symbol = self.book.sleeves, one.order.symbol
        short = any(name not in sleeves or sleeves[name].held(symbol) < part for name, part in one.parts.items())
        return (GateReason.NOT_HELD.value,) if short else ()

    def _answered(self, turn: Turn, sending: Kept) -> Kept:
        """Send, and keep the answer, whatever it is."""
        order_id = sending.order.order_id
        event, details = OrderEvent.NO_ANSWER, {"why": "the program failed"}
        after = sending
        try:
            receipt = self.broker.send(sending.order.ticket)
        except OrderRejected as error:
            event, details = OrderEvent.REJECTED, {"why": str(error), "reason": str(error.reason)}
            turn.tell(NoticeKind.REJECTED, str(error), order_id=order_id, symbol=sending.order.symbol)
        except OrderUnsent as error:
            event, details = OrderEvent.NEVER_LEFT, {"why": str(error)}
            turn.tell(NoticeKind.UNSENT, str(error), order_id=order_id, symbol=sending.order.symbol)
        except (OrderUnknown, BrokerError) as error:
            details = {"why": str(error)}
            turn.tell(NoticeKind.UNKNOWN, str(error), order_id=order_id, symbol=sending.order.symbol)
        else:
            event, details = OrderEvent.ACCEPTED, {"number": receipt.ref.number}
            after = replace(sending, order=replace(sending.order, ref=receipt.ref))
        finally:
            # Also when something else broke: what is not known to be refused may be at the broker.
            after = replace(after, order=advance(after.order, event))
            kept = self.journal.record(sending, after, (event,), details=details, now=self._clock())
        log.info("order_sent", order_id=order_id, event_name=event.value, side=sending.order.side.value)
        return kept

    def _record(self, one: Kept, events: Sequence[OrderEvent], *, details: dict[str, object] | None = None) -> Kept:
        after = one
        for event in events:
            after = replace(after, order=advance(after.order, event))
        return self.journal.record(one, after, events, details=details, now=self._clock())

    def _stop(self, turn: Turn, reason: str) -> None:
        self.stopped = reason
        turn.tell(NoticeKind.STOPPED, reason)

    def _today(self) -> date:
        return self._clock().astimezone(KST).date()


@dataclass(slots=True, kw_only=True)
class _State:
    """What this turn knows: our orders by id, in the order in which they were written, and the broker's rows."""

    kept: dict[str, Kept]
    rows: dict[OrderRef, BrokerOrder]

    def put(self, one: Kept) -> None:
        self.kept[one.order.order_id] = one

    def taken(self, *, but: str = "") -> list[OrderRef]:
        """How the broker names our orders, other than one."""
        return [one.order.ref for order_id, one in self.kept.items() if order_id != but and one.order.ref is not None]

    def bound(self, symbol: str) -> dict[str, Decimal]:
        """What open sales of ours still need, by sleeve."""
        found: dict[str, Decimal] = {}
        for one in self.kept.values():
            order = one.order
            ours = one.origin is not Origin.BY_HAND and not order.state.final
            if ours and (order.symbol, order.side) == (symbol, Side.SELL):
                for name, part in one.parts.items():
                    found[name] = found.get(name, ZERO) + part - one.booked.get(name, ZERO)
        return found

    def numbers(self, day: date) -> set[str]:
        """Numbers of a day that are known to be given out: those we hold, and those that were shown."""
        held = {ref.number for ref in self.taken() if ref.day == day}
        return held | {ref.number for ref in self.rows if ref.day == day}


def _day_of(one: Kept) -> date | None:
    """The day in whose journal an order stands, or would stand."""
    if one.order.ref is not None:
        return one.order.ref.day
    return None if one.order.sent_at is None else one.order.sent_at.astimezone(KST).date()


def _seen(row: BrokerOrder) -> dict[str, object]:
    return {"filled": str(row.filled_quantity), "krw": str(row.filled_krw), "state": row.state.value}
