"""Coverage by year and dataset, and the sessions that are missing or thin inside it."""

from __future__ import annotations

from datetime import date
from typing import Final, Literal

import streamlit as st

from stocklab.data.coverage_map import CoverageMap
from stocklab.data.snapshot import Snapshot
from stocklab.ui import charts
from stocklab.ui import format as fmt
from stocklab.ui.data import lookups
from stocklab.ui.data.lookups import Desk
from stocklab.ui.data.names import DATASETS
from stocklab.ui.text import _

__all__ = ["coverage_section"]

_SHOWN: Final = 200


def coverage_section(desk: Desk) -> None:
    """The map, the holes, and sessions with too few symbols."""
    snapshot = desk.snapshot
    if snapshot is None:
        return
    until = _until(desk, snapshot)
    found = lookups.coverage(snapshot, until)
    st.subheader(_("Sessions by year"), anchor=False)
    st.caption(
        _(
            "Percent of the calendar's sessions of a year that have rows; for reports, floats and dividends the stocks "
            "that have some, of the year with the most. Point at a cell to see the symbols a session has."
        )
    )
    if not found.datasets:
        st.caption(_("Nothing here has sessions."))
        return
    figure = lookups.coverage_figure(snapshot, until)
    width: Literal["stretch", "content"] = "stretch" if "width" not in figure.to_dict()["layout"] else "content"
    st.plotly_chart(figure, width=width, config=charts.CONFIG, key="chart_coverage")
    _holes(found)
    _thin(found)


def _until(desk: Desk, snapshot: Snapshot) -> date:
    """The newest session that has ended, or of what is stored where the calendar ends before."""
    fresh = desk.fresh
    if fresh is None:
        return desk.now.date()
    return max(fresh.last, fresh.newest) if fresh.newest is not None else fresh.last


def _holes(found: CoverageMap) -> None:
    st.subheader(_("Missing sessions"), anchor=False)
    if not found.holes:
        st.success(
            _("No session is missing inside the prices and indices that are there."), icon=":material/check_circle:"
        )
        return
    st.caption(
        _("Sessions of the exchange inside the range of a dataset for which it has no row. A sync asks for them.")
    )
    rows = [
        {"dataset": _(DATASETS[name]), "session": day} for name, days in found.holes.items() for day in days[:_SHOWN]
    ]
    counts = ", ".join(f"{_(DATASETS[name])} {fmt.count(len(days))}" for name, days in found.holes.items())
    st.markdown(f"**{counts}**")
    st.dataframe(
        rows,
        key="holes",
        hide_index=True,
        height="content" if len(rows) <= 10 else 360,
        column_config={
            "dataset": st.column_config.TextColumn(_("Dataset"), width="medium"),
            "session": st.column_config.DateColumn(_("Session")),
        },
    )
    if any(len(days) > _SHOWN for days in found.holes.values()):
        st.caption(_("The newest {count} of each are shown.").format(count=fmt.count(_SHOWN)))


def _thin(found: CoverageMap) -> None:
    if not found.thin:
        return
    st.subheader(_("Thin sessions"), anchor=False)
    st.caption(
        _(
            "Sessions with fewer than nine tenths of the symbols of their year's fullest one. Many listings within a "
            "year explain some; a single one is as a rule only half stored."
        )
    )
    st.dataframe(
        [
            {
                "dataset": _(DATASETS[one.dataset]),
                "session": one.session,
                "symbols": one.symbols,
                "share": 100 * one.symbols / one.most,
            }
            for one in found.thin[:_SHOWN]
        ],
        key="thin_sessions",
        hide_index=True,
        height="content" if len(found.thin) <= 10 else 360,
        column_config={
            "dataset": st.column_config.TextColumn(_("Dataset"), width="medium"),
            "session": st.column_config.DateColumn(_("Session")),
            "symbols": st.column_config.NumberColumn(_("Symbols"), format="localized"),
            "share": st.column_config.NumberColumn(_("Of the fullest"), format="%.0f%%"),
        },
    )
    if len(found.thin) > _SHOWN:
        st.caption(
            _("{total} in all; the newest {count} are shown.").format(
                total=fmt.count(len(found.thin)), count=fmt.count(_SHOWN)
            )
        )
