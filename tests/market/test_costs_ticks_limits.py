"""Dated market rules against the known answers of the rule book, and the kernels' tables against the functions."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from stocklab.errors import InputError
from stocklab.market.costs import tax_krw, tax_ppb, tax_table
from stocklab.market.limits import limit_percent, limit_table, price_limits
from stocklab.market.panel import MARKET_CODES
from stocklab.market.ticks import round_to_tick, tick_regimes, tick_size, tick_tables

JAN_2021 = date(2021, 1, 4)
JAN_2024 = date(2024, 1, 4)


@pytest.mark.parametrize(
    ("base", "market", "day", "upper"),
    [
        (22_650, "KOSDAQ", JAN_2021, 29_400),  # traded
        (137_000, "KOSPI", JAN_2021, 178_000),  # traded
        (1_533, "KOSPI", JAN_2024, 1_992),
    ],
)
def test_upper_limits_known(base: int, market: str, day: date, upper: int) -> None:
    assert price_limits(base, market, day)[1] == upper


@pytest.mark.parametrize(("base", "lower"), [(24_250, 17_000), (239_000, 167_500)])
def test_lower_limits_known(base: int, lower: int) -> None:
    assert price_limits(base, "KOSPI", JAN_2024)[0] == lower


@pytest.mark.parametrize(
    ("day", "tax"),
    [
        (date(2024, 12, 26), 18_000),
        (date(2024, 12, 27), 15_000),
        (date(2025, 12, 26), 15_000),
        (date(2025, 12, 29), 20_000),
    ],
)
def test_tax_on_ten_million_won_known(day: date, tax: int) -> None:
    assert tax_krw("KOSPI", day, 10_000_000) == tax


@pytest.mark.parametrize(
    ("day", "kospi", "konex"),  # percent of the sale: press and notices, market rules section 7
    [
        (date(2019, 5, 29), 0.30, 0.30),
        (date(2019, 5, 30), 0.25, 0.10),
        (date(2020, 12, 28), 0.25, 0.10),
        (date(2020, 12, 29), 0.23, 0.10),
        (date(2022, 12, 28), 0.20, 0.10),
        (date(2023, 12, 27), 0.18, 0.10),
    ],
)
def test_tax_rates_by_trade_date(day: date, kospi: float, konex: float) -> None:
    assert tax_ppb("KOSPI", day) == tax_ppb("KOSDAQ", day) == round(kospi * 1e7)
    assert tax_ppb("KONEX", day) == round(konex * 1e7)


def test_tax_is_rounded_down_to_the_won() -> None:
    assert tax_krw("KOSPI", date(2025, 12, 29), 999) == 1  # 1.998


def test_tick_boundaries_belong_to_the_upper_band() -> None:
    old, new = date(2023, 1, 24), date(2023, 1, 25)
    assert [tick_size(price, "KOSPI", old) for price in (999, 1_000, 4_999, 5_000, 10_000, 50_000, 100_000, 500_000)] == [
        1, 5, 5, 10, 50, 100, 500, 1_000,
    ]  # fmt: skip
    assert tick_size(600_000, "KOSDAQ", old) == 100
    assert [tick_size(price, "KOSDAQ", new) for price in (1_999, 2_000, 5_000, 19_999, 20_000, 200_000, 500_000)] == [
        1, 5, 10, 10, 50, 500, 1_000,
    ]  # fmt: skip


def test_etf_ticks() -> None:
    assert tick_size(1_500, "ETF", date(2023, 12, 8)) == 5
    assert tick_size(1_500, "ETF", date(2023, 12, 11)) == 1
    assert tick_size(30_000, "ETF", date(2024, 1, 4)) == 5


def test_rounding_keeps_legal_prices() -> None:
    assert round_to_tick(10_010, "KOSPI", JAN_2024, "up") == 10_010
    assert round_to_tick(10_011, "KOSPI", JAN_2024, "up") == 10_020
    assert round_to_tick(10_019, "KOSPI", JAN_2024, "down") == 10_010


def test_limit_was_fifteen_percent_until_june_2015_and_still_is_on_konex() -> None:
    assert limit_percent("KOSPI", date(2015, 6, 12)) == 15
    assert limit_percent("KOSPI", date(2015, 6, 15)) == 30
    assert limit_percent("KONEX", date(2024, 1, 4)) == 15


def test_tables_for_kernels_repeat_the_functions() -> None:
    sessions = np.array(["2015-06-12", "2015-06-15", "2022-12-28", "2023-01-25", "2023-12-11", "2026-01-05"], "M8[D]")
    taxes, percents, regimes = tax_table(sessions), limit_table(sessions), tick_regimes(sessions)
    starts, ticks = tick_tables()
    for row, session in enumerate(sessions):
        day = session.item()
        for market in ("KOSPI", "KOSDAQ", "KONEX"):
            code = MARKET_CODES[market]
            assert taxes[row, code] == tax_ppb(market, day)
            assert percents[row, code] == limit_percent(market, day)
        for market, column in (("KOSPI", 1), ("KOSDAQ", 2), ("KONEX", 3), ("ETF", len(MARKET_CODES))):
            for price in (1, 1_999, 2_000, 7_777, 123_456, 600_000):
                table = regimes[row, column]
                band = int(np.searchsorted(starts[table], price, side="right")) - 1
                assert ticks[table, band] == tick_size(price, market, day)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: tax_ppb("NASDAQ", JAN_2024), "Unknown market 'NASDAQ'"),
        (lambda: tax_ppb("KOSPI", date(1995, 1, 1)), "No transaction tax is known for 1995-01-01"),
        (lambda: tick_size(1_000, "KOSPI", date(2009, 1, 5)), "No tick table is known for 2009-01-05"),
        (lambda: tick_size(1_000, "NASDAQ", JAN_2024), "Unknown market"),
        (lambda: limit_percent("KOSPI", date(2000, 1, 4)), "No price limit is known"),
        (lambda: limit_percent("NASDAQ", JAN_2024), "Unknown market"),
        (lambda: price_limits(0, "KOSPI", JAN_2024), "A positive base price"),
        (lambda: tax_table(np.array(["1995-01-03"], "M8[D]")), "No transaction tax is known for 1995-01-03"),
    ],
)
def test_asking_outside_the_tables_is_an_error(ask: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ask()  # type: ignore[operator]
