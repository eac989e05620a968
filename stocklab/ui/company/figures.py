"""Figures of the company page: candles with indicators beneath, one ratio over time."""

from __future__ import annotations

from collections.abc import Set
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from stocklab.data.company import PriceHistory
from stocklab.types import DateArray, FloatArray
from stocklab.ui import charts
from stocklab.ui.result.candles import draw_bars
from stocklab.ui.text import N_, _, language
from stocklab.ui.theme import BENCHMARK, DOWN, FLAT, GRID, STRATEGY, UP

__all__ = ["OVERLAYS", "PANES", "PERIODS", "first_row", "price", "ratio"]

PERIODS: Final = {
    "3m": (N_("3 months"), 91),
    "6m": (N_("6 months"), 182),
    "1y": (N_("1 year"), 365),
    "3y": (N_("3 years"), 1096),
    "all": (N_("All"), None),
}
"""Code -> name, calendar days back from the last bar."""

OVERLAYS: Final = {
    "average_5": N_("Average 5"),
    "average_20": N_("Average 20"),
    "average_60": N_("Average 60"),
    "average_120": N_("Average 120"),
    "bands": N_("Bollinger bands"),
}
PANES: Final = {"rsi": "RSI(14)", "macd": "MACD(12,26,9)"}
_COLOURS: Final = {
    "average_5": "#c77d1e",
    "average_20": "#8a3ffc",
    "average_60": STRATEGY,
    "average_120": "#5c6675",
}
_PRICE_PIXELS: Final = 330
_VOLUME_PIXELS: Final = 90
_PANE_PIXELS: Final = 110
_CHEAP: Final = 100.0  # below, prices of coins have decimals


def first_row(sessions: DateArray, period: str) -> int:
    """First row of a period that ends with the last session.

    >>> first_row(np.array(["2024-01-02", "2024-10-02", "2024-12-30"], dtype="datetime64[D]"), "3m")
    1
    """
    days = PERIODS[period][1]
    if days is None or not len(sessions):
        return 0
    return int(np.searchsorted(sessions, sessions[-1] - np.timedelta64(days, "D"), side="right"))


def price(found: PriceHistory, first: int, shown: Set[str]) -> go.Figure:
    """Candles and volume from a row on, with the overlays and panes named in ``shown``."""
    panes = [name for name in PANES if name in shown]
    heights = [_PRICE_PIXELS, _VOLUME_PIXELS, *(_PANE_PIXELS for _pane in panes)]
    figure = make_subplots(
        rows=len(heights),
        cols=1,
        shared_xaxes=True,
        row_heights=[height / sum(heights) for height in heights],
        vertical_spacing=0.025,
    )
    rows = slice(first, None)
    days = [str(day) for day in found.sessions[rows]]
    draw_bars(figure, days, {name: values[rows] for name, values in found.bars.items()})
    lines = {name: values[rows] for name, values in found.indicators.items()}
    for name in OVERLAYS:
        if name in shown and name in _COLOURS:
            _line(figure, days, lines[name], _(OVERLAYS[name]), _COLOURS[name], row=1)
    if "bands" in shown:
        _line(figure, days, lines["band_upper"], _(OVERLAYS["bands"]), FLAT, row=1, dash="dot")
        _line(figure, days, lines["band_lower"], _(OVERLAYS["bands"]), FLAT, row=1, dash="dot", again=True)
    for row, name in enumerate(panes, start=3):
        (_rsi if name == "rsi" else _macd)(figure, days, lines, row)
    charts.finish(figure, sum(heights) + 40)
    figure.update_xaxes(type="category", nticks=6, rangeslider_visible=False)
    lowest = np.nanmin(found.bars["low"][rows], initial=np.inf)
    figure.update_yaxes(tickformat=",.0f" if lowest >= _CHEAP else ",.4~g", row=1, col=1)
    figure.update_yaxes(**charts.count_ticks(found.bars["volume"][rows], language()), row=2, col=1)
    return figure


def _line(
    figure: go.Figure,
    days: list[str],
    values: FloatArray,
    name: str,
    colour: str,
    *,
    row: int,
    dash: str = "solid",
    again: bool = False,
) -> None:
    """``again``: the second line of a pair, which the legend names once."""
    figure.add_scatter(
        x=days,
        y=values,
        mode="lines",
        name=name,
        legendgroup=name,
        showlegend=not again,
        line={"color": colour, "width": 1.2, "dash": dash},
        connectgaps=False,
        hovertemplate=f"{name} %{{y:,.5~g}}<extra></extra>",
        row=row,
        col=1,
    )


def _rsi(figure: go.Figure, days: list[str], lines: dict[str, FloatArray], row: int) -> None:
    _line(figure, days, lines["rsi"], PANES["rsi"], STRATEGY, row=row)
    for level in (30, 70):
        figure.add_hline(y=level, line={"color": FLAT, "width": 1, "dash": "dot"}, row=row, col=1)
    figure.update_yaxes(range=[0, 100], tickvals=[30, 70], row=row, col=1)


def _macd(figure: go.Figure, days: list[str], lines: dict[str, FloatArray], row: int) -> None:
    difference = lines["macd"] - lines["macd_signal"]
    figure.add_bar(
        x=days,
        y=difference,
        marker={"color": np.where(difference >= 0, UP, DOWN), "line": {"width": 0}},
        opacity=0.45,
        showlegend=False,
        hovertemplate="%{y:,.5~g}<extra></extra>",
        row=row,
        col=1,
    )
    _line(figure, days, lines["macd"], PANES["macd"], STRATEGY, row=row)
    _line(figure, days, lines["macd_signal"], _("Signal"), BENCHMARK, row=row)
    figure.update_yaxes(nticks=3, row=row, col=1)


def ratio(sessions: Any, values: FloatArray) -> go.Figure:
    """A ratio at each close; its own median as a line, so that high and low can be told."""
    kept = charts.thin(np.asarray(values, dtype=np.float64))
    figure = go.Figure()
    figure.add_scatter(
        x=charts.moments(np.asarray(sessions)[kept]),
        y=np.asarray(values, dtype=np.float64)[kept],
        mode="lines",
        line={"color": STRATEGY, "width": 1.6},
        connectgaps=False,
        hovertemplate="%{x|%Y-%m-%d} %{y:,.5~g}<extra></extra>",
    )
    if not np.isnan(values).all():
        figure.add_hline(y=float(np.nanmedian(values)), line={"color": FLAT, "width": 1, "dash": "dot"})
    charts.finish(figure, 280, showlegend=False)
    figure.update_xaxes(type="date", nticks=6, tickformatstops=charts.BY_SPAN, hoverformat="%Y-%m-%d")
    figure.update_yaxes(nticks=5, tickformat=",~g", gridcolor=GRID)
    return figure
