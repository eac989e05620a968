"""The returns of the demo market look like those of a market: Cont (2001), "Empirical properties of asset returns"."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
import pytest

Frames = Mapping[str, pl.DataFrame]


@pytest.fixture(scope="module")
def wide(demo_frames: Frames, demo_bars: pl.DataFrame) -> pl.DataFrame:
    """Log returns off the base price by session, one column per common share listed throughout."""
    gone = demo_frames["delistings"]["symbol"].implode()
    common = demo_bars.filter(pl.col("kind") == "common", pl.col("market") != "KONEX", ~pl.col("symbol").is_in(gone))
    full = common.filter(pl.len().over("symbol") == common["session"].n_unique())
    growth = full.with_columns(growth=(pl.col("close") / pl.col("base")).log())
    return growth.pivot(on="symbol", index="session", values="growth").sort("session").drop("session")


@pytest.fixture(scope="module")
def returns(wide: pl.DataFrame) -> np.ndarray:
    return wide.to_numpy()


def test_fat_tails(returns: np.ndarray) -> None:
    centred = returns - returns.mean(axis=0)
    kurtosis = (centred**4).mean(axis=0) / (centred**2).mean(axis=0) ** 2
    assert np.median(kurtosis) > 5
    assert (kurtosis > 3.5).mean() > 0.95


def test_volatility_clusters_but_returns_do_not(returns: np.ndarray) -> None:
    def autocorrelation(values: np.ndarray, lag: int) -> float:
        centred = values - values.mean(axis=0)
        return float(np.median((centred[lag:] * centred[:-lag]).mean(axis=0) / (centred**2).mean(axis=0)))

    size = np.minimum(np.abs(returns), 0.15)
    assert autocorrelation(size, 1) > 0.08
    assert autocorrelation(size, 10) > 0.04
    assert abs(autocorrelation(returns, 1)) < 0.08


def test_common_and_sector_factors(wide: pl.DataFrame, demo_frames: Frames) -> None:
    correlation = np.corrcoef(wide.to_numpy().T)
    sector_of = dict(demo_frames["instruments"].select("symbol", "sector").iter_rows())
    sectors = np.array([sector_of[symbol] for symbol in wide.columns])
    same = sectors[:, None] == sectors
    pairs = np.triu(np.ones_like(same), k=1)
    within, across = correlation[pairs & same].mean(), correlation[pairs & ~same].mean()
    assert 0.08 < across < 0.5
    assert within > across + 0.03


def test_momentum_is_mild(demo_frames: Frames) -> None:
    """Rank correlation of the past year (without its last month) with the next month: small, but there."""
    common = demo_frames["instruments"].filter(pl.col("kind") == "common")["symbol"].implode()
    adjusted = demo_frames["prices_adjusted"].filter(pl.col("symbol").is_in(common))
    level = np.log(
        adjusted.pivot(on="symbol", index="session", values="close").sort("session").drop("session").to_numpy()
    )
    found = []
    for now in range(260, len(level) - 21, 21):
        past, ahead = level[now - 21] - level[now - 252], level[now + 21] - level[now]
        known = np.isfinite(past) & np.isfinite(ahead)
        ranks = [values[known].argsort().argsort() for values in (past, ahead)]
        found.append(np.corrcoef(*ranks)[0, 1])
    assert 0.0 < np.mean(found) < 0.08


def test_prices_span_korean_levels(demo_bars: pl.DataFrame) -> None:
    close = demo_bars.filter(pl.col("kind") == "common")["close"]
    assert close.quantile(0.02) < 1_500
    assert 3_000 < close.median() < 30_000
    assert close.max() > 300_000
    value = demo_bars.filter(pl.col("kind") == "common", pl.col("volume") > 0).select(pl.col("tv") / pl.col("mcap"))
    assert 0.001 < value["tv"].median() < 0.02
