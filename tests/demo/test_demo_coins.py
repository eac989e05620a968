"""Coins of the demo market: legal prices of each date, every day, the same from the same seed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import polars as pl

from stocklab.data.demo.coins import coins_frame
from stocklab.market.upbit import coin_tick_size


def test_prices_are_legal_and_bars_hold_together(demo_frames: Mapping[str, pl.DataFrame]) -> None:
    coins = demo_frames["prices_coin"]
    assert coins.height > 5_000
    outside = (
        (pl.col("high") < pl.max_horizontal("open", "close"))
        | (pl.col("low") > pl.min_horizontal("open", "close"))
        | (pl.min_horizontal("low", "volume") <= 0)
    )
    assert coins.filter(outside).is_empty()
    for row in coins.sample(400, seed=1).iter_rows(named=True):
        for name in ("open", "high", "low", "close"):
            price = Decimal(repr(row[name]))
            assert price % coin_tick_size(price, row["session"]) == 0, (row["symbol"], row["session"], name, price)


def test_every_day_is_there_but_for_a_few(demo_frames: Mapping[str, pl.DataFrame]) -> None:
    coins = demo_frames["prices_coin"]
    days = coins["session"].unique().sort()
    assert days[0] == date(2022, 1, 1)
    assert (days[-1] - days[0]).days + 1 == len(days)
    per_coin = coins.group_by("symbol").len()["len"]
    assert len(per_coin) == 8
    assert 0 < 8 * len(days) - coins.height < 0.01 * 8 * len(days)
    known = demo_frames["instruments"].filter(pl.col("kind") == "coin")
    assert set(known["symbol"]) == set(coins["symbol"])


def test_the_same_seed_gives_the_same_coins_and_none_before_the_rules_are_known() -> None:
    until = date(2023, 3, 2)
    assert coins_frame(5, until).equals(coins_frame(5, until))
    assert not coins_frame(5, until).equals(coins_frame(6, until))
    assert coins_frame(5, date(2022, 1, 1)).is_empty()
