"""The parts of the help page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import streamlit as st

from stocklab.accounts import FeedbackKind, FeedbackState
from stocklab.ui import blocks, cached, identity, navigation
from stocklab.ui import format as fmt
from stocklab.ui.help.words import GLOSSARY, STEPS
from stocklab.ui.text import N_, _

__all__ = ["draw"]

_SENT: Final = "feedback_sent"
_KINDS: Final[Mapping[FeedbackKind, str]] = {
    FeedbackKind.FAULT: N_("Something does not work"),
    FeedbackKind.WISH: N_("I wish for something"),
    FeedbackKind.QUESTION: N_("I have a question"),
    FeedbackKind.OTHER: N_("Something else"),
}
_STATES: Final[Mapping[FeedbackState, str]] = {
    FeedbackState.OPEN: N_("waiting"),
    FeedbackState.ANSWERED: N_("answered"),
    FeedbackState.CLOSED: N_("closed"),
}


def draw() -> None:
    """First steps, glossary, further reading, messages."""
    _first_backtest()
    _glossary()
    _reading()
    _feedback(identity.owner_id())


def _first_backtest() -> None:
    st.subheader(_("Your first backtest"), anchor="first-backtest")
    with st.grid(4, min_column_width=200, gap="small"):
        for number, (target, name, words) in enumerate(STEPS, start=1):
            with st.container(border=True, height="stretch"):
                st.markdown(f"**{number}. {_(name)}**")
                st.caption(_(words))
                navigation.link(target, _("Open"), icon=":material/arrow_forward:")


def _glossary() -> None:
    st.subheader(_("Glossary"), anchor="glossary")
    blocks.table([_("Word"), _("Meaning")], [(_(word), _(meaning)) for word, meaning in GLOSSARY], stacked=True)


def _reading() -> None:
    """Pages that explain themselves; the files of the documentation come with the program."""
    st.subheader(_("To read on"), anchor="reading")
    files = {
        "pages.md": _("Every page and every link"),
        "metrics.md": _("How each figure is computed"),
        "simulator.md": _("What the simulator does in a session"),
        "proof.md": _("Whether a result can be trusted"),
        "strategy-document.md": _("The strategy document"),
        "presets.md": _("Where the ready-made strategies come from"),
    }
    navigation.link("factors", _("Every factor with its formula"), icon=":material/menu_book:")
    if identity.is_admin():  # members do not reach the folder of the program
        st.caption(_("In the folder docs of the program:"))
        st.caption("\n".join(f"- `{file}` · {words}" for file, words in files.items()))


def _feedback(owner_id: str) -> None:
    st.subheader(_("Tell us"), anchor="feedback")
    if st.session_state.pop(_SENT, False):
        st.success(_("Thank you. The answer will stand here."), icon=":material/mark_email_read:")
    with st.form("feedback", clear_on_submit=True):
        names = {kind: _(name) for kind, name in _KINDS.items()}
        kind = st.selectbox(_("What is it about?"), list(names), format_func=names.__getitem__, key="feedback_choice")
        body = st.text_area(_("Message"), max_chars=4000, key="feedback_body")
        if st.form_submit_button(_("Send"), icon=":material/send:"):
            with blocks.guarded():
                cached.lab().accounts.feedback.send(owner_id, kind, body, page="help")
                st.session_state[_SENT] = True
                st.rerun()
    _own_messages(owner_id)


def _own_messages(owner_id: str) -> None:
    found = cached.lab().accounts.feedback.mine(owner_id)
    if not found:
        st.caption(_("You have not written yet."))
    for message in found:
        with st.container(border=True, key=f"feedback_{message.id}"):
            st.caption(f"{_(_KINDS[message.kind])} · {fmt.moment(message.created_at)} · {_(_STATES[message.state])}")
            st.text(message.body)
            if message.answer:
                st.caption(_("Answer"))
                st.text(message.answer)
