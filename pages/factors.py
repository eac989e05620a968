"""Factor catalogue: all factors with search and filters, or the page of one (``?factor=ID``)."""

from __future__ import annotations

import streamlit as st

from stocklab.factors import CATALOGUE
from stocklab.ui.factors.detail import factor_page
from stocklab.ui.factors.overview import overview_page

named = st.query_params.get("factor")
if named in CATALOGUE:
    factor_page(CATALOGUE[named])
else:
    overview_page()
