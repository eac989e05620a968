"""What happened: newest first, unread ones marked, by kind."""

from __future__ import annotations

import streamlit as st

from stocklab.alerts import AlertKind, Event
from stocklab.ui import blocks, navigation
from stocklab.ui import format as fmt
from stocklab.ui.account.saying import rerun_saying
from stocklab.ui.alerts import services
from stocklab.ui.alerts.links import open_link
from stocklab.ui.alerts.words import COLOURS, ICONS, KINDS
from stocklab.ui.builder.fields import escape
from stocklab.ui.paging import places, turn_pages
from stocklab.ui.text import _, language

__all__ = ["feed_section"]


def feed_section(owner_id: str) -> None:
    """Filters, a page of the list, and the pages before and after."""
    kind, unread = _filters()
    feed = services.feed()
    begun = places("alerts", (kind, unread))
    page = feed.list(owner_id, kind=None if kind == "all" else AlertKind(kind), unread=unread, after=begun[-1])
    if not page.items:
        _nothing(filtered=unread or kind != "all")
        return
    if any(event.read_at is None for event in page.items) and st.button(
        _("Mark all as read"), key="alerts_read_all", icon=":material/done_all:", type="tertiary"
    ):
        feed.mark_read(owner_id)
        rerun_saying(_("Everything is marked as read."))
    for event in page.items:
        _line(owner_id, event)
    turn_pages("alerts", begun, page.after)


def _filters() -> tuple[str, bool]:
    with st.container(horizontal=True, vertical_alignment="bottom", key="alerts_filter"):
        kind = st.selectbox(
            _("Kind"),
            ["all", *(one.value for one in KINDS)],
            format_func=lambda code: _("All kinds") if code == "all" else _(KINDS[AlertKind(code)]),
            key="alerts_kind_choice",
            width=280,
        )
        unread = st.toggle(_("Only unread"), key="alerts_unread")
    return kind or "all", unread


def _nothing(*, filtered: bool) -> None:
    if filtered:
        blocks.empty(
            _("Nothing of this kind."),
            _("Choose another kind, or show what was read."),
            icon=":material/filter_alt_off:",
        )
        return
    blocks.empty(
        _("Nothing happened yet."),
        _(
            "Fills, rules that hold and daily notes appear here. Make a rule, or add a channel to be told "
            "elsewhere too."
        ),
        icon=":material/notifications:",
    )
    with st.container(horizontal=True, horizontal_alignment="center"):
        navigation.link("alerts", _("Make a rule"), icon=":material/add:", section="rules")
        navigation.link("alerts", _("Add a channel"), icon=":material/send:", section="channels")


def _line(owner_id: str, event: Event) -> None:
    said = event.said(language())
    mark = blocks.badge(_("new"), "fiber_manual_record", "green") if event.read_at is None else ""
    label = blocks.badge(_(KINDS[event.kind]), ICONS[event.severity], COLOURS[event.severity])
    with st.container(border=True, gap="xsmall", key=f"alert_{event.id}"):
        st.markdown(f"**{escape(said.title)}** {mark}")
        if event.kind is not AlertKind.DAILY_NOTE:  # a note has a page of its own
            st.markdown("  \n".join(escape(line) for line in said.text.splitlines()) or fmt.DASH)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            blocks.badges([label, f":gray[{fmt.moment(event.created_at)}]"])
            open_link(event.link)
            if event.read_at is None and st.button(
                _("Mark as read"), key=f"read_{event.id}", icon=":material/done:", type="tertiary"
            ):
                services.feed().mark_read(owner_id, event.id)
                st.rerun()
