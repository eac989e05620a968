"""The demo market: the same seed and day give the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

import numpy as np
import polars as pl

from stocklab.data.demo.bars import Scene, choose_events, make_bars
from stocklab.data.demo.books import make_books
from stocklab.data.demo.cast import make_cast
from stocklab.data.demo.coins import coin_instruments, coins_frame
from stocklab.data.demo.dividends import affordable, dividends_frame, fall_ex_dividend
from stocklab.data.demo.filing_list import filings_frame
from stocklab.data.demo.filings import make_filings
from stocklab.data.demo.funds import add_funds
from stocklab.data.demo.indices import index_levels, index_members
from stocklab.data.demo.lists import coverage_frame, flags_frame, members_frame
from stocklab.data.demo.ownership import rates_frame, structure_frame
from stocklab.data.demo.plot import make_plot
from stocklab.data.demo.returns import make_latent
from stocklab.data.demo.statements import make_accounts, outstanding_shares, statements_frame, with_rights
from stocklab.data.demo.tables import (
    SOURCE,
    adjusted_frame,
    delistings_frame,
    events_frame,
    indices_frame,
    instruments_frame,
    raw_frame,
)
from stocklab.data.demo.trading import flows_frame, holdings_frame, make_flows, may_be_shorted, short_sales_frame
from stocklab.data.snapshot import Snapshot
from stocklab.data.store import Store
from stocklab.errors import InputError, StoreError
from stocklab.market.calendar import expected_until, sessions_between
from stocklab.types import DateArray

__all__ = ["DEFAULT_SEED", "DEFAULT_SYMBOLS", "build_demo", "demo_datasets"]

DEFAULT_SYMBOLS: Final = 400
DEFAULT_SEED: Final = 20161121
_FEWEST, _MOST = 50, 5000
_YEARS: Final = 10


def build_demo(
    store: Store,
    *,
    symbols: int = DEFAULT_SYMBOLS,
    seed: int = DEFAULT_SEED,
    until: date,
    replace: bool = False,
) -> Snapshot:
    """Write the demo market as the store's next snapshot.

    Parameters
    ----------
    store : Store
    symbols, seed, until
        See `demo_datasets`.
    replace : bool
        Make the demo market current although the home holds real data. The real snapshots stay on disk until they are
        collected.

    Raises
    ------
    StoreError
        The home holds real data and ``replace`` is False, or another process writes.
    InputError
        See `demo_datasets`.
    """
    current = store.current()
    if current is not None and not current.synthetic and not replace:
        raise StoreError(
            f"{store.home} holds real market data (snapshot {current.id}); the demo market would take its place. "
            "Hint: point STOCKLAB_HOME at another folder, or ask for the demo market with replace."
        )
    datasets = demo_datasets(symbols=symbols, seed=seed, until=until)
    return store.write(datasets, sources=dict.fromkeys(datasets, SOURCE), synthetic=True)


def demo_datasets(
    *, symbols: int = DEFAULT_SYMBOLS, seed: int = DEFAULT_SEED, until: date
) -> Mapping[str, pl.DataFrame]:
    """Ten years of a synthetic KRX up to the last session before ``until``, as the datasets of a snapshot.

    Parameters
    ----------
    symbols : int
        Issues ever listed, preferred shares, SPACs, REITs and ETFs included; 50 to 5,000.
    seed : int
        Non-negative; another seed is another market.
    until : date
        The first day that is not in the data; beyond the calendar its last year is used.

    Returns
    -------
    Every dataset of the store, each sorted by its key.

    Raises
    ------
    InputError
        A parameter is out of range, or ten years before ``until`` the rules of the exchange are not known.
    """
    if not _FEWEST <= symbols <= _MOST:
        raise InputError(f"The demo market has {_FEWEST} to {_MOST} symbols; {symbols} were asked for.")
    if seed < 0:
        raise InputError(f"The seed of the demo market is a non-negative integer; found {seed}.")
    sessions = _sessions(until)
    cast = make_cast(symbols, seed, sessions)
    plot = make_plot(cast, len(sessions), seed)
    books = make_books(cast, sessions, seed)
    session_quarter = np.searchsorted(books.ends, sessions) - 1
    latent = make_latent(cast, plot, books, session_quarter, seed)
    books = affordable(cast, plot, books, latent, sessions)
    fall_ex_dividend(cast, plot, books, latent, sessions)
    events = choose_events(cast, plot, latent, seed)
    scene = Scene(cast=cast, plot=plot, latent=latent, events=events, sessions=sessions, seed=seed)
    bars = make_bars(scene)
    members = index_members(cast, bars, sessions)
    levels = index_levels(members, bars, seed)
    add_funds(scene, bars, members, levels)
    books = with_rights(books, events, bars, session_quarter)
    filings = make_filings(cast, books, sessions, seed)
    shares = outstanding_shares(bars, events)[np.maximum(np.searchsorted(sessions, books.ends, side="right") - 1, 0)]
    accounts = make_accounts(cast, books, filings, shares, seed)
    flows = make_flows(cast, bars, seed)
    shortable = may_be_shorted(cast, bars, members["KOSPI200"], sessions)
    instruments = pl.concat([instruments_frame(cast), coin_instruments()], how="vertical_relaxed")
    statements = statements_frame(accounts)
    return {
        "prices_raw": raw_frame(cast, bars, sessions),
        "prices_adjusted": adjusted_frame(cast, bars, events, sessions),
        "indices": indices_frame(levels, sessions),
        "prices_coin": coins_frame(seed, until),
        "instruments": instruments,
        "delistings": delistings_frame(cast, sessions),
        "events": events_frame(cast, events, sessions),
        "dividends": dividends_frame(scene, books, accounts.lines.dps),
        "statements": statements,
        "filings": filings_frame(statements, instruments),
        "share_structure": structure_frame(cast, books, filings, shares, seed),
        "investor_flows": flows_frame(cast, bars, flows, sessions),
        "foreign_holdings": holdings_frame(cast, bars, flows, sessions, seed),
        "short_sales": short_sales_frame(cast, bars, shortable, sessions, seed),
        "rates": rates_frame(sessions, seed),
        "members": members_frame(cast, bars, members, sessions, seed),
        "flags": flags_frame(cast, bars, sessions),
        "flag_coverage": coverage_frame(sessions),
    }


def _sessions(until: date) -> DateArray:
    until = min(until, expected_until() + timedelta(days=1))
    first = date(until.year - _YEARS, until.month, min(until.day, 28))
    return sessions_between(first, until - timedelta(days=1), expected=True)
