"""The page of strategies at work: all of them, one of them, or a new one."""

from __future__ import annotations

import streamlit as st

from stocklab.live.traders import NoTrader
from stocklab.ui import blocks, navigation
from stocklab.ui.account.saying import said
from stocklab.ui.shared.cards import pager
from stocklab.ui.text import _
from stocklab.ui.trading import services
from stocklab.ui.trading.cards import trader_card
from stocklab.ui.trading.create import create_page
from stocklab.ui.trading.one import trader_page

__all__ = ["draw"]


def draw(owner_id: str) -> None:
    """What the link asks for."""
    said()
    asked = st.query_params.get("trader")
    if asked is not None:
        _back()
        try:
            line = services.board().one(owner_id, asked)
        except NoTrader:
            blocks.empty(_("There is no such strategy at work among yours."), icon=":material/search_off:")
            return
        trader_page(owner_id, line)
    elif {"new", "result", "strategy"} & set(st.query_params):
        _back()
        create_page(owner_id)
    else:
        _all(owner_id)


def _back() -> None:
    navigation.link("trading", _("All strategies at work"), icon=":material/arrow_back:")


def _all(owner_id: str) -> None:
    page = services.board().page(owner_id, after=st.session_state.get("traders_place"))
    if not page.items:
        blocks.empty(
            _("No strategy is at work yet."),
            _(
                "The way: backtest → paper account → mock trading → real money. Each step asks that the one before "
                "went well; real money also asks for a second step and a typed confirmation."
            ),
            icon=":material/smart_toy:",
        )
    navigation.link("trading", _("Put a strategy to work"), icon=":material/add:", new="1")
    for line in page.items:
        trader_card(line, linked=True)
    pager("traders_place", page.after)
