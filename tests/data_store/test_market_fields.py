"""Daily market fields of a panel: each value in the row in which it was public, on the share basis of that row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from stocklab.data import Store, open_panel
from stocklab.data.datasets import DATASETS
from stocklab.data.demo import demo_datasets
from stocklab.factors import Wanted, evaluate, missing_inputs
from stocklab.market.panel import KRX_BASES, Panel, PriceBasis

NAN = float("nan")
D = (date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4), date(2024, 1, 5), date(2024, 1, 8))
OPEN_DAYS = (date(2023, 11, 1), date(2023, 11, 2), date(2023, 11, 3), date(2023, 11, 6), date(2023, 11, 7))
Rows = list[tuple[Any, ...]]


def dataset(name: str, rows: Rows) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict(DATASETS[name].schema), orient="row")


def bars(
    closes: Mapping[str, list[int | None]], shares: Mapping[str, list[int]], days: tuple[date, ...] = D
) -> pl.DataFrame:
    """Raw bars of closes and listed shares by session; None = no bar."""
    rows = [
        (day, code, close, close, close, close, 10, 10 * close, 0, "KOSPI", close * count, count, None, "test")
        for code, series in closes.items()
        for day, close, count in zip(days, series, shares[code], strict=True)
        if close is not None
    ]
    return dataset("prices_raw", rows)


def plain(days: tuple[date, ...] = D, *codes: str) -> pl.DataFrame:
    """Raw bars of 100 shares at 1,000 won."""
    names = codes or ("000020", "000040")
    return bars(dict.fromkeys(names, [1_000] * len(days)), dict.fromkeys(names, [100] * len(days)), days)


def build(store: Store, basis: PriceBasis = PriceBasis.RAW, **datasets: pl.DataFrame) -> Panel:
    store.write(datasets, sources=dict.fromkeys(datasets, "test"))
    return open_panel(store, basis=basis)


def column(panel: Panel, field: str, symbol: str) -> list[float]:
    values: list[float] = panel.fields[field][:, panel.column(symbol)].tolist()
    return values


def noted(panel: Panel, words: str) -> bool:
    return any(words in note for note in panel.notes)


def test_flows_holdings_and_short_sales_stand_where_they_were_public(store: Store) -> None:
    code = "000020"
    panel = build(
        store,
        prices_raw=plain(OPEN_DAYS),
        investor_flows=dataset(
            "investor_flows",
            [(OPEN_DAYS[0], code, 5, -7, 1), (OPEN_DAYS[2], code, -3, None, 2), (OPEN_DAYS[1], "999999", 1, 1, 1)],
        ),
        foreign_holdings=dataset(
            "foreign_holdings", [(OPEN_DAYS[0], code, 40), (OPEN_DAYS[1], code, 41), (OPEN_DAYS[3], code, 42)]
        ),
        short_sales=dataset(
            "short_sales",
            # banned from 2023-11-06 on: what is stored for it is not shown
            [
                (OPEN_DAYS[0], code, 3, 30),
                (OPEN_DAYS[1], code, None, 31),
                (OPEN_DAYS[2], code, 4, None),
                (OPEN_DAYS[3], code, 0, 9),
            ],
        ),
    )
    assert_array_equal(column(panel, "frgn_net", code), [5, NAN, -3, NAN, NAN])  # the evening of the session itself
    assert_array_equal(column(panel, "inst_net", code), [-7, NAN, NAN, NAN, NAN])
    assert_array_equal(column(panel, "pension_net", code), [1, NAN, 2, NAN, NAN])
    assert_array_equal(column(panel, "frgn_shares", code), [NAN, 40, 41, NAN, 42])  # one session later, holes stay
    assert_array_equal(column(panel, "short_vol", code), [NAN, NAN, 3, NAN, 4])  # two sessions later
    assert_array_equal(column(panel, "short_bal", code), [NAN, NAN, 30, 31, NAN])
    assert_array_equal(column(panel, "short_bal", "000040"), [NAN] * 5)


def test_counts_from_before_a_split_are_on_its_basis(store: Store) -> None:
    days = tuple(date(2023, 6, day) for day in (1, 2, 5, 7, 8))  # the 6th is a holiday
    held = [100, 100, 500, 500, 500]
    panel = build(
        store,
        prices_raw=bars(
            {"000020": [50, 50, 10, 10, 10], "000040": [30, 20, 20, 20, 20]}, {"000020": held, "000040": held}, days
        ),
        events=dataset("events", [(days[2], "000020", "split", 5.0), (days[1], "000040", "bonus", 1.5)]),
        foreign_holdings=dataset(
            "foreign_holdings",
            [(day, code, count // 10) for code in ("000020", "000040") for day, count in zip(days, held, strict=True)],
        ),
        short_sales=dataset(
            "short_sales", [(day, "000020", count // 50, count // 20) for day, count in zip(days, held, strict=True)]
        ),
    )
    assert_array_equal(column(panel, "frgn_shares", "000020"), [NAN, 10, 50, 50, 50])
    assert_array_equal(column(panel, "short_vol", "000020"), [NAN, NAN, 10, 10, 10])
    assert_array_equal(column(panel, "short_bal", "000020"), [NAN, NAN, 25, 25, 25])
    # a bonus changes counts when its shares list, not on the ex-date
    assert_array_equal(column(panel, "frgn_shares", "000040"), [NAN, 10, 10, 50, 50])


def test_fields_without_data_are_not_there(store: Store) -> None:
    gone = plain(D[:3], "000040")
    panel = build(
        store,
        prices_raw=pl.concat([plain(D, "000020"), gone]).sort("symbol", "session"),
        investor_flows=dataset("investor_flows", [(D[4], "000040", 1, 1, 1), (D[0], "000020", 1, None, None)]),
        foreign_holdings=dataset("foreign_holdings", [(D[4], "000020", 7)]),  # public after the panel ends
    )
    absent = {"inst_net", "pension_net", "frgn_shares", "short_vol", "short_bal", "shares_float", "shares_treasury"}
    assert not absent & set(panel.fields)
    assert_array_equal(column(panel, "frgn_net", "000040"), [NAN] * 5)  # not listed any more
    assert (dict(panel.series), panel.rf_known) == ({}, False)
    assert missing_inputs("frgn_net+frgn_shares+smb", panel) == ("frgn_shares", "smb")


def test_share_structure_holds_until_the_next_report(store: Store) -> None:
    filed = [
        # as of, public on, float, treasury
        (date(2023, 6, 30), "000020", date(2023, 8, 14), 50, 5),
        (date(2023, 9, 30), "000020", date(2024, 1, 4), 60, None),
        (date(2023, 3, 31), "000020", date(2024, 1, 5), 1, 1),  # late and old: no news
        (date(2023, 9, 30), "000020", date(2024, 1, 6), 61, 6),  # amended on a Saturday
        (date(2023, 9, 30), "000040", date(2024, 1, 9), 9, 9),
    ]
    rows = [(symbol, as_of, public, free, own) for as_of, symbol, public, free, own in filed]
    panel = build(store, prices_raw=plain(), share_structure=dataset("share_structure", rows))
    assert_array_equal(column(panel, "shares_float", "000020"), [50, 50, 60, 60, 61])
    assert_array_equal(column(panel, "shares_treasury", "000020"), [5, 5, 5, 5, 6])
    assert_array_equal(column(panel, "shares_float", "000040"), [NAN] * 5)


def test_share_structure_is_on_the_share_basis_of_the_day(store: Store) -> None:
    events = [
        (date(2023, 8, 1), "000020", "split", 5.0),  # before the first report's count
        (date(2023, 12, 20), "000020", "bonus", 2.0),  # after it, before the panel
        (D[1], "000020", "rights", 3.0),  # gives no shares by itself
        (D[2], "000020", "consolidation", 0.1),
        (date(2024, 1, 6), "000020", "reduction", 0.5),  # on a Saturday
    ]
    filed = [
        ("000020", date(2023, 9, 30), date(2023, 11, 14), 100, 10),
        ("000020", date(2024, 1, 4), date(2024, 1, 5), 21, 2),  # as of the day of the consolidation: on its basis
    ]
    datasets = {"events": dataset("events", events), "share_structure": dataset("share_structure", filed)}
    panel = build(store, prices_raw=plain(), **datasets)
    assert_allclose(column(panel, "shares_float", "000020"), [200, 200, 20, 21, 10.5])
    assert_allclose(column(panel, "shares_treasury", "000020"), [20, 20, 2, 2, 1])


def test_risk_free_rate_of_the_day(store: Store) -> None:
    rows = [
        (D[0], "CD91", 3.5),
        (D[1], "CD91", 4.0),
        (D[3], "CD91", 1.0),
        (D[2], "KTB3", 9.0),
        (date(2024, 1, 6), "CD91", 2.0),
    ]
    panel = build(store, prices_raw=plain(), rates=dataset("rates", rows))
    assert panel.rf_known
    # 1.035**(1/252)-1 and so on, by an independent calculator
    assert_allclose(panel.rf, [0.000136523, 0.000155650, 0, 0.0000394862, 0], rtol=2e-6)
    assert noted(panel, "2 sessions have no CD91 yield")
    assert_allclose(evaluate([Wanted("rf", "value")], panel)[0][:, 0], panel.rf)
    panel = build(store, prices_raw=plain(), rates=dataset("rates", [(D[0], "KTB3", 3.0)]))
    assert not panel.rf_known
    assert_array_equal(panel.rf, np.zeros(5))


def test_preferred_classes_belong_to_the_common_share(store: Store) -> None:
    codes = {
        "005930": [1_000] * 5,
        "005935": [800, 810, 820, 830, 840],
        "00593K": [None, 500, None, 520, 530],  # listed on the second session; one day is missing
        "000040": [10] * 5,
    }
    counts = {code: [100] * 5 for code in codes} | {"00593K": [20] * 5}
    names = [("005930", "갑", "common"), ("005935", "갑우", "preferred"), ("00593K", "갑2우B", "preferred")]
    master = [
        (code, name, "KOSPI", kind, None, D[1] if code == "00593K" else None, 12, None) for code, name, kind in names
    ]
    panel = build(
        store, prices_raw=bars(codes, counts).sort("symbol", "session"), instruments=dataset("instruments", master)
    )
    own = column(panel, "mcap_pref", "005930")
    assert_array_equal(own, [80_000, 81_000 + 10_000, NAN, 83_000 + 10_400, 84_000 + 10_600])
    assert_array_equal(column(panel, "mcap_pref", "000040"), [0] * 5)
    assert_array_equal(column(panel, "mcap_pref", "005935"), [NAN] * 5)
    assert_array_equal(evaluate([Wanted("mcap_all", "value")], panel)[0][0], [1_000, 180_000, NAN, NAN])


def test_a_class_counts_to_its_delisting_and_without_its_common_share_not_at_all(store: Store) -> None:
    codes = {"005930": [1_000, 1_000, None, 1_000, 1_000], "005935": [800, 800, 800, None, None], "009995": [5] * 5}
    gone = dataset("delistings", [("005935", "갑우", "KOSPI", None, D[4], "신청에 의한 상장폐지", True, None)])
    panel = build(store, prices_raw=bars(codes, dict.fromkeys(codes, [100] * 5)), delistings=gone)
    # its last bar is missing on the fourth session, on which it was still listed
    assert_array_equal(column(panel, "mcap_pref", "005930"), [80_000, 80_000, NAN, NAN, 0])


def test_adjusted_panel_takes_caps_of_classes_it_has_no_bars_of(store: Store) -> None:
    raw = bars({"005930": [1_000] * 5, "005935": [800] * 5}, {"005930": [100] * 5, "005935": [100] * 5})
    adjusted = [(day, "005930", 1, 1, 1, 1, 1, 1, "test") for day in D]
    panel = build(
        store,
        PriceBasis.ADJUSTED,
        prices_raw=raw.filter(pl.col("session") != D[2]),
        prices_adjusted=dataset("prices_adjusted", adjusted),
    )
    assert panel.symbols == ("005930",)
    assert_array_equal(column(panel, "mcap_pref", "005930"), [80_000, 80_000, NAN, 80_000, 80_000])


def test_market_cap_counts_shares_that_are_not_listed_yet(store: Store) -> None:
    closes = {"086960": [400, 100, 100, 110, 110], "000040": [200, 150, 160, 160, 160], "000050": [60, 60, 60, 20, 20]}
    counts = {"086960": [10, 10, 10, 40, 40], "000040": [10] * 5, "000050": [10, 10, 10, 30, 30]}
    events = [
        (D[1], "086960", "bonus", 4.0),  # three for one; they list on the fourth session
        (D[1], "000040", "rights", 1.5),  # not listed by the end
        (D[3], "000050", "bonus", 3.0),  # listed on the ex-date
        (D[0], "000040", "bonus", 9.0),  # on the first session: the count before is not known
    ]
    panel = build(
        store,
        prices_raw=bars(closes, counts).sort("symbol", "session"),
        events=dataset("events", sorted(events, key=lambda row: (row[1], row[0]))),
    )
    assert_allclose(column(panel, "mcap", "086960"), [4_000, 4_000, 4_000, 4_400, 4_400])
    assert_allclose(column(panel, "mcap", "000040"), [2_000, 2_250, 2_400, 2_400, 2_400])
    assert_allclose(column(panel, "mcap", "000050"), [600, 600, 600, 600, 600])
    assert_array_equal(column(panel, "shares_listed", "086960"), [10, 10, 10, 40, 40])
    assert not noted(panel, "market caps")


def test_what_is_not_known_of_market_caps_is_said(store: Store) -> None:
    assert noted(build(store, prices_raw=plain()), "market caps are as published, without the new shares")
    raw = plain().with_columns(
        shares_listed=pl.when((pl.col("session") == D[1]) & (pl.col("symbol") == "000020"))
        .then(None)
        .otherwise("shares_listed")
    )
    panel = build(store, prices_raw=raw, events=dataset("events", [(D[2], "000020", "bonus", 2.0)]))
    assert_array_equal(column(panel, "mcap", "000020"), [100_000] * 5)
    assert noted(panel, "1 bonus and rights issues whose new shares are not seen to list")


@pytest.fixture(scope="module")
def demo() -> Mapping[str, pl.DataFrame]:
    return demo_datasets(symbols=90, seed=3, until=date(2023, 3, 2))


@pytest.fixture(scope="module")
def demo_panels(
    demo: Mapping[str, pl.DataFrame], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[PriceBasis, Panel]:
    store = Store(tmp_path_factory.mktemp("demo"))
    store.write(demo, sources=dict.fromkeys(demo, "test"), synthetic=True)
    return {basis: open_panel(store, basis=basis) for basis in KRX_BASES}


def test_size_and_value_factors_are_daily_fields_of_formulas(demo_panels: Mapping[PriceBasis, Panel]) -> None:
    for panel in demo_panels.values():
        known = ~np.isnan(panel.series["smb"])
        first = int(np.argmax(known))
        # the first June whose December before is there: the panel begins in March 2013
        assert str(panel.sessions[first]) == "2014-07-01"
        assert known[first:].mean() > 0.9
        assert 0.03 < np.nanstd(panel.series["hml"]) * np.sqrt(246) < 0.4
        found = evaluate([Wanted("smb", "value")], panel)[0]
        listed = panel.fields["listed"]
        assert_array_equal(found[listed], np.broadcast_to(panel.series["smb"][:, None], listed.shape)[listed])


def test_book_equity_is_that_of_the_last_fiscal_year_as_public_in_june(
    demo: Mapping[str, pl.DataFrame], demo_panels: Mapping[PriceBasis, Panel]
) -> None:
    """The portfolios of one formation, chosen again from the datasets row by row."""
    panel = demo_panels[PriceBasis.RAW]
    june = date(2020, 6, 30)
    rows = demo["statements"].filter(
        pl.col("fiscal_quarter") == 4,
        pl.col("months") == 0,
        pl.col("period_end").dt.year() == 2019,
        pl.col("filed_on") <= june,
    )
    books: dict[str, float] = {}
    for symbol, part in rows.group_by("symbol"):
        basis = "CFS" if "CFS" in part["statement_basis"] else "OFS"
        one = part.filter(
            pl.col("statement_basis") == basis,
            pl.col("item") == ("equity_parent" if basis == "CFS" else "total_equity"),
        )
        books[str(symbol[0])] = one.sort("filed_on")["amount"][-1]
    raw = demo["prices_raw"]
    caps = {
        day: dict(raw.filter(pl.col("session") == day).select("symbol", "mcap").iter_rows())
        for day in (june, date(2019, 12, 30))
    }
    info = demo["instruments"].filter(pl.col("kind").is_in(["common", "foreign"]), pl.col("sector") != "금융")
    market = dict(raw.filter(pl.col("session") == june).select("symbol", "market").iter_rows())
    stocks = [
        code
        for code in info["symbol"]
        if market.get(code) in ("KOSPI", "KOSDAQ") and books.get(code, -1) > 0 and code in caps[date(2019, 12, 30)]
    ]
    size = {code: caps[june][code] for code in stocks}
    middle = np.median([size[code] for code in stocks if market[code] == "KOSPI"])
    value = {code: books[code] / caps[date(2019, 12, 30)][code] for code in stocks}
    edges = np.percentile([value[code] for code in stocks if market[code] == "KOSPI"], [30, 70])
    day = date(2020, 7, 1)
    today = raw.filter(pl.col("session") == day).with_columns(
        growth=pl.col("close") / (pl.col("close") - pl.col("change")) - 1
    )
    growth = dict(today.select("symbol", "growth").iter_rows())
    means = {}
    for big in (False, True):
        for band in range(3):
            members = [
                code
                for code in stocks
                if (size[code] > middle) == big and int(np.searchsorted(edges, value[code])) == band and code in growth
            ]
            means[big, band] = sum(size[code] * growth[code] for code in members) / sum(size[code] for code in members)
    row = int(np.searchsorted(panel.sessions, np.datetime64(day)))
    smb = sum(means[False, band] - means[True, band] for band in range(3)) / 3
    hml = sum(means[big, 2] - means[big, 0] for big in (False, True)) / 2
    assert panel.series["smb"][row] == pytest.approx(smb, abs=1e-5)  # base prices are rounded to ticks
    assert panel.series["hml"][row] == pytest.approx(hml, abs=1e-5)


FIELDS = (
    "mcap", "mcap_pref", "shares_listed", "shares_float", "shares_treasury", "frgn_net", "inst_net", "pension_net", "frgn_shares",
    "short_vol", "short_bal",
)  # fmt: skip


@pytest.mark.parametrize("last", [date(2019, 8, 30), date(2021, 6, 30)])
def test_no_field_knows_what_comes_later(
    demo: Mapping[str, pl.DataFrame], demo_panels: Mapping[PriceBasis, Panel], last: date, tmp_path: Any
) -> None:
    """A snapshot that ends on a day gives the same rows up to it, bit for bit."""
    dated = {name: spec.session_column for name, spec in DATASETS.items()}
    shorter = {
        name: frame if dated[name] is None or name == "delistings" else frame.filter(pl.col(str(dated[name])) <= last)
        for name, frame in demo.items()
    }
    store = Store(tmp_path)
    store.write(shorter, sources=dict.fromkeys(shorter, "test"), synthetic=True)
    for basis, whole in demo_panels.items():
        cut = open_panel(store, basis=basis)
        rows = cut.n_sessions
        columns = [whole.column(symbol) for symbol in cut.symbols]
        assert str(whole.sessions[rows - 1]) == str(last)
        for name in FIELDS:
            assert_array_equal(cut.fields[name], whole.fields[name][:rows, columns], err_msg=name)
        assert_array_equal(cut.rf, whole.rf[:rows])
        for name in ("smb", "hml"):
            # back-adjusted prices are scaled by later events, which leaves a rounding in the last bit
            compare = assert_array_equal if basis is PriceBasis.ADJUSTED else assert_allclose
            compare(cut.series[name], whole.series[name][:rows])


def test_every_field_of_the_demo_market_is_saved(demo_panels: Mapping[PriceBasis, Panel]) -> None:
    for panel in demo_panels.values():
        assert set(FIELDS) <= set(panel.fields)
        listed = panel.fields["listed"]
        for name in FIELDS:
            assert panel.fields[name].dtype == np.float64
            assert not panel.fields[name].flags.writeable
            assert np.isnan(panel.fields[name][~listed]).all()
        assert panel.rf_known
        assert (panel.rf > 0).all()
