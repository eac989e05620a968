"""Figures of a factor: coverage by year, distribution, and what it is made of."""

from __future__ import annotations

import itertools
from typing import Any, Final

import plotly.graph_objects as go

from stocklab.data.factor_report import FactorReport
from stocklab.factors import CATALOGUE
from stocklab.factors.dependencies import Dependencies, definition_of, dependencies
from stocklab.factors.vocabulary import DERIVED, ITEMS, PARAMETERS
from stocklab.strategy.labels import label
from stocklab.ui.catalogue import unit_of
from stocklab.ui.factors.numbers import amount
from stocklab.ui.text import _, language
from stocklab.ui.theme import GRID, STRATEGY

__all__ = ["coverage", "graph", "graph_size", "histogram", "legend"]

_COLUMN_WIDTHS: Final = {"ko": 190, "en": 220}
_GRAPH_ROW: Final = 36
_LONGEST_NAMES: Final = {"ko": 15, "en": 27}  # letters a box has room for
_FILLS: Final = {"factor": "#0d7a6f", "derived": "#5b7f95", "field": "#1d6fdc", "item": "#b06a16", "other": "#8a94a6"}


def coverage(report: FactorReport) -> go.Figure:
    """Percent of the listed common stocks that have a value, year by year."""
    percent = [round(100 * year.share, 1) for year in report.years]
    drawn = go.Figure(
        go.Bar(
            x=[str(year.year) for year in report.years],
            y=percent,
            customdata=[f"{year.stocks:,.0f}" for year in report.years],
            marker={"color": STRATEGY},
            hovertemplate="%{x}: %{y:.1f}% · %{customdata}<extra></extra>",
        )
    )
    _lay_out(drawn, 210)
    drawn.update_yaxes(range=[0, 101], ticksuffix="%", nticks=5)
    drawn.update_xaxes(type="category")
    return drawn


def histogram(report: FactorReport, factor_id: str) -> go.Figure:
    """How many stocks have which value, between the 1 and 99 % quantiles; the median is marked."""
    spoken, unit = language(), unit_of(factor_id)
    edges = report.edges
    middles = [(low + high) / 2 for low, high in itertools.pairwise(edges)]
    whole = all(middle == round(middle) for middle in middles)
    words = [
        amount(low if not whole else middle, unit, spoken) + ("" if whole else f" – {amount(high, unit, spoken)}")
        for low, middle, high in zip(edges[:-1], middles, edges[1:], strict=True)
    ]
    drawn = go.Figure(
        go.Bar(
            x=middles,
            y=list(report.counts),
            width=[0.92 * (high - low) for low, high in itertools.pairwise(edges)],
            customdata=words,
            marker={"color": STRATEGY},
            hovertemplate="%{customdata}: %{y:,}<extra></extra>",
        )
    )
    _lay_out(drawn, 210)
    if report.known:
        drawn.add_vline(x=report.median, line={"color": "#d92d3a", "width": 1.5, "dash": "dot"})
    drawn.update_yaxes(nticks=4, tickformat=",d")
    drawn.update_xaxes(nticks=7)
    return drawn


def graph_size(factor_id: str) -> tuple[int, int]:
    """Width and height of the graph in pixels."""
    layers = dependencies(factor_id).layers
    return _COLUMN_WIDTHS[language()] * len(layers), 24 + _GRAPH_ROW * max(len(layer) for layer in layers)


def graph(factor_id: str) -> go.Figure:
    """A factor on the left, what its formula uses to the right of it, down to fields and statement items."""
    found = dependencies(factor_id)
    places = _places(found)
    drawn = go.Figure()
    lines: dict[str, list[float | None]] = {"x": [], "y": []}
    for above, below in found.edges:
        (x1, y1), (x2, y2) = places[above], places[below]
        lines["x"] += [x1 + 0.1, x2 + 0.1, None]  # the boxes lie over the ends
        lines["y"] += [y1, y2, None]
    drawn.add_scatter(
        **lines,
        mode="lines",
        line={"color": "rgba(128,138,155,.55)", "width": 1},
        hoverinfo="skip",
        showlegend=False,
    )
    for name, (x, y) in places.items():
        drawn.add_annotation(**_box(name, x, y))
    width, height = graph_size(factor_id)
    drawn.update_layout(width=width, height=height, margin={"l": 2, "r": 2, "t": 2, "b": 2}, showlegend=False)
    drawn.update_xaxes(visible=False, range=[-0.02, len(found.layers) - 0.1], fixedrange=True)
    tallest = max(len(layer) for layer in found.layers)
    drawn.update_yaxes(visible=False, range=[-tallest / 2 - 0.2, tallest / 2 + 0.2], fixedrange=True)
    return drawn


def _box(name: str, x: float, y: float) -> dict[str, Any]:
    words = label(name, language())
    room = _LONGEST_NAMES[language()]
    short = words if len(words) <= room else words[: room - 1] + "…"
    formula = definition_of(name)
    return {
        "x": x,
        "y": y,
        "text": short,
        "hovertext": f"{words}<br>{name}" + ("" if formula is None else f"<br>{_folded(formula)}"),
        "showarrow": False,
        "xanchor": "left",
        "bgcolor": _FILLS[_kind(name)],
        "font": {"color": "white", "size": 12},
        "borderpad": 4,
    }


def _folded(formula: str, width: int = 60) -> str:
    """A long formula in lines, for a hover text."""
    return "<br>".join(formula[first : first + width] for first in range(0, len(formula), width)).replace("&", "&amp;")


def _kind(name: str) -> str:
    if name in CATALOGUE:
        return "factor"
    if name in DERIVED:
        return "derived"
    if name in ITEMS:
        return "item"
    return "other" if name in PARAMETERS else "field"


def _places(found: Dependencies) -> dict[str, tuple[float, float]]:
    """Each name's column and row: near the middle of those that use it, so that few lines cross."""
    users: dict[str, list[str]] = {}
    for above, below in found.edges:
        users.setdefault(below, []).append(above)
    places: dict[str, tuple[float, float]] = {}
    for column, layer in enumerate(found.layers):

        def middle(name: str) -> float:
            rows = [places[user][1] for user in users.get(name, ()) if user in places]
            return -sum(rows) / len(rows) if rows else 0.0

        ordered = sorted(layer, key=middle)
        for row, name in enumerate(ordered):
            places[name] = (float(column), (len(ordered) - 1) / 2 - row)
    return places


def legend() -> dict[str, str]:
    """What the colours of the graph mean."""
    return {
        _FILLS["factor"]: _("Factor"),
        _FILLS["derived"]: _("Derived value"),
        _FILLS["item"]: _("Statement item"),
        _FILLS["field"]: _("Price, volume or market field"),
    }


def _lay_out(drawn: go.Figure, height: int) -> None:
    drawn.update_layout(
        height=height,
        margin={"l": 4, "r": 4, "t": 8, "b": 4},
        hoverlabel={"font": {"size": 12}},
        showlegend=False,
        bargap=0.2,
    )
    drawn.update_xaxes(showgrid=False, zeroline=False, automargin=True)
    drawn.update_yaxes(gridcolor=GRID, zeroline=False, automargin=True)
