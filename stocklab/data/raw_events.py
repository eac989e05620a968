"""From raw bars to adjusted ones: KRX's own base price is the only evidence of an event's size."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from stocklab.data.sessions import known_sessions
from stocklab.types import BoolArray, DateArray, FloatArray

__all__ = ["RawEvents", "broken_links", "price_factors", "split_ratios_from_events"]

SHARE_EVENTS: Final = frozenset({"split", "consolidation", "bonus", "reduction"})  # rights give cash, not shares
TOLERANCE: Final = 0.02
WHOLE_CHANGE: Final = 0.6  # log of the least whole ratio, 2 for 1
BASE_SLACK: Final = 0.45  # log of how far a base set by auction may lie from the ratio's
UNCOVERED_GAP_DAYS: Final = (
    14  # longest closure of the exchange is 11 days (Chuseok 2017); only where no calendar exists
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawEvents:
    """What the base prices say.

    ``factor`` (n_sessions, n_symbols): base price over the previous close at the sessions of events, 1 elsewhere;
    ``to_last`` the same cumulated backwards, so that price x to_last is adjusted to the last session;
    ``inferred_split`` new shares per old where the listed shares of the same session explain the factor, else 1;
    ``unexplained`` factors beyond 2 % that they do not explain.
    """

    factor: FloatArray
    to_last: FloatArray
    inferred_split: FloatArray
    unexplained: BoolArray
    base_price: FloatArray


def broken_links(sessions: DateArray, closed: DateArray | None = None) -> BoolArray:
    """(n_sessions,) True where sessions of the exchange are missing between this row and the one before.

    ``closed`` are days that turned out to be none (`stocklab.data.observed`).
    """
    broken = np.zeros(len(sessions), dtype=np.bool_)
    if len(sessions) < 2:
        return broken
    known = known_sessions(_date(sessions[0]), _date(sessions[-1]))
    if closed is not None:
        known = np.setdiff1d(known, closed)
    between = np.searchsorted(known, sessions[1:], side="left") - np.searchsorted(known, sessions[:-1], side="right")
    days = (sessions[1:] - sessions[:-1]).astype(np.int64)
    covered = len(known) > 0 and np.asarray(sessions[1:] <= known[-1]) & np.asarray(sessions[:-1] >= known[0])
    broken[1:] = np.where(covered, between > 0, days > UNCOVERED_GAP_DAYS)
    return broken


def price_factors(close: FloatArray, base: FloatArray, shares: FloatArray, broken: BoolArray) -> RawEvents:
    """Read the events out of base prices.

    Parameters
    ----------
    close, base, shares : (n_sessions, n_symbols)
        KRW, KRW and shares as published; NaN = no row or unknown. An unknown base price counts as the close before.
    broken : (n_sessions,)
        From `broken_links`: across such a row nothing is known, and the factor is 1.
    """
    n_sessions, n_symbols = close.shape
    factor = np.ones_like(close)
    split = np.ones_like(close)
    unexplained = np.zeros(close.shape, dtype=np.bool_)
    used_base = base.copy()
    last_close = np.full(n_symbols, np.nan)
    last_shares = np.full(n_symbols, np.nan)
    for row in range(n_sessions):
        if broken[row]:
            last_close[:] = np.nan
            last_shares[:] = np.nan
        here = ~np.isnan(close[row])
        no_base = here & np.isnan(base[row])
        used_base[row, no_base] = last_close[no_base]
        linked = here & ~np.isnan(base[row]) & ~np.isnan(last_close)
        factor[row, linked] = base[row, linked] / last_close[linked]
        event = linked & (np.abs(factor[row] - 1) > TOLERANCE)
        ratio = shares[row] / last_shares
        explained = event & ((np.abs(factor[row] * ratio - 1) < TOLERANCE) | _is_whole_change(factor[row], ratio))
        split[row, explained] = _snap(ratio[explained])
        unexplained[row] = event & ~explained
        last_close[here] = close[row, here]
        known = ~np.isnan(shares[row])
        last_shares[known] = shares[row, known]
    to_last = np.ones_like(close)
    for row in range(n_sessions - 2, -1, -1):
        to_last[row] = to_last[row + 1] * factor[row + 1]
    return RawEvents(
        factor=factor, to_last=to_last, inferred_split=split, unexplained=unexplained, base_price=used_base
    )


def split_ratios_from_events(events: pl.DataFrame, sessions: DateArray, symbols: tuple[str, ...]) -> FloatArray:
    """(n_sessions, n_symbols) new shares per old of the recorded share events, 1 elsewhere.

    An event between two sessions of the panel takes effect at the later one; several at one session multiply.
    """
    ratios = np.ones((len(sessions), len(symbols)))
    column_of = {symbol: column for column, symbol in enumerate(symbols)}
    for session, symbol, kind, ratio in events.select("session", "symbol", "kind", "ratio").iter_rows():
        row = int(np.searchsorted(sessions, np.datetime64(session, "D")))
        if kind in SHARE_EVENTS and symbol in column_of and row < len(sessions):
            ratios[row, column_of[symbol]] *= ratio
    return ratios


def _is_whole_change(factor: FloatArray, ratio: FloatArray) -> BoolArray:
    """Share counts that change by a whole ratio the other way than the price: after a long halt the auction sets a base
    of its own (032800 on 2022-02-04: 10 for 1, base 9.29 times), and the difference is a gain or loss of holders."""
    snapped = _snap(ratio)
    whole = (snapped == np.round(snapped)) | (1 / snapped == np.round(1 / snapped))
    found: BoolArray = whole & (np.abs(np.log(ratio)) > WHOLE_CHANGE) & (np.abs(np.log(factor * ratio)) < BASE_SLACK)
    return found


def _snap(ratio: FloatArray) -> FloatArray:
    """Whole ratios (5 for 1, 1 for 5) free of the odd shares a registrar cancels."""
    whole = np.round(ratio)
    inverse = np.round(1 / ratio)
    ratio = np.where((whole >= 1) & (np.abs(ratio / np.maximum(whole, 1) - 1) < 1e-3), whole, ratio)
    return np.where((inverse > 1) & (np.abs(ratio * inverse - 1) < 1e-3), 1 / np.maximum(inverse, 1), ratio)


def _date(day: np.datetime64) -> date:
    value: date = day.astype("datetime64[D]").item()
    return value
