"""A KIS account on stage: the clock, what is true at the broker, the fake in front of it, and our adapter."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from fakes.broker_faults import WithoutSocket
from fakes.exchange import KST, Exchange, Listing
from fakes.kis import FakeKis, krx_rules

from stocklab.brokers.kis.auth import KisAccount, KisCredentials
from stocklab.brokers.kis.execution import KisBroker
from stocklab.brokers.kis.models import RATES
from stocklab.brokers.pacing import Pacer
from stocklab.brokers.tokens import MemoryTokens
from stocklab.brokers.values import OrderTicket, PriceKind, Side, Validity

SAMSUNG, HYNIX, NAVER = "005930", "000660", "035420"


def listings() -> list[Listing]:
    return [
        Listing(SAMSUNG, "삼성전자", Decimal(71_400), Decimal(70_900)),
        Listing(HYNIX, "SK하이닉스", Decimal(200_000), Decimal(200_000)),
        Listing(NAVER, "NAVER", Decimal(180_000), Decimal(185_000)),
    ]


@dataclass
class Stage:
    """``now`` moves only when somebody sleeps."""

    mock: bool = False
    page_rows: int | None = None
    now: datetime = datetime(2026, 11, 20, 10, 14, 14, tzinfo=KST)
    cash: Decimal = Decimal(10_000_000)
    slept: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.exchange = Exchange(listings(), clock=lambda: self.now, cash=self.cash, rules=krx_rules())
        self.fake = FakeKis(self.exchange, mock=self.mock, page_rows=self.page_rows)
        self.tokens = MemoryTokens()
        self.broker = self.adapter()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        # At least what the clock can show: else a wait of less than a microsecond never ends.
        self.now += timedelta(seconds=max(seconds, 1e-6))

    def credentials(self, **changes: str) -> KisCredentials:
        return KisCredentials(**({"app_key": self.fake.app_key, "app_secret": self.fake.app_secret} | changes))

    def pacer(self) -> Pacer:
        return Pacer(RATES, clock=self.seconds, sleep=self.sleep)

    def seconds(self) -> float:
        return self.now.timestamp()

    def adapter(self, **changes: Any) -> KisBroker:
        """Our side, as after a start: what is kept is the tokens."""
        given: dict[str, Any] = {
            "base_url": "http://kis.test",
            "credentials": self.credentials(),
            "account": KisAccount(cano=self.fake.cano, product=self.fake.product),
            "mock": self.mock,
            "tokens": self.tokens,
            "pacer": self.pacer(),
            "clock": lambda: self.now,
            "sleep": self.sleep,
            "transport": WithoutSocket(self.fake.answer, self.sleep),
        }
        return KisBroker(**(given | changes))


def ticket(
    symbol: str = SAMSUNG,
    quantity: str = "10",
    price: str | None = "71300",
    *,
    side: Side = Side.BUY,
    validity: Validity = Validity.DAY,
) -> OrderTicket:
    return OrderTicket(
        client_order_id="a-1",
        symbol=symbol,
        side=side,
        kind=PriceKind.MARKET if price is None else PriceKind.LIMIT,
        quantity=Decimal(quantity),
        limit_price_krw=None if price is None else Decimal(price),
        validity=validity,
    )
