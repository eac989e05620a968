"""Plotly figures from plain tables: no Streamlit, no language but the words passed in through `_`."""

from __future__ import annotations

import html
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any, Final

import numpy as np
import orjson
import plotly.graph_objects as go
import polars as pl
from plotly.io.json import to_json_plotly
from plotly.subplots import make_subplots

from stocklab.backtest.result import in_floats
from stocklab.types import FloatArray, IntArray
from stocklab.ui import format as fmt
from stocklab.ui.text import Language, _
from stocklab.ui.theme import BENCHMARK, DOWN, FLAT, GRID, STRATEGY, UP

__all__ = [
    "BY_SPAN",
    "CONFIG",
    "INK",
    "POINT_LIMIT",
    "ReadyFigure",
    "count_ticks",
    "curve_so_far",
    "drawdown",
    "equity",
    "finish",
    "indices",
    "moments",
    "monthly_heatmap",
    "reasons",
    "stock",
    "sweep_map",
    "thin",
    "two_curves",
    "values",
    "yearly_bars",
]

POINT_LIMIT: Final = 2500
CONFIG: Final[dict[str, Any]] = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "toImage"],
    "responsive": True,
}
LOG_FROM: Final = 6  # times: a stock that moved more is drawn on a log scale, else its early years are a flat line
BY_SPAN: Final = [
    {"dtickrange": [None, "M1"], "value": "%m-%d"},
    {"dtickrange": ["M1", "M12"], "value": "%Y-%m"},
    {"dtickrange": ["M12", None], "value": "%Y"},
]
"""Ticks of an axis of days: years, or months where less than a few years are shown."""
SYMMETRIC: Final = ((0.0, "#5f97e6"), (0.5, "#f3f5f6"), (1.0, "#ee6f77"))
QUALITY: Final = ((0.0, "#f6f4ee"), (0.5, "#b9dcd2"), (0.85, "#5db6a3"), (1.0, "#2f9482"))
MOST_WORDS: Final = 12  # columns: with more of them the numbers in the cells of a map would overlap
INK: Final = "#1b2426"  # on every cell of the heatmap, in the light and the dark theme


class ReadyFigure(go.Figure):  # type: ignore[misc]  # plotly is untyped
    """A finished figure that costs next to nothing to send again.

    Streamlit asks a figure for its dictionary at every page run, and Plotly then copies and encodes each array: 1.5 ms
    for an equity curve. This one hands out a dictionary whose parts are JSON already. It cannot be changed any more.
    """

    def __init__(self, figure: go.Figure) -> None:
        super().__init__()
        content = figure.to_dict()
        self._parts = [
            {key: orjson.Fragment(_json(value)) for key, value in trace.items() if key != "uid"}
            for trace in content["data"]
        ]
        self._layout_parts = {
            key: value if isinstance(value, int | float) else orjson.Fragment(_json(value))
            for key, value in content["layout"].items()
        }

    def to_dict(self) -> dict[str, Any]:
        """The figure as Plotly's serializer takes it."""
        return {"data": [dict(part) for part in self._parts], "layout": dict(self._layout_parts)}


def _json(value: Any) -> bytes:
    return str(to_json_plotly(value, engine="orjson")).encode()


