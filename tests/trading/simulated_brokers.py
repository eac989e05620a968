"""The three brokers of simulated days: an account, a fake that speaks the broker's protocol, and our real adapter."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import httpx
from fakes.broker_faults import Heard, Target, Trouble, Troubles
from fakes.exchange import KST, Exchange, Listing, Order
from fakes.kis import BRANCH, FakeKis, krx_rules
from fakes.kiwoom import FakeKiwoom, Habits
from fakes.kiwoom_stage import KEYS, rules, tick_of
from fakes.upbit_exchange import FakeUpbit, upbit_rules, uuid_of
from fakes.upbit_pocket import ACCESS, CREDENTIALS, SECRET

from stocklab.brokers.kis import models as kis_models
from stocklab.brokers.kis.auth import KisAccount, KisCredentials
from stocklab.brokers.kis.execution import KisBroker
from stocklab.brokers.kiwoom import models as kiwoom_models
from stocklab.brokers.kiwoom.execution import KiwoomBroker
from stocklab.brokers.pacing import Pacer, Rate
from stocklab.brokers.protocol import Broker
from stocklab.brokers.tokens import MemoryTokens
from stocklab.brokers.upbit.execution import UpbitBroker
from stocklab.brokers.upbit.models import rates
from stocklab.brokers.values import BrokerName, OrderRef
from stocklab.trading.executor import Units

BROKERS = (BrokerName.KIWOOM, BrokerName.KIS, BrokerName.UPBIT)
_COINS = Decimal("0.00000001")


@dataclass(slots=True)
class Clock:
    """Time that moves by waiting alone; never less than was asked for."""

    now: datetime
    began: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.now

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return (self.now - self.began).total_seconds()

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(microseconds=max(1, math.ceil(seconds * 1e6)))


class Weather(Troubles):
    """Troubles by command, and maintenance: until ``bad_until`` every request fails. Counts what came true."""

    def __init__(self, clock: Clock, random: Random) -> None:
        super().__init__()
        self.clock = clock
        self.random = random
        self.bad_until: datetime | None = None
        self.struck: dict[str, int] = {}

    def take(self, target: Target) -> Trouble | None:
        if self.bad_until is not None and self.clock.now < self.bad_until:
            trouble: Trouble | None = self.random.choice((Trouble.ERROR_500, Trouble.HTML, Trouble.NO_ANSWER))
            self.struck["maintenance"] = self.struck.get("maintenance", 0) + 1
            return trouble
        trouble = super().take(target) if self._waiting else None
        if trouble is not None:
            kind = f"{trouble}"
            self.struck[kind] = self.struck.get(kind, 0) + 1
        return trouble

    def clear(self) -> None:
        super().clear()
        self.bad_until = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """What is traded: a first price, how far a price moves at once, and what sizes a strategy wishes. ``by_hand`` are
    the sizes of the person (a purchase, a sale), which no strategy uses."""

    symbol: str
    price: Decimal
    step: Callable[[Decimal], Decimal]
    sizes: Sequence[Decimal]
    by_hand: tuple[Decimal, Decimal]


@dataclass(slots=True, kw_only=True)
class Venue:
    """One broker's side of a day. ``adapter`` makes our side of a new process over a transport."""

    name: BrokerName
    opens: datetime
    clock: Clock
    goods: Sequence[Goods]
    exchange: Exchange
    fake: Any
    weather: Weather
    units: Units
    adapter: Callable[[httpx.BaseTransport], Broker]
    tokens: MemoryTokens = field(default_factory=MemoryTokens)

    @property
    def coins(self) -> bool:
        return self.name is BrokerName.UPBIT

    def ref(self, order: Order) -> OrderRef:
        """How the adapter names an order of the exchange."""
        if self.coins:
            return OrderRef(order.day, uuid_of(order.number))
        return OrderRef(order.day, order.number, BRANCH if self.name is BrokerName.KIS else "")

    def is_order(self, heard: Heard) -> bool:
        """Whether a request asks for a new order."""
        if self.name is BrokerName.KIWOOM:
            return heard.headers.get("api-id") in ("kt10000", "kt10001")
        return heard.method == "POST" and (heard.path.endswith("/order-cash") or heard.path == "/v1/orders")

    def is_token(self, heard: Heard) -> bool:
        """Whether a request asks for a new token."""
        return heard.path.startswith("/oauth2/token")

    def kill_tokens(self) -> None:
        """Tokens end before their time, as when the owner asks for one elsewhere."""
        if self.name is BrokerName.KIWOOM:
            self.fake.gate.kill()
        elif self.name is BrokerName.KIS:
            self.fake.kill_tokens()

    @property
    def overruns(self) -> int:
        """Requests beyond the broker's limits."""
        return self.fake.gate.overruns if self.name is BrokerName.KIWOOM else self.fake.overruns

    def pacer(self, table: dict[str, Rate]) -> Pacer:
        return Pacer(table, clock=self.clock.seconds, sleep=self.clock.sleep)


def make_venue(name: BrokerName, random: Random) -> Venue:
    """A broker on the morning of a day (Upbit: shortly before midnight), with habits, pages and host by chance."""
    makers = {BrokerName.KIWOOM: _kiwoom, BrokerName.KIS: _kis, BrokerName.UPBIT: _upbit}
    return makers[name](random)


