"""Results side by side: which, over which days, how they differ, and whether that is more than luck."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from stocklab.backtest.result import Result
from stocklab.research.compare import FEWEST_SESSIONS, MOST_RESULTS, Comparison
from stocklab.ui import blocks, cached, charts, identity, navigation
from stocklab.ui import format as fmt
from stocklab.ui.result import compare_figures
from stocklab.ui.text import _

__all__ = ["comparison_page"]

_CERTAIN = 0.05


def comparison_page(asked: str) -> None:
    """The page behind ``?compare=ID,ID``.

    Raises
    ------
    ResultNotFound, DataError
        A result named in the link is not stored here, or is somebody else's.
    """
    blocks.title(_("Compare results"), _("Two to ten results over the days they have in common."))
    run_ids = _choose([run_id for run_id in dict.fromkeys(asked.split(",")) if run_id])
    navigation.link("results", _("All results"), icon=":material/list:")
    if len(run_ids) < 2:
        blocks.empty(
            _("Choose at least two results."),
            _("Add them above: every backtest you ran is on the list."),
            icon=":material/compare_arrows:",
        )
        return
    for run_id in run_ids:
        cached.lab().access.require(identity.owner_id(), run_id)
    results = [cached.result(run_id) for run_id in run_ids]
    with blocks.guarded():
        found = cached.comparison(run_ids)
        _draw(found, results)


def _choose(asked: Sequence[str]) -> tuple[str, ...]:
    """Which results, kept in the link; the first is the one the others are measured by."""
    lab = cached.lab()
    known = {run.run_id: _label(run.name, run.start, run.end) for run in lab.runs.list(identity.owner_id())}
    for run_id in asked:
        if run_id not in known:
            lab.access.require(identity.owner_id(), run_id)
            card = cached.result(run_id).card
            known[run_id] = _label(str(card["name"]), card["start"], card["end"])
    if st.session_state.get("compare_link") != ",".join(asked) or "compare_runs" not in st.session_state:
        st.session_state["compare_runs"] = list(asked[:MOST_RESULTS])  # another link than the one this page wrote
    chosen = st.multiselect(
        _("Results"),
        list(known),
        format_func=lambda run_id: f"{known[run_id]} · {run_id[:6]}",
        key="compare_runs",
        max_selections=MOST_RESULTS,
        placeholder=_("Choose results"),
        help=_("The others are measured by the first."),
    )
    st.session_state["compare_link"] = st.query_params["compare"] = ",".join(chosen)
    return tuple(chosen)


def _label(name: str, start: object, end: object) -> str:
    return f"{name} ({str(start)[:7]} – {str(end)[:7]})"


def _draw(found: Comparison, results: Sequence[Result]) -> None:
    names = [f"{place + 1} {result.card['name']}" for place, result in enumerate(results)]
    _common(found, results)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
        st.subheader(_("Growth over the common days"), anchor=False, width="content")
        log = st.toggle(_("Log scale"), key="compare_log")
    st.plotly_chart(
        compare_figures.curves(found.sessions, found.growth, names, log=log), config=charts.CONFIG, key="chart_compare"
    )
    st.subheader(_("Figures"), anchor=False)
    _figures(found, results, names)
    st.subheader(_("Is the difference more than luck?"), anchor=False)
    _differences(found, names)
    left, right = st.columns(2)
    with left:
        st.subheader(_("Same stocks held"), anchor=False)
        drawn = compare_figures.pairs(found.overlap, names, two_sided=False)
        st.plotly_chart(drawn, config=charts.CONFIG, key="chart_overlap")
        st.caption(_("Mean share of the equity that both hold in the same stocks; the diagonal is what is invested."))
    with right:
        st.subheader(_("Correlation of daily returns"), anchor=False)
        drawn = compare_figures.pairs(found.correlation, names, two_sided=True)
        st.plotly_chart(drawn, config=charts.CONFIG, key="chart_correlation")
        st.caption(_("1: they rise and fall together; 0: independently. The lower, the steadier is a mix of both."))


def _common(found: Comparison, results: Sequence[Result]) -> None:
    """The common days, and what makes the results less comparable than they look."""
    first, last = fmt.day(str(found.sessions[0])), fmt.day(str(found.sessions[-1]))
    labels = [
        blocks.badge(f"{first} – {last}", "date_range"),
        blocks.badge(_("{count} sessions").format(count=fmt.count(len(found.sessions))), "calendar_month"),
    ]
    if any(result.card["synthetic"] for result in results):
        labels.append(blocks.demo_badge())
    blocks.badges(labels)
    warnings = {
        ("start", "end"): _("The results begin or end on different days: only the common ones are compared."),
        ("price_basis",): _("Some results trade raw prices and some adjusted ones, which is part of the difference."),
        ("snapshot_id",): _("The results were made on different versions of the market data."),
    }
    for keys, words in warnings.items():
        if len({tuple(str(result.card.get(key)) for key in keys) for result in results}) > 1:
            st.caption(f":orange[:material/warning: {words}]")


def _figures(found: Comparison, results: Sequence[Result], names: Sequence[str]) -> None:
    """The first four are of the common days, the others of each whole run."""
    rows: list[dict[str, Any]] = []
    for name, part, result in zip(names, found.figures, results, strict=True):
        whole = result.metrics
        rows.append(
            {
                "name": name,
                "total_return": _hundred(part.total_return),
                "cagr": _hundred(part.cagr),
                "volatility": _hundred(part.volatility),
                "max_drawdown": _hundred(part.max_drawdown),
                "sharpe": whole.get("sharpe"),
                "win_rate": _hundred(whole.get("win_rate")),
                "turnover": _hundred(whole.get("turnover")),
                "cost": _hundred(whole.get("cost_per_year")),
                "n_trades": whole.get("n_trades"),
            }
        )
    st.dataframe(
        rows,
        hide_index=True,
        height="content",
        placeholder=fmt.DASH,
        column_config={
            "name": st.column_config.TextColumn(_("Result"), pinned=True),
            "total_return": _percent(_("Total return")),
            "cagr": _percent(_("CAGR")),
            "volatility": _percent(_("Volatility")),
            "max_drawdown": _percent(_("Maximum drawdown")),
            "sharpe": st.column_config.NumberColumn(_("Sharpe"), format="%.2f"),
            "win_rate": _percent(_("Win rate")),
            "turnover": _percent(_("Turnover")),
            "cost": _percent(_("Cost per year")),
            "n_trades": st.column_config.NumberColumn(_("Trades"), format="localized"),
        },
    )
    st.caption(_("Return, CAGR, volatility and drawdown are of the common days, the others of each whole run."))


def _percent(words: str) -> Any:
    return st.column_config.NumberColumn(words, format="%.1f%%")


def _hundred(value: float | None) -> float | None:
    return None if value is None else 100.0 * value


def _differences(found: Comparison, names: Sequence[str]) -> None:
    """Each result against the first, in words."""
    rows = []
    for name, gap in zip(names[1:], found.differences, strict=True):
        mean, low, high = (fmt.percent(value, digits=1, signed=True) for value in (gap.per_year, gap.low, gap.high))
        chance = "< 0.001" if gap.p_value < 0.001 else "= " + fmt.decimal(gap.p_value, digits=3)
        rows.append([name, f"{mean} ({low} ~ {high})", f"{_verdict(gap.p_value)} (p {chance})"])
    heads = [_("Difference a year (95 %)"), _("Verdict")]
    blocks.table([_("Against {name}").format(name=names[0]), *heads], rows, stacked=True)
    with st.expander(_("How this is judged"), icon=":material/help:"):
        st.markdown(
            _(
                "The difference is the mean of the daily differences in return, times the sessions of a year. Days in "
                "a row are not independent, so the differences are drawn again 2,000 times in blocks of days (the "
                "stationary bootstrap); the interval holds 95 % of the redrawn means. The p-value is the chance of a "
                "difference at least this large if there were none, adjusted for the number of results compared "
                "(Holm). It knows nothing of variants tried before and left out: choosing the best of many makes every "
                "difference look larger than it is. At least {count} common days are needed."
            ).format(count=FEWEST_SESSIONS)
        )


def _verdict(p_value: float) -> str:
    return _("A real difference is likely") if p_value < _CERTAIN else _("May be luck")
