"""Weights of the book as bars, and of each account its closes with what came from elsewhere."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from stocklab.errors import InputError
from stocklab.live.owned_book import OwnedAccount, OwnedBook
from stocklab.trading.flows import money_weighted, time_weighted
from stocklab.ui import blocks, charts
from stocklab.ui import format as fmt
from stocklab.ui.builder.fields import escape
from stocklab.ui.positions import services, words
from stocklab.ui.text import _
from stocklab.ui.theme import STRATEGY

__all__ = ["account", "weights"]

_MOST_BARS = 20
_FLOWS_SHOWN = 20
ZERO = Decimal(0)


def weights(book: OwnedBook) -> None:
    """Each symbol over all accounts, and cash, as parts of the whole."""
    whole = sum((one.equity_krw for one in book.accounts), ZERO)
    if whole <= 0 or not book.positions:
        return
    worth: dict[str, Decimal] = {}
    for one in book.positions:
        worth[one.symbol] = worth.get(one.symbol, ZERO) + one.worth_krw
    largest = sorted(worth.items(), key=lambda one: (-one[1], one[0]))
    parts = [(services.instruments().name_of(symbol), krw) for symbol, krw in largest[:_MOST_BARS]]
    if rest := sum((krw for _symbol, krw in largest[_MOST_BARS:]), ZERO):
        parts.append((_("Others"), rest))
    parts.append((_("Cash"), sum((one.cash_krw for one in book.accounts), ZERO)))
    st.subheader(_("Weights"), anchor=False)
    figure = go.Figure(
        go.Bar(
            x=[round(100 * float(krw / whole), 2) for _name, krw in reversed(parts)],
            y=[name for name, _krw in reversed(parts)],
            orientation="h",
            marker={"color": STRATEGY},
            hovertemplate="%{y} %{x:.2f}%<extra></extra>",
        )
    )
    charts.finish(figure, 60 + 26 * len(parts), showlegend=False)
    figure.update_xaxes(ticksuffix="%", nticks=5)
    st.plotly_chart(figure, config=charts.CONFIG, key="position_weights")


def account(one: OwnedAccount) -> None:
    """The closes of an account."""
    st.subheader(_("Closes of {account}").format(account=escape(one.account.name)), anchor=False)
    if len(one.days) < 2:
        st.caption(_("A curve and returns are shown from the second close on."))
        return
    try:
        by_time = time_weighted(one.days)
    except InputError:
        by_time = None
        st.warning(_("A deposit is missing in the days kept, so that the time-weighted return is unknown."))
    by_money = money_weighted(one.days)
    blocks.facts(
        {
            _("Since"): fmt.day(one.days[0].session),
            _("Time-weighted return"): fmt.percent(None if by_time is None else float(by_time), signed=True),
            _("Money-weighted return"): fmt.percent(None if by_money is None else by_money.period, signed=True),
        }
    )
    st.caption(_("Time-weighted: deposits change nothing. Money-weighted: what your money earned, when it was there."))
    sessions = [day.session for day in one.days]
    figure = charts.values(sessions, np.array([float(day.equity_krw) for day in one.days]))
    figure.update_xaxes(tickformat=None, tickformatstops=charts.BY_SPAN)
    figure.update_yaxes(tickformat=",.0f")
    st.plotly_chart(figure, config=charts.CONFIG, key=f"closes_{one.account.id}")
    flows = [day for day in one.days[1:] if day.flow_krw][-_FLOWS_SHOWN:]
    if flows:
        rows = [[fmt.day(day.session), words.won(day.flow_krw, signed=True)] for day in reversed(flows)]
        blocks.table([_("Close of"), _("Deposit or withdrawal")], rows)
