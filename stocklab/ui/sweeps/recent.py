"""The owner's sweeps, newest first."""

from __future__ import annotations

import streamlit as st

from stocklab.research.sweep_store import StoredSweep
from stocklab.ui import cached, identity, navigation
from stocklab.ui import format as fmt
from stocklab.ui.sweeps.names import metric_name, number_names
from stocklab.ui.text import _

__all__ = ["sweep_list"]

_MOST = 20


def sweep_list() -> None:
    """Earlier sweeps; choosing a row opens one."""
    found = cached.lab().own_sweeps.recent(identity.owner_id(), _MOST)
    if not found:
        return
    st.markdown(f"#### {_('Earlier sweeps')}")
    chosen = st.dataframe(
        [
            {
                "name": one.sweep.strategy.name,
                "numbers": _numbers(one),
                "objective": metric_name(one.sweep.objective),
                "range": f"{one.sweep.start} – {one.sweep.end}",
                "created": fmt.moment(one.created_at),
            }
            for one in found
        ],
        hide_index=True,
        key="sweep_list",
        on_select="rerun",
        selection_mode="single-row",
        height="content",
        column_config={
            "name": st.column_config.TextColumn(_("Strategy"), width="medium"),
            "numbers": st.column_config.TextColumn(_("Numbers to vary"), width="large"),
            "objective": st.column_config.TextColumn(_("Compare by")),
            "range": st.column_config.TextColumn(_("Range")),
            "created": st.column_config.TextColumn(_("Made")),
        },
    )
    picked = chosen["selection"]["rows"] if chosen else []
    if picked and picked[0] < len(found):
        navigation.go("sweeps", sweep=found[picked[0]].id)


def _numbers(one: StoredSweep) -> str:
    names = number_names(one.sweep.strategy)
    return " · ".join(names.get(parameter.paths[0], "") for parameter in one.sweep.parameters)
