"""Linking an account: where, whose money, what is needed, the keys."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import streamlit as st

from stocklab.brokers.values import BrokerName
from stocklab.live.credentials import FIELDS, Field
from stocklab.live.paper_opening import LEAST_CASH_KRW, MOST_CASH_KRW, USUAL_CASH_KRW, opening_with
from stocklab.ui import blocks, emergency, navigation
from stocklab.ui.account.saying import SAID
from stocklab.ui.brokers import services, words
from stocklab.ui.text import _

__all__ = ["key_fields", "link_form"]

_ORDER: Final = (BrokerName.PAPER, BrokerName.KIWOOM, BrokerName.KIS, BrokerName.UPBIT)


def link_form(owner_id: str) -> None:
    """The steps, from top to bottom."""
    st.subheader(_("1. Where"), anchor=False)
    names = {one: _(words.BROKERS[one]) for one in _ORDER}
    broker = st.radio(
        _("Broker"),
        _ORDER,
        format_func=names.__getitem__,
        horizontal=True,
        key="broker_choice",
        label_visibility="collapsed",
    )
    broker = broker or BrokerName.PAPER
    mock = _whose_money(broker)
    st.subheader(_("3. What is needed"), anchor=False)
    st.markdown("\n".join(f"- {_(line)}" for line in words.NEEDS[broker]))
    st.subheader(_("4. Link"), anchor=False)
    with st.form(f"link_{broker.value}", border=True):
        name = st.text_input(
            _("Name of the account"), value=_(words.BROKERS[broker]), max_chars=80, key=f"field_link_name_{broker}"
        )
        entered = key_fields(FIELDS[broker], f"link_{broker.value}")
        cash = Decimal(0)
        if broker is BrokerName.PAPER:
            markets = {"KRX": _("Stocks"), "UPBIT": _("Coins")}
            entered["market"] = st.radio(
                _("What it trades"),
                list(markets),
                format_func=markets.__getitem__,
                horizontal=True,
                key="field_link_market",
            )
            cash = Decimal(
                st.number_input(
                    _("Play money to begin with (won)"),
                    int(LEAST_CASH_KRW),
                    int(MOST_CASH_KRW),
                    int(USUAL_CASH_KRW),
                    step=1_000_000,
                    key="field_link_cash",
                )
            )
        else:
            st.caption(_("Keys are kept encrypted, sent to the broker alone, and never shown again."))
        pressed = st.form_submit_button(_("Link"), icon=":material/add_link:", type="primary", key="link_account")
    if pressed:
        with blocks.guarded():
            opened = (
                opening_with(owner_id, cash, coins=entered["market"] == "UPBIT") if broker is BrokerName.PAPER else None
            )
            services.accounts().link(owner_id, broker, mock=mock, name=name or "", entered=entered, opened=opened)
            emergency.forget()
            st.session_state[SAID] = _("The account is linked.")
            navigation.go("brokers")


def _whose_money(broker: BrokerName) -> bool:
    st.subheader(_("2. Whose money"), anchor=False)
    if broker is BrokerName.PAPER:
        st.caption(_("Play money: nothing leaves this program."))
        return False
    if broker is BrokerName.UPBIT:
        st.warning(_("Real money: Upbit has no mock trading."), icon=":material/paid:")
        return False
    kinds = {"mock": _("Mock trading (the broker's play money)"), "live": _("Live (real money)")}
    kind = st.radio(
        _("Whose money"),
        list(kinds),
        format_func=kinds.__getitem__,
        key="link_kind_choice",
        label_visibility="collapsed",
    )
    if kind == "live":
        st.warning(
            _(
                "Real money. Linking sends no order; each strategy still has to pass paper and mock trading, and every "
                "beginning asks for a code and a typed confirmation."
            ),
            icon=":material/paid:",
        )
    return kind != "live"


def key_fields(fields: tuple[Field, ...], key: str) -> dict[str, str]:
    """Empty fields for keys: what is kept is never sent to a browser."""
    entered = {}
    for field in fields:
        label = _(words.FIELDS[field.name])
        if field.optional:
            label = _("{name} (if you like)").format(name=label)
        entered[field.name] = (
            st.text_input(
                label,
                type="password" if field.secret else "default",
                max_chars=400,
                autocomplete="new-password" if field.secret else "off",
                key=f"field_{key}_{field.name}",
            )
            or ""
        )
    return {name: value for name, value in entered.items() if value.strip()}
