"""The head of a result: what was run, on which prices, and its figures, each explained on hover."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any, Final

import streamlit as st

from stocklab.backtest import METRICS
from stocklab.backtest.result import Result
from stocklab.errors import StockLabError
from stocklab.strategy import parse_document
from stocklab.ui import blocks, cached, identity, navigation, text
from stocklab.ui import format as fmt
from stocklab.ui.builder import state
from stocklab.ui.builder.fields import escape
from stocklab.ui.result import frames
from stocklab.ui.result.look_ahead_badge import look_ahead_badge
from stocklab.ui.shared import services
from stocklab.ui.text import Language, _, language, pick, speaking

__all__ = ["actions", "head", "metric_help", "metric_value", "metrics"]

MAIN: Final = ("total_return", "cagr", "max_drawdown", "sharpe", "win_rate", "n_trades")
SIGNED: Final = frozenset({"total_return", "cagr", "alpha", "excess_return", "profit_krw", "benchmark_return"})
"""Figures whose sign is coloured: up red, down blue."""
KEPT_SECONDS: Final = 20.0
KEPT_MOST: Final = 1000
_Key = tuple[str, str, str]
_tried_until: dict[_Key, tuple[float, int]] = {}
_kept_until: dict[_Key, tuple[float, bool | None]] = {}


def head(result: Result) -> None:
    """Name, range, cash and the labels of the data."""
    card, spoken = result.card, language()
    st.title(escape(str(card["name"])), anchor=False)
    basis = str(card["price_basis"])
    labels = [
        blocks.badge(f"{card['start']} – {card['end']}", "date_range"),
        blocks.badge(fmt.krw(card["initial_cash_krw"], spoken), "account_balance_wallet"),
        blocks.basis_badge(basis),
    ]
    read = card.get("statements")
    if read is not None and read["mode"] == "restated":
        labels.append(blocks.badge(_("Restated: hindsight, numbers as corrected later"), "history", "orange"))
    tried = _tried(result)
    if tried > 1:
        words = _("{count} variants of this idea were tried").format(count=fmt.count(tried))
        labels.append(blocks.badge(words, "casino", "orange"))
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        blocks.badges([*labels, blocks.demo_badge()] if card["synthetic"] else labels, hint=blocks.basis_hint(basis))
        look_ahead_badge(result)


def metrics(result: Result) -> None:
    """The headline figures, then all others."""
    shown = [key for key in MAIN if key in result.metrics]
    with st.grid(6, min_column_width=140, gap="xsmall"):
        for key in shown:
            _metric(key, result.metrics[key], note=_note(key, result))
    with st.expander(_("All figures"), key="all_metrics", on_change="rerun", icon=":material/functions:") as rest:
        if rest.open:
            with st.grid(6, min_column_width=140, gap="xsmall"):
                for key in METRICS:
                    if key not in shown and key in result.metrics:
                        _metric(key, result.metrics[key])


def _note(key: str, result: Result) -> str | None:
    """What puts a headline figure into proportion."""
    found, spoken = result.metrics, language()
    match key:
        case "total_return" | "cagr":
            other = found.get("benchmark_return" if key == "total_return" else "benchmark_cagr")
            return f"{result.card['benchmark']} {fmt.percent(other, digits=1, signed=True)}"
        case "max_drawdown":
            return " → ".join(fmt.day(found.get(f"max_drawdown_{end}"))[:7] for end in ("peak", "trough"))
        case "sharpe":
            return _("Volatility {value}").format(value=fmt.percent(found.get("volatility"), digits=1))
        case "win_rate":
            return _("Profit factor {value}").format(value=fmt.decimal(found.get("profit_factor")))
        case _:
            return _("{days} held").format(days=fmt.days(found.get("avg_holding_days"), spoken))


def _metric(key: str, value: Any, note: str | None = None) -> None:
    info = METRICS[key]
    spoken = language()
    colour = fmt.sign_class(value) if key in SIGNED else "flat"
    place = st.container(key=f"{colour}-{key}") if colour != "flat" else st
    place.metric(
        pick(info.name_ko, info.name_en),
        metric_value(info.unit, value, spoken, signed=key in SIGNED),
        delta=note,
        delta_color="off",
        delta_arrow="off",
        help=metric_help(key, spoken),
        border=True,
    )


@lru_cache(maxsize=256)
def metric_help(key: str, spoken: Language) -> str:
    """Formula, inputs and pitfalls of a figure."""
    info = METRICS[key]
    with speaking(spoken):
        parts = (
            (_("Formula"), pick(info.formula_ko, info.formula_en)),
            (_("Inputs"), pick(info.inputs_ko, info.inputs_en)),
            (_("Pitfalls"), pick(info.pitfalls_ko, info.pitfalls_en)),
        )
    return "\n\n".join(f"**{name}**: {escape(words)}" for name, words in parts if words)


def metric_value(unit: str, value: Any, spoken: Language, *, signed: bool = False) -> str:
    """A figure in its unit."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return fmt.day(value) if isinstance(value, str) else fmt.DASH
    match unit:
        case "fraction":
            return fmt.percent(value, signed=signed)
        case "krw":
            return fmt.krw(value, spoken, signed=signed)
        case "days" | "sessions":
            return fmt.days(value, spoken)
        case "count":
            return fmt.count(value)
        case _:
            return fmt.decimal(value)


