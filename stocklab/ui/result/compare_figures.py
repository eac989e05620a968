"""Figures of a comparison: curves with drawdowns, and a table of pairs in colour."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Final

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from stocklab.types import DateArray, FloatArray
from stocklab.ui.charts import BY_SPAN, INK, drawdown, finish, moments, thin
from stocklab.ui.theme import STRATEGY

__all__ = ["COLOURS", "curves", "pairs"]

COLOURS: Final = (
    STRATEGY, "#c77d1e", "#5b5fc7", "#b0387f", "#5d8a2f", "#2f7fb5", "#8c5a3c", "#7a7f87", "#a99a1d", "#d2584c",
)  # fmt: skip
"""One for each of ten results, told apart on white and on black; neither the red nor the blue of up and down."""
_PALE: Final = ((0.0, "#f3f5f6"), (1.0, "#4fb3a6"))
_TWO_SIDED: Final = ((0.0, "#e3b275"), (0.5, "#f3f5f6"), (1.0, "#4fb3a6"))


def curves(sessions: DateArray, growth: FloatArray, names: Sequence[str], *, log: bool) -> go.Figure:
    """Growth of each result from the first common session, drawdowns beneath.

    Parameters
    ----------
    growth : (n_results, n_sessions) multiples of the first session
    log : growth of 100 on a log scale instead of percent on a linear one
    """
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.72, 0.28], vertical_spacing=0.04)
    limit = max(300, 5000 // len(names))
    for name, line, colour in zip(names, growth, COLOURS, strict=False):
        kept = thin(line, limit)
        days = moments(sessions[kept])
        shown = (100.0 * line if log else 100.0 * (line - 1.0))[kept]
        for row, values, template in (
            (1, shown, "%{y:,.1f}" if log else "%{y:+,.1f}%"),
            (2, 100.0 * drawdown(line)[kept], "%{y:.1f}%"),
        ):
            figure.add_scatter(
                x=days,
                y=np.round(values, 3).astype(np.float32),
                name=html.escape(name),
                mode="lines",
                line={"color": colour, "width": 1.8 if row == 1 else 1.0},
                hovertemplate=template,
                showlegend=row == 1,
                legendgroup=name,
                row=row,
                col=1,
            )
    finish(figure, 470 + 22 * (len(names) // 3), hovermode="x unified")
    figure.update_yaxes(type="log" if log else "linear", ticksuffix="" if log else "%", row=1, col=1)
    figure.update_yaxes(ticksuffix="%", nticks=4, row=2, col=1)
    figure.update_xaxes(type="date", hoverformat="%Y-%m-%d", tickformatstops=BY_SPAN)
    return figure


def pairs(values: FloatArray, names: Sequence[str], *, two_sided: bool) -> go.Figure:
    """A number for every pair of results; ``two_sided`` colours from -1 to 1, else from 0 to 1."""
    labels = [str(place + 1) for place in range(len(names))]
    words = [["–" if np.isnan(value) else f"{value:.2f}" for value in row] for row in values]
    told = [[f"{html.escape(mine)}<br>{html.escape(theirs)}" for theirs in names] for mine in names]
    figure = go.Figure(
        go.Heatmap(
            z=np.round(values, 3),
            x=labels,
            y=labels,
            text=words,
            customdata=told,
            texttemplate="%{text}",
            textfont={"color": INK, "size": 11},
            hovertemplate="%{customdata}: %{text}<extra></extra>",
            zmin=-1.0 if two_sided else 0.0,
            zmax=1.0,
            colorscale=_TWO_SIDED if two_sided else _PALE,
            showscale=False,
            xgap=2,
            ygap=2,
        )
    )
    finish(figure, 90 + 30 * len(names))
    figure.update_xaxes(type="category", side="top", fixedrange=True)
    figure.update_yaxes(type="category", autorange="reversed", fixedrange=True)
    return figure
