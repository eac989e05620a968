"""The share structure of company reports, day by day."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from stocklab.data.raw_events import SHARE_EVENTS
from stocklab.types import DateArray, FloatArray

__all__ = ["structure_by_session"]


def structure_by_session(
    filed: pl.DataFrame, name: str, events: pl.DataFrame | None, sessions: DateArray, symbols: tuple[str, ...]
) -> FloatArray:
    """A count of the share structure as the newest report public on each session states it, on that session's basis.

    Parameters
    ----------
    filed : dataset "share_structure"
    name : shares_float or shares_treasury
        Reports that do not state it are passed over.
    events : dataset "events", or None
        Splits, consolidations, bonus issues and reductions after the day of the count multiply it.
    sessions : (n_sessions,) datetime64[D], ascending
    symbols : n_symbols codes, ascending

    Returns
    -------
    (n_sessions, n_symbols) float64 shares; NaN before the first report
    """
    columns = pl.DataFrame({"symbol": list(symbols), "column": np.arange(len(symbols))})
    rows = filed.filter(pl.col(name).is_not_null()).join(columns, on="symbol", how="inner")
    rows = rows.sort("column", "filed_on", "as_of")
    # a late report of an older day does not take the place of a newer one
    rows = rows.filter(pl.col("as_of") >= pl.col("as_of").cum_max().over("column"))
    column = rows["column"].to_numpy()
    as_of = rows["as_of"].to_numpy().astype("datetime64[D]")
    counts = rows[name].cast(pl.Float64).to_numpy()
    start = np.searchsorted(sessions, rows["filed_on"].to_numpy().astype("datetime64[D]"))
    shown = np.flatnonzero(start < len(sessions))
    newest = np.full((len(sessions), len(symbols)), -1, dtype=np.int32)
    newest[start[shown], column[shown]] = shown  # of several on one session the last, which is the newest
    np.maximum.accumulate(newest, axis=0, out=newest)
    values: FloatArray = np.append(counts, np.nan)[newest]  # -1 = no report yet = the last
    for symbol, day, ratio in _share_events(events, symbols):
        row = int(np.searchsorted(sessions, day))
        report = newest[row:, symbol]
        values[row:, symbol][(report >= 0) & (np.append(as_of, day)[report] < day)] *= ratio
    return values


def _share_events(events: pl.DataFrame | None, symbols: tuple[str, ...]) -> Iterator[tuple[int, np.datetime64, float]]:
    if events is None:
        return
    column_of = {symbol: column for column, symbol in enumerate(symbols)}
    for session, symbol, kind, ratio in events.select("session", "symbol", "kind", "ratio").iter_rows():
        if kind in SHARE_EVENTS and symbol in column_of:
            yield column_of[symbol], np.datetime64(session, "D"), ratio
