"""Dividends and new shares on a panel's grid: recorded ones, and those read out of base prices and share counts."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from stocklab.data import Store, import_paths
from stocklab.data.entitlements_build import dividends_on_grid, infer_new_shares
from stocklab.data.panel_open import open_panel
from stocklab.data.raw_events import price_factors
from stocklab.market.calendar import sessions_between
from stocklab.types import DateArray

WINTER: DateArray = sessions_between(date(2023, 12, 1), date(2024, 5, 31))


def row(day: date, sessions: DateArray = WINTER) -> int:
    return int(np.searchsorted(sessions, np.datetime64(day)))


def test_dividends_find_their_ex_date_and_day_of_payment() -> None:
    # record date 2023-12-31 is no session, nor is the 29th (the year-end closing day): settled by the 28th, ex on the 27th
    recorded = pl.DataFrame(
        {
            "symbol": ["000020", "000020", "000030", "000040", "999999"],
            "record_date": [
                date(2023, 12, 31),
                date(2024, 3, 29),
                date(2024, 2, 29),
                date(2024, 3, 31),
                date(2024, 3, 31),
            ],
            "ex_date": [None, date(2024, 3, 28), None, None, None],
            "pay_date": [date(2024, 4, 13), None, None, None, None],
            "krw_per_share": [361.5, 100.0, 0.00001, 50.0, 1.0],
        },
        schema_overrides={"ex_date": pl.Date, "pay_date": pl.Date},
    )
    found = dividends_on_grid(recorded, {"000040": 3}, WINTER, ("000020", "000030", "000040"), [])
    rows = zip(
        found.dividend_row, found.dividend_symbol, found.dividend_units, found.dividend_paid, found.dividend_guessed,
        strict=True,
    )  # fmt: skip
    assert list(rows) == [
        (row(date(2023, 12, 27)), 0, 3_615_000, row(date(2024, 4, 15)), False),  # Saturday the 13th: the Monday after
        (row(date(2024, 3, 28)), 0, 1_000_000, row(date(2024, 5, 20)), True),  # fifty days after 29 March is a Saturday
        (row(date(2024, 3, 28)), 2, 500_000, len(WINTER), True),  # its year ends in March: paid in July
    ]


def test_new_shares_are_read_out_of_later_share_counts() -> None:
    # five symbols fall to 0.5 or 0.8 of the close before on row 6; the counts rise on row 9 by 2, 1.5, not at all, 1.9;
    # the last was halted for five sessions and comes back with fewer shares and a price that does not match them
    n, events = 12, {0: 0.5, 1: 0.8, 2: 0.8, 3: 0.5, 4: 0.7}
    close, shares = np.full((n, 5), 1_000.0), np.full((n, 5), 100.0)
    base = close.copy()
    for symbol, factor in events.items():
        base[6, symbol] = 1_000 * factor
        close[6:, symbol] = base[7:, symbol] = 1_000 * factor
    shares[9:, 0], shares[9:, 1], shares[9:, 3] = 200, 150, 190
    shares[6:, 4] = 60
    traded = np.ones((n, 5), dtype=np.bool_)
    traded[1:6, 4] = False
    nothing_missing = np.zeros(n, dtype=np.bool_)
    read = price_factors(close, base, shares, nothing_missing)
    found = infer_new_shares(read, shares, traded, nothing_missing)
    assert found.bonus == ((6, 0, 2.0, 9),)
    assert found.rights == ((6, 1),)  # 0.8 x 1.5 = 1.2: somebody pays for the new shares
    assert found.spin_offs == ((6, 4),)
    gap = nothing_missing.copy()
    gap[8] = True
    assert infer_new_shares(read, shares, traded, gap).bonus == ()


def test_events_and_dividends_are_imported_from_files(tmp_path: Path) -> None:
    days = [day.astype(object) for day in WINTER[:40]]
    prices = pl.DataFrame(
        {
            "session": days,
            "symbol": "000020",
            "open": [10_000] * 10 + [5_000] * 30,
            "high": [10_000] * 10 + [5_000] * 30,
            "low": [10_000] * 10 + [5_000] * 30,
            "close": [10_000] * 10 + [5_000] * 30,
            "volume": 1_000,
            "tv": None,
            "change": 0,
            "market": "KOSPI",
            "mcap": None,
            "shares_listed": [1_000] * 22 + [2_000] * 18,
            "dept": None,
            "source": "test",
        },
        schema_overrides={"tv": pl.Int64, "mcap": pl.Int64, "dept": pl.String},
    )
    store = Store(tmp_path / "home")
    store.write({"prices_raw": prices}, sources={"prices_raw": "test"}, synthetic=False)
    (tmp_path / "events.csv").write_text(
        f"session,symbol,kind,ratio\n{days[10]},000020,bonus,2\n{days[30]},000020,rights,1.1\n"
    )
    (tmp_path / "dividends.csv").write_text("symbol,record_date,krw_per_share\n000020,2023-12-31,150\n")
    import_paths(store, [tmp_path / "events.csv", tmp_path / "dividends.csv"])
    known = open_panel(store).entitlements
    assert (known.unlisted_row.tolist(), known.unlisted_until.tolist()) == ([10], [22])
    assert known.rights_row.tolist() == [30]
    assert known.dividend_units.tolist() == [1_500_000]
    assert known.dividends_known


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("events.csv", "session,symbol,kind,ratio\n2024-01-02,000020,merger,2\n", "one of bonus, consolidation"),
        ("events.csv", "session,symbol,kind,ratio\n2024-01-02,000020,split,0\n", "above 0"),
        ("dividends.csv", "symbol,record_date,krw_per_share\n000020,2024-01-02,-5\n", "above 0"),
        (
            "dividends.csv",
            "symbol,record_date,krw_per_share,ex_date\n000020,2024-01-02,5,2024-01-02\n",
            "a day before the record date",
        ),
    ],
)
def test_impossible_rows_are_refused(tmp_path: Path, name: str, text: str, words: str) -> None:
    from stocklab.errors import DataError

    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=words):
        import_paths(Store(tmp_path / "home"), [tmp_path / name])
