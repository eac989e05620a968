"""Upbit's tables: ticks by date, boundaries, the smallest order, and what is not known.

Expected ticks are typed from the pages of the developer centre named in `stocklab/market/upbit.py`.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from stocklab.errors import InputError
from stocklab.market.panel import COIN_UNIT, MARKET_CODES
from stocklab.market.upbit import (
    coin_round_to_tick,
    coin_sessions,
    coin_tick_regimes,
    coin_tick_size,
    coin_tick_tables,
    minimum_orders,
)

BEFORE, MIDDLE, NOW = date(2024, 1, 28), date(2024, 1, 29), date(2025, 7, 31)


@pytest.mark.parametrize(
    ("price", "before", "middle", "now"),
    [
        ("160000000", "1000", "1000", "1000"),
        ("2000000", "1000", "1000", "1000"),
        ("1999999", "500", "500", "1000"),
        ("1000000", "500", "500", "1000"),
        ("999999", "100", "100", "500"),
        ("499999", "50", "50", "100"),
        ("99999", "10", "10", "50"),
        ("49999", "10", "10", "10"),
        ("9999", "5", "1", "5"),
        ("4999", "5", "1", "1"),
        ("1000", "5", "1", "1"),
        ("999.9", "1", "0.1", "1"),
        ("100", "1", "0.1", "1"),
        ("99.99", "0.1", "0.01", "0.1"),
        ("9.999", "0.01", "0.001", "0.01"),
        ("0.9999", "0.001", "0.0001", "0.001"),
        ("0.09999", "0.0001", "0.00001", "0.0001"),
        ("0.009999", "0.0001", "0.000001", "0.00001"),
        ("0.0009999", "0.0001", "0.0000001", "0.000001"),
        ("0.00009999", "0.0001", "0.00000001", "0.0000001"),
        ("0.000009999", "0.0001", "0.00000001", "0.00000001"),
    ],
)
def test_ticks_of_the_three_tables(price: str, before: str, middle: str, now: str) -> None:
    assert coin_tick_size(Decimal(price), BEFORE) == Decimal(before)
    assert coin_tick_size(Decimal(price), MIDDLE) == Decimal(middle)
    assert coin_tick_size(Decimal(price), NOW) == Decimal(now)
    assert coin_tick_size(Decimal(price), NOW - timedelta(1)) == Decimal(middle)


def test_a_price_chooses_its_tick_and_legal_prices_stay() -> None:
    assert coin_round_to_tick(Decimal("4999.5"), NOW, "up") == 5000
    assert coin_round_to_tick(Decimal("5001"), NOW, "up") == 5005
    assert coin_round_to_tick(Decimal("5001"), NOW, "down") == 5000
    assert coin_round_to_tick(Decimal("0.1234"), MIDDLE, "down") == Decimal("0.1234")


def test_tables_for_kernels_repeat_the_functions() -> None:
    days = np.array([BEFORE, MIDDLE, NOW], "M8[D]")
    starts, ticks = coin_tick_tables()
    regimes = coin_tick_regimes(days)
    assert regimes.shape == (3, len(MARKET_CODES) + 1)
    for row, day in enumerate((BEFORE, MIDDLE, NOW)):
        for price in ("0.00000001", "0.0001", "0.099", "0.1", "7", "10", "999.9", "1000", "4999", "5000", "2000000"):
            units = int(Decimal(price) * COIN_UNIT)
            band = int(np.searchsorted(starts[regimes[row, 0]], units, side="right")) - 1
            assert ticks[regimes[row, 0], band] == coin_tick_size(Decimal(price), day) * COIN_UNIT


def test_every_day_is_a_session() -> None:
    assert len(coin_sessions(date(2024, 1, 1), date(2024, 12, 31))) == 366
    assert minimum_orders(coin_sessions(date(2024, 2, 10), date(2024, 2, 11))).tolist() == [500_000_000_000] * 2


def test_asking_before_the_first_row_is_an_error() -> None:
    with pytest.raises(InputError, match="No Upbit tick table is known for 2021-12-31"):
        coin_tick_size(Decimal(1), date(2021, 12, 31))
    for table in (coin_tick_regimes, minimum_orders):
        with pytest.raises(InputError, match="known from 2022-01-01 on, found the session 2021-12-31"):
            table(np.array(["2021-12-31", "2022-01-01"], "M8[D]"))
