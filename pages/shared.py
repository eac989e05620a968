"""Shared strategies: the public list, and one of them."""

from __future__ import annotations

import streamlit as st

from stocklab.ui import blocks
from stocklab.ui.shared.detail import detail
from stocklab.ui.shared.listing import listing
from stocklab.ui.text import _

blocks.title(_("Shared strategies"), _("What others published, with the figures of the day; clone what you like."))
publication = st.query_params.get("publication")
if publication is None:
    listing()
else:
    with blocks.guarded():
        detail(publication)
