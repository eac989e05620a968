"""The result page: figures, tables, marks, the run card; and a run that is still going."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import date

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from stocklab.backtest import METRICS
from stocklab.backtest.result import Progress, Result
from stocklab.brokers.values import BrokerName
from stocklab.data.engine import run_backtest
from stocklab.db import JobState
from stocklab.errors import Cancelled
from stocklab.live.accounts import BrokerAccounts
from stocklab.live.traders import Traders
from stocklab.operations import open_sealer
from stocklab.portfolios import BacktestOrder, Lab
from stocklab.settings import load_settings
from stocklab.strategy import PRESETS, fingerprint
from stocklab.ui import cached, text
from stocklab.ui.result import frames
from stocklab.ui.result.card import card_facts, warnings
from stocklab.ui.result.headline import metric_help, metric_value
from stocklab.ui.result.sections import SECTIONS

PRESET = PRESETS["momentum_12_1"]


def order() -> BacktestOrder:
    return BacktestOrder(
        document=PRESET.strategy.model_dump(mode="json"),
        start=date(2018, 1, 2),
        end=date(2022, 12, 29),
        initial_cash_krw=100_000_000,
    )


def finished(lab: Lab, job_id: str) -> str:
    deadline = time.monotonic() + 120
    while lab.jobs.get(lab.owner_id, job_id).live and time.monotonic() < deadline:
        time.sleep(0.05)
    view = lab.jobs.get(lab.owner_id, job_id)
    assert view.state is JobState.COMPLETED, view.error_message
    assert view.run_id is not None
    return view.run_id


@pytest.fixture
def run_id(lab: Lab) -> str:
    return finished(lab, lab.jobs.submit(lab.owner_id, order()))


@pytest.fixture
def result(lab: Lab, run_id: str) -> Result:
    return lab.results.load(run_id)


def test_the_headline_shows_the_runs_own_figures(pages, run_id: str, result: Result):
    page = pages("results", run=run_id)
    shown = {part.label: part.value for part in page.metric}
    with text.speaking("ko"):
        for key in ("total_return", "max_drawdown", "n_trades"):
            info = METRICS[key]
            signed = key == "total_return"
            assert shown[info.name_ko] == metric_value(info.unit, result.metrics[key], "ko", signed=signed)
    assert page.title[0].value == PRESET.strategy.name
    assert any("원주가" in part.value or "수정주가" in part.value for part in page.markdown)
    assert not page.exception


@pytest.mark.parametrize("section", sorted(SECTIONS))
@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_section_opens_by_its_link(pages, run_id: str, section: str, language: str):
    page = pages("results", run=run_id, result_section=section, lang=language)
    assert not page.exception
    assert not page.error
    if section == "overview":
        assert len(page.get("plotly_chart")) == 4
    if section in ("holdings", "trades"):
        assert page.dataframe[0].value.shape[0] > 0


def test_trades_are_filtered_by_side_and_symbol(pages, run_id: str, result: Result):
    page = pages("results", run=run_id, result_section="trades")
    everything = page.dataframe[0].value
    assert everything.shape[0] == min(2000, result.tables["trades"].height)
    page.button_group(key="trades_side").set_value("sell").run()
    assert set(page.dataframe[0].value["side"]) == {"매도"}
    symbol = everything["symbol"].iloc[0]
    page.button_group(key="trades_side").set_value("").run()
    page.text_input(key="trades_text").input(symbol.lower()).run()
    assert set(page.dataframe[0].value["symbol"]) == {symbol}


def test_a_strategy_is_saved_and_a_run_kept_from_its_result(pages, lab: Lab, run_id: str):
    page = pages("results", run=run_id)
    page.button(key="save_strategy").click().run()
    assert PRESET.strategy.name in {saved.name for saved in lab.strategies.list(lab.owner_id)}
    page.button(key="keep_run").click().run()
    assert lab.runs.get(lab.owner_id, run_id).is_portfolio
    page.button(key="keep_run").click().run()
    assert not lab.runs.get(lab.owner_id, run_id).is_portfolio


def test_a_run_is_edited_in_the_builder_with_its_range(pages, run_id: str):
    page = pages("results", run=run_id)
    page.button(key="edit_run").click().run()
    editing = page.session_state["builder"]
    assert editing["document"] == PRESET.strategy.model_dump(mode="json")
    assert editing["start"] == date(2018, 1, 2)


def test_all_figures_are_shown_on_demand(pages, run_id: str, result: Result):
    page = pages("results", run=run_id)
    few = len(page.metric)
    page.session_state["all_metrics"] = True
    page.run()
    assert len(page.metric) == len([key for key in METRICS if key in result.metrics])
    assert len(page.metric) > few


def test_the_card_warns_of_what_weakens_a_result(result: Result):
    with text.speaking("en"):
        plain = warnings(result.card)
        counts = dict(result.card["counts"]) | {
            "hypothetical_share_counts": True,
            "tv_estimated": True,
            "series_ended_early": 3,
            "delisted_while_held": 2,
            "unknown_flags": {"administrative": 5},
        }
        told = warnings({**result.card, "counts": counts, "synthetic": False})
    assert any("simulated" in line for line in plain)
    assert [
        word
        for word in ("hypothetical", "estimated", "3 holdings", "2 holdings", "5 stock-days")
        if not any(word in line for line in told)
    ] == []
    assert not any("simulated" in line for line in told)


def test_a_restated_run_says_hindsight_everywhere(pages, lab: Lab):
    document = PRESET.strategy.model_dump(mode="json") | {
        "statements": "restated",
        "factors": [{"id": "earning", "name": "버는 힘", "formula": "ttm(operating_income)/pos(mrq(total_assets))"}],
        "entry": {"rules": [{"id": "A", "formula": "earning>0"}]},
    }
    asked = BacktestOrder(
        document=document, start=date(2020, 1, 2), end=date(2021, 12, 30), initial_cash_krw=100_000_000
    )
    run = finished(lab, lab.jobs.submit(lab.owner_id, asked))
    card = lab.results.load(run).card
    assert card["statements"]["mode"] == "restated"
    page = pages("results", run=run, result_section="settings")
    assert any("정정 반영" in part.value for part in page.markdown), "the badge of the headline"
    assert any("'버는 힘'" in part.value for part in page.markdown)
    with text.speaking("en"):
        facts = card_facts(card)
        assert facts["Numbers of company reports"] == "As corrected later (restated): hindsight"
        assert facts["Company reports public by its end"] == f"{card['statements']['reports']:,}"
        assert any("hindsight" in line for line in warnings(card))
        late = {**card, "statements": {"mode": "strict", "reports": 40, "dated_by_deadline": 7, "restated": 0}}
        assert any("7 of 40 company reports" in line for line in warnings(late))


def test_the_list_of_runs_has_it(pages, run_id: str):
    page = pages("results")
    assert PRESET.strategy.name in page.dataframe[0].value["name"].tolist()


def test_a_finished_job_leads_to_its_run(pages, lab: Lab):
    job_id = lab.jobs.submit(lab.owner_id, order())
    run = finished(lab, job_id)
    page = pages("results", job=job_id)
    assert page.query_params["run"] in (run, [run])
    assert page.title[0].value == PRESET.strategy.name


def test_profit_of_the_stocks_is_the_profit_of_the_run(result: Result):
    summary = frames.summarize(result)
    cash_flows = result.tables["ledger"].filter(pl.col("kind").is_in(["buy", "sell"]).not_())["cash_delta_krw"].sum()
    last = result.tables["daily"]["equity_krw"][-1]
    assert summary.stocks["profit_krw"].sum() == pytest.approx(last - 100_000_000, abs=abs(cash_flows) + 1)
    assert sum(count for _reason, count, _profit in summary.sale_reasons) == result.metrics["n_trades"]


def test_holdings_weigh_up_to_the_share_invested(result: Result):
    session = result.tables["daily"]["session"][-1]
    found = frames.holdings(result, session, {})
    day = result.tables["daily"].row(-1, named=True)
    assert found["weight"].sum() == pytest.approx(100 * day["holdings_krw"] / day["equity_krw"])


def test_every_metric_explains_itself_in_both_languages():
    for key in METRICS:
        for language in ("ko", "en"):
            assert len(metric_help(key, language)) > 20


class SlowRun:
    """A run that reports progress and waits until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def __call__(self, *arguments, on_progress, should_cancel, **options):
        sessions = [date(2018, 1, 2), date(2018, 6, 1)]
        curve = pl.Series([1e8, 1.1e8]).to_numpy()
        while not self.go.wait(0.02):
            if should_cancel():
                raise Cancelled("stopped")
            on_progress(
                Progress(
                    stage="simulate",
                    done=0.4,
                    session=sessions[1],
                    buys=12,
                    sells=5,
                    total_return=0.1,
                    max_drawdown=-0.02,
                    equity_krw=curve,
                )
            )
        return run_backtest(*arguments, on_progress=on_progress, should_cancel=should_cancel, **options)


