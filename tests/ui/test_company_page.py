"""The company page in every state; its numbers against the Parquet files behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from stocklab.data import Store, import_paths
from stocklab.portfolios import Lab
from stocklab.ui import cached
from stocklab.ui import format as fmt
from stocklab.ui.company import lookups

HANGUL = re.compile("[가-힣]")


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    lookups.forget()
    yield
    lookups.forget()


@pytest.fixture(scope="module")
def bars(ui_home: Path) -> pl.DataFrame:
    """Raw bars, read from the files."""
    folder = ui_home / "market" / "snapshots" / (ui_home / "market" / "CURRENT").read_text().strip()
    return pl.read_parquet(folder / "prices_raw" / "*.parquet").sort("symbol", "session")


def dataset(home: Path, name: str) -> pl.DataFrame:
    snapshot = Store(home).current()
    assert snapshot is not None
    return pl.read_parquet(list(snapshot.files(name).values()))


def said(page: AppTest) -> str:
    kinds = ("subheader", "markdown", "caption", "error", "warning", "info")
    return "\n".join(str(part.value) for kind in kinds for part in getattr(page, kind))


def metrics(page: AppTest) -> dict[str, str]:
    return {part.label: part.value for part in page.metric}


def plain(bars: pl.DataFrame, home: Path) -> str:
    """A listed stock that never had a corporate action, so that its adjusted prices are those traded."""
    moved = dataset(home, "events")["symbol"].to_list()
    last = bars["session"].max()
    steady = bars.filter((pl.col("session") == last) & (pl.col("volume") > 0) & ~pl.col("symbol").is_in(moved)).sort(
        "mcap", descending=True
    )
    return str(steady["symbol"][0])


def test_the_quote_line_is_that_of_the_files(pages, bars: pl.DataFrame, ui_home: Path) -> None:
    symbol = plain(bars, ui_home)
    own = bars.filter(pl.col("symbol") == symbol)
    last = own.row(-1, named=True)
    year = own.filter(pl.col("session") > last["session"] - timedelta(days=365))
    page = pages("company", symbol=symbol, lang="en")
    assert not page.exception
    shown = metrics(page)
    assert shown["Last close"] == f"₩{last['close']:,}"
    assert shown["Volume"] == f"{last['volume']:,}"
    assert shown["Traded value"] == fmt.krw(last["tv"], "en")
    assert shown["Market cap"] == fmt.krw(last["mcap"], "en")
    assert shown["52-week high"] == f"₩{year['high'].max():,}"
    assert shown["52-week low"] == f"₩{year['low'].min():,}"
    change = 100 * last["change"] / (last["close"] - last["change"])
    assert f"({change:+.2f}%)" in page.metric[0].delta
    age = (cached.today() - last["session"]).days
    assert (f"{age} day" if age else "today") in said(page)


def test_after_a_split_the_range_is_on_the_basis_of_today(pages, bars: pl.DataFrame, ui_home: Path) -> None:
    """A low of before the split is divided by its ratio; the raw chart keeps what was traded."""
    events = dataset(ui_home, "events").filter(pl.col("kind") == "split")
    symbol, day, ratio = events.sort("session", descending=True).select("symbol", "session", "ratio").row(0)
    own = bars.filter(pl.col("symbol") == symbol)
    history, raw = (lookups_history(pages, symbol, adjusted=adjusted) for adjusted in (True, False))
    row = int((own["session"] < day).sum()) - 1
    before = own.row(row, named=True)
    base = own["close"][row + 1] - own["change"][row + 1]
    assert raw.bars["close"][row] == before["close"]
    others = dataset(ui_home, "events").filter((pl.col("symbol") == symbol) & (pl.col("session") > day))
    if others.is_empty():
        assert history.bars["close"][row] == pytest.approx(base, rel=1e-6)
        assert history.bars["close"][row] == pytest.approx(before["close"] / ratio, rel=0.01)


def lookups_history(pages, symbol: str, *, adjusted: bool):
    pages("company", symbol=symbol)
    return lookups.history(symbol, adjusted=adjusted)


def test_indicators_agree_with_a_plain_computation(pages, bars: pl.DataFrame, ui_home: Path) -> None:
    symbol = plain(bars, ui_home)
    found = lookups_history(pages, symbol, adjusted=False)
    close = bars.filter(pl.col("symbol") == symbol)["close"].cast(pl.Float64)
    expected = {
        "average_20": close.rolling_mean(20),
        "band_upper": close.rolling_mean(20) + 2 * close.rolling_std(20, ddof=0),
        "band_lower": close.rolling_mean(20) - 2 * close.rolling_std(20, ddof=0),
    }
    for name, values in expected.items():
        assert found.indicators[name][19:] == pytest.approx(values.to_numpy()[19:], rel=1e-9), name
    fast, slow = (close.ewm_mean(span=span, adjust=False, ignore_nulls=True) for span in (12, 26))
    macd = (fast - slow).to_numpy()
    assert found.indicators["macd"][-200:] == pytest.approx(macd[-200:], rel=1e-6, abs=1e-6)
    change = close.diff().to_numpy()
    up, down = (
        pl.Series(part).fill_null(0.0).ewm_mean(alpha=1 / 14, adjust=False)
        for part in (
            [max(x, 0.0) if x == x else 0.0 for x in change],
            [max(-x, 0.0) if x == x else 0.0 for x in change],
        )
    )
    rsi = (100 * up / (up + down)).to_numpy()
    assert found.indicators["rsi"][-200:] == pytest.approx(rsi[-200:], abs=1e-3)


@pytest.mark.parametrize(("interval", "every"), [("weekly", "1w"), ("monthly", "1mo")])
def test_bars_of_weeks_and_months_hold_those_of_their_days(
    pages, bars: pl.DataFrame, ui_home: Path, interval: str, every: str
) -> None:
    symbol = plain(bars, ui_home)
    pages("company", symbol=symbol)
    found = lookups.history(symbol, adjusted=False, interval=interval)
    own = bars.filter(pl.col("symbol") == symbol)
    expected = own.group_by_dynamic("session", every=every).agg(
        pl.col("open").drop_nulls().first(),
        pl.col("high").max(),
        pl.col("low").min(),
        pl.col("close", "session").last().name.suffix("_last"),
        pl.col("volume").sum(),
    )
    assert found.sessions.tolist() == expected["session_last"].to_list()
    steady = expected["open"].is_not_null().to_numpy()  # not a trade in a whole month: the close stands for all
    for name in ("open", "high", "low", "volume"):
        assert found.bars[name][steady].tolist() == expected[name].to_numpy()[steady].tolist(), name
    closes = expected["close_last"].cast(pl.Float64)
    assert found.bars["close"].tolist() == closes.to_list()
    average = closes.rolling_mean(20).to_numpy()
    assert found.indicators["average_20"][19:] == pytest.approx(average[19:], rel=1e-9)


def test_reports_show_the_quarter_its_filing_and_only_what_was_public(pages, ui_home: Path) -> None:
    rows = dataset(ui_home, "statements").filter((pl.col("statement_basis") == "CFS") & (pl.col("item") == "revenue"))
    symbol = rows.group_by("symbol").len().sort("len", "symbol", descending=True)["symbol"][0]
    own = rows.filter(pl.col("symbol") == symbol)
    page = pages("company", symbol=symbol, company_section="reports", lang="en")
    assert not page.exception
    table = page.dataframe[0].value
    fourth = (
        own.filter((pl.col("fiscal_quarter") == 4) & (pl.col("months") == 12)).sort("period_end").row(-1, named=True)
    )
    amount = {  # of the three months, the newest version of each
        (end, months): value
        for end, months, value in own.sort("filed_on").select("period_end", "months", "amount").iter_rows()
    }
    year_end = fourth["period_end"]
    thirds = own.filter((pl.col("fiscal_year") == fourth["fiscal_year"]) & (pl.col("fiscal_quarter") == 3))[
        "period_end"
    ]
    alone = amount[year_end, 12] - amount[thirds[0], 9]
    shown = table[table["period"].str.startswith(f"{fourth['fiscal_year']} Q4")].iloc[0]
    assert shown["revenue"] == pytest.approx(alone / 1e6, abs=0.51)
    first = own.filter(pl.col("period_end") == year_end)["filed_on"].min()
    assert str(shown["filed"])[:10] == str(first)

    day_before = first - timedelta(days=1)
    page.date_input(key="company_as_of").set_value(day_before).run()
    earlier = page.dataframe[0].value
    assert not earlier["period"].str.startswith(f"{fourth['fiscal_year']} Q4").any()
    page.button_group(key="company_span_choice").set_value("year").run()
    assert not page.exception
    assert len(page.dataframe[0].value) < len(earlier)


def test_every_section_draws_in_both_languages(pages, bars: pl.DataFrame, ui_home: Path) -> None:
    symbol = plain(bars, ui_home)
    for lang in ("ko", "en"):
        page = pages("company", symbol=symbol, lang=lang)
        for section in ("reports", "ratios", "peers", "records", "disclosures", "chart"):
            page.button_group(key="company_section_choice").set_value(section).run()
            assert not page.exception, section
            assert not page.error, section
        page.button_group(key="company_prices_choice").set_value("raw").run()
        page.button_group(key="company_indicators_choice").set_value(["bands", "rsi", "macd", "average_120"]).run()
        page.button_group(key="company_period_choice").set_value("all").run()
        assert not page.exception


def test_peers_are_the_largest_of_the_sector(pages, bars: pl.DataFrame, ui_home: Path) -> None:
    instruments = dataset(ui_home, "instruments").filter(pl.col("kind").is_in(["common", "foreign", "reit"]))
    last = bars.filter(pl.col("session") == bars["session"].max()).join(
        instruments.select("symbol", "sector"), on="symbol"
    )
    sector = last.group_by("sector").len().sort("len", "sector", descending=True)["sector"][0]
    expected = last.filter(pl.col("sector") == sector).sort("mcap", descending=True)["symbol"].to_list()
    page = pages("company", symbol=expected[2], company_section="peers")
    links = page.dataframe[0].value["link"].tolist()
    assert [link.split("=")[1] for link in links] == expected[:10]


def test_ratios_are_those_of_the_accounts(pages, bars: pl.DataFrame, ui_home: Path) -> None:
    """PBR of an issuer without preferred shares: market cap over the newest equity that is public."""
    statements = dataset(ui_home, "statements").filter(pl.col("item") == "equity_parent")
    last = bars.filter(pl.col("session") == bars["session"].max())
    alone = [s for s in last["symbol"] if s.endswith("0") and f"{s[:-1]}5" not in set(last["symbol"])]
    newest = statements.filter(pl.col("symbol").is_in(alone) & (pl.col("amount") > 0)).sort(
        "statement_basis", "period_end", "filed_on", descending=[True, False, False]
    )
    symbol = newest["symbol"][0]
    own = newest.filter(pl.col("symbol") == symbol)
    own = own.filter(pl.col("period_end") == own["period_end"].max())
    basis = "CFS" if "CFS" in own["statement_basis"].to_list() else "OFS"
    equity = own.filter(pl.col("statement_basis") == basis).sort("filed_on")["amount"][-1]
    cap = last.filter(pl.col("symbol") == symbol)["mcap"][0]
    pages("company", symbol=symbol)
    assert lookups.ratios(symbol).latest("pbr") == pytest.approx(cap / equity, rel=1e-5)


def test_what_was_delisted_says_so_and_keeps_its_history(pages, ui_home: Path) -> None:
    gone = dataset(ui_home, "delistings").row(0, named=True)
    page = pages("company", symbol=gone["symbol"])
    assert not page.exception
    assert any(str(gone["delisted_on"]) in part.value and gone["reason"] in part.value for part in page.warning)
    assert metrics(page)["최근 종가"].endswith("원")


def test_an_unknown_code_and_an_empty_link_offer_where_to_begin(pages) -> None:
    page = pages("company", symbol="<b>x")
    assert not page.exception
    assert "종목이 없습니다" in said(page)
    assert not page.metric
    opened = pages("company")
    assert "시가총액 상위" in said(opened)
    opened.selectbox(key="company_symbol").set_value(lookups.largest()[0]).run()
    assert opened.metric
    assert opened.query_params["symbol"] == lookups.largest()[0]
    opened.selectbox(key="company_symbol").set_value(None).run()
    assert not opened.metric
    assert "symbol" not in opened.query_params


def test_a_coin_has_a_quote_and_a_chart_alone(pages) -> None:
    page = pages("company", symbol="krw-btc", lang="en")
    assert not page.exception
    shown = metrics(page)
    assert "Market cap" not in shown
    assert shown["Last close"].startswith("₩")
    assert [group.key for group in page.button_group if group.key == "company_section_choice"] == []


def test_a_fund_has_no_reports_and_no_ratios(pages, ui_home: Path) -> None:
    fund = dataset(ui_home, "instruments").filter(pl.col("kind") == "etf")["symbol"][0]
    page = pages("company", symbol=fund, company_section="reports")
    assert "재무제표가 없습니다" in said(page)
    page.button_group(key="company_section_choice").set_value("ratios").run()
    assert "계산할 수 있는 지표가 없습니다" in said(page)
    page.button_group(key="company_section_choice").set_value("peers").run()
    assert "업종을 알 수 없습니다" in said(page)
    assert not page.exception


def test_a_preferred_share_leads_to_the_reports_of_its_issuer(pages, ui_home: Path) -> None:
    preferred = dataset(ui_home, "instruments").filter(pl.col("kind") == "preferred")["symbol"][0]
    page = pages("company", symbol=preferred, company_section="reports")
    page.button(key="company_open_common").click().run()
    assert page.query_params["symbol"] == f"{preferred[:5]}0"
    assert len(page.dataframe[0].value) > 4
    assert not page.exception


def test_adjusted_prices_alone_old_ended_and_nameless(empty_pages, tmp_path: Path) -> None:
    """A home of adjusted bars: no raw switch, no reports; one series ends early, another has no name."""
    days = [date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4), date(2024, 1, 5)]
    rows = [("000020", day, 100 + place) for place, day in enumerate(days)]
    rows += [("005930", day, 70_000) for day in days[:2]]
    frame = pl.DataFrame(
        [
            {
                "date": day,
                "code": code,
                "open": close,
                "high": close,
                "low": close,
                "close": close,
                "volume": 10,
                "src": 1,
            }
            for code, day, close in rows
        ]
    )
    path = tmp_path / "krx_daily_x.csv"
    frame.write_csv(path)
    pages = empty_pages
    assert "아직 시장 데이터가 없습니다" in said(pages("company"))
    import_paths(Store(tmp_path / "home"), [path])
    page = pages("company", symbol="000020")
    assert not page.exception
    assert "지난 가격입니다" in said(page)  # of 2024
    assert "수정주가만 있습니다" in said(page)
    assert metrics(page)["시가총액"] == fmt.DASH
    for section, words in (("reports", "재무제표 자료가 없습니다"), ("records", "배당 자료가 없습니다")):
        page.button_group(key="company_section_choice").set_value(section).run()
        assert words in said(page)
    ended = pages("company", symbol="005930")
    assert "시장 자료는 2024-01-05까지" in said(ended)
    assert not ended.exception


def test_links_to_screener_and_builder_carry_sector_and_symbol(
    pages, bars: pl.DataFrame, ui_home: Path, lab: Lab
) -> None:
    symbol = plain(bars, ui_home)
    sector = lab.panel().instruments.sectors[lab.panel().column(symbol)]
    page = pages("company", symbol=symbol)
    page.button(key="company_screen").click().run()
    assert page.session_state["screener"]["document"]["universe"]["sectors"] == [sector]
    page = pages("company", symbol=symbol)
    page.button(key="company_build").click().run()
    assert page.session_state["builder"]["document"]["universe"]["symbols"] == [symbol]
