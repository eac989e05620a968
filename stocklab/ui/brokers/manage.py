"""One account: its health, emergency stop, limits, name, keys, pause, and unlinking it."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from stocklab.brokers.values import BrokerName
from stocklab.live.account_board import AccountLine
from stocklab.live.accounts import LinkedAccount
from stocklab.live.credentials import FIELDS
from stocklab.trading.journal import EVERYTHING
from stocklab.ui import blocks, emergency, navigation
from stocklab.ui import format as fmt
from stocklab.ui.account.saying import SAID, rerun_saying
from stocklab.ui.brokers import services
from stocklab.ui.brokers.cards import account_card
from stocklab.ui.brokers.limits import limits_form
from stocklab.ui.brokers.link import key_fields
from stocklab.ui.builder.fields import escape
from stocklab.ui.text import _

__all__ = ["account_page"]


def account_page(owner_id: str, line: AccountLine, now: datetime) -> None:
    """The account and what can be set for it."""
    navigation.link("brokers", _("All accounts"), icon=":material/arrow_back:")
    account_card(line, now, process=services.process_works(), linked=False)
    account = line.account
    if not account.linked:
        st.caption(_("The keys are forgotten; what was traded here stays on the orders page."))
        return
    _stop(owner_id, line)
    with st.expander(_("Risk limits"), icon=":material/shield:", key="limits_part"):
        limits_form(owner_id, account)
    with st.expander(_("Name"), icon=":material/edit:", key="name_part"):
        _rename(owner_id, account)
    if account.broker is not BrokerName.PAPER:
        with st.expander(_("Change the keys"), icon=":material/key:", key="keys_part"):
            _change_keys(owner_id, account)
    with st.expander(_("Pause or unlink"), icon=":material/link_off:", key="unlink_part"):
        _pause(owner_id, account)
        _unlink(owner_id, account)


def _stop(owner_id: str, line: AccountLine) -> None:
    account, switch = line.account, line.switch
    if switch is not None and switch.scope == EVERYTHING:
        st.error(_("The people who run this stopped all orders."), icon=":material/emergency_home:")
        return
    if switch is None:
        with st.popover(_("Stop this account"), icon=":material/emergency_home:", key="account_stop"):
            st.markdown(_("Open orders are cancelled and none is sent until you lift it. What is held stays."))
            reason = st.text_input(_("Why (if you like)"), max_chars=200, key="field_account_stop_reason")
            if st.button(_("Stop now"), type="primary", key="account_stop_now"):
                services.switches().set_account(owner_id, account.id, thrown=True, reason=reason or "")
                emergency.forget()
                st.rerun()
        return
    st.error(
        _("Stopped since {moment}. {reason}").format(
            moment=fmt.moment(switch.changed_at), reason=escape(switch.reason)
        ),
        icon=":material/emergency_home:",
    )
    with st.popover(_("Lift the stop"), key="account_lift"):
        st.markdown(_("Orders go out again from now on; what was decided before is not sent any more."))
        if st.button(_("Lift now"), key="account_lift_now"):
            services.switches().set_account(owner_id, account.id, thrown=False)
            emergency.forget()
            st.rerun()


def _rename(owner_id: str, account: LinkedAccount) -> None:
    with st.form(f"rename_{account.id}", border=False):
        name = st.text_input(_("Name of the account"), value=account.name, max_chars=80, key="field_rename")
        saved = st.form_submit_button(_("Save"), icon=":material/save:", key="save_name")
    if saved:
        with blocks.guarded():
            services.accounts().rename(owner_id, account.id, name or "")
            emergency.forget()
            rerun_saying(_("Saved."))


def _change_keys(owner_id: str, account: LinkedAccount) -> None:
    st.caption(_("Entered {moment}.").format(moment=fmt.moment(account.keys_changed_at)))
    with st.form(f"keys_{account.id}", border=False, clear_on_submit=True):
        entered = key_fields(FIELDS[account.broker], "keys")
        st.caption(_("All of them anew: what is kept is never shown."))
        saved = st.form_submit_button(_("Save"), icon=":material/save:", key="save_keys")
    if saved:
        with blocks.guarded():
            services.accounts().change_keys(owner_id, account.id, entered)
            rerun_saying(_("The keys were changed; the background process tries them now."))


def _pause(owner_id: str, account: LinkedAccount) -> None:
    if account.active:
        st.markdown(_("Paused, nothing is read or sent there. Orders that the broker has stay there."))
        label, icon, words = _("Pause"), ":material/pause:", _("The account is paused.")
    else:
        label, icon, words = _("Open"), ":material/play_arrow:", _("The account is opened.")
    if st.button(label, icon=icon, key="switch_account"):
        with blocks.guarded():
            services.accounts().set_active(owner_id, account.id, active=not account.active)
            rerun_saying(words)


def _unlink(owner_id: str, account: LinkedAccount) -> None:
    st.markdown(_("Unlinking forgets the keys. It is refused while an order is not over or a strategy is at work."))
    sure = st.checkbox(_("Yes, forget the keys"), key="unlink_sure")
    if st.button(_("Unlink"), icon=":material/link_off:", key="unlink_account", disabled=not sure):
        with blocks.guarded():
            services.accounts().unlink(owner_id, account.id)
            emergency.forget()
            st.session_state[SAID] = _("The account is unlinked.")
            navigation.go("brokers")