def thin(values: FloatArray, limit: int = POINT_LIMIT) -> IntArray:
    """Indices of at most ``limit`` points that keep the ends and the extremes of every stretch.

    >>> thin(np.array([1.0, 9.0, 1.0, 0.0, 5.0, 5.0, 5.0, 2.0]), 6).tolist()
    [0, 1, 3, 4, 7]
    """
    n = len(values)
    if n <= limit:
        return np.arange(n, dtype=np.int64)
    edges = np.linspace(0, n, max(1, (limit - 2) // 2) + 1).astype(np.int64)
    kept = {0, n - 1}
    for first, last in pairwise(edges):
        part = values[first:last]
        if len(part) and not np.isnan(part).all():
            kept.update((int(first + np.nanargmin(part)), int(first + np.nanargmax(part))))
    return np.array(sorted(kept), dtype=np.int64)


def drawdown(equity_krw: FloatArray) -> FloatArray:
    """Fall from the highest value so far, as a fraction <= 0.

    >>> drawdown(np.array([100.0, 120.0, 90.0])).tolist()
    [0.0, 0.0, -0.25]
    """
    return np.asarray(equity_krw / np.maximum.accumulate(equity_krw) - 1.0, dtype=np.float64)


def moments(sessions: Any) -> FloatArray:
    """Sessions as milliseconds since 1970: sent as numbers they take a third of the room of dates in text."""
    return np.asarray(sessions, dtype="datetime64[ms]").astype(np.float64)


def finish(figure: go.Figure, height: int, **extra: Any) -> go.Figure:
    figure.update_layout(
        height=height,
        margin={"l": 4, "r": 4, "t": 8, "b": 4},
        hoverlabel={"font": {"size": 12}},
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "xanchor": "left"},
        separators=".,",
        **extra,
    )
    figure.update_xaxes(showgrid=False, zeroline=False, automargin=True)
    figure.update_yaxes(gridcolor=GRID, zeroline=False, automargin=True)
    return figure


def count_ticks(values: FloatArray, language: Language) -> dict[str, Any]:
    """Settings of an axis of counts from 0: two or three ticks at round numbers, named as the language counts.

    >>> count_ticks(np.array([np.nan, 3_000_000.0, 23_000_000.0]), "ko")["ticktext"]
    ['0', '1,000만', '2,000만']
    """
    most = float(np.nanmax(values, initial=0.0))
    if most <= 0 or not np.isfinite(most):
        return {"nticks": 3}
    least = most / 2.5
    power = 10.0 ** np.floor(np.log10(least))
    step = float(power * next(digit for digit in (1, 2, 5, 10) if digit * power >= least * (1 - 1e-9)))
    ticks = [step * number for number in range(int(most / step) + 1)]
    return {"tickmode": "array", "tickvals": ticks, "ticktext": [fmt.short_count(tick, language) for tick in ticks]}


def equity(daily: pl.DataFrame, *, benchmark: str, log: bool = False) -> go.Figure:
    """Growth of the strategy against its benchmark, drawdowns beneath.

    Parameters
    ----------
    daily : the run's daily table (``session``, ``equity_krw``, ``benchmark``: an index level, null = unknown)
    benchmark : name of the index
    log : growth of 100 on a log scale instead of percent on a linear one
    """
    values = in_floats(daily)["equity_krw"].to_numpy().astype(np.float64)
    index = daily["benchmark"].to_numpy().astype(np.float64)
    kept = thin(values)
    sessions = moments(daily["session"].to_numpy()[kept])
    known = index[~np.isnan(index)]
    level = index / known[0] if len(known) else index
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.72, 0.28], vertical_spacing=0.04)
    for name, growth, colour, width in (
        (benchmark, level, BENCHMARK, 1.4),
        (_("Strategy"), values / values[0] if len(values) else values, STRATEGY, 2.0),
    ):
        shown = (100.0 * growth if log else 100.0 * (growth - 1.0))[kept]
        template = "%{y:,.1f}" if log else "%{y:+,.1f}%"
        figure.add_scatter(
            x=sessions,
            y=np.round(shown, 3).astype(np.float32),
            name=name,
            mode="lines",
            line={"color": colour, "width": width},
            hovertemplate=template,
            row=1,
            col=1,
        )
    figure.add_scatter(
        x=sessions,
        y=np.round(100.0 * drawdown(values)[kept], 3).astype(np.float32),
        name=_("Drawdown"),
        mode="lines",
        line={"color": DOWN, "width": 1},
        fill="tozeroy",
        fillcolor="rgba(29,111,220,.16)",
        hovertemplate="%{y:.1f}%",
        showlegend=False,
        row=2,
        col=1,
    )
    finish(figure, 470, hovermode="x unified", hoversubplots="axis")
    figure.update_yaxes(type="log" if log else "linear", ticksuffix="" if log else "%", row=1, col=1)
    figure.update_yaxes(ticksuffix="%", nticks=4, row=2, col=1)
    figure.update_xaxes(type="date", hoverformat="%Y-%m-%d", tickformatstops=BY_SPAN)
    return figure


