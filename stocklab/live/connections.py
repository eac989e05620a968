"""From a linked account to its broker: the adapter with its addresses, keys, token store and pace."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import httpx

from stocklab.brokers.kis import models as kis_models
from stocklab.brokers.kis.auth import KisAccount, KisCredentials
from stocklab.brokers.kis.execution import KisBroker
from stocklab.brokers.kis.stream import KisStream
from stocklab.brokers.kiwoom import models as kiwoom_models
from stocklab.brokers.kiwoom.auth import KiwoomKeys
from stocklab.brokers.kiwoom.execution import KiwoomBroker
from stocklab.brokers.kiwoom.stream import KiwoomStream
from stocklab.brokers.pacing import Pacer, Rate
from stocklab.brokers.paper.execution import PaperBroker
from stocklab.brokers.paper.tape import BarTape
from stocklab.brokers.protocol import Broker, BrokerStream
from stocklab.brokers.tokens import TokenStore
from stocklab.brokers.upbit import models as upbit_models
from stocklab.brokers.upbit.auth import UpbitCredentials
from stocklab.brokers.upbit.execution import UpbitBroker
from stocklab.brokers.upbit.stream import UpbitStream
from stocklab.brokers.values import BrokerName
from stocklab.db import Database
from stocklab.market.panel import Panel
from stocklab.settings import Settings
from stocklab.trading.executor import Units

__all__ = ["CallCounts", "Connection", "Connector", "connect", "connect_paper", "rates_of"]

Observe = Callable[[str, float, Any], None]


@dataclass(slots=True)
class CallCounts:
    """Calls of one account since its thread began: how many, how many failed, and how long they took together."""

    calls: int = 0
    failed: int = 0
    seconds: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def observe(self, _name: str, seconds: float, answer: Any) -> None:
        """Count a call; ``answer`` is None where none came."""
        failed = answer is None or answer.status >= 400
        with self._lock:
            self.calls += 1
            self.failed += int(failed)
            self.seconds += seconds


@dataclass(frozen=True, kw_only=True)
class Connection:
    """An account's adapter, its socket (None where there is none), and its smallest units. ``by_close``: orders are
    filled by daily bars, once these are there."""

    broker: Broker
    stream: BrokerStream | None
    units: Units
    counts: CallCounts
    by_close: bool = False


def rates_of(day: date) -> Mapping[str, Rate]:
    """The pace of every broker on a day, for one `Pacer` over all accounts."""
    return {**kiwoom_models.RATES, **kis_models.RATES, **upbit_models.rates(day)}


@dataclass(frozen=True, kw_only=True)
class Connector:
    """What all connections share. ``transport`` is for tests."""

    settings: Settings
    tokens: TokenStore
    pacer: Pacer
    clock: Callable[[], datetime]
    sleep: Callable[[float], object] = time.sleep
    transport: httpx.BaseTransport | None = None


def connect(
    connector: Connector, broker: BrokerName, *, mock: bool, keys: Mapping[str, str], key_id: str
) -> Connection:
    """Open an account at a broker; nothing is asked yet.

    Parameters
    ----------
    broker : one of KIWOOM, KIS, UPBIT
    keys : what `stocklab.live.credentials.read_keys` gives
    key_id : names the account, for buckets without a key's digest

    Raises
    ------
    InputError
        The keys cannot be such of this broker.
    """
    made = {BrokerName.KIWOOM: _kiwoom, BrokerName.KIS: _kis, BrokerName.UPBIT: _upbit}[broker]
    return made(connector, mock, keys, key_id)


def connect_paper(
    database: Database,
    owner_id: str,
    account_id: str,
    *,
    coins: bool,
    panel: Callable[[], Panel | None],
    clock: Callable[[], datetime],
) -> Connection:
    """Open a paper account; its orders are filled by the bars of their session."""
    tape = BarTape(panel)
    broker = PaperBroker(database, owner_id, account_id, tape=tape, clock=clock, coins=coins)
    unit = Decimal("0.00000001") if coins else Decimal(1)
    return Connection(
        broker=broker,
        stream=None,
        units=Units(quantity=unit, krw=unit),
        counts=CallCounts(),
        by_close=not tape.live,
    )


def _kiwoom(connector: Connector, mock: bool, keys: Mapping[str, str], _key_id: str) -> Connection:
    settings, counts = connector.settings, CallCounts()
    given = KiwoomKeys(app_key=keys["app_key"], secret_key=keys["secret_key"])
    rest = settings.kiwoom_mock_url if mock else settings.kiwoom_url
    common: dict[str, Any] = {
        "base_url": rest,
        "keys": given,
        "mock": mock,
        "tokens": connector.tokens,
        "pacer": connector.pacer,
        "clock": connector.clock,
        "transport": connector.transport,
    }
    broker = KiwoomBroker(**common, account=keys.get("account", ""), sleep=connector.sleep, observe=counts.observe)
    socket = settings.kiwoom_mock_ws_url if mock else settings.kiwoom_ws_url
    return Connection(broker=broker, stream=KiwoomStream(socket_url=socket, **common), units=Units(), counts=counts)


def _kis(connector: Connector, mock: bool, keys: Mapping[str, str], _key_id: str) -> Connection:
    settings, counts = connector.settings, CallCounts()
    given = KisCredentials(app_key=keys["app_key"], app_secret=keys["app_secret"])
    account = KisAccount(cano=keys["account"][:8], product=keys["account"][8:])
    rest = settings.kis_mock_url if mock else settings.kis_url
    common: dict[str, Any] = {
        "base_url": rest,
        "credentials": given,
        "account": account,
        "mock": mock,
        "pacer": connector.pacer,
        "clock": connector.clock,
        "transport": connector.transport,
    }
    broker = KisBroker(**common, tokens=connector.tokens, sleep=connector.sleep, observe=counts.observe)
    socket = settings.kis_mock_ws_url if mock else settings.kis_ws_url
    stream = KisStream(ws_url=socket, hts_id=keys["hts_id"], **common) if keys.get("hts_id") else None
    return Connection(broker=broker, stream=stream, units=Units(), counts=counts)


def _upbit(connector: Connector, _mock: bool, keys: Mapping[str, str], key_id: str) -> Connection:
    settings, counts = connector.settings, CallCounts()
    given = UpbitCredentials(access_key=keys["access_key"], secret_key=keys["secret_key"])
    broker = UpbitBroker(
        credentials=given,
        pacer=connector.pacer,
        clock=connector.clock,
        sleep=connector.sleep,
        base_url=f"{settings.upbit_url.rstrip('/')}/v1",
        pocket=key_id,
        transport=connector.transport,
        observe=counts.observe,
    )
    unit = Decimal("0.00000001")
    stream = UpbitStream(credentials=given, clock=connector.clock, ws_url=settings.upbit_ws_url)
    return Connection(broker=broker, stream=stream, units=Units(quantity=unit, krw=unit), counts=counts)
