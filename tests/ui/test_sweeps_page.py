"""The page of sweeps: form, stored result, half a result, and what it says where there is nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from stocklab.portfolios import Lab, SweepOrder
from stocklab.research.sweep_store import SweepStore
from stocklab.research.variants import variants_of
from stocklab.strategy import PRESETS
from stocklab.strategy.sweep import parse_sweep
from stocklab.ui import text
from stocklab.ui.sweeps.form import _suggested
from stocklab.ui.sweeps.names import number_names, offered

OpenPage = Callable[..., AppTest]


def document(**more: Any) -> dict[str, Any]:
    return {
        "strategy": {
            "name": "Swept",
            "entry": {"rules": [{"id": "A", "formula": "rsi_14<45"}]},
            "exit": {"max_holding": 10, "stop": {"level": 0.1}},
        },
        "parameters": [
            {"paths": ["entry.rules.A.formula#2"], "start": 35, "stop": 50, "step": 5},
            {"paths": ["exit.stop.level"], "values": [0.05, 0.1, 0.15]},
        ],
        "start": "2024-01-02",
        "end": "2025-12-30",
        "least_trades": 5,
        **more,
    }


def words(page: AppTest) -> str:
    return " ".join(str(element.value) for element in (*page.markdown, *page.title, *page.caption, *page.warning))


def finished(lab: Lab, job_id: str) -> str:
    deadline = time.monotonic() + 120
    while lab.jobs.get(lab.owner_id, job_id).live and time.monotonic() < deadline:
        time.sleep(0.05)
    view = lab.jobs.get(lab.owner_id, job_id)
    assert view.error_message is None
    return str(view.run_id)


def test_an_empty_home_says_what_to_do(empty_pages: OpenPage) -> None:
    page = empty_pages("sweeps")
    assert not page.exception
    assert "아직 시장 데이터가 없습니다" in words(page)


def test_the_form_says_how_many_and_starts_it(pages: OpenPage, lab: Lab) -> None:
    page = pages("sweeps")
    assert not page.exception
    assert page.multiselect[0].label == "바꿀 숫자"
    assert "변형 5개" in words(page)
    page.button(key="start_sweep").click().run()
    job = lab.jobs.list(lab.owner_id)[0]
    assert (job.kind, isinstance(job.order, SweepOrder)) == ("sweep", True)
    identity = finished(lab, job.id)
    assert len(lab.sweeps.rows(identity)) == 5
    assert lab.ideas.count(lab.owner_id, lab.sweeps.load(identity).sweep.strategy) == 5


@pytest.mark.parametrize(
    ("language", "said"),
    [("ko", ("고원", "이 아이디어의 변형을 지금까지 12개")), ("en", ("Plateau", "12 variants of this idea"))],
)
def test_a_result_is_told_in_words(pages: OpenPage, lab: Lab, language: str, said: tuple[str, ...]) -> None:
    identity = finished(lab, lab.jobs.submit(lab.owner_id, SweepOrder(document=document())))
    page = pages("sweeps", sweep=identity, lang=language)
    assert not page.exception
    for part in said:
        assert part in words(page)
    table = page.dataframe[0].value
    assert len(table) == 12
    assert list(table["sharpe"]) == sorted(table["sharpe"], reverse=True)
    assert table["n_trades"].min() >= 5


def test_a_variant_opens_as_a_run_that_says_how_many_were_tried(pages: OpenPage, lab: Lab) -> None:
    identity = finished(lab, lab.jobs.submit(lab.owner_id, SweepOrder(document=document())))
    page = pages("sweeps", sweep=identity)
    page.selectbox(key="sweep_x_choice").select(1).run()
    assert "서로 다른 두 숫자" in str(page.info[0].value)
    page.button(key="sweep_run_plateau").click().run()
    run = finished(lab, lab.jobs.list(lab.owner_id)[0].id)
    assert run in {row.run_id for row in lab.sweeps.rows(identity)}
    result = pages("results", run=run, lang="en")
    assert "12 variants of this idea were tried" in words(result)


def test_half_a_sweep_shows_what_there_is_and_goes_on(pages: OpenPage, lab: Lab) -> None:
    asked = parse_sweep(document(seed=9))
    panel = lab.panel(None, asked.start, asked.end)
    stored = SweepStore(lab.store.home)
    stored.begin("c" * 40, asked, panel, list(variants_of(asked, lambda request: str(hash(request)))))
    page = pages("sweeps", sweep="c" * 40, lang="en")
    assert not page.exception
    assert "12 of 12 variants have not run yet" in str(page.info[0].value)
    page.button(key="sweep_go_on").click().run()
    job = lab.jobs.list(lab.owner_id)[0]
    assert job.kind == "sweep"
    finished(lab, job.id)


def test_unknown_links_are_told(pages: OpenPage) -> None:
    page = pages("sweeps", sweep="d" * 40)
    assert not page.exception
    assert "저장되어 있지 않습니다" in str(page.error[0].value)
    page = pages("sweeps", job="nothing")
    assert not page.exception
    assert page.error


@pytest.mark.parametrize("preset", PRESETS)
def test_numbers_have_names_and_ranges_that_hold_their_value(preset: str) -> None:
    strategy = PRESETS[preset].strategy
    for language in text.LANGUAGES:
        with text.speaking(language):  # type: ignore[arg-type]
            names = number_names(strategy)
        shown = [names[number.path] for number in offered(strategy)]
        assert len(set(shown)) == len(shown) > 0
        assert not [name for name in shown if "." in name.split(":")[0]]
    for number in offered(strategy):
        low, high, step = _suggested(number)
        assert low <= (number.value or 0) <= high
        assert step > 0