def indices(closes: pl.DataFrame) -> go.Figure:
    """The indices of the market, each 100 at its start.

    Parameters
    ----------
    closes : ``session``, ``index`` (its name), ``close``; ascending by session
    """
    figure = go.Figure()
    for name, colour in (("KOSPI", STRATEGY), ("KOSDAQ", "#c77d1e")):
        part = closes.filter(pl.col("index") == name).drop_nulls("close")
        if part.height:
            values = part["close"].to_numpy().astype(np.float64)
            kept = thin(values, 1200)
            figure.add_scatter(
                x=moments(part["session"].to_numpy()[kept]),
                y=np.round(100.0 * values[kept] / values[0], 2).astype(np.float32),
                name=name,
                mode="lines",
                line={"color": colour, "width": 1.5},
                hovertemplate="%{y:,.1f}",
            )
    finish(figure, 210, hovermode="x unified")
    figure.update_xaxes(type="date", tickformatstops=BY_SPAN, hoverformat="%Y-%m-%d")
    figure.update_yaxes(nticks=4)
    return figure


def curve_so_far(offsets: Sequence[int], equity_krw: FloatArray, initial_krw: float) -> str:
    """The curve of a run that is still going, as a drawing in HTML: percent of the initial cash by sessions.

    No Plotly here: Streamlit mounts a chart anew whenever its data change, so one that ticks is never seen.
    """
    percent = 100.0 * (equity_krw / initial_krw - 1.0)
    low, high = min(0.0, float(percent.min())), max(0.0, float(percent.max()))
    wide, tall = max(1.0, float(offsets[-1] - offsets[0])), max(1e-9, high - low)

    def place(offset: float, value: float) -> str:
        return f"{1000 * (offset - offsets[0]) / wide:.1f},{190 - 180 * (value - low) / tall:.1f}"

    line = " ".join(place(offset, value) for offset, value in zip(offsets, percent.tolist(), strict=True))
    _x, zero = place(offsets[0], 0.0).split(",")
    label = html.escape(_("Equity so far: {low} to {high}").format(low=f"{low:+.1f}%", high=f"{high:+.1f}%"))
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 200" preserveAspectRatio="none">'
        f'<line x1="0" x2="1000" y1="{zero}" y2="{zero}" stroke="{FLAT}" stroke-dasharray="4 4" '
        'vector-effect="non-scaling-stroke"/>'
        f'<polyline points="{line}" fill="none" stroke="{STRATEGY}" stroke-width="2" '
        'vector-effect="non-scaling-stroke"/></svg>'
    )
    source = b64encode(drawing.encode()).decode()  # as an image: drawings inside HTML are taken out by the sanitizer
    return (
        f'<img src="data:image/svg+xml;base64,{source}" alt="{label}" style="width:100%;height:220px;display:block">'
        f'<p style="opacity:.7;font-size:.84rem;margin:.2rem 0 0">{label}</p>'
    )


def monthly_heatmap(months: Mapping[tuple[int, int], float], years: Mapping[int, float]) -> go.Figure:
    """Return of each month, years downward, with the year's own return in the last column.

    Parameters
    ----------
    months : (year, month) -> fraction
    years : year -> fraction
    """
    rows = sorted(years)
    grid = [[months.get((year, month)) for month in range(1, 13)] + [years[year]] for year in rows]
    percent = [[None if value is None else round(100 * value, 2) for value in row] for row in grid]
    words = [["" if value is None else f"{value:.1f}" for value in row] for row in percent]
    names = [_("Jan"), _("Feb"), _("Mar"), _("Apr"), _("May"), _("Jun")]
    names += [_("Jul"), _("Aug"), _("Sep"), _("Oct"), _("Nov"), _("Dec"), _("Year")]
    figure = go.Figure(
        go.Heatmap(
            z=percent,
            x=names,
            y=[str(year) for year in rows],
            text=words,
            texttemplate="%{text}",
            textfont={"size": 10.5, "color": INK},
            colorscale=[list(stop) for stop in SYMMETRIC],
            zmid=0,
            zmin=-15,
            zmax=15,
            xgap=2,
            ygap=2,
            showscale=False,
            hovertemplate="%{y} %{x}: %{z:+.2f}%<extra></extra>",
        )
    )
    finish(figure, 70 + 28 * max(1, len(rows)))
    figure.update_xaxes(side="top", type="category", tickangle=0, tickfont={"size": 10.5})
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    return figure


