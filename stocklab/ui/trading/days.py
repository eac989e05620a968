"""What a strategy holds, its equity beside its backtest's, and the gap of each day in its parts."""

from __future__ import annotations

import numpy as np
import streamlit as st

from stocklab.live.trader_board import TraderDay, TraderLine
from stocklab.ui import blocks, cached, charts
from stocklab.ui import format as fmt
from stocklab.ui.text import _, language
from stocklab.ui.trading import services, words

__all__ = ["days_section"]

_SHOWN = 60


def days_section(owner_id: str, line: TraderLine) -> None:
    """Holdings of the last day, the chart, the table of gaps."""
    days = services.board().days(owner_id, line.trader.id)
    if not days:
        blocks.empty(
            _("No day is over yet."),
            _("After each close its worth and its gap are kept here."),
            icon=":material/today:",
        )
        return
    _holdings(days[-1])
    if len(days) > 1:
        st.subheader(_("Equity and its backtest"), anchor=False)
        backtest = [np.nan if one.backtest_krw is None else float(one.backtest_krw) for one in days]
        figure = charts.two_curves(
            [one.session for one in days],
            {
                _("Live"): np.array([float(one.equity_krw) for one in days]),
                _("Backtest"): np.array(backtest),
            },
        )
        st.plotly_chart(figure, key="live_curve", config=charts.CONFIG)
    _gaps(days)


def _holdings(day: TraderDay) -> None:
    st.subheader(_("Holdings after {day}").format(day=fmt.day(day.session)), anchor=False)
    names, spoken = cached.names(), language()
    equity = float(day.equity_krw)
    rows = []
    for symbol, (quantity, price) in day.positions.items():
        worth = float(quantity * price)
        rows.append(
            (
                f"{names.get(symbol, '')} {symbol}".strip(),
                f"{quantity.normalize():,f}",
                fmt.krw_exact(float(price), spoken),
                fmt.krw(worth, spoken),
                fmt.percent(worth / equity if equity else None, digits=1),
            )
        )
    cash = fmt.percent(float(day.cash_krw) / equity if equity else None, digits=1)
    rows.append((_("Cash"), "", "", fmt.krw(float(day.cash_krw), spoken), cash))
    blocks.table((_("Stock"), _("Quantity"), _("Price"), _("Worth"), _("Weight")), rows, stacked=True)


def _gaps(days: tuple[TraderDay, ...]) -> None:
    st.subheader(_("Gap to the backtest"), anchor=False)
    st.caption(
        _(
            "Result of the day less that of the backtest. Price: another price; timing: another moment; missed: more "
            "or fewer shares than planned; cost: other costs."
        )
    )
    spoken = language()
    rows = []
    for one in reversed(days[-_SHOWN:]):
        if one.gap_krw is None:
            said = one.gap_why or _("not known yet")
            rows.append((fmt.day(one.session), said, *("" for _name in words.GAPS)))
            continue
        parts = [fmt.krw_exact(float(one.gap.get(name, 0)), spoken, signed=True) for name in words.GAPS]
        rows.append((fmt.day(one.session), fmt.krw_exact(float(one.gap_krw), spoken, signed=True), *parts))
    heads = (_("Session"), _("Gap"), *(_(name) for name in words.GAPS.values()))
    blocks.table(heads, rows, stacked=True)
