"""What is stored: stocks by market, datasets, snapshots and their room on disk; and how files are imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from stocklab.data.disk_use import disk_use
from stocklab.data.sync.absorb import COVERAGE
from stocklab.ui import cached
from stocklab.ui import format as fmt
from stocklab.ui.data.lookups import Desk
from stocklab.ui.data.names import DATASETS, feed_name
from stocklab.ui.text import _

__all__ = ["how_to_import", "store_section"]

_MB: Final = 1_000_000


def store_section(_desk: Desk, state: Mapping[str, Any]) -> None:
    """Markets, datasets, snapshots."""
    _markets(state)
    _datasets(state)
    _snapshots()


def _markets(state: Mapping[str, Any]) -> None:
    st.subheader(_("Stocks by market"), anchor=False)
    with st.grid(5, min_column_width=130, gap="xsmall"):
        for market, number in sorted(state["symbols_by_market"].items(), key=_market_order):
            st.metric(
                _("Coins (Upbit)") if market == "UPBIT" else market or _("Unknown"), fmt.count(number), border=True
            )


def _market_order(item: tuple[str, int]) -> tuple[int, str]:
    known = ("KOSPI", "KOSDAQ", "KONEX", "UPBIT")
    return (known.index(item[0]) if item[0] in known else len(known), item[0])


def _sources(text: str) -> str:
    """The feeds and files a dataset comes from, in words."""
    return "; ".join(feed_name(one) for one in text.split("; "))


def _datasets(state: Mapping[str, Any]) -> None:
    st.subheader(_("Datasets"), anchor=False)
    rows = [
        {
            "name": _(DATASETS.get(name, name)),
            "rows": dataset["rows"],
            "first": dataset.get("first_session"),
            "last": dataset.get("last_session"),
            "size": dataset["size_bytes"] / _MB,
            "source": fmt.DASH if name == COVERAGE else _sources(dataset.get("source", "")),
        }
        for name, dataset in state["datasets"].items()
    ]
    st.dataframe(
        rows,
        key="datasets",
        hide_index=True,
        height="content",
        placeholder=fmt.DASH,
        column_config={
            "name": st.column_config.TextColumn(_("Dataset"), width="medium"),
            "rows": st.column_config.NumberColumn(_("Rows"), format="localized"),
            "first": st.column_config.TextColumn(_("First session")),
            "last": st.column_config.TextColumn(_("Last session")),
            "size": st.column_config.NumberColumn(_("Size (MB)"), format="%.1f"),
            "source": st.column_config.TextColumn(_("Source"), width="large"),
        },
    )


def _snapshots() -> None:
    lab = cached.lab()
    found = disk_use(lab.store)
    st.subheader(_("Snapshots and disk"), anchor=False)
    st.caption(
        _(
            "Snapshots share the files that did not change. A replaced one is removed after {hours} hours; results "
            "pinned to it stay, but cannot be computed again."
        ).format(hours=lab.settings.snapshot_grace_hours)
    )
    with st.grid(4, min_column_width=150, gap="xsmall"):
        st.metric(_("All snapshots"), _size(found.snapshot_bytes), border=True)
        st.metric(_("Arrays made from them"), _size(found.panel_bytes), border=True)
        st.metric(_("Answers not stored yet"), _size(found.inbox_bytes), border=True)
        st.metric(_("Free on this disk"), _size(found.free_bytes), border=True)
    st.dataframe(
        [
            {
                "id": one.id,
                "created": fmt.moment(one.created),
                "current": one.current,
                "size": one.size_bytes / _MB,
                "own": one.own_bytes / _MB,
                "panels": one.panel_bytes / _MB,
            }
            for one in found.snapshots
        ],
        key="snapshots",
        hide_index=True,
        height="content" if len(found.snapshots) <= 10 else 360,
        column_config={
            "id": st.column_config.TextColumn(_("Snapshot"), width="medium"),
            "created": st.column_config.TextColumn(_("Created")),
            "current": st.column_config.CheckboxColumn(_("In use"), width="small"),
            "size": st.column_config.NumberColumn(_("Size (MB)"), format="%.1f"),
            "own": st.column_config.NumberColumn(_("Its alone (MB)"), format="%.1f"),
            "panels": st.column_config.NumberColumn(_("Arrays (MB)"), format="%.1f"),
        },
    )


def _size(size_bytes: int) -> str:
    if size_bytes >= 1000 * _MB:
        return f"{size_bytes / (1000 * _MB):,.1f} GB"
    return f"{size_bytes / _MB:,.1f} MB"


def how_to_import() -> None:
    """How data gets in, and where it is kept."""
    st.subheader(_("Import"), anchor=False)
    st.markdown(_("Data is imported on the command line. A broken file is refused whole and nothing changes."))
    left, right = st.columns(2)
    with left:
        st.markdown(f"**{_('Your own files')}**")
        st.code("stocklab data import prices.parquet indices.parquet\nstocklab data status", language=None)
        st.caption(_("Files of another layout: name their columns."))
        st.code(
            "stocklab data import bars.csv --basis adjusted \\\n"
            "  --map date=Date,code=Ticker,open=Open,high=High,low=Low,close=Close,volume=Volume",
            language=None,
            wrap_lines=True,
        )
    with right:
        st.markdown(f"**{_('Demo market')}**")
        st.code("stocklab demo", language=None)
        st.caption(_("About 400 invented stocks over ten years, made in seconds, the same every time."))
        st.markdown(f"**{_('Where it is kept')}**")
        st.code(str(cached.lab().store.home.resolve()), language=None)
        st.caption(_("Set STOCKLAB_HOME to move it."))
