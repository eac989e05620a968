"""Results: a run by its id (?run=), a running job (?job=), several side by side (?compare=), or the list of runs."""

from __future__ import annotations

import streamlit as st

from stocklab.errors import StockLabError
from stocklab.ui import blocks, cached, identity, navigation, text
from stocklab.ui.result import headline, progress, sections
from stocklab.ui.result.compare import comparison_page
from stocklab.ui.runs_list import runs_table
from stocklab.ui.shared.cards import pager
from stocklab.ui.text import _


def one_run(run_id: str) -> None:
    """A finished run, to whoever may open it."""
    cached.lab().access.require(identity.owner_id(), run_id)
    result = cached.result(run_id)
    headline.head(result)
    headline.actions(result)
    headline.metrics(result)
    sections.draw(result)


def all_runs() -> None:
    """No run is named: the list of them."""
    blocks.title(_("Results"), _("Every backtest you ran. Choose one to open it."))
    lab = cached.lab()
    page = lab.runs.page(identity.owner_id(), after=st.session_state.get("runs_place"))
    found = page.items
    if found:
        runs_table(found, key="runs")
        pager("runs_place", page.after)
        if len(found) > 1:
            newest = ",".join(run.run_id for run in found[:2])
            navigation.link("results", _("Compare results"), icon=":material/compare_arrows:", compare=newest)
    else:
        blocks.empty(_("No backtest yet."), _("Build a strategy or start from a preset, then press Run."))
        navigation.link("builder", _("Open the builder"), icon=":material/tune:")


try:
    if "job" in st.query_params:
        progress.job_panel(st.query_params["job"])
    elif "run" in st.query_params:
        one_run(st.query_params["run"])
    elif "compare" in st.query_params:
        comparison_page(st.query_params["compare"])
    else:
        all_runs()
except StockLabError as error:
    st.error(text.for_error(error), icon=":material/error:")
    navigation.link("results", _("All results"), icon=":material/list:")
