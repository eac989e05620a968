"""Factor catalogue: all factors with search and filters; one in detail."""

from __future__ import annotations

import streamlit as st

from stocklab.factors import CATALOGUE
from stocklab.ui import blocks, catalogue
from stocklab.ui.factor_pages import factor_detail, factor_table
from stocklab.ui.text import _

blocks.title(
    _("Factor catalogue"),
    _("{count} factors, each a formula with its unit, direction and source. Choose one to read it.").format(
        count=len(CATALOGUE)
    ),
)
first, second, third = st.columns([2, 1, 1], vertical_alignment="bottom")
words = first.text_input(
    _("Search"), key="factor_search", icon=":material/search:", placeholder=_("Name, id or source"), live=True
)
category = second.selectbox(
    _("Category"),
    ["", *(name for name in catalogue.CATEGORIES if name != "field")],
    format_func=lambda name: catalogue.category_name(name) if name else _("All"),
    key="factor_category",
)
kind = third.selectbox(
    _("Type"),
    ["", *(name for name in catalogue.TYPES if name != "CUSTOM")],
    format_func=lambda name: _(catalogue.TYPES[name]) if name else _("All"),
    key="factor_type",
)
found = catalogue.search(words or "", category=category or None, kind=kind or None)
named = st.query_params.get("factor")
if named in CATALOGUE:
    factor_detail(CATALOGUE[named])
if found:
    factor_table(found)
else:
    blocks.empty(_("No factor matches."), _("Try a shorter word, or another category."), icon=":material/search_off:")
