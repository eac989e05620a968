"""One strategy at work in a list, and at the head of its own page."""

from __future__ import annotations

import streamlit as st

from stocklab.live.trader_board import TraderLine
from stocklab.ui import blocks, navigation
from stocklab.ui import format as fmt
from stocklab.ui.brokers.words import kind_badge
from stocklab.ui.builder.fields import escape
from stocklab.ui.text import _, language
from stocklab.ui.trading import words

__all__ = ["trader_card"]


def trader_card(line: TraderLine, *, linked: bool) -> None:
    """State, account, worth and trouble; with ``linked`` a link leads to its page."""
    trader, spoken = line.trader, language()
    icon, colour = words.LOOKS[trader.state]
    with st.container(border=True, key=f"trader_{trader.id}"):
        labels = [kind_badge(line.account), blocks.badge(_(words.STATES[trader.state]), icon, colour)]
        if trader.stop_way is not None:
            labels.append(blocks.badge(_(words.STOPS[trader.stop_way][0]), "stop_circle"))
        if line.switch is not None:
            labels.append(blocks.badge(_("Emergency stop"), "emergency_home", "red"))
        if line.waiting:
            labels.append(blocks.badge(_("Waits for your answer"), "approval", "orange"))
        st.markdown(f"**{escape(trader.name)}**  \n{escape(line.account.name)}")
        blocks.badges(labels)
        if trader.reason:
            st.warning(escape(trader.reason), icon=":material/warning:")
        equity = line.day.equity_krw if line.day is not None else None
        blocks.facts(
            {
                _("Capital"): fmt.krw(float(trader.capital_krw), spoken),
                _("Equity"): fmt.krw(None if equity is None else float(equity), spoken),
                _("Return since the start"): fmt.percent(
                    None if line.returned is None else float(line.returned), signed=True
                ),
                _("As of"): fmt.day(None if line.day is None else line.day.session),
                _("Last decision for"): fmt.day(line.decided_for),
            }
        )
        if linked:
            navigation.link("trading", _("Open"), icon=":material/arrow_forward:", trader=trader.id)
