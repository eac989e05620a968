"""``prove``, ``survivorship`` and ``rerun`` as a person or a script meets them."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest

from stocklab.cli import main
from stocklab.data import Store
from stocklab.data.demo import build_demo

RANGE = ("--start", "2020-01-02", "--end", "2021-12-30")


@pytest.fixture
def home(demo_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    shutil.copytree(demo_home, folder)
    monkeypatch.setenv("STOCKLAB_HOME", str(folder))
    return folder


def run_of(preset: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["backtest", preset, *RANGE, "--json"]) == 0
    run_id: str = json.loads(capsys.readouterr().out)["run"]["run_id"]
    return run_id


def test_a_preset_and_its_stored_run_are_proved_alike(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", "short_term_reversal", *RANGE, "--sessions", "3"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("No look-ahead: every decision is identical without the future")
    run_id = run_of("short_term_reversal", capsys)
    assert main(["prove", run_id, "--sessions", "3", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["run_id"], answer["identical"], len(answer["sessions"])) == (run_id, True, 3)
    assert answer["differences"] == []


def test_a_strategy_that_knows_later_splits_is_red_with_exit_code_1(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "cheap.json"
    rule = {"id": "A", "formula": "close < 5000"}  # adjusted to today: splits of later are in it
    file.write_text(json.dumps({"name": "싼 주식", "entry": {"rules": [rule]}}), encoding="utf-8")
    assert main(["prove", str(file), *RANGE, "--basis", "raw"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("LOOK-AHEAD: ")
    assert ": entry of 20" in said
    assert main(["prove", str(file), *RANGE, "--basis", "raw", "--json"]) == 1
    first = json.loads(capsys.readouterr().out)["differences"][0]
    assert date.fromisoformat(first["cut"]) <= date(2021, 12, 30)
    assert (first["part"], len(first["symbol"])) == ("entry", 6)


def test_survivorship_shows_both_runs_and_the_gap(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["survivorship", "momentum_12_1", *RANGE]) == 0
    said = capsys.readouterr().out
    for words in ("all names", "survivors", "gap", "CAGR", "delisted", "Delistings known for these sessions"):
        assert words in said
    assert main(["survivorship", "momentum_12_1", *RANGE, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["run_id"] == run_of("momentum_12_1", capsys)
    assert answer["gap"]["cagr"] == answer["survivors"]["cagr"] - answer["run"]["cagr"]


def test_rerun_is_identical_until_the_data_change(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_id = run_of("short_term_reversal", capsys)
    assert main(["rerun", run_id]) == 0
    assert capsys.readouterr().out.startswith(f"Identical: {run_id} computed again, byte for byte.")
    build_demo(Store(home), symbols=120, until=date(2026, 11, 27))
    assert main(["rerun", run_id, "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["identical"], answer["run_id"]) == (False, run_id)
    assert answer["now_id"] not in (None, run_id)
    assert {"snapshot_id"} <= {change["what"] for change in answer["changes"]}
    assert {change["kind"] for change in answer["changes"]} == {"data"}
    assert main(["prove", run_id]) == 2
    assert f"stocklab rerun {run_id}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["prove", "momentum_12_1"], 2, "Expected --start with a strategy"),
        (["prove", "momentum", *RANGE], 2, "neither a preset nor a file"),
        (["survivorship", "ab" * 20], 2, "neither a preset nor a file"),
        (["rerun", "ab" * 20], 3, "No result"),
    ],
)
def test_what_cannot_be_answered_says_why(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    assert main(arguments) == code
    assert message in capsys.readouterr().err
