"""What every page of a running job shares: it ticks until the job ends, and it can be stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from stocklab.portfolios import JobView
from stocklab.ui import cached, identity
from stocklab.ui.text import _

__all__ = ["cancel_button", "ticking"]

_TICK_SECONDS: Final = 0.5


def ticking(job_id: str, draw: Callable[[JobView], None]) -> None:
    """Draw the job now and twice a second while it lives; then run the whole page once."""
    lab = cached.lab()

    @st.fragment(run_every=_TICK_SECONDS)
    def tick() -> None:
        now = lab.jobs.get(identity.owner_id(), job_id)
        if not now.live:
            st.rerun()  # one run of the whole page ends the timer and draws the result
        draw(now)

    tick()


def cancel_button(view: JobView, *, key: str) -> None:
    """Ask the job to stop, or say that it was asked."""
    if view.cancel_requested:
        st.caption(_("Stopping…"))
    else:
        st.button(_("Cancel"), key=key, icon=":material/stop_circle:", on_click=_cancel, args=(view.id,))


def _cancel(job_id: str) -> None:
    lab = cached.lab()
    lab.jobs.cancel(identity.owner_id(), job_id)
