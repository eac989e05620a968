"""What happens around a process: the market, the person, the broker's bad days, the kill switch. By a seed alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from random import Random

from fakes.broker_faults import Target, Trouble
from fakes.exchange import Fill, Order, Refused
from simulated_brokers import Goods, Venue
from simulated_process import ACCOUNT

from stocklab.db import Database, KillSwitchRow
from stocklab.trading.journal import EVERYTHING

ZERO = Decimal(0)
_TARGETS = (Target.ORDER, Target.ORDER, Target.ORDER, Target.CANCEL, Target.JOURNAL, Target.BALANCE, Target.TOKEN)


@dataclass(slots=True)
class Story:
    """What happened on a day, for its sums and for the message of a failure."""

    broker: str
    seed: int
    steps: list[str] = field(default_factory=list)
    kills: int = 0
    orders: int = 0
    fills: int = 0
    requests: int = 0
    faults: Counter[str] = field(default_factory=Counter)

    def note(self, step: str) -> None:
        self.steps.append(step)


class World:
    """Everything but our own program. ``news`` counts what a socket would tell; ``wrong`` is what must never be."""

    def __init__(self, venue: Venue, random: Random, database: Database, story: Story) -> None:
        self.venue = venue
        self.exchange = venue.exchange
        self.random = random
        self.database = database
        self.story = story
        self.wrong: list[str] = []
        self.news = 0
        self.thrown: set[str] = set()
        self.epoch = 0
        self.deposits = ZERO
        self.opens_again = venue.clock.now
        self.exchange.listeners.append(self._tell)

    def faults(self) -> list[Callable[[], None]]:
        """What may go wrong, as often as it is in the list."""
        usual = [self.trouble] * 6 + [self.slow] * 2 + [self.stale] * 2 + [self.by_hand] * 3
        rare = [self.cancelled_by_hand, self.money, self.switch, self.switch, self.maintenance, self.restart]
        return usual + rare + [self.tokens, self.halt, self.refused_later, self.late_trades]

    # --- the market ------------------------------------------------------------------------------------------------

    def market(self) -> None:
        """A price moves, and somebody trades there."""
        goods = self.random.choice(self.venue.goods)
        before = self.exchange.listings[goods.symbol].price
        price = before + goods.step(before) * self.random.choice((-2, -1, -1, 0, 1, 1, 2))
        # Not far from where it began: there a won of tick is what it was.
        price = min(max(price, goods.price * 8 // 10), goods.price * 12 // 10)
        step = goods.step(price)
        price -= price % step if not self.venue.coins else ZERO
        size = self.random.choice((goods.sizes[0] / 2, goods.sizes[0], goods.sizes[-1] * 10))
        size = size.quantize(self.venue.units.quantity, "ROUND_UP")
        self.exchange.trade(goods.symbol, price, size)
        if self.random.random() < 0.5:
            self.exchange.confirm_cancels()

    def halt(self) -> None:
        """The market closes for a while, or the exchange is offline."""
        self.exchange.is_open = False
        self.opens_again = self.venue.clock.now + timedelta(seconds=self.random.choice((5, 20)))
        self._fault("market closed")

    def wake(self) -> None:
        """Open again when it is time."""
        if not self.exchange.is_open and self.venue.clock.now >= self.opens_again:
            self.exchange.is_open = True

    # --- the broker ------------------------------------------------------------------------------------------------

    def trouble(self) -> None:
        target, trouble = self.random.choice(_TARGETS), self.random.choice(list(Trouble))
        self.venue.weather.plan(target, trouble, self.random.choice((1, 1, 1, 2, 4)))
        self.story.note(f"  {trouble} for {target}")

    def slow(self) -> None:
        """Cancels wait for the exchange, or new orders appear late in lists."""
        self.exchange.slow_cancels = self.random.random() < 0.5
        self.exchange.journal_delay = timedelta(seconds=self.random.choice((0, 8, 30)))
        self._fault("slow cancels or late rows")

    def stale(self) -> None:
        """The broker comes back with yesterday's state, or that of an hour ago, for a while."""
        if self.random.random() < 0.3:
            self.exchange.save()
            return
        self.exchange.show_saved(self.venue.clock.now + timedelta(seconds=self.random.choice((10, 40, 100))))
        self._fault("state of yesterday")

    def maintenance(self) -> None:
        """Nothing is answered for a while."""
        self.venue.weather.bad_until = self.venue.clock.now + timedelta(seconds=self.random.choice((5, 20, 60)))

    def restart(self) -> None:
        """The broker's servers start again: tokens may be gone, the state may be of yesterday."""
        self.maintenance()
        if self.random.random() < 0.5:
            self.tokens()
        if self.random.random() < 0.5:
            self.stale()

    def tokens(self) -> None:
        self.venue.kill_tokens()
        self._fault("tokens end")

    def refused_later(self) -> None:
        """The exchange refuses what the broker had taken."""
        found = [one for one in self._resting() if not one.filled and not one.cancel_asked]
        if found and not self.venue.coins:
            self.exchange.refuse_later(self.random.choice(found).number)
            self._fault("refused later")

    def late_trades(self) -> None:
        """Upbit counts a fill whose trade is not listed yet."""
        if self.venue.coins:
            self.venue.fake.late_trades = self.random.choice((1, 3, 6))
            self._fault("trades listed late")

    # --- the person ------------------------------------------------------------------------------------------------

    def by_hand(self) -> None:
        """The person trades in the broker's app; in sizes that no strategy uses."""
        goods = self.random.choice(self.venue.goods)
        bought, sold = goods.by_hand
        sells = self.exchange.held.get(goods.symbol, ZERO) > sold and self.random.random() < 0.5
        resting = self.random.random() < 0.3
        price = self.exchange.listings[goods.symbol].price - goods.step(goods.price) * self.random.choice((0, 1, 2))
        price -= ZERO if self.venue.coins else price % goods.step(price)
        money = Decimal(7_777) if self.venue.coins and not sells and not resting else None
        try:
            self.exchange.place(
                goods.symbol,
                buys=not sells,
                quantity=None if money is not None else sold if sells else bought,
                limit=price if resting else None,
                money=money,
                by_hand=True,
            )
        except Refused:
            self.story.note("  refused")

    def cancelled_by_hand(self) -> None:
        found = [one for one in self._resting() if not one.cancel_asked]
        if found:
            try:
                self.exchange.cancel(self.random.choice(found).number)
            except Refused:
                self.story.note("  refused")

    def money(self) -> None:
        krw = Decimal(self.random.choice((-5_000, 1_234, 50_000)))
        self.deposits += krw
        self.exchange.deposit(krw)

    def switch(self) -> None:
        """Throw the kill switch, or lift it."""
        if self.thrown:
            self.lift()
        else:
            self.throw(self.random.choice((EVERYTHING, f"account:{ACCOUNT}")))

    def throw(self, scope: str) -> None:
        with self.database.write() as session:
            row = session.get(KillSwitchRow, scope)
            if row is None:
                row = KillSwitchRow(scope=scope, epoch=0, thrown=False, changed_at=self.venue.clock.now)
                session.add(row)
            row.thrown, row.epoch = True, row.epoch + 1
        self.epoch += 1
        self.thrown.add(scope)
        self._fault("kill switch")

    def lift(self) -> None:
        with self.database.write() as session:
            for scope in self.thrown:
                session.get_one(KillSwitchRow, scope).thrown = False
        self.thrown = set()

    # --- at last ---------------------------------------------------------------------------------------------------

    def calm(self) -> None:
        """Everything answers again, and tells the truth."""
        self.venue.weather.clear()
        self.exchange.show_saved(self.venue.clock.now)
        self.exchange.is_open = True
        self.exchange.slow_cancels = False
        self.exchange.journal_delay = timedelta(0)
        if self.venue.coins:
            self.venue.fake.late_trades = 0
        for one in self._resting():
            if one.by_hand and not one.cancel_asked:
                self.exchange.cancel(one.number)
        self.exchange.confirm_cancels()
        self.lift()

    def goods(self, symbol: str) -> Goods:
        return next(one for one in self.venue.goods if one.symbol == symbol)

    def _resting(self) -> list[Order]:
        today = self.venue.clock.now.date()
        return [one for one in self.exchange.orders if not one.ended and (self.venue.coins or one.day == today)]

    def _tell(self, _what: str, _order: Order, fill: Fill | None) -> None:
        self.news += 1
        self.story.fills += fill is not None

    def _fault(self, kind: str) -> None:
        self.story.faults[kind] += 1
