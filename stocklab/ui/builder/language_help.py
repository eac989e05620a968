"""What a formula may say: every function with one line, and the names of fields and statement items."""

from __future__ import annotations

from typing import Final

import streamlit as st

from stocklab.factors import FUNCTIONS
from stocklab.factors.functions import Family
from stocklab.factors.vocabulary import DERIVED, FIELDS, ITEMS
from stocklab.strategy.words import label
from stocklab.ui.text import N_, _, language, pick

__all__ = ["language_help"]

_FAMILIES: Final = {
    Family.DAILY: N_("Over the days of a stock"),
    Family.STATEMENT: N_("Over the quarters of company reports"),
    Family.CROSS: N_("Across the stocks of a day"),
    Family.ELEMENTWISE: N_("On single values"),
}


def language_help() -> None:
    """Functions by family, then names; both can be searched."""
    with st.expander(_("Functions and names"), icon=":material/help:", key="language_help", on_change="rerun") as shown:
        if not shown.open:
            return
        functions, names = st.tabs([_("Functions"), _("Fields and statement items")])
        with functions:
            _functions()
        with names:
            _names()


def _functions() -> None:
    st.caption(_("n counts days (21 = a month, 252 = a year) or, for quarters, reports. The window includes today."))
    rows = [
        {"kind": _(title), "use": function.signature, "meaning": pick(function.help_ko, function.help_en)}
        for family, title in _FAMILIES.items()
        for function in FUNCTIONS.values()
        if function.family is family
    ]
    st.dataframe(
        rows,
        hide_index=True,
        height=320,
        column_order=["use", "meaning", "kind"],
        column_config={
            "use": st.column_config.TextColumn(_("Function")),
            "meaning": st.column_config.TextColumn(_("What it gives"), width="large"),
            "kind": st.column_config.TextColumn(_("Kind")),
        },
    )


def _names() -> None:
    st.caption(
        _(
            "Statement items stand inside ttm(), qtr() or mrq(). Every factor of the catalogue can be used by its id "
            "too."
        )
    )
    spoken = language()
    rows = [{"name": name, "meaning": label(name, spoken), "kind": _("Daily field")} for name in FIELDS]
    rows += [
        {"name": item.name, "meaning": label(item.name, spoken), "kind": _("Amount") if item.flow else _("Balance")}
        for item in ITEMS.values()
    ]
    rows += [{"name": name, "meaning": label(name, spoken), "kind": _("Derived")} for name in DERIVED]
    st.dataframe(
        rows,
        hide_index=True,
        height=320,
        column_config={
            "name": st.column_config.TextColumn(_("Name in formulas")),
            "meaning": st.column_config.TextColumn(_("Meaning"), width="large"),
            "kind": st.column_config.TextColumn(_("Kind")),
        },
    )
