"""One strategy at work: start or stop it, what it decided, what it holds, how it follows its backtest."""

from __future__ import annotations

from typing import Final

import streamlit as st

from stocklab.live.trader_board import TraderLine
from stocklab.live.traders import TraderState
from stocklab.ui import blocks, navigation
from stocklab.ui.account.saying import rerun_saying
from stocklab.ui.text import N_, _
from stocklab.ui.trading import services
from stocklab.ui.trading.cards import trader_card
from stocklab.ui.trading.controls import control_section
from stocklab.ui.trading.days import days_section
from stocklab.ui.trading.decided import decisions_section
from stocklab.ui.trading.first import first_section
from stocklab.ui.trading.gate import start_section
from stocklab.ui.trading.settings_form import settings_fields

__all__ = ["trader_page"]

_SECTIONS: Final = {
    "decisions": N_("Decisions"),
    "days": N_("Holdings and gap"),
    "settings": N_("How its orders are sent"),
}


def trader_page(owner_id: str, line: TraderLine) -> None:
    """The card, what can be done now, and one section."""
    trader_card(line, linked=False)
    trader = line.trader
    if trader.run_id is not None:
        navigation.link("results", _("The backtest it comes from"), icon=":material/monitoring:", run=trader.run_id)
    if trader.state is TraderState.DRAFT:
        start_section(owner_id, line)
        first_section(trader.strategy, int(trader.capital_krw))
        with st.expander(_("How its orders are sent"), icon=":material/tune:"):
            _settings(owner_id, line)
        return
    control_section(owner_id, line)
    sections = {code: _(name) for code, name in _SECTIONS.items()}
    chosen = navigation.choice_in_url(
        "trader_section", sections, _("Section"), default="decisions", key="trader_section"
    )
    if chosen == "decisions":
        decisions_section(owner_id, line)
    elif chosen == "days":
        days_section(owner_id, line)
    else:
        _settings(owner_id, line)


def _settings(owner_id: str, line: TraderLine) -> None:
    with st.form("trader_settings", border=False):
        with blocks.guarded():
            changed = settings_fields(line.trader.settings)
        saved = st.form_submit_button(_("Save"), icon=":material/save:", key="save_trader_settings")
    if saved:
        with blocks.guarded():
            services.traders().change_settings(owner_id, line.trader.id, changed)
            rerun_saying(_("It holds from the next decision on."))
