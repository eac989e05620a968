"""A stored result run again: identical to the byte, or what changed in data, rules and code."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import stocklab
from stocklab.backtest import ENGINE_VERSION, Result, RunRequest
from stocklab.backtest.code_stamp import code_stamp
from stocklab.data import Store, import_paths
from stocklab.data.engine import run_backtest
from stocklab.data.results import ResultStore
from stocklab.errors import ResultNotFound
from stocklab.research.proof_text import describe_rerun
from stocklab.research.rerun import Rerun, rerun
from stocklab.strategy import parse_document

DAYS = [day for day in (date(2024, 1, 2) + timedelta(days=n) for n in range(25)) if day.weekday() < 5]  # no holiday
RISING = [1000 + 10 * n for n in range(len(DAYS))]
STEADY = [2000] * len(DAYS)


def bars(folder: Path, name: str, closes: dict[str, list[int]], days: list[date]) -> Path:
    rows = [
        {"date": day, "code": code, "open": close, "high": close, "low": close, "close": close, "volume": 10**6}
        for code, series in closes.items()
        for day, close in zip(days, series, strict=True)
    ]
    path = folder / f"{name}.parquet"
    pl.DataFrame(rows).with_columns(src=pl.lit(1, dtype=pl.UInt8)).write_parquet(path)
    return path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two stocks over 18 sessions; the nineteenth is held back."""
    store = Store(tmp_path / "home")
    first = bars(tmp_path, "krx_daily_1", {"000010": RISING[:-1], "000020": STEADY[:-1]}, DAYS[:-1])
    names = {"code": ["000010", "000020"], "name": ["가", "나"], "market": ["KOSPI"] * 2, "kind": ["common"] * 2}
    rest = {"industry": ["제조"] * 2, "listing_date": [date(2010, 1, 4)] * 2, "settle_month": ["12월"] * 2}
    master = tmp_path / "krx_sectors.parquet"
    pl.DataFrame({**names, **rest, "corp_code": ["1", "2"]}).write_parquet(master)
    import_paths(store, [first, master])
    return store


@pytest.fixture
def results(store: Store) -> ResultStore:
    return ResultStore(store.home)


@pytest.fixture
def stored(store: Store, results: ResultStore) -> Result:
    """All in the rising stock, up to the last session that is there and beyond."""
    strategy = parse_document(
        {
            "name": "하나",
            "universe": {"min_listed_sessions": 0, "symbols": ["000010"]},
            "rebalancing": {"mode": "target", "period": "monthly"},
            "sizing": {"max_holdings": 1},
            "costs": {"commission_rate": 0, "tax": 0, "slippage_rate": 0},
        }
    )
    request = RunRequest(strategy=strategy, start=DAYS[0], end=DAYS[-1], initial_cash_krw=1_000_000)
    return run_backtest(store, results, request).result


def changed(found: Rerun, kind: str) -> dict[str, tuple[str, str]]:
    return {each.what: (each.before, each.now) for each in found.changes if each.kind == kind}


def figures(found: Rerun) -> dict[str, tuple[Any, Any]]:
    return {move.figure: (move.before, move.now) for move in found.figures}


def test_the_same_data_rules_and_code_give_the_same_bytes(store: Store, results: ResultStore, stored: Result) -> None:
    found = rerun(store, results, stored.run_id)
    assert found.identical
    assert (found.now_id, found.same_bytes, found.changes, found.figures, found.tables) == (
        stored.run_id, True, (), (), (),
    )  # fmt: skip
    assert "byte for byte" in describe_rerun(found)[0]
    assert found.as_json()["identical"] is True


def test_a_stored_result_that_was_altered_is_not_identical(store: Store, results: ResultStore, stored: Result) -> None:
    folder = results.path(stored.run_id)
    trades = pl.read_parquet(folder / "trades.parquet")
    trades.with_columns(pl.col("price_krw") + 1).write_parquet(folder / "trades.parquet")
    metrics = json.loads((folder / "metrics.json").read_text())
    (folder / "metrics.json").write_text(json.dumps(metrics | {"total_return": 9.0}))
    found = rerun(store, results, stored.run_id)
    assert not found.identical
    assert found.changes == ()
    assert [(move.table, move.rows_before, move.rows_now, move.first) for move in found.tables] == [
        ("trades", 1, 1, str(DAYS[1]))
    ]
    assert figures(found) == {"total_return": (9.0, stored.metrics["total_return"])}
    assert describe_rerun(found)[0].startswith("DIFFERENT")


