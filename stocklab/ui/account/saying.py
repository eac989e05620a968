"""One sentence about what was just done, shown once after the page is drawn anew."""

from __future__ import annotations

from typing import Final, NoReturn

import streamlit as st

from stocklab.ui.text import _

__all__ = ["SAID", "plan_name", "rerun_saying", "said"]

SAID: Final = "account_said"


def rerun_saying(words: str) -> NoReturn:
    """Draw the page anew and say so."""
    st.session_state[SAID] = words
    st.rerun()


def plan_name(name: str) -> str:
    """What a plan is called: plans have the names of the setting, of which only the one that is there without a
    setting is a word of ours."""
    return _("Free") if name == "free" else name


def said() -> None:
    """What was said, once."""
    words = st.session_state.pop(SAID, None)
    if words:
        st.success(words, icon=":material/check:")
