"""Why a stock has its value: a stock, a day, and the numbers that went in."""

from __future__ import annotations

from datetime import date
from typing import Final

import streamlit as st

from stocklab.factors import Factor
from stocklab.factors.explain_value import Explanation
from stocklab.ui import blocks, cached, catalogue
from stocklab.ui import format as fmt
from stocklab.ui.builder.fields import bind
from stocklab.ui.factors import lookups
from stocklab.ui.factors.numbers import amount, exact
from stocklab.ui.factors.tree import tree_html
from stocklab.ui.text import _, language

__all__ = ["value_section"]

_SYMBOL: Final = "factor_symbol"
_DAY: Final = "factor_day"
_SEEN: Final = "factor_link_seen"


def value_section(factor: Factor) -> None:
    """The value of a chosen stock, taken apart."""
    st.subheader(_("Why this value?"), anchor=False)
    symbol, on = _choose()
    if symbol is None:
        return
    with blocks.guarded():
        found = lookups.explanation(factor.id, symbol, on)
        _headline(factor, found)
        st.html(tree_html(found))
        st.caption(
            _("Every number comes from the engine that runs backtests; point at one to see all its digits.")
            + (" " + _("Ranks are among all stocks listed on the day.") if "xs" in factor.tokens else "")
        )


def _choose() -> tuple[str | None, date | None]:
    names = cached.symbol_names()
    span = cached.span()
    if not names or span is None:
        return None, None
    _read_link(names, span)
    first, second = st.columns([2, 1])
    with first:
        symbol = st.selectbox(_("Stock"), list(names), format_func=names.__getitem__, key=_SYMBOL, on_change=_to_link)
    with second:
        on = st.date_input(
            _("At the close of"),
            min_value=span[0],
            max_value=span[1],
            key=_DAY,
            format="YYYY-MM-DD",
            on_change=_to_link,
        )
    return symbol, on if isinstance(on, date) else None


def _read_link(names: dict[str, str], span: tuple[date, date]) -> None:
    """Stock and day of the link when it is new; else what was chosen last, also on the page of another factor."""
    asked = (st.query_params.get("symbol"), st.query_params.get("date"))
    kept = st.session_state.get(_SEEN)
    if kept is None or (asked != (None, None) and asked != kept["link"]):
        symbol = asked[0] if asked[0] in names else lookups.default_symbol()
        kept = {"link": asked, "symbol": symbol, "day": _day(asked[1], span)}
        st.session_state[_SEEN] = kept
    if kept["symbol"] not in names:
        kept["symbol"] = lookups.default_symbol()
    bind(_SYMBOL, kept["symbol"])
    bind(_DAY, min(max(kept["day"], span[0]), span[1]))


def _day(text: str | None, span: tuple[date, date]) -> date:
    try:
        return date.fromisoformat(text) if text else span[1]
    except ValueError:
        return span[1]


def _to_link() -> None:
    """Callback: the choice becomes part of the link."""
    symbol, day = st.session_state[_SYMBOL], st.session_state[_DAY]
    st.query_params["symbol"] = symbol
    span = cached.span()
    if span is not None and day == span[1]:
        st.query_params.pop("date", None)
    else:
        st.query_params["date"] = day.isoformat()
    link = (symbol, st.query_params.get("date"))
    st.session_state[_SEEN] = {"link": link, "symbol": symbol, "day": day}


def _headline(factor: Factor, found: Explanation) -> None:
    name = cached.names().get(found.symbol) or found.symbol
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="factor_value"):
        st.metric(
            _("{factor} of {stock}").format(factor=catalogue.factor_name(factor.id), stock=name),
            amount(found.value, factor.unit, language()),
            help=exact(found.value),
            width="content",
        )
        st.markdown(" ".join(_labels(found)), width="content")


def _labels(found: Explanation) -> list[str]:
    labels = [blocks.badge(_("Close of {session}").format(session=fmt.day(found.session)), "event")]
    if not found.listed:
        labels.append(blocks.badge(_("Not listed on that day"), "block", "orange"))
    view = found.view
    if view is not None:
        basis = _("consolidated") if view.consolidated else _("separate")
        words = _("Newest report public since {day}, {basis}").format(day=fmt.day(view.since), basis=basis)
        labels.append(blocks.badge(words, "description", "blue"))
        if view.annual:
            labels.append(blocks.badge(_("Annual reports only"), "info"))
    return labels