def test_one_more_day_is_named_with_what_it_did(
    store: Store, results: ResultStore, stored: Result, tmp_path: Path
) -> None:
    more = bars(tmp_path, "krx_daily_2", {"000010": RISING[-1:], "000020": STEADY[-1:]}, DAYS[-1:])
    before = store.current_id()
    import_paths(store, [more])
    found = rerun(store, results, stored.run_id)
    assert (found.identical, found.same_outcome) == (False, False)
    data = changed(found, "data")
    assert data["snapshot_id"] == (before, store.current_id())
    assert data["prices_adjusted.rows"] == ("36", "38")
    assert data["prices_adjusted.last_session"] == (str(DAYS[-2]), str(DAYS[-1]))
    assert data["prices_adjusted.added"] == ("", "2")
    assert "prices_adjusted.corrected" not in data
    assert changed(found, "rules") == changed(found, "code") == {}
    # 990 shares at 1,010 from 999,900 won: worth 1,160 on the day before the last, 1,170 on the last
    shares = 1_000_000 // 1_010
    cash = 1_000_000 - shares * 1_010
    returns = [(cash + shares * close) / 1_000_000 - 1 for close in RISING[-2:]]
    assert figures(found)["total_return"] == pytest.approx(tuple(returns))
    daily = next(move for move in found.tables if move.table == "daily")
    assert (daily.rows_before, daily.rows_now, daily.first) == (18, 19, str(DAYS[-1]))
    assert found.now_id is not None
    assert results.has(found.now_id)


def test_a_correction_is_named_to_the_cell(store: Store, results: ResultStore, stored: Result, tmp_path: Path) -> None:
    import_paths(store, [bars(tmp_path, "krx_daily_3", {"000020": [2_500]}, DAYS[4:5])], replace=True)
    found = rerun(store, results, stored.run_id)
    data = changed(found, "data")
    assert data["prices_adjusted.corrected"] == ("", "1")
    first = data[f"prices_adjusted.first_corrected 000020 {DAYS[4]}"]
    assert first == (
        "open 2,000, high 2,000, low 2,000, close 2,000",
        "open 2,500, high 2,500, low 2,500, close 2,500",
    )
    # the stock is not in the universe: the inputs changed, the outcome did not
    assert (found.identical, found.same_outcome, found.figures, found.tables) == (False, True, (), ())
    assert "with the same figures and tables" in describe_rerun(found)[0]


def test_a_snapshot_that_is_gone_is_said_to_be(
    store: Store, results: ResultStore, stored: Result, tmp_path: Path
) -> None:
    more = bars(tmp_path, "krx_daily_2", {"000010": RISING[-1:], "000020": STEADY[-1:]}, DAYS[-1:])
    import_paths(store, [more])
    store.collect_garbage(0.0)
    data = changed(rerun(store, results, stored.run_id), "data")
    assert set(data) == {"snapshot_id", "snapshot_removed"}


def test_another_engine_is_named(store: Store, results: ResultStore, stored: Result) -> None:
    """A result as an earlier program wrote it: its own stamp, and a document without a field of today."""
    document = {name: value for name, value in stored.card["strategy"].items() if name != "statements"}
    stamps = {"run_id": "ab" * 20, "engine_version": 1, "code_sha256": "0" * 16, "version": "0.0.9"}
    results.save(replace(stored, run_id="ab" * 20, card={**stored.card, **stamps, "strategy": document}))
    found = rerun(store, results, "ab" * 20)
    assert changed(found, "code") == {
        "code_sha256": ("0" * 16, code_stamp()),
        "version": ("0.0.9", stocklab.__version__),
    }
    assert changed(found, "rules") == {
        "engine_version": ("1", str(ENGINE_VERSION)),
        "strategy.statements": ("", '"strict"'),
    }
    assert changed(found, "data") == {}
    assert (found.now_id, found.identical, found.same_outcome) == (stored.run_id, False, True)


def test_a_document_that_is_not_valid_any_more_cannot_be_run(
    store: Store, results: ResultStore, stored: Result
) -> None:
    document = {**stored.card["strategy"], "old_setting": 1}
    results.save(replace(stored, run_id="cd" * 20, card={**stored.card, "run_id": "cd" * 20, "strategy": document}))
    found = rerun(store, results, "cd" * 20)
    assert (found.now_id, found.identical, found.same_outcome) == (None, False, False)
    assert "old_setting" in changed(found, "rules")
    assert "cannot be run again" in describe_rerun(found)[0]


def test_data_without_the_runs_prices_cannot_run_it(store: Store, results: ResultStore, stored: Result) -> None:
    results.save(replace(stored, run_id="ef" * 20, card={**stored.card, "run_id": "ef" * 20, "price_basis": "raw"}))
    found = rerun(store, results, "ef" * 20)
    assert found.now_id is None
    assert "holds no raw bars" in found.refused


def test_what_was_never_stored_is_not_found(store: Store, results: ResultStore) -> None:
    with pytest.raises(ResultNotFound):
        rerun(store, results, "12" * 20)
