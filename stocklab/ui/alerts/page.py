"""The four sections of the page."""

from __future__ import annotations

import streamlit as st

from stocklab.ui import navigation
from stocklab.ui.account.saying import said
from stocklab.ui.alerts import services
from stocklab.ui.alerts.channel_list import channels_section
from stocklab.ui.alerts.feed_list import feed_section
from stocklab.ui.alerts.note_list import notes_section
from stocklab.ui.alerts.rule_list import rules_section
from stocklab.ui.text import _

__all__ = ["alerts_page"]


def alerts_page(owner_id: str) -> None:
    """The section of the address."""
    sections = {"feed": _("Feed"), "rules": _("Rules"), "channels": _("Channels"), "notes": _("Daily notes")}
    section = navigation.choice_in_url("section", sections, _("Section"), default="feed", key="alerts_section_choice")
    said()
    if section != "notes" and not services.scheduler_works():
        st.warning(
            _(
                "The background process is not running: rules are not judged and nothing is sent. What is in the "
                "outbox is sent when it runs again (`stocklab up` or `stocklab scheduler`)."
            ),
            icon=":material/power_off:",
        )
    show = {
        "feed": feed_section,
        "rules": rules_section,
        "channels": channels_section,
        "notes": notes_section,
    }
    show[section](owner_id)
