"""A new channel: its kind, where to get what is asked, and its fields."""

from __future__ import annotations

from typing import Final

import streamlit as st

from stocklab.alerts import CHANNEL_FIELDS, ChannelFault, ChannelField, ChannelKind
from stocklab.ui import blocks
from stocklab.ui.account.saying import rerun_saying
from stocklab.ui.alerts import services
from stocklab.ui.alerts.words import CHANNELS, FIELDS, fault_words, how_to
from stocklab.ui.text import LANGUAGES, N_, Language, _, language

__all__ = ["new_channel", "shown_once"]

_SHOWN: Final = "alerts_signing_words"
_SPOKEN: Final[tuple[Language, ...]] = ("ko", "en")
_SECURITIES: Final = {
    "starttls": N_("STARTTLS"),
    "tls": N_("TLS"),
    "none": N_("None (private network only)"),
}


def shown_once() -> None:
    """The secret of a webhook that was just made."""
    secret = st.session_state.pop(_SHOWN, None)
    if secret:
        st.warning(_("Copy the secret that messages are signed with: it is shown this once."), icon=":material/key:")
        st.code(secret, language=None)


def new_channel(owner_id: str) -> None:
    """The form of the chosen kind."""
    kind = ChannelKind(
        st.segmented_control(
            _("Channel"),
            [one.value for one in ChannelKind],
            format_func=lambda code: _(CHANNELS[ChannelKind(code)]),
            default=ChannelKind.TELEGRAM.value,
            required=True,
            key="alerts_channel_choice",
        )
    )
    st.caption(how_to(kind))
    with st.form(f"new_channel_{kind.value}", border=False):
        name = st.text_input(_("Name"), _(CHANNELS[kind]), max_chars=80, key=f"field_channel_name_{kind.value}")
        values = {field.name: _field(kind, field) for field in CHANNEL_FIELDS[kind]}
        spoken: Language = st.selectbox(
            _("Language of the messages"),
            _SPOKEN,
            index=_SPOKEN.index(language()),
            format_func=lambda code: LANGUAGES[code],
            key=f"field_channel_language_{kind.value}",
        )
        st.caption(_("Kept encrypted, used only to send your alerts, and never shown again."))
        pressed = st.form_submit_button(_("Add the channel"), key=f"add_channel_{kind.value}", icon=":material/add:")
    if pressed:
        with blocks.guarded("warning"):
            try:
                _id, secret = services.channels().add(owner_id, kind, name or "", values, language=spoken)
            except ChannelFault as fault:
                st.warning(fault_words(fault), icon=":material/edit:")
                return
            if secret:
                st.session_state[_SHOWN] = secret
            rerun_saying(_("The channel was added. Send it a test."))


def _field(kind: ChannelKind, field: ChannelField) -> str:
    key = f"field_channel_{kind.value}_{field.name}"
    if field.choices:
        chosen: str = st.selectbox(
            _(FIELDS[field.name]), field.choices, format_func=lambda code: _(_SECURITIES[code]), key=key
        )
        return chosen
    entered = st.text_input(
        _(FIELDS[field.name]),
        max_chars=1000,
        key=key,
        type="password" if field.is_secret else "default",
        autocomplete="off",
    )
    return entered or ""
