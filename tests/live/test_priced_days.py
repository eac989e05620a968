"""Simulated days in which orders are priced anew and guards fire, with faults and kills everywhere between."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))  # the module `direct_day`

from direct_day import ACCOUNT, OWNER, SYMBOLS, CutJournal, Day

from stocklab.brokers.values import PriceKind, Quote, QuoteSource, Side
from stocklab.db import Base, Database, GuardRow, OwnerRow, open_database
from stocklab.live.guard_watch import GuardWatch
from stocklab.live.guards import GuardState
from stocklab.trading.executor import Executor, Turn
from stocklab.trading.guarding import exit_draft, judge, sellable
from stocklab.trading.journal import Draft, Kept, Origin
from stocklab.trading.pricing import LastResort, RepricePolicy, Venue, policy_of
from stocklab.trading.repricing import Cancel, Replace, reprice, tries

DAYS = int(os.environ.get("STOCKLAB_TRADING_DAYS", "20"))
FIRST = int(os.environ.get("STOCKLAB_TRADING_SEED", "1"))
VENUE = Venue(market="ETF")  # the ticks of this exchange are 5 won, and 1 below 2,000 here: prices stay multiples of 5
D = Decimal


class CutMore(CutJournal):
    """Also cut where a cancel is asked for."""

    def want_cancel(self, order_id: str, **more: Any) -> bool:
        found: bool = self._around("want_cancel", lambda: super(CutMore, self).want_cancel(order_id, **more))
        return found


class PricedDay(Day):
    """A day whose turns also judge guards and prices, as an account's desk does."""

    def _start(self) -> Executor:
        journal = CutMore(self.database, OWNER, ACCOUNT)
        journal.cut = self._maybe_die
        day = self

        class Desk(Executor):
            def turn(self) -> Turn:
                day.guard(self)
                turn = super().turn()
                if turn.of_now:
                    day.price(self)
                return turn

        executor = Desk(self.broker, journal, clock=lambda: self.now, gate=lambda _kept: (), over=self._over)
        executor.recover()
        return executor

    def quote(self, symbol: str) -> Quote:
        return Quote(
            symbol=symbol, price_krw=self.exchange.listings[symbol].price, at=self.now, source=QuoteSource.SOCKET
        )

    def price(self, executor: Executor) -> None:
        for kept in list(executor.known.values()):
            policy = policy_of(kept.policy)
            if policy is None:
                continue
            done = reprice(kept, policy, self.quote(kept.order.symbol), self.now, venue=VENUE)
            if isinstance(done, Cancel):
                executor.journal.want_cancel(done.order_id, to_replace=True)
            elif isinstance(done, Replace):
                executor.journal.intend([done.draft], self.now)

    def guard(self, executor: Executor) -> None:
        watch = GuardWatch(self.database, OWNER, executor.journal)
        for guard in watch.due():
            sleeve = executor.book.sleeves.get(guard.sleeve_id)
            holding = None if sleeve is None else sleeve.holdings.get(guard.symbol)
            quote = self.quote(guard.symbol)
            verdict = judge(guard, holding, quote, self.now)
            if verdict.fired and holding is not None:
                orders = executor.journal.orders(self.now.date())
                free = sellable(guard.sleeve_id, guard.symbol, holding.quantity, orders)
                draft = exit_draft(verdict, free, quote, self.now, venue=VENUE)
                if draft is not None:
                    watch.fire(guard, draft, self.now)

    def _wish(self) -> None:
        holdings = [
            (sleeve, symbol)
            for sleeve in "ab"
            for symbol in SYMBOLS
            if sleeve in self.executor.book.sleeves and self.executor.book.sleeves[sleeve].held(symbol)
        ]
        if holdings and self.random.random() < 0.6:
            self._watch_over(*self.random.choice(holdings))
            return
        symbol, sleeve = self.random.choice(SYMBOLS), self.random.choice("ab")
        if self._waiting(symbol):
            return
        other = "b" if sleeve == "a" else "a"
        parts = {sleeve: D(self.random.choice((2, 4, 10))), other: D(self.random.choice((1, 5)))}
        policy = RepricePolicy(
            fraction=D(0), most=self.random.choice((1, 2, 4)), last_resort=self.random.choice(list(LastResort)),
            until=self.now + timedelta(seconds=self.random.choice((20, 60, 600))),
        )  # fmt: skip
        draft = Draft(
            symbol=symbol, side=Side.BUY, kind=PriceKind.LIMIT, quantity=sum(parts.values(), D(0)), parts=parts,
            limit_price_krw=self.exchange.listings[symbol].price - 5, plan_key=f"wish-{self.story.orders}",
            policy=policy.document(),
        )  # fmt: skip
        self.executor.journal.intend([draft], self.now)
        self.story.orders += 1

    def _watch_over(self, sleeve: str, symbol: str) -> None:
        with self.database.write() as session:
            session.add(
                GuardRow(
                    id=uuid.UUID(int=self.random.getrandbits(128)).hex, owner_id=OWNER, account_id=ACCOUNT,
                    sleeve_id=sleeve, symbol=symbol, kind="stop", source="person", state="active",
                    level_krw=self.exchange.listings[symbol].price, created_at=self.now,
                )
            )  # fmt: skip

    def _act(self) -> None:
        """Twice as many wishes as on other days."""
        if self.random.random() < 0.2:
            self._wish()
        super()._act()

    def _prepare(self) -> None:
        with self.database.write() as session:
            session.query(GuardRow).delete()
        super()._prepare()

    def _check(self) -> None:
        super()._check()
        plans: dict[str, list[Kept]] = {}
        journal = self.executor.journal
        keys = {row.plan_key for row in self._kept().values() if row.plan_key is not None}
        for kept in (one for key in sorted(keys) for one in journal.of_plan(key) if one.plan_key == key):
            plans.setdefault(tries(kept)[0], []).append(kept)
        faults = [fault for key, chain in plans.items() for fault in wrong_chain(key, chain)]
        with self.database.read() as session:
            guards = session.query(GuardRow).all()
        for row in guards:
            sent = journal.of_plan(f"guard:{row.id}")
            if (row.state == GuardState.FIRED.value) != (len(sent) == 1):
                faults.append(f"guard {row.id} is {row.state} and sent {len(sent)}")
        self.replaced = sum(len(chain) - 1 for chain in plans.values())
        self.fired = sum(key.startswith("guard:") for key in plans)
        assert not faults, "\n".join([f"seed {self.story.seed}", *faults, *self.story.steps])


