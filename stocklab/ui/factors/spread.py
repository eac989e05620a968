"""How many stocks have a value, how the values lie, and who stands at the ends."""

from __future__ import annotations

import streamlit as st

from stocklab.data.factor_report import FactorReport
from stocklab.factors import Factor
from stocklab.ui import blocks, cached, charts
from stocklab.ui import format as fmt
from stocklab.ui.factors import lookups
from stocklab.ui.factors.numbers import amount
from stocklab.ui.text import _, language

__all__ = ["coverage_section", "ends_section", "spread_section"]


def coverage_section(factor: Factor, found: FactorReport) -> None:
    """Share of stocks with a value by year."""
    st.subheader(_("Coverage by year"), anchor=False)
    if not any(year.share for year in found.years):
        blocks.empty(_("No stock ever has a value on this data."), icon=":material/bar_chart_off:")
        return
    st.plotly_chart(lookups.figure(factor.id, "coverage"), config=charts.CONFIG, key="coverage")
    st.caption(
        _("Share of the listed common stocks of KOSPI and KOSDAQ that have a value: the mean over the month ends.")
    )


def spread_section(factor: Factor, found: FactorReport) -> None:
    """Distribution on the last session."""
    st.subheader(_("Distribution on {session}").format(session=fmt.day(found.session)), anchor=False)
    if not found.known:
        blocks.empty(_("No stock has a value."), icon=":material/bar_chart_off:")
        return
    st.plotly_chart(lookups.figure(factor.id, "histogram"), config=charts.CONFIG, key="histogram")
    spoken, values = language(), dict(found.quantiles)

    def shown(level: float) -> str:
        return amount(values[level], factor.unit, spoken)

    blocks.facts(
        {
            _("Median"): shown(0.5),
            _("Middle half"): f"{shown(0.25)} – {shown(0.75)}",
            _("Middle 90 %"): f"{shown(0.05)} – {shown(0.95)}",
            _("Stocks with a value"): f"{found.known:,} / {found.stocks:,}",
            _("Without a value"): fmt.percent(found.share_null, digits=1),
        }
    )
    st.caption(_("Bars show the values between the 1 % and 99 % quantiles; the dotted line is the median."))


def ends_section(factor: Factor, found: FactorReport) -> None:
    """The ten stocks at either end."""
    names, spoken = cached.names(), language()

    def rows(ten: tuple[tuple[str, float], ...]) -> list[tuple[str, ...]]:
        return [
            (str(place), names.get(symbol) or symbol, symbol, amount(value, factor.unit, spoken))
            for place, (symbol, value) in enumerate(ten, start=1)
        ]

    if not found.known:
        return
    heads = ("", _("Stock"), _("Code"), _("Factor value"))
    highest, lowest = st.columns(2, gap="large")
    with highest:
        st.subheader(_("Highest values"), anchor=False)
        blocks.table(heads, rows(found.highest))
    if factor.unit != "bool":
        with lowest:
            st.subheader(_("Lowest values"), anchor=False)
            blocks.table(heads, rows(found.lowest))
