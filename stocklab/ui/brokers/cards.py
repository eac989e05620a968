"""Accounts side by side: what each is, whether it is well, and the figures of its health."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from stocklab.live.account_board import AccountHealth, AccountLine, AccountState
from stocklab.ui import blocks, navigation
from stocklab.ui import format as fmt
from stocklab.ui.brokers import services, words
from stocklab.ui.builder.fields import escape
from stocklab.ui.system.words import ago
from stocklab.ui.text import _, language

__all__ = ["account_card", "account_list", "health_facts"]


def account_list(lines: tuple[AccountLine, ...], now: datetime) -> None:
    """A card for each account."""
    process = services.process_works()
    for line in lines:
        account_card(line, now, process=process, linked=True)
    navigation.link("brokers", _("Link another account"), icon=":material/add_link:", link="1")


def account_card(line: AccountLine, now: datetime, *, process: bool, linked: bool) -> None:
    """One account; with ``linked`` a link leads to what can be set for it."""
    account = line.account
    state = line.state(now, trading=services.trades_at_all(), process=process)
    icon, colour = words.STATE_LOOKS[state]
    with st.container(border=True, key=f"broker_account_{account.id}"):
        labels = [words.kind_badge(account), blocks.badge(_(words.STATES[state]), icon, colour)]
        if line.switch is not None:
            labels.append(blocks.badge(_("Emergency stop"), "emergency_home", "red"))
        masked = f" · {escape(account.masked)}" if account.masked else ""
        st.markdown(f"**{escape(account.name)}**  \n{_(words.BROKERS[account.broker])}{masked}")
        blocks.badges(labels)
        _advice(line, state)
        if account.linked:
            health_facts(line, now)
        if linked:
            navigation.link("brokers", _("Settings of this account"), icon=":material/settings:", account=account.id)


def _advice(line: AccountLine, state: AccountState) -> None:
    health = line.health
    said = [_(words.ADVICE[state])] if state in words.ADVICE else []
    if state is AccountState.HALTED:
        said.insert(0, escape(line.account.stopped_reason or (health.stopped if health is not None else "")))
    elif state in (AccountState.DENIED, AccountState.TROUBLE) and health is not None and health.trouble:
        said.insert(0, escape(health.trouble))
    if said:
        st.caption("  \n".join(said))


def health_facts(line: AccountLine, now: datetime) -> None:
    """What the account's thread wrote down last, the token, and how well orders are filled."""
    health = line.health or AccountHealth(looked_at=None, well_at=None)
    facts = {
        _("Equity"): fmt.krw(None if health.equity_krw is None else float(health.equity_krw), language()),
        _("Cash"): fmt.krw(None if health.cash_krw is None else float(health.cash_krw), language()),
        _("Last look"): ago(health.looked_at, now),
        _("Last time well"): ago(health.well_at, now),
        _("Open orders"): f"{health.open:,}",
        _("In doubt"): f"{health.in_doubt:,}",
        _("Prices"): _(words.QUOTES.get(health.quotes, health.quotes)),
        _("Socket"): _(words.SOCKETS.get(health.socket, health.socket)),
        _("Calls"): _("{calls}, {failed} failed ({rate})").format(
            calls=f"{health.calls:,}", failed=f"{health.failed:,}", rate=fmt.percent(health.error_rate, digits=1)
        ),
        _("Time of a call"): fmt.DASH
        if health.mean_seconds is None
        else _("{seconds} s").format(seconds=fmt.decimal(health.mean_seconds)),
        _("Token"): _token(line, now),
        _("Filled in 30 days"): fmt.DASH
        if line.fill_rate is None
        else f"{fmt.percent(line.fill_rate, digits=0)} ({line.filled:,}/{line.ended:,})",
        _("Stage of losses"): _(words.STAGES[health.stage]) if health.stage in words.STAGES else fmt.DASH,
    }
    if health.quote_trouble:
        facts[_("Trouble with prices")] = health.quote_trouble
    blocks.facts(facts)


def _token(line: AccountLine, now: datetime) -> str:
    token = line.token
    if token is None:
        return fmt.DASH
    if token.expires_at is not None and token.expires_at <= now:
        return _("over since {moment}").format(moment=fmt.moment(token.expires_at))
    return _("{age}, good until {moment}").format(age=ago(token.issued_at, now), moment=fmt.moment(token.expires_at))
