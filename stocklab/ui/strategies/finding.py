"""Folders and tags to find saved strategies by; each is offered only where there is one."""

from __future__ import annotations

import streamlit as st

from stocklab.ui import identity
from stocklab.ui.shared import services
from stocklab.ui.text import _

__all__ = ["chosen_folder", "chosen_tag", "from_the_start"]


def chosen_folder() -> str | None:
    """None for all, "" for those in no folder."""
    folders = services.shelf().folders(identity.owner_id())
    if all(folder.name is None for folder in folders):
        return None
    counts = {folder.name or "": folder.strategies for folder in folders}
    return st.selectbox(
        _("Folder"),
        list(counts),
        index=None,
        format_func=lambda name: f"{name or _('In no folder')} ({counts[name]:,})",
        placeholder=_("All"),
        key="strategies_folder_choice",
        on_change=from_the_start,
    )


def chosen_tag() -> str | None:
    """None for all."""
    tags = services.shelf().tags(identity.owner_id())
    if not tags:
        return None
    return st.selectbox(
        _("Tag"), tags, index=None, placeholder=_("All"), key="strategies_tag_choice", on_change=from_the_start
    )


def from_the_start() -> None:
    """Callback of whatever changes the list: begin at its first page."""
    st.session_state["strategies_place"] = None
