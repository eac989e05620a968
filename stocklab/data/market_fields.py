"""Daily fields of a panel beside its bars: flows, holdings, short sales, share structure and the risk-free rate.

Every value stands in the row in which it was public (docs/factors.md, section 1) and nowhere else: nothing is carried
over a missing day, forward or back, but the share structure, which holds until the next report.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from stocklab.data.cells import Cells
from stocklab.data.field_place import FieldPlace
from stocklab.data.raw_events import SHARE_EVENTS
from stocklab.data.share_structure import structure_by_session
from stocklab.market.short_bans import short_sales_banned
from stocklab.types import DateArray, FloatArray

__all__ = ["rates_by_session", "save_market_fields", "save_rates"]

RISK_FREE: Final = "CD91"
TRADING_DAYS: Final = 252  # docs/factors.md, section 7
FLOWS: Final = ("frgn_net", "inst_net", "pension_net")
HOLDINGS_LAG: Final = 1
SHORT_LAG: Final = 2
# a bonus changes the listed count weeks after its ex-date; the others change it on the day
_ON_THE_DAY: Final = SHARE_EVENTS - {"bonus"}


def save_market_fields(place: FieldPlace) -> None:
    """Save every field the snapshot has data for."""
    if place.snapshot.has("investor_flows"):
        cells = place.cells("investor_flows")
        for name in FLOWS:
            place.save(name, _filled(cells, name))
    if place.snapshot.has("foreign_holdings"):
        held = _filled(place.cells("foreign_holdings"), "frgn_shares")
        place.save("frgn_shares", _delayed(place, held, HOLDINGS_LAG))
    if place.snapshot.has("short_sales"):
        cells, banned = place.cells("short_sales"), short_sales_banned(place.sessions)
        for name in ("short_vol", "short_bal"):
            sold = _filled(cells, name)
            sold[banned] = np.nan
            place.save(name, _delayed(place, sold, SHORT_LAG))
    if place.snapshot.has("share_structure"):
        filed = place.snapshot.scan("share_structure").collect()
        for name in ("shares_float", "shares_treasury"):
            place.save(name, structure_by_session(filed, name, place.events, place.sessions, place.symbols))


def save_rates(place: FieldPlace) -> bool:
    """Save the risk-free rate beside the fields; False where no yield is known on any session."""
    if not place.snapshot.has("rates"):
        return False
    daily, missing = rates_by_session(place.snapshot.scan("rates").collect(), place.sessions)
    if missing == len(daily):
        return False
    if missing:
        place.notes.append(f"{missing} sessions have no {RISK_FREE} yield; the risk-free rate is 0 on them.")
    place.write_aside("rf", daily)
    return True


def rates_by_session(rates: pl.DataFrame, sessions: DateArray) -> tuple[FloatArray, int]:
    """Daily simple risk-free rate and how many sessions have no yield (0 there).

    Parameters
    ----------
    rates : dataset "rates"
    sessions : (n_sessions,) datetime64[D]

    Returns
    -------
    (n_sessions,) float64 and int

    >>> from datetime import date
    >>> rates = pl.DataFrame({"session": [date(2024, 1, 2)], "name": ["CD91"], "percent": [3.5]})
    >>> rates_by_session(rates, np.array(["2024-01-02", "2024-01-03"], dtype="datetime64[D]"))
    (array([0.00013652, 0.        ]), 1)
    """
    own = rates.filter(pl.col("name") == RISK_FREE).select("session", "percent")
    grid = pl.DataFrame({"session": sessions}).join(own, on="session", how="left", maintain_order="left")
    percent = grid["percent"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    daily = np.where(np.isnan(percent), 0.0, (1 + percent / 100) ** (1 / TRADING_DAYS) - 1)
    return daily, int(np.isnan(percent).sum())


def _filled(cells: Cells, name: str) -> FloatArray:
    return cells.fill(pl.col(name), [name], dtype=np.float64, empty=np.nan)


def _delayed(place: FieldPlace, counts: FloatArray, lag: int) -> FloatArray:
    """Counts ``lag`` rows later, on the share basis of the row they then stand in."""
    late = np.full_like(counts, np.nan)
    late[lag:] = counts[:-lag]
    if place.events is None:
        return late
    column_of = {symbol: column for column, symbol in enumerate(place.symbols)}
    chosen = place.events.filter(pl.col("kind").is_in(sorted(_ON_THE_DAY)))
    for session, symbol, ratio in chosen.select("session", "symbol", "ratio").iter_rows():
        row = int(np.searchsorted(place.sessions, np.datetime64(session, "D")))
        if symbol in column_of and row > 0:
            late[row : row + lag, column_of[symbol]] *= ratio
    return late
