"""Bars of one symbol with indicators, each computed by the formula engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from stocklab.errors import InputError
from stocklab.factors import CATALOGUE, Wanted, check, evaluate
from stocklab.factors.one_symbol import one_symbol
from stocklab.market.panel import Panel, PriceBasis
from stocklab.types import AnyArray, DateArray, FloatArray

__all__ = ["INDICATORS", "PriceHistory", "price_history"]

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


def price_history(panel: Panel, symbol: str, *, adjusted: bool) -> PriceHistory:
    """The whole history of a symbol; a period is cut from it, so that averages know what came before.

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
    own = one_symbol(panel, panel.column(symbol), {*names.values(), *inputs})
    found = evaluate([Wanted(formula, "value") for formula in formulas.values()], own, threads=1)
    close = own.fields[names["close"]][:, 0]
    rows = np.flatnonzero(np.asarray(own.fields["listed"][:, 0], dtype=np.bool_) & ~np.isnan(close))
    return PriceHistory(
        sessions=panel.sessions[rows],
        bars={name: _floats(own.fields[field], rows) for name, field in names.items()},
        indicators={name: _floats(values, rows) for name, values in zip(formulas, found, strict=True)},
        adjusted=not raw and panel.basis is not PriceBasis.COIN,
    )


def _fields(*, raw: bool) -> tuple[str, ...]:
    names = ("open", "high", "low", "close", "volume")
    return tuple(f"{name}_raw" for name in names) if raw else names


def _floats(values: AnyArray, rows: AnyArray) -> FloatArray:
    return np.asarray(values[rows, 0], dtype=np.float64)
