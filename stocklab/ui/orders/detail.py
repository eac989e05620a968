"""One order: all of it, whose it is, what happened, and what a person may say of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from stocklab.live.order_list import OrderChange, OrderLine
from stocklab.trading.order_states import OrderState
from stocklab.ui import blocks, navigation
from stocklab.ui import format as fmt
from stocklab.ui.account.saying import rerun_saying
from stocklab.ui.brokers.services import now
from stocklab.ui.orders import services, words
from stocklab.ui.orders.listing import cancel_button, headline
from stocklab.ui.text import _

__all__ = ["order_page"]

_PERSON = "a person said so"


def order_page(owner_id: str, order_id: str) -> None:
    """The whole. Raises NoSuchOrder."""
    navigation.link("orders", _("All orders"), icon=":material/arrow_back:")
    line = services.lists().one(owner_id, order_id)
    history = services.lists().history(owner_id, order_id)
    headline(line)
    st.caption(_(words.MEANINGS[line.state]))
    cancel_button(owner_id, line)
    _settle(owner_id, line, history)
    blocks.facts(_facts(line))
    if line.parts:
        st.subheader(_("Whose it is"), anchor=False)
        blocks.table(
            (_("Strategy"), _("Quantity"), _("Booked")),
            [
                (part.name or _("No strategy"), words.amount(part.quantity), words.amount(part.booked))
                for part in line.parts
            ],
        )
    st.subheader(_("History"), anchor=False)
    blocks.table(
        (_("When"), _("What happened"), _("Then"), _("Details")),
        [
            (fmt.moment(line.created_at), _("Written down"), _(words.STATES[OrderState.INTENT]), ""),
            *(
                (fmt.moment(one.at), _(words.EVENTS[one.event]), _(words.STATES[one.after]), _why(one.details))
                for one in history
            ),
        ],
        stacked=True,
    )


def _facts(line: OrderLine) -> dict[str, str]:
    found = {
        _("Account"): line.account,
        _("Quantity"): words.amount(line.quantity),
        _("Money"): words.won(line.money_krw),
        _("Limit price"): words.won(line.limit_price_krw),
        _("Filled"): words.amount(line.booked),
        _("Average price"): words.won(line.average_krw),
        _("Amount"): words.won(line.booked_krw),
        _("Costs"): words.won(line.costs_krw),
        _("Number at the broker"): line.number or fmt.DASH,
        _("Sent"): fmt.moment(line.sent_at),
        _("Not before"): fmt.moment(line.not_before),
        _("Not after"): fmt.moment(line.not_after),
    }
    if line.policy:
        found[_("Priced anew")] = ", ".join(f"{name} {value}" for name, value in sorted(line.policy.items()))
    return {name: value for name, value in found.items() if value != fmt.DASH}


def _why(details: Mapping[str, Any]) -> str:
    """What else is known; reasons of the risk gate in words."""
    reasons = details.get("reasons")
    if isinstance(reasons, list):
        return " ".join(words.reason_words(str(one)) for one in reasons)
    if details.get("why") == _PERSON:
        number = details.get("number")
        return _("You said so: number {number}").format(number=number) if number else _("You said so")
    return ", ".join(f"{name}: {value}" for name, value in details.items() if value not in (None, ""))


def _settle(owner_id: str, line: OrderLine, history: tuple[OrderChange, ...]) -> None:
    said = line.state is OrderState.OPEN and not line.booked and bool(history) and _said_last(history)
    if line.state is not OrderState.AMBIGUOUS and not said:
        return
    with st.container(border=True, key="settle"):
        if said:
            st.markdown(_("You said that it is number {number}. Was that wrong?").format(number=line.number))
        else:
            st.markdown(
                _(
                    "**Look into the order list of the broker's own app.** Is an order there with this symbol, side, "
                    "quantity and price that is not among the others here? Enter its number. A wrong number holds back "
                    "all orders of the account until you correct it."
                )
            )
        number = st.text_input(_("Number at the broker"), max_chars=64, key="field_broker_number")
        with st.container(horizontal=True):
            if st.button(_("It is this one"), type="primary", key="settle_found"):
                _say(owner_id, line, number or "")
            if not said and st.button(_("It is not there"), key="settle_absent"):
                _say(owner_id, line, None)


def _said_last(history: tuple[OrderChange, ...]) -> bool:
    return any(one.after is OrderState.OPEN and one.details.get("why") == _PERSON for one in history)


def _say(owner_id: str, line: OrderLine, number: str | None) -> None:
    with blocks.guarded():
        kept = services.wishes().settle(owner_id, line.id, number, now())
        rerun_saying(_("Kept. The next look at the broker follows it.") if kept else _("That is known by now."))
