"""What the company page reads, kept between runs by home and snapshot: a new snapshot is read anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from stocklab.caches import Group, remember
from stocklab.data import company
from stocklab.data.company.reports import Basis
from stocklab.data.snapshot import Snapshot
from stocklab.errors import DataError
from stocklab.market.panel import KIND_CODES, Panel, PriceBasis
from stocklab.ui import cached, charts
from stocklab.ui.company import figures
from stocklab.ui.text import Language, language

__all__ = [
    "ChartView",
    "directory",
    "forget",
    "history",
    "largest",
    "peers",
    "price_figure",
    "profile",
    "ratio_figure",
    "ratios",
    "raw_is_known",
    "records",
    "reports",
]

_LARGEST = 12


def _key() -> tuple[str, str]:
    store = cached.lab().store
    return str(store.home), store.current_id() or ""


def _snapshot(snapshot_id: str) -> Snapshot:
    return cached.lab().store.snapshot(snapshot_id)


def _panel(symbol: str) -> Panel | None:
    lab = cached.lab()
    current = lab.store.current()
    return None if current is None else company.panel_with(current, symbol, lab.panel)


def _required(symbol: str) -> Panel:
    panel = _panel(symbol)
    if panel is None:
        raise DataError(f"{symbol} has no bars in this data.")
    return panel


@remember("company_names", Group.MARKET, 2, of_market=True)
def _directory(home: str, snapshot_id: str) -> Mapping[str, str]:
    found = dict(cached.names())
    snapshot = _snapshot(snapshot_id)
    if snapshot.has("instruments"):
        for symbol, name in snapshot.scan("instruments").select("symbol", "name").collect().iter_rows():
            found[symbol] = found.get(symbol) or name
    return {symbol: f"{name} ({symbol})" if name else symbol for symbol, name in sorted(found.items())}


def directory() -> Mapping[str, str]:
    """Symbol -> what the picker shows: every stock, coin and instrument of the current snapshot."""
    return _directory(*_key())


@remember("largest_companies", Group.MARKET, 2, of_market=True)
def _largest(home: str, snapshot_id: str) -> tuple[str, ...]:
    panel = cached.lab().panel()
    row = panel.n_sessions - 1
    size = np.asarray(panel.fields["tv"][row], dtype=np.float64)
    if "mcap" in panel.fields and not np.isnan(panel.fields["mcap"][row]).all():
        size = np.asarray(panel.fields["mcap"][row], dtype=np.float64)
    companies = np.isin(panel.instruments.kinds, (KIND_CODES["common"], KIND_CODES["coin"], KIND_CODES[""]))
    ranked = np.where(companies & panel.fields["listed"][row] & ~np.isnan(size), size, -1.0)
    order = np.argsort(-ranked, kind="stable")[:_LARGEST]
    return tuple(panel.symbols[column] for column in order if ranked[column] >= 0)


def largest() -> tuple[str, ...]:
    """The largest companies of the last session: where to begin."""
    return _largest(*_key())


@remember("company_profiles", Group.MARKET, 256, of_market=True)
def _profile(home: str, snapshot_id: str, symbol: str) -> company.Profile:
    return company.profile(_snapshot(snapshot_id), symbol, _panel(symbol))


def profile(symbol: str) -> company.Profile:
    """Who a symbol is and its last quote.

    Raises
    ------
    InputError
        The current snapshot knows no such symbol; a failure is not kept.
    """
    return _profile(*_key(), symbol)


def raw_is_known(symbol: str) -> bool:
    """Whether prices of the symbol are known as they were traded, beside adjusted ones."""
    return _raw_panel(symbol) is not None


def _raw_panel(symbol: str) -> Panel | None:
    lab = cached.lab()
    current = lab.store.current()
    if current is None or not current.has("prices_raw"):
        return None
    panel = lab.panel(PriceBasis.RAW)
    return panel if symbol in panel.symbols else None


@remember("price_histories", Group.MARKET, 64, of_market=True)
def _history(key: tuple[str, str], symbol: str, adjusted: bool, interval: company.Interval) -> company.PriceHistory:
    panel = _required(symbol)
    if not adjusted and panel.basis is PriceBasis.ADJUSTED:
        panel = _raw_panel(symbol) or panel
    return company.price_history(panel, symbol, adjusted=adjusted, interval=interval)


def history(symbol: str, *, adjusted: bool, interval: company.Interval = "daily") -> company.PriceHistory:
    """Bars and indicators of a symbol.

    Raises
    ------
    InputError, DataError
        Raw prices are not known, or there are no bars.
    """
    return _history(_key(), symbol, adjusted, interval)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartView:
    """How bars are shown: adjusted or as traded, of which length, from when, with which indicators."""

    adjusted: bool
    interval: company.Interval
    period: str
    shown: tuple[str, ...]


@remember("price_figures", Group.FIGURE, 128, of_market=True)
def _price_figure(key: tuple[str, str], symbol: str, view: ChartView, spoken: Language) -> charts.ReadyFigure:
    found = history(symbol, adjusted=view.adjusted, interval=view.interval)
    first = figures.first_row(found.sessions, view.period)
    return charts.ReadyFigure(figures.price(found, first, frozenset(view.shown)))


def price_figure(symbol: str, view: ChartView) -> charts.ReadyFigure:
    """The candle chart of a view."""
    return _price_figure(_key(), symbol, view, language())


@remember("ratio_histories", Group.MARKET, 64, of_market=True)
def _ratios(home: str, snapshot_id: str, symbol: str) -> company.RatioHistory:
    return company.ratio_history(_required(symbol), symbol)


def ratios(symbol: str) -> company.RatioHistory:
    """Ratios of a symbol over time."""
    return _ratios(*_key(), symbol)


@remember("ratio_figures", Group.FIGURE, 128, of_market=True)
def _ratio_figure(key: tuple[str, str], symbol: str, factor: str, spoken: Language) -> charts.ReadyFigure:
    found = ratios(symbol)
    return charts.ReadyFigure(figures.ratio(found.sessions, found.values[factor]))


def ratio_figure(symbol: str, factor: str) -> charts.ReadyFigure:
    """One ratio over time."""
    return _ratio_figure(_key(), symbol, factor, language())


@remember("company_peers", Group.MARKET, 64, of_market=True)
def _peers(home: str, snapshot_id: str, symbol: str) -> tuple[tuple[company.Peer, ...], bool]:
    return company.peers(_required(symbol), symbol)


def peers(symbol: str) -> tuple[tuple[company.Peer, ...], bool]:
    """The largest companies of the symbol's sector, and whether size is market cap."""
    return _peers(*_key(), symbol)


@remember("company_reports", Group.MARKET, 64, of_market=True)
def _reports(
    home: str, snapshot_id: str, symbol: str, as_of: date
) -> Mapping[Basis, tuple[company.Report, ...]] | None:
    return company.reports(_snapshot(snapshot_id), symbol, as_of=as_of)


def reports(symbol: str, as_of: date) -> Mapping[Basis, tuple[company.Report, ...]] | None:
    """Company reports public on a day; None where no statements are loaded."""
    return _reports(*_key(), symbol, as_of)


@remember("company_records", Group.MARKET, 64, of_market=True)
def _records(home: str, snapshot_id: str, symbol: str) -> company.Records:
    return company.records(_snapshot(snapshot_id), symbol)


def records(symbol: str) -> company.Records:
    """Dividends, corporate actions and flags of a symbol."""
    return _records(*_key(), symbol)


def forget() -> None:
    """Let everything go; tests begin anew."""
    for kept in (
        *(_directory, _largest, _profile, _history, _price_figure, _ratios, _ratio_figure, _peers, _reports, _records),
    ):
        kept.cache_clear()
