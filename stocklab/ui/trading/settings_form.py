"""How a strategy's orders are sent, in plain words."""

from __future__ import annotations

from decimal import Decimal

import streamlit as st

from stocklab.live.trader_settings import Timing, TraderSettings
from stocklab.trading.pricing import LastResort
from stocklab.ui.text import _
from stocklab.ui.trading import words

__all__ = ["settings_fields"]


def settings_fields(now: TraderSettings) -> TraderSettings:
    """The fields inside a form, and what they say. Raises InputError."""
    timings = {one: _(name) for one, name in words.TIMINGS.items()}
    resorts = {one: _(name) for one, name in words.LAST_RESORTS.items()}
    approval = st.toggle(
        _("Ask me before anything is sent"),
        value=now.approval,
        key="field_approval",
        help=_("Each decision is an order sheet with its reasons. Without your yes in time it lapses."),
    )
    guards = st.toggle(
        _("Watch stops and targets inside the session"),
        value=now.guards,
        key="field_guards",
        help=_("Off: stops and targets act at the next decision, by the close."),
    )
    left, right = st.columns(2)
    options = list(timings)
    buy = left.selectbox(
        _("When it buys"), options, options.index(now.buy), format_func=timings.__getitem__, key="field_buy"
    )
    sell = right.selectbox(
        _("When it sells"), options, options.index(now.sell), format_func=timings.__getitem__, key="field_sell"
    )
    percent = left.number_input(
        _("Limit beyond the price (%)"),
        -10.0,
        10.0,
        float(now.fraction * 100),
        step=0.1,
        format="%.1f",
        key="field_fraction",
        help=_("How far beyond the last price it still trades, where it trades near the price."),
    )
    most = right.number_input(_("New prices at most"), 0, 20, now.reprice_most, key="field_reprice_most")
    every = left.number_input(_("Seconds between prices"), 5, 3600, now.reprice_seconds, key="field_reprice_seconds")
    ways = list(resorts)
    last = right.selectbox(
        _("What is left then"),
        ways,
        ways.index(now.last_resort),
        format_func=resorts.__getitem__,
        key="field_last_resort",
    )
    slices = left.number_input(_("Slices, where sliced"), 2, 60, now.slices, key="field_slices")
    by_volume = right.toggle(
        _("Slices follow the market's volume"), value=now.by_volume, key="field_by_volume", help=_("Off: evenly.")
    )
    return TraderSettings(
        buy=buy or Timing.STRATEGY,
        sell=sell or Timing.STRATEGY,
        fraction=Decimal(f"{percent:.1f}") / 100,
        reprice_most=most,
        reprice_seconds=every,
        last_resort=last or LastResort.LEAVE,
        slices=slices,
        by_volume=by_volume,
        approval=approval,
        guards=guards,
    )
