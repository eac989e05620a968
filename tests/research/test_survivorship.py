"""What a delisted name does to a result, by hand; and how few of them the data may hold."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from stocklab.backtest import RunRequest
from stocklab.data import Store, import_paths, open_panel
from stocklab.data.results import ResultStore
from stocklab.factors import DirectSource
from stocklab.market.panel import Panel, PriceBasis
from stocklab.research.proof_text import describe_survivorship
from stocklab.research.surviving import run_survivorship
from stocklab.research.survivorship import Survivorship, gone_names, without_gone
from stocklab.strategy import PRESETS, Strategy, parse_document

DAYS = [day for day in (date(2024, 1, 2) + timedelta(days=n) for n in range(25)) if day.weekday() < 5]  # no holiday
FALLING = [1000, 1000, 800, 650, 500, 400, 300, 250, 200, 160, 130, 100]
STEADY = [1000] * len(DAYS)
CASH = 1_000_000


def hold_both(**universe: object) -> Strategy:
    """Half of the money into each stock at the second open, never sold."""
    return parse_document(
        {
            "name": "둘 다",
            "universe": {"min_listed_sessions": 0, **universe},
            "rebalancing": {"mode": "target", "period": "monthly"},
            "sizing": {"max_holdings": 2},
            "costs": {"commission_rate": 0, "tax": 0, "slippage_rate": 0},
        }
    )


def market(folder: Path, *, delistings: int, ended: list[int] | None = None) -> Store:
    """000010 stands still, 000020 falls to a tenth and is delisted; of ``delistings`` known ones it is the only one
    in the data. ``ended``: 000030, whose series ends without a delisting.
    """
    closes = {"000010": STEADY, "000020": FALLING} | ({"000030": ended} if ended else {})
    bars = [
        {"date": day, "code": code, "open": close, "high": close, "low": close, "close": close, "volume": 10**6}
        for code, series in closes.items()
        for day, close in zip(DAYS, series, strict=False)
    ]
    pl.DataFrame(bars).with_columns(src=pl.lit(1, dtype=pl.UInt8)).write_parquet(folder / "krx_daily_1.parquet")
    gone = [
        {
            "code": f"0000{20 + 100 * number:02d}"[-6:],
            "name": f"사라진{number}",
            "market": "KOSPI",
            "secu_group": "주권",
            "listing_date": date(2010, 1, 4),
            "delisting_date": DAYS[len(FALLING)],
            "reason": "감사의견 거절",
            "to_code": None,
        }
        for number in range(delistings)
    ]
    codes = sorted(closes)
    master = {
        "code": codes,
        "name": [f"이름{code}" for code in codes],
        "market": ["KOSPI" for _ in codes],
        "kind": ["common" for _ in codes],
        "industry": ["제조" for _ in codes],
        "listing_date": [date(2010, 1, 4) for _ in codes],
        "settle_month": ["12월" for _ in codes],
        "corp_code": codes,
    }
    pl.DataFrame(master).write_parquet(folder / "krx_sectors.parquet")
    files = [folder / "krx_daily_1.parquet", folder / "krx_sectors.parquet"]
    if gone:
        frame = pl.DataFrame(gone, schema_overrides={"to_code": pl.String})
        frame.write_parquet(folder / "krx_delisted.parquet")
        files.append(folder / "krx_delisted.parquet")
    store = Store(folder / "home")
    import_paths(store, files)
    return store


def request(strategy: Strategy) -> RunRequest:
    return RunRequest(strategy=strategy, start=DAYS[0], end=DAYS[-1], initial_cash_krw=CASH)


def compared(store: Store, asked: RunRequest) -> Survivorship:
    panel = open_panel(store)
    return run_survivorship(store, ResultStore(store.home), panel, asked, DirectSource(panel))


def test_a_name_that_fell_and_was_delisted_is_the_whole_gap(tmp_path: Path) -> None:
    store = market(tmp_path, delistings=1)
    found = compared(store, request(hold_both()))
    # 500 shares of each at 1,000 won: 500,000 + 500 x 100 paid at the last close, against 500,000 in shares and cash
    assert found.run["total_return"] == pytest.approx(-0.45)
    assert found.run["max_drawdown"] == pytest.approx(-0.45)
    assert found.survivors["total_return"] == 0.0
    assert found.gap("total_return") == pytest.approx(0.45)
    assert (found.delisted, found.ended, found.known, found.few) == (1, 0, 1, False)
    assert (found.in_universe, found.traded, found.symbols_traded) == (1, 1, ("000020",))
    results = ResultStore(store.home)
    whole, survivors = (results.load(run_id) for run_id in (found.run_id, found.survivors_id))
    assert set(whole.tables["trades"]["symbol"]) == {"000010", "000020"}
    assert set(survivors.tables["trades"]["symbol"]) == {"000010"}
    assert survivors.tables["daily"]["equity_krw"].to_list() == [CASH] * len(DAYS)
    assert survivors.card["strategy"]["universe"]["exclude_symbols"] == ["000020"]
    assert survivors.card["name"] == "둘 다 (survivors only)"


def test_a_series_that_ends_early_is_gone_as_well_and_counted_apart(tmp_path: Path) -> None:
    store = market(tmp_path, delistings=1, ended=[500] * 5)
    found = compared(store, request(hold_both()))
    assert (found.delisted, found.ended, found.in_universe) == (1, 1, 2)
    panel = open_panel(store)
    excluded = without_gone(panel, request(hold_both(exclude_symbols=["999990"])), gone_names(panel, 1))
    assert excluded.strategy.universe.exclude_symbols == ("000020", "000030", "999990")


@pytest.mark.parametrize(("known", "few"), [(1, False), (2, False), (3, True), (0, True)])
def test_data_that_lack_most_of_the_delisted_names_are_said_to(tmp_path: Path, known: int, few: bool) -> None:
    found = compared(market(tmp_path, delistings=known), request(hold_both()))
    assert found.few is few
    assert found.known == (known or None)
    said = "\n".join(describe_survivorship(found))
    assert ("Warning: few delisted names in the data" in said) == (few and known > 0)
    assert ("no list of delistings is loaded" in said) == (known == 0)


@pytest.fixture(scope="module", params=[PriceBasis.RAW])
def panel(request: pytest.FixtureRequest, demo_home: Path) -> Panel:
    return open_panel(Store(demo_home), basis=request.param)


def test_names_gone_from_the_demo_market_are_those_it_delisted(panel: Panel, demo_home: Path) -> None:
    snapshot = Store(demo_home).current()
    assert snapshot is not None
    gone = gone_names(panel, None)
    recorded = snapshot.scan("delistings").collect()
    last = panel.sessions[-1].item()
    expected = set(recorded.filter(pl.col("delisted_on") <= last)["symbol"]) & set(panel.symbols)
    assert {symbol for symbol, is_gone in zip(panel.symbols, gone.delisted, strict=True) if is_gone} == expected
    strategy = PRESETS["value_composite"].strategy
    asked = RunRequest(strategy=strategy, start=date(2018, 1, 2), end=date(2022, 12, 29), initial_cash_krw=10**8)
    assert set(without_gone(panel, asked, gone).strategy.universe.exclude_symbols) >= expected
