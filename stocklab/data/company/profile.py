"""Who a symbol is and its last quote."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl

from stocklab.data.panel_build import dataset_of
from stocklab.data.snapshot import Snapshot
from stocklab.errors import DataError, InputError
from stocklab.factors.one_symbol import one_symbol
from stocklab.market.issue_flags import ISSUE_FLAGS, UNKNOWN_FLAG, flag_field
from stocklab.market.panel import KIND_CODES, MARKET_CODES, Panel, PriceBasis
from stocklab.types import AnyArray

__all__ = ["Profile", "Quote", "panel_with", "profile"]

_YEAR_DAYS: Final = 365
_KINDS: Final = {code: name for name, code in KIND_CODES.items()}
_MARKETS: Final = {code: name for name, code in MARKET_CODES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The last bar of a symbol.

    Prices are in won as traded on the raw basis, adjusted on the adjusted one. ``change_krw`` is the close less the
    base price, which is the close before but after a corporate action; None where neither is known. ``volume`` is in
    shares or coins, ``value_krw`` the traded value. ``high_year_krw`` and ``low_year_krw`` are of the 365 days up to
    the bar, on the basis of its day. ``market_cap_krw`` is that of ``market_cap_on``, the bar's session or the last
    before it on which it is known; None where it never is.
    """

    session: date
    close_krw: float
    change_krw: float | None
    change: float | None
    volume: float
    value_krw: float | None
    traded: bool
    high_year_krw: float
    low_year_krw: float
    market_cap_krw: float | None
    market_cap_on: date | None
    shares_listed: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A symbol as of the snapshot; ``quote`` is None where there are no bars of it.

    ``flags`` are those in force at the last bar, ``unknown_flags`` those of which nothing is known there;
    ``memberships`` (kind, name) the lists it is in. ``last_session`` is that of the market it was looked up in.
    """

    symbol: str
    name: str
    market: str
    kind: str
    sector: str
    listed_on: date | None
    delisted_on: date | None
    delisting_reason: str
    basis: PriceBasis | None
    quote: Quote | None
    last_session: date | None
    value_estimated: bool
    flags: tuple[str, ...]
    unknown_flags: tuple[str, ...]
    memberships: tuple[tuple[str, str], ...]

    @property
    def is_coin(self) -> bool:
        """Whether it is a coin of Upbit."""
        return self.market == "UPBIT"

    @property
    def is_stale(self) -> bool:
        """Whether its bars end before the market's, although no delisting is recorded."""
        return (
            self.quote is not None
            and self.last_session is not None
            and self.quote.session < self.last_session
            and self.delisted_on is None
        )


def panel_with(snapshot: Snapshot, symbol: str, open_panel: Callable[[PriceBasis | None], Panel]) -> Panel | None:
    """The panel that holds the symbol: the one backtests use by default, else another; None where none does."""
    try:
        usual = open_panel(None)
    except DataError:  # no bars at all
        return None
    if symbol in usual.symbols:
        return usual
    for basis in PriceBasis:  # opening a panel may mean to build it: look into the bars first
        if basis is not usual.basis and _has_bars(snapshot, symbol, basis):
            panel = open_panel(basis)
            if symbol in panel.symbols:
                return panel
    return None


def _has_bars(snapshot: Snapshot, symbol: str, basis: PriceBasis) -> bool:
    name = dataset_of(basis)
    return snapshot.has(name) and snapshot.scan(name).filter(pl.col("symbol") == symbol).head(1).collect().height > 0


def profile(snapshot: Snapshot, symbol: str, panel: Panel | None) -> Profile:
    """What is known of a symbol.

    Parameters
    ----------
    panel : one that holds the symbol; None where none does

    Raises
    ------
    InputError
        The snapshot knows no such symbol.
    """
    if panel is None:
        return _without_bars(snapshot, symbol)
    column = panel.column(symbol)
    known = panel.instruments
    quote = _quote(panel, column)
    row = int(np.searchsorted(panel.sessions, np.datetime64(quote.session, "D"))) if quote is not None else None
    in_force, unknown = _flags(panel, column, row)
    listed, gone = known.listed_on[column], known.delisted_on[column]
    market = _MARKETS[int(panel.fields["market"][row, column])] if row is not None else ""
    return Profile(
        symbol=symbol,
        name=known.names[column],
        market=market,
        kind=_KINDS[int(known.kinds[column])],
        sector=known.sectors[column],
        listed_on=None if np.isnat(listed) else listed.item(),
        delisted_on=None if np.isnat(gone) else gone.item(),
        delisting_reason=known.delisting_reason[column],
        basis=panel.basis,
        quote=quote,
        last_session=panel.sessions[-1].item(),
        value_estimated=panel.tv_estimated,
        flags=in_force,
        unknown_flags=unknown,
        memberships=() if row is None else _memberships(panel, column, row),
    )


