"""Results side by side, without a browser."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from stocklab.errors import InputError
from stocklab.portfolios import BacktestOrder, Lab
from stocklab.strategy import PRESETS
from stocklab.ui import cached

RANGES = {"low_volatility": date(2020, 1, 2), "momentum_12_1": date(2019, 1, 2), "rsi_reversal": date(2020, 1, 2)}


@pytest.fixture
def runs(lab: Lab) -> list[str]:
    """Three finished runs, the second over a longer range."""
    found = []
    for preset_id, start in RANGES.items():
        order = BacktestOrder(
            document=PRESETS[preset_id].strategy.model_dump(mode="json"),
            start=start,
            end=date(2023, 12, 28),
            initial_cash_krw=100_000_000,
        )
        job_id = lab.jobs.submit(lab.owner_id, order)
        deadline = time.monotonic() + 120
        while (job := lab.jobs.get(lab.owner_id, job_id)).live and time.monotonic() < deadline:
            time.sleep(0.02)
        assert job.run_id is not None, job.error_message
        found.append(job.run_id)
    return found


def said(page: Any) -> str:
    kinds = ("title", "subheader", "markdown", "caption", "error", "warning", "html")
    return "\n".join(str(getattr(part, "value", part)) for kind in kinds for part in page.get(kind))


def test_three_results_side_by_side(pages, runs: list[str]):
    page = pages("results", compare=",".join(runs), lang="en")
    assert not page.exception
    assert page.multiselect(key="compare_runs").value == runs
    text = said(page)
    assert "Is the difference more than luck?" in text
    assert "begin or end on different days" in text
    assert "2020-01-02 – 2023-12-28" in text
    (table,) = page.dataframe
    assert [name[0] for name in table.value["name"]] == ["1", "2", "3"]
    assert len(page.get("plotly_chart")) == 3


def test_the_link_follows_the_choice_and_the_choice_another_link(pages, runs: list[str]):
    page = pages("results", compare=",".join(runs[:2]))
    page.multiselect(key="compare_runs").set_value([runs[2], runs[0]]).run()
    assert page.query_params["compare"] == f"{runs[2]},{runs[0]}"
    page.query_params["compare"] = f"{runs[1]},{runs[2]}"
    page.run()
    assert page.multiselect(key="compare_runs").value == [runs[1], runs[2]]


def test_one_result_asks_for_another(pages, runs: list[str]):
    page = pages("results", compare=runs[0], lang="en")
    assert "Choose at least two results." in said(page)
    assert not page.error


def test_costs_and_capacity_are_computed_when_asked_for(pages, lab: Lab, runs: list[str]):
    page = pages("results", run=runs[0], result_section="costs", lang="en")
    assert "What trading cost" in said(page)
    assert not page.get("plotly_chart")
    page.button(key="compute_capacity").click().run()
    assert not page.exception
    capital, slippage = page.dataframe
    own = lab.results.load(runs[0]).metrics
    row = capital.value[capital.value["value"] == "₩100.0M"]
    assert row["cagr"].item() == pytest.approx(100 * own["cagr"])
    assert slippage.value["n_trades"].to_list()[2] == own["n_trades"]
    again = pages("results", run=runs[0], result_section="costs")
    assert len(again.dataframe) == 2  # what was computed is there for the next visitor


def test_capacity_of_a_run_that_cannot_be_repeated_is_refused(pages, lab: Lab, runs: list[str]):
    """The figures beside it were made by another program or on other data: they would contradict each other."""
    pages("results", run=runs[1], result_section="costs")  # the pages of this home are open
    stored = lab.results.load(runs[1])
    with pytest.raises(InputError, match="changed since this run"):
        cached.capacity(replace(stored, run_id="0" * 40))
    with pytest.raises(InputError, match="changed since this run"):
        cached.capacity(replace(stored, run_id="1" * 40, card={**stored.card, "seed": 7}))


def test_a_result_that_is_not_stored_is_named_as_such(pages):
    page = pages("results", compare="0" * 40, lang="en")
    assert not page.exception
    assert "not stored here" in said(page)
