"""A running backtest: where it is, the curve so far, and a way to stop it."""

from __future__ import annotations

import time
from typing import Final

import numpy as np
import streamlit as st

from stocklab.portfolios import BacktestOrder, JobView, ProofOrder, SweepOrder
from stocklab.ui import cached, charts, identity, job_blocks, navigation
from stocklab.ui import format as fmt
from stocklab.ui.builder import draft, state
from stocklab.ui.builder.fields import escape
from stocklab.ui.text import N_, _

__all__ = ["job_panel"]

PATIENCE_SECONDS: Final = 0.9
STAGES: Final = {
    "queued": N_("Waiting"),
    "factors": N_("Computing factors"),
    "plan": N_("Preparing orders"),
    "simulate": N_("Trading day by day"),
    "result": N_("Writing the result"),
}
FAILURES: Final = {
    "FAILED": N_("The backtest failed."),
    "CANCELLED": N_("The backtest was cancelled. Nothing was stored."),
    "LOST": N_("The program ended before this backtest did. Start it again."),
}


def job_panel(job_id: str) -> None:
    """Progress of a job; once it is done the page shows its result, under a link that stays.

    Raises
    ------
    JobError
        This owner has no such job.
    """
    view = _settled(job_id)
    if isinstance(view.order, SweepOrder):
        navigation.go("sweeps", job=job_id)
    if isinstance(view.order, ProofOrder):
        navigation.go("results", run=view.order.run_id)
    if not view.live:
        _ended(view, view.order)
        return
    order = view.order

    job_blocks.ticking(job_id, lambda now: _running(now, order))


def _settled(job_id: str) -> JobView:
    """The job, after a moment in which most backtests finish: then the result comes without a flash of progress."""
    lab = cached.lab()
    deadline = time.monotonic() + PATIENCE_SECONDS
    view = lab.jobs.get(identity.owner_id(), job_id)
    while view.live and view.place is None and time.monotonic() < deadline:
        time.sleep(0.03)
        view = lab.jobs.get(identity.owner_id(), job_id)
    return view


def _running(view: JobView, order: BacktestOrder) -> None:
    progress = view.progress
    st.subheader(escape(str(order.document.get("name", ""))), anchor=False)
    if view.place is not None:
        st.progress(0.0, text=_("Waiting: place {place} in the queue").format(place=view.place))
    else:
        stage = _(STAGES.get(progress.stage, progress.stage))
        reached = f" · {progress.session}" if progress.session else ""
        st.progress(min(1.0, progress.done), text=f"{stage} · {100 * progress.done:.0f}%{reached}")
    if progress.session is not None:
        with st.grid(5, min_column_width=130, gap="xsmall"):
            st.metric(_("Date reached"), fmt.day(progress.session), border=True)
            st.metric(_("Return"), fmt.percent(progress.total_return, signed=True), border=True)
            st.metric(_("Maximum drawdown"), fmt.percent(progress.max_drawdown), border=True)
            st.metric(_("Buys"), fmt.count(progress.buys), border=True)
            st.metric(_("Sells"), fmt.count(progress.sells), border=True)
    if len(progress.equity_krw) > 1:
        initial = float(order.initial_cash_krw)
        st.html(charts.curve_so_far(progress.offsets, np.array(progress.equity_krw), initial))
    job_blocks.cancel_button(view, key="cancel_job")


def _ended(view: JobView, order: BacktestOrder) -> None:
    if view.run_id is not None:
        st.query_params.from_dict({"run": view.run_id})
        st.rerun()
    message = _(FAILURES.get(view.state.value, view.state.value))
    detail = escape(view.error_message) if view.error_message and view.state.value == "FAILED" else ""
    st.error(f"**{message}**\n\n{detail}", icon=":material/error:")
    with st.container(horizontal=True):
        if st.button(_("Back to the builder"), key="back_to_builder", icon=":material/tune:", type="primary"):
            state.load_document(draft.completed(order.document), start=order.start, end=order.end)
            navigation.go("builder")
        if st.button(_("Run again"), key="rerun_job", icon=":material/replay:"):
            lab = cached.lab()
            navigation.go("results", job=lab.jobs.submit(identity.owner_id(), order))
