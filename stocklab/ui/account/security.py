"""Password and second step."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import segno
import streamlit as st

from stocklab.accounts import Enrolment, Limit, spend_all
from stocklab.errors import AccountFault
from stocklab.ui import blocks, cached
from stocklab.ui.account.saying import rerun_saying, said
from stocklab.ui.text import _

__all__ = ["limited", "security_section"]

_ENROLMENT: Final = "account_enrolment"
_CODES: Final = "account_recovery_codes"
_QUARTER: Final = timedelta(minutes=15)


def security_section(user_id: str, session_id: str) -> None:
    """The password form, then the second step as it stands."""
    said()
    _password(user_id, session_id)
    st.subheader(_("Second step"), anchor=False)
    codes = st.session_state.pop(_CODES, None)
    if codes:
        _show_codes(codes)
    if cached.lab().accounts.users.get(user_id).has_second_factor:
        _is_on(user_id)
    else:
        _is_off(user_id, session_id)


def limited(user_id: str) -> None:
    """Ten tries of a password or code in a quarter of an hour, also from within.

    Raises
    ------
    LimitReached
        They are used up.
    """
    tries = Limit(subject=f"within:{user_id}", most=10, per=_QUARTER)
    spend_all(cached.lab().accounts.limits, (tries,))


def _password(user_id: str, session_id: str) -> None:
    st.subheader(_("Password"), anchor=False)
    with st.form("password", clear_on_submit=True):
        old = st.text_input(_("Password now"), type="password", autocomplete="current-password", key="field_old")
        new = st.text_input(
            _("New password"),
            type="password",
            autocomplete="new-password",
            key="field_new",
            help=_("12 characters or more; several words are easy to remember"),
        )
        again = st.text_input(_("Password again"), type="password", autocomplete="new-password", key="field_again")
        st.caption(_("All your other sessions end."))
        fault = st.container()
        pressed = st.form_submit_button(_("Change the password"), icon=":material/key:", key="change_password")
    if pressed:
        with fault, blocks.guarded():
            if new != again:
                raise AccountFault("password_repeat", "The two passwords differ.")
            limited(user_id)
            accounts = cached.lab().accounts
            accounts.users.change_password(user_id, old=old or "", new=new or "", keep_session=session_id)
            accounts.sessions.forget()
            rerun_saying(_("The password was changed; your other sessions ended."))


def _is_off(user_id: str, session_id: str) -> None:
    st.markdown(_("Off. With it, log-in asks for a code of an app on your phone as well."))
    begun: Enrolment | None = st.session_state.get(_ENROLMENT)
    if begun is None:
        if st.button(_("Set up the second step"), icon=":material/phonelink_lock:", key="begin_second"):
            with blocks.guarded():
                st.session_state[_ENROLMENT] = cached.lab().accounts.second_factor.begin(user_id)
                st.rerun()
        return
    st.markdown(_("1. Scan this with an authenticator app, or type the key into it."))
    st.image(segno.make(begun.address, error="m").svg_data_uri(scale=5, border=3, light="#fff"), width=220)
    st.code(" ".join(begun.secret[at : at + 4] for at in range(0, len(begun.secret), 4)), language=None)
    with st.form("second_step", clear_on_submit=True):
        code = st.text_input(
            _("2. Enter the six digits it shows"), max_chars=12, autocomplete="one-time-code", key="field_code"
        )
        fault = st.container()
        pressed = st.form_submit_button(_("Turn on"), type="primary", icon=":material/check:", key="enable_second")
    if st.button(_("Cancel"), key="cancel_second"):
        del st.session_state[_ENROLMENT]
        st.rerun()
    if pressed:
        with fault, blocks.guarded():
            limited(user_id)
            accounts = cached.lab().accounts
            st.session_state[_CODES] = accounts.second_factor.enable(user_id, code or "")
            accounts.sessions.confirm(user_id, session_id)
            del st.session_state[_ENROLMENT]
            rerun_saying(_("The second step is on."))


def _is_on(user_id: str) -> None:
    second = cached.lab().accounts.second_factor
    left = second.recovery_codes_left(user_id)
    st.markdown(_("On. Recovery codes left: {count}").format(count=left))
    with st.form("second_change", clear_on_submit=True):
        code = st.text_input(
            _("Code of the app, or a recovery code"), max_chars=40, autocomplete="one-time-code", key="field_change"
        )
        fault = st.container()
        with st.container(horizontal=True):
            renew = st.form_submit_button(_("New recovery codes"), icon=":material/refresh:", key="renew_codes")
            drop = st.form_submit_button(_("Turn off"), icon=":material/lock_open:", key="disable_second")
    if renew or drop:
        with fault, blocks.guarded():
            limited(user_id)
            if drop:
                second.disable(user_id, code or "")
                rerun_saying(_("The second step is off."))
            st.session_state[_CODES] = second.new_recovery_codes(user_id, code or "")
            rerun_saying(_("The old recovery codes no longer work."))


def _show_codes(codes: tuple[str, ...]) -> None:
    st.warning(
        _("Keep these recovery codes somewhere safe: they are shown this once. Each stands in for the app one time."),
        icon=":material/emergency:",
    )
    st.code("\n".join(codes), language=None)
