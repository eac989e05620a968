"""What a strategy decided for each session: order sheets to answer, and the timeline of rebalancings."""

from __future__ import annotations

import streamlit as st

from stocklab.live.decisions import Approval, Decided
from stocklab.live.trader_board import TraderLine
from stocklab.ui import blocks
from stocklab.ui import format as fmt
from stocklab.ui.account.saying import rerun_saying
from stocklab.ui.builder.fields import escape
from stocklab.ui.shared.cards import pager
from stocklab.ui.text import _, language
from stocklab.ui.trading import services, words
from stocklab.ui.trading.sheets import orders_table, why_lines

__all__ = ["decisions_section"]


def decisions_section(owner_id: str, line: TraderLine) -> None:
    """Twenty decisions, newest first."""
    place = f"decisions_place_{line.trader.id}"
    page = services.decisions().page(owner_id, trader_id=line.trader.id, after=st.session_state.get(place))
    if not page.items:
        blocks.empty(
            _("Nothing was decided yet."),
            _("It decides before each session, by the last close."),
            icon=":material/event_upcoming:",
        )
    for one in page.items:
        _decision(owner_id, one)
    pager(place, page.after)


def _decision(owner_id: str, one: Decided) -> None:
    waits = one.approval is Approval.WAITING
    with st.container(border=True, key=f"decision_{one.id}"):
        decision = one.decision
        acts = decision is not None and bool(decision.orders or decision.kept)
        parts = [f"**{fmt.day(one.session)}**", _summary(one)]
        st.markdown(" · ".join([*parts, _(words.APPROVALS[one.approval])] if acts else parts))
        if decision is None:
            st.caption(_("Nothing could be decided: {why}").format(why=escape(one.why)))
            return
        if waits:
            _answer(owner_id, one)
        with st.expander(_("Orders and reasons"), expanded=waits):
            unit = decision.book.unit
            spoken = language()
            st.caption(
                _("By the close of {day}: equity {equity}, holdings {holdings}, kept in cash {reserve}.").format(
                    day=fmt.day(decision.session),
                    equity=fmt.krw(decision.equity / unit, spoken),
                    holdings=fmt.krw(decision.holdings / unit, spoken),
                    reserve=fmt.krw(decision.reserve / unit, spoken),
                )
            )
            orders_table(decision)
            why_lines(decision)


def _summary(one: Decided) -> str:
    if one.decision is None:
        return _("nothing")
    buys = sum(order.side.value == "buy" for order in one.decision.orders)
    sells = len(one.decision.orders) - buys
    if not buys and not sells:
        return _("nothing to do")
    return _("{buys} purchases, {sells} sales").format(buys=buys, sells=sells)


def _answer(owner_id: str, one: Decided) -> None:
    with st.container(horizontal=True):
        yes = st.button(_("Approve"), type="primary", icon=":material/check:", key=f"approve_{one.id}")
        no = st.button(_("Decline"), icon=":material/close:", key=f"decline_{one.id}")
    if yes or no:
        with blocks.guarded():
            services.decisions().answer(owner_id, one.id, approved=yes)
            rerun_saying(_("Approved: it is sent at its time.") if yes else _("Declined: nothing is sent."))
