"""Indices are chained from their members; listings, delistings and new shares do not move them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
import pytest

Frames = Mapping[str, pl.DataFrame]


def level(frames: Frames, index: str) -> pl.DataFrame:
    return frames["indices"].filter(pl.col("index") == index).sort("session")


def chained(bars: pl.DataFrame) -> np.ndarray:
    """Growth factor of each session: value at the close over value at the base price, both with the day's shares."""
    value = pl.col("shares_listed").cast(pl.Float64)
    daily = bars.group_by("session").agg(step=(value * pl.col("close")).sum() / (value * pl.col("base")).sum())
    return daily.sort("session")["step"].to_numpy()


@pytest.mark.parametrize("market", ["KOSPI", "KOSDAQ"])
def test_index_reproduces_from_its_members(demo_frames: Frames, demo_bars: pl.DataFrame, market: str) -> None:
    members = demo_bars.filter(pl.col("market") == market, pl.col("kind") != "etf", ~pl.col("first_day"))
    published = level(demo_frames, market)["close"].to_numpy()
    np.testing.assert_allclose(published[1:] / published[:-1], chained(members)[1:], rtol=3e-5)


def test_kospi200_holds_the_largest_common_shares_of_each_half_year(
    demo_frames: Frames, demo_bars: pl.DataFrame
) -> None:
    common = demo_bars.filter(pl.col("market") == "KOSPI", pl.col("kind") == "common", ~pl.col("first_day"))
    published = level(demo_frames, "KOSPI200")
    half = (pl.col("session") >= pl.date(2022, 1, 1)) & (pl.col("session") <= pl.date(2022, 6, 30))
    judged = common.filter(pl.col("session") == common.filter(pl.col("session") < pl.date(2022, 1, 1))["session"].max())
    count = min(200, -(-3 * judged.height // 5))
    chosen = judged.sort(["mcap", "symbol"], descending=[True, False])["symbol"].head(count)
    members = common.filter(half, pl.col("symbol").is_in(chosen.implode()))
    inside = published.filter(half)["close"].to_numpy()
    np.testing.assert_allclose(inside[1:] / inside[:-1], chained(members)[1:], rtol=1e-4)


def test_rows_are_ordered_and_plausible(demo_frames: Frames) -> None:
    indices = demo_frames["indices"]
    assert set(indices["index"]) == {"KOSPI", "KOSDAQ", "KOSPI200"}
    ends = ("open", "close")
    wrong = (pl.col("low") > pl.min_horizontal(ends)) | (pl.col("high") < pl.max_horizontal(ends))
    assert indices.filter(wrong).is_empty()
    for index, least, most in (("KOSPI", 0.10, 0.25), ("KOSDAQ", 0.12, 0.32)):
        growth = np.diff(np.log(level(demo_frames, index)["close"].to_numpy()))
        assert least < growth.std() * np.sqrt(246) < most


def test_turnover_of_an_index_is_that_of_its_market(demo_frames: Frames, demo_bars: pl.DataFrame) -> None:
    members = demo_bars.filter(pl.col("market") == "KOSDAQ", ~pl.col("first_day"))
    daily = members.group_by("session").agg(pl.col("volume", "tv").sum()).sort("session")
    assert daily.equals(level(demo_frames, "KOSDAQ").select("session", "volume", "tv"))


def test_etfs_follow_what_their_names_say(demo_frames: Frames, demo_bars: pl.DataFrame) -> None:
    names = dict(demo_frames["instruments"].filter(pl.col("kind") == "etf").select("name", "symbol").iter_rows())
    for word, index, sign in (("코스피 ", "KOSPI", 1), ("코스닥 ", "KOSDAQ", 1), ("인버스", "KOSPI200", -1)):
        symbol = next(code for name, code in names.items() if word in name)
        fund = demo_bars.filter(pl.col("symbol") == symbol).select("session", "close")
        both = fund.join(level(demo_frames, index).select("session", index="close"), on="session").sort("session")
        growth = np.diff(np.log(both.select("close", "index").to_numpy()), axis=0)
        assert sign * np.corrcoef(growth.T)[0, 1] > 0.97
