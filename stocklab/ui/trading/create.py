"""Putting a strategy to work: which one, on which account, with how much, how its orders are sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from stocklab.live.accounts import LinkedAccount
from stocklab.live.trader_settings import TraderSettings
from stocklab.live.traders import NewTrader
from stocklab.ui import blocks, cached, navigation
from stocklab.ui.account.saying import SAID
from stocklab.ui.brokers import services as broker_services
from stocklab.ui.brokers.words import kind_badge
from stocklab.ui.builder.fields import escape
from stocklab.ui.text import _
from stocklab.ui.trading import services
from stocklab.ui.trading.settings_form import settings_fields

__all__ = ["create_page"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """The document to trade and where it comes from."""

    name: str
    document: Mapping[str, Any]
    capital_krw: int
    strategy_id: str | None = None
    version: int | None = None
    run_id: str | None = None
    origin_id: str | None = None


def create_page(owner_id: str) -> None:
    """The form; without a strategy in the link, the choice of one."""
    source = _source(owner_id)
    if source is None:
        return
    accounts = [one for one in broker_services.accounts().all(owner_id) if one.linked and one.active]
    if not accounts:
        blocks.empty(
            _("No account is linked yet."),
            _("A paper account needs no keys and is where every strategy begins."),
            icon=":material/account_balance:",
        )
        navigation.link("brokers", _("Link an account"), icon=":material/add_link:", link="1")
        return
    st.subheader(escape(source.name), anchor=False)
    account = _account(accounts)
    with st.form("new_trader", border=True):
        name = st.text_input(_("Name"), value=source.name[:120], max_chars=120, key="field_trader_name")
        capital = st.number_input(
            _("Capital (won)"), 100_000, 1_000_000_000_000, source.capital_krw, step=1_000_000, key="field_capital"
        )
        with st.expander(_("How its orders are sent"), icon=":material/tune:"):
            settings = settings_fields(TraderSettings())
        pressed = st.form_submit_button(_("Create"), type="primary", icon=":material/add:", key="create_trader")
    st.caption(_("Creating sends nothing: you see its first purchases and what is asked for before you start it."))
    if pressed:
        with blocks.guarded():
            made = services.traders().create(
                owner_id,
                NewTrader(
                    account_id=account.id,
                    name=name or "",
                    document=source.document,
                    capital_krw=int(capital),
                    settings=settings,
                    strategy_id=source.strategy_id,
                    strategy_version=source.version,
                    run_id=source.run_id,
                    origin_id=source.origin_id,
                ),
            )
            st.session_state[SAID] = _("Created. Start it below.")
            navigation.go("trading", trader=made.id)


def _account(accounts: list[LinkedAccount]) -> LinkedAccount:
    names = {one.id: one.name for one in accounts}
    asked = st.selectbox(_("Account"), list(names), format_func=names.__getitem__, key="field_trader_account")
    chosen = next((one for one in accounts if one.id == asked), accounts[0])
    blocks.badges([kind_badge(chosen)])
    return chosen


def _source(owner_id: str) -> _Source | None:
    """What the link names: a stored result that the visitor may open, or a saved strategy of theirs."""
    lab = cached.lab()
    run_id, strategy_id = st.query_params.get("result"), st.query_params.get("strategy")
    if run_id is not None:
        lab.access.require(owner_id, run_id)
        card = cached.result(run_id).card
        return _Source(
            name=str(card["name"]),
            document=dict(card["strategy"]),
            capital_krw=max(int(card["initial_cash_krw"]), 100_000),
            run_id=run_id,
        )
    if strategy_id is not None:
        saved = lab.strategies.get(owner_id, strategy_id)
        return _Source(
            name=saved.name,
            document=saved.document,
            capital_krw=10_000_000,
            strategy_id=saved.id,
            version=saved.version,
            origin_id=saved.origin_id,
        )
    _choose(owner_id)
    return None


def _choose(owner_id: str) -> None:
    found = cached.lab().strategies.list(owner_id, limit=100)
    if not found:
        blocks.empty(
            _("No strategy is saved yet."),
            _("Build one and test it first, or open a result and press Trade this."),
            icon=":material/folder_open:",
        )
        navigation.link("builder", _("Open the builder"), icon=":material/tune:")
        return
    st.subheader(_("Which strategy?"), anchor=False)
    names = {one.id: f"{one.name} (v{one.version})" for one in found}
    chosen = st.selectbox(_("Saved strategy"), list(names), format_func=names.__getitem__, key="field_trader_strategy")
    if st.button(_("Go on"), icon=":material/arrow_forward:", key="choose_strategy") and chosen:
        navigation.go("trading", strategy=chosen)
    navigation.link("results", _("Or open a result and press Trade this"), icon=":material/monitoring:")
