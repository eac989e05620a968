"""Every bar of the demo market is one KRX could have published. Tables here are typed from the rules, not imported."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import polars as pl
import pytest

from stocklab.data.demo.cast import make_cast
from stocklab.data.demo.grid import Grid
from stocklab.data.demo.plot import make_plot
from stocklab.market.panel import MARKET_CODES

NEW_TICKS, NEW_FUND_TICKS = date(2023, 1, 25), date(2023, 12, 11)


def tick(price: pl.Expr) -> pl.Expr:
    """Ticks by market and date, from the published tables."""

    def bands(*rows: tuple[int, int]) -> pl.Expr:
        found = pl.lit(1)
        for floor, size in rows:
            found = pl.when(price >= floor).then(pl.lit(size)).otherwise(found)
        return found

    kospi = bands((1_000, 5), (5_000, 10), (10_000, 50), (50_000, 100), (100_000, 500), (500_000, 1_000))
    kosdaq = bands((1_000, 5), (5_000, 10), (10_000, 50), (50_000, 100))
    new = bands((2_000, 5), (5_000, 10), (20_000, 50), (50_000, 100), (200_000, 500), (500_000, 1_000))
    fund = pl.when((pl.col("session") >= NEW_FUND_TICKS) & (price < 2_000)).then(1).otherwise(5)
    old = pl.when(pl.col("market") == "KOSPI").then(kospi).otherwise(kosdaq)
    stock = pl.when(pl.col("session") >= NEW_TICKS).then(new).otherwise(old)
    return pl.when(pl.col("kind") == "etf").then(fund).otherwise(stock)


@pytest.mark.parametrize("price", ["open", "high", "low", "close"])
def test_traded_prices_are_legal_ticks(demo_bars: pl.DataFrame, price: str) -> None:
    traded = demo_bars.filter(pl.col("volume") > 0)
    assert traded.filter(pl.col(price) % tick(pl.col(price)) != 0).is_empty()


def test_range_holds_open_and_close(demo_bars: pl.DataFrame) -> None:
    ends = ("open", "close")
    wrong = pl.any_horizontal(pl.col("low") > pl.min_horizontal(ends), pl.col("high") < pl.max_horizontal(ends))
    assert demo_bars.filter(wrong | (pl.col("low") < 1)).is_empty()


def test_no_trade_days_have_no_range_and_carry_the_close(demo_bars: pl.DataFrame) -> None:
    quiet, traded = demo_bars.filter(pl.col("volume") == 0), demo_bars.filter(pl.col("volume") > 0)
    assert quiet.height > 5_000
    for price in ("open", "high", "low"):
        assert quiet[price].null_count() == quiet.height
        assert traded[price].null_count() == 0
    assert quiet.filter((pl.col("change") != 0) | (pl.col("tv") != 0)).is_empty()
    assert quiet.filter(pl.col("close") != pl.col("before")).is_empty()
    assert demo_bars["volume"].min() == 0


def test_halted_symbols_do_not_trade(demo_bars: pl.DataFrame) -> None:
    sessions = demo_bars["session"].unique().sort().to_numpy()
    cast = make_cast(400, 20161121, sessions)
    plot = make_plot(cast, len(sessions), 20161121)
    volume = np.full(plot.halted.shape, -1)
    symbol = np.searchsorted(cast.symbols, demo_bars["symbol"].to_numpy())
    volume[np.searchsorted(sessions, demo_bars["session"].to_numpy()), symbol] = demo_bars["volume"].to_numpy()
    assert plot.halted.sum() > 4_000
    assert (volume[plot.halted] == 0).all()
    assert ((volume >= 0) == plot.listed).all()


def test_prices_stay_within_the_daily_limits(demo_bars: pl.DataFrame) -> None:
    limited = demo_bars.filter((pl.col("volume") > 0) & ~pl.col("first_day") & ~pl.col("cleanup"))
    percent = pl.when(pl.col("market") == "KONEX").then(15).otherwise(30)
    base_tick = tick(pl.col("base"))
    limited = limited.with_columns(width=pl.col("base") * percent // 100 // base_tick * base_tick)
    limited = limited.with_columns(top=pl.col("base") + pl.col("width"), bottom=pl.col("base") - pl.col("width"))
    limited = limited.with_columns(top=pl.col("top") - pl.col("top") % tick(pl.col("top")))
    assert limited.filter((pl.col("high") > pl.col("top")) | (pl.col("low") < pl.col("bottom"))).is_empty()
    at_top = limited.filter(pl.col("close") == pl.col("top"))
    locked_up = at_top.filter(pl.col("low") == pl.col("top"))
    locked_down = limited.filter(pl.col("high") == pl.col("bottom"))
    assert at_top.height >= 100
    assert locked_up.height >= 50
    assert locked_down.height >= 20


def test_base_price_is_the_previous_close_but_for_events_and_first_days(
    demo_bars: pl.DataFrame, demo_frames: Mapping[str, pl.DataFrame]
) -> None:
    known = demo_bars.filter(pl.col("before").is_not_null())
    moved = known.filter(pl.col("base") != pl.col("before")).select("symbol", "session")
    assert moved.join(demo_frames["events"], on=["symbol", "session"], how="anti").is_empty()


def test_first_days_open_in_the_range_of_their_time(demo_bars: pl.DataFrame) -> None:
    first = demo_bars.filter(pl.col("first_day") & (pl.col("market") != "KONEX"))
    old, new = first.filter(pl.col("session") < date(2023, 6, 26)), first.filter(pl.col("session") >= date(2023, 6, 26))
    assert min(old.height, new.height) >= 10
    assert old.filter(pl.col("base") != pl.col("open")).is_empty()  # the opening auction sets the base
    assert old.filter(10 * (pl.col("close") - pl.col("base")).abs() > 3 * pl.col("base")).is_empty()
    assert new.filter((pl.col("high") > 4.01 * pl.col("base")) | (pl.col("low") < 0.59 * pl.col("base"))).is_empty()
    assert new.filter(pl.col("close") > 1.3 * pl.col("base")).height >= 1


def test_traded_value_lies_between_low_and_high(demo_bars: pl.DataFrame) -> None:
    volume = pl.col("volume")
    outside = (pl.col("tv") < volume * pl.col("low")) | (pl.col("tv") > volume * pl.col("high"))
    assert demo_bars.filter(volume > 0).filter(outside).is_empty()


def test_market_value_is_close_times_listed_shares(demo_bars: pl.DataFrame) -> None:
    assert demo_bars.filter(pl.col("mcap") != pl.col("close") * pl.col("shares_listed")).is_empty()
    assert demo_bars["shares_listed"].min() > 0


@pytest.mark.parametrize(
    ("base", "market", "day", "lower", "upper"),
    [  # recorded or derived from KRX's rule: docs/market-rules.md, section 15, item 9
        (22_650, "KOSDAQ", date(2021, 1, 4), None, 29_400),
        (137_000, "KOSPI", date(2021, 1, 4), None, 178_000),
        (1_533, "KOSDAQ", date(2024, 1, 4), None, 1_992),
        (24_250, "KOSPI", date(2024, 1, 4), 17_000, None),
        (239_000, "KOSPI", date(2024, 1, 4), 167_500, None),
    ],
)
def test_known_limits(base: int, market: str, day: date, lower: int | None, upper: int | None) -> None:
    grid = Grid(np.array([day], dtype="datetime64[D]"), np.array([[MARKET_CODES[market]]]), np.array([False]))
    found = [int(side[0]) for side in grid.limits(0, np.array([base]))]
    assert found == [lower or found[0], upper or found[1]]
