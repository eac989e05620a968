"""The page of positions: figures and tables that are drawn again by themselves, then curves, stops and targets."""

from __future__ import annotations

from typing import Final

import streamlit as st

from stocklab.ui import blocks, navigation
from stocklab.ui.account.saying import said
from stocklab.ui.positions import curves, holdings, services, stops
from stocklab.ui.text import _

__all__ = ["draw"]

_AGAIN_SECONDS: Final = 10.0


def draw(owner_id: str) -> None:
    """The whole page."""
    said()
    book = services.book(owner_id)
    if not book.accounts:
        blocks.empty(
            _("No account is linked yet."),
            _("What your accounts hold is shown here once one is linked; a paper account needs no keys."),
            icon=":material/account_balance_wallet:",
        )
        navigation.link("brokers", _("Link an account"), icon=":material/add_link:", link="1")
        return
    _living(owner_id)
    stops.draw(owner_id, book)
    curves.weights(book)
    for account in book.accounts:
        curves.account(account)


@st.fragment(run_every=_AGAIN_SECONDS)
def _living(owner_id: str) -> None:
    with blocks.guarded():
        holdings.draw(services.book(owner_id))
