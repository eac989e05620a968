from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stocklab.backtest.result import Progress
from stocklab.market.panel import PriceBasis
from stocklab.operations.worker_identity import is_gone, worker_name
from stocklab.portfolios import BacktestOrder, JobProgress


def test_an_order_survives_its_json(order: Callable[..., BacktestOrder]) -> None:
    asked = order("전략", basis=PriceBasis.RAW, strategy_id="s1", seed=7)
    assert BacktestOrder.from_json(json.loads(json.dumps(asked.to_json()))) == asked
    assert asked.request().strategy.name == "전략"
    assert (asked.request().start, asked.request().seed) == (date(2024, 1, 2), 7)


@settings(max_examples=50, deadline=None)
@given(n_points=st.integers(0, 3000), done=st.floats(-1, 2))
def test_a_thinned_curve_keeps_its_ends_and_order(n_points: int, done: float) -> None:
    curve = np.arange(n_points, dtype=np.float64)
    seen = JobProgress.of(Progress(stage="simulate", done=done, session=date(2024, 1, 2), equity_krw=curve))
    assert len(seen.offsets) == min(n_points, 500)
    assert list(seen.offsets) == sorted(set(seen.offsets))
    assert seen.equity_krw == tuple(float(offset) for offset in seen.offsets)
    if n_points:
        assert (seen.offsets[0], seen.offsets[-1]) == (0, n_points - 1)
    assert 0 <= seen.done <= 1
    assert JobProgress.from_json(json.loads(json.dumps(seen.to_json(), allow_nan=False))) == seen


def test_numbers_that_json_cannot_hold_become_zero() -> None:
    seen = JobProgress.of(
        Progress(stage="simulate", done=0.1, total_return=float("nan"), equity_krw=np.array([np.nan]))
    )
    assert (seen.total_return, seen.equity_krw) == (0.0, (0.0,))


def test_a_job_that_has_not_begun_has_the_progress_of_one() -> None:
    assert JobProgress.from_json(None) == JobProgress(stage="queued", done=0.0)


def test_only_a_process_of_this_place_is_known_to_be_gone() -> None:
    mine = worker_name()
    place, pid, started, rest = mine.rsplit("|", 3)
    assert not is_gone(mine)
    assert is_gone("|".join((place, "4194999", started, rest)))  # above the largest pid there can be
    assert is_gone("|".join((place, pid, "1", rest)))  # the number was given to another process
    assert not is_gone("|".join(("elsewhere/pid:[1]", "4194999", started, rest)))
    assert not is_gone("|".join((place, pid, "", rest)))
    assert not is_gone("no worker")
