"""Every change of cash, what of it is settled, and what holders were paid beside their sales."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl
import streamlit as st

from stocklab.backtest.result import Result, in_floats
from stocklab.ui import cached
from stocklab.ui import format as fmt
from stocklab.ui.result import frames
from stocklab.ui.result.tables import table, won
from stocklab.ui.text import N_, _, language

__all__ = ["KINDS", "cash_book"]

KINDS: Final[Mapping[str, str]] = {
    "buy": N_("Purchase"),
    "sell": N_("Sale"),
    "commission": N_("Commission"),
    "tax": N_("Transaction tax"),
    "slippage": N_("Slippage"),
    "dividend": N_("Dividend"),
    "dividend_tax": N_("Tax withheld from a dividend"),
    "rights": N_("Subscription rights, paid out"),
    "fraction": N_("Fraction of a share, paid out"),
    "delisting": N_("Delisting"),
}
"""Kinds of the ledger."""


def cash_book(result: Result) -> None:
    """Totals by kind, deposits at a session, and the ledger row by row."""
    ledger = result.tables["ledger"]
    if not ledger.height:
        st.caption(_("Nothing moved the cash: nothing was traded."))
        return
    _deposits(result)
    kinds = [kind for kind in KINDS if kind in set(ledger["kind"].unique())]
    first, second = st.columns([1.2, 1.6], vertical_alignment="bottom")
    kind = first.selectbox(
        _("Kind"), ["", *kinds], format_func=lambda code: _(KINDS[code]) if code else _("All"), key="ledger_kind"
    )
    text = second.text_input(_("Symbol or name"), key="ledger_text", icon=":material/search:") or ""
    found = frames.ledger(result, cached.names(), kind=kind or None, text=text)
    st.caption(
        _("Sum of these rows: {amount}").format(amount=fmt.krw_exact(float(found["cash_delta_krw"].sum()), language()))
    )
    words = {code: _(name) for code, name in KINDS.items()}
    table(
        found.with_columns(pl.col("kind").replace(words)),
        {
            "session": st.column_config.DateColumn(_("Session")),
            "kind": st.column_config.TextColumn(_("Kind")),
            "cash_delta_krw": won(_("Change of cash")),
            "cash_krw": won(_("Cash after it")),
            "symbol": st.column_config.TextColumn(_("Symbol")),
            "name": st.column_config.TextColumn(_("Name")),
        },
        f"ledger-{result.run_id[:12]}.csv",
    )


def _deposits(result: Result) -> None:
    """Cash at the end, by the session in which it is settled, and dividends received."""
    spoken = language()
    deposits = in_floats(result.tables["deposits"])
    with st.grid(4, min_column_width=140, gap="xsmall"):
        if deposits.height:
            last = deposits.row(-1, named=True)
            st.metric(_("Cash"), fmt.krw(last["second_session_krw"], spoken), border=True)
            st.metric(
                _("Withdrawable"),
                fmt.krw(last["withdrawable_krw"], spoken),
                border=True,
                help=_(
                    "Sales are settled two sessions after the trade. Until then their proceeds buy other stocks but "
                    "cannot be withdrawn."
                ),
            )
        paid = result.card.get("dividends")
        if paid is not None and paid["known"]:
            st.metric(_("Dividends"), fmt.krw(paid["paid_krw"], spoken), border=True)
            st.metric(_("Withheld from them"), fmt.krw(paid["withheld_krw"], spoken), border=True)
