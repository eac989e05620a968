"""``stocklab sweep``: ranges by option and by file, the files it writes, a repeat, faults and exit codes."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from stocklab.cli import main

RANGES = ("--vary", "entry.rules.A.formula#2=30:40:5", "--vary", "sizing.max_holdings=5,10")
DAYS = ("--start", "2024-01-02", "--end", "2025-12-30")


@pytest.fixture
def home(tmp_path: Path, demo_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(demo_home, tmp_path / "home", copy_function=os.link)
    monkeypatch.setenv("STOCKLAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_a_preset_is_swept_told_and_written(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["sweep", "rsi_reversal", *RANGES, *DAYS, "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "6 variants computed, 0 known from before, 0 skipped" in said
    assert "6 variants of this idea were tried in all" in said
    table = pl.read_parquet(out / "variants.parquet")
    assert table["entry.rules.A.formula#2"].to_list() == [30, 30, 35, 35, 40, 40]
    assert table["n_trades"].null_count() == 0
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert (summary["computed"], summary["variants_tried"], len(summary["best"])) == (6, 6, 6)
    # the document it wrote gives the same sweep, now known
    assert main(["sweep", str(out / "sweep.json"), "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["sweep_id"], again["computed"], again["known"]) == (summary["sweep_id"], 0, 6)
    assert again["best"] == summary["best"]


def test_samples_and_requirements_by_option(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vary = ["--vary", "entry.rules.A.formula#1=5:30", "--vary", "entry.rules.A.formula#2=5:60"]
    rule = "entry.rules.A.formula#1<entry.rules.A.formula#2"
    sample = ["--method", "latin_hypercube", "--count", "8", "--seed", "3", "--require", rule, "--objective", "cagr"]
    assert main(["sweep", "moving_average_cross", *vary, *sample, *DAYS, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["computed"] + found["skipped"] == 8
    assert found["objective"] == "cagr"


def test_numbers_and_schema_are_printed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "rsi_reversal", "--numbers"]) == 0
    assert "entry.rules.A.formula#1" in capsys.readouterr().out
    assert main(["sweep", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out)["$id"] == "urn:stocklab:sweep:1"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["rsi_reversal", *DAYS], 2, "--vary"),
        (["rsi_reversal", *RANGES], 2, "--start"),
        (["rsi_reversal", "--vary", "sizing.max_holding=5:10:5", *DAYS], 1, "did you mean 'sizing.max_holdings'"),
        (["rsi_reversal", "--vary", "sizing.max_holdings", *DAYS], 2, "expected PATH="),
        (["no_such", *RANGES, *DAYS], 2, "neither a preset nor a file"),
        ([], 2, "FILE.json or a preset id"),
    ],
)
def test_faults_say_what_to_do(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    assert main(["sweep", *arguments]) == code
    assert said in capsys.readouterr().err
