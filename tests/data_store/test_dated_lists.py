"""Members and flags with dates: what files become, how they meet stored ones, and what a panel makes of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from stocklab.data import Store, import_paths, open_panel
from stocklab.errors import BrokenInput
from stocklab.market.panel import PriceBasis

Daily = Callable[..., pl.DataFrame]
Put = Callable[[str, pl.DataFrame], Path]
D = (date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4), date(2024, 1, 5), date(2024, 1, 8))


def members(rows: list[tuple[date, str, str, str]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["session", "kind", "name", "symbol"], orient="row")


def flags(rows: list[tuple[str, str, date, date | None]]) -> pl.DataFrame:
    return pl.DataFrame(
        rows, schema={"symbol": pl.String, "flag": pl.String, "start": pl.Date, "end": pl.Date}, orient="row"
    )


def coverage(rows: list[tuple[str, str, date, date]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["flag", "market", "first", "last"], orient="row")


def test_lists_of_members_on_the_grid_of_a_panel(store: Store, daily: Daily, put: Put) -> None:
    closes = {"000020": [100] * 5, "005930": [70_000] * 5}
    lists = members(
        [
            (date(2023, 6, 9), "지수", "코스피 200", "000020"),  # before the panel, replaced before it begins
            (date(2023, 12, 8), "index", "KOSPI200", "005930"),
            (date(2024, 1, 6), "index", "KOSPI200", "000020"),  # a Saturday: from Monday
            (date(2024, 1, 6), "index", "KOSPI200", "999999"),  # no bars
            (date(2024, 1, 4), "theme", "반도체", "005930"),
            (date(2024, 1, 9), "theme", "미래", "005930"),  # after the panel
        ]
    )
    import_paths(store, [put("krx_daily_x.parquet", daily(closes)), put("members_2024.csv", lists)])
    panel = open_panel(store)
    known = panel.memberships
    assert known.groups == (("index", "KOSPI200"), ("theme", "반도체"))
    assert known.mask("index", "KOSPI200", 0, 5, 2).tolist() == [[False, True]] * 4 + [[True, False]]
    assert known.mask("theme", "반도체", 0, 5, 2).tolist() == [[False, False]] * 2 + [[False, True]] * 3
    assert known.members("theme", "반도체", 1) is None
    assert any("1 symbols in lists of members have no bars" in note for note in panel.notes)


def test_a_list_is_replaced_as_a_whole_or_not_at_all(store: Store, daily: Daily, put: Put) -> None:
    first = members([(D[0], "theme", "x", "000020"), (D[0], "theme", "x", "005930"), (D[0], "theme", "y", "000020")])
    import_paths(store, [put("krx_daily_x.parquet", daily()), put("themes.csv", first)])
    corrected = put("themes_2.csv", members([(D[0], "theme", "x", "005930"), (D[1], "theme", "x", "000020")]))
    with pytest.raises(BrokenInput, match="theme x has 1 members on 2024-01-02 here, but another list, of 2"):
        import_paths(store, [corrected])
    import_paths(store, [corrected], replace=True)

    def held() -> list[tuple[object, ...]]:
        snapshot = store.current()
        assert snapshot is not None
        return (
            snapshot.scan("members")
            .select("name", "session", "symbol")
            .sort("name", "session", "symbol")
            .collect()
            .rows()
        )

    corrected_rows = [("x", D[0], "005930"), ("x", D[1], "000020"), ("y", D[0], "000020")]
    assert held() == corrected_rows
    import_paths(store, [put("themes_3.csv", first)], new_rows_only=True)
    assert held() == corrected_rows


def test_flags_by_period_coverage_and_department(store: Store, cross_section: Daily, put: Put) -> None:
    def bars(code: str, market: str, dept: str | None) -> pl.DataFrame:
        return cross_section([(day, code, 100, 100, 100, 100, 0, 10, 1000) for day in D], market=market, dept=dept)

    parts = [
        bars("000010", "KOSPI", None),
        bars("000020", "KOSPI", None),
        bars("000030", "KOSDAQ", "관리종목(소속부없음)"),
    ]
    marcap = put("marcap_2024.parquet", pl.concat(parts))
    recorded = flags(
        [
            ("000010", "관리종목", D[1], D[3]),  # released on D[3]
            ("000020", "warning", D[2], None),
            ("000030", "attention", D[0], None),  # the department names only the other flag
        ]
    )
    complete = coverage([("administrative", "KOSPI", D[0], D[3]), ("투자경고종목", "코스피", D[1], D[2])])
    import_paths(store, [marcap, put("flags.csv", recorded), put("flag_coverage.csv", complete)])
    panel = open_panel(store, basis=PriceBasis.RAW)
    U = 255
    assert panel.fields["flag_administrative"].T.tolist() == [[0, 1, 1, 0, U], [0, 0, 0, 0, U], [1] * 5]
    assert panel.fields["flag_warning"].T.tolist() == [[U, 0, 0, U, U], [U, 0, 1, 1, 1], [U] * 5]
    assert panel.fields["flag_attention"].T.tolist() == [[U] * 5, [U] * 5, [1] * 5]
    assert "flag_risk" not in panel.fields, "of other flags nothing is known"
    assert any("On 5 days of issues a recorded period of the flag attention" in note for note in panel.notes)


@pytest.mark.parametrize(
    ("name", "frame", "message"),
    [
        ("members.csv", members([(D[0], "sect", "x", "000020")]), "one of index, theme, sector"),
        ("members.csv", members([(D[0], "theme", "x" * 101, "000020")]), "1 to 100 characters"),
        ("members.csv", members([(D[0], "theme", "x", "20")]), "six"),
        ("flags.csv", flags([("000020", "odd", D[0], None)]), "one of administrative, attention"),
        ("flags.csv", flags([("000020", "risk", D[1], D[1])]), "the day of release, after the start"),
        ("flag_coverage.csv", coverage([("risk", "NYSE", D[0], D[1])]), "one of KOSPI, KOSDAQ, KONEX"),
        ("flag_coverage.csv", coverage([("risk", "KOSPI", D[1], D[0])]), "on or after the first"),
    ],
)
def test_files_that_are_refused(store: Store, put: Put, name: str, frame: pl.DataFrame, message: str) -> None:
    with pytest.raises(BrokenInput, match=message):
        import_paths(store, [put(name, frame)])
