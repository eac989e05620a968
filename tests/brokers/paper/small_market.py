"""Hand-made bars for paper accounts, and moments in Seoul."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from stocklab.brokers.values import OrderTicket, PriceKind, Side
from stocklab.data.sources.calls import KST
from stocklab.market.calendar import sessions_between
from stocklab.market.entitlements import NO_ENTITLEMENTS, Entitlements
from stocklab.market.panel import KIND_CODES, MARKET_CODES, Instruments, Panel, PriceBasis

MONDAY = date(2026, 11, 16)
Bar = tuple[float, float, float, float, float] | None


def panel_of(
    bars: Mapping[str, Sequence[Bar]],
    *,
    start: date = MONDAY,
    kinds: Mapping[str, str] | None = None,
    market: str = "KOSPI",
    bases: Mapping[tuple[int, str], float] | None = None,
    splits: Mapping[tuple[int, str], float] | None = None,
    delisted: Mapping[str, tuple[date, bool]] | None = None,
    entitlements: Entitlements = NO_ENTITLEMENTS,
    coins: bool = False,
) -> Panel:
    """Rows of (open, high, low, close, volume) by symbol; None = halted, with the close before."""
    symbols, n = tuple(sorted(bars)), len(next(iter(bars.values())))
    if coins:
        sessions = np.datetime64(start, "D") + np.arange(n)
    else:
        sessions = sessions_between(start, start + timedelta(days=3 * n + 10), expected=True)[:n]
    names = ("open", "high", "low", "close", "volume")
    shape = (n, len(symbols))
    values = {name: np.zeros(shape, dtype=np.float64) for name in names}
    base, ratio, traded = np.full(shape, np.nan), np.ones(shape, dtype=np.float32), np.ones(shape, dtype=np.bool_)
    for s, symbol in enumerate(symbols):
        last = np.nan
        for t, bar in enumerate(bars[symbol]):
            traded[t, s] = bar is not None
            for name, value in zip(names, bar or (last, last, last, last, 0.0), strict=True):
                values[name][t, s] = value
            base[t, s] = (bases or {}).get((t, symbol), last)
            ratio[t, s] = (splits or {}).get((t, symbol), 1.0)
            last = values["close"][t, s]
    listed = np.ones(shape, dtype=np.bool_)
    for symbol, (day, _) in (delisted or {}).items():
        listed[sessions >= np.datetime64(day, "D"), symbols.index(symbol)] = False
    if not coins:
        values |= {name: values[name].astype(np.float32) for name in names[:4]}
        base = base.astype(np.float32)
    fields: dict[str, Any] = {
        **values,
        "listed": listed,
        "traded": traded & listed,
        "market": np.full(shape, MARKET_CODES["UPBIT" if coins else market], dtype=np.uint8),
    }
    if not coins:
        fields |= {f"{name}_raw": values[name] for name in names} | {"base_price": base, "split_ratio": ratio}
    nat = np.datetime64("NaT", "D")
    gone = delisted or {}
    return Panel(
        sessions=sessions,
        symbols=symbols,
        fields=fields,
        indices={},
        instruments=Instruments(
            names=symbols,
            sectors=("",) * len(symbols),
            kinds=np.array([KIND_CODES[(kinds or {}).get(one, "common")] for one in symbols], dtype=np.uint8),
            listed_on=np.full(len(symbols), nat),
            delisted_on=np.array([np.datetime64(gone[one][0], "D") if one in gone else nat for one in symbols]),
            delisting_reason=("",) * len(symbols),
            financial=np.zeros(len(symbols), dtype=np.bool_),
            pays_last_close=np.array([one in gone and gone[one][1] for one in symbols]),
        ),
        rf=np.zeros(n),
        rf_known=False,
        basis=PriceBasis.COIN if coins else PriceBasis.RAW,
        snapshot_id="test",
        synthetic=False,
        tv_estimated=True,
        key="test",
        entitlements=entitlements,
    )


def seoul(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """A moment of November 2026."""
    return datetime.combine(date(2026, 11, day), time(hour, minute, second), tzinfo=KST)


def ticket(
    name: str,
    symbol: str,
    side: Side,
    quantity: str | None,
    limit: str | None = None,
    money: str | None = None,
) -> OrderTicket:
    """A market order, or with ``limit`` a limit order."""
    return OrderTicket(
        client_order_id=name,
        symbol=symbol,
        side=side,
        kind=PriceKind.MARKET if limit is None else PriceKind.LIMIT,
        quantity=None if quantity is None else Decimal(quantity),
        limit_price_krw=None if limit is None else Decimal(limit),
        money_krw=None if money is None else Decimal(money),
    )
