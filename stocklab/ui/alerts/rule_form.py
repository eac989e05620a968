"""Forms of rules: which kind, about which symbol, what must hold, and where it is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import streamlit as st

from stocklab.alerts import COOLDOWN, RULE_KINDS, AlertKind, Rule, Sense
from stocklab.data.sources.dart_disclosures import DisclosureKind
from stocklab.ui import blocks, cached
from stocklab.ui.account.saying import rerun_saying
from stocklab.ui.alerts import services
from stocklab.ui.alerts.words import KINDS, SENSES
from stocklab.ui.company.news import KINDS as FILING_KINDS
from stocklab.ui.text import N_, _

__all__ = ["change_form", "new_form"]

_WITHOUT_SYMBOL: Final = (AlertKind.DATA_STALE,)
_PAUSES: Final[Mapping[int, str]] = {
    0: N_("no pause"),
    600: N_("10 minutes"),
    3600: N_("an hour"),
    86_400: N_("a day"),
}


def new_form(owner_id: str) -> None:
    """Kind first, because the fields depend on it."""
    kind = AlertKind(
        st.selectbox(
            _("What about"),
            [one.value for one in RULE_KINDS],
            format_func=lambda code: _(KINDS[AlertKind(code)]),
            key="alerts_rule_choice",
        )
    )
    with st.form("new_rule", border=False):
        symbol = "" if kind in _WITHOUT_SYMBOL else _symbol(kind)
        condition = _condition(kind, {}, "new")
        channels, cooldown = _where(owner_id, (), COOLDOWN, "new")
        pressed = st.form_submit_button(_("Make the rule"), key="add_rule", icon=":material/add:")
    if pressed:
        with blocks.guarded("warning"):
            services.rules().add(owner_id, kind, symbol, condition, channels=channels, cooldown=cooldown)
            rerun_saying(_("The rule watches from now on."))


def change_form(owner_id: str, rule: Rule) -> None:
    """Another condition for a rule; it begins anew."""
    with st.form(f"change_rule_{rule.id}", border=False):
        condition = _condition(rule.kind, rule.condition, rule.id)
        channels, cooldown = _where(owner_id, rule.channels, rule.cooldown, rule.id)
        pressed = st.form_submit_button(_("Save"), key=f"save_rule_{rule.id}", icon=":material/save:")
    if pressed:
        with blocks.guarded("warning"):
            services.rules().change(owner_id, rule.id, condition, channels=channels, cooldown=cooldown)
            rerun_saying(_("The rule was changed."))


def _symbol(kind: AlertKind) -> str:
    known = cached.symbol_names() if cached.lab().store.current_id() is not None else {}
    if not known:
        st.caption(_("Symbols can be chosen when there are market data."))
    chosen = st.selectbox(
        _("Symbol (empty: all companies)") if kind is AlertKind.DISCLOSURE else _("Symbol"),
        list(known),
        index=None,
        format_func=lambda symbol: known.get(symbol, symbol),
        placeholder=_("Name or code"),
        key="alerts_rule_symbol",
    )
    return chosen or ""


def _condition(kind: AlertKind, kept: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The fields of a kind, as `stocklab.alerts.conditions` takes them."""
    if kind is AlertKind.PRICE:
        left, right = st.columns(2)
        senses = [sense.value for sense in Sense]
        sense = left.selectbox(
            _("When the price is"),
            senses,
            index=senses.index(kept.get("sense", senses[0])),
            format_func=lambda code: _(SENSES[Sense(code)]),
            key=f"rule_sense_{key}",
        )
        limit = right.number_input(
            _("Won, or percent for a move on the day"),
            min_value=0.0,
            value=float(kept.get("limit", 0.0)),
            key=f"field_rule_limit_{key}",
        )
        return {"sense": sense, "limit": limit}
    if kind is AlertKind.INDICATOR:
        formula = st.text_input(
            _("Condition in the language of formulas"),
            kept.get("formula", ""),
            placeholder="rsi_14 < 30",
            max_chars=500,
            key=f"field_rule_formula_{key}",
            help=_("It is judged after each close. The factor catalogue lists what may stand in it."),
        )
        return {"formula": formula or ""}
    if kind is AlertKind.DISCLOSURE:
        words = st.text_input(
            _("Words of the title, separated by commas (empty: any)"),
            ", ".join(kept.get("words", ())),
            key=f"field_rule_words_{key}",
        )
        kinds = st.multiselect(
            _("Kind of disclosure"),
            [one.value for one in DisclosureKind],
            default=list(kept.get("kinds", ())),
            format_func=lambda code: _(FILING_KINDS[DisclosureKind(code)]),
            placeholder=_("All kinds"),
            key=f"rule_kinds_{key}",
        )
        return {"words": (words or "").split(","), "kinds": kinds}
    if kind is AlertKind.DATA_STALE:
        sessions = st.number_input(
            _("Sessions late"), 1, 30, int(kept.get("sessions", 1)), key=f"field_rule_sessions_{key}"
        )
        return {"sessions": int(sessions)}
    st.caption(
        _(
            "It tells when trading is halted, and when the exchange flags the issue: administrative, warning, risk "
            "and others."
        )
    )
    return {}


def _where(owner_id: str, chosen: tuple[str, ...], cooldown: timedelta, key: str) -> tuple[list[str], timedelta]:
    """The channels, and the pause between two alerts of a rule."""
    names = {channel.id: channel.name for channel in services.channels().list(owner_id)}
    left, right = st.columns(2)
    channels = left.multiselect(
        _("Channels"),
        list(names),
        default=[one for one in chosen if one in names],
        format_func=lambda one: names.get(one, one),
        placeholder=_("All of them"),
        key=f"rule_channels_{key}",
    )
    pauses = sorted({*_PAUSES, int(cooldown.total_seconds())})
    pause = right.selectbox(
        _("Not again within"),
        pauses,
        index=pauses.index(int(cooldown.total_seconds())),
        format_func=lambda seconds: _(_PAUSES[seconds]) if seconds in _PAUSES else str(timedelta(seconds=seconds)),
        key=f"rule_pause_{key}",
    )
    return channels, timedelta(seconds=pause)
