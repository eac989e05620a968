"""Starting: what the account asks for, and for real money the second step and the account's name, typed."""

from __future__ import annotations

import streamlit as st

from stocklab.errors import InputError
from stocklab.live.accounts import AccountKind
from stocklab.live.permission import Permission
from stocklab.live.promotion import Readiness
from stocklab.live.trader_board import TraderLine
from stocklab.ui import blocks, cached, identity
from stocklab.ui.account.saying import SAID, rerun_saying
from stocklab.ui.account.security import limited
from stocklab.ui.brokers import services as broker_services
from stocklab.ui.builder.fields import escape
from stocklab.ui.text import _
from stocklab.ui.trading import services, words

__all__ = ["start_section"]


def start_section(owner_id: str, line: TraderLine) -> None:
    """What is asked for, then the way to start."""
    st.subheader(_("Start trading"), anchor=False)
    ready = services.ready(owner_id, line.trader.id)
    _checks(ready)
    if not ready.passed:
        st.info(
            _("It can start here when every line is met. The same rules count, whatever their name."),
            icon=":material/lock:",
        )
    elif ready.kind is AccountKind.LIVE:
        _start_live(owner_id, line)
    elif st.button(_("Start trading"), type="primary", icon=":material/play_arrow:", key="start_trader"):
        with blocks.guarded():
            services.traders().start(owner_id, line.trader.id)
            rerun_saying(_("It starts: its capital is set aside, and it decides before the next session."))
    if st.button(_("Discard"), icon=":material/delete:", key="discard_trader"):
        with blocks.guarded():
            services.traders().delete_draft(owner_id, line.trader.id)
            st.session_state[SAID] = _("Discarded.")
            st.query_params.clear()
            st.rerun()


def _checks(ready: Readiness) -> None:
    if ready.on is None:
        st.caption(_("Play money: any strategy may start here at once."))
        return
    st.caption(
        _("Before mock trading, it has to have traded on a paper account.")
        if ready.kind is AccountKind.MOCK
        else _("Before real money, it has to have traded with play money.")
    )
    blocks.table(
        (_("Asked for"), _("Wanted"), _("Found"), ""),
        [
            (_(words.CHECKS[one.check]), one.wanted or "✓", one.found or "—", _("met") if one.passed else _("not met"))
            for one in ready.checks
        ],
    )


def _start_live(owner_id: str, line: TraderLine) -> None:
    if not identity.has_accounts():
        st.error(
            _(
                "Real money is not traded in a home without accounts: there is no second step. Hint: set "
                "STOCKLAB_SINGLE_USER=false, sign up and turn on the second step."
            ),
            icon=":material/lock:",
        )
        return
    st.warning(
        _("**REAL MONEY.** From now on it sends orders to {account} without you.").format(
            account=escape(line.account.name)
        ),
        icon=":material/paid:",
    )
    with st.form("start_live", clear_on_submit=True):
        typed = st.text_input(
            _("Type the name of the account: {name}").format(name=escape(line.account.name)),
            max_chars=80,
            autocomplete="off",
            key="field_typed_name",
        )
        code = st.text_input(
            _("Code of the app, or a recovery code"), max_chars=40, autocomplete="one-time-code", key="field_live_code"
        )
        pressed = st.form_submit_button(
            _("Start with real money"), type="primary", icon=":material/paid:", key="start_live_trader"
        )
    if pressed:
        with blocks.guarded():
            _begin(owner_id, line, typed or "", code or "")
            rerun_saying(_("It starts: its capital is set aside, and it decides before the next session."))


def _begin(owner_id: str, line: TraderLine, typed: str, code: str) -> None:
    """The leave is made and used here; it is kept nowhere, so that the next start asks anew."""
    accounts = cached.lab().accounts
    if typed.strip() != line.account.name:
        raise InputError(f"Expected the name of the account, {line.account.name!r}, typed as it is.")
    limited(owner_id)
    accounts.second_factor.check(owner_id, code)
    permission = Permission(owner_id=owner_id, typed=typed, second_step_at=broker_services.now())
    services.traders().start(
        owner_id, line.trader.id, permission=permission, most=accounts.plans.of(owner_id).live_slots
    )
