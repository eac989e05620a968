"""What a screen asks for, part by part: conditions, universe, columns and order."""

from __future__ import annotations

from typing import Final

import streamlit as st

from stocklab.strategy.screen import PLAIN_COLUMNS, values_of_conditions
from stocklab.ui import catalogue
from stocklab.ui.builder import draft, fields, sections, state
from stocklab.ui.builder.rules import rules_editor
from stocklab.ui.screener import columns
from stocklab.ui.text import N_, _

__all__ = ["form"]

PARTS: Final = {
    "conditions": N_("Conditions"),
    "universe": N_("Universe"),
    "columns": N_("Columns and order"),
}
_PLAIN: Final = {
    "symbol": N_("Symbol"),
    "name": N_("Name"),
    "market": N_("Market"),
    "sector": N_("Sector"),
    "close_krw": N_("Closing price"),
}
_NEW_ORDER: Final = {"by": "market_cap", "direction": "desc"}


def form() -> bool:
    """The form in a frame, closed after opening a screen that has conditions: its answer comes first.

    Returns whether it is open.
    """
    editing = state.session()
    loaded = editing.get("loaded")
    count = len(draft.rules(state.document(), "conditions"))
    with st.expander(
        _("Conditions ({count}), universe, columns").format(count=count),
        icon=":material/tune:",
        key=f"screener_form_{editing['opened']}",
        expanded=loaded is None or not draft.rules(loaded, "conditions"),
        on_change="rerun",
    ) as frame:
        if frame.open:
            _chosen_part()
    return bool(frame.open)


def _chosen_part() -> None:
    chosen = st.segmented_control(
        _("Part"),
        list(PARTS),
        format_func=lambda part: _(PARTS[part]),
        default="conditions",
        required=True,
        key="screener_part_choice",
        label_visibility="collapsed",
        wrap=True,
    )
    {"conditions": _conditions, "universe": sections.universe, "columns": _columns}[chosen or "conditions"]()


def _conditions() -> None:
    st.caption(_("Judged at the close of the day, with what was known then. A condition that is unknown never holds."))
    rules_editor("conditions")


def _columns() -> None:
    labels = catalogue.factor_labels()
    names = {formula: labels[formula] for formula in catalogue.options()}
    fields.many(
        "columns",
        _("Columns"),
        names,
        free=True,
        hint=_("Choose factors, or type a formula such as `close/sma(close,20)` and press Enter."),
        placeholder=_("None"),
    )
    st.button(
        _("Add the values of the conditions"),
        key="screener_add_values",
        icon=":material/playlist_add:",
        type="tertiary",
        on_click=_add_values,
    )
    if fields.optional("sort", _("Sort the table"), _NEW_ORDER):
        _order(names)
    if fields.optional("limit", _("Only the first rows"), 50):
        fields.whole("limit", _("Rows, at most"), least=1, most=5000, step=10)


def _order(names: dict[str, str]) -> None:
    first, second = st.columns([2, 1])
    own = {formula: columns.heading(formula) for formula in _own_columns() if formula not in names}
    plain = {key: _(_PLAIN[key]) for key in PLAIN_COLUMNS}
    with first:
        fields.choice("sort.by", _("Sort by"), plain | own | names)
    with second:
        directions = {"desc": N_("Largest first"), "asc": N_("Smallest first")}
        fields.choice("sort.direction", _("Direction"), sections.words(directions))


def _own_columns() -> tuple[str, ...]:
    chosen, _faults = state.current_screen()
    return () if chosen is None else chosen.shown


def _add_values() -> None:
    """Callback: what the conditions compare becomes columns."""
    chosen, _faults = state.current_screen()
    if chosen is not None:
        added = dict.fromkeys((*chosen.columns, *values_of_conditions(chosen.conditions.rules)))
        state.replace(draft.put(state.document(), "columns", list(added)))
