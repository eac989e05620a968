"""Every catalogue row with a TA-Lib counterpart agrees with TA-Lib on 60 real symbols (docs/factors.md, section 5)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from stocklab.factors import CATALOGUE, Wanted, check, evaluate
from stocklab.market.panel import Panel

talib = pytest.importorskip("talib")

MAPPED = [factor for factor in CATALOGUE.values() if factor.ta_lib]
# null here where a window is completely flat; TA-Lib prints 0 or rounding noise (difference 2 of the parity rule)
NULL_WHEN_FLAT = {
    "cci_20",
    "mfi_14",
    "willr_14",
    "stoch_k",
    "stoch_d",
    "stoch_fast_k",
    "ultosc",
    "vwap_20",
    "vwap_ratio_20",
    "trend_slope_90",
}


def one_symbol(bars: pl.DataFrame) -> dict[str, np.ndarray]:
    """float64 columns from the first traded bar; a no-trade day has open = high = low = close."""
    columns = {name: bars[name].to_numpy().astype(np.float64) for name in ("open", "high", "low", "close", "volume")}
    halted = columns["open"] == 0
    for name in ("open", "high", "low"):
        columns[name] = np.where(halted, columns["close"], columns[name])
    columns["tv"] = columns["close"] * columns["volume"]
    columns["mkt_close"] = bars["mkt_close"].to_numpy().astype(np.float64)
    first = int(np.argmax(columns["volume"] > 0))
    return {name: np.ascontiguousarray(values[first:]) for name, values in columns.items()}


@pytest.fixture(scope="module")
def symbols(real_data: Path) -> dict[str, dict[str, np.ndarray]]:
    index = pl.read_parquet(real_data / "krx_index_daily.parquet").filter(pl.col("index") == "KOSPI")
    index = index.select("date", pl.col("close").alias("mkt_close"))
    bars = pl.read_parquet(real_data / "sample_krx_daily_60.parquet").join(index, on="date", how="left")
    bars = bars.sort("code", "date")
    found = {str(key[0]): one_symbol(group) for key, group in bars.group_by("code", maintain_order=True)}
    assert len(found) == 60
    return found


@pytest.fixture(scope="module")
def computed(symbols: dict[str, dict[str, np.ndarray]], make_panel: Callable[..., Panel]) -> dict[str, np.ndarray]:
    """All mapped factors of all symbols at once; each symbol is listed for as many of the last sessions as it has."""
    n_sessions = max(len(columns["close"]) for columns in symbols.values())
    listed = np.zeros((n_sessions, len(symbols)), dtype=np.bool_)
    fields = {name: np.full(listed.shape, np.nan) for name in next(iter(symbols.values()))}
    for place, columns in enumerate(symbols.values()):
        for name, values in columns.items():
            fields[name][-len(values) :, place] = values
            listed[-len(values) :, place] = True
    found = evaluate([Wanted(factor.formula, "value") for factor in MAPPED], make_panel(fields, listed=listed))
    return {factor.id: table for factor, table in zip(MAPPED, found, strict=True)}


def oracle(expression: str, columns: dict[str, np.ndarray]) -> np.ndarray:
    names: dict[str, Any] = {name: getattr(talib, name) for name in talib.get_functions()}
    names |= columns
    names |= {"bar": np.arange(len(columns["close"]), dtype=np.float64), "log": np.log, "exp": np.exp, "sqrt": np.sqrt}
    with np.errstate(all="ignore"):
        return np.asarray(eval(expression, {"__builtins__": {}}, names))


def test_every_mapped_factor_is_computed() -> None:
    assert len(MAPPED) == 75
    assert not any(check(factor.id).items for factor in MAPPED)


def after_halt(volume: np.ndarray, lookback: str) -> np.ndarray:
    """Bars with at least six no-trade bars in a row inside their lookback."""
    halted = np.lib.stride_tricks.sliding_window_view(volume == 0, 6).all(axis=1)
    ends = np.concatenate([np.zeros(5, dtype=np.bool_), halted])
    window = int(lookback.removesuffix("d"))
    return np.array([ends[max(0, t - window + 1) : t + 1].any() for t in range(len(ends))])


@pytest.mark.realdata
@pytest.mark.parametrize("factor", MAPPED, ids=[factor.id for factor in MAPPED])
def test_parity(  # type: ignore[no-untyped-def]
    factor, symbols: dict[str, dict[str, np.ndarray]], computed: dict[str, np.ndarray]
) -> None:
    compared = 0
    for place, (code, columns) in enumerate(symbols.items()):
        ours = computed[factor.id][-len(columns["close"]) :, place]
        theirs = oracle(factor.ta_lib, columns)
        printed = np.isfinite(theirs)
        missing = printed & np.isnan(ours)
        if factor.id not in NULL_WHEN_FLAT:
            assert not missing.any(), f"{code}: null at {np.flatnonzero(missing)[:5]}"
        both = printed & ~missing
        size = np.maximum(np.abs(theirs[both]), np.median(np.abs(theirs[both])) if both.any() else 0.0)
        wrong = np.abs(ours[both] - theirs[both]) > 1e-9 * size
        at = np.flatnonzero(both)[wrong][:3]
        assert not wrong.any(), f"{code} at {at}: ours {ours[at]}, TA-Lib {theirs[at]}"
        if missing.any():
            assert not (missing & ~after_halt(columns["volume"], factor.lookback)).any(), f"{code}: null without a halt"
        compared += int(both.sum())
    assert compared > 60 * 500
