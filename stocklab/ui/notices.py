"""Notices above every page, until their reader puts them away."""

from __future__ import annotations

import streamlit as st

from stocklab.accounts import Notice, NoticeLevel
from stocklab.ui import blocks, cached, identity
from stocklab.ui.builder.fields import escape
from stocklab.ui.text import _

__all__ = ["draw"]


def draw() -> None:
    """What this visitor is to see now; nothing for nobody."""
    if identity.has_accounts() and identity.live() is None:
        return
    owner_id = identity.owner_id()
    for notice in cached.lab().accounts.notices.current(owner_id):
        _banner(owner_id, notice)


def _banner(owner_id: str, notice: Notice) -> None:
    warns = notice.level is NoticeLevel.WARNING
    with st.container(
        border=True, horizontal=True, vertical_alignment="center", gap="small", key=f"banner_{notice.id}"
    ):
        icon = ":orange[:material/warning:]" if warns else ":blue[:material/campaign:]"
        st.markdown(f"{icon} **{escape(notice.title)}**  \n{escape(notice.body)}", width="stretch")
        if st.button(_("Got it"), key=f"put_away_{notice.id}", type="tertiary", icon=":material/close:"):
            with blocks.guarded():
                cached.lab().accounts.notices.put_away(owner_id, notice.id)
                st.rerun()