def _without_bars(snapshot: Snapshot, symbol: str) -> Profile:
    instrument = _row(snapshot, "instruments", symbol)
    delisting = _row(snapshot, "delistings", symbol)
    if instrument is None and delisting is None:
        raise InputError(f"Symbol {symbol!r} is not in this data. Hint: search by name or code.")
    found = {**(delisting or {}), **{key: value for key, value in (instrument or {}).items() if value is not None}}
    return Profile(
        symbol=symbol,
        name=found.get("name") or "",
        market=found.get("market") or "",
        kind=found.get("kind") or "",
        sector=found.get("sector") or "",
        listed_on=found.get("listed_on"),
        delisted_on=found.get("delisted_on"),
        delisting_reason=found.get("reason") or "",
        basis=None,
        quote=None,
        last_session=None,
        value_estimated=False,
        flags=(),
        unknown_flags=(),
        memberships=(),
    )


def _row(snapshot: Snapshot, dataset: str, symbol: str) -> dict[str, Any] | None:
    if not snapshot.has(dataset):
        return None
    rows = snapshot.scan(dataset).filter(pl.col("symbol") == symbol).collect()
    return None if rows.is_empty() else rows.row(-1, named=True)


def _quote(panel: Panel, column: int) -> Quote | None:
    own = one_symbol(panel, column, [*panel.order_fields, "close", "high", "low", "tv", "traded", "base_price", "mcap"])
    series = {name: np.asarray(values[:, 0]) for name, values in own.fields.items()}
    closes = series[panel.order_fields[3]]
    bars = np.flatnonzero(~np.isnan(closes) & series["listed"])
    if not len(bars):
        return None
    row = int(bars[-1])
    base = _base(series, closes, bars, row)
    year = bars[panel.sessions[bars] > panel.sessions[row] - np.timedelta64(_YEAR_DAYS, "D")]
    scale = float(closes[row]) / float(series["close"][row])  # 1 where nothing was adjusted since
    cap, cap_row = _last_known(series.get("mcap"), row)
    shares = panel.fields.get("shares_listed")
    value = float(series["tv"][row])
    return Quote(
        session=panel.sessions[row].item(),
        close_krw=float(closes[row]),
        change_krw=None if base is None else float(closes[row]) - base,
        change=None if not base else float(closes[row]) / base - 1.0,
        volume=float(series[panel.order_fields[4]][row]),
        value_krw=None if np.isnan(value) else value,
        traded=bool(series["traded"][row]),
        high_year_krw=float(np.nanmax(series["high"][year])) * scale,
        low_year_krw=float(np.nanmin(series["low"][year])) * scale,
        market_cap_krw=cap,
        market_cap_on=None if cap_row is None else panel.sessions[cap_row].item(),
        shares_listed=None if shares is None or cap_row is None else _known(float(shares[cap_row, column])),
    )


def _base(series: dict[str, AnyArray], closes: AnyArray, bars: AnyArray, row: int) -> float | None:
    """The price a change counts from: the exchange's base price, else the close before."""
    if "base_price" in series and not np.isnan(series["base_price"][row]):
        return float(series["base_price"][row])
    return float(closes[bars[-2]]) if len(bars) > 1 else None


def _last_known(values: AnyArray | None, row: int) -> tuple[float | None, int | None]:
    if values is None:
        return None, None
    known = np.flatnonzero(~np.isnan(values[: row + 1]))
    return (None, None) if not len(known) else (float(values[known[-1]]), int(known[-1]))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


def _flags(panel: Panel, column: int, row: int | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if row is None or panel.basis is PriceBasis.COIN:
        return (), ()
    found = {
        flag: int(panel.fields[flag_field(flag)][row, column]) if flag_field(flag) in panel.fields else UNKNOWN_FLAG
        for flag in ISSUE_FLAGS
    }
    if panel.fields["market"][row, column] == MARKET_CODES["KOSPI"]:
        del found["attention"]  # a flag of KOSDAQ
    return (
        tuple(flag for flag, value in found.items() if value == 1),
        tuple(flag for flag, value in found.items() if value == UNKNOWN_FLAG),
    )


def _memberships(panel: Panel, column: int, row: int) -> tuple[tuple[str, str], ...]:
    known = panel.memberships
    return tuple(
        (kind, name)
        for kind, name in known.groups
        if (members := known.members(kind, name, row)) is not None and bool(np.isin(column, members))
    )
