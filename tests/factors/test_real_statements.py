"""Factors of real reports, computed by hand from the rows of the statement file.

Samsung Electronics (005930) at 2019-06-28: the newest report that is public is the first quarter of 2019, received on
2019-05-15. Consolidated rows of the file, million KRW:

    received    period end  revenue     operating   net income  assets      current a.  liabilities current l.  equity
    2017-05-15  2017-03-31   50,547,526   9,898,361   7,684,354
    2018-04-02  2017-12-31  239,575,376  (the year)
    2018-05-15  2018-03-31   60,563,714  15,642,170  11,688,544  312,473,113
    2018-08-14  2018-06-30   58,482,658  14,869,035  11,043,412
    2018-11-14  2018-09-30   65,459,993  17,574,865  13,150,715
    2019-04-01  2018-12-31  243,771,415  58,886,669  44,344,857  (the year)
    2019-05-15  2019-03-31   52,385,546   6,233,282   5,043,585  345,067,883 177,388,524  91,852,732  67,354,091 253,215,151
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stocklab.data import Store, import_paths, open_panel
from stocklab.factors import CATALOGUE, Wanted, evaluate
from stocklab.market.panel import Panel

pytestmark = pytest.mark.realdata

EXPECTED = {
    # net income of the last four quarters = year 2018 - Q1 2018 + Q1 2019
    # = 44,344,857 - 11,688,544 + 5,043,585 = 37,699,898
    # assets, mean of 2018-03-31 and 2019-03-31 = (312,473,113 + 345,067,883) / 2 = 328,770,498
    "roa": 11.466934603116366,  # 100 * 37,699,898 / 328,770,498
    "debt_ratio": 36.274579794002927,  # 100 * 91,852,732 / 253,215,151
    "current_ratio": 263.36711158346714,  # 100 * 177,388,524 / 67,354,091
    # operating income = 58,886,669 - 15,642,170 + 6,233,282 = 49,477,781
    # revenue = 243,771,415 - 60,563,714 + 52,385,546 = 235,593,247
    "operating_margin": 21.001357903947052,  # 100 * 49,477,781 / 235,593,247
    # revenue a year ago = 239,575,376 - 50,547,526 + 60,563,714 = 249,591,564
    "revenue_growth_1y": -5.6084896362923548,  # 100 * (235,593,247 / 249,591,564 - 1)
}


@pytest.fixture(scope="module")
def panel(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Panel:
    """60 symbols from 2019 on, with every report of the statement file."""
    store = Store(tmp_path_factory.mktemp("real") / "home")
    names = ("sample_krx_daily_60", "krx_sectors", "dart_major_accounts_2016_2021")
    import_paths(store, [real_data / f"{name}.parquet" for name in names])
    return open_panel(store)


def values(panel: Panel, factor: str, *days: str) -> list[float]:
    """The factor of Samsung Electronics on some sessions."""
    (computed,) = evaluate([Wanted(CATALOGUE[factor].formula, "value")], panel)
    column = panel.column("005930")
    return [float(computed[int(np.searchsorted(panel.sessions, np.datetime64(day))), column]) for day in days]


@pytest.mark.parametrize("factor", EXPECTED)
def test_samsung_electronics_in_june_2019(factor: str, panel: Panel) -> None:
    assert values(panel, factor, "2019-06-28") == [pytest.approx(EXPECTED[factor], rel=1e-9)]


def test_a_report_counts_from_the_day_of_its_receipt(panel: Panel) -> None:
    # before 2019-05-15 the newest report is that of 2018: liabilities 91,604,067, equity 247,753,177
    before = 100 * 91_604_067 / 247_753_177
    after = EXPECTED["debt_ratio"]
    assert values(panel, "debt_ratio", "2019-05-14", "2019-05-15", "2019-08-13") == [
        pytest.approx(before, rel=1e-9),
        pytest.approx(after, rel=1e-9),
        pytest.approx(after, rel=1e-9),
    ]
    # a day earlier than the annual report, received 2019-04-01: the third quarter, 95,092,626 and 242,103,160
    assert values(panel, "debt_ratio", "2019-03-29") == [pytest.approx(100 * 95_092_626 / 242_103_160, rel=1e-9)]
