"""Sessions: where one is logged in, and ending that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import streamlit as st

from stocklab.ui import blocks, cached
from stocklab.ui import format as fmt
from stocklab.ui.account.saying import rerun_saying, said
from stocklab.ui.builder.fields import escape
from stocklab.ui.text import _

__all__ = ["browser", "sessions_section"]

_BROWSERS: Final[Mapping[str, str]] = {
    "Edg/": "Edge",
    "SamsungBrowser/": "Samsung Internet",
    "Whale/": "Whale",
    "Firefox/": "Firefox",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
"""Marks in the order they are looked for: later ones stand in the names of earlier browsers as well."""
_SYSTEMS: Final = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "Linux")


def sessions_section(user_id: str, session_id: str) -> None:
    """Each session with its browser and address."""
    said()
    sessions = cached.lab().accounts.sessions
    found = sessions.list(user_id)
    for line in found:
        with st.container(
            border=True,
            horizontal=True,
            horizontal_alignment="distribute",
            vertical_alignment="center",
            key=f"session_{line.id}",
        ):
            here = blocks.badge(_("this browser"), "computer", "green") if line.id == session_id else ""
            st.markdown(
                f"**{escape(browser(line.agent))}** {here}  \n{escape(line.address)} · "
                + _("since {begun}, last seen {seen}, ends {ends}").format(
                    begun=fmt.moment(line.created_at), seen=fmt.moment(line.last_seen_at), ends=fmt.day(line.expires_at)
                )
            )
            if st.button(_("Log out there"), key=f"end_{line.id}", icon=":material/logout:"):
                with blocks.guarded():
                    sessions.end(user_id, line.id)
                    rerun_saying(_("The session ended."))
    if len(found) > 1 and st.button(_("End all others"), key="end_others", icon=":material/devices_off:"):
        with blocks.guarded():
            sessions.end_all(user_id, but=session_id)
            rerun_saying(_("All other sessions ended."))


def browser(agent: str) -> str:
    """A browser and its system, from what it says of itself.

    >>> browser("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36")
    'Chrome, Linux'
    """
    name = next((shown for mark, shown in _BROWSERS.items() if mark in agent), "")
    system = next((one for one in _SYSTEMS if one in agent), "")
    return ", ".join(part for part in (name, system) if part) or re.sub(r"\s+", " ", agent)[:40] or "-"
