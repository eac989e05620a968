"""A running sweep: how many variants are done, the best so far, and a way to stop it."""

from __future__ import annotations

from typing import Final

import streamlit as st

from stocklab.portfolios import JobView, SweepOrder
from stocklab.ui import cached, identity, job_blocks, navigation
from stocklab.ui import format as fmt
from stocklab.ui.builder.fields import escape
from stocklab.ui.sweeps.names import metric_name
from stocklab.ui.text import N_, _

__all__ = ["sweep_panel"]

FAILURES: Final = {
    "FAILED": N_("The sweep failed."),
    "CANCELLED": N_("The sweep was stopped. What was computed is kept; started again it goes on from there."),
    "LOST": N_("The program ended before this sweep did. Started again it goes on from there."),
}


def sweep_panel(job_id: str) -> None:
    """Progress of a job; once it is done the page shows its result, under a link that stays.

    Raises
    ------
    JobError
        This owner has no such job.
    """
    lab = cached.lab()
    view = lab.jobs.get(identity.owner_id(), job_id)
    if not isinstance(view.order, SweepOrder):
        navigation.go("results", job=job_id)
    order = view.order
    if not view.live:
        _ended(view, order)
        return

    job_blocks.ticking(job_id, lambda now: _running(now, order))


def _running(view: JobView, order: SweepOrder) -> None:
    progress = view.progress
    st.subheader(escape(str(order.document["strategy"].get("name", ""))), anchor=False)
    if view.place is not None:
        st.progress(0.0, text=_("Waiting: place {place} in the queue").format(place=view.place))
    elif progress.variants == 0:
        st.progress(0.0, text=_("Preparing the market"))
    else:
        done, total = fmt.count(progress.variants_done), fmt.count(progress.variants)
        st.progress(min(1.0, progress.done), text=_("{done} of {total} variants").format(done=done, total=total))
        if progress.best is not None:
            name = metric_name(str(order.document.get("objective", "sharpe")))
            st.metric(_("Best so far: {name}").format(name=name), fmt.decimal(progress.best, digits=3))
    job_blocks.cancel_button(view, key="cancel_sweep")


def _ended(view: JobView, order: SweepOrder) -> None:
    if view.run_id is not None:
        st.query_params.from_dict({"sweep": view.run_id})
        st.rerun()
    message = _(FAILURES.get(view.state.value, view.state.value))
    detail = escape(view.error_message) if view.error_message and view.state.value == "FAILED" else ""
    (st.error if view.state.value == "FAILED" else st.warning)(f"**{message}**\n\n{detail}", icon=":material/error:")
    with st.container(horizontal=True):
        if st.button(_("Go on"), key="sweep_go_on", icon=":material/replay:", type="primary"):
            lab = cached.lab()
            navigation.go("sweeps", job=lab.jobs.submit(identity.owner_id(), order))
        navigation.link("sweeps", _("Back to the form"), icon=":material/arrow_back:")
