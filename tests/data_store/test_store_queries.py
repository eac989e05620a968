"""DuckDB sees one snapshot and nothing else; the status says what is there."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest

import stocklab.data
from stocklab.data import Snapshot, Store, bars, connect, import_paths, search_symbols, status
from stocklab.errors import StoreError
from stocklab.market.panel import PriceBasis


@pytest.fixture
def snapshot(store: Store, daily: Callable[..., pl.DataFrame], put: Callable[[str, pl.DataFrame], Path]) -> Snapshot:
    master = pl.DataFrame(
        {
            "code": ["000020", "005930", "005935", "028260"],
            "name": ["동화약품", "삼성전자", "삼성전자우", "삼성물산"],
            "market": ["KOSPI"] * 4,
            "kind": ["common", "common", "preferred", "common"],
            "industry": ["의약품 제조업", "통신 장비", None, "종합 건설"],
            "listing_date": [date(1976, 3, 24), date(1975, 6, 11), None, date(2014, 12, 18)],
            "settle_month": ["12월"] * 4,
            "corp_code": ["1", "2", None, "3"],
        }
    )
    gone = pl.DataFrame(
        {
            "code": ["000830", "005930"],
            "name": ["삼성물산(옛)", "x"],
            "market": ["KOSPI"] * 2,
            "secu_group": ["주권"] * 2,
        }
    ).with_columns(
        listing_date=pl.lit(date(1975, 12, 12)),
        delisting_date=pl.lit(date(2015, 9, 15)),
        reason=pl.lit("피흡수합병"),
        to_code=pl.lit(None, dtype=pl.String),
    )
    import_paths(
        store,
        [put("krx_daily_x.parquet", daily()), put("krx_sectors.parquet", master), put("krx_delisted.parquet", gone)],
    )
    current = store.current()
    assert current is not None
    return current


def test_bars_of_one_symbol(snapshot: Snapshot) -> None:
    rows = bars(snapshot, "005930", PriceBasis.ADJUSTED, start=date(2024, 1, 3), end=date(2024, 1, 5))
    assert rows["close"].to_list() == [71_000, 72_000, 71_500]
    assert rows.columns[:3] == ["session", "symbol", "open"]
    assert bars(snapshot, "005930", PriceBasis.ADJUSTED).height == 5
    assert bars(snapshot, "' OR 1=1 --", PriceBasis.ADJUSTED).is_empty()
    with pytest.raises(StoreError, match="holds no prices_raw"):
        bars(snapshot, "005930", PriceBasis.RAW)


def test_search(snapshot: Snapshot, store: Store) -> None:
    assert search_symbols(snapshot, "삼성")["symbol"].to_list() == ["005930", "028260", "005935", "000830"]
    assert search_symbols(snapshot, "5930")["name"].to_list() == ["삼성전자"]
    assert search_symbols(snapshot, "옛")["delisted_on"].to_list() == [date(2015, 9, 15)]
    assert search_symbols(snapshot, "삼성", limit=1).height == 1
    assert search_symbols(snapshot, "%").is_empty()
    assert search_symbols(snapshot, "  ").columns == ["symbol", "name", "market", "kind", "sector", "delisted_on"]
    bare = store.write({"prices_adjusted": snapshot.scan("prices_adjusted")}, sources={"prices_adjusted": "x"})
    assert search_symbols(bare, "삼성").is_empty()


def test_ad_hoc_sql_reads_the_snapshot_only(snapshot: Snapshot, tmp_path: Path) -> None:
    outside = tmp_path / "secret.csv"
    outside.write_text("a\n1\n")
    with connect(snapshot) as connection:
        assert connection.execute("SELECT count(*), max(close) FROM prices_adjusted").fetchall() == [(10, 73_000)]
        assert connection.execute("SELECT count(*) FROM delistings").fetchall() == [(2,)]
        for statement in (
            f"SELECT * FROM read_csv('{outside}')",
            f"COPY (SELECT 1) TO '{tmp_path / 'written.csv'}'",
            "SET enable_external_access = true",
            "INSTALL httpfs",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(statement)
    assert not (tmp_path / "written.csv").exists()


def test_a_home_with_a_quote_in_its_name(tmp_path: Path, snapshot: Snapshot) -> None:
    other = Store(tmp_path / "it's here")
    copy = other.write({"prices_adjusted": snapshot.scan("prices_adjusted")}, sources={"prices_adjusted": "x"})
    assert bars(copy, "005930", PriceBasis.ADJUSTED).height == 5


def test_status(snapshot: Snapshot, store: Store, tmp_path: Path) -> None:
    state = status(store, today=date(2024, 1, 10))
    assert json.loads(json.dumps(state)) == state
    assert (state["snapshot"], state["synthetic"], state["age_days"]) == (snapshot.id, False, 2)
    prices = state["datasets"]["prices_adjusted"]
    assert (prices["rows"], prices["first_session"], prices["last_session"]) == (10, "2024-01-02", "2024-01-08")
    assert (prices["source"], prices["age_days"], prices["files"]) == ("krx_daily_x.parquet", 2, 1)
    assert state["datasets"]["instruments"]["age_days"] is None
    assert state["symbols_by_market"] == {"KOSPI": 2}
    assert state["quality"]["prices_adjusted.unnamed"] == 0
    assert state["snapshots"] == [snapshot.id]
    assert state["panels"] == [f"{snapshot.id}-adjusted"]
    assert status(Store(tmp_path / "nothing")) == {"home": str(tmp_path / "nothing"), "snapshot": None}
    assert status(store)["age_days"] > 0


def test_exported_names() -> None:
    for name in stocklab.data.__all__:
        assert hasattr(stocklab.data, name)
