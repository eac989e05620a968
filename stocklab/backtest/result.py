"""What goes into a run and what comes out: plain values, no files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import polars as pl

from stocklab.strategy.document import Strategy
from stocklab.types import FloatArray

__all__ = [
    "TABLE_SCHEMAS",
    "OnProgress",
    "Progress",
    "Result",
    "RunRequest",
    "ShouldCancel",
    "in_floats",
    "table_schema",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """One run: the document, the inclusive date range and the starting cash."""

    strategy: Strategy
    start: date
    end: date
    initial_cash_krw: int
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a run is. ``stage`` is "factors", "plan", "simulate" or "result"; ``done`` a fraction of the whole run.

    In the stage "simulate" ``session`` is the date reached, ``equity_krw`` the curve so far (n,) with its
    ``first_session`` index into the panel, and the counts and ratios are those reached.
    """

    stage: str
    done: float
    session: date | None = None
    buys: int = 0
    sells: int = 0
    total_return: float = 0.0
    max_drawdown: float = 0.0
    equity_krw: FloatArray | None = None
    first_session: int = 0


OnProgress = Callable[[Progress], None]
ShouldCancel = Callable[[], bool]

TABLE_SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "daily": {
        "session": pl.Date,
        "cash_krw": pl.Int64,
        "holdings_krw": pl.Int64,
        "equity_krw": pl.Int64,
        "benchmark": pl.Float64,
    },
    "positions": {
        "session": pl.Date,
        "symbol": pl.String,
        "shares": pl.Int64,
        "close_krw": pl.Int64,
        "value_krw": pl.Int64,
    },
    "trades": {
        "session": pl.Date,
        "symbol": pl.String,
        "market": pl.String,
        "side": pl.String,
        "shares": pl.Int64,
        "price_krw": pl.Int64,
        "amount_krw": pl.Int64,
        "commission_krw": pl.Int64,
        "tax_krw": pl.Int64,
        "slippage_krw": pl.Int64,
        "reason": pl.String,
        "rule": pl.String,
        "order_id": pl.Int64,
    },
    "orders": {
        "order_id": pl.Int64,
        "decided": pl.Date,
        "session": pl.Date,
        "symbol": pl.String,
        "side": pl.String,
        "shares_ordered": pl.Int64,
        "shares_filled": pl.Int64,
        "limit_krw": pl.Int64,
        "status": pl.String,
        "reason": pl.String,
    },
    "ledger": {
        "session": pl.Date,
        "kind": pl.String,
        "symbol": pl.String,
        "cash_delta_krw": pl.Int64,
    },
    "deposits": {
        "session": pl.Date,
        "settled_krw": pl.Int64,
        "next_session_krw": pl.Int64,
        "second_session_krw": pl.Int64,
        "withdrawable_krw": pl.Int64,
    },
}
"""Columns and types of the exported tables, in order, for KRX (whole won, whole shares)."""

COIN_QUANTITY: Final = pl.Decimal(38, 12)
COIN_MONEY: Final = pl.Decimal(38, 8)
_QUANTITIES: Final = frozenset({"shares", "shares_ordered", "shares_filled", "close_krw", "price_krw", "limit_krw"})


def table_schema(table: str, *, coins: bool) -> Mapping[str, Any]:
    """Columns and types of an exported table: of coins, quantities and prices are `COIN_QUANTITY`, money `COIN_MONEY`.

    >>> str(table_schema("trades", coins=True)["amount_krw"]), str(table_schema("trades", coins=False)["amount_krw"])
    ('Decimal(precision=38, scale=8)', 'Int64')
    """
    schema = dict(TABLE_SCHEMAS[table])
    if coins:
        schema |= {name: COIN_MONEY for name in schema if name.endswith("_krw")}
        schema |= {name: COIN_QUANTITY for name in schema if name in _QUANTITIES}
    return schema


def in_floats(table: pl.DataFrame) -> pl.DataFrame:
    """The table with decimals as floats, for figures and charts; tables of whole won stay as they are."""
    return table.with_columns(pl.selectors.decimal().cast(pl.Float64))


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A finished run as a value.

    ``run_id`` is the content hash of the inputs (document, range, cash, seed, panel key, code version): same inputs,
    same id, same bytes. ``card`` and ``metrics`` are JSON-ready; ``tables`` has one frame per key of ``TABLE_SCHEMAS``.
    """

    run_id: str
    card: Mapping[str, Any]
    metrics: Mapping[str, Any]
    tables: Mapping[str, pl.DataFrame]
