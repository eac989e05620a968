"""Bars of one symbol with indicators, each computed by the formula engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import numpy as np

from stocklab.errors import InputError
from stocklab.factors import CATALOGUE, Wanted, check, evaluate, evaluate_series
from stocklab.factors.one_symbol import one_symbol
from stocklab.market.panel import Panel, PriceBasis
from stocklab.types import AnyArray, BoolArray, DateArray, FloatArray

__all__ = ["INDICATORS", "Interval", "PriceHistory", "price_history"]

Interval = Literal["daily", "weekly", "monthly"]

AVERAGES: Final = (5, 20, 60, 120)
BAND: Final = 20

# name -> formula over {close}; catalogue factors are written out, so that the price can be changed
INDICATORS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{f"average_{n}": f"sma({{close}},{n})" for n in AVERAGES},
        "band_upper": f"sma({{close}},{BAND})+2*tstd({{close}},{BAND},0)",
        "band_lower": f"sma({{close}},{BAND})-2*tstd({{close}},{BAND},0)",
        "rsi": CATALOGUE["rsi_14"].formula.replace("close", "{close}"),
        "macd": "ema({close},12)-ema({close},26)",
        "macd_signal": "ema(ema({close},12)-ema({close},26),9)",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceHistory:
    """A symbol's bars, oldest first, all arrays (n,); only sessions on which it was listed.

    ``bars`` holds open, high, low, close and volume, ``indicators`` those of `INDICATORS`; NaN = unknown.
    ``adjusted`` says whether prices are rewritten for later corporate actions.
    """

    sessions: DateArray
    bars: Mapping[str, FloatArray]
    indicators: Mapping[str, FloatArray]
    adjusted: bool


def price_history(panel: Panel, symbol: str, *, adjusted: bool, interval: Interval = "daily") -> PriceHistory:
    """The whole history of a symbol; a period is cut from it, so that averages know what came before.

    Bars of a week (from Monday) or month begin with the first session traded, end with the last session and bear its
    date; indicators then count such bars.

    Raises
    ------
    InputError
        The panel does not hold the symbol, or raw prices are asked of an adjusted panel.
    """
    if not adjusted and panel.basis is PriceBasis.ADJUSTED:
        raise InputError("These data hold adjusted prices only. Hint: import raw bars.")
    raw = panel.basis is PriceBasis.RAW and not adjusted
    names = dict(zip(("open", "high", "low", "close", "volume"), _fields(raw=raw), strict=True))
    formulas = {name: formula.format(close=names["close"]) for name, formula in INDICATORS.items()}
    inputs = {name for formula in formulas.values() for name in check(formula).inputs}
    own = one_symbol(panel, panel.column(symbol), {*names.values(), *inputs, "traded"})
    found = evaluate([Wanted(formula, "value") for formula in formulas.values()], own, threads=1)
    close = own.fields[names["close"]][:, 0]
    rows = np.flatnonzero(np.asarray(own.fields["listed"][:, 0], dtype=np.bool_) & ~np.isnan(close))
    history = PriceHistory(
        sessions=panel.sessions[rows],
        bars={name: _floats(own.fields[field], rows) for name, field in names.items()},
        indicators={name: _floats(values, rows) for name, values in zip(formulas, found, strict=True)},
        adjusted=not raw and panel.basis is not PriceBasis.COIN,
    )
    if interval == "daily":
        return history
    return _grouped(history, np.asarray(own.fields["traded"][rows, 0], dtype=np.bool_), interval)


def _grouped(daily: PriceHistory, traded: BoolArray, interval: Interval) -> PriceHistory:
    days = daily.sessions.astype("datetime64[D]").astype(np.int64)
    # 1970-01-01 was a Thursday: three days later weeks begin
    period = (days + 3) // 7 if interval == "weekly" else daily.sessions.astype("datetime64[M]").astype(np.int64)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(period)) + 1]) if len(days) else np.zeros(0, dtype=np.int64)
    ends = np.append(starts[1:], len(days)) - 1 if len(days) else starts
    bars = daily.bars
    first_trade = np.array(
        [start + int(np.argmax(traded[start : end + 1])) for start, end in zip(starts, ends, strict=True)],
        dtype=np.int64,
    )
    grouped = {
        "open": bars["open"][first_trade],
        "high": np.fmax.reduceat(bars["high"], starts) if len(starts) else bars["high"],
        "low": np.fmin.reduceat(bars["low"], starts) if len(starts) else bars["low"],
        "close": bars["close"][ends],
        "volume": np.add.reduceat(np.nan_to_num(bars["volume"]), starts) if len(starts) else bars["volume"],
    }
    closes = {"close": grouped["close"]}
    return PriceHistory(
        sessions=daily.sessions[ends],
        bars=grouped,
        indicators={
            name: evaluate_series(formula.format(close="close"), closes) for name, formula in INDICATORS.items()
        },
        adjusted=daily.adjusted,
    )


def _fields(*, raw: bool) -> tuple[str, ...]:
    names = ("open", "high", "low", "close", "volume")
    return tuple(f"{name}_raw" for name in names) if raw else names


def _floats(values: AnyArray, rows: AnyArray) -> FloatArray:
    return np.asarray(values[rows, 0], dtype=np.float64)
