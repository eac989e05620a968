"""Notices, as admins write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Final

import streamlit as st

from stocklab.accounts import Notice, NoticeLevel
from stocklab.data.sources.calls import KST
from stocklab.ui import blocks, cached
from stocklab.ui import format as fmt
from stocklab.ui.account.saying import rerun_saying, said
from stocklab.ui.builder.fields import escape
from stocklab.ui.text import N_, _

__all__ = ["notices_section"]

_LEVELS: Final[Mapping[NoticeLevel, str]] = {
    NoticeLevel.INFO: N_("Information"),
    NoticeLevel.WARNING: N_("Warning"),
}


def notices_section(admin_id: str) -> None:
    """A form for a new one, and those there are."""
    said()
    with st.expander(_("New notice"), icon=":material/add:", expanded=False):
        _form(admin_id, None)
    found = cached.lab().accounts.notices.all(admin_id)
    if not found:
        blocks.empty(
            _("No notice yet."),
            _("A notice stands at the top of every page until its last day."),
            icon=":material/campaign:",
        )
    for notice in found:
        begins = fmt.moment(notice.shown_from)
        if notice.shown_until is None:
            shown = _("shown from {begins} until it is deleted").format(begins=begins)
        else:
            last = notice.shown_until.astimezone(KST) - timedelta(seconds=1)
            shown = _("shown from {begins} until {ends}").format(begins=begins, ends=fmt.day(last.date()))
        with st.container(border=True, key=f"notice_{notice.id}"):
            st.markdown(f"**{escape(notice.title)}**")
            st.caption(f"{_(_LEVELS[notice.level])} · {shown}")
            st.text(notice.body)
            with st.expander(_("Change"), icon=":material/edit:"):
                _form(admin_id, notice)
            if st.button(_("Delete"), key=f"remove_{notice.id}", icon=":material/delete:"):
                with blocks.guarded():
                    cached.lab().accounts.notices.remove(admin_id, notice.id)
                    rerun_saying(_("Deleted."))


def _form(admin_id: str, notice: Notice | None) -> None:
    key = "new" if notice is None else notice.id
    with st.form(f"notice_form_{key}", border=False):
        title = st.text_input(_("Title"), notice.title if notice else "", max_chars=120, key=f"field_title_{key}")
        body = st.text_area(_("Text"), notice.body if notice else "", max_chars=4000, key=f"field_body_{key}")
        level = st.selectbox(
            _("Kind"),
            list(_LEVELS),
            index=list(_LEVELS).index(notice.level) if notice else 0,
            format_func=lambda one: _(_LEVELS[one]),
            key=f"level_{key}",
        )
        last = None if notice is None or notice.shown_until is None else notice.shown_until - timedelta(days=1)
        ends = st.date_input(
            _("Last day (empty: until it is deleted)"),
            None if last is None else last.astimezone(KST).date(),
            key=f"field_ends_{key}",
        )
        pressed = st.form_submit_button(_("Save"), icon=":material/save:", key=f"save_notice_{key}")
    if pressed:
        with blocks.guarded():
            cached.lab().accounts.notices.save(
                admin_id,
                title=title or "",
                body=body or "",
                level=level,
                shown_from=None if notice is None else notice.shown_from,
                shown_until=_midnight_after(ends) if isinstance(ends, date) else None,
                notice_id=None if notice is None else notice.id,
            )
            rerun_saying(_("Saved."))


def _midnight_after(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=KST)
