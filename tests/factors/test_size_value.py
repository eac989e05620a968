"""Size and value factors against a market worked out by hand and a plain reference written from docs/factors.md, 7."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from statistics import median
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from stocklab.factors.size_value import StockMarket, formations, size_value
from stocklab.market.calendar import sessions_between
from stocklab.market.panel import MARKET_CODES

NAN = math.nan
KOSPI, KOSDAQ, KONEX = (MARKET_CODES[name] for name in ("KOSPI", "KOSDAQ", "KONEX"))
DAYS = np.array(
    ["2021-12-30", "2022-06-29", "2022-06-30", "2022-07-01", "2022-07-04", "2023-06-29", "2023-06-30", "2023-07-03"],
    dtype="datetime64[D]",
)
# Six KOSPI stocks, one per portfolio. Caps at the end of June: 1, 2, 3 are small, 10, 20, 30 big (median 6.5).
# Book over the December cap of 10: 0.1, 0.5, 0.9 for small and 0.2, 0.6, 1.0 for big; the 30th and 70th percentiles of
# 0.1 0.2 0.5 0.6 0.9 1.0 lie at positions 1.5 and 3.5: 0.35 and 0.75.
BOOK = np.array([[1.0, 5.0, 9.0, 2.0, 6.0, 10.0]])
JUNE_CAPS = [1.0, 2.0, 3.0, 10.0, 20.0, 30.0]


def market(close: np.ndarray, mcap: np.ndarray, codes: np.ndarray | None = None, **changes: Any) -> StockMarket:
    values = {
        "sessions": DAYS,
        "close": close,
        "mcap": mcap,
        "market": np.full(close.shape, KOSPI, dtype=np.uint8) if codes is None else codes,
        "stock": np.ones(close.shape[1], dtype=np.bool_),
        "linked": np.ones(len(close), dtype=np.bool_),
    }
    return StockMarket(**{**values, **changes})


def six() -> tuple[np.ndarray, np.ndarray]:
    close = np.full((len(DAYS), 6), 100.0)
    close[3] = [110, 100, 100, 100, 100, 95]  # 2022-07-01: small low +10 %, big high -5 %
    close[4:] = [110, 100, 103, 102, 100, 95]  # 2022-07-04: small high +3 %, big low +2 %
    mcap = np.tile(JUNE_CAPS, (len(DAYS), 1))
    mcap[0] = 10.0
    return close, mcap


def test_formations_are_the_ends_of_june_that_follow_a_known_december() -> None:
    found = formations(DAYS)
    assert [(one.year, one.december, one.june, one.end) for one in found] == [(2022, 0, 2, 7)]
    # 2022-06-30 is the last session of June: without it there is no end of June, and nothing stands in
    assert formations(np.delete(DAYS, 2)) == ()
    assert formations(DAYS[1:]) == ()  # no end of December
    whole = sessions_between(date(2020, 12, 1), date(2023, 7, 3))
    assert [str(whole[one.june]) for one in formations(whole)] == ["2021-06-30", "2022-06-30", "2023-06-30"]


def test_six_stocks_by_hand() -> None:
    close, mcap = six()
    found = size_value(market(close, mcap), formations(DAYS), BOOK)
    # one stock a portfolio: mean of the small three minus mean of the big three, mean of the high two minus the low two
    smb = [0.10 / 3 - -0.05 / 3, 0.03 / 3 - 0.02 / 3, 0.0, 0.0]
    hml = [-0.05 / 2 - 0.10 / 2, 0.03 / 2 - 0.02 / 2, 0.0, 0.0]
    assert_allclose(found.smb, [NAN, NAN, NAN, *smb, NAN], atol=1e-15)  # held to the end of June, not into July
    assert_allclose(found.hml, [NAN, NAN, NAN, *hml, NAN], atol=1e-15)
    assert found.listed.tolist() == found.sorted_in.tolist() == [6]


def test_portfolios_are_weighted_by_the_cap_of_the_day_before() -> None:
    close, mcap = six()
    close = np.column_stack([close, np.full(len(DAYS), 100.0)])
    close[3:, 6] = 104
    mcap = np.column_stack([mcap, np.full(len(DAYS), 3.0)])  # a second small stock of low value, not on KOSPI
    mcap[0] = 10.0
    codes = np.full(close.shape, KOSPI, dtype=np.uint8)
    codes[:, 6] = KOSDAQ
    book = np.column_stack([BOOK, [1.5]])
    found = size_value(market(close, mcap, codes), formations(DAYS), book)
    low = (1 * 0.10 + 3 * 0.04) / 4
    assert found.smb[3] == pytest.approx(low / 3 + 0.05 / 3)
    assert found.hml[3] == pytest.approx(-0.05 / 2 - low / 2)


def test_who_is_left_out() -> None:
    close, mcap = six()
    expected = size_value(market(close, mcap), formations(DAYS), BOOK)
    # KONEX, no stock, negative or unknown book, unknown cap in June or December, not listed: each moves wildly
    wild = np.full((len(DAYS), 7), 100.0) * np.arange(1, len(DAYS) + 1)[:, None] ** 2
    caps = np.full((len(DAYS), 7), 5.0)
    caps[2, 4] = caps[0, 5] = NAN
    codes = np.full((len(DAYS), 13), KOSPI, dtype=np.uint8)
    codes[:, 6] = KONEX
    codes[2, 12] = 0
    stock = np.ones(13, dtype=np.bool_)
    stock[7] = False
    book = np.column_stack([BOOK, [[9.0, 9.0, -1.0, NAN, 9.0, 9.0, 9.0]]])
    both = market(np.column_stack([close, wild]), np.column_stack([mcap, caps]), codes, stock=stock)
    found = size_value(both, formations(DAYS), book)
    assert_array_equal(found.smb, expected.smb)
    assert_array_equal(found.hml, expected.hml)
    assert (found.listed.tolist(), found.sorted_in.tolist()) == ([10], [6])


def test_unknown_days_and_delistings() -> None:
    close, mcap = six()
    close = np.column_stack([close, np.full(len(DAYS), 100.0)])
    mcap = np.column_stack([mcap, np.full(len(DAYS), 1.0)])
    mcap[0] = 10.0
    book = np.column_stack([BOOK, [1.0]])  # a twin of the first, on KOSDAQ, where it moves no breakpoint
    codes = np.full(close.shape, KOSPI, dtype=np.uint8)
    codes[:, 6] = KOSDAQ
    close[3, 6] = 120.0
    close[4:, 6] = mcap[4:, 6] = NAN  # its last trading day is 2022-07-01
    found = size_value(market(close, mcap, codes), formations(DAYS), book)
    assert found.smb[3] == pytest.approx((0.10 + 0.20) / 2 / 3 + 0.05 / 3)
    assert found.smb[4] == pytest.approx(0.03 / 3 - 0.02 / 3)  # gone, and nothing is left of it
    mcap[3, 5] = NAN  # the only big stock of high value has no weight on the next day: both factors are unknown then
    found = size_value(market(close, mcap, codes), formations(DAYS), book)
    assert math.isnan(found.smb[4])
    assert math.isnan(found.hml[4])
    assert not math.isnan(found.smb[5])
    linked = np.ones(len(DAYS), dtype=np.bool_)
    linked[5] = False  # sessions are missing before 2023-06-29
    found = size_value(market(close, mcap, codes, linked=linked), formations(DAYS), book)
    assert math.isnan(found.smb[5])


def percentile(values: Sequence[float], share: float) -> float:
    """Linear interpolation between order statistics at position (n - 1) x share."""
    ordered = sorted(values)
    at = (len(ordered) - 1) * share
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])


def reference(one: StockMarket, june: int, december: int, end: int, book: np.ndarray) -> dict[int, tuple[float, float]]:
    """(smb, hml) by row, one stock and one day at a time."""
    stocks = {}
    for j in range(one.close.shape[1]):
        known = one.stock[j] and one.market[june][j] in (KOSPI, KOSDAQ) and book[j] > 0
        if known and one.mcap[june][j] > 0 and one.mcap[december][j] > 0:
            stocks[j] = (one.mcap[june][j], book[j] / one.mcap[december][j])
    on_kospi = [j for j in stocks if one.market[june][j] == KOSPI]
    middle = median(stocks[j][0] for j in on_kospi)
    low = percentile([stocks[j][1] for j in on_kospi], 0.3)
    high = percentile([stocks[j][1] for j in on_kospi], 0.7)
    groups: dict[tuple[bool, str], list[int]] = {}
    for j, (size, value) in stocks.items():
        word = "H" if value > high else "M" if value > low else "L"
        groups.setdefault((size > middle, word), []).append(j)
    found = {}
    for t in range(june + 1, end):
        made = {}
        for key, members in groups.items():
            pairs = [(one.mcap[t - 1][j], one.close[t][j] / one.close[t - 1][j] - 1) for j in members]
            pairs = [(weight, gain) for weight, gain in pairs if weight > 0 and gain == gain]
            if pairs and one.linked[t]:
                made[key] = sum(weight * gain for weight, gain in pairs) / sum(weight for weight, _ in pairs)
        value_of = {key: made.get(key, NAN) for key in ((big, word) for big in (False, True) for word in "LMH")}
        small, big = (sum(value_of[side, word] for word in "LMH") / 3 for side in (False, True))
        top, bottom = (sum(value_of[side, word] for side in (False, True)) / 2 for word in "HL")
        found[t] = (small - big, top - bottom)
    return found


def random_market(seed: int) -> tuple[StockMarket, np.ndarray]:
    """Two formations over 30 months, listings, delistings, holes and a stock that changes market."""
    rng = np.random.default_rng(seed)
    days = sessions_between(date(2020, 12, 15), date(2023, 3, 31))
    n, m = len(days), 40
    close = 1000 * np.exp(np.cumsum(rng.normal(0, 0.02, (n, m)), axis=0))
    mcap = close * rng.lognormal(10, 1, m)
    for j in range(10):
        first, last = sorted(rng.integers(0, n, 2))
        close[:first, j] = close[last:, j] = mcap[:first, j] = mcap[last:, j] = NAN
    holes = rng.random((n, m)) < 0.01
    close[holes] = NAN
    mcap[rng.random((n, m)) < 0.01] = NAN
    codes = np.where(np.isnan(close) & ~holes, 0, rng.choice([KOSPI, KOSDAQ, KONEX], m, p=[0.5, 0.4, 0.1])).astype(
        np.uint8
    )
    codes[300:, 39] = KOSPI
    stock = rng.random(m) < 0.9
    linked = rng.random(n) < 0.98
    book = rng.normal(1.0, 0.8, (2, m)) * np.nanmean(mcap, axis=0)
    book[rng.random(book.shape) < 0.1] = NAN
    one = StockMarket(sessions=days, close=close, mcap=mcap, market=codes, stock=stock, linked=linked)
    return one, book


@pytest.mark.parametrize("seed", range(3))
def test_random_markets_agree_with_the_reference(seed: int) -> None:
    one, book = random_market(seed)
    chosen = formations(one.sessions)
    assert [formation.year for formation in chosen] == [2021, 2022]
    found = size_value(one, chosen, book)
    expected = np.full((2, len(one.sessions)), NAN)
    for place, formation in enumerate(chosen):
        rows = reference(one, formation.june, formation.december, formation.end, book[place])
        for row, values in rows.items():
            expected[:, row] = values
    assert_allclose(found.smb, expected[0], rtol=1e-10, atol=1e-15)
    assert_allclose(found.hml, expected[1], rtol=1e-10, atol=1e-15)
    assert np.isfinite(found.smb).sum() > 250


@pytest.mark.parametrize("cut", [150, 390, 500])
def test_nothing_depends_on_later_rows(cut: int) -> None:
    one, book = random_market(7)
    whole = size_value(one, formations(one.sessions), book)
    rng = np.random.default_rng(1)
    later = {name: getattr(one, name).copy() for name in ("close", "mcap", "market")}
    later["close"][cut:] *= rng.lognormal(0, 1, later["close"][cut:].shape)
    later["mcap"][cut:] = rng.lognormal(20, 1, later["mcap"][cut:].shape)
    later["market"][cut:] = KOSPI
    changed = StockMarket(sessions=one.sessions, stock=one.stock, linked=one.linked, **later)
    shorter = StockMarket(
        sessions=one.sessions[:cut],
        close=one.close[:cut],
        mcap=one.mcap[:cut],
        market=one.market[:cut],
        stock=one.stock,
        linked=one.linked[:cut],
    )
    for other in (changed, shorter):
        chosen = formations(other.sessions)
        found = size_value(other, chosen, book[: len(chosen)])
        assert_array_equal(found.smb[:cut], whole.smb[:cut])
        assert_array_equal(found.hml[:cut], whole.hml[:cut])
