"""Market caps of a panel: shares that are not listed yet after a bonus or rights issue, and preferred classes."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from stocklab.data.cells import Cells
from stocklab.data.datasets import PRICES_RAW
from stocklab.data.field_place import FieldPlace
from stocklab.data.instruments import derive_kind, instrument_table
from stocklab.data.observed import observe_snapshot
from stocklab.data.panel_fields import last_true, life, rows_between
from stocklab.data.raw_events import broken_links
from stocklab.data.snapshot import Snapshot
from stocklab.types import DateArray, FloatArray

__all__ = ["add_unlisted_shares", "preferred_caps", "save_caps"]

_LISTED_LATER: Final = frozenset({"bonus", "rights"})
_LONGEST_WAIT: Final = 80  # sessions from ex-date to listing; a rights issue takes 30 to 60


def save_caps(place: FieldPlace, raw: Cells) -> None:
    """Save `mcap`, `mcap_pref` and `shares_listed` where raw bars know them.

    Parameters
    ----------
    raw : the raw bars on the panel's grid
    """
    shares = raw.fill(pl.col("shares_listed"), ["shares_listed"], dtype=np.float64, empty=np.nan)
    if not np.isnan(shares).all():
        place.write("shares_listed", shares)
    if place.events is None:
        del shares  # each of these arrays is as large as a field of prices
    mcap = raw.fill(pl.col("mcap"), ["mcap"], dtype=np.float64, empty=np.nan)
    if np.isnan(mcap).all():
        return
    if place.events is None:
        place.notes.append(
            "No corporate actions are recorded: between the ex-date of a bonus or rights issue and the listing of its "
            "shares, market caps are as published, without the new shares."
        )
    else:
        closed = observe_snapshot(place.snapshot).closed
        unclear = add_unlisted_shares(mcap, shares, place.events, place.sessions, place.symbols, closed=closed)
        del shares
        if unclear:
            place.notes.append(
                f"{unclear} bonus and rights issues whose new shares are not seen to list: "
                "market caps after their ex-date may be wrong."
            )
    place.write("mcap", mcap)
    place.write("mcap_pref", preferred_caps(place.snapshot, mcap, place.events, place.sessions, place.symbols))


def add_unlisted_shares(
    mcap: FloatArray,
    shares: FloatArray,
    events: pl.DataFrame,
    sessions: DateArray,
    symbols: tuple[str, ...],
    *,
    closed: DateArray | None = None,
) -> int:
    """Add the new shares of bonus and rights issues to market caps from the ex-date until they list, in place.

    On the ex-date the price falls at once, the listed count rises weeks later; until it does, the cap is multiplied by
    (1 + unlisted shares / listed shares).

    Parameters
    ----------
    mcap, shares : (n_sessions, n_symbols) KRW and listed shares as published; NaN = unknown
    events : dataset "events"
    sessions : (n_sessions,) datetime64[D], ascending
    symbols : n_symbols codes, ascending
    closed : days that turned out not to be sessions (`stocklab.data.observed`)

    Returns
    -------
    int
        Issues whose listing is not known: no listed shares before the ex-date (the caps stay as published), or no new
        ones within 80 sessions of it (the caps count them so long).
    """
    column_of = {symbol: column for column, symbol in enumerate(symbols)}
    broken = broken_links(sessions, closed)
    left = 0
    chosen = events.filter(pl.col("kind").is_in(sorted(_LISTED_LATER)), pl.col("ratio") > 1)
    for session, symbol, ratio in chosen.select("session", "symbol", "ratio").iter_rows():
        row = int(np.searchsorted(sessions, np.datetime64(session, "D")))
        if symbol not in column_of or not 0 < row < len(sessions):
            continue
        column = column_of[symbol]
        before = shares[row - 1, column]
        counts = shares[row : row + _LONGEST_WAIT, column]
        if np.isnan(before) or broken[row]:
            left += int(not np.isnan(counts).all())
            continue
        new = before * (ratio - 1)
        arrived = np.flatnonzero(counts > before + new / 2)
        left += int(not len(arrived) and len(counts) == _LONGEST_WAIT)
        end = int(arrived[0]) if len(arrived) else len(counts)
        unlisted = new - np.maximum(counts[:end] - before, 0)
        mcap[row : row + end, column] *= np.where(np.isnan(counts[:end]), 1.0, 1 + unlisted / counts[:end])
    return left


def preferred_caps(
    snapshot: Snapshot, mcap: FloatArray, events: pl.DataFrame | None, sessions: DateArray, symbols: tuple[str, ...]
) -> FloatArray:
    """Market cap of the preferred classes each issuer has listed, beside its common share.

    Parameters
    ----------
    snapshot : Snapshot with raw bars
    mcap : (n_sessions, n_symbols) KRW, common shares
    events : dataset "events", or None
    sessions, symbols : axes of ``mcap``

    Returns
    -------
    (n_sessions, n_symbols) float64 KRW
        0 where none is listed; NaN where the symbol's own cap or that of a listed class is unknown, and for preferred
        shares themselves. The common share of 00593K is 005930.
    """
    classes = _preferred_symbols(snapshot)
    column_of = {symbol: column for column, symbol in enumerate(symbols)}
    mcap = mcap * 0.0  # the unknown stays unknown
    mcap[:, [column_of[symbol] for symbol in classes if symbol in column_of]] = np.nan
    owned = tuple(symbol for symbol in classes if _common_code(symbol) in column_of)
    if owned:
        caps = _class_caps(snapshot, events, sessions, owned)
        commons, first = np.unique([column_of[_common_code(symbol)] for symbol in owned], return_index=True)
        mcap[:, commons] += np.add.reduceat(caps, first, axis=1)  # the classes of an issuer stand side by side
    return mcap


def _common_code(symbol: str) -> str:
    return symbol[:5] + "0"


def _preferred_symbols(snapshot: Snapshot) -> tuple[str, ...]:
    found = snapshot.scan(PRICES_RAW).select(pl.col("symbol").unique().sort()).collect()["symbol"].to_list()
    known: dict[str, tuple[str, str]] = {}
    if snapshot.has("instruments"):
        rows = snapshot.scan("instruments").select("symbol", "name", "kind").collect().iter_rows()
        known = {symbol: (name, kind) for symbol, name, kind in rows}
    unnamed = ("", "")
    return tuple(code for code in found if derive_kind(code, *known.get(code, unnamed)) == "preferred")


def _class_caps(
    snapshot: Snapshot, events: pl.DataFrame | None, sessions: DateArray, owned: tuple[str, ...]
) -> FloatArray:
    """Market cap of each class, (n_sessions, n_classes); 0 where it is not listed, NaN = unknown."""
    names = ("close", "mcap", "shares_listed", "volume")
    rows = snapshot.scan(PRICES_RAW).filter(pl.col("symbol").is_in(owned)).select("session", "symbol", *names).collect()
    days = rows["session"].to_numpy().astype("datetime64[D]")
    row = np.minimum(np.searchsorted(sessions, days), len(sessions) - 1)
    inside = sessions[row] == days
    column = np.searchsorted(np.asarray(owned), rows["symbol"].to_numpy())
    tables = np.full((len(names), len(sessions), len(owned)), np.nan)
    for table, name in zip(tables, names, strict=True):
        table[row[inside], column[inside]] = rows[name].cast(pl.Float64).fill_null(np.nan).to_numpy()[inside]
    close, caps, shares, volume = tables
    if events is not None:
        add_unlisted_shares(caps, shares, events, sessions, owned)
    here = ~np.isnan(close)
    instruments = instrument_table(snapshot, owned, last_true(volume > 0, sessions)).instruments
    first, end = life(here, sessions, instruments)
    listed = rows_between(first, end, len(sessions)) & here.any(axis=0)
    return np.where(listed, caps, 0.0)
