"""Days of trading with faults and kills, driven by a seed: the same seed gives the same day, to the last step.

The broker is the account of `fakes.exchange` behind `fakes.direct_broker`; the journal is the real one on SQLite. A kill
is an exception that nothing catches, thrown before or after any request and any transaction; then a new executor begins
with what the database holds, as a new process would.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from fakes.broker_faults import Target, Trouble, Troubles
from fakes.direct_broker import DirectBroker
from fakes.exchange import KST, Exchange, Listing, Order, Refused, Rules

from stocklab.brokers.values import OrderRef, PriceKind, Side
from stocklab.db import (
    BookEntryRow,
    BrokerAccountRow,
    Database,
    KillSwitchRow,
    OrderEventRow,
    OrderPartRow,
    OrderRow,
)
from stocklab.trading import OUTSIDE, Entry, EntryKind, OrderState
from stocklab.trading.executor import Executor, NoticeKind
from stocklab.trading.journal import EVERYTHING, Draft, Journal, Kept

SYMBOLS = ("005930", "000660", "035420")
OPENS = datetime(2026, 11, 20, 0, 0, 0, 250_000, tzinfo=UTC)  # 09:00 in Seoul
OWNER, ACCOUNT = "local", "account-1"
WON = Decimal(1)


class Killed(BaseException):
    """SIGKILL, as far as one process can tell."""


class CutJournal(Journal):
    """The journal with a place to be killed before and after each of its transactions."""

    cut: Callable[[str], None]

    def intend(self, drafts: Sequence[Draft], now: datetime, **more: Any) -> tuple[Kept, ...]:
        return self._around("intend", lambda: super(CutJournal, self).intend(drafts, now, **more))

    def adopt(self, *args: Any) -> Kept:
        return self._around("adopt", lambda: super(CutJournal, self).adopt(*args))

    def begin(self, *args: Any) -> Kept | None:
        return self._around("begin", lambda: super(CutJournal, self).begin(*args))

    def record(self, *args: Any, **more: Any) -> Kept:
        return self._around("record", lambda: super(CutJournal, self).record(*args, **more))

    def book(self, entries: Sequence[Entry], now: datetime, **more: Any) -> None:
        self._around("book", lambda: super(CutJournal, self).book(entries, now, **more))

    def _around(self, name: str, work: Callable[[], Any]) -> Any:
        self.cut(f"before {name}")
        found = work()
        self.cut(f"after {name}")
        return found


@dataclass(slots=True)
class Story:
    """What happened on a day, for the message of a failure."""

    seed: int
    steps: list[str] = field(default_factory=list)
    kills: int = 0
    faults: int = 0
    orders: int = 0

    def note(self, step: str) -> None:
        self.steps.append(step)


class Day:
    """One account's day. ``troubled`` False: nothing goes wrong and nobody is killed."""

    def __init__(self, database: Database, seed: int, *, troubled: bool = True) -> None:
        self.random = random.Random(seed)
        self.story = Story(seed)
        self.troubled = troubled
        self.database = database
        self.now = OPENS
        self.troubles = Troubles()
        rules = Rules(tick=lambda _listing, price, _day: price % 5 == 0)
        listings = [Listing(symbol, symbol, WON * 1000, WON * 1000) for symbol in SYMBOLS]
        self.exchange = Exchange(listings, clock=lambda: self.now, cash=WON * 1_000_000, rules=rules)
        self.exchange.place(SYMBOLS[0], buys=True, quantity=WON * 40, limit=None, by_hand=True)
        self.exchange.listeners.append(self._watch)
        self.broker = DirectBroker(self.exchange, self.troubles, cut=self._maybe_die)
        self.deadly = False
        self.killed_since: datetime | None = None
        self.faults: list[str] = []
        self._prepare()
        self.executor = self._start()

    # --- the run ---------------------------------------------------------------------------------------------------

    def run(self, steps: int = 30) -> Story:
        """The day, the evening and the next morning; then what must be true is checked."""
        self._quiet_turns(2)  # what was held before is booked as it is
        for _ in range(steps):
            self._act()
            self._turn()
            self.now += timedelta(seconds=self.random.choice((2, 5, 5, 9)))
        self._calm_down()
        self.exchange.end_day()
        self.now = OPENS + timedelta(days=1)
        self.exchange.is_open = True
        self._quiet_turns(3)
        self._check()
        return self.story

    def _calm_down(self) -> None:
        """Everything answers again, for long enough to settle whatever is in doubt."""
        self.troubles.clear()
        self.exchange.slow_cancels = False
        self.exchange.journal_delay = timedelta(0)
        self.exchange.confirm_cancels()
        self._lift()
        self._quiet_turns(22)  # more than a minute, more than any stale answer
        for one in self.executor.journal.orders(self.now.astimezone(KST).date()):
            if one.order.state is OrderState.AMBIGUOUS:  # a person looks it up
                placed = self._placed(one.order.ticket.client_order_id)
                self.executor.decide(
                    one.order.order_id, None if placed is None else OrderRef(placed.day, placed.number)
                )
        self._quiet_turns(3)

    def _quiet_turns(self, turns: int) -> None:
        for _ in range(turns):
            self.executor.turn()
            self.now += timedelta(seconds=6)

    def _turn(self) -> None:
        self.deadly = self.troubled and self.random.random() < 0.35
        try:
            for notice in self.executor.turn().notices:
                self.story.note(f"  {notice.kind}: {notice.text}")
                if notice.kind is NoticeKind.STOPPED:
                    self.faults.append(f"stopped: {notice.text}")
        except Killed as place:
            self.story.kills += 1
            self.story.note(f"  killed {place}")
            self.now += timedelta(seconds=self.random.choice((1, 4)))
            self.deadly = False
            self.executor = self._start()
        self.deadly = False

    def _act(self) -> None:
        """Something that happens between two turns."""
        plain = [self._wish, self._wish, self._market, self._market, self._wish_cancel]
        bad = [self._trouble] * 4 + [self._slow, self._stale, self._by_hand, self._money, self._switch]
        work = self.random.choice(plain + bad if self.troubled else plain)
        self.story.note(f"{self.now:%H:%M:%S} {work.__name__.strip('_')}")
        work()

    def _wish(self) -> None:
        """A strategy wants to trade."""
        symbol, sleeve = self.random.choice(SYMBOLS), self.random.choice(("a", "b"))
        if self._waiting(symbol):
            return
        held = self.executor.book.sleeves.get(sleeve)
        sells = held is not None and held.held(symbol) > 0 and self.random.random() < 0.5
        quantity = held.held(symbol) if sells and held is not None else Decimal(self.random.choice((2, 4, 6, 10)))
        price = self.exchange.listings[symbol].price + 5 * self.random.choice((-2, 0, 0, 1, 2))
        market = self.random.random() < 0.2
        draft = Draft(
            symbol=symbol,
            side=Side.SELL if sells else Side.BUY,
            kind=PriceKind.MARKET if market else PriceKind.LIMIT,
            quantity=quantity,
            limit_price_krw=None if market else price,
            parts={sleeve: quantity},
        )
        self.executor.journal.intend([draft], self.now)
        self.story.orders += 1

    def _waiting(self, symbol: str) -> bool:
        """A strategy does not wish again before its last wish is over."""
        return any(
            one.order.symbol == symbol and not one.order.state.final
            for one in self.executor.journal.orders(self.now.astimezone(KST).date())
        )

    def _wish_cancel(self) -> None:
        live = [
            one
            for one in self.executor.journal.orders(self.now.astimezone(KST).date())
            if one.order.state in (OrderState.INTENT, OrderState.OPEN)
        ]
        if live:
            self.executor.journal.want_cancel(self.random.choice(live).order.order_id)

    def _market(self) -> None:
        symbol = self.random.choice(SYMBOLS)
        price = max(WON * 500, self.exchange.listings[symbol].price + 5 * self.random.choice((-2, -1, 0, 1, 2)))
        self.exchange.trade(symbol, price, Decimal(self.random.choice((1, 3, 100))))
        if self.random.random() < 0.5:
            self.exchange.confirm_cancels()

    def _trouble(self) -> None:
        target = self.random.choice((Target.ORDER, Target.ORDER, Target.CANCEL, Target.JOURNAL, Target.BALANCE))
        trouble = self.random.choice(list(Trouble))
        self.troubles.plan(target, trouble, self.random.choice((1, 1, 2)))
        self.story.faults += 1

    def _slow(self) -> None:
        """Cancels wait for the exchange, or new orders appear late in lists."""
        self.exchange.slow_cancels = self.random.random() < 0.5
        self.exchange.journal_delay = timedelta(seconds=self.random.choice((0, 8, 30)))
        self.story.faults += 1

    def _stale(self) -> None:
        """The broker comes back with yesterday's state, for a while."""
        self.exchange.show_saved(self.now + timedelta(seconds=self.random.choice((10, 40, 100))))
        self.story.faults += 1

    def _by_hand(self) -> None:
        """The person trades in the broker's app; in numbers that no strategy uses."""
        symbol = self.random.choice(SYMBOLS)
        held = self.exchange.held.get(symbol, Decimal(0))
        try:
            if held > 20 and self.random.random() < 0.4:
                self.exchange.by_hand(symbol, buys=False, quantity=Decimal(3))
            else:
                self.exchange.by_hand(symbol, buys=True, quantity=Decimal(7))
        except Refused:
            self.story.note("  refused")

    def _money(self) -> None:
        self.exchange.deposit(Decimal(self.random.choice((-5_000, 1_234, 50_000))))

    def _switch(self) -> None:
        if self.killed_since is not None:
            self._lift()
            return
        with self.database.write() as session:
            row = session.get_one(KillSwitchRow, EVERYTHING)
            row.thrown, row.epoch = True, row.epoch + 1
        self.killed_since = self.now

    def _lift(self) -> None:
        with self.database.write() as session:
            session.get_one(KillSwitchRow, EVERYTHING).thrown = False
        self.killed_since = None

    # --- what it stands on -----------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        with self.database.write() as session:
            for table in (BookEntryRow, OrderEventRow, OrderPartRow, OrderRow):
                session.query(table).delete()
            session.merge(BrokerAccountRow(id=ACCOUNT, owner_id=OWNER, broker="kiwoom", mock=True, name="x"))
            session.merge(KillSwitchRow(scope=EVERYTHING, epoch=0, thrown=False, changed_at=self.now))
        journal = Journal(self.database, OWNER, ACCOUNT)
        journal.book([Entry(kind=EntryKind.CASH_ELSEWHERE, sleeve_id=OUTSIDE, cash_krw=WON * 1_000_000)], self.now)
        self.exchange.save()

    def _start(self) -> Executor:
        """A process begins."""
        journal = CutJournal(self.database, OWNER, ACCOUNT)
        journal.cut = self._maybe_die
        executor = Executor(self.broker, journal, clock=lambda: self.now, gate=lambda _kept: (), over=self._over)
        executor.recover()
        return executor

    def _over(self, now: datetime) -> date:
        return now.astimezone(KST).date() - timedelta(days=1)

    def _maybe_die(self, place: str) -> None:
        if self.deadly and self.random.random() < 0.06:
            raise Killed(place)

    def _watch(self, what: str, order: Order, _fill: object) -> None:
        """What must never reach the broker."""
        if what == "accepted" and not order.by_hand and self.killed_since is not None:
            self.faults.append(f"order {order.number} taken while the kill switch was thrown")

    def _placed(self, client_id: str) -> Order | None:
        return next((one for one in self.exchange.orders if one.client_id == client_id), None)

    # --- what must be true -----------------------------------------------------------------------------------------

    def _check(self) -> None:
        faults = list(self.faults)
        sent = self.broker.sent
        faults += [f"sent twice: {one}" for one in set(sent) if sent.count(one) > 1]
        kept = self._kept()
        for placed in self.exchange.orders:
            if placed.client_id is not None:
                faults += _wrong(kept.get(placed.client_id), placed)
        for client_id, row in kept.items():
            if not OrderState(row.state).final:
                faults.append(f"{client_id} is still {row.state}")
            if row.booked_quantity and self._placed(client_id) is None and row.origin != "by_hand":
                faults.append(f"{client_id} has fills and is not at the broker")
        book = self.executor.book
        if book.cash_krw != self.exchange.cash:
            faults.append(f"cash {book.cash_krw}, at the broker {self.exchange.cash}")
        held = {symbol: book.held(symbol) for symbol in book.symbols()}
        if held != self.exchange.held:
            faults.append(f"held {held}, at the broker {self.exchange.held}")
        again = Executor(
            self.broker,
            Journal(self.database, OWNER, ACCOUNT),
            clock=lambda: self.now,
            gate=lambda _: (),
            over=self._over,
        )
        if again.book != book:
            faults.append("the book of a new process differs")
        if not self.troubled:
            faults += [
                f"{client_id} ended {row.state} without being sent"
                for client_id, row in kept.items()
                if row.state in ("absent", "unsent", "refused")
            ]
        assert not faults, "\n".join([f"seed {self.story.seed}", *faults, *self.story.steps])

    def _kept(self) -> Mapping[str, OrderRow]:
        with self.database.read() as session:
            return {row.client_order_id: row for row in session.query(OrderRow).all()}


def _wrong(row: OrderRow | None, placed: Order) -> list[str]:
    if row is None or row.broker_number != placed.number:
        return [f"order {placed.number} is not known: {None if row is None else row.state}"]
    found = (row.booked_quantity, row.booked_krw, row.booked_costs_krw)
    if found != (placed.filled, placed.amount, placed.costs):
        return [f"order {placed.number}: booked {found}, filled {(placed.filled, placed.amount, placed.costs)}"]
    return []
