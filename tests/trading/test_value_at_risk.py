"""Value at risk against numpy's and scipy's own quantiles, the definitions solved another way, and what must hold."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from stocklab.errors import InputError
from stocklab.trading import (
    LiveWorth,
    ReturnHistory,
    RiskRefusal,
    RiskWindow,
    Worth,
    historical_risk,
    value_at_risk,
)

SHORT = RiskWindow(sessions=120, least_sessions=100)


def book_of(worth: dict[str, int], cash: int = 0) -> LiveWorth:
    return LiveWorth(
        holdings=tuple(Worth(symbol=symbol, market="KOSPI", worth_krw=Decimal(krw)) for symbol, krw in worth.items()),
        cash_krw=Decimal(cash),
    )


def history_of(returns: np.ndarray, symbols: str) -> ReturnHistory:
    sessions = np.datetime64("2024-01-01") + np.arange(len(returns))
    return ReturnHistory(sessions=sessions, symbols=tuple(symbols), returns=returns)


@st.composite
def markets(draw: st.DrawFn) -> tuple[LiveWorth, ReturnHistory]:
    """Books of one to six holdings with fat tails, ties and holdings that mirror another."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, sessions = draw(st.integers(1, 6)), draw(st.integers(100, 140))
    returns = np.clip(rng.standard_t(3, (sessions, n)) * 0.02, -0.9, 0.9)
    if draw(st.booleans()):
        returns = np.round(returns, 2)
    if n > 1 and draw(st.booleans()):
        returns[:, 1] = -returns[:, 0]
    worth = {symbol: draw(st.integers(1, 10**9)) for symbol in "abcdef"[:n]}
    return book_of(worth, draw(st.integers(0, 10**9))), history_of(returns, "abcdef"[:n])


def test_three_holdings_against_numpy_and_scipy() -> None:
    rng = np.random.default_rng(7)
    returns = rng.standard_t(4, (500, 3)) * [0.01, 0.02, 0.03]
    worth = np.array([5_000_000, 3_000_000, 2_000_000])
    risk = value_at_risk(book_of(dict(zip("abc", worth.tolist(), strict=True)), 1_000), history_of(returns, "abc"))
    losses = -(returns @ worth)
    assert (risk.n_sessions, risk.refusal, risk.not_covered, risk.equity_krw) == (500, None, (), 10_001_000)
    for level in risk.levels:
        assert_allclose(level.historical_var_krw, np.quantile(losses, level.level, method="inverted_cdf"))
        # Rockafellar and Uryasev 2000: CVaR is the least value of c + E[max(L - c, 0)] / (1 - a)
        bound = min(c + np.maximum(losses - c, 0).mean() / (1 - level.level) for c in losses)
        assert_allclose(level.historical_cvar_krw, bound)
        deviation = losses.std(ddof=1)
        assert_allclose(level.normal_var_krw, stats.norm.ppf(level.level, scale=deviation))
        beyond = stats.truncnorm(stats.norm.ppf(level.level), np.inf)
        assert_allclose(level.normal_cvar_krw, deviation * beyond.mean())
        assert_allclose(level.ten_days().normal_var_krw, 10**0.5 * level.normal_var_krw)
        assert_allclose(level.ten_days().parts[1].historical_cvar_krw, 10**0.5 * level.parts[1].historical_cvar_krw)


def test_the_session_on_the_edge_counts_with_its_fraction() -> None:
    # 99 % of 250 is 247.5: the VaR is the 248th smallest. The worst 2.5 sessions are 250, 249 and half of 248.
    var, cvar, weights = historical_risk(np.arange(1.0, 251.0), 0.99)
    assert (var, cvar) == (248.0, pytest.approx((250 + 249 + 0.5 * 248) / 2.5))
    assert_allclose(weights[-4:], [0.0, 0.2, 0.4, 0.4], atol=1e-12)


def test_parts_are_what_a_little_more_of_a_holding_would_add() -> None:
    """Euler: worth times the derivative of the figure, found by differences."""
    rng = np.random.default_rng(3)
    history = history_of(rng.normal(0, 0.02, (300, 2)) @ [[1.0, 0.6], [0.0, 0.8]], "ab")
    worth = {"a": 4_000_000, "b": 9_000_000}
    level = value_at_risk(book_of(worth), history).levels[0]
    for part in level.parts:
        step = 1_000
        up, down = (
            value_at_risk(book_of(worth | {part.symbol: worth[part.symbol] + sign * step}), history).levels[0]
            for sign in (1, -1)
        )
        slope = (up.normal_var_krw - down.normal_var_krw) / (2 * step)
        assert_allclose(part.normal_var_krw, worth[part.symbol] * slope, rtol=1e-6)
        slope = (up.historical_cvar_krw - down.historical_cvar_krw) / (2 * step)
        assert_allclose(part.historical_cvar_krw, worth[part.symbol] * slope, rtol=1e-6)


