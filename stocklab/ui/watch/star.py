"""On the page of a company: the star of the watch list, and noting that it was looked at."""

from __future__ import annotations

import streamlit as st

from stocklab.community import RecentSymbols, Refusal, WatchList
from stocklab.ui import cached, identity
from stocklab.ui.community.words import refusal_text
from stocklab.ui.text import _

__all__ = ["note_view", "star_button"]

_SEEN = "company_seen"


def star_button(symbol: str) -> None:
    """Watch a symbol, or no longer, on its own page."""
    service, owner_id = WatchList(cached.lab().database), identity.owner_id()
    is_watched = symbol in service.symbols(owner_id)
    label = _("Watched") if is_watched else _("Watch")
    icon = ":material/star:" if is_watched else ":material/star_border:"
    if not st.button(label, key="company_star", icon=icon, type="tertiary"):
        return
    try:
        if is_watched:
            service.remove(owner_id, symbol)
        else:
            service.add(owner_id, symbol)
    except Refusal as refusal:
        st.warning(refusal_text(refusal))
        return
    st.rerun()


def note_view(symbol: str) -> None:
    """Note that a symbol was looked at, once until another one is."""
    if st.session_state.get(_SEEN) == symbol:
        return
    RecentSymbols(cached.lab().database).see(identity.owner_id(), symbol)
    st.session_state[_SEEN] = symbol
