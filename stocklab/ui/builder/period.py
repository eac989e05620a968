"""The range of a run: it belongs to the run, not to the strategy document."""

from __future__ import annotations

from datetime import date
from typing import Final

import streamlit as st

from stocklab.portfolios.ahead import usual_range
from stocklab.ui import cached
from stocklab.ui.builder import draft, state
from stocklab.ui.builder.fields import bind
from stocklab.ui.text import N_, _

__all__ = ["chosen_range", "period_fields"]

YEARS: Final = (1, 3, 5, 10)
_LABELS: Final = {1: N_("1 year"), 3: N_("3 years"), 5: N_("5 years"), 10: N_("10 years")}


def chosen_range() -> tuple[date, date] | None:
    """Start and end of the next run: as chosen, else the last ten years of the data; None without data."""
    available = _available()
    if available is None:
        return None
    editing = state.session()
    end = editing["end"] or available[1]
    start = editing["start"] or usual_range(*available)[0]
    return start, end


def _available() -> tuple[date, date] | None:
    """First and last session of what the strategy trades."""
    return cached.span(coins=draft.trades_coins(state.document()))


def _years_before(day: date, years: int) -> date:
    return day.replace(year=day.year - years, day=min(day.day, 28))


def period_fields() -> None:
    """Start and end, with shortcuts."""
    available, chosen = _available(), chosen_range()
    if available is None or chosen is None:
        st.caption(_("Without market data there is no range to choose."))
        return
    first, second, third = st.columns([1, 1, 1.6], vertical_alignment="bottom")
    for column, name, label, value in (
        (first, "start", _("Start"), chosen[0]),
        (second, "end", _("End"), chosen[1]),
    ):
        key = bind(f"range_{name}", value)
        column.date_input(
            label,
            min_value=available[0],
            max_value=available[1],
            key=key,
            format="YYYY-MM-DD",
            on_change=_take,
            args=(name, key),
        )
    with third, st.container(horizontal=True):
        for years in YEARS:
            if _years_before(available[1], years) >= available[0]:
                st.button(_(_LABELS[years]), key=f"range_{years}", on_click=_shortcut, args=(years,))
        st.button(_("All"), key="range_all", on_click=_shortcut, args=(None,))
    note = _("Data from {first} to {last}").format(first=available[0], last=available[1])
    st.caption(note)


def _take(name: str, key: str) -> None:
    state.session()[name] = st.session_state[key]


def _shortcut(years: int | None) -> None:
    available = _available()
    if available is not None:
        editing = state.session()
        editing["end"] = available[1]
        editing["start"] = available[0] if years is None else max(available[0], _years_before(available[1], years))
