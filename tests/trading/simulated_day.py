"""Days of trading with faults and kills, driven by a seed: the same seed gives the same day, to the last step.

The broker is a fake that speaks its protocol, our side of it the real adapter, executor and journal (SQLite). A kill is
an exception that nothing catches, at any request and any transaction; then a new process begins with what the database
holds. Some days another process takes the lock while the first one still believes that it has it.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from fakes.broker_faults import Heard
from fakes.exchange import KST, Fill, Order
from simulated_brokers import Goods, make_venue
from simulated_process import ACCOUNT, OWNER, CutJournal, Killed, Line, Process, Sender, shorten
from simulated_truth import violations
from simulated_world import Story, World
from sqlalchemy import text

from stocklab.brokers.protocol import Broker
from stocklab.brokers.values import BrokerName, PriceKind, Side, Validity
from stocklab.db import Database
from stocklab.errors import JournalConflict
from stocklab.trading import OUTSIDE, Entry, EntryKind, OrderState
from stocklab.trading.executor import Executor, NoticeKind, Turn
from stocklab.trading.journal import Draft, Journal, Kept

STEPS = 18
ZERO = Decimal(0)
_UNSETTLED = {OrderState.SENDING, OrderState.UNKNOWN, OrderState.CANCELLING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """What is planted into each process, to see that a day finds it; ``journal`` also gets the number of the process."""

    executor: type[Executor] = Executor
    adapter: Callable[[Broker], None] = lambda _adapter: None
    journal: Callable[[Journal, int], None] = lambda _journal, _number: None


NO_BUG = Bug()


class Day:
    """One account's day. ``troubled`` False: nothing goes wrong and nobody is killed. ``direct``: see `shorten`."""

    def __init__(
        self,
        database: Database,
        name: BrokerName,
        seed: int,
        *,
        troubled: bool = True,
        direct: bool = False,
        bug: Bug = NO_BUG,
    ) -> None:
        self.random = Random(f"{name} {seed}")
        self.story = Story(name, seed)
        self.troubled = troubled
        self.database = database
        self.bug = bug
        self.started = 0
        self.direct = direct
        self.venue = make_venue(name, self.random)
        self.clock, self.exchange = self.venue.clock, self.venue.exchange
        self.world = World(self.venue, self.random, database, self.story)
        self.exchange.listeners.append(self._watch)
        self.numbers = itertools.count(1)
        self.decided: dict[str, int] = {}  # our id -> epoch
        self.posted: list[str] = []  # our ids, as requests for orders went out
        self.begun: set[str] = set()
        self.tokens_asked: list[datetime] = []
        self.acts = [self._wish] * 14 + [self.world.market] * 6 + [self._wish_cancel] * 3
        self.acts += self.world.faults() if troubled else [self.world.by_hand, self.world.money]
        self.deadly = 0.0
        self.faulty = troubled
        self._prepare()
        self.process, self.executor = self._start()
        self.older: tuple[Process, Executor] | None = None

    # --- the run ---------------------------------------------------------------------------------------------------

    def run(self) -> Story:
        """A session, the night, a part of the next session, until all is settled; then what must be true is checked."""
        night = self.random.randrange(STEPS // 2, STEPS)
        for _ in range(2):  # what was held before is booked as it is
            self._turn()
            self.clock.sleep(5)
        for step in range(STEPS):
            if step == night and not self.venue.coins:
                self._night()
            for _ in range(self.random.choice((1, 1, 2))):
                self._act()
            self._turn()
            for _ in range(self._hints()):
                self._turn()
            self.clock.sleep(self.random.choice((1, 3, 5, 9, 20)))
            self.world.wake()
        self._settle()
        self.story.faults.update(self.venue.weather.struck)
        found = violations(self)
        assert not found, "\n".join([f"broker {self.story.broker} seed {self.story.seed}", *found, *self.story.steps])
        return self.story

    def _settle(self) -> None:
        """Everything answers again, for as long as it takes; then the day ends."""
        self.world.calm()
        self.faulty = False
        self.story.note(f"{self.clock.now:%H:%M:%S} calm")
        self._quiet()
        for one in self._orders():
            if one.order.state is OrderState.AMBIGUOUS:  # a person looks it up
                placed = self.placed(one.order.ticket.client_order_id)
                self.executor.decide(one.order.order_id, None if placed is None else self.venue.ref(placed))
        if self.venue.coins:
            for one in self._orders():
                self.executor.journal.want_cancel(one.order.order_id)
        else:
            self._night(evening=True)
        self._quiet()

    def _quiet(self) -> None:
        """Turns without faults until nothing is in doubt, a minute at least."""
        since, good = self.clock.now, 0
        for turns in range(40):
            turn = self._turn()
            good = good + 1 if turn is not None and turn.of_now else 0
            unsettled = any(state in _UNSETTLED for _, state in self._states())
            if good >= 3 and not unsettled and self.clock.now - since > timedelta(seconds=70):
                return
            self.clock.sleep(6 if good > 3 and not unsettled else 25 if turns < 20 else 300)
        self.world.wrong.append(f"it does not come to rest: {self._states()}, {turn}")

    def _night(self, *, evening: bool = False) -> None:
        """The close, a look at it, and the next morning."""
        self.story.note(f"{self.clock.now:%H:%M:%S} night")
        self.exchange.end_day()
        self.clock.now = self.clock.now.replace(hour=15, minute=45)
        if evening or self.random.random() < 0.5:
            self._turn()
        self.clock.now = self.clock.now.replace(hour=9, minute=0) + timedelta(days=1)
        self.exchange.is_open = True

    def _turn(self) -> Turn | None:
        """A turn of the process, which may die in it; None where it did. One that lost its lock may take one too."""
        self.deadly = 0.025 if self.faulty and self.random.random() < 0.3 else 0.0
        if self.older is not None:
            self._older_turn(*self.older)
            self.older = None
        try:
            turn = self.executor.turn()
        except Killed as place:
            self._died(place)
            return None
        finally:
            self.deadly = 0.0
        for notice in turn.notices:
            self.story.note(f"  {notice.kind}: {notice.text}")
            if notice.kind is NoticeKind.STOPPED:
                self.world.wrong.append(f"stopped: {notice.text}")
        return turn

    def _older_turn(self, process: Process, executor: Executor) -> None:
        """What a process does that lost its lock and has not noticed: it ends where it finds that out.

        A second away from the other one, as each keeps to the broker's pace for itself alone.
        """
        with contextlib.suppress(JournalConflict, Killed):
            for _ in range(2):
                self.clock.sleep(1)
                executor.turn()
        process.alive = False
        self.clock.sleep(1)

    def _died(self, place: Killed) -> None:
        self.story.kills += 1
        self.story.note(f"  killed {place}")
        self.deadly = 0.0
        self.clock.sleep(self.random.choice((1, 4, 30)))
        self.process, self.executor = self._start()

    def _hints(self) -> int:
        """How many turns the socket's notices bring: none when they are lost, more than one when they come twice."""
        news, self.world.news = self.world.news, 0
        return self.random.choice((0, 0, 1, 2) if self.troubled else (0, 1)) if news else 0

    # --- what a strategy wants -------------------------------------------------------------------------------------

    def _act(self) -> None:
        """Something that happens between two turns."""
        work = self.random.choice(self.acts)
        self.story.note(f"{self.clock.now:%H:%M:%S} {work.__name__.strip('_')}")
        if work == self._wish_cancel and self.troubled and self.random.random() < 0.15:
            self._taken_over()
        work()

    def _taken_over(self) -> None:
        """Another process takes the lock; the first has not noticed yet."""
        self.story.note("  another process takes over")
        self.story.faults["taken over"] += 1
        self.clock.sleep(1)
        self.process.leads = False
        self.older = self.process, self.executor
        self.process, self.executor = self._start()

    def _wish(self) -> None:
        goods = self.random.choice(self.venue.goods)
        if self._waiting(goods.symbol):
            return
        draft = self._draft(goods)
        (kept,) = self.executor.journal.intend([draft], self.clock.now)
        self.decided[kept.order.ticket.client_order_id] = self.world.epoch
        self.story.orders += 1

    def _draft(self, goods: Goods) -> Draft:
        sleeves = self.random.choice((("a",), ("b",), ("a", "b")))
        held = {name: self.executor.book.sleeves[name].held(goods.symbol) for name in sleeves if self._has(name)}
        held = {name: quantity for name, quantity in held.items() if quantity}
        sells = bool(held) and self.random.random() < 0.5
        at_market = self.random.random() < 0.25
        parts = self._sold(goods, held) if sells else dict.fromkeys(sleeves, self.random.choice(goods.sizes))
        price = self.exchange.listings[goods.symbol].price
        price += goods.step(price) * self.random.choice((-2, 0, 0, 1, 2))
        price -= ZERO if self.venue.coins else price % goods.step(price)
        by_money = self.venue.coins and at_market and not sells
        if by_money:
            parts = {sleeves[0]: Decimal(1)}
        mock = getattr(self.venue.fake, "mock", False)
        return Draft(
            symbol=goods.symbol,
            side=Side.SELL if sells else Side.BUY,
            kind=PriceKind.MARKET if at_market else PriceKind.LIMIT,
            quantity=None if by_money else sum(parts.values(), ZERO),
            money_krw=Decimal(self.random.choice((5_000, 31_111, 150_000))) if by_money else None,
            limit_price_krw=None if at_market else price,
            validity=self.random.choice((Validity.DAY,) * 8 + (Validity.IOC, Validity.FOK))
            if not mock
            else Validity.DAY,
            parts=parts,
            reason="too much" if self.random.random() < 0.03 else "",
        )

    def _sold(self, goods: Goods, held: dict[str, Decimal]) -> dict[str, Decimal]:
        """All that is held, unless that is a size of the person."""
        total = sum(held.values(), ZERO)
        if total in goods.by_hand:
            name = max(held, key=lambda one: held[one])
            held = held | {name: held[name] - self.venue.units.quantity}
        return {name: quantity for name, quantity in held.items() if quantity}

    def _has(self, sleeve: str) -> bool:
        return sleeve in self.executor.book.sleeves

    def _waiting(self, symbol: str) -> bool:
        """A strategy does not wish again before its last wish is over."""
        return any(wanted == symbol and not OrderState(state).final for wanted, state in self._states())

    def _wish_cancel(self) -> None:
        live = [one for one in self._orders() if one.order.state in (OrderState.INTENT, OrderState.OPEN)]
        if live:
            self.executor.journal.want_cancel(self.random.choice(live).order.order_id)

    def _states(self) -> list[tuple[str, str]]:
        """(symbol, state) of every order of the day."""
        with self.database.engine.connect() as connection:
            return list(connection.exec_driver_sql("SELECT symbol, state FROM orders").all())

    def _orders(self) -> tuple[Kept, ...]:
        return Journal(self.database, OWNER, ACCOUNT).orders(self.clock.now.astimezone(KST).date())

    # --- what it stands on -----------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        with self.database.write() as session:
            for table in ("book_entries", "order_events", "order_parts", "orders", "kill_switches"):
                session.execute(text(f"DELETE FROM {table}"))
        opening = [Entry(kind=EntryKind.CASH_ELSEWHERE, sleeve_id=OUTSIDE, cash_krw=self.exchange.cash)]
        Journal(self.database, OWNER, ACCOUNT).book(opening, self.clock.now)
        self.before = self.exchange.cash
        first, today = self.venue.goods[0], self.clock.now
        self.clock.now = today - timedelta(days=2)
        self.exchange.place(first.symbol, buys=True, quantity=first.sizes[-1] * 4, limit=None, by_hand=True)
        self.exchange.end_day()
        self.exchange.is_open, self.clock.now = True, today
        self.exchange.save()
        if self.random.random() < 0.3:  # sold before the book knows of it
            self.exchange.by_hand(first.symbol, buys=False, quantity=first.by_hand[1])

    def _start(self) -> tuple[Process, Executor]:
        """A process begins; it may die while it finds its feet."""
        while True:
            process = Process(self._at)
            adapter = self.venue.adapter(line := Line(process, self.venue, self._seen))
            if self.direct:
                shorten(adapter, line)
            self.bug.adapter(adapter)
            self.started += 1
            journal = CutJournal(self.database, process, new_id=lambda: f"{next(self.numbers):032x}", begun=self._begun)
            self.bug.journal(journal, self.started)
            self.deadly = 0.01 if self.faulty else 0.0
            try:
                executor = self.bug.executor(
                    Sender(adapter, process),
                    journal,
                    clock=self.clock,
                    gate=lambda kept: ("too much",) if kept.reason else (),
                    over=_over,
                    units=self.venue.units,
                )
                executor.recover()
            except Killed:
                self.story.kills += 1
                self.clock.sleep(2)
                continue
            finally:
                self.deadly = 0.0
            return process, executor

    def _at(self, process: Process, place: str) -> None:
        """At a place where a process may be cut: it dies, or the world goes on meanwhile."""
        if process is not getattr(self, "process", process):
            return
        if self.deadly and self.random.random() < self.deadly:
            process.kill(place)
        if self.random.random() < 0.03:
            self.world.market()
        elif self.deadly and self.random.random() < 0.01:
            self.world.switch()

    def _seen(self, process: Process, heard: Heard) -> None:
        self.story.requests += 1
        if self.venue.is_order(heard):
            if process.sending is None:
                self.world.wrong.append("an order was asked for that nobody sends")
            self.posted.append(str(process.sending))
        elif self.venue.is_token(heard):
            self.tokens_asked.append(self.clock.now)

    def _begun(self, process: Process, kept: Kept) -> None:
        """An order was marked as being sent: only while no switch is thrown, in its epoch, by who holds the lock."""
        our_id = kept.order.ticket.client_order_id
        self.begun.add(our_id)
        if self.world.thrown or self.decided[our_id] != self.world.epoch:
            self.world.wrong.append(f"{our_id} goes out in spite of the kill switch")
        if not process.leads:
            self.world.wrong.append(f"{our_id} goes out from a process without the lock")

    def _watch(self, what: str, order: Order, _fill: Fill | None) -> None:
        """Orders that come in: where the broker keeps no id of ours, it is known from who sends."""
        if what != "accepted" or order.by_hand:
            return
        sending = getattr(self, "process", None) and self._sending()
        if order.client_id is None:
            order.client_id = sending
        if order.client_id is None or order.client_id != sending or order.client_id not in self.begun:
            self.world.wrong.append(f"order {order.number} was not meant to be sent ({order.client_id})")

    def _sending(self) -> str | None:
        senders = [self.process, *([self.older[0]] if self.older is not None else [])]
        return next((one.sending for one in senders if one.sending is not None), None)

    def placed(self, our_id: str) -> Order | None:
        """What an order of ours is at the broker."""
        return next((one for one in self.exchange.orders if one.client_id == our_id), None)


def _over(now: datetime) -> date:
    """The newest day whose orders cannot be filled any more."""
    seoul = now.astimezone(KST)
    return seoul.date() if seoul.hour >= 16 else seoul.date() - timedelta(days=1)
