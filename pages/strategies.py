"""My strategies: search, sort, open, duplicate, rename, delete, versions and runs."""

from __future__ import annotations

import streamlit as st

from stocklab.ui import blocks, cached, identity, navigation
from stocklab.ui.saved import SORTS, list_message, strategy_card
from stocklab.ui.text import _

blocks.title(_("My strategies"), _("Everything you saved, with its versions and the runs made with it."))
lab = cached.lab()
left, right = st.columns([2, 1], vertical_alignment="bottom")
search = left.text_input(
    _("Search"), key="strategies_search", icon=":material/search:", placeholder=_("Name or folder")
)
order = right.selectbox(_("Sort"), list(SORTS), format_func=lambda key: _(SORTS[key]), key="strategies_sort")
list_message()
with blocks.guarded():
    found = lab.strategies.list(identity.owner_id(), search=search or "", sort=order)
    if found:
        for saved in found:
            strategy_card(saved)
    elif search:
        blocks.empty(_("Nothing matches this search."), icon=":material/search_off:")
    else:
        blocks.empty(_("No saved strategy yet."), _("Save one in the builder: it appears here with its versions."))
        navigation.link("builder", _("Open the builder"), icon=":material/tune:")
