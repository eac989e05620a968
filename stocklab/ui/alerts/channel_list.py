"""The channels of an owner, masked, each with how it is doing and a button that tries it; and signs of life."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from stocklab.alerts import Channel, Trial
from stocklab.ui import blocks
from stocklab.ui import format as fmt
from stocklab.ui.account.saying import rerun_saying
from stocklab.ui.alerts import services
from stocklab.ui.alerts.channel_form import new_channel, shown_once
from stocklab.ui.alerts.sign_form import sign_section
from stocklab.ui.alerts.words import CHANNELS
from stocklab.ui.builder.fields import escape
from stocklab.ui.text import _

__all__ = ["channels_section"]

_TICK_SECONDS = 2.0


def channels_section(owner_id: str) -> None:
    """What was just made, a form for a new one, those there are, and signs of life."""
    shown_once()
    channels = services.channels().list(owner_id)
    with st.expander(_("Add a channel"), icon=":material/add:", expanded=not channels):
        new_channel(owner_id)
    if not channels:
        blocks.empty(
            _("No channel yet."),
            _("Without one, alerts stay in the feed. Add one above and send it a test."),
            icon=":material/send:",
        )
    elif any(_waits(trial) for trial in services.channels().trials(owner_id).values()):
        st.fragment(_cards, run_every=_TICK_SECONDS)(owner_id)
    else:
        _cards(owner_id)
    with st.expander(_("Signs of life to the outside"), icon=":material/monitor_heart:"):
        sign_section(owner_id)


def _waits(trial: Trial) -> bool:
    return trial.state in ("waiting", "failed")


def _cards(owner_id: str) -> None:
    """All channels; drawn again every few seconds while a test is on its way."""
    trials: Mapping[str, Trial] = services.channels().trials(owner_id)
    for channel in services.channels().list(owner_id):
        with st.container(border=True, gap="xsmall", key=f"channel_{channel.id}"):
            _card(owner_id, channel, trials.get(channel.id))


def _card(owner_id: str, channel: Channel, trial: Trial | None) -> None:
    st.markdown(f"**{escape(channel.name)}** · {_(CHANNELS[channel.kind])}  \n{escape(channel.masked)}")
    blocks.badges(_labels(channel))
    if trial is not None:
        _outcome(trial)
    elif channel.last_error:
        st.error(_("The last message did not arrive: {reason}").format(reason=escape(channel.last_error)))
    with st.container(horizontal=True, gap="small"):
        if st.button(
            _("Send a test"),
            key=f"test_{channel.id}",
            icon=":material/send:",
            disabled=not channel.active or (trial is not None and _waits(trial)),
        ):
            with blocks.guarded("warning"):
                services.channels().ask_for_test(owner_id, channel.id)
                st.rerun()
        words, icon = (_("Pause"), "pause") if channel.active else (_("Go on"), "play_arrow")
        if st.button(words, key=f"pause_{channel.id}", icon=f":material/{icon}:", type="tertiary"):
            services.channels().set_active(owner_id, channel.id, not channel.active)
            st.rerun()
        with st.popover(_("Delete"), icon=":material/delete:", type="tertiary", key=f"delete_{channel.id}"):
            st.markdown(_("What still waits for this channel is not sent any more."))
            if st.button(_("Delete the channel"), key=f"delete_now_{channel.id}", type="primary"):
                services.channels().remove(owner_id, channel.id)
                rerun_saying(_("The channel was deleted."))


def _labels(channel: Channel) -> list[str]:
    if not channel.active:
        labels = [blocks.badge(_("Paused"), "pause", "gray")]
    elif channel.last_error:
        labels = [blocks.badge(_("In trouble"), "error", "red")]
    elif channel.last_ok_at is None:
        labels = [blocks.badge(_("Not tried yet"), "help", "orange")]
    else:
        labels = [blocks.badge(_("Works"), "check", "green")]
    if channel.last_ok_at is not None:
        labels.append(":gray[" + _("last arrived {moment}").format(moment=fmt.moment(channel.last_ok_at)) + "]")
    return labels


def _outcome(trial: Trial) -> None:
    """What became of the newest test."""
    if trial.state == "sent":
        st.success(
            _("The test arrived {moment}.").format(moment=fmt.moment(trial.sent_at)), icon=":material/mark_email_read:"
        )
    elif _waits(trial):
        words = _("The test is on its way.") if services.scheduler_works() else _("The test waits for the scheduler.")
        st.info(words, icon=":material/hourglass_top:")
    else:
        st.error(_("The test did not arrive: {reason}").format(reason=escape(trial.error)), icon=":material/error:")
