"""Turning the pages of a list: where each page begins is kept, so that one can go back."""

from __future__ import annotations

from typing import Any

import streamlit as st

from stocklab.ui.text import _

__all__ = ["places", "turn_pages"]


def places(key: str, of: object = None) -> list[Any]:
    """Where the pages turned so far begin, the first at None; anew when the list is of something else."""
    kept: tuple[object, list[Any]] | None = st.session_state.get(f"places_{key}")
    if kept is None or kept[0] != of:
        kept = st.session_state[f"places_{key}"] = (of, [None])
    return kept[1]


def turn_pages(key: str, begun: list[Any], following: Any, *, older: str = "", newer: str = "") -> None:
    """The buttons under a page; nothing where there is but one. ``following`` is where the next begins, if it does."""
    if len(begun) == 1 and following is None:
        return
    with st.container(horizontal=True, horizontal_alignment="center"):
        if len(begun) > 1 and st.button(newer or _("Newer"), key=f"{key}_back", icon=":material/chevron_left:"):
            begun.pop()
            st.rerun()
        if following is not None and st.button(older or _("Older"), key=f"{key}_more", icon=":material/chevron_right:"):
            begun.append(following)
            st.rerun()
