"""Signs of life: an address that is called while the scheduler works."""

from __future__ import annotations

import streamlit as st

from stocklab.ui import blocks
from stocklab.ui import format as fmt
from stocklab.ui.account.saying import rerun_saying
from stocklab.ui.alerts import services
from stocklab.ui.builder.fields import escape
from stocklab.ui.text import _

__all__ = ["sign_section"]


def sign_section(owner_id: str) -> None:
    """What it is for, how it is set, and a form."""
    st.markdown(
        _(
            "The scheduler calls this address every few minutes. A service outside (healthchecks.io, Uptime Kuma) "
            "tells you when the calls stop: then the whole machine may be gone, and with it every alert from here."
        )
    )
    found = services.signs().get(owner_id)
    if found is not None:
        well = (
            blocks.badge(_("In trouble"), "error", "red")
            if found.last_error
            else blocks.badge(_("Works"), "check", "green")
        )
        if found.last_ok_at is None and not found.last_error:
            well = blocks.badge(_("Not called yet"), "help", "orange")
        every = _("every {count} minutes").format(count=found.every_minutes)
        st.markdown(f"{escape(found.masked)} · {every} {well}")
        if found.last_error:
            st.error(escape(found.last_error))
        elif found.last_ok_at is not None:
            st.caption(_("last arrived {moment}").format(moment=fmt.moment(found.last_ok_at)))
        if st.button(_("Call it no more"), key="sign_remove", icon=":material/delete:", type="tertiary"):
            services.signs().remove(owner_id)
            rerun_saying(_("Removed."))
    with st.form("sign_of_life", clear_on_submit=True, border=False):
        url = st.text_input(_("Address (https://...)"), type="password", key="field_sign_url", autocomplete="off")
        minutes = st.number_input(_("Minutes between two calls"), 1, 1440, 5, key="field_sign_minutes")
        pressed = st.form_submit_button(_("Save"), key="sign_save", icon=":material/save:")
    if pressed:
        with blocks.guarded("warning"):
            services.signs().set(owner_id, (url or "").strip(), int(minutes))
            rerun_saying(_("Saved."))
