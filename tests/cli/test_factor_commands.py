"""`stocklab factors`: the catalogue against the data of a home, one factor, one value and what went in, export."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from stocklab.cli import main
from stocklab.data import Store, open_panel
from stocklab.factors import CATALOGUE, missing_inputs

# docs/factors.md, section 10
COUNTS = {
    "value": 36,
    "growth": 42,
    "quality": 55,
    "momentum": 49,
    "size": 23,
    "risk": 24,
    "technical": 37,
    "liquidity_flow": 17,
    "composite": 19,
    "seasonality": 4,
    "total": 306,
}


@pytest.fixture
def home(demo_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    shutil.copytree(demo_home, folder)
    monkeypatch.setenv("STOCKLAB_HOME", str(folder))
    return folder


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main(["factors", *arguments]) == 0
    return capsys.readouterr().out


def test_without_data_the_catalogue_is_whole_and_nothing_is_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STOCKLAB_HOME", str(tmp_path / "empty"))
    rows = json.loads(answer(capsys, "list", "--json"))
    assert [row["id"] for row in rows] == list(CATALOGUE)
    assert {row["status"] for row in rows} == {None}
    text = answer(capsys, "list")
    said = dict(re.findall(r"^(\w+) +(\d+)$", text, re.MULTILINE))
    assert said == {name: str(number) for name, number in COUNTS.items()}
    assert len(answer(capsys, "list", "--category", "seasonality").splitlines()) == 4
    assert json.loads(answer(capsys, "show", "rsi_14", "--json"))["update_frequency"] == "daily"


def test_each_factor_is_computed_or_names_what_the_data_lack(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    panel = open_panel(Store(home))
    rows = {row["id"]: row for row in json.loads(answer(capsys, "list", "--json"))}
    for factor in CATALOGUE:
        missing = list(missing_inputs(factor, panel))
        assert rows[factor]["missing"] == missing
        assert (rows[factor]["status"] == "computed") is (not missing)
    lines = answer(capsys, "list").splitlines()
    assert sum(line.startswith(("+ ", "~ ", "- ")) for line in lines) == len(CATALOGUE)


def test_a_factor_is_shown_in_words_with_inputs_and_source(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = answer(capsys, "show", "roa", "--language", "en")
    for part in ("Net profit", "Total assets", "quality", "filing", "5q", CATALOGUE["roa"].source):
        assert part in text
    assert "당기순이익" in answer(capsys, "show", "roa", "--language", "ko")


def test_a_value_is_shown_with_the_numbers_that_went_in(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    symbol = "D00010"
    asked = ["show", "roa", "--symbol", symbol, "--date", "2026-11-22"]
    found = json.loads(answer(capsys, *asked, "--json"))["explanation"]
    assert found["session"] == "2026-11-20"  # the last session on or before
    profit, assets = found["tree"]["parts"]
    total = sum(quarter["value"] for quarter in profit["quarters"])
    assert len(profit["quarters"]) == 4
    assert profit["value"] == pytest.approx(total)
    assert found["value"] == pytest.approx(100 * total / assets["value"])
    out = tmp_path / "roa.parquet"
    assert main(["factors", "export", "roa", "--start", "2026-11-20", "--end", "2026-11-20", "--out", str(out)]) == 0
    exported = pl.read_parquet(out).filter(pl.col("symbol") == symbol)
    assert exported["session"].to_list() == [date(2026, 11, 20)]
    assert exported["roa"].to_list() == [found["value"]]
    capsys.readouterr()
    text = answer(capsys, *asked, "--language", "en")
    assert "public 20" in text
    assert main(["factors", "show", "roa", "--symbol", "nothing"]) == 2
    assert main(["factors", "show", "roa", "--symbol", symbol, "--date", "1990-01-01"]) == 2
