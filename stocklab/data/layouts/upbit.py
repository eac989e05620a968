"""Daily candles of Upbit's won market: ``upbit_krw_daily_*`` (date, market, open, high, low, close, volume).

A candle runs over a UTC day, 09:00 to 09:00 in Korea. Days without a trade have none.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from stocklab.data.checks import check_coins, normalize_bars
from stocklab.data.convert import refuse_where, to_dates, to_reals, to_texts
from stocklab.data.layouts.master import instrument_rows
from stocklab.data.layouts.piece import Layout, Piece, with_rows
from stocklab.data.reading import SourceFile
from stocklab.market.panel import COIN_UNIT

__all__ = ["LAYOUTS", "coin_bars", "coin_instruments"]

_PRICES: Final = ("open", "high", "low", "close")
COLUMNS: Final = ("date", "market", *_PRICES, "volume")
NAMES: Final = {"session": "date", "symbol": "market", **{name: name for name in COLUMNS[2:]}}
_ROUNDING: Final = 1e-14
"""Of a price: a product of two doubles is off by less than this fraction."""


def coin_bars(file: SourceFile, source: str) -> pl.DataFrame:
    """Check candles in this layout, of which ``value`` (KRW) may be missing, and bring them to ``prices_coin``.

    Raises
    ------
    BrokenInput
        A value is refused; the first row with one is named.
    """
    symbols = to_texts(file, "market")
    check_coins(symbols, file, "market")
    value = [to_reals(file, "value", nullable=True).alias("tv")] if "value" in file.columns else []
    bars = pl.DataFrame(
        [
            to_dates(file, "date").alias("session"),
            symbols.alias("symbol"),
            *(to_reals(file, name, nullable=name not in {"close", "volume"}).alias(name) for name in COLUMNS[2:]),
            *value,
        ]
    )
    for name in _PRICES:
        units = bars[name] * COIN_UNIT
        off = (units - units.round(0)).abs() > units.abs() * _ROUNDING + 1e-6
        refuse_where(off, file, name, "a price of at most eight decimals")
    if value:
        refuse_where(bars["tv"] < 0, file, "value", "a traded value of 0 or more")
    bars = normalize_bars(bars, file, NAMES)
    tv = pl.col("tv") if value else pl.lit(None, dtype=pl.Float64).alias("tv")
    return bars.with_columns(tv, pl.lit(source).alias("source"))


def coin_instruments(named: pl.DataFrame) -> pl.DataFrame:
    """Rows of ``instruments`` from symbol and name of coins, numbered."""
    return instrument_rows(named.with_columns(pl.lit("UPBIT").alias("market"), pl.lit("coin").alias("kind")))


def _read(file: SourceFile) -> list[Piece]:
    bars = coin_bars(file, "upbit_krw_daily")
    named = bars.select("symbol").unique(maintain_order=True)
    named = named.with_columns(pl.col("symbol").str.strip_prefix("KRW-").alias("name"))
    return [
        Piece(dataset="prices_coin", file=file.name, frame=with_rows(bars), names=NAMES),
        Piece(dataset="instruments", file=file.name, frame=coin_instruments(named)),
    ]


LAYOUTS: Final = (
    Layout(name="upbit_krw_daily", pattern=r"upbit_krw_daily.*", columns=COLUMNS, read=_read, optional=("n_hours",)),
)
