"""A result with and without the names that are gone."""

from __future__ import annotations

import numpy as np
import streamlit as st

from stocklab.backtest import METRICS
from stocklab.backtest.result import Result
from stocklab.research.survivorship import FIGURES, Survivorship
from stocklab.ui import blocks, cached, charts, navigation
from stocklab.ui import format as fmt
from stocklab.ui.result import compare_figures, trusted
from stocklab.ui.result.headline import metric_value
from stocklab.ui.result.trusted import Standing
from stocklab.ui.text import _, language, pick

__all__ = ["survivors_section"]


def survivors_section(result: Result) -> None:
    """Both runs, the gap, and how far the data hold the names; computed when asked for."""
    st.caption(
        _(
            "The same run once more as if the stocks that were delisted later had never been there. If it looks better "
            "without them, a test on today's list of stocks would have flattered the strategy by that much."
        )
    )
    known = trusted.known_survivors(result.run_id)
    if known is None and trusted.look_ahead(result).standing is Standing.STALE:
        st.info(_("The market data or the program changed since this run. Run it again first."), icon=":material/help:")
        return
    place = st.empty()
    if known is None and place.button(_("Compute"), key="compute_survivors", icon=":material/calculate:"):
        with blocks.guarded(), place, st.spinner(_("Running it without the names that are gone..."), show_time=True):
            known = trusted.survivors(result)
    if known is not None:
        _gap(known)


def _gap(found: Survivorship) -> None:
    few = _few_words(found)
    if few:
        st.warning(few, icon=":material/warning:")
    rows = [
        [
            pick(METRICS[figure].name_ko, METRICS[figure].name_en),
            metric_value(METRICS[figure].unit, found.run[figure], language()),
            metric_value(METRICS[figure].unit, found.survivors[figure], language()),
            _gap_words(METRICS[figure].unit, found.gap(figure)),
        ]
        for figure in FIGURES
    ]
    blocks.table([_("Figure"), _("All names"), _("Survivors"), _("Gap")], rows)
    _curves(found)
    blocks.facts(
        {
            _("Delisted by the last session, in the data"): fmt.count(found.delisted),
            _("Series that end early without a delisting"): fmt.count(found.ended),
            _("Delistings known for these sessions"): fmt.DASH if found.known is None else fmt.count(found.known),
            _("Of the names gone, in the universe"): fmt.count(found.in_universe),
            _("Of the names gone, bought"): fmt.count(found.traded),
        }
    )
    both = f"{found.run_id},{found.survivors_id}"
    navigation.link("results", _("Compare both results"), icon=":material/compare_arrows:", compare=both)


def _few_words(found: Survivorship) -> str:
    if found.known is None:
        return _("No list of delistings is loaded, so that nobody can say how many names are missing from the data.")
    if not found.few:
        return ""
    return _(
        "The data hold few of the names that are gone: {there}, of {known} delistings known for these sessions. The "
        "true gap may be larger than the one shown."
    ).format(there=fmt.count(found.delisted + found.ended), known=fmt.count(found.known))


def _curves(found: Survivorship) -> None:
    books = [cached.result(run_id).tables["daily"] for run_id in (found.run_id, found.survivors_id)]
    growth = np.stack([book["equity_krw"].to_numpy() / book["equity_krw"][0] for book in books])
    figure = compare_figures.curves(
        books[0]["session"].to_numpy().astype("datetime64[D]"),
        growth,
        [_("All names"), _("Survivors only")],
        log=False,
    )
    st.plotly_chart(figure, config=charts.CONFIG, key="chart_survivors")


def _gap_words(unit: str, gap: float | None) -> str:
    """A difference with its sign; of fractions in percentage points."""
    if gap is None:
        return fmt.DASH
    match unit:
        case "fraction":
            return fmt.percent(gap, signed=True) + "p"
        case "count":
            return f"{gap:+,.0f}"
        case _:
            return f"{round(gap, 2) + 0.0:+.2f}"  # no minus before 0.00
