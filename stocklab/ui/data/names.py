"""What datasets, checks, sources, feeds and keys are called, and how a symbol is linked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from stocklab.ui import navigation
from stocklab.ui.text import N_, _

__all__ = [
    "BASES",
    "CHECKS",
    "COLUMNS",
    "DATASETS",
    "GIVES",
    "HOW_TO_GET",
    "KEYS",
    "SHORT",
    "SOURCES",
    "feed_name",
    "source_name",
    "stock_count",
    "symbol_cell",
    "symbol_column",
]

DATASETS: Final = {
    "prices_adjusted": N_("Daily prices, adjusted"),
    "prices_coin": N_("Daily candles of coins"),
    "prices_raw": N_("Daily prices, as traded"),
    "indices": N_("Indices"),
    "instruments": N_("Companies and sectors"),
    "delistings": N_("Delistings"),
    "events": N_("Splits, bonus and rights issues"),
    "dividends": N_("Cash dividends"),
    "statements": N_("Financial statements"),
    "share_structure": N_("Free float and treasury shares"),
    "investor_flows": N_("Net purchases by investor class"),
    "foreign_holdings": N_("Foreign holdings"),
    "short_sales": N_("Short sales"),
    "rates": N_("Interest rates"),
    "filings": N_("Periodic reports received"),
    "members": N_("Members of indices, themes and sectors"),
    "flags": N_("Flags of issues"),
    "flag_coverage": N_("Days for which flags are complete"),
    "coverage": N_("What the sources were asked"),
    "disagreements": N_("Values on which sources differ"),
}
SHORT: Final = {
    "prices_raw": N_("Raw prices"),
    "prices_adjusted": N_("Adjusted"),
    "prices_coin": N_("Coins"),
    "indices": N_("Indices"),
    "investor_flows": N_("Flows"),
    "foreign_holdings": N_("Foreign"),
    "short_sales": N_("Shorts"),
    "rates": N_("Rates"),
    "statements": N_("Reports"),
    "share_structure": N_("Float"),
    "dividends": N_("Dividends"),
}
"""Heads of the columns of the coverage map, which are narrow."""
BASES: Final = {"CFS": N_("Consolidated"), "OFS": N_("Separate")}
CHECKS: Final = {
    "off_session": N_("Bars on days the exchange was closed (not used)"),
    "missing_sessions": N_("Sessions of the exchange without any bar"),
    "gaps": N_("Holes inside a series"),
    "jumps": N_("Moves beyond the price limit without a recorded event"),
    "stale": N_("Series whose last months saw no trade"),
    "ends_early": N_("Series that stop early with no delisting recorded"),
    "cut_before_delisting": N_("Series that stop long before their recorded delisting"),
    "trades_after_delisting": N_("Codes that go on after a recorded delisting"),
    "volume_breaks": N_("Volume changes scale over a halt although the price does not"),
    "unnamed": N_("Symbols without a name"),
    "index_contradictions": N_("Index closes outside the day's range"),
    "unit_errors": N_("Reports about 1,000 or 1,000,000 times those before and after (wrong unit)"),
    "unbalanced": N_("Reports whose assets differ from liabilities plus equity"),
    "quarters_against_year": N_("Reports whose year-to-date amounts differ from the sum of the quarters"),
    "deadline_dated": N_("Reports without a receipt date, dated by the statutory deadline"),
    "late_reports": N_("Reports received more than 95 days after their period"),
}
SOURCES: Final = {
    "krx_openapi": N_("KRX Open API"),
    "datagokr": N_("Public-data portal"),
    "opendart": N_("OpenDART"),
    "pykrx": N_("KRX Data Marketplace (pykrx)"),
    "upbit": N_("Upbit"),
    "naver_hub": N_("Naver API HUB (news)"),
    "naver_legacy": N_("Naver Developers Center (news)"),
}
GIVES: Final = {
    "krx_openapi": N_("Prices as traded of all stocks and ETFs, indices and the list of issues, since 2010"),
    "datagokr": N_("Prices as traded of all stocks since 2020: fills what KRX lacks, and checks it"),
    "opendart": N_("Company reports with the day they became public, share counts, dividends"),
    "pykrx": N_("Net purchases by investor class, foreign holdings and short sales, slowly"),
    "upbit": N_("Daily candles of coins in won, since 2017"),
    "naver_hub": N_("News about a company"),
    "naver_legacy": N_("News about a company, with keys from before August 2026; until June 2027"),
}
HOW_TO_GET: Final = {
    "krx_openapi": N_(
        "Sign up, apply for a key (인증키), then apply for each service (API 이용신청): 유가증권, 코스닥 and 코넥스 "
        "일별매매정보 and 종목기본정보, KOSPI and KOSDAQ 시리즈 일별시세정보, ETF 일별매매정보. "
        "A key is valid for a year, for non-commercial use."
    ),
    "datagokr": N_(
        "Sign up and apply for 금융위원회_주식시세정보; the key is approved at once. Enter the decoded key."
    ),
    "opendart": N_("Sign up and apply for a key (인증키 신청); it has 40 characters and comes by e-mail."),
    "pykrx": N_(
        "Id and password of an account of the KRX Data Marketplace of your own; a social log-in does not work."
    ),
    "upbit": N_("No key is needed."),
    "naver_hub": N_(
        "Register an application for the search API in the console of Naver Cloud; it shows id and secret."
    ),
    "naver_legacy": N_("No new keys are given out; enter the id and secret of an application that you have."),
}
KEYS: Final = {
    "krx_openapi_key": N_("Key (AUTH_KEY)"),
    "datagokr_key": N_("Key (serviceKey)"),
    "opendart_key": N_("Key (crtfc_key)"),
    "naver_client_id": N_("Client id"),
    "naver_client_secret": N_("Client secret"),
    "naver_legacy_client_id": N_("Client id"),
    "naver_legacy_client_secret": N_("Client secret"),
    "krx_id": N_("Account id"),
    "krx_password": N_("Password"),
}
COLUMNS: Final = {
    "symbol": N_("Symbol"),
    "index": N_("Index"),
    "session": N_("Session"),
    "before": N_("Last before"),
    "after": N_("First after"),
    "sessions": N_("Sessions"),
    "base": N_("Base price"),
    "close": N_("Closing price"),
    "high": N_("High"),
    "low": N_("Low"),
    "move": N_("Move"),
    "first": N_("First session"),
    "last": N_("Last session"),
    "last_trade": N_("Last trade"),
    "delisted_on": N_("Delisted on"),
    "ratio": N_("Ratio"),
    "period_end": N_("Period end"),
    "statement_basis": N_("Consolidated or separate"),
    "filed_on": N_("Filed on"),
    "days": N_("Days"),
    "item": N_("Item"),
}
_DEMO: Final = "demo data (synthetic)"  # as the demo's rows and manifest say
_FEEDS: Final = {
    "stocks": N_("stocks"),
    "indices": N_("indices"),
    "etfs": N_("ETFs"),
    "instruments": N_("list of issues"),
    "corp_codes": N_("company codes"),
    "filings": N_("list of filings"),
    "main_accounts": N_("main accounts"),
    "statements": N_("full statements"),
    "dividends": N_("dividends"),
    "shares": N_("share counts"),
    "flows": N_("investor flows"),
    "foreign": N_("foreign holdings"),
    "short": N_("short sales"),
    "members": N_("index members"),
    "markets": N_("markets"),
    "candles": N_("candles"),
}


def source_name(source: str) -> str:
    """A source in words; what was imported keeps its own name."""
    if source == _DEMO:
        return _("Demo data (synthetic)")
    return _(SOURCES[source]) if source in SOURCES else source


def feed_name(feed: str, *, alone: bool = False) -> str:
    """A feed in words, ``alone`` without its source."""
    source, _dot, kind = feed.partition(".")
    if source not in SOURCES or kind not in _FEEDS:
        return source_name(feed)
    return _(_FEEDS[kind]) if alone else f"{source_name(source)}: {_(_FEEDS[kind])}"


def stock_count(state: Mapping[str, Any]) -> int:
    """Stocks of the current snapshot; coins are shown as a market of their own."""
    return sum(count for market, count in state["symbols_by_market"].items() if market != "UPBIT")


def symbol_cell(symbol: str) -> str:
    """What a cell of `symbol_column` holds."""
    return f"company?symbol={symbol}" if _has_company_page() else symbol


def symbol_column() -> Any:
    """A column of symbols, each a link to its company."""
    if _has_company_page():
        return st.column_config.LinkColumn(_("Symbol"), display_text=r"symbol=(.+)$", width="small")
    return st.column_config.TextColumn(_("Symbol"), width="small")


def _has_company_page() -> bool:
    return "company" in navigation.PAGES
