"""Filters of the news page that a user keeps under a name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from stocklab.community import NewsFilters
from stocklab.ui import cached, identity
from stocklab.ui.community.words import allowed
from stocklab.ui.text import _

__all__ = ["saved_filters"]


def saved_filters(restore: Callable[[Mapping[str, Any]], None], document: Callable[[], dict[str, Any]]) -> None:
    """Choose a kept filter, keep the present one, remove one. ``restore`` is a callback: it may set widgets."""
    service, owner_id = NewsFilters(cached.lab().database), identity.owner_id()
    kept = {one.id: one for one in service.list(owner_id)}

    def open_chosen() -> None:
        chosen = kept.get(st.session_state.get("news_saved_choice") or "")
        if chosen is not None:
            restore(chosen.document)

    with st.container(horizontal=True, vertical_alignment="bottom", key="news_saved"):
        if kept:
            chosen = st.selectbox(
                _("Saved filters"),
                list(kept),
                index=None,
                format_func=lambda filter_id: kept[filter_id].name if filter_id in kept else filter_id,
                key="news_saved_choice",
                on_change=open_chosen,
                placeholder=_("Choose a filter"),
            )
            if chosen is not None and st.button(_("Remove"), key="news_saved_remove", icon=":material/delete:"):
                service.delete(owner_id, chosen)
                st.rerun()
        with st.popover(_("Save this filter"), icon=":material/bookmark_add:", key="news_save"):
            name = st.text_input(_("Name"), max_chars=40, key="news_save_name")
            if st.button(_("Save"), key="news_save_button"):
                with allowed():
                    service.save(owner_id, name or "", document())
                    st.rerun()
