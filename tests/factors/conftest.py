"""The deterministic series of docs/factors.md section 9, and panels for the formula language."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from stocklab.data.datasets import conform
from stocklab.data.fundamentals_build import fundamentals_of
from stocklab.market.fundamentals import Fundamentals
from stocklab.market.panel import MARKET_CODES, Instruments, Panel, PriceBasis

sys.path.insert(0, str(Path(__file__).parent))  # the package `reference`

from reference import Filings, Market
from reference.markets import Shape, random_market

GOLDEN_BARS = 300


@pytest.fixture(scope="session")
def golden_columns() -> dict[str, np.ndarray]:
    """Section 9: 300 bars of one stock and its market."""
    floor, sin, cos, exp = math.floor, math.sin, math.cos, math.exp
    bars = range(GOLDEN_BARS)
    close = [10 * floor(20000 * exp(0.0006 * i + 0.06 * sin(i / 11) + 0.03 * sin(i * i / 97)) / 10 + 0.5) for i in bars]
    opening = [close[0]] + [10 * floor(close[i - 1] * (1 + 0.004 * sin(1.7 * i)) / 10 + 0.5) for i in bars[1:]]
    columns: dict[str, Any] = {
        "open": opening,
        "high": [max(opening[i], close[i]) + 10 * floor(4 + 3 * sin(0.9 * i)) for i in bars],
        "low": [min(opening[i], close[i]) - 10 * floor(4 + 3 * cos(1.3 * i)) for i in bars],
        "close": close,
        "volume": [floor(100000 * (1.5 + sin(0.37 * i) + 0.3 * cos(2.1 * i))) for i in bars],
    }
    columns |= {f"{name}_raw": values for name, values in columns.items()}
    columns["mkt_close"] = [2500 * exp(0.0003 * i + 0.04 * sin(i / 13)) for i in bars]
    columns["smb"] = [0.002 * sin(0.53 * i) for i in bars]
    columns["hml"] = [0.002 * cos(0.31 * i) for i in bars]
    columns["rf"] = [0.03 / 252] * GOLDEN_BARS
    columns["shares_listed"] = [10_000_000.0] * GOLDEN_BARS
    arrays = {name: np.array(values, dtype=np.float64) for name, values in columns.items()}
    arrays["tv"] = arrays["close"] * arrays["volume"]
    arrays["mcap"] = arrays["close"] * arrays["shares_listed"]
    return arrays


@pytest.fixture(scope="session")
def make_panel() -> Callable[..., Panel]:
    """``make_panel(fields, listed=..., market=..., indices=..., rf=..., sessions=..., sectors=...)``."""

    def make(fields: dict[str, np.ndarray], **given: Any) -> Panel:
        n_sessions, n_symbols = next(iter(fields.values())).shape
        listed = given.get("listed", np.ones((n_sessions, n_symbols), dtype=np.bool_))
        market = given.get("market", np.ones((n_sessions, n_symbols), dtype=np.uint8))
        nothing = np.full(n_symbols, "NaT", dtype="datetime64[D]")
        instruments = Instruments(
            names=tuple(f"name {i}" for i in range(n_symbols)),
            sectors=given.get("sectors", ("",) * n_symbols),
            kinds=np.ones(n_symbols, dtype=np.uint8),
            listed_on=nothing,
            delisted_on=nothing,
            delisting_reason=("",) * n_symbols,
            pays_last_close=np.zeros(n_symbols, dtype=np.bool_),
            financial=np.zeros(n_symbols, dtype=np.bool_),
        )
        first = np.datetime64("2018-01-02", "D")
        return Panel(
            sessions=given.get("sessions", np.busday_offset(first, np.arange(n_sessions), roll="forward")),
            symbols=tuple(f"{i:06d}" for i in range(n_symbols)),
            fields={**fields, "listed": listed, "market": market},
            indices=given.get("indices", {}),
            instruments=instruments,
            rf=given.get("rf", np.zeros(n_sessions)),
            rf_known="rf" in given,
            basis=PriceBasis.ADJUSTED,
            snapshot_id="test",
            synthetic=True,
            tv_estimated=False,
            key="test",
        )

    return make


@pytest.fixture(scope="session")
def market_panel(make_panel: Callable[..., Panel]) -> Panel:
    """Random market: 420 sessions x 23 symbols with halts, late listings, an early end, a hole and unknown values."""
    rng = np.random.default_rng(20240611)
    n_sessions, n_symbols = 420, 23
    close = np.round(10_000 * np.exp(np.cumsum(rng.normal(0, 0.02, (n_sessions, n_symbols)), axis=0)))
    halted = rng.random((n_sessions, n_symbols)) < 0.01
    halted[200:240, 3] = True
    for t in range(1, n_sessions):
        close[t, halted[t]] = close[t - 1, halted[t]]
    opening = np.where(halted, close, np.round(close * rng.uniform(0.98, 1.02, close.shape)))
    high = np.where(halted, close, np.maximum(opening, close) + rng.integers(0, 90, close.shape))
    low = np.where(halted, close, np.minimum(opening, close) - rng.integers(0, 90, close.shape))
    volume = np.where(halted, 0.0, rng.integers(1, 10**6, close.shape)).astype(np.float64)
    listed = np.ones(close.shape, dtype=np.bool_)
    listed[:150, 5] = False
    listed[380:, 6] = False
    listed[100:140, 7] = False
    listed[:, 8] = False
    fields = {
        "open": opening.astype(np.float32),
        "high": high.astype(np.float32),
        "low": low.astype(np.float32),
        "close": close.astype(np.float32),
        "volume": volume,
        "tv": close * volume,
        "list_age": np.cumsum(listed, axis=0).astype(np.float32),
        "close_raw": close,
        "open_raw": opening,
        "high_raw": high,
        "low_raw": low,
        "volume_raw": volume,
        "mcap": close * rng.integers(10**6, 10**7, n_symbols),
        "mcap_pref": np.zeros(close.shape),
        "shares_listed": np.full(close.shape, 5e6),
        "shares_float": np.full(close.shape, 3e6),
        "split_ratio": np.where(rng.random(close.shape) < 0.002, 5.0, 1.0).astype(np.float32),
        "smb": np.repeat(rng.normal(0, 0.005, (n_sessions, 1)), n_symbols, axis=1),
        "hml": np.repeat(rng.normal(0, 0.005, (n_sessions, 1)), n_symbols, axis=1),
    }
    for values in fields.values():
        values[~listed] = np.nan
    fields["close"][333, 9] = np.nan
    market = np.ones(close.shape, dtype=np.uint8)
    market[:, ::2] = 2
    market[:210, 4] = 1
    return make_panel(
        fields,
        listed=listed,
        market=market,
        indices={
            "KOSPI": 2000 * np.exp(np.cumsum(rng.normal(0, 0.01, n_sessions))),
            "KOSDAQ": 700 * np.exp(np.cumsum(rng.normal(0, 0.01, n_sessions))),
        },
        rf=np.full(n_sessions, 0.03 / 252),
        sectors=tuple("ABC"[i % 3] if i % 7 else "" for i in range(n_symbols)),
    )


def _fundamentals_from(
    filings: Filings, symbols: list[str], sessions: np.ndarray, market: np.ndarray | None
) -> Fundamentals:
    given = {"filed_source": "receipt", "filing_no": None}
    rows = [{**given, **row} for row in filings.statements]
    events = pl.DataFrame(list(filings.events), infer_schema_length=None) if filings.events else None
    return fundamentals_of(
        conform("statements", pl.DataFrame(rows, infer_schema_length=None)),
        None if events is None else conform("events", events),
        symbols,
        sessions,
        market,
    )


@pytest.fixture(scope="session")
def fundamentals_from() -> Callable[..., Fundamentals]:
    """``fundamentals_from(filings, symbols, sessions, market)``: what the product makes of the rows of the reference."""
    return _fundamentals_from


@pytest.fixture(scope="session")
def panel_of(make_panel: Callable[..., Panel]) -> Callable[[Market], Panel]:
    """The product's panel of a market of the reference; prices as float32 where that is lossless."""

    def make(market: Market) -> Panel:
        fields = {}
        for name, values in market.fields.items():
            short = values.astype(np.float32)
            fields[name] = short if np.array_equal(short, values, equal_nan=True) else values
        sessions = np.array(market.sessions, dtype="datetime64[D]")
        codes = np.vectorize(MARKET_CODES.__getitem__, otypes=[np.uint8])(market.market)
        panel = make_panel(
            fields,
            listed=market.listed,
            market=codes,
            indices=dict(market.indices),
            rf=market.rf,
            sessions=sessions,
            sectors=market.sectors,
        )
        return replace(
            panel,
            symbols=tuple(market.symbols),
            instruments=replace(panel.instruments, financial=np.array(market.financial)),
            fundamentals=_fundamentals_from(market.filings, market.symbols, sessions, codes),
        )

    return make


@pytest.fixture(scope="session")
def year_market() -> Market:
    """290 sessions and 46 quarters of 8 companies: windows of a year, five-year growth, sectors of five."""
    return random_market(11, Shape(sessions=290, symbols=8, quarters=46))


@pytest.fixture(scope="session")
def year_panel(year_market: Market, panel_of: Callable[[Market], Panel]) -> Panel:
    """The product's panel of `year_market`."""
    return panel_of(year_market)
