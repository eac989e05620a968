"""What trading cost, and how the result depends on the capital and on the slippage assumed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from stocklab.backtest.result import Result
from stocklab.research.capacity import Point
from stocklab.ui import blocks, cached, charts
from stocklab.ui import format as fmt
from stocklab.ui.text import _, language
from stocklab.ui.theme import BENCHMARK, STRATEGY

__all__ = ["costs"]

_PARTS = ("commission_krw", "tax_krw", "slippage_krw")
_FEW = 0.9


def costs(result: Result) -> None:
    """Where the money went; then the same run with other capital and other slippage, computed when asked for."""
    st.subheader(_("What trading cost"), anchor=False)
    _breakdown(result)
    st.subheader(_("With more or less capital, with more or less slippage"), anchor=False)
    st.caption(
        _(
            "The same run again with one number changed. More capital meets the cap on the share of a day's volume; "
            "less cannot buy whole shares of everything. What your own orders do to the price is not in it: that is "
            "what slippage stands for."
        )
    )
    known = cached.known_capacity(result.run_id)
    place = st.empty()
    if known is None and place.button(_("Compute"), key="compute_capacity", icon=":material/calculate:"):
        with blocks.guarded(), place, st.spinner(_("Running it again with other numbers..."), show_time=True):
            known = cached.capacity(result)
    if known is not None:
        by_capital, by_slippage = known
        spoken = language()
        _curve(by_capital, _("Capital"), lambda value: fmt.krw(value, spoken), key="capital", own=_cash(result))
        _curve(by_slippage, _("Slippage"), fmt.percent, key="slippage", own=_slippage(result))


def _cash(result: Result) -> float:
    return float(result.card["initial_cash_krw"])


def _slippage(result: Result) -> float:
    return float(result.card["strategy"]["costs"]["slippage_rate"])


def _breakdown(result: Result) -> None:
    """Commission, tax and slippage, in won, as a part of all costs and a year in percent of the mean equity."""
    found, spoken = result.metrics, language()
    total, per_year = found["costs_krw"], found["cost_per_year"]
    names = {"commission_krw": _("Commission"), "tax_krw": _("Tax"), "slippage_krw": _("Slippage")}
    rows = []
    for key in (*_PARTS, "costs_krw"):
        part = found[key] / total if total else None
        yearly = None if part is None or per_year is None else part * per_year
        rows.append(
            [
                names.get(key, _("Together")),
                fmt.krw(found[key], spoken),
                fmt.percent(part, digits=1),
                fmt.percent(yearly, digits=2),
            ]
        )
    blocks.table([_("Cost"), _("Amount"), _("Share of costs"), _("A year, of the equity")], rows, stacked=True)


def _curve(points: Sequence[Point], name: str, words: Callable[[float], str], *, key: str, own: float) -> None:
    """Return a year for each value as a figure and as a table; the run's own value is marked."""
    labels = [words(point.value) for point in points]
    figure = go.Figure(
        go.Bar(
            x=labels,
            y=[None if point.cagr is None else round(100.0 * point.cagr, 2) for point in points],
            marker={"color": [STRATEGY if point.value == own else BENCHMARK for point in points]},
            hovertemplate="%{x}: %{y:+.1f}%<extra></extra>",
        )
    )
    charts.finish(figure, 230)
    figure.update_xaxes(type="category", title={"text": name})
    figure.update_yaxes(ticksuffix="%", nticks=5, title={"text": _("CAGR")})
    st.plotly_chart(figure, config=charts.CONFIG, key=f"chart_{key}")
    rows: list[dict[str, Any]] = [
        {
            "value": label,
            "cagr": _hundred(point.cagr),
            "total_return": _hundred(point.total_return),
            "max_drawdown": _hundred(point.max_drawdown),
            "cost": _hundred(point.cost_per_year),
            "bought": _hundred(point.bought),
            "n_trades": point.n_trades,
        }
        for label, point in zip(labels, points, strict=True)
    ]
    percent = "%.1f%%"
    st.dataframe(
        rows,
        hide_index=True,
        height="content",
        placeholder=fmt.DASH,
        column_config={
            "value": st.column_config.TextColumn(name, pinned=True),
            "cagr": st.column_config.NumberColumn(_("CAGR"), format=percent),
            "total_return": st.column_config.NumberColumn(_("Total return"), format=percent),
            "max_drawdown": st.column_config.NumberColumn(_("Maximum drawdown"), format=percent),
            "cost": st.column_config.NumberColumn(_("Cost per year"), format=percent),
            "bought": st.column_config.NumberColumn(_("Purchases filled"), format=percent),
            "n_trades": st.column_config.NumberColumn(_("Trades"), format="localized"),
        },
    )
    if key == "capital" and points[-1].bought < _FEW:
        short = _("From {capital} on, less than 90 % of a purchase is filled on average.")
        st.caption(short.format(capital=_short_from(points, words)))


def _short_from(points: Sequence[Point], words: Callable[[float], str]) -> str:
    """The smallest capital from which on purchases stay short, also with every larger one."""
    first = len(points)
    while first > 0 and points[first - 1].bought < _FEW:
        first -= 1
    return words(points[first].value)


def _hundred(value: float | None) -> float | None:
    return None if value is None else 100.0 * value