def actions(result: Result) -> None:
    """Edit and run again, save the strategy, keep the run."""
    with st.container(horizontal=True, gap="small"):
        if st.button(_("Edit and run again"), key="edit_run", icon=":material/tune:", type="primary"):
            _open_in_builder(result)
            navigation.go("builder")
        st.button(
            _("Save strategy"), key="save_strategy", icon=":material/save:", on_click=_save_strategy, args=(result,)
        )
        if st.button(_("Compare"), key="compare_run", icon=":material/compare_arrows:"):
            navigation.go("results", compare=result.run_id)
        if st.button(_("Trade this"), key="trade_run", icon=":material/smart_toy:"):
            navigation.go("trading", result=result.run_id)
        kept = _kept(result.run_id)
        if kept is not None:
            st.button(
                _("Remove from portfolios") if kept else _("Save as portfolio"),
                key="keep_run",
                icon=":material/bookmark_remove:" if kept else ":material/bookmark_add:",
                on_click=_keep,
                args=(result.run_id, not kept),
            )
    told = st.session_state.pop("result_message", None)
    if told:
        (st.success if told[0] else st.error)(told[1])


def _document(result: Result) -> dict[str, Any]:
    return dict(result.card["strategy"])


def _open_in_builder(result: Result) -> None:
    _basis, start, end = frames.price_range(result)
    owner_id = identity.owner_id()
    origin_id = services.clones().origin_of_run(owner_id, result.run_id)
    origin = origin_id and services.clones().origin(owner_id, origin_id)
    state.load(parse_document(_document(result)), start=start, end=end, origin=origin or None, origin_id=origin_id)


def _save_strategy(result: Result) -> None:
    lab = cached.lab()
    try:
        owner_id = identity.owner_id()
        origin_id = services.clones().origin_of_run(owner_id, result.run_id)
        saved = lab.strategies.save(owner_id, parse_document(_document(result)), origin_id=origin_id)
    except StockLabError as error:
        st.session_state["result_message"] = (False, text.for_error(error))
        return
    words = _("Saved in My strategies as {name}.").format(name=escape(saved.name))
    st.session_state["result_message"] = (True, words)


def _key(run_id: str) -> _Key:
    """What is remembered of a run, is so for one owner."""
    return str(cached.lab().store.home), identity.owner_id(), run_id


def _kept(run_id: str) -> bool | None:
    """Whether the run is a portfolio; None when it is not on this owner's list (opened by a link).

    Remembered for a moment: the answer comes from the database, and a page asks at every run.
    """
    lab, now = cached.lab(), time.monotonic()
    key = _key(run_id)
    known = _kept_until.get(key)
    if known is not None and known[0] > now:
        return known[1]
    try:
        kept: bool | None = lab.runs.get(identity.owner_id(), run_id).is_portfolio
    except StockLabError:
        kept = None
    if len(_kept_until) >= KEPT_MOST:
        _kept_until.clear()
    _kept_until[key] = (now + KEPT_SECONDS, kept)
    return kept


def _tried(result: Result) -> int:
    """Variants of the run's idea that were tried; remembered for a moment, as whether it is kept."""
    lab, now = cached.lab(), time.monotonic()
    key = _key(result.run_id)
    known = _tried_until.get(key)
    if known is not None and known[0] > now:
        return known[1]
    count = lab.ideas.count(identity.owner_id(), parse_document(_document(result)))
    if len(_tried_until) >= KEPT_MOST:
        _tried_until.clear()
    _tried_until[key] = (now + KEPT_SECONDS, count)
    return count


def _keep(run_id: str, wanted: bool) -> None:
    lab = cached.lab()
    try:
        lab.runs.set_portfolio(identity.owner_id(), run_id, wanted)
    except StockLabError as error:
        st.session_state["result_message"] = (False, text.for_error(error))
    _kept_until.clear()
