"""The page's body, drawn again every twenty seconds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import streamlit as st

from stocklab.operations import ComponentState, components, scheduler_status, source_board
from stocklab.ui import blocks, cached
from stocklab.ui.system import parts, process, work

__all__ = ["draw"]

_AGAIN_SECONDS: Final = 20.0


@st.fragment(run_every=_AGAIN_SECONDS)
def draw() -> None:
    """All sections. What the database knows is left out while it does not answer."""
    lab, now = cached.lab(), datetime.now(UTC)
    found = components(lab.database, lab.store, lab.settings, now)
    parts.summary(found)
    parts.components_table(found, now)
    answers = all(one.name != "database" or one.state is not ComponentState.FAILED for one in found)
    if answers:
        with blocks.guarded():
            parts.uptime(now)
            keys = lab.source_keys().names()
            work.scheduled(scheduler_status(lab.database, now), source_board(lab.settings, keys, lab.database, now))
            work.people()
    else:
        parts.no_database()
    process.figures(now)
    process.caches()
    left, right = st.columns(2, gap="large")
    with left:
        process.disk()
    with right:
        process.versions()
