"""Home: what this is, what data there is, where to start, what was run last."""

from __future__ import annotations

import streamlit as st

from stocklab.ui import home, preset_cards
from stocklab.ui.start import page as start
from stocklab.ui.text import _

home.hero()
if home.data_card():
    start.invitation()
    home.first_steps()
    st.subheader(_("Start from a published idea"), anchor=False)
    preset_cards.preset_cards()
    st.subheader(_("Recent runs"), anchor=False)
    home.recent_runs()
    home.market_chart()
