"""The badge on every result, and the section behind it."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from stocklab.db import JobState
from stocklab.market.panel import PriceBasis
from stocklab.portfolios import BacktestOrder, Lab
from stocklab.research.look_ahead import LookAhead
from stocklab.strategy import PRESETS

START, END = date(2020, 1, 2), date(2021, 12, 30)


def finished(lab: Lab, document: dict[str, Any]) -> str:
    asked = BacktestOrder(document=document, start=START, end=END, initial_cash_krw=10**8, basis=PriceBasis.RAW)
    job_id = lab.jobs.submit(lab.owner_id, asked)
    deadline = time.monotonic() + 120
    while lab.jobs.get(lab.owner_id, job_id).live and time.monotonic() < deadline:
        time.sleep(0.05)
    view = lab.jobs.get(lab.owner_id, job_id)
    assert view.state is JobState.COMPLETED, view.error_message
    assert view.run_id is not None
    return view.run_id


def checked(lab: Lab, run_id: str) -> LookAhead:
    deadline = time.monotonic() + 120
    while lab.proofs.load(run_id) is None and time.monotonic() < deadline:
        time.sleep(0.05)
    found = lab.proofs.load(run_id)
    assert found is not None
    while lab.jobs.list(lab.owner_id, states=[JobState.RUNNING]):
        time.sleep(0.02)
    return found


def words(page: AppTest) -> str:
    assert not page.exception
    parts = (*page.markdown, *page.success, *page.error, *page.info, *page.warning, *page.caption)
    return "\n".join(part.value for part in parts)


@pytest.fixture
def run_id(lab: Lab) -> str:
    return finished(lab, PRESETS["momentum_12_1"].strategy.model_dump(mode="json"))


def test_the_first_look_starts_the_check_and_the_badge_turns_green(pages, lab: Lab, run_id: str) -> None:
    lab.proofs.path(run_id).unlink(missing_ok=True)
    first = words(pages("results", run=run_id, lang="en"))
    assert ":gray-badge[" in first
    assert "ook-ahead check waiting" in first or "Checking for look-ahead" in first
    found = checked(lab, run_id)
    assert found.identical
    page = pages("results", run=run_id, lang="en")
    assert ":green-badge[:material/verified: No look-ahead]" in words(page)
    badge = next(part for part in page.markdown if "No look-ahead" in part.value)
    assert f"cut off after {len(found.sessions)} sessions" in badge.proto.help
    assert "No look-ahead" in pages("results", lang="en").dataframe[0].value["look_ahead"].to_list()
    korean = words(pages("results", run=run_id, lang="ko"))
    assert ":green-badge[:material/verified: 미래 참조 없음]" in korean


def test_a_strategy_that_knows_later_splits_is_red_and_shows_where(pages, lab: Lab) -> None:
    rule = {"id": "A", "formula": "close<5000"}  # adjusted to today: splits of later are in it
    document = {**PRESETS["momentum_12_1"].strategy.model_dump(mode="json"), "entry": {"rules": [rule]}}
    run_id = finished(lab, document)
    pages("results", run=run_id, lang="en")
    found = checked(lab, run_id)
    assert found.identical is False
    page = pages("results", run=run_id, lang="en", result_section="trust")
    assert ":red-badge[:material/warning: Look-ahead found]" in words(page)
    assert any("uses what nobody could know then" in part.value for part in page.error)
    first = found.differences[0]
    shown = page.dataframe[0].value.iloc[0]
    assert (shown["cut"], shown["what"]) == (first.cut.isoformat(), "Rules to buy")
    assert shown["symbol"].endswith(first.symbol)
    assert (shown["run"], shown["replay"]) in {("Yes", "No"), ("No", "Yes")}
    assert "close_raw is the price as it was traded" in words(page)


def test_a_result_of_another_program_is_grey_and_not_checked(pages, lab: Lab, run_id: str) -> None:
    result = lab.results.load(run_id)
    card = {**result.card, "run_id": "ab" * 20, "code_sha256": "0" * 16}
    lab.results.save(replace(result, run_id="ab" * 20, card=card))
    page = pages("results", run="ab" * 20, lang="en", result_section="trust")
    assert ":gray-badge[:material/help: Look-ahead not checked]" in words(page)
    assert "changed since this run" in words(page)
    assert not lab.jobs.list(lab.owner_id, states=[JobState.PENDING, JobState.RUNNING])
    page.button(key="run_again").click().run()
    said = words(page)
    assert "What it was made from changed; the figures and tables are the same." in said
    assert "Fingerprint of the code" in "\n".join(part.proto.body for part in page.get("html"))


def test_survivors_and_running_again(pages, lab: Lab, run_id: str) -> None:
    page = pages("results", run=run_id, lang="en", result_section="trust")
    page.button(key="compute_survivors").click().run()
    assert not page.error
    assert not page.exception
    shown = "\n".join(part.proto.body for part in page.get("html"))
    for word in ("Survivors", "Gap", "Delistings known for these sessions", "Of the names gone, bought"):
        assert word in shown
    assert page.get("plotly_chart")
    page.button(key="run_again").click().run()
    assert "Identical: computed anew" in words(page)
    again = pages("results", run=run_id, lang="ko", result_section="trust")
    assert "동일합니다." in words(again)  # remembered while data and program stay
    checked(lab, run_id)


def test_stocks_with_findings_that_were_traded_are_counted_and_listed(pages, lab: Lab, run_id: str) -> None:
    result = lab.results.load(run_id)
    snapshot = lab.store.current()
    assert snapshot is not None
    traded = sorted(set(result.tables["trades"]["symbol"]))
    held = sorted(set(lab.panel().symbols) - set(traded))
    found = {
        ("prices_raw", "jumps"): {traded[0]: [2, "2020-05-04", "2021-06-01"], held[0]: [1, "2020-05-04", "2020-05-04"]},
        ("prices_raw", "gaps"): {
            traded[0]: [1, "2019-06-03", "2019-06-05"],
            traded[1]: [1, "2022-01-04", "2022-01-06"],
        },
        ("prices_raw", "volume_breaks"): {traded[2]: [1, "2019-06-03", "2019-06-03"]},
        ("prices_adjusted", "jumps"): {traded[3]: [1, "2020-05-04", "2020-05-04"]},
        ("statements", "late_reports"): {traded[4]: [1, "2020-03-31", "2020-09-01"]},  # the strategy reads no reports
    }
    checks = [{"dataset": name, "check": check, "symbols": rows} for (name, check), rows in found.items()]
    other = snapshot.path.with_name("20200101T000000000000Z-findings")
    shutil.copytree(snapshot.path, other, copy_function=os.link, ignore=shutil.ignore_patterns("quality.json"))
    (other / "quality.json").write_text(json.dumps({"counts": {}, "checks": checks}), encoding="utf-8")
    for number, name in (("cd", other.name), ("ef", "20190101T000000000000Z-removed")):
        card = {**result.card, "run_id": number * 20, "snapshot_id": name}
        lab.results.save(replace(result, run_id=number * 20, card=card))
    sentence = f"Findings in the quality report of its data: 2 of the {len(traded)} stocks it traded."
    assert sentence in words(pages("results", run="cd" * 20, lang="en"))
    page = pages("results", run="cd" * 20, lang="en", result_section="trust")
    assert sentence in words(page)
    table = next(part.value for part in page.dataframe if "score" in part.value.columns)
    rows = table[["symbol", "score", "count"]].to_numpy().tolist()
    assert rows == [[f"company?symbol={traded[0]}", 55, 3], [f"company?symbol={traded[2]}", 80, 1]]
    assert "are not known any more" in words(pages("results", run="ef" * 20, lang="en", result_section="trust"))
