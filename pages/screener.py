"""Screener: conditions over the stocks of one day, the table of those that meet them, one click to a backtest."""

from __future__ import annotations

import streamlit as st

from stocklab.data.screening import ScreenResult
from stocklab.strategy.screen import Screen
from stocklab.ui import blocks, cached
from stocklab.ui.builder import state
from stocklab.ui.screener import answer, desk, editor, stock, toolbar
from stocklab.ui.text import _


def look(chosen: Screen | None) -> ScreenResult | None:
    """The answer; None without conditions, or when they cannot be judged, which is said."""
    if chosen is None or not chosen.conditions.rules:
        return None
    with blocks.guarded("warning"), st.spinner(_("Looking through the market…")):
        return cached.screen(chosen, desk.day(), strategy=desk.ordering())
    return None


def screener() -> None:
    """The page in a home with data."""
    with blocks.guarded():
        desk.follow_link()
    chosen, faults = state.current_screen()
    result = look(chosen)
    toolbar.toolbar(chosen, result)
    above = st.container()
    form_is_open = editor.form()
    if chosen is None:
        answer.faults_list(faults)
    elif not chosen.conditions.rules:
        toolbar.example_cards()
    elif result is not None:
        with above:
            answer.count_line(chosen, result, ordered=desk.ordering() is not None)
            if not form_is_open:
                answer.conditions_line(result)
        answer.notes(result)
        answer.table(result)
        answer.condition_counts(result)
        stock.stock_panel(chosen, result)


blocks.title(_("Stock screener"), _("Which stocks meet your conditions at the close of a day: this one or any before."))
if cached.lab().store.current_id() is None:
    blocks.no_data()
else:
    state.sit("screener")
    screener()
