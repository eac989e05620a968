"""The candle chart of one stock with a run's buys and sells, and the levels at which it would be sold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl
from plotly.subplots import make_subplots

from stocklab.backtest.result import Result
from stocklab.research.explain import Explanation
from stocklab.types import FloatArray
from stocklab.ui import charts
from stocklab.ui.result import frames
from stocklab.ui.text import _, language
from stocklab.ui.theme import DOWN, FLAT, UP

__all__ = ["Fill", "Level", "candles", "draw_bars", "fills", "levels"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """A buy or sale as the chart marks it."""

    session: date
    buy: bool
    shares: int
    price_krw: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A price at which a holding would be sold, from its first session on."""

    kind: str
    since: date
    price_krw: float


def fills(result: Result, symbol: str) -> tuple[Fill, ...]:
    """The run's trades of a stock, in order."""
    rows = result.tables["trades"].filter(pl.col("symbol") == symbol).iter_rows(named=True)
    return tuple(
        Fill(
            session=row["session"],
            buy=row["side"] == "buy",
            shares=row["shares"],
            price_krw=row["price_krw"],
            reason=f"{frames.reason_name(row['reason'])} {frames.rule_name(row['rule'] or '')}".strip(),
        )
        for row in rows
    )


def levels(found: Explanation) -> tuple[Level, ...]:
    """Target, stop and trailing stop of the holding at the close; where it was sold in the session, those of before."""
    decisions = (found.close, found.origin)
    holding = next((each.holding for each in decisions if each is not None and each.holding is not None), None)
    if holding is None:
        return ()
    return tuple(
        Level(
            kind=line.kind,
            since=holding.entered if line.kind != "trailing" else found.session - timedelta(days=14),
            price_krw=line.level,
        )
        for line in holding.exits
        if line.kind in ("target", "stop", "trailing") and line.level is not None
    )


def candles(
    sessions: Any, bars: Mapping[str, FloatArray], marks: Sequence[Fill], session: date, lines: Sequence[Level]
) -> go.Figure:
    """Candles with volume beneath; up is red and down is blue, buys point up and sells down.

    Parameters
    ----------
    sessions : (n,) datetime64[D]
    bars : ``open high low close volume``, each (n,), NaN = unknown
    marks : fills; those outside of the sessions are left out
    session : the day asked about, marked by a line
    lines : levels drawn up to that day
    """
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.78, 0.22], vertical_spacing=0.03)
    days = [str(day) for day in np.asarray(sessions, dtype="datetime64[D]")]
    draw_bars(figure, days, bars)
    known = frozenset(days)
    _marks(figure, [mark for mark in marks if mark.session.isoformat() in known])
    _lines(figure, lines, days, session)
    if session.isoformat() in known:
        figure.add_vline(x=session.isoformat(), line={"color": FLAT, "width": 1, "dash": "dot"})
    charts.finish(figure, 430)
    figure.update_xaxes(type="category", nticks=6, rangeslider_visible=False)
    figure.update_yaxes(tickformat=",.0f", row=1, col=1)
    figure.update_yaxes(**charts.count_ticks(bars["volume"], language()), row=2, col=1)
    return figure


def draw_bars(figure: go.Figure, days: Sequence[str], bars: Mapping[str, FloatArray]) -> None:
    """Candles in the first row of a figure, volume in the second; ``bars`` as in `candles`."""
    figure.add_candlestick(
        x=days,
        open=bars["open"],
        high=bars["high"],
        low=bars["low"],
        close=bars["close"],
        name=_("Price"),
        increasing={"line": {"color": UP, "width": 1}, "fillcolor": UP},
        decreasing={"line": {"color": DOWN, "width": 1}, "fillcolor": DOWN},
        showlegend=False,
        row=1,
        col=1,
    )
    rose = np.asarray(bars["close"] >= bars["open"])
    figure.add_bar(
        x=days,
        y=bars["volume"],
        name=_("Volume"),
        marker={"color": np.where(rose, UP, DOWN), "line": {"width": 0}},
        opacity=0.55,
        showlegend=False,
        hovertemplate="%{x} %{y:,.0f}<extra></extra>",
        row=2,
        col=1,
    )


def _marks(figure: go.Figure, marks: Sequence[Fill]) -> None:
    for buy, name, colour, shape in (
        (True, _("Buy"), UP, "triangle-up"),
        (False, _("Sell"), DOWN, "triangle-down"),
    ):
        some = [mark for mark in marks if mark.buy is buy]
        words = [
            _("{side} {shares} at {price}: {reason}").format(
                side=name, shares=f"{mark.shares:,}", price=f"{mark.price_krw:,}", reason=mark.reason
            )
            for mark in some
        ]
        figure.add_scatter(
            x=[mark.session.isoformat() for mark in some],
            y=[mark.price_krw for mark in some],
            mode="markers",
            name=name,
            text=words,
            marker={"color": colour, "symbol": shape, "size": 13, "line": {"width": 1.2, "color": "white"}},
            hovertemplate="%{x}<br>%{text}<extra></extra>",
            row=1,
            col=1,
        )


def _lines(figure: go.Figure, lines: Sequence[Level], days: Sequence[str], session: date) -> None:
    for line in lines:
        inside = [day for day in days if line.since.isoformat() <= day <= session.isoformat()]
        if inside:
            name = frames.reason_name(line.kind)
            figure.add_scatter(
                x=[inside[0], inside[-1]],
                y=[line.price_krw, line.price_krw],
                mode="lines",
                name=name,
                line={"color": UP if line.kind == "target" else DOWN, "width": 1.2, "dash": "dash"},
                hovertemplate=f"{name} %{{y:,.0f}}<extra></extra>",
                row=1,
                col=1,
            )
