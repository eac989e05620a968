"""Profile: e-mail, nickname, phone, language, and what the plan allows."""

from __future__ import annotations

import streamlit as st

from stocklab.accounts import User
from stocklab.ui import blocks, cached
from stocklab.ui import format as fmt
from stocklab.ui.account.saying import plan_name, rerun_saying, said
from stocklab.ui.account.security import limited
from stocklab.ui.text import LANGUAGES, _, default_language

__all__ = ["profile_section"]


def profile_section(user_id: str) -> None:
    """The form, and below it the quotas."""
    said()
    user = cached.lab().accounts.users.get(user_id)
    _form(user)
    allowance = cached.lab().accounts.plans.allowance(user_id)
    st.subheader(_("What you may use"), anchor=False)
    blocks.facts(
        {
            _("Plan"): plan_name(allowance.plan.name),
            _("Backtests today"): f"{allowance.backtests_today:,} / {allowance.plan.backtests_a_day:,}",
            _("Backtests a minute"): f"{allowance.backtests_a_minute:,}",
            _("Strategies that trade at once"): f"{allowance.plan.live_slots:,}",
            _("Account since"): fmt.moment(user.created_at),
        }
    )


def _form(user: User) -> None:
    codes = list(LANGUAGES)
    with st.form("profile", border=True):
        email = st.text_input(_("E-mail"), value=user.email, max_chars=254, key="field_email")
        nickname = st.text_input(
            _("Nickname"), value=user.nickname, max_chars=40, key="field_nickname", help=_("What others see.")
        )
        phone = st.text_input(_("Phone (if you like)"), value=user.phone or "", max_chars=32, key="field_phone")
        language = st.selectbox(
            _("Language after log-in"),
            codes,
            index=codes.index(user.language or default_language()),
            format_func=lambda code: LANGUAGES[code],
            key="account_language",
        )
        password = ""
        if user.has_password:
            password = st.text_input(
                _("Password (only to change the e-mail)"),
                type="password",
                autocomplete="current-password",
                key="field_profile_password",
                help=_("Links for a new password go to the e-mail."),
            )
        fault = st.container()  # above the button: what stands below it may be out of sight
        saved = st.form_submit_button(_("Save"), icon=":material/save:", type="primary", key="save_profile")
    if saved:
        with fault, blocks.guarded():
            if password:
                limited(user.id)
            cached.lab().accounts.users.change_profile(
                user.id,
                email=email or "",
                nickname=nickname or "",
                phone=phone or "",
                language=language,
                password=password or "",
            )
            cached.lab().accounts.sessions.forget()
            rerun_saying(_("Saved."))
