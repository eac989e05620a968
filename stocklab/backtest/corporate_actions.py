"""Corporate actions of a run's sessions as the arrays the kernel walks along."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from stocklab.backtest import codes
from stocklab.market.dividends import withholding_table
from stocklab.market.panel import Panel, PriceBasis
from stocklab.types import AnyArray, IntArray

__all__ = ["corporate_actions"]


def corporate_actions(panel: Panel, first: int, last: int) -> tuple[IntArray, ...]:
    """What happens to holdings before the open of sessions [first, last); nothing on adjusted bars, which carry it.

    Returns
    -------
    Events by session and symbol: offsets (n + 1,), symbol, new shares, old shares, kind (``codes``), session from which
    bonus shares can be sold; then dividends: offsets (n + 1,), symbol, units a share, session of payment; then the
    rate withheld on each session (n,) in parts per billion. All int64.
    """
    n = last - first
    if panel.basis is not PriceBasis.RAW:
        none = np.zeros(0, dtype=np.int64)
        offsets = np.zeros(n + 1, dtype=np.int64)
        return (offsets, none, none, none, none, none, offsets, none, none, none, np.zeros(n, dtype=np.int64))
    return (
        *_events(panel, first, last),
        *_dividends(panel, first, last),
        withholding_table(panel.sessions[first:last]),
    )


def _events(panel: Panel, first: int, last: int) -> tuple[IntArray, ...]:
    known = panel.entitlements
    rows, symbols, new, old = _share_changes(panel, first, last)
    kind = np.full(len(rows), codes.SHARE_CHANGE)
    until = rows.copy()
    later = {
        (int(row), int(symbol)): int(end)
        for row, symbol, end in zip(known.unlisted_row, known.unlisted_symbol, known.unlisted_until, strict=True)
    }
    for place, key in enumerate(zip(rows.tolist(), symbols.tolist(), strict=True)):
        if key in later:
            kind[place], until[place] = codes.BONUS, later[key]
    changed = set(zip(rows.tolist(), symbols.tolist(), strict=True))
    rights = [
        (row, symbol)
        for row, symbol in zip(known.rights_row.tolist(), known.rights_symbol.tolist(), strict=True)
        if first <= row < last and (row, symbol) not in changed
    ]
    more = np.array(rights, dtype=np.int64).reshape(-1, 2)
    ones = np.ones(len(more), dtype=np.int64)
    columns = (
        np.concatenate([rows, more[:, 0]]),
        np.concatenate([symbols, more[:, 1]]),
        np.concatenate([new, ones]),
        np.concatenate([old, ones]),
        np.concatenate([kind, codes.RIGHTS * ones]),
        np.concatenate([until, more[:, 0]]),
    )
    order = np.lexsort((columns[1], columns[0]))
    row, *others = (column[order].astype(np.int64) for column in columns)
    return (_offsets(row, first, last), *others)


def _share_changes(panel: Panel, first: int, last: int) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """(row, symbol, new shares, old shares) of the events of [first, last)."""
    ratios = panel.fields.get("split_ratio")
    if ratios is None:
        none = np.zeros(0, dtype=np.int64)
        return none, none, none, none
    part: AnyArray = np.asarray(ratios[first:last])
    rows, symbols = np.nonzero((part != 1.0) & (part > 0.0))
    exact = [_whole_ratio(float(part[row, symbol])) for row, symbol in zip(rows, symbols, strict=True)]
    new = np.array([ratio.numerator for ratio in exact], dtype=np.int64)
    old = np.array([ratio.denominator for ratio in exact], dtype=np.int64)
    return rows.astype(np.int64) + first, symbols.astype(np.int64), new, old


def _whole_ratio(ratio: float) -> Fraction:
    """The simplest ratio of whole numbers that a float32 field can have meant.

    >>> _whole_ratio(0.10000000149011612)
    Fraction(1, 10)
    """
    for most in (100, 10_000):
        simple = Fraction(ratio).limit_denominator(most)
        if abs(float(simple) - ratio) <= 1e-7 * ratio:
            return simple
    return Fraction(ratio).limit_denominator(1_000_000)


def _dividends(panel: Panel, first: int, last: int) -> tuple[IntArray, ...]:
    known = panel.entitlements
    inside = np.flatnonzero((known.dividend_row >= first) & (known.dividend_row < last))
    columns = (known.dividend_symbol, known.dividend_units, known.dividend_paid)
    return (
        _offsets(known.dividend_row[inside], first, last),
        *(np.ascontiguousarray(column[inside], dtype=np.int64) for column in columns),
    )


def _offsets(rows: IntArray, first: int, last: int) -> IntArray:
    """Where each session's entries begin in ``rows``, which ascend; the last is their number."""
    return np.searchsorted(rows, np.arange(first, last + 1)).astype(np.int64)