@pytest.fixture
def slow(pages, monkeypatch: pytest.MonkeyPatch, tmp_path) -> Iterator[tuple[Lab, SlowRun]]:
    monkeypatch.setenv("STOCKLAB_DATABASE_URL", f"sqlite:///{tmp_path / 'slow.db'}")
    run = SlowRun()
    lab = Lab.open(load_settings(), run=run)
    monkeypatch.setattr(cached, "lab", lambda: lab)
    yield lab, run
    run.go.set()
    lab.close()


def wait_for(lab: Lab, job_id: str, done: float) -> None:
    deadline = time.monotonic() + 10
    while lab.jobs.get(lab.owner_id, job_id).progress.done < done and time.monotonic() < deadline:
        time.sleep(0.02)


def test_a_running_job_shows_progress_and_can_be_stopped(pages, slow: tuple[Lab, SlowRun]):
    lab, _run = slow
    job_id = lab.jobs.submit(lab.owner_id, order())
    wait_for(lab, job_id, 0.4)
    page: AppTest = pages("results", job=job_id)
    shown = {part.label: part.value for part in page.metric}
    assert (shown["진행 날짜"], shown["수익률"], shown["매수"], shown["매도"]) == ("2018-06-01", "+10.00%", "12", "5")
    page.button(key="cancel_job").click().run()
    deadline = time.monotonic() + 10
    while lab.jobs.get(lab.owner_id, job_id).live and time.monotonic() < deadline:
        time.sleep(0.02)
    page = pages("results", job=job_id)
    assert "취소" in page.error[0].value
    assert lab.jobs.get(lab.owner_id, job_id).state is JobState.CANCELLED


