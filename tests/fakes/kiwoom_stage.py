"""A market, its clock, a fake Kiwoom and an adapter in front of it, for tests and simulations."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from fakes.broker_faults import WithoutSocket
from fakes.exchange import KST, Exchange, Listing, Rules
from fakes.kiwoom import FakeKiwoom, Habits

from stocklab.brokers.kiwoom.auth import KiwoomKeys
from stocklab.brokers.kiwoom.execution import KiwoomBroker
from stocklab.brokers.kiwoom.models import RATES
from stocklab.brokers.pacing import Pacer
from stocklab.brokers.tokens import MemoryTokens

KEYS = KiwoomKeys(app_key="AK-EXAMPLE-LIVE-0001", secret_key="SK-EXAMPLE-LIVE-0001")
OPENING = datetime(2026, 11, 20, 10, 15, 12, tzinfo=KST)
TICKS = ((2_000, 1), (5_000, 5), (20_000, 10), (50_000, 50), (200_000, 100), (500_000, 500))


def tick_of(price: Decimal) -> int:
    """KRX's grid since 2023-01-25, of the protocol notes."""
    return next((tick for below, tick in TICKS if price < below), 1_000)


def band_of(listing: Listing, _day: date) -> tuple[Decimal, Decimal]:
    width = listing.base_price * 3 / 10
    low, high = listing.base_price - width, listing.base_price + width
    return -(-low // tick_of(low)) * tick_of(low), high // tick_of(high) * tick_of(high)


def rules() -> Rules:
    return Rules(tick=lambda _listing, price, _day: price % tick_of(price) == 0, band=band_of, first_number=60_327)


@dataclass(slots=True)
class Clock:
    """Time that moves by sleeping alone."""

    now: datetime = OPENING
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()

    def sleep(self, seconds: float) -> None:
        """At least a microsecond, which is the least this clock can move: else waiting for less never ends."""
        self.slept.append(seconds)
        self.now += max(timedelta(seconds=seconds), timedelta.resolution)


class Stage:
    """``broker`` trades at ``exchange`` through ``fake``; ``url`` empty: without a socket."""

    def __init__(
        self, *, mock: bool = False, page_size: int = 50, habits: Habits | None = None, cash: int = 100_000_000
    ) -> None:
        self.clock = Clock()
        self.exchange = Exchange(
            [
                Listing("005930", "삼성전자", Decimal(71_400), Decimal(70_900)),
                Listing("000660", "SK하이닉스", Decimal(182_500), Decimal(183_000)),
                Listing("0001A0", "새종목", Decimal(4_500), Decimal(4_500)),
            ],
            clock=self.clock,
            cash=Decimal(cash),
            rules=rules(),
        )
        self.fake = FakeKiwoom(self.exchange, mock=mock, page_size=page_size, habits=habits)
        self.mock = mock
        self.tokens = MemoryTokens()
        self.pacer = Pacer(RATES, clock=self.clock.seconds, sleep=self.clock.sleep)
        self.transport = WithoutSocket(self.fake.answer, self.clock.sleep)
        self.broker = self.adapter()

    def adapter(
        self, *, url: str = "", keys: KiwoomKeys = KEYS, account: str = "", order_seconds: float = 15.0
    ) -> KiwoomBroker:
        """Another adapter of the same key, as after a restart."""
        return KiwoomBroker(
            base_url=url or "https://kiwoom.test",
            keys=keys,
            mock=self.mock,
            tokens=self.tokens,
            pacer=self.pacer,
            clock=self.clock,
            sleep=self.clock.sleep,
            account=account,
            transport=None if url else self.transport,
            query_seconds=order_seconds,
            order_seconds=order_seconds,
        )

    def at(self, hour: int, minute: int = 0) -> None:
        """Later that day."""
        self.clock.now = self.clock.now.astimezone(KST).replace(hour=hour, minute=minute)

    def next_day(self) -> None:
        """The market closes and opens again."""
        self.exchange.end_day()
        self.clock.now = (self.clock.now + timedelta(days=1)).astimezone(KST).replace(hour=10, minute=0)
        self.exchange.is_open = True
