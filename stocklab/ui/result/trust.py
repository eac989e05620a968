"""Can it be trusted? Look-ahead, the names that are gone, dirty inputs, and whether it comes out the same again."""

from __future__ import annotations

import streamlit as st

from stocklab.backtest.result import Result
from stocklab.ui.result.dirty_section import dirty_section
from stocklab.ui.result.look_ahead_section import look_ahead_section
from stocklab.ui.result.rerun_section import rerun_section
from stocklab.ui.result.survivors_section import survivors_section
from stocklab.ui.text import _

__all__ = ["trust"]


def trust(result: Result) -> None:
    """The four questions, each with its answer or the way to it."""
    st.subheader(_("Does it use what nobody could know yet?"), anchor=False)
    look_ahead_section(result)
    st.subheader(_("With and without the names that are gone"), anchor=False)
    survivors_section(result)
    st.subheader(_("Did it trade on data with findings?"), anchor=False)
    dirty_section(result)
    st.subheader(_("Does it come out the same again?"), anchor=False)
    rerun_section(result)
