"""The command line as a person or a script meets it: answers, files, messages and exit codes."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from stocklab.backtest import TABLE_SCHEMAS
from stocklab.bench import FIGURES, Figure
from stocklab.cli import main
from stocklab.factors import CATALOGUE
from stocklab.strategy import PRESETS

EXPORTED = {"run.json", "metrics.json", *(f"{name}.parquet" for name in TABLE_SCHEMAS)}


@pytest.fixture
def home(demo_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    shutil.copytree(demo_home, folder)
    monkeypatch.setenv("STOCKLAB_HOME", str(folder))
    return folder


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "empty"
    monkeypatch.setenv("STOCKLAB_HOME", str(folder))
    return folder


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> object:
    assert main([*arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_backtest_exports_the_contract_and_every_won_is_accounted_for(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["backtest", "momentum_12_1", "--start", "2018-01-02", "--end", "2026-06-30", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "demo data (synthetic)" in said
    assert {file.name for file in out.iterdir()} == EXPORTED
    tables = {name: pl.read_parquet(out / f"{name}.parquet") for name in TABLE_SCHEMAS}
    for name, columns in TABLE_SCHEMAS.items():
        assert dict(tables[name].schema) == dict(columns)
    card = json.loads((out / "run.json").read_text())
    metrics = json.loads((out / "metrics.json").read_text())
    named = "total_return cagr volatility max_drawdown sharpe sortino calmar win_rate profit_factor turnover n_trades"
    assert set(named.split()) <= set(metrics)
    daily = tables["daily"]
    assert (daily["cash_krw"] + daily["holdings_krw"] == daily["equity_krw"]).all()
    moved = tables["ledger"].group_by("session").agg(pl.col("cash_delta_krw").sum())
    booked = daily.join(moved, on="session", how="left")["cash_delta_krw"].fill_null(0).cum_sum()
    assert (booked + card["initial_cash_krw"] == daily["cash_krw"]).all()
    held = tables["positions"].group_by("session").agg(pl.col("value_krw").sum())
    worth = daily.join(held, on="session", how="left")["value_krw"].fill_null(0)
    assert (worth == daily["holdings_krw"]).all()
    assert metrics["n_trades"] >= 50


def test_the_same_backtest_again_is_answered_from_the_store_with_the_same_bytes(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["backtest", "rsi_reversal", "--start", "2022-01-03", "--end", "2023-12-28", "--out"]
    assert main([*asked, str(tmp_path / "one")]) == 0
    shutil.rmtree(home / "results")
    shutil.rmtree(home / "cache", ignore_errors=True)
    assert main([*asked, str(tmp_path / "two")]) == 0
    assert "already computed" not in capsys.readouterr().out
    assert main([*asked, str(tmp_path / "three")]) == 0
    assert "already computed" in capsys.readouterr().out
    for name in EXPORTED:
        first = (tmp_path / "one" / name).read_bytes()
        assert first == (tmp_path / "two" / name).read_bytes() == (tmp_path / "three" / name).read_bytes()


def test_a_document_file_runs_and_its_faults_are_all_named(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({"name": "내 전략", "entry": {"rules": [{"id": "A", "formula": "ret_1w < -10"}]}}))
    answer = run_json(
        capsys, "backtest", str(file), "--start", "2024-01-02", "--end", "2024-12-30", "--cash", "5,000,000", "--json"
    )
    assert isinstance(answer, dict)
    assert answer["run"]["initial_cash_krw"] == 5_000_000
    file.write_text(json.dumps({"name": "x", "univers": {}, "entry": {"rules": [{"id": "A", "formula": "clsoe > 3"}]}}))
    assert main(["strategy", "validate", str(file)]) == 1
    said = capsys.readouterr().err
    assert "univers" in said
    assert "universe" in said
    assert "entry.rules.0.formula" in said
    assert "close" in said


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["backtest", "momentum", "--start", "2020-01-02", "--end", "2021-01-02"], 2, "neither a preset nor a file"),
        (["backtest", "momentum_12_1", "--start", "2021-01-04", "--end", "2020-01-02"], 2, "is after the end"),
        (["backtest", "momentum_12_1", "--start", "1999-01-04", "--end", "1999-02-01"], 2, "No session between"),
        (["presets", "show", "momentum_12"], 2, "momentum_12_1"),
        (["factors", "show", "per9"], 2, "factors list"),
        (
            ["factors", "export", "rsi_41", "--start", "2024-01-02", "--end", "2024-02-01", "--out", "x.parquet"],
            2,
            "^^",
        ),
        (["bench", "enginee"], 2, "engine"),
        (["data", "import", "nowhere.parquet"], 2, "nowhere.parquet"),
        (["data", "import", "x.csv", "--map", "date"], 2, "OURS=THEIRS"),
    ],
)
def test_wrong_use_is_answered_with_a_reason_and_its_exit_code(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    found = main(arguments)
    captured = capsys.readouterr()
    assert (found, captured.out) == (code, "")
    assert message in captured.err


def test_an_unknown_setting_stops_the_program_and_names_the_nearest(
    empty: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STOCKLAB_ENGIN_THREADS", "2")
    assert main(["doctor"]) == 2
    assert "STOCKLAB_ENGINE_THREADS" in capsys.readouterr().err


def test_an_empty_home_says_what_to_do(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "status"]) == 0
    assert "stocklab demo" in capsys.readouterr().out
    assert main(["backtest", "rsi_reversal", "--start", "2020-01-02", "--end", "2021-01-04"]) == 3
    assert "stocklab demo" in capsys.readouterr().err
    assert main(["doctor"]) == 0
    assert "[warn] store: no market data" in capsys.readouterr().out
    assert not (empty / "results").exists()


def test_demo_makes_a_market_that_status_and_doctor_label(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--symbols", "50", "--until", "2026-11-20"]) == 0
    assert "Demo data (synthetic)" in capsys.readouterr().out
    state = run_json(capsys, "data", "status", "--json")
    assert isinstance(state, dict)
    assert state["synthetic"] is True
    assert sum(state["symbols_by_market"].values()) >= 50
    assert main(["data", "status"]) == 0
    assert "demo data (synthetic)" in capsys.readouterr().out
    report = run_json(capsys, "doctor", "--json")
    assert isinstance(report, dict)
    assert {check["name"]: check["state"] for check in report["checks"]}["store"] == "ok"


def test_doctor_is_unhealthy_when_the_database_cannot_be_opened(
    empty: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STOCKLAB_DATABASE_URL", "postgresql://nobody:topsecret@127.0.0.1:9/none")
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "[fail] database" in said
    assert "topsecret" not in said


def test_presets_and_factors_list_everything(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = run_json(capsys, "presets", "list", "--json")
    assert isinstance(rows, list)
    assert [row["id"] for row in rows] == list(PRESETS)
    assert len(rows) == 29
    factors = run_json(capsys, "factors", "list", "--json")
    assert isinstance(factors, list)
    assert {row["id"] for row in factors} == set(CATALOGUE)
    assert len(factors) == 306
    preset = run_json(capsys, "presets", "show", "rsi_reversal")
    assert isinstance(preset, dict)
    assert preset["strategy"] == PRESETS["rsi_reversal"].strategy.model_dump(mode="json")
    assert main(["presets", "list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 29


def test_schema_names_every_part_of_the_document(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schema = run_json(capsys, "strategy", "schema")
    assert isinstance(schema, dict)
    assert {"universe", "entry", "ranking", "sizing", "execution", "exit", "rebalancing", "costs"} <= set(
        schema["properties"]
    )
    assert main(["strategy", "validate", "rsi_reversal", "--language", "en"]) == 0
    assert "Relative strength index" in capsys.readouterr().out


def test_factor_export_has_a_row_per_listed_symbol_and_equals_a_hand_computation(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "factors.parquet"
    asked = ["factors", "export", "ret_1w", "close", "종가 > 이동평균({종가},{5일})"]
    assert main([*asked, "--start", "2024-03-04", "--end", "2024-03-29", "--out", str(out)]) == 0
    table = pl.read_parquet(out)
    assert table.columns == ["session", "symbol", *asked[2:]]
    assert table["session"].min() == date(2024, 3, 4)
    assert table.select("session", "symbol").is_unique().all()
    assert table.equals(table.sort("session", "symbol"))
    one = table.filter(pl.col("symbol") == table["symbol"][0]).sort("session")
    expected = 100 * (one["close"] / one["close"].shift(5) - 1)
    difference = (one["ret_1w"] - expected).drop_nulls().abs()
    assert len(difference) >= 10
    assert difference.max() < 1e-9


def test_every_command_is_found_where_it_lives(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    shown = re.findall(r"^    ([a-z]+)(?:  |$)", capsys.readouterr().out, re.MULTILINE)
    assert len(shown) == len(set(shown)) >= 24
    for name in shown:  # by its name, from the module that is said to hold it
        with pytest.raises(SystemExit, match="0"):
            main([name, "--help"])
        assert capsys.readouterr().out.startswith(f"usage: stocklab {name} ")


def test_bench_says_whether_a_figure_meets_its_targets() -> None:
    fast = Figure(name="a", size="s", seconds=0.01, target_seconds=0.02, n_trades=50)
    slow = Figure(name="a", size="s", seconds=0.03, target_seconds=0.02)
    idle = Figure(name="a", size="s", seconds=0.01, target_seconds=0.02, n_trades=49)
    heavy = Figure(name="a", size="s", seconds=0.01, peak_mb=20, target_mb=10)
    assert [figure.met for figure in (fast, slow, idle, heavy)] == [True, False, False, False]
    assert Figure(name="a", size="s", seconds=1).met is None
    assert "NOT MET" in slow.describe()
    assert "10.0 ms" in fast.describe()
    assert FIGURES == ("import", "panel", "engine", "factors", "screen", "sweep", "cli", "presets")


def test_bench_measures_the_panel_on_a_synthetic_market(
    empty: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("stocklab.bench.figures._SYNTHETIC_SYMBOLS", 60)
    monkeypatch.setattr("stocklab.bench.figures.SWEEP_COUNTS", (8,))
    rows = run_json(capsys, "bench", "import", "sweep", "--json")
    assert isinstance(rows, list)
    assert [row["name"] for row in rows] == ["import: synthetic market", "sweep: 8 variants"]
    assert rows[0]["seconds"] > 0
    assert rows[0]["peak_mb"] > 50
