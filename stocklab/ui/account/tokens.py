"""Tokens: keys for programs of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import streamlit as st

from stocklab.accounts import Scope, TokenLine
from stocklab.ui import blocks, cached
from stocklab.ui import format as fmt
from stocklab.ui.account.saying import rerun_saying, said
from stocklab.ui.builder.fields import escape
from stocklab.ui.text import N_, _

__all__ = ["tokens_section"]

_NEW: Final = "account_new_token"
_SCOPES: Final[Mapping[Scope, str]] = {
    Scope.ACCOUNT_READ: N_("Read the account"),
    Scope.RUNS_READ: N_("Read the list of runs"),
}


def tokens_section(user_id: str) -> None:
    """The list, and a form for a new one."""
    said()
    token = st.session_state.pop(_NEW, None)
    if token:
        st.warning(_("Copy the token now: it is shown this once."), icon=":material/key:")
        st.code(token, language=None)
    st.markdown(
        _(
            "A token lets a program of yours in without your password. The program sends it in the header "
            "`Authorization: Bearer ...` to `/api/v1/me` or `/api/v1/runs`."
        )
    )
    found = cached.lab().accounts.tokens.list(user_id)
    if not found:
        blocks.empty(_("No token yet."), _("Make one below."), icon=":material/key_off:")
    for line in found:
        _card(user_id, line)
    _form(user_id)


def _card(user_id: str, line: TokenLine) -> None:
    with st.container(
        border=True,
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
        key=f"token_{line.id}",
    ):
        over = blocks.badge(_("over"), "timer_off", "red") if line.is_over(datetime.now(UTC)) else ""
        scopes = ", ".join(_(_SCOPES[scope]) for scope in line.scopes)
        used = (
            _("never used")
            if line.last_used_at is None
            else _("used {when}").format(when=fmt.moment(line.last_used_at))
        )
        until = fmt.DASH if line.expires_at is None else fmt.day(line.expires_at)
        st.markdown(
            f"**{escape(line.name)}** {over}  \n{scopes} · " + _("good until {day}").format(day=until) + f" · {used}"
        )
        if st.button(_("Revoke"), key=f"revoke_{line.id}", icon=":material/delete:"):
            with blocks.guarded():
                cached.lab().accounts.tokens.revoke(user_id, line.id)
                rerun_saying(_("The token was revoked."))


def _form(user_id: str) -> None:
    st.subheader(_("New token"), anchor=False)
    with st.form("new_token", clear_on_submit=True):
        name = st.text_input(_("Name"), max_chars=80, key="field_token_name", placeholder=_("What it is for"))
        scopes = st.multiselect(
            _("What it may do"),
            list(_SCOPES),
            format_func=lambda scope: _(_SCOPES[scope]),
            placeholder=_("Choose"),
            key="account_scopes",
        )
        days = st.number_input(_("Good for so many days"), 1, 366, 90, key="field_token_days")
        fault = st.container()
        pressed = st.form_submit_button(_("Make a token"), icon=":material/add:", key="make_token")
    if pressed:
        with fault, blocks.guarded():
            _line, token = cached.lab().accounts.tokens.create(user_id, name or "", scopes, days=int(days))
            st.session_state[_NEW] = token
            st.rerun()
