"""The coverage map as a figure."""

from __future__ import annotations

from typing import Final

import plotly.graph_objects as go

from stocklab.data.coverage_map import REPORTS, CoverageCell, CoverageMap
from stocklab.ui import charts
from stocklab.ui import format as fmt
from stocklab.ui.data.names import DATASETS, SHORT
from stocklab.ui.text import _

__all__ = ["coverage_heatmap"]

_SHARES: Final = ((0.0, "#f7dcd3"), (0.5, "#f4ecd2"), (0.95, "#b9dcd2"), (1.0, "#5db6a3"))
"""From missing to whole: not the red and blue of prices."""
_FILLING: Final = 7
"""From so many datasets on the map is as wide as the page."""
_CELL_PIXELS: Final = 96
_LABELS_PIXELS: Final = 64


def coverage_heatmap(found: CoverageMap) -> go.Figure:
    """Years downward, the newest first; datasets across; the share in percent in each cell."""
    years = list(reversed(found.years))
    grid = [[found.cells.get((name, year)) for name in found.datasets] for year in years]
    figure = go.Figure(
        go.Heatmap(
            z=[[None if cell is None or cell.share is None else 100 * cell.share for cell in row] for row in grid],
            x=[_(SHORT[name]) for name in found.datasets],
            y=[str(year) for year in years],
            text=[[_words(cell) for cell in row] for row in grid],
            customdata=[["" if cell is None else _told(cell) for cell in row] for row in grid],
            texttemplate="%{text}",
            textfont={"size": 10.5, "color": charts.INK},
            colorscale=[list(stop) for stop in _SHARES],
            zmin=0,
            zmax=100,
            xgap=2,
            ygap=2,
            showscale=False,
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    few = len(found.datasets) < _FILLING  # a few cells as wide as the page would say nothing more
    charts.finish(figure, (44 + 30 * len(years)) if few else (96 + 26 * max(2, len(years))))
    if few:  # Plotly makes no room for labels by itself where a figure is this low
        figure.update_layout(margin_t=34, width=_LABELS_PIXELS + _CELL_PIXELS * len(found.datasets))
    figure.update_xaxes(side="top", type="category", tickangle=0 if few else -40, tickfont={"size": 10.5})
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    return figure


def _words(cell: CoverageCell | None) -> str:
    """Whole percent, never rounded up to 100."""
    if cell is None:
        return ""
    if cell.share is None:
        return fmt.count(cell.days)
    return "100" if cell.share >= 1 else str(int(100 * cell.share))


def _told(cell: CoverageCell) -> str:
    lines = [f"<b>{_(DATASETS[cell.dataset])}, {cell.year}</b>"]
    if cell.dataset in REPORTS:
        lines.append(
            _("{count} stocks with rows; the year with the most has {most}").format(
                count=fmt.count(cell.days), most=fmt.count(cell.expected)
            )
        )
        return "<br>".join(lines)
    if cell.share is None:
        lines.append(_("{count} sessions; the calendar does not reach back").format(count=fmt.count(cell.days)))
    else:
        held, expected = fmt.count(round(cell.share * cell.expected)), fmt.count(cell.expected)
        lines.append(_("{held} of {expected} sessions").format(held=held, expected=expected))
    symbols = _("Symbols a session: {typical} as a rule, {least} to {most}; fewest on {day}").format(
        typical=fmt.count(cell.typical), least=fmt.count(cell.least), most=fmt.count(cell.most), day=cell.thinnest
    )
    return "<br>".join([*lines, symbols])
