"""Blocks of the data page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from stocklab.ui import blocks, cached
from stocklab.ui import format as fmt
from stocklab.ui.text import N_, _, language

__all__ = ["DATASETS", "datasets", "how_to_import", "markets", "quality", "snapshot", "stock_count"]

DATASETS = {
    "prices_adjusted": N_("Daily prices, adjusted"),
    "prices_coin": N_("Daily candles of coins"),
    "prices_raw": N_("Daily prices, as traded"),
    "indices": N_("Indices"),
    "instruments": N_("Companies and sectors"),
    "delistings": N_("Delistings"),
    "events": N_("Splits, bonus and rights issues"),
    "dividends": N_("Cash dividends"),
    "statements": N_("Financial statements"),
    "filings": N_("Periodic reports received"),
    "share_structure": N_("Free float and treasury shares"),
    "investor_flows": N_("Net purchases by investor class"),
    "foreign_holdings": N_("Foreign holdings"),
    "short_sales": N_("Short sales"),
    "rates": N_("Interest rates"),
    "members": N_("Members of indices, themes and sectors"),
    "flags": N_("Flags of issues"),
    "flag_coverage": N_("Days for which flags are complete"),
}
CHECKS = {
    "off_session": N_("Bars on days the exchange was closed (not used)"),
    "missing_sessions": N_("Sessions of the exchange without any bar"),
    "gaps": N_("Holes inside a series"),
    "jumps": N_("Moves beyond the price limit without a recorded event"),
    "stale": N_("Series whose last months saw no trade"),
    "ends_early": N_("Series that stop early with no delisting recorded"),
    "cut_before_delisting": N_("Series that stop long before their recorded delisting"),
    "trades_after_delisting": N_("Codes that go on after a recorded delisting"),
    "volume_breaks": N_("Volume changes scale over a halt although the price does not"),
    "unnamed": N_("Symbols without a name"),
    "index_contradictions": N_("Index closes outside the day's range"),
    "unit_errors": N_("Reports about 1,000 or 1,000,000 times those before and after (wrong unit)"),
    "unbalanced": N_("Reports whose assets differ from liabilities plus equity"),
    "quarters_against_year": N_("Reports whose year-to-date amounts differ from the sum of the quarters"),
    "deadline_dated": N_("Reports without a receipt date, dated by the statutory deadline"),
    "late_reports": N_("Reports received more than 95 days after their period"),
}


def snapshot(state: Mapping[str, Any]) -> None:
    """Which snapshot is current and how old its newest session is."""
    age = cached.age_days()
    with st.grid(4, min_column_width=150, gap="xsmall"):
        st.metric(_("First session"), fmt.day(cached.first_session()), border=True)
        st.metric(_("Last session"), fmt.day(cached.last_session()), border=True)
        st.metric(
            _("Age of the data"),
            fmt.days(age, language(), digits=0),
            border=True,
            help=_("Calendar days since the last session. Results after that day cannot be known."),
        )
        st.metric(_("Stocks"), fmt.count(stock_count(state)), border=True)
    blocks.badges(
        [
            blocks.badge(_("Snapshot {id}").format(id=state["snapshot"]), "inventory_2"),
            blocks.badge(_("Created {when}").format(when=fmt.moment(str(state["created"]))), "schedule"),
        ]
    )


def stock_count(state: Mapping[str, Any]) -> int:
    """Stocks of the current snapshot; coins are shown as a market of their own."""
    return sum(count for market, count in state["symbols_by_market"].items() if market != "UPBIT")


def markets(state: Mapping[str, Any]) -> None:
    """Stocks by market, and coins."""
    st.subheader(_("Stocks by market"), anchor=False)
    with st.grid(5, min_column_width=130, gap="xsmall"):
        for market, number in sorted(state["symbols_by_market"].items(), key=_market_order):
            st.metric(
                _("Coins (Upbit)") if market == "UPBIT" else market or _("Unknown"), fmt.count(number), border=True
            )


def _market_order(item: tuple[str, int]) -> tuple[int, str]:
    known = ("KOSPI", "KOSDAQ", "KONEX", "UPBIT")
    return (known.index(item[0]) if item[0] in known else len(known), item[0])


def datasets(state: Mapping[str, Any]) -> None:
    """Every dataset with its rows, range and source."""
    st.subheader(_("Datasets"), anchor=False)
    rows = [
        {
            "name": _(DATASETS.get(name, name)),
            "rows": dataset["rows"],
            "first": dataset.get("first_session"),
            "last": dataset.get("last_session"),
            "source": dataset.get("source", ""),
        }
        for name, dataset in state["datasets"].items()
    ]
    st.dataframe(
        rows,
        hide_index=True,
        height="content",
        placeholder=fmt.DASH,
        column_config={
            "name": st.column_config.TextColumn(_("Dataset"), width="medium"),
            "rows": st.column_config.NumberColumn(_("Rows"), format="localized"),
            "first": st.column_config.TextColumn(_("First session")),
            "last": st.column_config.TextColumn(_("Last session")),
            "source": st.column_config.TextColumn(_("Source"), width="large"),
        },
    )


def quality(state: Mapping[str, Any]) -> None:
    """What the checks of the last import found, most frequent first."""
    st.subheader(_("Quality checks"), anchor=False)
    st.caption(_("Findings are kept and shown, not hidden: real markets produce them too. A broken file is refused."))
    rows = []
    for key, number in state.get("quality", {}).items():
        dataset, _dot, check = key.rpartition(".")
        if number:
            rows.append(
                {
                    "count": number,
                    "dataset": _(DATASETS.get(dataset, dataset)),
                    "check": _(CHECKS.get(check, check)),
                }
            )
    if not rows:
        st.success(_("The checks found nothing."), icon=":material/verified:")
        return
    rows.sort(key=lambda row: (-row["count"], row["dataset"], row["check"]))
    st.dataframe(
        rows,
        hide_index=True,
        height="content",
        column_config={
            "count": st.column_config.NumberColumn(_("Findings"), format="localized", width="small"),
            "dataset": st.column_config.TextColumn(_("Dataset"), width="medium"),
            "check": st.column_config.TextColumn(_("Check"), width="large"),
        },
    )


def how_to_import() -> None:
    """How data gets in, and where it is kept."""
    st.subheader(_("Import"), anchor=False)
    st.markdown(_("Data is imported on the command line. A broken file is refused whole and nothing changes."))
    left, right = st.columns(2)
    with left:
        st.markdown(f"**{_('Your own files')}**")
        st.code("stocklab data import prices.parquet indices.parquet\nstocklab data status", language="bash")
        st.caption(_("Files of another layout: name their columns."))
        st.code(
            "stocklab data import bars.csv --basis adjusted \\\n"
            "  --map date=Date,code=Ticker,open=Open,high=High,low=Low,close=Close,volume=Volume",
            language="bash",
            wrap_lines=True,
        )
    with right:
        st.markdown(f"**{_('Demo market')}**")
        st.code("stocklab demo", language="bash")
        st.caption(_("About 400 invented stocks over ten years, made in seconds, the same every time."))
        st.markdown(f"**{_('Where it is kept')}**")
        st.code(str(cached.lab().store.home.resolve()), language=None)
        st.caption(_("Set STOCKLAB_HOME to move it. Automatic daily sync comes with a later version."))
