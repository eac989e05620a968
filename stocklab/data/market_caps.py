"""Market caps of a panel: shares that are not listed yet after a bonus or rights issue, and preferred classes."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from stocklab.data.cells import Cells, locate
from stocklab.data.datasets import PRICES_RAW
from stocklab.data.field_place import FieldPlace
from stocklab.data.instruments import derive_kind, instrument_table
from stocklab.data.panel_fields import last_true, life, rows_between
from stocklab.data.raw_events import broken_links
from stocklab.data.snapshot import Snapshot
from stocklab.types import AnyArray, DateArray, FloatArray

__all__ = ["add_unlisted_shares", "preferred_caps", "save_caps"]

_LISTED_LATER: Final = frozenset({"bonus", "rights"})
_LONGEST_WAIT: Final = 80  # sessions from ex-date to listing; a rights issue takes 30 to 60


def save_caps(place: FieldPlace, raw: Cells) -> None:
    """Save `mcap`, `mcap_pref` and `shares_listed` where raw bars know them.

    Parameters
    ----------
    raw : the raw bars on the panel's grid
    """
    mcap, shares = (
        raw.fill(pl.col(name), [name], dtype=np.float64, empty=np.nan) for name in ("mcap", "shares_listed")
    )
    if not np.isnan(shares).all():
        place.write("shares_listed", shares)
    if np.isnan(mcap).all():
        return
    if place.events is None:
        place.notes.append(
            "No corporate actions are recorded: between the ex-date of a bonus or rights issue and the listing of its "
            "shares, market caps are as published, without the new shares."
        )
    else:
        unclear = add_unlisted_shares(mcap, shares, place.events, place.sessions, place.symbols)
        if unclear:
            place.notes.append(
                f"{unclear} bonus and rights issues whose new shares are not seen to list: "
                "market caps after their ex-date may be wrong."
            )
    place.write("mcap", mcap)
    place.save("mcap_pref", preferred_caps(place.snapshot, mcap, place.events, place.sessions, place.symbols))


def add_unlisted_shares(
    mcap: FloatArray, shares: FloatArray, events: pl.DataFrame, sessions: DateArray, symbols: tuple[str, ...]
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

    Returns
    -------
    int
        Issues whose listing is not known: no listed shares before the ex-date (the caps stay as published), or no new
        ones within 80 sessions of it (the caps count them so long).
    """
    column_of = {symbol: column for column, symbol in enumerate(symbols)}
    broken = broken_links(sessions)
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
    total = np.where(np.isnan(mcap), np.nan, 0.0)
    for symbol in classes:
        if symbol in column_of:
            total[:, column_of[symbol]] = np.nan
    owned = tuple(symbol for symbol in classes if _common_code(symbol) in column_of)
    if not owned:
        return total
    caps, listed = _class_caps(snapshot, events, sessions, owned)
    for place, symbol in enumerate(owned):
        total[:, column_of[_common_code(symbol)]] += np.where(listed[:, place], caps[:, place], 0.0)
    return total


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
) -> tuple[FloatArray, AnyArray]:
    """Market cap of each class and whether it is listed, (n_sessions, n_classes)."""
    cells = locate(snapshot, PRICES_RAW, sessions, owned)
    close, caps, shares = (
        cells.fill(pl.col(name), [name], dtype=np.float64, empty=np.nan) for name in ("close", "mcap", "shares_listed")
    )
    if events is not None:
        add_unlisted_shares(caps, shares, events, sessions, owned)
    here = ~np.isnan(close)
    traded = cells.fill(pl.col("volume") > 0, ["volume"], dtype=np.bool_, empty=False)
    instruments = instrument_table(snapshot, owned, last_true(traded, sessions)).instruments
    first, end = life(here, sessions, instruments)
    listed = rows_between(first, end, len(sessions)) & here.any(axis=0)
    return caps, listed