@given(markets(), st.integers(2, 1_000))
@settings(max_examples=60)
def test_what_holds_for_any_book(market: tuple[LiveWorth, ReturnHistory], factor: int) -> None:
    book, history = market
    window = RiskWindow(levels=(0.9, 0.95, 0.99), sessions=140, least_sessions=100)
    before = history.returns.copy()
    risk = value_at_risk(book, history, window)
    assert np.array_equal(history.returns, before)
    scale = float(book.holdings_krw)
    figures = [(level.historical_var_krw, level.historical_cvar_krw) for level in risk.levels]
    normal = [(level.normal_var_krw, level.normal_cvar_krw) for level in risk.levels]
    for lower, higher in (*pairwise(figures), *pairwise(normal)):
        assert lower[0] <= higher[0]
        assert lower[1] <= higher[1] + 1e-9 * scale
    for var, cvar in (*figures, *normal):
        assert cvar >= var - 1e-9 * scale
    for level in risk.levels:
        assert_allclose(sum(part.normal_var_krw for part in level.parts), level.normal_var_krw, atol=1e-6 * scale)
        total = sum(part.historical_cvar_krw for part in level.parts)
        assert_allclose(total, level.historical_cvar_krw, atol=1e-9 * scale)
    larger = book_of({holding.symbol: int(holding.worth_krw) * factor for holding in book.holdings})
    for one, other in zip(risk.levels, value_at_risk(larger, history, window).levels, strict=True):
        assert_allclose(other.historical_var_krw, factor * one.historical_var_krw, atol=1e-9 * factor * scale)
        assert_allclose(other.normal_cvar_krw, factor * one.normal_cvar_krw, atol=1e-6 * factor * scale)


def test_a_hedge_takes_risk_off() -> None:
    returns = np.random.default_rng(1).normal(0, 0.02, (120, 1)) * [1.0, -1.0]
    level = value_at_risk(book_of({"a": 1_000, "b": 400}), history_of(returns, "ab"), SHORT).levels[0]
    assert level.parts[1].normal_var_krw < 0 < level.parts[0].normal_var_krw
    alone = value_at_risk(book_of({"a": 600}), history_of(returns, "ab"), SHORT).levels[0]
    assert_allclose(level.normal_var_krw, alone.normal_var_krw)


def test_a_short_history_is_left_out_and_named() -> None:
    returns = np.random.default_rng(2).normal(0, 0.02, (120, 4))
    returns[:21, 1] = np.nan  # 99 known: too few alone
    returns[:15, 2] = np.nan  # 105 known, and the next 105 others: 90 together, so the shorter goes
    returns[-14:, 3] = np.nan  # 106
    book = book_of({"a": 500, "b": 200, "c": 200, "d": 50, "x": 50}, cash=9_000)
    risk = value_at_risk(book, history_of(returns, "abcd"), SHORT)
    assert [(left.symbol, left.share, left.known_sessions) for left in risk.not_covered] == [
        ("b", 0.2, 99),
        ("c", 0.2, 105),
        ("x", 0.05, 0),
    ]
    assert risk.not_covered_share == pytest.approx(0.45)
    assert (risk.n_sessions, risk.until) == (106, np.datetime64("2024-01-01") + 105)
    losses = -(returns[:106, [0, 3]] @ [500, 50])
    assert_allclose(risk.levels[0].historical_var_krw, np.quantile(losses, 0.95, method="inverted_cdf"))
    assert [part.symbol for part in risk.levels[0].parts] == ["a", "d"]


def test_no_figures_come_with_their_reason() -> None:
    short = history_of(np.zeros((99, 1)), "a")
    refused = value_at_risk(book_of({"a": 10}), short, SHORT)
    assert (refused.levels, refused.refusal, refused.not_covered_share) == ((), RiskRefusal.TOO_FEW_SESSIONS, 1.0)
    assert value_at_risk(book_of({}, cash=5), short, SHORT).refusal is RiskRefusal.NOTHING_HELD
    still = value_at_risk(book_of({"a": 10}), history_of(np.zeros((100, 1)), "a"), SHORT)
    assert {level.normal_cvar_krw + level.historical_cvar_krw for level in still.levels} == {0.0}


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"levels": (95.0,)}, "fractions"),
        ({"least_sessions": 99}, "100 to 500 sessions"),
        ({"sessions": 200}, "100 to 200 sessions"),
    ],
)
def test_windows_that_cannot_answer_are_refused(parts: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        RiskWindow(**parts)  # type: ignore[arg-type]


def test_histories_that_cannot_be_are_refused() -> None:
    with pytest.raises(InputError, match="shape"):
        history_of(np.zeros((3, 2)), "a")
    with pytest.raises(InputError, match="once"):
        history_of(np.zeros((3, 2)), "aa")
    with pytest.raises(InputError, match="per cent"):
        history_of(np.array([[-5.0]]), "a")
    with pytest.raises(InputError, match="ascend"):
        ReturnHistory(sessions=np.array(["2024-01-02", "2024-01-02"], "M8[D]"), symbols=(), returns=np.zeros((2, 0)))
