"""My strategies: search, folders, tags, open, share, history, notes, import and export."""

from __future__ import annotations

import streamlit as st

from stocklab.ui import blocks, identity, navigation
from stocklab.ui.saved import SORTS, list_message, strategy_card
from stocklab.ui.shared import services
from stocklab.ui.shared.cards import pager
from stocklab.ui.strategies.finding import chosen_folder, chosen_tag, from_the_start
from stocklab.ui.strategies.keeping import import_file
from stocklab.ui.strategies.share import open_published
from stocklab.ui.text import _

blocks.title(_("My strategies"), _("Everything you saved, with its versions and the runs made with it."))
left, right = st.columns([2, 1], vertical_alignment="bottom")
search = left.text_input(
    _("Search"),
    key="strategies_search",
    icon=":material/search:",
    placeholder=_("Name or folder"),
    on_change=from_the_start,
)
order = right.selectbox(
    _("Sort"), list(SORTS), format_func=lambda key: _(SORTS[key]), key="strategies_sort", on_change=from_the_start
)
open_published()
list_message()
with blocks.guarded():
    with st.container(horizontal=True, vertical_alignment="bottom"):
        folder, tag = chosen_folder(), chosen_tag()
        import_file()
    page = services.shelf().page(
        identity.owner_id(),
        search=search or "",
        folder=folder,
        tag=tag,
        sort=order,
        after=st.session_state.get("strategies_place"),
    )
    for saved in page.items:
        strategy_card(saved)
    if page.items:
        pager("strategies_place", page.after)
    elif search or folder is not None or tag:
        blocks.empty(_("Nothing matches this search."), icon=":material/search_off:")
    else:
        blocks.empty(_("No saved strategy yet."), _("Save one in the builder: it appears here with its versions."))
        navigation.link("builder", _("Open the builder"), icon=":material/tune:")
