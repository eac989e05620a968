"""Coverage by year against the calendar, holes, thin sessions, and whose rows stand."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from stocklab.data import Store
from stocklab.data.coverage_map import coverage_map, standing_sources
from stocklab.data.disk_use import disk_use
from stocklab.data.snapshot import UNCHANGED, Snapshot
from stocklab.market.calendar import sessions_between


def bars(days: list[date], symbols: range, source: str = "krx_openapi.stocks") -> pl.DataFrame:
    row: dict[str, Any] = dict.fromkeys(("open", "high", "low", "close"), 1_000)
    row |= {"volume": 1, "tv": 1_000, "change": 0, "market": "KOSPI", "mcap": 10**9, "shares_listed": 10**6}
    return pl.DataFrame(
        [
            {"session": day, "symbol": f"{n:05}0", **row, "dept": None, "source": source}
            for day in days
            for n in symbols
        ],
        schema_overrides={"dept": pl.String},
    )


def calendar(start: date, end: date) -> list[date]:
    days: list[date] = sessions_between(start, end).astype("datetime64[D]").tolist()
    return days


def written(store: Store, **frames: pl.DataFrame) -> Snapshot:
    return store.write(frames, sources=dict.fromkeys(frames, "test"))


def test_shares_are_of_the_years_own_sessions_and_only_of_those_that_ended(store: Store) -> None:
    whole = calendar(date(2023, 1, 1), date(2023, 12, 31))
    half = calendar(date(2024, 1, 1), date(2024, 6, 28))
    snapshot = written(store, prices_raw=bars([*whole[10:], *half], range(3)))
    found = coverage_map(snapshot, date(2024, 6, 28))
    assert len(whole) == 245  # KRX: sessions of 2023
    assert found.years == (2023, 2024)
    assert found.cells["prices_raw", 2023].share == 235 / 245
    assert found.cells["prices_raw", 2024].share == 1.0
    later = coverage_map(snapshot, date(2024, 12, 30))
    assert later.cells["prices_raw", 2024].share == len(half) / 244  # KRX: sessions of 2024
    assert not found.holes
    assert not found.thin


def test_holes_are_sessions_inside_the_span_the_newest_first(store: Store) -> None:
    days = calendar(date(2024, 1, 2), date(2024, 3, 29))
    gone = [days[5], days[40]]
    found = coverage_map(written(store, prices_raw=bars([day for day in days if day not in gone], range(3))), days[-1])
    assert found.holes == {"prices_raw": tuple(reversed(gone))}
    assert found.cells["prices_raw", 2024].days == len(days) - 2


def test_a_half_stored_session_is_thin(store: Store) -> None:
    days = calendar(date(2024, 1, 2), date(2024, 2, 29))
    half = pl.concat([bars(days[:-1], range(20)), bars(days[-1:], range(10))])
    found = coverage_map(written(store, prices_raw=half), days[-1])
    assert [(one.session, one.symbols, one.most) for one in found.thin] == [(days[-1], 10, 20)]
    cell = found.cells["prices_raw", 2024]
    assert (cell.typical, cell.least, cell.most, cell.thinnest) == (20, 10, 20, days[-1])


def test_reports_are_measured_by_stocks_of_the_fullest_year(store: Store) -> None:
    paid = pl.DataFrame(
        {
            "symbol": ["000010", "000020", "000010", "000010"],
            "record_date": [date(2022, 12, 31), date(2022, 12, 31), date(2023, 6, 30), date(2023, 12, 31)],
            "ex_date": [None] * 4,
            "pay_date": [None] * 4,
            "krw_per_share": [100.0] * 4,
        },
        schema_overrides={"ex_date": pl.Date, "pay_date": pl.Date},
    )
    found = coverage_map(written(store, dividends=paid), date(2023, 12, 28))
    assert [(cell.days, cell.share) for cell in found.cells.values()] == [(2, 1.0), (1, 0.5)]


def test_sources_that_stand_are_counted_by_session(store: Store) -> None:
    days = calendar(date(2024, 1, 2), date(2024, 1, 31))
    snapshot = written(
        store,
        prices_raw=pl.concat([bars(days[:5], range(2), "marcap"), bars(days[5:], range(3), "krx_openapi.stocks")]),
    )
    assert [(one.source, one.sessions, one.rows, one.first) for one in standing_sources(snapshot)] == [
        ("krx_openapi.stocks", len(days) - 5, 3 * (len(days) - 5), days[5]),
        ("marcap", 5, 10, days[0]),
    ]


def test_disk_use_counts_shared_files_once(store: Store) -> None:
    days = calendar(date(2024, 1, 2), date(2024, 1, 31))
    first = written(store, prices_raw=bars(days, range(5)))
    rates = pl.DataFrame({"session": days, "name": "CD91", "percent": 3.5})
    second = store.write({"prices_raw": UNCHANGED, "rates": rates}, sources={"rates": "test"})
    found = disk_use(store)
    assert [(one.id, one.current) for one in found.snapshots] == [(second.id, True), (first.id, False)]
    shared = sum(file.size_bytes for file in first.manifest.datasets["prices_raw"].files)
    assert found.snapshot_bytes == sum(one.size_bytes for one in found.snapshots) - shared
    assert found.snapshots[1].size_bytes - found.snapshots[1].own_bytes == shared
    assert found.free_bytes > 0
