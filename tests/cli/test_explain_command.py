"""``stocklab explain``: a preset and a stored run, as text and JSON, and what it refuses."""

from __future__ import annotations

import json
import os
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from stocklab.cli import main

PRESET = "donchian_breakout"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, demo_home: Path) -> Path:
    """A home of its own, as the command keeps the run it makes."""
    place = tmp_path_factory.mktemp("explain") / "home"
    shutil.copytree(demo_home, place, copy_function=os.link)
    return place


@pytest.fixture
def run(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """The exported tables of a run, and its id."""
    monkeypatch.setenv("STOCKLAB_HOME", str(home))
    arguments = ["backtest", PRESET, "--start", "2019-01-01", "--end", "2020-12-30", "--out", str(tmp_path), "--json"]
    assert main(arguments) == 0
    run_id = json.loads(capsys.readouterr().out)["run"]["run_id"]
    return run_id, pl.read_parquet(tmp_path / "trades.parquet"), pl.read_parquet(tmp_path / "orders.parquet")


def test_a_trade_is_explained_from_a_stored_run_and_from_the_preset(run: Any, capsys: pytest.CaptureFixture[str]):
    run_id, trades, _orders = run
    trade = trades.filter(pl.col("side") == "buy").row(3, named=True)
    asked = ["--symbol", trade["symbol"], "--date", str(trade["session"])]
    assert main(["explain", run_id, *asked, "--json", "--language", "en"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["run_id"] == run_id
    assert found["headline"]["code"] == "bought"
    assert found["headline"]["sentence"].startswith(f"Bought {trade['shares']:,} share")
    assert f"₩{trade['price_krw']:,}" in found["headline"]["sentence"]
    assert found["origin"]["verdict"]["code"] == "buy_ordered"
    assert found["origin"]["in_universe"] is True
    assert [rule["holds"] for rule in found["origin"]["entry"]] == [True, True]
    period = ["--start", "2019-01-01", "--end", "2020-12-30"]
    assert main(["explain", PRESET, *asked, *period, "--json", "--language", "en"]) == 0
    assert json.loads(capsys.readouterr().out) == found


def test_as_text_in_korean(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run_id, trades, _orders = run
    sale = trades.filter(pl.col("side") == "sell").row(0, named=True)
    assert main(["explain", run_id, "--symbol", sale["symbol"], "--date", str(sale["session"])]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"{sale['shares']:,}주를 {sale['price_krw']:,}원에 매도했습니다" in lines[0]
    assert any("대상 종목 조건" in line for line in lines)
    assert any("매도 조건" in line for line in lines)


def test_what_is_no_session_stock_or_run_is_refused_with_a_hint(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run_id, trades, _orders = run
    symbol = trades["symbol"][0]
    for arguments, words in (
        ([run_id, "--symbol", symbol, "--date", "2019-01-01"], "not a session of this run"),
        ([run_id, "--symbol", symbol, "--date", "2019-03-02"], "Hint: 2019-02-28 or 2019-03-04"),
        ([run_id, "--symbol", "ZZZZZZ", "--date", "2019-03-04"], "not in this snapshot"),
        ([run_id, "--symbol", symbol, "--date", "2019-03-04", "--start", "2019-01-01"], "has its own dates"),
        (["0" * 40, "--symbol", symbol, "--date", "2019-03-04"], "no preset, no file and no stored result"),
    ):
        assert main(["explain", *arguments]) == 2
        assert words in capsys.readouterr().err


def test_a_run_of_other_data_is_refused(run: Any, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_id, trades, _orders = run
    folder = home / "results" / run_id[:2] / run_id
    other = "f" * 40
    copy = home / "results" / other[:2] / other
    shutil.copytree(folder, copy)
    card = json.loads((copy / "run.json").read_text(encoding="utf-8"))
    (copy / "run.json").write_text(json.dumps({**card, "run_id": other}), encoding="utf-8")
    day = date.fromisoformat(str(trades["session"][0]))
    assert main(["explain", other, "--symbol", trades["symbol"][0], "--date", str(day)]) == 2
    assert "changed since this run" in capsys.readouterr().err
