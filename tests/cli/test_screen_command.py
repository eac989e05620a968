"""``stocklab screen``: by formulas, by a file, by a preset; as text, JSON and CSV; exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from stocklab.cli import main


@pytest.fixture
def home(demo_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STOCKLAB_HOME", str(demo_home))
    monkeypatch.setenv("STOCKLAB_FACTOR_CACHE_MB", "0")  # the home is shared: only read it
    return demo_home


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert main(["screen", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_by_formulas_with_columns_order_limit_and_a_day(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(
        capsys,
        *("--where", "종가 > 이동평균({종가},{20일})", "--where", "rsi_14<70", "--date", "2024-06-02"),
        *("--columns", "rsi_14,clip(ret_1m,-50,50)", "시가총액", "--sort", "rsi_14:asc", "--limit", "4"),
    )
    assert (found["session"], found["asked"]) == ("2024-05-31", "2024-06-02")
    assert [one["formula"] for one in found["conditions"]] == ["close>sma(close,20)", "rsi_14<70"]
    assert found["columns"] == ["rsi_14", "clip(ret_1m,-50,50)", "market_cap"]
    values = [row["rsi_14"] for row in found["rows"]]
    assert len(values) == 4
    assert values == sorted(values)
    assert all(row["conditions"] == {"A": True, "B": True} for row in found["rows"])
    assert found["matched"] >= 4
    assert found["synthetic"] is True
    assert any("2024-06-02 is no session" in note for note in found["notes"])


def test_as_text_and_csv_the_default_day_is_the_last(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "hits.csv"
    assert main(["screen", "--where", "close>sma(close,60)", "--columns", "ret_1m", "--csv", str(out)]) == 0
    said = capsys.readouterr()
    assert "stocks match at the close of 2026-11-20  demo data (synthetic)" in said.out
    assert "symbol" in said.out
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")
    written = pl.read_csv(out)
    assert written.columns == ["symbol", "name", "market", "sector", "close_krw", "ret_1m", "A"]
    assert str(written.height) in said.out.split(" of ")[0]


def test_a_file_may_be_a_screen_or_a_strategy_and_presets_count_too(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = [{"id": "A", "formula": "close>sma(close,20)"}]
    screen, strategy = tmp_path / "screen.json", tmp_path / "strategy.json"
    screen.write_text(json.dumps({"conditions": {"rules": rules}, "columns": ["ret_1m"]}), encoding="utf-8")
    ranking = {"factors": [{"formula": "ret_1m"}]}
    strategy.write_text(json.dumps({"name": "x", "entry": {"rules": rules}, "ranking": ranking}), encoding="utf-8")
    by_symbol = answer(capsys, str(screen))["rows"]
    by_score = answer(capsys, str(strategy))["rows"]
    assert {row["symbol"] for row in by_symbol} == {row["symbol"] for row in by_score}
    assert [row["symbol"] for row in by_symbol] == sorted(row["symbol"] for row in by_symbol)
    assert [row["ret_1m"] for row in by_score] == sorted((row["ret_1m"] for row in by_score), reverse=True)
    preset = answer(capsys, "momentum_12_1", "--columns", "rsi_14", "--limit", "2")
    assert preset["columns"] == ["mom_12_1", "rsi_14"]
    assert len(preset["rows"]) == 2
    again = answer(capsys, "momentum_12_1", "--sort", "close_krw")["rows"]
    assert [row["close_krw"] for row in again] == sorted((row["close_krw"] for row in again), reverse=True)


def test_a_condition_that_can_never_match_is_said_and_is_no_failure(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["screen", "--where", "volume_raw>0", "--basis", "adjusted", "--date", "2024-06-03"]) == 0
    said = capsys.readouterr()
    assert "needs volume_raw, which this data does not have: this condition can never match" in said.err
    assert said.out.startswith("0 of ")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "either FILE.json"),
        (["momentum_12_1", "--where", "close>1"], 2, "either FILE.json"),
        (["nowhere.json"], 2, "neither a preset nor a file"),
        (["--where", "clsoe>1"], 2, "did you mean 'close'"),
        (["--where", "close"], 2, "Expected a condition"),
        (["--where", "close>1", "--columns", "prr"], 2, "prr"),
        (["--where", "close>1", "--sort", "rsi_14:up"], 2, "'desc' or 'asc'"),
        (["momentum_12_1", "--columns", "clsoe"], 2, "^^^^^"),
        (["--where", "close>1", "--date", "1990-01-01"], 2, "the data begin on"),
    ],
)
def test_wrong_use_says_what_was_expected(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    assert main(["screen", *arguments]) == code
    assert message in capsys.readouterr().err


def test_a_faulty_file_names_every_fault(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "screen.json"
    file.write_text(json.dumps({"columns": ["nope"], "limit": 0}), encoding="utf-8")
    assert main(["screen", str(file)]) == 1
    said = capsys.readouterr().err
    assert "columns.0" in said
    assert "limit" in said


def test_an_empty_home_is_bad_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STOCKLAB_HOME", str(tmp_path / "empty"))
    assert main(["screen", "--where", "close>1"]) == 3
    assert "stocklab demo" in capsys.readouterr().err
