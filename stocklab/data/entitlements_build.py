"""Dividends, bonus shares before they list, rights and spin-offs of a snapshot on a panel's grid."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from stocklab.data.observed import observe_snapshot
from stocklab.data.raw_events import RawEvents, broken_links
from stocklab.data.snapshot import Snapshot
from stocklab.market.calendar import expected_until, first_day, sessions_between
from stocklab.market.dividends import ex_date, expected_payment
from stocklab.market.entitlements import DIVIDEND_UNITS_PER_KRW, NO_ENTITLEMENTS, Entitlements
from stocklab.types import AnyArray, BoolArray, DateArray, FloatArray

__all__ = ["LONGEST_WAIT", "NewShares", "dividends_on_grid", "entitlements_of", "infer_new_shares"]

LONGEST_WAIT: Final = 80
"""Sessions from an ex-date until the new shares list; bonus issues take 10 to 25, rights issues 30 to 60."""
USUAL_BONUS_WAIT: Final = 15
TOLERANCE: Final = 0.02
LEAST_NEW: Final = 0.03
"""A smaller rise of the share count is no issue to holders, but conversions and options."""
SPIN_OFF_HALT: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class NewShares:
    """Issues read out of base prices and later share counts: bonus (row, symbol, new shares per old, listing row),
    rights and spin-offs (row, symbol)."""

    bonus: tuple[tuple[int, int, float, int], ...]
    rights: tuple[tuple[int, int], ...]
    spin_offs: tuple[tuple[int, int], ...]


def infer_new_shares(events: RawEvents, shares: FloatArray, traded: BoolArray, broken: BoolArray) -> NewShares:
    """What the base prices that the share counts of the day do not explain were about.

    A base price that falls by just what a later rise of the listed shares would take is a bonus issue; one that falls
    by less is a rights issue. After a halt of five sessions a lower share count with a price that does not match it is
    taken for a spin-off.

    Parameters
    ----------
    events : from `price_factors`
    shares : (n_sessions, n_symbols) listed shares, NaN = unknown
    traded : (n_sessions, n_symbols)
    broken : (n_sessions,) rows before which sessions are missing: nothing is followed across them
    """
    bonus: list[tuple[int, int, float, int]] = []
    rights: list[tuple[int, int]] = []
    spin_offs: list[tuple[int, int]] = []
    for row, symbol in np.argwhere(events.unexplained).tolist():
        factor, before = events.factor[row, symbol], shares[row - 1, symbol]
        if np.isnan(before):
            continue
        if _halted(traded, row, symbol) and shares[row, symbol] / before < 1 - TOLERANCE:
            spin_offs.append((row, symbol))
        elif factor < 1 and (later := _rise(shares, broken, row, symbol)) is not None:
            ratio = shares[later, symbol] / before
            if abs(factor * ratio - 1) < TOLERANCE:
                bonus.append((row, symbol, round(float(ratio), 2), later))
            elif factor * ratio > 1:  # somebody pays for the new shares
                rights.append((row, symbol))
    return NewShares(bonus=tuple(bonus), rights=tuple(rights), spin_offs=tuple(spin_offs))


def _halted(traded: BoolArray, row: int, symbol: int) -> bool:
    return row >= SPIN_OFF_HALT and not traded[row - SPIN_OFF_HALT : row, symbol].any()


def _rise(shares: FloatArray, broken: BoolArray, row: int, symbol: int) -> int | None:
    """First row within reach whose share count is higher than the one before the ex-date."""
    gaps = np.flatnonzero(broken[row + 1 : row + LONGEST_WAIT])
    end = row + 1 + int(gaps[0]) if len(gaps) else row + LONGEST_WAIT
    risen = np.flatnonzero(shares[row:end, symbol] > shares[row - 1, symbol] * (1 + LEAST_NEW))
    return row + int(risen[0]) if len(risen) else None


def entitlements_of(
    snapshot: Snapshot,
    axes: tuple[DateArray, tuple[str, ...]],
    shares: FloatArray,
    inferred: NewShares | None,
    notes: list[str],
) -> Entitlements:
    """Everything holders of raw shares are entitled to.

    Parameters
    ----------
    axes : sessions and symbols of the panel
    shares : (n_sessions, n_symbols) listed shares, NaN = unknown
    inferred : issues read out of the bars where no corporate actions are recorded, else None
    notes : of the build; appended to
    """
    sessions, symbols = axes
    if inferred is None:
        unlisted, rights, spin_offs = _recorded(snapshot, sessions, symbols, shares, notes)
    else:
        unlisted = [(row, symbol, until) for row, symbol, _, until in inferred.bonus]
        rights, spin_offs = list(inferred.rights), list(inferred.spin_offs)
    late, given, spun = (_columns(rows, width) for rows, width in ((unlisted, 3), (rights, 2), (spin_offs, 2)))
    paid = NO_ENTITLEMENTS
    if snapshot.has("dividends"):
        recorded = snapshot.scan("dividends").collect()
        paid = dividends_on_grid(recorded, _settle_months(snapshot), sessions, symbols, notes)
    return replace(
        paid,
        unlisted_row=late[0],
        unlisted_symbol=late[1],
        unlisted_until=late[2],
        rights_row=given[0],
        rights_symbol=given[1],
        spin_off_row=spun[0],
        spin_off_symbol=spun[1],
    )


def _columns(rows: list[tuple[int, ...]] | list[tuple[int, int]] | list[tuple[int, int, int]], width: int) -> AnyArray:
    """Columns of rows in ascending order, (width, n) int64."""
    return np.ascontiguousarray(np.array(sorted(rows), dtype=np.int64).reshape(-1, width).T)


def _recorded(
    snapshot: Snapshot, sessions: DateArray, symbols: tuple[str, ...], shares: FloatArray, notes: list[str]
) -> tuple[list[tuple[int, int, int]], list[tuple[int, int]], list[tuple[int, int]]]:
    column_of = {symbol: column for column, symbol in enumerate(symbols)}
    broken = broken_links(sessions, observe_snapshot(snapshot).closed)
    unlisted: list[tuple[int, int, int]] = []
    rights: list[tuple[int, int]] = []
    spin_offs: list[tuple[int, int]] = []
    expected = 0
    events = snapshot.scan("events").select("session", "symbol", "kind", "ratio").collect()
    for session, symbol, kind, ratio in events.iter_rows():
        row = int(np.searchsorted(sessions, np.datetime64(session, "D")))
        if symbol not in column_of or not 0 < row < len(sessions) or broken[row]:
            continue
        column = column_of[symbol]
        if kind == "bonus" and ratio > 1:
            until, seen = _listing(shares, row, column, ratio)
            expected += not seen
            unlisted.append((row, column, until))
        elif kind == "rights":
            rights.append((row, column))
        elif kind == "spin_off":
            spin_offs.append((row, column))
    if expected:
        notes.append(
            f"The listing of {expected} bonus issues is not seen in the share counts; their new shares are taken to "
            f"list {USUAL_BONUS_WAIT} sessions after the ex-date."
        )
    return unlisted, rights, spin_offs


def _listing(shares: FloatArray, row: int, column: int, ratio: float) -> tuple[int, bool]:
    """Row in which the new shares of a bonus issue list, beyond the last where they have not yet; and whether the share
    counts say so."""
    before, counts = shares[row - 1, column], shares[row : row + LONGEST_WAIT, column]
    arrived = np.flatnonzero(counts > before * (1 + (ratio - 1) / 2))
    if len(arrived):
        return row + int(arrived[0]), True
    if np.isnan(before) or np.isnan(counts).all() or len(counts) == LONGEST_WAIT:
        return min(row + USUAL_BONUS_WAIT, len(shares)), False
    return len(shares), True


def _settle_months(snapshot: Snapshot) -> dict[str, int]:
    if not snapshot.has("instruments"):
        return {}
    rows = snapshot.scan("instruments").select("symbol", "settle_month").drop_nulls().collect()
    return dict(rows.iter_rows())


def dividends_on_grid(
    recorded: pl.DataFrame,
    settle_months: dict[str, int],
    sessions: DateArray,
    symbols: tuple[str, ...],
    notes: list[str],
) -> Entitlements:
    """Dividends whose ex-date is a session of the panel.

    Parameters
    ----------
    recorded : dataset "dividends"
    settle_months : symbol -> month in which its fiscal year ends; 12 where unknown
    sessions : (n_sessions,) datetime64[D]
    symbols : n_symbols codes
    notes : appended to: dividends whose ex-date is not a session of the panel
    """
    column_of = {symbol: column for column, symbol in enumerate(symbols)}
    calendar = _calendar_around(sessions)
    rows: list[tuple[int, int, int, int, int]] = []
    between = 0
    for symbol, record, ex, paid, amount in recorded.select(
        "symbol", "record_date", "ex_date", "pay_date", "krw_per_share"
    ).iter_rows():
        column = column_of.get(symbol)
        units = round(amount * DIVIDEND_UNITS_PER_KRW)
        if column is None or units <= 0 or not _covered(record, calendar):
            continue
        first_without = ex if ex is not None else ex_date(record, calendar)
        row = int(np.searchsorted(sessions, np.datetime64(first_without, "D")))
        if row == len(sessions) or first_without < sessions[0].astype("datetime64[D]").item():
            continue
        if sessions[row] != np.datetime64(first_without, "D"):
            between += 1
            continue
        day = paid if paid is not None else expected_payment(record, settle_months.get(symbol, 12))
        due = int(np.searchsorted(sessions, np.datetime64(day, "D")))
        rows.append((row, column, units, due, int(paid is None)))
    if between:
        notes.append(f"{between} dividends went ex on a day without bars and are not booked.")
    table = np.array(sorted(rows), dtype=np.int64).reshape(-1, 5)
    row_of, column, units_of, due_in, guessed = np.ascontiguousarray(table.T)
    return Entitlements(
        dividend_row=row_of,
        dividend_symbol=column,
        dividend_units=units_of,
        dividend_paid=due_in,
        dividend_guessed=guessed == 1,
        dividends_known=True,
    )


def _calendar_around(sessions: DateArray) -> DateArray:
    """Sessions of the exchange from a month before the panel to its last, for record dates near its edges."""
    first: date = (sessions[0] - np.timedelta64(31, "D")).astype("datetime64[D]").item()
    last: date = (sessions[-1] + np.timedelta64(31, "D")).astype("datetime64[D]").item()
    return sessions_between(max(first, first_day()), min(last, expected_until()), expected=True)


def _covered(record: date, calendar: DateArray) -> bool:
    first: date = calendar[2].astype("datetime64[D]").item()
    last: date = calendar[-1].astype("datetime64[D]").item()
    return first <= record <= last
