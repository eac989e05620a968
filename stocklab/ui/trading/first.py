"""What a strategy would buy first, before it is started."""

from __future__ import annotations

import streamlit as st

from stocklab.errors import StockLabError
from stocklab.strategy import Strategy
from stocklab.ui import blocks, text
from stocklab.ui import format as fmt
from stocklab.ui.text import _
from stocklab.ui.trading import services
from stocklab.ui.trading.sheets import orders_table, why_lines

__all__ = ["first_section"]


def first_section(strategy: Strategy, capital_krw: int) -> None:
    """The first order sheet, by the newest close there is."""
    st.subheader(_("Its first purchases"), anchor=False)
    try:
        decision = services.first_purchases(strategy, capital_krw)
    except StockLabError as error:
        st.info(text.for_error(error), icon=":material/database:")
        return
    st.caption(
        _(
            "If it began now: by the close of {day}, for the session of {next}. It decides anew before it trades."
        ).format(day=fmt.day(decision.session), next=fmt.day(decision.next_session))
    )
    if not decision.orders:
        blocks.empty(_("It would buy nothing."), icon=":material/remove_shopping_cart:")
    orders_table(decision)
    with st.expander(_("Why"), icon=":material/help:"):
        why_lines(decision)