def wrong_chain(key: str, chain: list[Kept]) -> list[str]:
    """What is wrong with an order and its replacements."""
    first = next(one for one in chain if tries(one)[1] == 1)
    wish = first.order.ticket.quantity or D(0)
    policy = policy_of(first.policy)
    filled = sum((one.order.booked_quantity for one in chain), D(0))
    sent = sum((one.order.ticket.quantity or D(0) for one in chain), D(0))
    unfilled = sum(((one.order.ticket.quantity or D(0)) - one.order.booked_quantity for one in chain), D(0))
    faults = []
    if filled > wish or sent - unfilled > wish:
        faults.append(f"{key}: {filled} filled of {wish}")
    if first.origin is Origin.STRATEGY and policy is not None and len(chain) - 1 > policy.most:
        faults.append(f"{key}: replaced {len(chain) - 1} times")
    for name, part in first.parts.items():
        if sum((one.booked.get(name, D(0)) for one in chain), D(0)) > part:
            faults.append(f"{key}: {name} got more than {part}")
    return faults


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    """One database in memory for all days."""
    found = open_database("sqlite://")
    Base.metadata.create_all(found.engine)
    with found.write() as session:
        session.merge(OwnerRow(id=OWNER, name=OWNER))
    yield found
    found.close()


def test_days_with_prices_and_guards(database: Database) -> None:
    replaced = fired = kills = 0
    for seed in range(FIRST, FIRST + DAYS):
        day = PricedDay(database, seed)
        kills += day.run().kills
        replaced, fired = replaced + day.replaced, fired + day.fired
    assert replaced >= DAYS / 2
    assert fired >= DAYS / 10
    assert kills >= DAYS / 2
