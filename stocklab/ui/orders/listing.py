"""Orders in a list: filters, a line for each, cancel."""

from __future__ import annotations

from datetime import date
from typing import Final

import streamlit as st

from stocklab.live.account_board import AccountLine
from stocklab.live.order_list import OrderFilter, OrderGroup, OrderLine
from stocklab.trading.book import OUTSIDE
from stocklab.ui import blocks, navigation
from stocklab.ui import format as fmt
from stocklab.ui.account.saying import rerun_saying
from stocklab.ui.builder.fields import escape
from stocklab.ui.orders import services, words
from stocklab.ui.paging import places, turn_pages
from stocklab.ui.text import N_, _

__all__ = ["cancel_button", "headline", "order_list"]

_NOTHING: Final = {
    OrderGroup.OPEN: (N_("No order is open."), N_("Strategies write them by their timetable; you by the ticket.")),
    OrderGroup.DOUBT: (
        N_("No order is in doubt."),
        N_("Here stands an order while it is not certain that it arrived."),
    ),
    OrderGroup.ENDED: (N_("No order has ended yet."), ""),
}


def order_list(owner_id: str, group: OrderGroup, accounts: tuple[AccountLine, ...]) -> None:
    """A page of the group chosen."""
    wanted = _filters(owner_id, group, accounts)
    begun = places("orders", wanted)
    page = services.lists().page(owner_id, wanted, after=begun[-1])
    if group is OrderGroup.OPEN and page.items:
        _cancel_all(owner_id, wanted)
    if not page.items:
        words_, hint = _NOTHING[group]
        blocks.empty(_(words_), _(hint) if hint else "", icon=":material/receipt_long:")
    for line in page.items:
        _card(owner_id, line)
    turn_pages("orders", begun, page.after)


def _filters(owner_id: str, group: OrderGroup, accounts: tuple[AccountLine, ...]) -> OrderFilter:
    names = {line.account.id: line.account.name for line in accounts}
    sleeves = {one.id: one.name for one in services.traders().all(owner_id)} | {OUTSIDE: _("No strategy")}
    with st.expander(_("Filters"), icon=":material/filter_alt:", key="order_filters"):
        left, right = st.columns(2)
        account = left.selectbox(
            _("Account"), list(names), index=None, format_func=names.__getitem__, key="orders_account_choice"
        )
        sleeve = right.selectbox(
            _("Strategy"), list(sleeves), index=None, format_func=sleeves.__getitem__, key="orders_sleeve_choice"
        )
        symbol = left.text_input(_("Symbol"), max_chars=20, key="field_orders_symbol")
        day = right.date_input(_("Date"), value=None, key="field_orders_day")
    return OrderFilter(
        group=group,
        account_id=account,
        sleeve_id=sleeve,
        symbol=(symbol or "").strip().upper() or None,
        day=day if isinstance(day, date) else None,
    )


def _card(owner_id: str, line: OrderLine) -> None:
    with st.container(border=True, key=f"order_{line.id}"):
        headline(line)
        with st.container(horizontal=True, vertical_alignment="center"):
            navigation.link("orders", _("Details"), icon=":material/history:", order=line.id)
            cancel_button(owner_id, line)


def headline(line: OrderLine) -> None:
    """What is ordered, for whom, where it stands, and how much of it was filled."""
    icon, colour = words.STATE_LOOKS[line.state]
    side = "red" if line.side == "buy" else "blue"
    size = words.won(line.money_krw) if line.quantity is None else words.amount(line.quantity)
    price = words.won(line.limit_price_krw) if line.limit_price_krw is not None else _(words.KINDS[line.kind])
    whose = ", ".join(escape(part.name) if part.name else _("No strategy") for part in line.parts)
    labels = [blocks.badge(_(words.STATES[line.state]), icon, colour)]
    if line.cancel_wanted and not line.state.final:
        labels.append(blocks.badge(_("Cancel wanted"), "cancel", "orange"))
    filled = _("filled {quantity} at {price} on average, costs {costs}").format(
        quantity=words.amount(line.booked), price=words.won(line.average_krw), costs=words.won(line.costs_krw)
    )
    st.markdown(
        f":{side}[**{_(words.SIDES[line.side])}**] **{escape(words.name_of(line.symbol))}** · {size} · {price} "
        + " ".join(labels)
        + f"  \n{fmt.moment(line.created_at)} · {escape(line.account)} · {_(words.ORIGINS[line.origin])} · {whose}"
        + (f"  \n{filled}" if line.booked else "")
        + (f"  \n{escape(line.reason)}" if line.reason else "")
    )


def cancel_button(owner_id: str, line: OrderLine) -> None:
    """Ask for the order to be cancelled, while that makes sense."""
    if line.state.final or line.cancel_wanted:
        return
    if st.button(_("Cancel the order"), icon=":material/cancel:", key=f"cancel_{line.id}"):
        with blocks.guarded():
            asked = services.tickets().cancel(owner_id, line.id)
            rerun_saying(_("The cancel is asked for.") if asked else _("The order is over already."))


def _cancel_all(owner_id: str, wanted: OrderFilter) -> None:
    with st.popover(_("Cancel all open orders"), icon=":material/cancel:", key="cancel_all"):
        where = _("Of the account chosen above.") if wanted.account_id else _("Of all accounts.")
        st.markdown(f"{where} " + _("Strategies go on: to stop them too, use the emergency stop."))
        if st.button(_("Cancel them now"), type="primary", key="cancel_all_now"):
            with blocks.guarded():
                number = services.wishes().cancel_all(owner_id, account_id=wanted.account_id)
                rerun_saying(_("Cancels asked for: {number}").format(number=number))
