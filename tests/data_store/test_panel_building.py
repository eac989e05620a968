"""Panels, checked against numbers worked out by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from stocklab.data import Snapshot, Store, open_panel
from stocklab.data.panel_build import panel_directory
from stocklab.data.panel_fields import compact
from stocklab.data.raw_events import broken_links, price_factors
from stocklab.errors import DataError, StoreError
from stocklab.market.panel import KIND_CODES, MARKET_CODES, Panel, PriceBasis

NAN = float("nan")
D = (date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4), date(2024, 1, 5), date(2024, 1, 8))


def adjusted(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    """(session, symbol, open, high, low, close, volume[, tv])"""
    names = ("session", "symbol", "open", "high", "low", "close", "volume", "tv")
    filled = [dict(zip(names, (*row, None), strict=False)) for row in rows]
    schema = {"session": pl.Date, "symbol": pl.String} | dict.fromkeys(names[2:], pl.Int64)
    return pl.DataFrame(filled, schema=schema).with_columns(source=pl.lit("test"))


def raw(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    """(session, symbol, close, change, volume, shares, market, dept); open = high = low = close unless volume is 0"""
    names = ("session", "symbol", "close", "change", "volume", "shares_listed", "market", "dept")
    schema = dict(zip(names, (pl.Date, pl.String, *[pl.Int64] * 4, pl.String, pl.String), strict=True))
    frame = pl.DataFrame([dict(zip(names, row, strict=True)) for row in rows], schema=schema)
    price = pl.when(pl.col("volume") > 0).then(pl.col("close"))
    return frame.with_columns(
        open=price,
        high=price,
        low=price,
        tv=pl.col("close") * pl.col("volume"),
        mcap=pl.col("close") * pl.col("shares_listed"),
        source=pl.lit("test"),
    )


def master(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    """(symbol, name, market, kind, sector, listed_on)"""
    names = ("symbol", "name", "market", "kind", "sector", "listed_on")
    schema = dict.fromkeys(names, pl.String) | {"listed_on": pl.Date}
    frame = pl.DataFrame([dict(zip(names, row, strict=True)) for row in rows], schema=schema)
    return frame.with_columns(settle_month=pl.lit(12, dtype=pl.Int8), corp_code=pl.lit(None, dtype=pl.String))


def gone(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    """(symbol, name, market, listed_on, delisted_on, reason, pays_last_close)"""
    names = ("symbol", "name", "market", "listed_on", "delisted_on", "reason", "pays_last_close")
    frame = pl.DataFrame([dict(zip(names, row, strict=True)) for row in rows])
    return frame.with_columns(pl.col("listed_on").cast(pl.Date), successor=pl.lit(None, dtype=pl.String))


def write(store: Store, **datasets: pl.DataFrame) -> Snapshot:
    return store.write(datasets, sources=dict.fromkeys(datasets, "test"))


def column(panel: Panel, field: str, symbol: str) -> list[Any]:
    values: list[Any] = panel.fields[field][:, panel.column(symbol)].tolist()
    return values


def test_adjusted_panel(store: Store) -> None:
    write(
        store,
        prices_adjusted=adjusted(
            [
                (D[0], "000020", 10, 12, 9, 11, 100, 1_000),
                (D[1], "000020", None, None, None, 11, 0),  # halted: the close is carried
                # no row on D[2]
                (D[3], "000020", 20, 22, 19, 21, 50),
                (D[1], "000040", 5, 6, 4, 5, 7),
                (D[4], "000040", 6, 7, 5, 6, 8),
                (date(2024, 1, 6), "000040", 9, 9, 9, 9, 9),  # a Saturday
            ]
        ),
        indices=pl.DataFrame(
            {
                "session": [D[0], D[3]],
                "index": ["KOSPI", "KOSPI"],
                "open": 1.0,
                "high": 1.0,
                "low": 1.0,
                "close": [2600.5, 2610.5],
            }
        ).with_columns(volume=pl.lit(1), tv=pl.lit(1)),
    )
    panel = open_panel(store)
    assert panel.basis is PriceBasis.ADJUSTED
    # the session of D[2] has no bar at all, so it is not in the panel
    assert panel.sessions.astype(object).tolist() == [D[0], D[1], D[3], D[4]]
    assert panel.symbols == ("000020", "000040")
    for name, expected in (
        ("open", [10, 11, 20]),
        ("high", [12, 11, 22]),
        ("low", [9, 11, 19]),
        ("close", [11, 11, 21]),
    ):
        assert_array_equal(column(panel, name, "000020"), [*expected, NAN])
        assert panel.fields[name].dtype == np.float32
    assert_array_equal(column(panel, "volume", "000020"), [100, 0, 50, NAN])
    assert_array_equal(column(panel, "tv", "000020"), [1_000, 0, 21 * 50, NAN])
    assert column(panel, "traded", "000020") == [True, False, True, False]
    assert column(panel, "traded", "000040") == [False, True, False, True]
    assert column(panel, "listed", "000020") == [True, True, True, False]
    assert column(panel, "listed", "000040") == [False, True, True, True]
    assert_array_equal(column(panel, "close", "000040"), [NAN, 5, NAN, 6])
    assert_array_equal(panel.indices["KOSPI"], [2600.5, NAN, 2610.5, NAN])
    assert panel.tv_estimated
    assert not panel.rf_known
    assert_array_equal(panel.rf, np.zeros(4))
    assert any("1 bars on days the exchange was closed" in note for note in panel.notes)
    assert "mcap" not in panel.fields


def test_arrays_are_c_ordered_and_read_only(store: Store) -> None:
    write(store, prices_adjusted=adjusted([(day, "000020", 10, 12, 9, 11, 100, 1_000) for day in D]))
    panel = open_panel(store)
    assert not panel.tv_estimated
    for values in (*panel.fields.values(), panel.sessions, panel.rf):
        assert values.flags.c_contiguous
        assert not values.flags.writeable
    with pytest.raises(TypeError):
        panel.fields["close"] = panel.fields["open"]  # type: ignore[index]


def test_age_counts_sessions_since_listing(store: Store) -> None:
    write(
        store,
        prices_adjusted=adjusted(
            [(day, code, 10, 10, 10, 10, 1) for day in D for code in ("000020", "000040", "000050")]
            + [(day, "000060", 10, 10, 10, 10, 1) for day in D[2:]]
            + [(day, "000070", 10, 10, 10, 10, 1) for day in D[3:]]
        ),
        instruments=master(
            [
                (
                    "000020",
                    "갑",
                    "KOSPI",
                    "common",
                    "가",
                    date(2023, 12, 27),
                ),  # 27th, 28th, closed on the 29th, then D[0]
                ("000040", "을", "KOSDAQ", "common", None, date(2024, 1, 4)),  # of a transfer: it traded before
                ("000060", "병", "KONEX", "spac", None, None),
                ("000070", "정", "KOSPI", "common", None, D[2]),  # listed a session before its first bar
                ("000080", "무", "KOSPI", "common", None, D[2]),  # no bars: not in the panel
            ]
        ),
    )
    panel = open_panel(store)
    assert panel.symbols == ("000020", "000040", "000050", "000060", "000070")
    assert column(panel, "list_age", "000020") == [3, 4, 5, 6, 7]
    assert_array_equal(column(panel, "list_age", "000040"), [NAN] * 5)
    assert_array_equal(column(panel, "list_age", "000050"), [NAN] * 5)  # bars begin with the panel
    assert_array_equal(column(panel, "list_age", "000060"), [NAN, NAN, 1, 2, 3])
    assert_array_equal(column(panel, "list_age", "000070"), [NAN, NAN, 1, 2, 3])
    assert column(panel, "listed", "000070") == [False, False, True, True, True]
    assert panel.instruments.names == ("갑", "을", "", "병", "정")
    assert panel.instruments.kinds.tolist() == [
        KIND_CODES[name] for name in ("common", "common", "common", "spac", "common")
    ]
    assert panel.instruments.listed_on.astype(object).tolist() == [
        date(2023, 12, 27),
        date(2024, 1, 4),
        None,
        None,
        D[2],
    ]
    assert panel.instruments.sectors == ("가", "", "", "", "")
    assert panel.fields["market"][4].tolist() == [1, 2, 0, 3, 1]


def test_old_listings_are_at_least_as_old_as_the_calendar(store: Store) -> None:
    write(
        store,
        prices_adjusted=adjusted(
            [(date(1995, 5, 3), "000020", 1, 1, 1, 1, 1), (date(1995, 5, 4), "000020", 1, 1, 1, 1, 1)]
        ),
        instruments=master([("000020", "갑", "KOSPI", "common", None, date(1976, 3, 24))]),
    )
    assert column(open_panel(store), "list_age", "000020") == [2, 3]  # the calendar begins on 1995-05-02


def test_ends_of_series(store: Store) -> None:
    codes = ("000020", "000040", "000050", "000060", "000070")
    bars = [(day, code, 10, 10, 10, 10, 1) for code in codes[:3] for day in D[:2]]
    bars += [(day, "000060", 10, 10, 10, 10, 1) for day in D]
    bars += [(day, "000070", 10, 10, 10, 10, 1) for day in D[:2]] + [
        (day, "000070", None, None, None, 10, 0) for day in D[2:]
    ]
    write(
        store,
        prices_adjusted=adjusted(bars),
        delistings=gone(
            [
                ("000020", "갑", "KOSPI", date(2000, 1, 4), D[3], "피흡수합병", True),
                ("000040", "을", "KOSDAQ", None, date(2026, 1, 5), "자본전액잠식", False),
                ("000060", "정", "KOSDAQ", date(2010, 1, 4), D[2], "유가증권시장 상장", True),  # trades on elsewhere
                ("000070", "무", "KOSDAQ", None, D[3], "자본전액잠식", False),
            ]
        ),
    )
    panel = open_panel(store)
    assert column(panel, "listed", "000020") == [True, True, True, False, False]  # to the session before its delisting
    assert_array_equal(column(panel, "close", "000020"), [10, 10, NAN, NAN, NAN])  # but its price is not invented
    assert column(panel, "listed", "000040") == [True] * 5
    assert column(panel, "listed", "000050") == [True, True, False, False, False]  # no delisting known: to its last bar
    assert column(panel, "listed", "000060") == [True] * 5
    assert column(panel, "listed", "000070") == [
        True,
        True,
        True,
        False,
        False,
    ]  # rows without trade do not keep it listed
    instruments = panel.instruments
    assert instruments.delisted_on.astype(object).tolist() == [D[3], date(2026, 1, 5), None, None, D[3]]
    assert instruments.delisting_reason == ("피흡수합병", "자본전액잠식", "", "", "자본전액잠식")
    assert instruments.pays_last_close.tolist() == [True, False, False, False, False]
    assert instruments.names[:2] == ("갑", "을")


def test_relisted_code_is_not_delisted(store: Store) -> None:
    write(
        store,
        prices_adjusted=adjusted([(D[0], "000020", 1, 1, 1, 1, 1)]),
        instruments=master([("000020", "갑", "KOSPI", "common", None, date(2025, 3, 28))]),
        delistings=gone([("000020", "갑", "KOSDAQ", None, date(2024, 6, 3), "자본전액잠식", False)]),
    )
    assert np.isnat(open_panel(store).instruments.delisted_on).all()


RAW = raw(
    [
        # split 2 for 1 at D[2]: base price 55, then halted, then 60
        (D[0], "000020", 100, 0, 10, 1000, "KOSDAQ", "중견기업부"),
        (D[1], "000020", 110, 10, 10, 1000, "KOSDAQ", "중견기업부"),
        (D[2], "000020", 56, 1, 20, 2001, "KOSDAQ", "관리종목(소속부없음)"),
        (D[3], "000020", 56, 0, 0, 2001, "KOSDAQ", "관리종목(소속부없음)"),
        (D[4], "000020", 60, 4, 30, 2001, "KOSPI", None),
        # base price 10 % down at D[1] without a change of shares (rights or unknown); no row at D[2]
        (D[0], "000040", 1000, 0, 5, 100, "KOSPI", None),
        (D[1], "000040", 909, 9, 5, 100, "KOSPI", None),
        (D[3], "000040", 900, -9, 5, 100, "KOSPI", None),
        (D[4], "000040", 950, None, 5, None, "KOSPI", None),
    ]
)


def test_raw_panel_follows_the_base_price(store: Store) -> None:
    write(store, prices_raw=RAW)
    panel = open_panel(store)
    assert panel.basis is PriceBasis.RAW
    assert panel.order_fields[0] in panel.fields
    assert column(panel, "close_raw", "000020") == [100, 110, 56, 56, 60]
    assert column(panel, "base_price", "000020") == [100, 100, 55, 56, 56]
    assert column(panel, "close", "000020") == [50, 55, 56, 56, 60]
    assert column(panel, "open", "000020") == [50, 55, 56, 56, 60]
    assert column(panel, "volume_raw", "000020") == [10, 10, 20, 0, 30]
    assert column(panel, "volume", "000020") == [20, 20, 20, 0, 30]
    assert column(panel, "tv", "000020") == [1000, 1100, 1120, 0, 1800]
    assert column(panel, "split_ratio", "000020") == [1, 1, 2, 1, 1]  # one odd share of 2001 is not a ratio
    assert_array_equal(column(panel, "close_raw", "000040"), [1000, 909, NAN, 900, 950])
    assert_array_equal(column(panel, "close", "000040"), [900, 909, NAN, 900, 950])
    assert_array_equal(column(panel, "base_price", "000040"), [1000, 900, NAN, 909, 900])  # unknown: the close before
    assert column(panel, "split_ratio", "000040") == [1] * 5
    assert_array_equal(column(panel, "mcap", "000040"), [100_000, 90_900, NAN, 90_000, NAN])
    assert_array_equal(column(panel, "shares_listed", "000020"), [1000, 1000, 2001, 2001, 2001])
    assert column(panel, "flag_administrative", "000020") == [0, 0, 1, 1, 255]
    assert column(panel, "flag_attention", "000040") == [255] * 5
    assert column(panel, "market", "000020") == [2, 2, 2, 2, 1]
    assert not panel.tv_estimated
    assert any("1 splits, consolidations and bonus issues are inferred" in note for note in panel.notes)
    assert any("1 changes of the base price" in note for note in panel.notes)
    assert panel.fields["close_raw"].dtype == np.float32


def test_recorded_events_overrule_inference(store: Store) -> None:
    events = pl.DataFrame(
        {
            "session": [D[2], D[2], D[1], date(2024, 1, 6), D[0]],
            "symbol": ["000020", "000020", "000040", "000020", "999999"],
            "kind": ["split", "bonus", "rights", "reduction", "split"],
            "ratio": [2.0, 1.5, 1.2, 0.1, 3.0],
        }
    )
    write(store, prices_raw=RAW, events=events)
    panel = open_panel(store)
    # several at one session multiply; the one dated on a Saturday takes effect on Monday; rights give no shares
    assert_array_equal(column(panel, "split_ratio", "000020"), np.array([1, 1, 3, 1, 0.1], dtype=np.float32))
    assert column(panel, "split_ratio", "000040") == [1] * 5
    assert not any("known event" in note for note in panel.notes)


def test_nothing_is_linked_across_missing_sessions(store: Store) -> None:
    later = date(2024, 1, 10)  # the 9th was a session, too
    rows = [(D[4], "000020", 100, 0, 1, 1000, "KOSPI", None), (later, "000020", 30, 5, 1, 4000, "KOSPI", None)]
    write(store, prices_raw=raw(rows))
    panel = open_panel(store)
    assert column(panel, "close", "000020") == [100, 30]
    assert column(panel, "split_ratio", "000020") == [1, 1]
    assert any("before 1 sessions" in note for note in panel.notes)


def test_missing_links() -> None:
    def days(*texts: str) -> Any:
        return np.array(texts, dtype="datetime64[D]")

    # Chuseok 2017: closed from 09-30 to 10-09
    assert broken_links(days("2017-09-29", "2017-10-10", "2017-10-12")).tolist() == [False, False, True]
    assert broken_links(days("2017-09-29")).tolist() == [False]
    # before the calendar's table only the length of the gap speaks
    assert broken_links(days("1990-01-03", "1990-01-04", "1990-03-02")).tolist() == [False, False, True]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 100_000), st.floats(0.1, 10)), min_size=2, max_size=12),
    st.integers(0, 11),
)
def test_adjusted_returns_equal_close_over_base(steps: list[tuple[int, float]], hole: int) -> None:
    close = np.array([[float(price)] for price, _ in steps])
    base = np.array([[price * ratio] for (price, _), (_, ratio) in zip([steps[0], *steps], steps, strict=False)])
    if 0 < hole < len(steps) - 1:
        close[hole] = base[hole] = NAN
    events = price_factors(close, base, np.full_like(close, NAN), np.zeros(len(close), dtype=bool))
    adjusted_close = (close * events.to_last)[~np.isnan(close)]
    expected = (close / base)[~np.isnan(close)][1:]
    np.testing.assert_allclose(adjusted_close[1:] / adjusted_close[:-1], expected, rtol=1e-9)
    assert events.to_last[-1, 0] == 1.0


def test_consolidations_are_inferred_as_exact_fractions(store: Store) -> None:
    rows = [
        (D[0], "365590", 563, 0, 1, 30_978_350, "KOSDAQ", None),
        (D[1], "365590", 2835, -850, 1, 6_195_669, "KOSDAQ", None),
    ]
    # base price 3,685 against 563 before is 6.5 times: the auction's own price; the shares became a fifth all the same
    write(store, prices_raw=raw(rows))
    assert_array_equal(column(open_panel(store), "split_ratio", "365590"), np.array([1, 0.2], dtype=np.float32))
    rows[1] = (D[1], "365590", 2835, 1_300, 1, 6_195_669, "KOSDAQ", None)  # base 1,535 is 2.7 times: something else
    write(store, prices_raw=raw(rows))
    assert column(open_panel(store), "split_ratio", "365590") == [1, 1]
    rows[1] = (D[1], "365590", 2835, 20, 1, 6_195_669, "KOSDAQ", None)  # base 2,815 = 5 x 563
    write(store, prices_raw=raw(rows))
    assert_array_equal(column(open_panel(store), "split_ratio", "365590"), np.array([1, 0.2], dtype=np.float32))


def test_market_cap_comes_only_from_raw_bars_of_the_same_day(store: Store) -> None:
    write(
        store,
        prices_adjusted=adjusted([(day, code, 10, 10, 10, 10, 1) for day in D for code in ("000020", "000050")]),
        prices_raw=RAW.filter(pl.col("session").is_in([D[1], D[4]])),
        instruments=master(
            [("000020", "갑", "KONEX", "common", None, None), ("000050", "을", "KOSPI", "common", None, None)]
        ),
    )
    panel = open_panel(store, basis=PriceBasis.ADJUSTED)
    assert_array_equal(column(panel, "mcap", "000020"), [NAN, 110_000, NAN, NAN, 60 * 2001])
    assert_array_equal(column(panel, "shares_listed", "000020"), [NAN, 1000, NAN, NAN, 2001])
    assert_array_equal(column(panel, "mcap", "000050"), [NAN] * 5)
    # the market is that of the nearest known day before, else after; the master's only where raw bars never showed it
    assert column(panel, "market", "000020") == [MARKET_CODES["KOSDAQ"]] * 4 + [MARKET_CODES["KOSPI"]]
    assert column(panel, "market", "000050") == [MARKET_CODES["KOSPI"]] * 5
    assert column(panel, "flag_administrative", "000020") == [255, 0, 255, 255, 255]


def test_prices_too_large_for_float32_stay_exact(store: Store) -> None:
    price = 2**24 + 1
    write(store, prices_adjusted=adjusted([(D[0], "000020", price, price, price, price, 1)]))
    panel = open_panel(store)
    assert panel.fields["close"].dtype == np.float64
    assert column(panel, "close", "000020") == [price]
    assert compact(np.array([[1.5]])).dtype == np.float64
    assert compact(np.array([[NAN, 3.0]])).dtype == np.float32


def test_basis_is_that_of_most_sessions(store: Store) -> None:
    bars = adjusted([(day, "000020", 10, 10, 10, 10, 1) for day in D])
    snapshot = write(store, prices_adjusted=bars, prices_raw=RAW.filter(pl.col("session") <= D[1]))
    assert open_panel(store).basis is PriceBasis.ADJUSTED
    assert open_panel(store, start=D[0], end=D[1]).basis is PriceBasis.RAW  # two each: raw is the truth
    assert open_panel(store, start=D[1], end=D[2]).basis is PriceBasis.ADJUSTED
    assert open_panel(store, basis=PriceBasis.RAW).basis is PriceBasis.RAW
    raw_panel, adjusted_panel = open_panel(store, basis=PriceBasis.RAW), open_panel(store, basis=PriceBasis.ADJUSTED)
    assert raw_panel.key != adjusted_panel.key
    assert snapshot.id in raw_panel.key


def test_no_data_on_a_basis(store: Store) -> None:
    with pytest.raises(DataError, match="holds no market data"):
        open_panel(store)
    write(store, instruments=master([("000020", "갑", "KOSPI", "common", None, None)]))
    with pytest.raises(DataError, match="holds no daily bars"):
        open_panel(store)
    write(store, prices_adjusted=adjusted([(D[0], "000020", 1, 1, 1, 1, 1)]))
    with pytest.raises(DataError, match="holds no raw bars"):
        open_panel(store, basis=PriceBasis.RAW)
    with pytest.raises(DataError, match="no bar on a session"):
        write(store, prices_adjusted=adjusted([(date(2024, 1, 6), "000020", 1, 1, 1, 1, 1)]))


def test_old_snapshot_stays_open_and_openable(store: Store) -> None:
    first = write(store, prices_adjusted=adjusted([(D[0], "000020", 1, 1, 1, 1, 1)]))
    panel = open_panel(store)
    write(store, prices_adjusted=adjusted([(D[0], "000020", 2, 2, 2, 2, 1)]))
    assert column(open_panel(store), "close", "000020") == [2]
    assert column(open_panel(store, snapshot=first), "close", "000020") == [1]
    store.collect_garbage(0)
    assert column(panel, "close", "000020") == [1]  # mapped files outlive their names
    assert not panel_directory(store, first, PriceBasis.ADJUSTED).exists()


def test_damaged_or_outdated_panels_are_built_again_or_named(store: Store) -> None:
    snapshot = write(store, prices_adjusted=adjusted([(D[0], "000020", 1, 1, 1, 1, 1)]))
    open_panel(store)
    directory = panel_directory(store, snapshot, PriceBasis.ADJUSTED)
    meta = directory / "meta.json"
    value = json.loads(meta.read_text())
    for text in (json.dumps({**value, "version": 0}), "{"):
        meta.write_text(text)
        assert column(open_panel(store), "close", "000020") == [1]
    (directory / "close.npy").write_bytes(b"")
    with pytest.raises(StoreError, match="it is built again"):
        open_panel(store)
    assert not [path for path in store.panels.iterdir() if path.name.startswith(".")]


OPENER = """
import sys
from pathlib import Path
from stocklab.data import Store, open_panel
sys.stdin.readline()
print(open_panel(Store(Path(sys.argv[1]))).fields["close"].tolist())
"""


def test_two_processes_may_open_at_once(store: Store) -> None:
    write(store, prices_adjusted=adjusted([(day, "000020", 7, 7, 7, 7, 1) for day in D]))
    children = [
        subprocess.Popen(
            [sys.executable, "-c", OPENER, str(store.home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        out, _ = child.communicate(timeout=60)
        assert out.splitlines()[-1] == str([[7.0]] * 5)
        assert child.returncode == 0
    assert [path.name for path in store.panels.iterdir()] == [f"{store.current_id()}-adjusted"]


def test_panel_of_demo_data_says_so(store: Store, tmp_path: Path) -> None:
    bars = adjusted([(D[0], "000020", 1, 1, 1, 1, 1)])
    store.write({"prices_adjusted": bars}, sources={"prices_adjusted": "demo"}, synthetic=True)
    assert open_panel(store).synthetic is True
