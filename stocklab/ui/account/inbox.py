"""Messages of users, as admins read and answer them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import streamlit as st

from stocklab.accounts import FeedbackKind, FeedbackState, Message
from stocklab.ui import blocks, cached, navigation
from stocklab.ui import format as fmt
from stocklab.ui.account.saying import rerun_saying, said
from stocklab.ui.builder.fields import escape
from stocklab.ui.paging import places, turn_pages
from stocklab.ui.text import N_, _

__all__ = ["KINDS", "inbox_section"]

KINDS: Final[Mapping[FeedbackKind, str]] = {
    FeedbackKind.FAULT: N_("Something is wrong"),
    FeedbackKind.WISH: N_("A wish"),
    FeedbackKind.QUESTION: N_("A question"),
    FeedbackKind.OTHER: N_("Something else"),
}


def inbox_section(admin_id: str) -> None:
    """The messages of a state, twenty a page."""
    said()
    states = {"open": _("Not answered"), "answered": _("Answered"), "closed": _("Closed")}
    chosen = navigation.choice_in_url("state", states, _("State"), default="open", key="admin_state")
    begun = places("inbox", chosen)
    feedback = cached.lab().accounts.feedback
    found = feedback.inbox(admin_id, state=FeedbackState(chosen), after=begun[-1])
    if not found.messages:
        blocks.empty(_("No message here."), _("Users write from the help page."), icon=":material/inbox:")
    for message in found.messages:
        _card(admin_id, message)
    turn_pages("inbox", begun, found.following)


def _card(admin_id: str, message: Message) -> None:
    is_open = message.state is FeedbackState.OPEN
    with st.container(border=True, key=f"message_{message.id}"):
        place = navigation.PAGES.get(message.page)
        where = f" · {_(place.title)}" if place is not None else ""
        st.caption(
            f"{_(KINDS[message.kind])} · {escape(message.author or '')} · {fmt.moment(message.created_at)}{where}"
        )
        st.text(message.body)
        if message.answer:
            st.caption(_("Answer of {moment}").format(moment=fmt.moment(message.answered_at)))
            st.text(message.answer)
        with st.form(f"answer_{message.id}", border=False, clear_on_submit=True):
            label = _("Another answer in its place") if message.answer else _("Answer")
            words = st.text_area(label, max_chars=4000, key=f"field_answer_{message.id}", height=80)
            with st.container(horizontal=True):
                send = st.form_submit_button(_("Send"), icon=":material/send:", key=f"send_{message.id}")
                close = is_open and st.form_submit_button(_("Close without one"), key=f"close_{message.id}")
    if send or close:
        with blocks.guarded():
            cached.lab().accounts.feedback.answer(admin_id, message.id, (words or "") if send else None)
            rerun_saying(_("Saved."))
