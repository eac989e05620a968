"""Every source a person can set up: its keys, its budget a day, what it gives. Facts only; nothing is opened here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["KNOWN_SOURCES", "PRICE_ORDER", "KnownSource"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSource:
    """One source.

    Attributes
    ----------
    name : str
        As the ledger of requests has it ("krx_openapi").
    keys : tuple of str
        Settings that must be set; all of them. Empty: it needs none.
    feeds : tuple of str
        The most useful first.
    datasets : tuple of str
        What it gives; empty for news.
    budget : int or None
        Requests a day, None without a limit.
    address : str
        Where a person gets a key, or reads about the service.
    switch : str
        The setting that must be true, "" when the keys alone decide.
    """

    name: str
    keys: tuple[str, ...]
    feeds: tuple[str, ...]
    datasets: tuple[str, ...]
    budget: int | None
    address: str
    switch: str = ""


KNOWN_SOURCES: Final = (
    KnownSource(
        name="krx_openapi",
        keys=("krx_openapi_key",),
        feeds=("krx_openapi.stocks", "krx_openapi.indices", "krx_openapi.etfs", "krx_openapi.instruments"),
        datasets=("prices_raw", "indices", "instruments"),
        budget=9_500,
        address="https://openapi.krx.co.kr",
    ),
    KnownSource(
        name="datagokr",
        keys=("datagokr_key",),
        feeds=("datagokr.stocks",),
        datasets=("prices_raw",),
        budget=9_500,
        address="https://www.data.go.kr",
    ),
    KnownSource(
        name="opendart",
        keys=("opendart_key",),
        feeds=(
            *("opendart.corp_codes", "opendart.filings", "opendart.main_accounts", "opendart.statements"),
            *("opendart.dividends", "opendart.shares"),
        ),
        datasets=("instruments", "statements", "share_structure"),
        budget=19_000,
        address="https://opendart.fss.or.kr",
    ),
    KnownSource(
        name="pykrx",
        keys=("krx_id", "krx_password"),
        feeds=("pykrx.flows", "pykrx.foreign", "pykrx.short", "pykrx.members"),
        datasets=("investor_flows", "foreign_holdings", "short_sales"),
        budget=30,
        address="https://data.krx.co.kr",
    ),
    KnownSource(
        name="upbit",
        keys=(),
        feeds=("upbit.markets", "upbit.candles"),
        datasets=("prices_coin", "instruments"),
        budget=None,
        address="https://docs.upbit.com",
        switch="sync_coins",
    ),
    KnownSource(
        name="naver_hub",
        keys=("naver_client_id", "naver_client_secret"),
        feeds=(),
        datasets=(),
        budget=24_000,
        address="https://www.ncloud.com",
    ),
    KnownSource(
        name="naver_legacy",
        keys=("naver_legacy_client_id", "naver_legacy_client_secret"),
        feeds=(),
        datasets=(),
        budget=24_000,
        address="https://developers.naver.com/apps",
    ),
)
"""The order is that of trust for what several of them have."""

PRICE_ORDER: Final = ("krx_openapi.stocks", "datagokr.stocks")
"""Feeds of raw bars, the one whose rows stand first."""
