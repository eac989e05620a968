"""Sweeps: a strategy with many values of its numbers; the form, a running one (?job=) or a stored one (?sweep=)."""

from __future__ import annotations

import streamlit as st

from stocklab.errors import StockLabError
from stocklab.ui import blocks, cached, navigation, text
from stocklab.ui.sweeps.form import sweep_form
from stocklab.ui.sweeps.progress import sweep_panel
from stocklab.ui.sweeps.recent import sweep_list
from stocklab.ui.sweeps.result import sweep_result
from stocklab.ui.text import _

try:
    if "job" in st.query_params:
        sweep_panel(st.query_params["job"])
    elif "sweep" in st.query_params:
        sweep_result(st.query_params["sweep"])
        navigation.link("sweeps", _("All sweeps"), icon=":material/list:")
    else:
        blocks.title(
            _("Sweeps"),
            _("Run a strategy with many values of its numbers: where it holds up, not only its best."),
        )
        if cached.lab().store.current_id() is None:
            blocks.no_data()
        else:
            sweep_form()
            sweep_list()
except StockLabError as error:
    st.error(text.for_error(error), icon=":material/error:")
    navigation.link("sweeps", _("All sweeps"), icon=":material/list:")
