"""The list of public strategies: search by word and factor, sort, pages."""

from __future__ import annotations

import streamlit as st

from stocklab.factors import CATALOGUE
from stocklab.sharing import MOST_FACTORS
from stocklab.strategy.labels import label
from stocklab.ui import blocks, identity, navigation
from stocklab.ui.shared import services
from stocklab.ui.shared.cards import SORT_WORDS, pager, publication_card
from stocklab.ui.text import _, language

__all__ = ["listing"]

_PLACE = "shared_place"


def listing() -> None:
    """Inputs and the page they ask for."""
    left, middle, right = st.columns([1.2, 1.6, 1], vertical_alignment="bottom")
    search = left.text_input(
        _("Search"), key="shared_search", icon=":material/search:", max_chars=80, on_change=_from_the_start
    )
    speech = language()
    factors = middle.multiselect(
        _("Factors its rules use"),
        list(CATALOGUE),
        format_func=lambda name: label(name, speech),
        max_selections=MOST_FACTORS,
        placeholder=_("Any"),
        key="shared_factors_choice",
        on_change=_from_the_start,
    )
    sort = right.selectbox(
        _("Sort"),
        list(SORT_WORDS),
        format_func=lambda key: _(SORT_WORDS[key]),
        key="shared_sort",
        on_change=_from_the_start,
    )
    with blocks.guarded():
        page = services.showcase().list(
            identity.owner_id(), search=search or "", factors=factors, sort=sort, after=st.session_state.get(_PLACE)
        )
        for card in page.items:
            publication_card(card)
        if page.items:
            pager(_PLACE, page.after)
        elif search or factors:
            blocks.empty(
                _("No shared strategy fits."), _("Try a shorter word or fewer factors."), icon=":material/search_off:"
            )
        else:
            blocks.empty(_("Nobody has shared a strategy yet."), _("Share one of yours: it takes a finished run."))
            navigation.link("strategies", _("My strategies"), icon=":material/folder_open:")


def _from_the_start() -> None:
    st.session_state[_PLACE] = None
