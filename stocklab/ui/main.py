"""The main script, run by Streamlit for every visitor and every click."""

from __future__ import annotations

from stocklab.ui.frame import draw

draw()