def sweep_map(
    x: Sequence[str],
    y: Sequence[str],
    values: FloatArray,
    counts: IntArray,
    *,
    titles: tuple[str, str],
    percent: bool,
    lower_is_better: bool,
    marked: tuple[int, int] | None = None,
) -> go.Figure:
    """A figure over two numbers of a strategy: the better the greener, unlike gains, which are red.

    Parameters
    ----------
    values : (len(y), len(x)), NaN = no variant
    counts : variants behind each cell
    titles : names of the numbers across and down
    marked : row and column of the cell that gets a star
    """
    known = values[~np.isnan(values)]
    unit = "%" if percent else ""
    digits = 1 if percent else 2
    said = len(x) <= MOST_WORDS
    words = [["" if np.isnan(value) or not said else f"{value:.{digits}f}" for value in row] for row in values]
    if marked is not None:
        words[marked[0]][marked[1]] = f"★ {words[marked[0]][marked[1]]}".strip()
    mirrored = [[1.0 - place, colour] for place, colour in reversed(QUALITY)]
    figure = go.Figure(
        go.Heatmap(
            z=[[None if np.isnan(value) else float(value) for value in row] for row in values],
            x=list(x),
            y=list(y),
            text=words,
            customdata=counts,
            texttemplate="%{text}",
            textfont={"size": 10.5, "color": INK},
            colorscale=mirrored if lower_is_better else [list(stop) for stop in QUALITY],
            zmin=float(np.quantile(known, 0.05)) if known.size else 0.0,
            zmax=float(known.max()) if known.size else 1.0,
            xgap=1.5,
            ygap=1.5,
            showscale=False,
            hovertemplate=f"%{{x}} · %{{y}}: %{{z:.{digits}f}}{unit} (%{{customdata}})<extra></extra>",
        )
    )
    finish(figure, 140 + 26 * max(3, len(y)))
    figure.update_layout(margin_t=34)  # room for the buttons above the cells
    figure.update_xaxes(type="category", title={"text": html.escape(titles[0])}, showgrid=False)
    figure.update_yaxes(type="category", title={"text": html.escape(titles[1])}, showgrid=False)
    return figure


def yearly_bars(years: Mapping[int, float], benchmark_years: Mapping[int, float], *, benchmark: str) -> go.Figure:
    """Return of each year beside the benchmark's."""
    rows = sorted(years)
    labels = [str(year) for year in rows]
    mine = [round(100 * years[year], 2) for year in rows]
    theirs = [None if year not in benchmark_years else round(100 * benchmark_years[year], 2) for year in rows]
    figure = go.Figure()
    for colour, up in ((UP, True), (DOWN, False)):
        figure.add_bar(
            x=labels,
            y=[value if (value >= 0) is up else None for value in mine],
            name=_("Strategy"),
            marker={"color": colour},
            offsetgroup="strategy",
            legendgroup="strategy",
            showlegend=up,
            hovertemplate="%{x}: %{y:+.1f}%",
        )
    figure.add_bar(
        x=labels,
        y=theirs,
        name=benchmark,
        marker={"color": BENCHMARK},
        opacity=0.7,
        offsetgroup="benchmark",
        hovertemplate="%{x}: %{y:+.1f}%",
    )
    finish(figure, 300, barmode="group", bargap=0.28)
    figure.update_yaxes(ticksuffix="%")
    figure.update_xaxes(type="category")
    return figure


