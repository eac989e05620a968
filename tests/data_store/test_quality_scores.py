"""Scores by symbol, and which findings a run may have read."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from stocklab.data.quality import CHECKS, assess
from stocklab.data.quality_scores import POINTS, dirty_inputs, findings_by_symbol, knows_symbols, score_of
from stocklab.market.calendar import sessions_between

DAYS = sessions_between(date(2020, 1, 2), date(2023, 12, 28)).astype("datetime64[D]").tolist()


def series(symbol: str, days: list[date], closes: list[int] | int = 1_000) -> pl.DataFrame:
    values = [closes] * len(days) if isinstance(closes, int) else closes
    return pl.DataFrame(
        {"session": days, "symbol": symbol, "close": values, "volume": [1_000] * len(days)},
    )


def report() -> dict[str, object]:
    """One clean stock, one with a hole in 2020, one that doubles in 2023 without an event."""
    holed = [day for place, day in enumerate(DAYS) if place not in (100, 101)]
    doubling = [1_000] * 900 + [2_000] * (len(DAYS) - 900)
    frames = [series("000020", DAYS), series("000040", holed), series("000050", DAYS, doubling)]
    return assess({"prices_adjusted": pl.concat(frames).lazy()})


def test_every_kind_costs_its_points_once() -> None:
    found = {one.symbol: one for one in findings_by_symbol(report())}
    assert set(found) == {"000040", "000050"}
    assert found["000040"].score == 100 - POINTS["gaps"]
    assert found["000050"].score == 100 - POINTS["jumps"]
    assert [one.symbol for one in findings_by_symbol(report())] == ["000050", "000040"]
    assert score_of(["jumps"] * 9) == score_of(["jumps"])
    assert set(POINTS) == set(CHECKS) - {"index_contradictions", "missing_sessions"}  # of no symbol


def test_the_report_says_when_the_findings_were() -> None:
    by_check = {one["check"]: one["symbols"] for one in report()["checks"]}  # type: ignore[attr-defined]
    assert by_check["gaps"] == {"000040": [1, DAYS[99].isoformat(), DAYS[102].isoformat()]}
    assert by_check["jumps"] == {"000050": [1, DAYS[900].isoformat(), DAYS[900].isoformat()]}


def test_a_run_is_told_of_the_stocks_it_traded_in_the_days_it_may_have_read() -> None:
    def dirty(symbols: set[str], start: date, end: date, dataset: str = "prices_adjusted") -> list[str]:
        return [one.symbol for one in dirty_inputs(report(), symbols, (dataset,), start, end)]

    every = {"000020", "000040", "000050"}
    hole, jump = DAYS[100], DAYS[900]
    assert dirty(every, date(2020, 1, 2), date(2023, 12, 28)) == ["000050", "000040"]
    assert dirty({"000020", "000040"}, date(2020, 1, 2), date(2023, 12, 28)) == ["000040"]
    assert dirty(every, date(2020, 1, 2), jump - timedelta(days=1)) == ["000040"]
    assert dirty(every, hole + timedelta(days=300), jump) == ["000050", "000040"]  # a year of look-back
    assert dirty(every, hole + timedelta(days=400), jump) == ["000050"]
    assert dirty(every, date(2020, 1, 2), date(2023, 12, 28), "prices_raw") == []


def test_reports_of_earlier_versions_are_known_to_be_incomplete() -> None:
    assert knows_symbols(report())
    assert not knows_symbols({"checks": [{"dataset": "prices_raw", "check": "gaps", "count": 3, "examples": []}]})
