"""The page of admins: one section at a time."""

from __future__ import annotations

import streamlit as st

from stocklab.ui import blocks, cached, navigation
from stocklab.ui import format as fmt
from stocklab.ui.account.inbox import inbox_section
from stocklab.ui.account.notices import notices_section
from stocklab.ui.account.people import people_section
from stocklab.ui.account.saying import plan_name
from stocklab.ui.community.moderation import moderation_section
from stocklab.ui.text import _

__all__ = ["draw"]


def draw(admin_id: str) -> None:
    """The switch and the section chosen."""
    names = {
        "people": _("Accounts"),
        "figures": _("Figures by day"),
        "plans": _("Plans"),
        "inbox": _("Messages"),
        "reports": _("Reported"),
        "notices": _("Notices"),
    }
    chosen = navigation.choice_in_url("section", names, _("Section"), default="people", key="admin_section")
    match chosen:
        case "figures":
            _figures(admin_id)
        case "plans":
            _plans()
        case "inbox":
            inbox_section(admin_id)
        case "reports":
            moderation_section()
        case "notices":
            notices_section(admin_id)
        case _:
            people_section(admin_id)


def _figures(admin_id: str) -> None:
    days = cached.lab().accounts.administration.activity(admin_id)
    today = days[0]
    for column, label, value in zip(
        st.columns(3),
        (_("New accounts today"), _("Active today"), _("Backtests today")),
        (today.new_users, today.active_users, today.backtests),
        strict=True,
    ):
        column.metric(label, f"{value:,}", border=True)
    blocks.table(
        (_("Date"), _("New accounts"), _("Active accounts"), _("Backtests")),
        [(fmt.day(one.day), f"{one.new_users:,}", f"{one.active_users:,}", f"{one.backtests:,}") for one in days],
    )


def _plans() -> None:
    st.caption(_("Plans are a setting: STOCKLAB_PLANS. The first is a new account's."))
    blocks.table(
        (_("Plan"), _("Backtests a day"), _("Strategies that trade at once")),
        [
            (plan_name(plan.name), f"{plan.backtests_a_day:,}", f"{plan.live_slots:,}")
            for plan in cached.lab().accounts.plans.known.values()
        ],
    )
