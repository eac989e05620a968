"""Why a stock was bought, not bought, sold, kept or not filled in a session: the answer, the candles, the numbers."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from typing import Final

import streamlit as st

from stocklab.backtest.result import Result
from stocklab.errors import ResultOutdated, StockLabError
from stocklab.market.panel import PriceBasis
from stocklab.research.explain import Code, Explanation, Verdict
from stocklab.research.explain.sentences import sentence
from stocklab.ui import blocks, charts, navigation, text
from stocklab.ui import format as fmt
from stocklab.ui.builder.fields import bind, escape
from stocklab.ui.result import candles, decision_view, lookups
from stocklab.ui.result.open_explain import DAY, SYMBOL, remember
from stocklab.ui.text import _, language

__all__ = ["explain_section"]

_SEEN: Final = "explain_seen"
_REACH: Final = {"60": 60, "120": 120, "250": 250, "all": 0}
_LOOKS: Final[dict[str, tuple[str, str]]] = {
    "bought": ("add_shopping_cart", "red"),
    "sold": ("sell", "blue"),
    "unfilled": ("hourglass_disabled", "orange"),
    "ordered": ("send", "green"),
    "kept": ("inventory_2", "green"),
    "passed": ("block", "gray"),
}
_FILLED_BUYS: Final = frozenset({Code.BOUGHT, Code.BOUGHT_PART})
_FILLED_SALES: Final = frozenset({Code.SOLD, Code.SOLD_PART, Code.DELISTED})
_UNFILLED: Final = frozenset({Code.NOT_BOUGHT, Code.NOT_SOLD, Code.ENDED, Code.WAITING, Code.CASH})
_ORDERED: Final = frozenset({Code.BUY_ORDERED, Code.MORE_ORDERED, Code.SELL_ORDERED, Code.TRIM_ORDERED})


def explain_section(result: Result) -> None:
    """Any stock and session of the run."""
    run_id = result.run_id
    if result.card["price_basis"] == PriceBasis.COIN:
        blocks.empty(_("Runs of coins are not explained yet."), _("Trades and unfilled orders show their reasons."))
        return
    options, sessions = lookups.symbols(run_id), lookups.sessions(run_id)
    if not options:
        blocks.no_data()
        return
    _settle(result, options, sessions)
    symbol = _choose(result, options, sessions)
    session = _session(sessions)
    remember_link(symbol, session)
    place = st.empty()
    try:
        if lookups.is_open(run_id):
            found = lookups.explained(run_id, symbol, session)
        else:
            with place, st.spinner(_("Opening the run for questions..."), show_time=True):
                found = lookups.explained(run_id, symbol, session)
    except ResultOutdated:
        _outdated()
        return
    except StockLabError as error:
        place.error(text.for_error(error), icon=":material/error:")
        return
    with place.container():
        _answer(found, options)
        _chart(result, found)
        _details(result, found)


def remember_link(symbol: str, session: date) -> None:
    """Keep the link to this answer in the address."""
    for name, value in (("symbol", symbol), ("date", session.isoformat())):
        if st.query_params.get(name) != value:
            st.query_params[name] = value


def _outdated() -> None:
    blocks.empty(
        _("This run can no longer be explained."),
        _("The market data or the program changed since it was made. Press Edit and run again above, then ask again."),
        icon=":material/history:",
    )


# --- what is asked --------------------------------------------------------------------------------------------------


def _settle(result: Result, options: dict[str, str], sessions: tuple[date, ...]) -> None:
    """Stock and session of the link when the page opens, else what was chosen last, else the run's last trade."""
    kept = st.session_state.get(_SEEN)
    if kept != result.run_id:
        st.session_state[_SEEN] = result.run_id
        symbol, day = st.query_params.get("symbol"), _day(st.query_params.get("date"))
        if SYMBOL not in st.session_state or symbol in options:
            default = _last_trade(result)
            chosen = symbol if symbol in options else default[0] if default else next(iter(options))
            st.session_state[SYMBOL] = chosen
            st.session_state[DAY] = day or (default[1] if default and symbol is None else sessions[-1])
    if st.session_state.get(SYMBOL) not in options:
        st.session_state[SYMBOL] = next(iter(options))
    day = st.session_state.get(DAY) or sessions[-1]
    st.session_state[DAY] = min(max(day, sessions[0]), sessions[-1])


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _last_trade(result: Result) -> tuple[str, date] | None:
    trades = result.tables["trades"]
    if not trades.height:
        return None
    row = trades.row(trades.height - 1, named=True)
    return row["symbol"], row["session"]


