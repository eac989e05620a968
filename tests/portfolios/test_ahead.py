"""What is computed ahead is what a person's run then finds."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from stocklab.db import JobState
from stocklab.errors import Cancelled
from stocklab.portfolios import BacktestOrder, Lab
from stocklab.portfolios.ahead import run_presets_ahead, usual_range, warm_saved
from stocklab.settings import Settings
from stocklab.strategy import PRESETS


@pytest.fixture
def home(demo_home: Path, tmp_path: Path) -> Path:
    shutil.copytree(demo_home / "market", tmp_path / "market", ignore=shutil.ignore_patterns("*.lock"))
    return tmp_path


def test_a_preset_that_ran_ahead_opens_from_the_stored_results(home: Path) -> None:
    lab = Lab.open(Settings(home=home))
    told: list[tuple[float, str]] = []
    ran = run_presets_ahead(
        lab.store,
        lab.results,
        threads=1,
        factor_cache_mb=100,
        on_progress=lambda done, name: told.append((done, name)),
        should_cancel=lambda: False,
        presets={"rsi_reversal": PRESETS["rsi_reversal"]},
    )
    assert (ran.ready, ran.refused, told) == (1, {}, [(0.0, "rsi_reversal")])
    strategy = PRESETS["rsi_reversal"].strategy
    panel = lab.panel()
    start, end = usual_range(panel.sessions[0].item(), panel.sessions[-1].item())
    order = BacktestOrder(  # as the builder's Run button makes it
        document=strategy.model_dump(mode="json"),
        start=start,
        end=end,
        initial_cash_krw=strategy.allocation.initial_cash_krw,
    )
    job = lab.jobs.submit(lab.owner_id, order)
    while (view := lab.jobs.get(lab.owner_id, job)).live:
        time.sleep(0.02)
    lab.close()
    assert (view.state, view.cached) == (JobState.COMPLETED, True)


def test_factors_of_saved_strategies_are_on_disk_and_a_stop_is_heeded(home: Path) -> None:
    lab = Lab.open(Settings(home=home))
    lab.strategies.save(lab.owner_id, PRESETS["rsi_reversal"].strategy)

    def warm(stop: bool) -> int:
        return warm_saved(
            lab.store,
            lab.strategies.each(),
            threads=1,
            factor_cache_mb=100,
            on_progress=lambda _done, _name: None,
            should_cancel=lambda: stop,
        ).ready

    with pytest.raises(Cancelled):
        warm(stop=True)
    assert not list((home / "cache").rglob("*.npy"))
    assert warm(stop=False) == 1
    assert list((home / "cache").rglob("*.npy"))
    lab.close()