def reasons(sales: Sequence[tuple[str, int, str]]) -> go.Figure:
    """Share of sales by reason, the most frequent on top.

    Parameters
    ----------
    sales : (reason in words, number of sale orders, their profit in words)
    """
    ordered = sorted(sales, key=lambda item: item[1])
    numbers = [number for _name, number, _profit in ordered]
    total = sum(numbers) or 1
    figure = go.Figure(
        go.Bar(
            x=[round(100 * number / total, 2) for number in numbers],
            y=[name for name, _number, _profit in ordered],
            customdata=[profit for _name, _number, profit in ordered],
            orientation="h",
            marker={"color": STRATEGY},
            text=[f"{100 * number / total:.1f}% ({number:,})" for number in numbers],
            textposition="auto",
            hovertemplate="%{y}: %{text}<br>%{customdata}<extra></extra>",
            width=0.6,
        )
    )
    finish(figure, max(300, 60 + 42 * len(ordered)), showlegend=False)
    figure.update_xaxes(ticksuffix="%", range=[0, 100], gridcolor=GRID, showgrid=True)
    figure.update_yaxes(showgrid=False)
    return figure


def stock(
    sessions: Sequence[date] | Any,
    close: FloatArray,
    buys: Sequence[tuple[date, float]],
    sells: Sequence[tuple[date, float]],
) -> go.Figure:
    """One stock's price with its buys (red, up) and sells (blue, down); small, for a grid of many."""
    kept = thin(np.asarray(close, dtype=np.float64), 500)
    lowest, highest = np.nanmin(close, initial=np.inf), np.nanmax(close, initial=0.0)
    digits = ",.0f" if lowest >= 100.0 else ",.4~g"  # coins cost less than a won
    figure = go.Figure()
    figure.add_scatter(
        x=moments(np.asarray(sessions)[kept]),
        y=np.asarray(close, dtype=np.float32)[kept],
        mode="lines",
        line={"color": FLAT, "width": 1.2},
        hovertemplate=f"%{{x|%Y-%m-%d}} %{{y:{digits}}}<extra></extra>",
    )
    for name, marks, colour, shape in (
        (_("Buy"), buys, UP, "triangle-up"),
        (_("Sell"), sells, DOWN, "triangle-down"),
    ):
        figure.add_scatter(
            x=[moment for moment, _price in marks],
            y=[price for _moment, price in marks],
            mode="markers",
            name=name,
            marker={"color": colour, "symbol": shape, "size": 9, "line": {"width": 0.6, "color": "white"}},
            hovertemplate=f"{name} %{{x|%Y-%m-%d}} %{{y:{digits}}}<extra></extra>",
        )
    finish(figure, 170, showlegend=False)
    figure.update_xaxes(type="date", nticks=4, tickformat="%y-%m")
    steep = lowest > 0 and highest > LOG_FROM * lowest
    figure.update_yaxes(nticks=4, tickformat=digits, type="log" if steep else "linear", dtick="D2" if steep else None)
    return figure


def values(sessions: Sequence[date] | Any, series: FloatArray) -> go.Figure:
    """A factor of one stock over time; days without a value are gaps."""
    figure = go.Figure()
    figure.add_scatter(
        x=moments(np.asarray(sessions)),
        y=np.asarray(series, dtype=np.float64),
        mode="lines",
        line={"color": STRATEGY, "width": 1.6},
        connectgaps=False,
        hovertemplate="%{x|%Y-%m-%d} %{y:,.6g}<extra></extra>",
    )
    finish(figure, 210, showlegend=False)
    figure.update_xaxes(type="date", nticks=6, tickformat="%y-%m")
    figure.update_yaxes(nticks=5, tickformat=",~g")
    return figure


def two_curves(sessions: Sequence[date], curves: Mapping[str, FloatArray]) -> go.Figure:
    """Curves of money over the same sessions; days without a value are gaps."""
    figure = go.Figure()
    for (name, series), colour in zip(curves.items(), (STRATEGY, BENCHMARK), strict=True):
        figure.add_scatter(
            x=moments(np.asarray(sessions, dtype="datetime64[D]")),
            y=np.asarray(series, dtype=np.float64),
            name=name,
            mode="lines+markers" if len(sessions) < 30 else "lines",
            line={"color": colour, "width": 1.6},
            connectgaps=False,
            hovertemplate="%{x|%Y-%m-%d} %{y:,.0f}<extra></extra>",
        )
    finish(figure, 260)
    figure.update_xaxes(type="date", nticks=6, tickformat="%y-%m-%d")
    figure.update_yaxes(nticks=5, tickformat=",~s")
    return figure
