"""The page of accounts: all of them, one of them, or the way to another one."""

from __future__ import annotations

import streamlit as st

from stocklab.ui import blocks, navigation
from stocklab.ui.account.saying import said
from stocklab.ui.brokers import services
from stocklab.ui.brokers.cards import account_list
from stocklab.ui.brokers.link import link_form
from stocklab.ui.brokers.manage import account_page
from stocklab.ui.text import _

__all__ = ["draw"]


def draw(owner_id: str) -> None:
    """What the link asks for."""
    said()
    if "link" in st.query_params:
        navigation.link("brokers", _("All accounts"), icon=":material/arrow_back:")
        link_form(owner_id)
        return
    now = services.now()
    lines = services.board().show(owner_id, now)
    asked = st.query_params.get("account")
    if asked is not None:
        chosen = next((line for line in lines if line.account.id == asked), None)
        if chosen is None:
            blocks.empty(_("There is no such account among yours."), icon=":material/link_off:")
            navigation.link("brokers", _("All accounts"), icon=":material/arrow_back:")
        else:
            account_page(owner_id, chosen, now)
        return
    if not lines:
        blocks.empty(
            _("No account is linked yet."),
            _("A paper account needs no keys and is where every strategy begins."),
            icon=":material/account_balance:",
        )
        navigation.link("brokers", _("Link an account"), icon=":material/add_link:", link="1")
        return
    account_list(lines, now)
