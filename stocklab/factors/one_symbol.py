"""`one_symbol`: a panel cut to one stock, on which a formula costs a thousandth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np

from stocklab.market.fundamentals import Fundamentals
from stocklab.market.panel import Instruments, Panel
from stocklab.types import AnyArray, FloatArray, IntArray

__all__ = ["VIEW_ARRAYS", "one_symbol"]

_ALWAYS = frozenset({"listed", "market"})


def one_symbol(panel: Panel, column: int, names: Iterable[str]) -> Panel:
    """The panel of one stock alone, with these fields.

    A formula without cross-sectional parts has the same bits on it as on the whole panel.

    Parameters
    ----------
    column : of the stock
    names : fields to keep; those a panel always needs are kept besides, and unknown ones are left out
    """
    wanted = _ALWAYS | set(names)
    return replace(
        panel,
        symbols=(panel.symbols[column],),
        fields=MappingProxyType({name: _column(panel, name, column) for name in wanted if name in panel.fields}),
        instruments=_instrument(panel.instruments, column),
        fundamentals=None if panel.fundamentals is None else _statements(panel.fundamentals, column),
        by_symbol=MappingProxyType({}),
    )


def _column(panel: Panel, name: str, column: int) -> AnyArray:
    turned = panel.turned(name)
    source = panel.fields[name][:, column] if turned is None else turned[column]
    values = np.array(source).reshape(-1, 1)
    values.flags.writeable = False
    return values


def _instrument(known: Instruments, column: int) -> Instruments:
    one = slice(column, column + 1)
    return Instruments(
        names=known.names[one],
        sectors=known.sectors[one],
        kinds=known.kinds[one],
        listed_on=known.listed_on[one],
        delisted_on=known.delisted_on[one],
        delisting_reason=known.delisting_reason[one],
        pays_last_close=known.pays_last_close[one],
        financial=known.financial[one],
    )


def _statements(known: Fundamentals, column: int) -> Fundamentals:
    reports, events, views = (
        slice(int(first[column]), int(first[column + 1]))
        for first in (known.first_report, known.first_event, known.first_view)
    )
    return replace(
        known,
        first_report=_bounds(reports),
        first_event=_bounds(events),
        first_view=_bounds(views),
        **{name: getattr(known, name)[reports] for name in _PER_REPORT},
        **{name: getattr(known, name)[events] for name in ("event_day", "event_ratio")},
        **{name: getattr(known, name)[views] for name in VIEW_ARRAYS},
        quarter_amounts=_cut(known.quarter_amounts, reports),
        cumulative_amounts=_cut(known.cumulative_amounts, reports),
        balances=_cut(known.balances, reports),
    )


_PER_REPORT = (
    *("report_day", "report_slot", "report_end", "report_quarter"),
    *("consolidated", "from_deadline", "restated"),
)
VIEW_ARRAYS: Final = ("view_day", "view_row", "view_slot", "view_since", "view_consolidated", "view_annual")
"""Arrays of `Fundamentals` with one place for each view."""


def _bounds(rows: slice) -> IntArray:
    bounds = np.array([0, rows.stop - rows.start], dtype=np.int64)
    bounds.flags.writeable = False  # as a stored panel's: one compiled kernel serves both
    return bounds


def _cut(amounts: Mapping[str, FloatArray], rows: slice) -> Mapping[str, FloatArray]:
    return MappingProxyType({item: values[rows] for item, values in amounts.items()})
