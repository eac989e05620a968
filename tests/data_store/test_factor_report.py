"""Coverage by year, distribution and ranks of a factor, counted by hand on a small panel; and the stored report."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from stocklab.data.factor_report import YearCoverage, factor_report, month_ends, stored_report
from stocklab.market.panel import KIND_CODES, MARKET_CODES, Instruments, Panel, PriceBasis

DAYS = ("2023-11-29", "2023-11-30", "2023-12-28", "2024-01-30", "2024-01-31", "2024-02-01")


@pytest.fixture
def panel() -> Panel:
    """Six sessions, months ending at rows 1, 2, 4 and 5; four common stocks, a preferred one, and one on KONEX."""
    n = 6
    close = np.array([[10.0, 20, 30, 40, 50, 60]] * len(DAYS))
    close[1, 0] = np.nan  # November: three of four known
    close[5, 3] = np.nan
    listed = np.ones(close.shape, dtype=np.bool_)
    listed[2, 1] = False  # December: three listed, all known
    market = np.full(close.shape, MARKET_CODES["KOSPI"], dtype=np.uint8)
    market[:, 2], market[:, 5] = MARKET_CODES["KOSDAQ"], MARKET_CODES["KONEX"]
    kinds = np.full(n, KIND_CODES["common"], dtype=np.uint8)
    kinds[4] = KIND_CODES["preferred"]
    nothing = np.full(n, "NaT", dtype="datetime64[D]")
    fields = {"close": close, "listed": listed, "market": market}
    for values in fields.values():
        values.flags.writeable = False
    return Panel(
        sessions=np.array(DAYS, dtype="datetime64[D]"),
        symbols=tuple(f"{i:06d}" for i in range(n)),
        fields=fields,
        indices={},
        instruments=Instruments(
            names=("",) * n,
            sectors=("",) * n,
            kinds=kinds,
            listed_on=nothing,
            delisted_on=nothing,
            delisting_reason=("",) * n,
            pays_last_close=np.zeros(n, dtype=np.bool_),
            financial=np.zeros(n, dtype=np.bool_),
        ),
        rf=np.zeros(len(DAYS)),
        rf_known=False,
        basis=PriceBasis.ADJUSTED,
        snapshot_id="test",
        synthetic=True,
        tv_estimated=False,
        key="test",
    )


def test_months_end_with_their_last_session(panel: Panel) -> None:
    assert month_ends(panel).tolist() == [1, 2, 4, 5]


def test_coverage_is_the_mean_over_month_ends_of_listed_common_stocks(panel: Panel, tmp_path: Path) -> None:
    found = factor_report(panel, "close", tmp_path)
    assert found.session == date(2024, 2, 1)
    assert found.years == (
        YearCoverage(year=2023, share=(3 / 4 + 3 / 3) / 2, stocks=(4 + 3) / 2),
        YearCoverage(year=2024, share=(4 / 4 + 3 / 4) / 2, stocks=4.0),
    )


def test_the_last_session_has_its_median_share_and_ends(panel: Panel, tmp_path: Path) -> None:
    found = factor_report(panel, "close", tmp_path)
    assert (found.stocks, found.known, found.share_null, found.median) == (4, 3, 0.25, 20.0)
    assert found.highest == (("000002", 30.0), ("000001", 20.0), ("000000", 10.0))
    assert found.lowest == found.highest[::-1]
    assert found.edges == tuple(place - 0.5 for place in range(10, 32))
    assert found.counts == (1, *(0,) * 9, 1, *(0,) * 9, 1)


def test_a_report_is_stored_and_a_damaged_one_computed_again(panel: Panel, tmp_path: Path) -> None:
    first = factor_report(panel, "100*close/3", tmp_path)
    assert stored_report(panel, "close*0", tmp_path) is None
    assert stored_report(panel, "100*close/3", tmp_path) == first
    (file,) = tmp_path.rglob("*.json")
    file.write_text("{", encoding="utf-8")
    assert stored_report(panel, "100*close/3", tmp_path) is None
    assert factor_report(panel, "100*close/3", tmp_path) == first


def test_without_a_value_there_is_nothing_to_draw(panel: Panel, tmp_path: Path) -> None:
    found = factor_report(panel, "log(0-close)", tmp_path)
    assert (found.known, found.quantiles, found.edges, found.counts, found.highest) == (0, (), (), (), ())
    assert {year.share for year in found.years} == {0.0}
