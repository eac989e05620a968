"""The candle chart with its period, prices and indicators."""

from __future__ import annotations

from typing import Final

import streamlit as st

from stocklab.data.company import Interval, Profile
from stocklab.market.panel import PriceBasis
from stocklab.ui import charts, navigation
from stocklab.ui import format as fmt
from stocklab.ui.company import figures, lookups
from stocklab.ui.text import N_, _

__all__ = ["chart_section"]

_PRICES: Final = {"adjusted": N_("Adjusted prices"), "raw": N_("Prices as traded")}
_INTERVALS: Final = {"daily": N_("Day"), "weekly": N_("Week"), "monthly": N_("Month")}
_FIRST: Final = ("average_20", "average_60")


def chart_section(found: Profile) -> None:
    """Candles of the period chosen."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        period = navigation.choice_in_url(
            "period",
            {code: _(name) for code, (name, _days) in figures.PERIODS.items()},
            _("Period"),
            default="1y",
            key="company_period_choice",
        )
        interval = _interval()
        adjusted = _adjusted(found)
    names = {name: _(words) for name, words in figures.OVERLAYS.items()} | figures.PANES
    shown = st.pills(
        _("Indicators"),
        list(names),
        selection_mode="multi",
        default=list(_FIRST),
        format_func=names.__getitem__,
        wrap=True,
        key="company_indicators_choice",
        label_visibility="collapsed",
    )
    view = lookups.ChartView(adjusted=adjusted, interval=interval, period=period, shown=tuple(sorted(shown or ())))
    figure = lookups.price_figure(found.symbol, view)
    st.plotly_chart(figure, config=charts.CONFIG, key="company_candles")
    history = lookups.history(found.symbol, adjusted=adjusted)
    st.caption(
        _("{count} sessions from {first} to {last}. Indicators are computed by the engine that runs backtests.").format(
            count=fmt.count(len(history.sessions)),
            first=fmt.day(str(history.sessions[0])),
            last=fmt.day(str(history.sessions[-1])),
        )
        + (" " + _("Gaps are days on which prices as traded are not loaded.") if _has_gaps(found, adjusted) else "")
    )


def _interval() -> Interval:
    chosen = navigation.choice_in_url(
        "interval",
        {code: _(name) for code, name in _INTERVALS.items()},
        _("Bars"),
        default="daily",
        key="company_interval_choice",
    )
    return "weekly" if chosen == "weekly" else "monthly" if chosen == "monthly" else "daily"


def _has_gaps(found: Profile, adjusted: bool) -> bool:
    return not adjusted and found.basis is PriceBasis.ADJUSTED


def _adjusted(found: Profile) -> bool:
    """Which prices: a choice where both are known."""
    if found.is_coin:
        return True
    if not lookups.raw_is_known(found.symbol):
        st.caption(_("Only adjusted prices are loaded."), width="content")
        return True
    chosen = navigation.choice_in_url(
        "prices",
        {code: _(name) for code, name in _PRICES.items()},
        _("Prices"),
        default="adjusted",
        key="company_prices_choice",
    )
    return chosen == "adjusted"
