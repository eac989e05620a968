"""The page of one symbol: the head, then the section chosen; only that one is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import streamlit as st

from stocklab.data.company import Profile
from stocklab.errors import InputError
from stocklab.ui import blocks, navigation
from stocklab.ui.builder.fields import escape
from stocklab.ui.company import head, lookups, search
from stocklab.ui.company.chart_section import chart_section
from stocklab.ui.company.news import disclosures_section
from stocklab.ui.company.reports_section import reports_section
from stocklab.ui.company.sections import peers_section, ratios_section, records_section
from stocklab.ui.text import N_, _
from stocklab.ui.watch.star import note_view

__all__ = ["company_page"]

SECTIONS: Final[Mapping[str, tuple[str, Callable[[Profile], None]]]] = {
    "chart": (N_("Chart"), chart_section),
    "reports": (N_("Company reports"), reports_section),
    "ratios": (N_("Ratios"), ratios_section),
    "peers": (N_("Peers"), peers_section),
    "records": (N_("Dividends and events"), records_section),
    "disclosures": (N_("Disclosures and news"), disclosures_section),
}
_OF_COINS: Final = ("chart",)


def company_page() -> None:
    """The page in a home with data."""
    symbol = search.chosen_symbol()
    if symbol is None:
        search.beginnings()
        return
    try:
        found = lookups.profile(symbol)
    except InputError:
        blocks.empty(
            _("This data has no symbol {symbol}.").format(symbol=f"`{escape(symbol)}`"),
            _("Search by name or code above. A company that was listed after the last import is not here yet."),
            icon=":material/search_off:",
        )
        search.beginnings()
        return
    note_view(found.symbol)
    head.headline(found)
    head.states(found)
    if found.quote is None:
        _without_prices(found)
        return
    head.quote_line(found, found.quote)
    head.actions(found)
    names = {code: _(name) for code, (name, _draw) in SECTIONS.items() if not found.is_coin or code in _OF_COINS}
    if len(names) == 1:
        chart_section(found)
        return
    chosen = navigation.choice_in_url(
        "company_section", names, _("Section"), default="chart", key="company_section_choice"
    )
    with blocks.guarded():
        SECTIONS[chosen][1](found)


def _without_prices(found: Profile) -> None:
    blocks.empty(
        _("This data has no prices of this symbol."),
        _("It is known by name only. Import its daily bars to see more."),
        icon=":material/show_chart:",
    )
    with st.container(key="company_without_prices"), blocks.guarded():
        reports_section(found)
