"""What an own factor gives for one stock, as it is typed: the value now, the last year, and what the data lack."""

from __future__ import annotations

import time
from math import isnan
from typing import Final

import streamlit as st

from stocklab.caches import Group, remember
from stocklab.errors import Cancelled, StockLabError
from stocklab.factors import expand
from stocklab.factors.preview import Preview, preview
from stocklab.strategy.document import OwnFactor
from stocklab.strategy.words import describe_value, label
from stocklab.ui import cached, charts, text
from stocklab.ui import format as fmt
from stocklab.ui.builder import fields, own
from stocklab.ui.text import Language, _, language

__all__ = ["preview_panel", "value_text"]

LONGEST_SECONDS: Final = 8.0
CHOSEN: Final = "own_preview_factor"


def preview_panel(editable: tuple[OwnFactor, ...]) -> None:
    """Choose one of the own factors and a stock; see its values."""
    symbols = cached.symbol_names()
    if not symbols:
        st.caption(_("Load market data to see values here."))
        return
    names = {factor.id: factor for factor in editable}
    wanted = st.session_state.get(CHOSEN)
    if wanted not in names:
        if any(factor.get("id") == wanted for factor in own.given()):
            st.caption(_("{name} shows values once its fault is corrected.").format(name=f"`{wanted}`"))
        st.session_state[CHOSEN] = next(iter(names))
    first, second = st.columns(2)
    with first:
        chosen = st.selectbox(_("My factor"), list(names), format_func=own.labels(), key=CHOSEN)
    with second:
        symbol = st.selectbox(_("Stock"), list(symbols), format_func=symbols.__getitem__, key="own_preview_symbol")
    _show(names[chosen], symbol)


def _show(factor: OwnFactor, symbol: str) -> None:
    plain = expand(factor.formula, own.definitions())
    st.caption(fields.escape(describe_value(factor.formula, language(), own.usable())))
    try:
        with st.spinner(_("Computing…")):
            found = _preview(str(cached.lab().store.home), cached.lab().store.current_id(), plain, symbol)
    except Cancelled:
        st.warning(
            _("This takes more than {seconds} seconds over the whole market, too long to show while typing.").format(
                seconds=f"{LONGEST_SECONDS:.0f}"
            ),
            icon=":material/hourglass_top:",
        )
        return
    except StockLabError as error:
        st.warning(text.for_error(error), icon=":material/rule:")
        return
    _values(factor, found)


def _values(factor: OwnFactor, found: Preview) -> None:
    spoken = language()
    last = str(found.sessions[-1])
    value, drawn = st.columns([1, 2.4], vertical_alignment="center")
    with value:
        st.metric(
            _("Value at the close of {session}").format(session=last), value_text(found.latest, factor.unit, spoken)
        )
        st.caption(
            _("{known} of the last {count} sessions have a value.").format(
                known=fmt.count(found.known), count=fmt.count(len(found.sessions))
            )
        )
    with drawn:
        if found.known:
            st.plotly_chart(
                charts.ReadyFigure(charts.values(found.sessions, found.values)),
                config=charts.CONFIG,
                key="own_preview_chart",
            )
    if found.missing:
        lacking = ", ".join(f"{label(name, spoken)} ({name})" for name in found.missing)
        st.warning(
            _("The loaded data lack what this needs: {inputs}.").format(inputs=fields.escape(lacking)),
            icon=":material/database_off:",
        )
    if found.across:
        st.caption(_("Compared with every stock listed that day; a run compares within the strategy's universe."))


def value_text(value: float, unit: str, spoken: Language) -> str:
    """A factor value with its unit.

    >>> value_text(12.346, "%", "en"), value_text(3e8, "KRW", "ko"), value_text(float("nan"), "x", "en")
    ('12.35%', '3억 원', '–')
    """
    if isnan(value):
        return fmt.DASH
    if unit == "KRW":
        return fmt.krw(value, spoken)
    number = f"{value:,.4g}" if abs(value) < 1 else f"{value:,.2f}"
    if unit in ("count", "shares", "days"):
        number = f"{value:,.0f}" if value == round(value) else f"{value:,.2f}"
    shown = {"%": "%", "x": _("times"), "days": _("days"), "shares": _("shares")}.get(unit, "")
    return number + (" " if shown and unit != "%" and spoken == "en" else "") + shown


@remember("previews", Group.SCREEN, 64, of_market=True)
def _preview(home: str, snapshot_id: str | None, formula: str, symbol: str) -> Preview:
    lab = cached.lab()
    until = time.monotonic() + LONGEST_SECONDS
    return preview(
        formula,
        lab.panel(),
        symbol,
        threads=lab.settings.engine_threads,
        should_cancel=lambda: time.monotonic() > until,
    )