def _opening(second: float = 0.25) -> datetime:
    return datetime(2026, 11, 19, 9, tzinfo=KST) + timedelta(seconds=second)


def _krx_goods() -> list[Goods]:
    """Prices whose tick is 100 won or more: there Kiwoom's averages tell amounts exactly."""
    sizes = [Decimal(size) for size in (2, 4, 6, 10)]
    prices = (("005930", 71_400), ("000660", 182_500), ("035420", 96_300))
    return [
        Goods(
            symbol=symbol,
            price=Decimal(price),
            step=lambda price: Decimal(tick_of(price)),
            sizes=sizes,
            by_hand=(Decimal(7), Decimal(3)),
        )
        for symbol, price in prices
    ]


def _exchange(goods: Sequence[Goods], clock: Clock, kind: Any, *, cash: int = 8_000_000) -> Exchange:
    listings = [Listing(one.symbol, one.symbol, one.price, one.price) for one in goods]
    return Exchange(listings, clock=clock, cash=Decimal(cash), rules=kind)


def _kiwoom(random: Random) -> Venue:
    clock, goods, mock = Clock(_opening()), _krx_goods(), random.random() < 0.2
    exchange = _exchange(goods, clock, rules())
    habits = Habits(**{name: random.random() < 0.5 for name in Habits.__slots__})
    fake = FakeKiwoom(exchange, mock=mock, page_size=random.choice((1, 3, 50)), habits=habits)
    fake.gate.life = random.choice((timedelta(hours=24), timedelta(hours=24), timedelta(minutes=12)))
    fake.troubles = weather = Weather(clock, random)

    def adapter(transport: httpx.BaseTransport) -> Broker:
        return KiwoomBroker(
            base_url="https://kiwoom.test",
            keys=KEYS,
            mock=mock,
            tokens=venue.tokens,
            pacer=venue.pacer(dict(kiwoom_models.RATES)),
            clock=clock,
            sleep=clock.sleep,
            transport=transport,
        )

    venue = Venue(
        name=BrokerName.KIWOOM,
        opens=clock.now,
        clock=clock,
        goods=goods,
        exchange=exchange,
        fake=fake,
        weather=weather,
        units=Units(),
        adapter=adapter,
    )
    return venue


def _kis(random: Random) -> Venue:
    clock, goods, mock = Clock(_opening()), _krx_goods(), random.random() < 0.2
    exchange = _exchange(goods, clock, krx_rules())
    fake = FakeKis(exchange, mock=mock, page_rows=random.choice((1, 3, None)))
    fake.troubles = weather = Weather(clock, random)

    def adapter(transport: httpx.BaseTransport) -> Broker:
        return KisBroker(
            base_url="https://kis.test",
            credentials=KisCredentials(app_key=fake.app_key, app_secret=fake.app_secret),
            account=KisAccount(cano=fake.cano, product=fake.product),
            mock=mock,
            tokens=venue.tokens,
            pacer=venue.pacer(dict(kis_models.RATES)),
            clock=clock,
            sleep=clock.sleep,
            transport=transport,
        )

    venue = Venue(
        name=BrokerName.KIS,
        opens=clock.now,
        clock=clock,
        goods=goods,
        exchange=exchange,
        fake=fake,
        weather=weather,
        units=Units(),
        adapter=adapter,
    )
    return venue


def _upbit(random: Random) -> Venue:
    began = datetime(2026, 11, 19, 23, random.choice((54, 57, 58)), tzinfo=KST) + timedelta(seconds=0.25)
    clock, goods = Clock(began), _coin_goods()
    exchange = _exchange(goods, clock, upbit_rules())
    fake = FakeUpbit(exchange, access_key=ACCESS, secret_key=SECRET)
    fake.troubles = weather = Weather(clock, random)
    open_rows, closed_rows = random.choice((1, 2, 100)), random.choice((8, 1000))
    nonces = itertools.count()

    def adapter(transport: httpx.BaseTransport) -> Broker:
        return UpbitBroker(
            credentials=CREDENTIALS,
            pacer=venue.pacer(rates(began.date())),
            clock=clock,
            sleep=clock.sleep,
            nonce=lambda: f"nonce-{next(nonces)}",
            transport=transport,
            open_rows=open_rows,
            closed_rows=closed_rows,
        )

    venue = Venue(
        name=BrokerName.UPBIT,
        opens=began,
        clock=clock,
        goods=goods,
        exchange=exchange,
        fake=fake,
        weather=weather,
        units=Units(quantity=_COINS, krw=_COINS),
        adapter=adapter,
    )
    return venue


def _coin_goods() -> list[Goods]:
    table = (
        ("KRW-BTC", "108000000", "500000", "0.00110001", "0.00071237", "0.00031237"),
        ("KRW-ETH", "4200000", "20000", "0.03000007", "0.01712370", "0.01312370"),
        ("KRW-DOGE", "210", "3", "301.5", "77.125", "33.125"),
    )
    return [
        Goods(
            symbol=symbol,
            price=Decimal(price),
            step=lambda _price, step=Decimal(step): step,
            sizes=[Decimal(size) * times for times in (1, 2, 3)],
            by_hand=(Decimal(bought), Decimal(sold)),
        )
        for symbol, price, step, size, bought, sold in table
    ]
