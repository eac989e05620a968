"""The rules of an owner, each with its state and what it fired; and the form for a new one."""

from __future__ import annotations

import streamlit as st

from stocklab.alerts import AlertKind, Rule
from stocklab.ui import blocks
from stocklab.ui import format as fmt
from stocklab.ui.account.saying import rerun_saying
from stocklab.ui.alerts import services
from stocklab.ui.alerts.rule_form import change_form, new_form
from stocklab.ui.alerts.words import KINDS, rule_words, symbol_words
from stocklab.ui.builder.fields import escape
from stocklab.ui.text import _, language

__all__ = ["rules_section"]

_SHOWN = 5


def rules_section(owner_id: str) -> None:
    """A form for a new one, then those there are."""
    rules = services.rules().list(owner_id)
    with st.expander(_("New rule"), icon=":material/add:", expanded=not rules):
        new_form(owner_id)
    if not rules:
        blocks.empty(
            _("No rule yet."),
            _("A rule tells you when a price, a condition, a filing or a flag of the exchange is there."),
            icon=":material/rule:",
        )
    for rule in rules:
        with st.container(border=True, gap="xsmall", key=f"rule_card_{rule.id}"):
            _card(owner_id, rule)


def _card(owner_id: str, rule: Rule) -> None:
    about = symbol_words(rule.symbol) if rule.symbol else _("All companies")
    about = _("Market data") if rule.kind is AlertKind.DATA_STALE else about
    st.markdown(f"**{escape(about)}** · {_(KINDS[rule.kind])}  \n{escape(rule_words(rule))}")
    labels = [_state(rule)]
    if rule.last_fired_at is not None:
        labels.append(":gray[" + _("last told {moment}").format(moment=fmt.moment(rule.last_fired_at)) + "]")
    if rule.last_value is not None and rule.kind is AlertKind.PRICE:
        labels.append(":gray[" + _("last seen {value}").format(value=fmt.decimal(rule.last_value)) + "]")
    blocks.badges(labels)
    if rule.trouble:
        st.warning(escape(rule.trouble), icon=":material/error:")
    with st.container(horizontal=True, gap="small"):
        words, icon = (_("Pause"), "pause") if rule.active else (_("Go on"), "play_arrow")
        if st.button(words, key=f"pause_rule_{rule.id}", icon=f":material/{icon}:", type="tertiary"):
            services.rules().set_active(owner_id, rule.id, not rule.active)
            st.rerun()
        if st.button(_("Delete"), key=f"delete_rule_{rule.id}", icon=":material/delete:", type="tertiary"):
            services.rules().remove(owner_id, rule.id)
            rerun_saying(_("The rule was deleted. What it told stays in the feed."))
    with st.expander(_("Change"), icon=":material/edit:"):
        change_form(owner_id, rule)
    with st.expander(_("History"), icon=":material/history:", on_change="rerun", key=f"history_{rule.id}") as history:
        if history.open:
            _history(owner_id, rule)


def _state(rule: Rule) -> str:
    if not rule.active:
        return blocks.badge(_("Paused"), "pause", "gray")
    if not rule.armed:
        return blocks.badge(_("Told; waits until it no longer holds"), "notifications_paused", "orange")
    return blocks.badge(_("Watching"), "visibility", "green")


def _history(owner_id: str, rule: Rule) -> None:
    """What the rule told, the newest first."""
    events = services.feed().list(owner_id, rule_id=rule.id).items[:_SHOWN]
    if not events:
        st.caption(_("It told nothing yet."))
    for event in events:
        said = event.said(language())
        st.markdown(f":gray[{fmt.moment(event.created_at)}] {escape(said.text or said.title)}")
