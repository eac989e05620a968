"""Candidates in order, transforms, neutralisation; against plain numpy."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stocklab.backtest.score import rank_rows
from stocklab.backtest.select import KEEP_ALL, KEEP_BOTTOM, KEEP_TOP, order_rows
from stocklab.errors import InputError
from stocklab.strategy.document import RankFactor

FLAT = (1_000.0, 1_000.0, 1_000.0, 1_000.0, 1_000.0)


def ordered(score: np.ndarray, keep: int, count: int, want: int, sign: float = 1.0) -> tuple[list[int], int, int]:
    m = score.shape[0]
    symbols = np.zeros((1, max(want, 1)), dtype=np.int64)
    written, total, unknown = (np.zeros(1, dtype=np.int64) for _ in range(3))
    everyone = np.ones((1, m), dtype=np.bool_)
    order_rows(
        0, 1, np.ones(1, np.bool_), everyone, everyone.astype(np.uint8), score[None, :], sign, keep, count, want,
        symbols, written, total, unknown,
    )  # fmt: skip
    return symbols[0, : written[0]].tolist(), int(total[0]), int(unknown[0])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    values=st.lists(st.sampled_from([1.0, 2.0, 3.0, np.nan, -1.0]), min_size=1, max_size=30),
    keep=st.sampled_from([KEEP_ALL, KEEP_TOP, KEEP_BOTTOM]),
    count=st.integers(1, 12),
    want=st.integers(1, 30),
    sign=st.sampled_from([1.0, -1.0]),
)
def test_order_is_score_descending_then_symbol(
    values: list[float], keep: int, count: int, want: int, sign: float
) -> None:
    score = np.array(values)
    best = sorted((s for s in range(len(values)) if not np.isnan(score[s])), key=lambda s: (-sign * score[s], s))
    kept = best if keep == KEEP_ALL else best[:count] if keep == KEEP_TOP else best[max(len(best) - count, 0) :]
    symbols, total, unknown = ordered(score, keep, count, min(want, len(values)), sign)
    assert symbols == kept[: min(want, len(values))]
    assert total == len(kept)
    assert unknown == int(np.isnan(score).sum())


@pytest.fixture
def scored(market_of: Any, plan_parts: Any) -> Any:
    return partial(score_of, market_of, plan_parts["build_score"])


def score_of(
    market_of: Any, build_score: Any, factors: list[dict[str, Any]], values: list[list[float]], **extra: Any
) -> np.ndarray:
    """Score of one session over symbols that are all in the universe."""
    m = len(values[0])
    bars = {f"{place:06d}": [FLAT] for place in range(m)}
    sectors = extra.pop("sectors", ["a"] * m)
    caps = extra.pop("caps", None)
    market = market_of(
        bars=bars,
        sectors=dict(zip(sorted(bars), sectors, strict=True)),
        extra={} if caps is None else {"mcap": np.array([caps], dtype=np.float64)},
    )
    made = [RankFactor.model_validate({"formula": "close", **factor}) for factor in factors]
    arrays = [np.array([row], dtype=np.float64) for row in values]
    found = build_score(market.panel(), made, arrays, np.ones((1, m), np.bool_), np.ones(1, np.bool_), 0)
    return found.sign * np.asarray(found.values)[0]


def test_single_factor_orders_by_its_own_value(scored: Any) -> None:
    np.testing.assert_array_equal(scored([{}], [[3.0, 1.0, np.nan]]), [3.0, 1.0, np.nan])
    np.testing.assert_array_equal(scored([{"direction": "low"}], [[3.0, 1.0, 2.0]]), [-3.0, -1.0, -2.0])


def test_ranks_are_percentiles_within_those_that_have_all_parts(scored: Any) -> None:
    # the second symbol lacks the first part: ranks of the rest are 0, 1/2, 1 and, tied, 1/4, 1/4, 1
    score = scored(
        [{"weight": 2.0}, {"direction": "low"}],
        [[10.0, np.nan, 20.0, 30.0], [5.0, 1.0, 5.0, 9.0]],
    )
    np.testing.assert_allclose(score, [2 * 0 - 0.25, np.nan, 2 * 0.5 - 0.25, 2 * 1 - 1])


def test_zscore_has_divisor_n_and_value_is_as_it_is(scored: Any) -> None:
    first, second = np.array([1.0, 2.0, 6.0]), np.array([0.5, 0.0, 1.0])
    score = scored([{"transform": "zscore"}, {"transform": "value", "weight": 3.0}], [list(first), list(second)])
    np.testing.assert_allclose(score, (first - first.mean()) / first.std() + 3 * second)


def test_winsorize_clips_at_the_quantiles(scored: Any) -> None:
    values = np.array([0.0, 1.0, 2.0, 3.0, 100.0])
    score = scored(
        [{"transform": "value", "winsorize": 0.25}, {"transform": "value", "weight": 1e-9}],
        [list(values), [0.0] * 5],
    )
    np.testing.assert_allclose(score, np.clip(values, np.quantile(values, 0.25), np.quantile(values, 0.75)), atol=1e-6)


def test_sector_neutral_takes_the_sector_mean_out_and_pools_small_sectors(scored: Any) -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 10.0, 20.0, 90.0])
    sectors = ["a"] * 5 + ["b", "b", ""]  # b has fewer than five: it shares a group with the unknown
    score = scored([{"transform": "value", "neutralize": "sector"}], [list(values)], sectors=sectors)
    np.testing.assert_allclose(score, np.concatenate([values[:5] - 3.0, values[5:] - 40.0]))


def test_sector_size_neutral_is_the_least_squares_residual(scored: Any) -> None:
    rng = np.random.default_rng(1)
    values, caps = rng.normal(size=12), np.exp(rng.normal(size=12) + 25)
    sectors = ["a"] * 6 + ["b"] * 6
    dummies = np.array([[sector == name for name in "ab"] for sector in sectors], dtype=float)
    design = np.column_stack([dummies, np.log(caps)])
    residual = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
    score = scored(
        [{"transform": "value", "neutralize": "sector_size"}],
        [list(values)],
        sectors=sectors,
        caps=list(caps),
    )
    np.testing.assert_allclose(score, residual, atol=1e-9)


def test_unknown_cap_has_no_size_neutral_score(scored: Any) -> None:
    score = scored(
        [{"transform": "rank", "neutralize": "sector_size"}],
        [[1.0, 2.0, 3.0]],
        caps=[1e9, np.nan, 2e9],
    )
    assert np.isnan(score).tolist() == [False, True, False]


def test_fewer_than_two_have_no_score(scored: Any) -> None:
    assert np.isnan(scored([{}, {}], [[1.0, np.nan], [1.0, 2.0]])).all()


@pytest.mark.parametrize(("neutralize", "message"), [("sector", "needs sectors"), ("sector_size", "needs market caps")])
def test_neutralising_without_the_data_is_an_error(scored: Any, neutralize: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        scored([{"neutralize": neutralize}], [[1.0, 2.0]], sectors=["", ""])


def test_rank_one_is_the_best(plan_parts: Any) -> None:
    score = np.array([[3.0, np.nan, 5.0, 3.0, 9.0]])
    universe = np.array([[True, True, True, True, False]])
    out = np.zeros(score.shape)
    plan_parts["rank_rows"](0, 1, universe, score, 1.0, out)
    np.testing.assert_array_equal(out[0], [2.0, np.nan, 1.0, 3.0, np.nan])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    values=st.lists(st.floats(allow_nan=True, width=32) | st.sampled_from([0.0, -0.0, 1.0]), min_size=1, max_size=60)
)
def test_ranks_follow_python_sorting(values: list[float]) -> None:
    score = np.array([values])
    out = np.zeros(score.shape)
    rank_rows(0, 1, np.ones(score.shape, dtype=np.bool_), score, 1.0, out)
    best = sorted((s for s in range(len(values)) if not np.isnan(values[s])), key=lambda s: (-values[s], s))
    expected = np.full(len(values), np.nan)
    for place, s in enumerate(best):
        expected[s] = place + 1
    np.testing.assert_array_equal(out[0], expected)
