"""One stock against the screen: each condition with the numbers it compares."""

from __future__ import annotations

import polars as pl
import streamlit as st

from stocklab.data.screening import Judgement, ScreenResult
from stocklab.factors import CATALOGUE
from stocklab.strategy.rows import operand_of
from stocklab.strategy.screen import Screen
from stocklab.ui import cached, navigation
from stocklab.ui import format as fmt
from stocklab.ui.builder.fields import bind, escape
from stocklab.ui.screener import columns, desk
from stocklab.ui.screener.answer import STOCK, sentence
from stocklab.ui.text import _, language

__all__ = ["stock_panel"]

_SIGNS = {True: ":green[:material/check_circle:]", False: ":red[:material/cancel:]", None: ":gray[:material/help:]"}


def stock_panel(chosen: Screen, result: ScreenResult) -> None:
    """Why a stock is in the table or not: any listed stock may be asked for."""
    names = {row["symbol"]: row["name"] for row in result.truth.select("symbol", "name").iter_rows(named=True)}
    if st.session_state.get(STOCK) not in names:
        bind(STOCK, None)
    symbol = st.selectbox(
        _("Why is a stock in the table, or not?"),
        list(names),
        index=None,
        format_func=lambda key: f"{names[key]} ({key})" if names[key] else key,
        key=STOCK,
        placeholder=_("Choose a row above, or any stock here"),
    )
    if symbol is None:
        return
    row = result.truth.row(by_predicate=pl.col("symbol") == symbol, named=True)
    with st.container(border=True, key="screener_stock_card"):
        st.markdown(f"**{escape(names[symbol] or symbol)}** ({symbol}) · {_verdict(row)}")
        judged = cached.screen_reasons(chosen, result.asked, symbol, strategy=desk.ordering())
        for one in judged:
            st.markdown(f"{_SIGNS[one.holds]} :primary-badge[{one.id}] {escape(sentence(one.formula))}{_values(one)}")
        navigation.link("company", _("Company page"), icon=":material/apartment:", symbol=symbol)
        _links(symbol, judged, result)


def _verdict(row: dict[str, object]) -> str:
    if row["matched"]:
        return f":green-badge[{_('In the table')}]"
    if not row["in_universe"]:
        return f":gray-badge[{_('Not in the universe of this day')}]"
    return f":gray-badge[{_('Does not match')}]"


def _values(one: Judgement) -> str:
    """The numbers a condition compares, as small print."""
    parts = [f"{columns.heading(formula)} {amount(formula, value)}" for formula, value in one.values]
    return f"  \n:gray[{escape(' · '.join(parts))}]" if parts else ""


def amount(formula: str, value: float | None) -> str:
    """A value with its unit; a dash where it is unknown."""
    unit = columns.unit_of_formula(formula)
    if value is None:
        return fmt.DASH
    if unit == "KRW":
        return fmt.krw(value, language())
    if unit == "%":
        return f"{fmt.decimal(value)}%"
    return fmt.decimal(value, digits=0 if value == round(value) else 2)


def _links(symbol: str, judged: tuple[Judgement, ...], result: ScreenResult) -> None:
    """To the page of every factor that takes part, for this stock."""
    formulas = [*(formula for one in judged for formula, _value in one.values), *result.columns]
    operands = (operand_of(formula) for formula in formulas)
    factors = dict.fromkeys(found.factor for found in operands if found is not None and found.factor in CATALOGUE)
    day = {} if result.asked is None else {"date": result.session.isoformat()}
    if factors:
        st.caption(_("What went into the numbers:"))
        with st.container(horizontal=True, gap="small", key="screener_factor_links"):
            for factor in factors:
                navigation.link("factors", columns.heading(factor), factor=factor, symbol=symbol, **day)
