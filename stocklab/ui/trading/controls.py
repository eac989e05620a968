"""Pause, go on, stop in three ways, and the emergency stop of one strategy."""

from __future__ import annotations

import streamlit as st

from stocklab.live.trader_board import TraderLine
from stocklab.live.traders import StopWay, TraderState
from stocklab.trading.journal import sleeve_scope
from stocklab.ui import blocks, emergency
from stocklab.ui import format as fmt
from stocklab.ui.account.saying import rerun_saying
from stocklab.ui.brokers import services as broker_services
from stocklab.ui.builder.fields import escape
from stocklab.ui.text import _
from stocklab.ui.trading import services, words

__all__ = ["control_section"]


def control_section(owner_id: str, line: TraderLine) -> None:
    """What its state allows, each with what it does."""
    trader = line.trader
    _switched(owner_id, line)
    if not trader.at_work:
        return
    with st.container(horizontal=True, gap="small"):
        if trader.state is TraderState.ACTIVE:
            words_now = _("It decides nothing until you let it go on; its stops are watched.")
            if st.button(_("Pause"), icon=":material/pause:", key="pause_trader", help=words_now):
                with blocks.guarded():
                    services.traders().pause(owner_id, trader.id)
                    rerun_saying(words_now)
        if trader.state is TraderState.PAUSED and st.button(
            _("Go on"), icon=":material/play_arrow:", key="resume_trader"
        ):
            with blocks.guarded():
                services.traders().resume(owner_id, trader.id)
                rerun_saying(_("It decides again before the next session."))
        with st.popover(_("Stop"), icon=":material/stop_circle:", key="stop_part"):
            _stop(owner_id, line)
        if line.switch is None:
            _throw(owner_id, line)


def _stop(owner_id: str, line: TraderLine) -> None:
    ways = {way: _(name) for way, (name, _said) in words.STOPS.items()}
    chosen = st.radio(
        _("How"),
        list(ways),
        format_func=ways.__getitem__,
        captions=[_(said) for _name, said in words.STOPS.values()],
        key="stop_choice",
        label_visibility="collapsed",
    )
    if st.button(_("Stop now"), type="primary", key="stop_trader"):
        with blocks.guarded():
            services.traders().stop(owner_id, line.trader.id, chosen or StopWay.NO_ENTRIES)
            rerun_saying(_("It is being stopped by the background process."))


def _throw(owner_id: str, line: TraderLine) -> None:
    with st.popover(_("Emergency stop"), icon=":material/emergency_home:", key="trader_stop"):
        st.markdown(
            _("Its open orders are cancelled and none is sent until you lift it; stops do not fire. Holdings stay.")
        )
        reason = st.text_input(_("Why (if you like)"), max_chars=200, key="field_trader_stop_reason")
        if st.button(_("Stop now"), type="primary", key="trader_stop_now"):
            broker_services.switches().set_trader(owner_id, line.trader.id, thrown=True, reason=reason or "")
            emergency.forget()
            st.rerun()


def _switched(owner_id: str, line: TraderLine) -> None:
    switch = line.switch
    if switch is None:
        return
    st.error(
        _("Stopped since {moment}. {reason}").format(
            moment=fmt.moment(switch.changed_at), reason=escape(switch.reason)
        ),
        icon=":material/emergency_home:",
    )
    if switch.scope == sleeve_scope(line.trader.id) and st.button(_("Lift the stop"), key="trader_lift_now"):
        broker_services.switches().set_trader(owner_id, line.trader.id, thrown=False)
        emergency.forget()
        st.rerun()
