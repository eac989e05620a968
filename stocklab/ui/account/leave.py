"""Leaving: what goes, what stays, and the button."""

from __future__ import annotations

import streamlit as st

from stocklab.community import take_back_words
from stocklab.ui import blocks, cached
from stocklab.ui.account.security import limited
from stocklab.ui.shared.services import publications
from stocklab.ui.text import _

__all__ = ["leave_section"]


def leave_section(user_id: str) -> None:
    """Say it all first; the password confirms."""
    st.subheader(_("Delete the account"), anchor=False)
    st.markdown(
        _(
            "Deleted at once: the account with e-mail, nickname, phone and password, its sessions and tokens, saved "
            "strategies with their versions, universes, the list of runs, watch list, filters and answers.\n\n"
            "Kept: what others depend on, under the name “left user”: strategies you published with their "
            "figures, posts and comments, unless you take them back. The audit log keeps the number of the account, "
            "not its name. Backups made before keep what they hold until they are replaced."
        )
    )
    choices = {False: _("Leave what is public, under “left user”"), True: _("Take back what is public")}
    with st.form("leave", clear_on_submit=True):
        withdraw = st.radio(
            _("What you published"), list(choices), format_func=lambda key: choices[key], key="account_withdraw"
        )
        password = st.text_input(_("Password"), type="password", autocomplete="current-password", key="field_leave")
        sure = st.checkbox(_("I know that this cannot be undone."), key="account_sure")
        fault = st.container()
        pressed = st.form_submit_button(_("Delete my account"), icon=":material/delete_forever:", key="leave_now")
    if pressed and not sure:
        fault.warning(_("Tick the box first."), icon=":material/check_box_outline_blank:")
    elif pressed:
        with fault, blocks.guarded():
            limited(user_id)
            cached.lab().accounts.leaving.leave(user_id, password or "", take_back=_take_back if withdraw else None)
            st.success(_("Your account is deleted. Good-bye."), icon=":material/waving_hand:")
            st.stop()


def _take_back(user_id: str) -> None:
    publications().withdraw_all(user_id)
    take_back_words(cached.lab().database, user_id)