def test_a_waiting_job_shows_its_place(pages, slow: tuple[Lab, SlowRun]):
    lab, _run = slow
    for seed in range(2):
        running = BacktestOrder(**{**_fields(order()), "seed": seed + 1})
        wait_for(lab, lab.jobs.submit(lab.owner_id, running), 0.4)
    job_id = lab.jobs.submit(lab.owner_id, order())
    page = pages("results", job=job_id)
    assert not page.exception
    progress = page.get("progress")[0]
    assert "1번째" in progress.proto.text


def _fields(value: BacktestOrder) -> dict:
    return {name: getattr(value, name) for name in BacktestOrder.__slots__}


def test_a_result_is_put_to_work_with_its_own_rules(pages, lab: Lab, run_id: str):
    accounts = BrokerAccounts(lab.database, open_sealer(lab.settings))
    linked = accounts.link(lab.owner_id, BrokerName.PAPER, mock=True, name="paper", entered={})
    assert "trade_run" in {str(part.key) for part in pages("results", run=run_id, lang="en").button}
    page = pages("trading", result=run_id, lang="en")
    page.button(key="create_trader").click().run()
    assert not page.exception
    (made,) = Traders(lab.database).all(lab.owner_id)
    assert (made.run_id, made.account_id, made.capital_krw) == (run_id, linked.id, 100_000_000)
    assert fingerprint(made.strategy) == fingerprint(PRESET.strategy)
    assert pages("trading", result="0123456789abcdef", lang="en").error
