"""Stored results: whole or absent, same bytes, never another run's files."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from stocklab.backtest import TABLE_SCHEMAS, Result
from stocklab.data.results import ResultStore
from stocklab.errors import DataError, InputError, ResultNotFound

RUN = "0123456789abcdef"


def a_result(run_id: str = RUN, equity: int = 100) -> Result:
    tables = {name: pl.DataFrame(schema=dict(columns)) for name, columns in TABLE_SCHEMAS.items()}
    tables["daily"] = pl.DataFrame(
        [[date(2024, 1, 2), equity, 0, equity, 2600.0]], schema=dict(TABLE_SCHEMAS["daily"]), orient="row"
    )
    return Result(run_id=run_id, card={"name": "시험", "run_id": run_id}, metrics={"cagr": None}, tables=tables)


def files_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_saved_result_reads_back_as_the_same_value(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    store.save(a_result())
    loaded = store.load(RUN)
    assert loaded.card == a_result().card
    assert loaded.metrics == a_result().metrics
    for name, columns in TABLE_SCHEMAS.items():
        assert loaded.tables[name].equals(a_result().tables[name])
        assert dict(loaded.tables[name].schema) == dict(columns)


def test_the_same_result_gives_the_same_bytes_in_another_home(tmp_path: Path) -> None:
    first = ResultStore(tmp_path / "a").save(a_result())
    second = ResultStore(tmp_path / "b").save(a_result())
    assert files_of(first) == files_of(second)


def test_saving_again_leaves_the_first_files_untouched(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    before = files_of(store.save(a_result()))
    after = files_of(store.save(a_result(equity=999)))  # an impossible second value under the same content hash
    assert after == before
    assert [entry.name for entry in (tmp_path / "results" / RUN[:2]).iterdir()] == [RUN]


@pytest.mark.parametrize("run_id", ["../../etc", "0123", "ABCDEF0123456789", "0123456789abcdef/..", ""])
def test_only_a_run_id_is_ever_turned_into_a_path(tmp_path: Path, run_id: str) -> None:
    with pytest.raises(ResultNotFound):
        ResultStore(tmp_path).path(run_id)


def test_an_unknown_run_is_named(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    for call in (
        store.load,
        store.delete,
        lambda run: store.export(run, tmp_path / "out"),
        lambda run: store.read_json(run, "card"),
    ):
        with pytest.raises(ResultNotFound, match=RUN):
            call(RUN)


def test_a_damaged_table_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    folder = store.save(a_result())
    (folder / "trades.parquet").write_bytes(b"PAR1 cut short")
    with pytest.raises(DataError, match=r"damaged.*run again"):
        store.load(RUN)


def test_export_writes_exactly_the_contract_files(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    store.save(a_result())
    out = store.export(RUN, tmp_path / "out")
    expected = {
        "run.json",
        "metrics.json",
        "daily.parquet",
        "positions.parquet",
        "trades.parquet",
        "orders.parquet",
        "ledger.parquet",
        "deposits.parquet",
    }
    assert {file.name for file in out.iterdir()} == expected


def test_export_refuses_a_file_in_the_way(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    store.save(a_result())
    (tmp_path / "out").write_text("mine")
    with pytest.raises(InputError, match="expected a directory"):
        store.export(RUN, tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_shrink_keeps_what_was_asked_for_and_the_newest(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    runs = [f"{number:016x}" for number in range(4)]
    for age, run in enumerate(runs):
        folder = store.save(a_result(run))
        os.utime(folder / "run.json", (1_000_000 + age, 1_000_000 + age))
    each = store.size_bytes() // 4
    assert store.shrink(2 * each + each // 2, keep=frozenset({runs[0]})) == 2
    assert [store.has(run) for run in runs] == [True, False, False, True]
