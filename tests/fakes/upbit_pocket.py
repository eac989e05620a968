"""A pocket at a fake Upbit, over a clock that only waiting moves."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from fakes.broker_faults import WithoutSocket
from fakes.exchange import KST, Exchange, Listing
from fakes.upbit_exchange import FakeUpbit, upbit_rules

from stocklab.brokers.pacing import Pacer
from stocklab.brokers.upbit.auth import UpbitCredentials
from stocklab.brokers.upbit.execution import UpbitBroker
from stocklab.brokers.upbit.models import rates

ACCESS = "AKEXAMPLE000000000000000000000000000001"
SECRET = "SKEXAMPLE000000000000000000000000000001"
CREDENTIALS = UpbitCredentials(access_key=ACCESS, secret_key=SECRET)
START = datetime(2026, 11, 20, 10, 15, 12, tzinfo=KST)


@dataclass(slots=True)
class Clock:
    now: datetime = START
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        # Never less than was asked for, or whoever waits for the last part of a microsecond waits for ever.
        self.now += timedelta(microseconds=math.ceil(seconds * 1e6))


@dataclass(slots=True)
class Pocket:
    clock: Clock
    exchange: Exchange
    fake: FakeUpbit
    broker: UpbitBroker


def listings() -> Iterable[Listing]:
    for symbol, price in (("KRW-BTC", "108000000"), ("KRW-ETH", "4200000"), ("KRW-DOGE", "210")):
        yield Listing(symbol, symbol, Decimal(price), Decimal(price), market="UPBIT")


def make_pacer(clock: Clock) -> Pacer:
    def seconds() -> float:
        return (clock.now - START).total_seconds()

    return Pacer(rates(START.date()), clock=seconds, sleep=clock.sleep)


def make_pocket(*, cash: int = 100_000_000, open_rows: int = 100, closed_rows: int = 1000) -> Pocket:
    clock = Clock()
    exchange = Exchange(listings(), clock=clock, cash=Decimal(cash), rules=upbit_rules())
    fake = FakeUpbit(exchange, access_key=ACCESS, secret_key=SECRET)
    broker = UpbitBroker(
        credentials=CREDENTIALS,
        pacer=make_pacer(clock),
        clock=clock,
        sleep=clock.sleep,
        transport=WithoutSocket(fake.answer, clock.sleep),
        open_rows=open_rows,
        closed_rows=closed_rows,
    )
    return Pocket(clock, exchange, fake, broker)
