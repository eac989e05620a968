"""One sentence about what was just done, shown once after the page is drawn anew."""

from __future__ import annotations

from typing import Final, NoReturn

import streamlit as st

__all__ = ["rerun_saying", "said"]

_SAID: Final = "account_said"


def rerun_saying(words: str) -> NoReturn:
    """Draw the page anew and say so."""
    st.session_state[_SAID] = words
    st.rerun()


def said() -> None:
    """What was said, once."""
    words = st.session_state.pop(_SAID, None)
    if words:
        st.success(words, icon=":material/check:")
