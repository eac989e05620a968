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

__all__ = ["LAYOUTS"]

_PRICES: Final = ("open", "high", "low", "close")
COLUMNS: Final = ("date", "market", *_PRICES, "volume")
NAMES: Final = {"session": "date", "symbol": "market", **{name: name for name in COLUMNS[2:]}}
_ROUNDING: Final = 1e-14
"""Of a price: a product of two doubles is off by less than this fraction."""


def _read(file: SourceFile) -> list[Piece]:
    symbols = to_texts(file, "market")
    check_coins(symbols, file, "market")
    bars = pl.DataFrame(
        [
            to_dates(file, "date").alias("session"),
            symbols.alias("symbol"),
            *(to_reals(file, name, nullable=name not in {"close", "volume"}).alias(name) for name in COLUMNS[2:]),
        ]
    )
    for name in _PRICES:
        units = bars[name] * COIN_UNIT
        off = (units - units.round(0)).abs() > units.abs() * _ROUNDING + 1e-6
        refuse_where(off, file, name, "a price of at most eight decimals")
    bars = normalize_bars(bars, file, NAMES).with_columns(
        pl.lit(None, dtype=pl.Float64).alias("tv"), pl.lit("upbit_krw_daily").alias("source")
    )
    named = bars.select("symbol").unique(maintain_order=True)
    named = named.with_columns(
        pl.col("symbol").str.strip_prefix("KRW-").alias("name"),
        pl.lit("UPBIT").alias("market"),
        pl.lit("coin").alias("kind"),
    )
    return [
        Piece(dataset="prices_coin", file=file.name, frame=with_rows(bars), names=NAMES),
        Piece(dataset="instruments", file=file.name, frame=instrument_rows(named)),
    ]


LAYOUTS: Final = (
    Layout(name="upbit_krw_daily", pattern=r"upbit_krw_daily.*", columns=COLUMNS, read=_read, optional=("n_hours",)),
)
