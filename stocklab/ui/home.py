"""Blocks of the home page."""

from __future__ import annotations

import streamlit as st

from stocklab.ui import blocks, cached, identity, navigation
from stocklab.ui import format as fmt
from stocklab.ui.data.names import stock_count
from stocklab.ui.runs_list import runs_table
from stocklab.ui.text import _, language

__all__ = ["data_card", "first_steps", "hero", "market_chart", "recent_runs"]


def hero() -> None:
    """What this is."""
    with st.container(key="hero"):
        st.title(_("Test a rule on the whole Korean market before you trust it with money"), anchor=False)
        st.markdown(
            _(
                "Stock Lab is a quant-strategy backtesting and automated-trading platform for private investors "
                "(automated trading comes with a later version). "
                "Write a rule, see what it would have done on every listed stock over ten years, and read why."
            )
        )


def data_card() -> bool:
    """State of the data in one line of figures; False where there is none."""
    state = cached.data_status()
    if not state.get("snapshot"):
        blocks.no_data()
        return False
    last, age = cached.last_session(), cached.age_days()
    symbols = stock_count(state)
    with st.grid(4, min_column_width=150, gap="xsmall"):
        st.metric(_("Stocks"), fmt.count(symbols), border=True)
        st.metric(_("First session"), fmt.day(cached.first_session()), border=True)
        st.metric(_("Last session"), fmt.day(last), border=True)
        st.metric(_("Age of the data"), fmt.days(age, language(), digits=0), border=True)
    if state["synthetic"]:
        st.info(
            _(
                "This is demo data (synthetic): prices are simulated, companies are invented. "
                "It shows how the product works and says nothing about the real market."
            ),
            icon=":material/science:",
        )
    return True


def first_steps() -> None:
    """Three steps to a first result."""
    steps = (
        (_("1. Choose a rule"), _("Start from a preset or write your own conditions without code."), "builder"),
        (_("2. Run it"), _("The whole market, ten years, fees, taxes and slippage included."), "results"),
        (_("3. Read why"), _("Every trade names its reason; every figure explains itself."), "factors"),
    )
    links = (_("Open the builder"), _("See results"), _("Browse factors"))
    columns = st.columns(3)
    for column, (name, words, target), label in zip(columns, steps, links, strict=True):
        with column, st.container(border=True, height="stretch"):
            st.markdown(f"**{name}**")
            st.caption(words)
            navigation.link(target, label, icon=":material/arrow_forward:")


def recent_runs() -> None:
    """The last runs, newest first."""
    lab = cached.lab()
    found = lab.runs.list(identity.owner_id(), limit=6)
    if found:
        runs_table(found, key="recent_runs")
    else:
        blocks.empty(_("No backtest yet."), _("Press Run on any preset above."), icon=":material/monitoring:")


def market_chart() -> None:
    """The indices of the loaded data. (It also fetches the chart library before the first result needs it.)"""
    figure = cached.index_figure()
    if figure is not None:
        st.subheader(_("The market in this data (start = 100)"), anchor=False)
        st.plotly_chart(figure, config={"displayModeBar": False}, key="chart_indices")
