"""The page of orders: a list, one order, the ticket, or what was sold by hand."""

from __future__ import annotations

import streamlit as st

from stocklab.live.order_list import OrderGroup
from stocklab.ui import navigation
from stocklab.ui.account.saying import said
from stocklab.ui.background import nobody_trades
from stocklab.ui.brokers import services as brokers
from stocklab.ui.orders import services, words
from stocklab.ui.orders.detail import order_page
from stocklab.ui.orders.listing import order_list
from stocklab.ui.orders.sold_by_hand import sold_by_hand
from stocklab.ui.orders.ticket import ticket_form
from stocklab.ui.text import _

__all__ = ["draw"]


def draw(owner_id: str) -> None:
    """What the link asks for."""
    said()
    accounts = brokers.board().show(owner_id, brokers.now())
    if accounts and not (brokers.trades_at_all() and brokers.process_works()):
        nobody_trades(off=not brokers.trades_at_all())
    asked = st.query_params.get("order")
    if asked is not None:
        order_page(owner_id, asked)
        return
    counts = services.lists().counts(owner_id)
    names = {
        group.value: _(name) + (f" ({counts[group]:,})" if counts.get(group) else "")
        for group, name in words.GROUPS.items()
    }
    names |= {"ticket": _("New order"), "by_hand": _("Sold by hand")}
    shown = navigation.choice_in_url("show", names, _("My orders"), default=OrderGroup.OPEN.value, key="orders_choice")
    if shown == "ticket":
        ticket_form(owner_id, accounts)
    elif shown == "by_hand":
        sold_by_hand(owner_id, accounts)
    else:
        order_list(owner_id, OrderGroup(shown), accounts)