def _choose(result: Result, options: dict[str, str], sessions: tuple[date, ...]) -> str:
    """The pickers; the buttons beside them step to the session or the fill before and after."""
    first, second = st.columns([2, 1], vertical_alignment="bottom")
    bind(SYMBOL, st.session_state[SYMBOL])
    with first:
        symbol = st.selectbox(
            _("Stock (those the run ordered come first)"), list(options), format_func=options.__getitem__, key=SYMBOL
        )
    bind(DAY, st.session_state[DAY])
    with second:
        st.date_input(_("Session"), min_value=sessions[0], max_value=sessions[-1], key=DAY, format="YYYY-MM-DD")
    now = _session(sessions)
    filled = sorted({fill.session for fill in candles.fills(result, symbol)})
    at = sessions.index(now)
    steps = (
        (_("Previous session"), "chevron_left", sessions[at - 1] if at > 0 else None),
        (_("Next session"), "chevron_right", sessions[at + 1] if at + 1 < len(sessions) else None),
        (_("Previous fill"), "first_page", max((day for day in filled if day < now), default=None)),
        (_("Next fill"), "last_page", min((day for day in filled if day > now), default=None)),
    )
    with st.container(horizontal=True, gap="xsmall", key="explain_steps"):
        for number, (label, icon, day) in enumerate(steps):
            st.button(
                label,
                key=f"explain_step_{number}",
                icon=f":material/{icon}:",
                disabled=day is None,
                on_click=remember,
                args=(symbol, day),
                type="tertiary",
            )
    return str(symbol)


def _session(sessions: tuple[date, ...]) -> date:
    """The last session on or before the day chosen."""
    day = st.session_state[DAY]
    return sessions[max(bisect_right(sessions, day) - 1, 0)]


# --- the answer -----------------------------------------------------------------------------------------------------


def _look(code: Code) -> tuple[str, str]:
    if code in _FILLED_BUYS:
        return _LOOKS["bought"]
    if code in _FILLED_SALES:
        return _LOOKS["sold"]
    if code in _UNFILLED:
        return _LOOKS["unfilled"]
    if code in _ORDERED:
        return _LOOKS["ordered"]
    return _LOOKS["kept" if code.value.startswith("kept") else "passed"]


def _said(verdict: Verdict) -> str:
    icon, colour = _look(verdict.code)
    return f":{colour}[:material/{icon}:] **{escape(sentence(verdict, language()))}**"


def _answer(found: Explanation, options: dict[str, str]) -> None:
    with st.container(border=True, key="explain_answer", gap="xsmall"):
        st.markdown(f":small[:gray[{escape(options[found.symbol])} · {fmt.day(found.session)}]]")
        st.markdown(f"##### {_said(found.headline)}")
        if found.headline is not found.close.verdict:
            st.markdown(f":gray[{_('At this close')}:] {escape(sentence(found.close.verdict, language()))}")
        navigation.link("company", _("Company page"), icon=":material/apartment:", symbol=found.symbol)


def _chart(result: Result, found: Explanation) -> None:
    words = {"60": _("3 months"), "120": _("6 months"), "250": _("1 year"), "all": _("The whole run")}
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(decision_view.bar_words(found.bar), width="content")
        chosen = st.segmented_control(
            _("Span"),
            list(_REACH),
            format_func=words.__getitem__,
            default="120",
            required=True,
            key="explain_reach",
            label_visibility="collapsed",
        )
    figure = lookups.candle_figure(result.run_id, found.symbol, found.session, _REACH[chosen or "120"])
    st.plotly_chart(figure, config=charts.CONFIG, key="explain_candles")


def _details(result: Result, found: Explanation) -> None:
    if found.met or found.events:
        st.subheader(_("In the session"), anchor=False)
        decision_view.met_table(found)
    own = decision_view.own_factors(result)
    at_close = _("Decision at this close ({session})").format(session=fmt.day(found.close.session))
    if found.origin is None:
        st.subheader(at_close, anchor=False)
        decision_view.decision(found.close, own, key="close")
        return
    origin = _("Decision behind the order ({session})").format(session=fmt.day(found.origin.session))
    first, second = st.tabs([origin, at_close])
    with first:
        decision_view.decision(found.origin, own, key="origin")
    with second:
        decision_view.decision(found.close, own, key="close")
