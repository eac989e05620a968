"""Strategy builder: form and text of one document, side by side."""

from __future__ import annotations

import streamlit as st

from stocklab.ui import blocks, cached
from stocklab.ui.builder import sections
from stocklab.ui.builder.side import document_panel, match_panel
from stocklab.ui.builder.toolbar import toolbar
from stocklab.ui.text import _

blocks.title(
    _("Strategy builder"), _("Say when to buy and sell; see at once which stocks match; test it on the whole market.")
)
if cached.lab().store.current_id() is None:
    blocks.no_data()
toolbar()
form, side = st.columns([1.75, 1], gap="medium")
with form:
    chosen = st.segmented_control(
        _("Section"),
        list(sections.SECTIONS),
        format_func=sections.section_label,
        default="entry",
        required=True,
        key="builder_section",
        label_visibility="collapsed",
        wrap=True,
    )
    sections.draw(chosen or "entry")
with side:
    with blocks.guarded("warning"):
        match_panel()
    with st.container(border=True):
        document_panel()
