"""The queue of reports, for admins: what is reported, why, and what to do about it."""

from __future__ import annotations

import html
from datetime import timedelta
from typing import Final

import streamlit as st

from stocklab.community import ReportedSubject, SubjectKind
from stocklab.db.columns import utc_now
from stocklab.ui import blocks, identity, navigation
from stocklab.ui import format as fmt
from stocklab.ui.community import services
from stocklab.ui.community.words import KINDS, REASONS, allowed
from stocklab.ui.paging import places, turn_pages
from stocklab.ui.text import N_, _

__all__ = ["moderation_section"]

_BANS: Final = {"1": N_("One day"), "7": N_("A week"), "30": N_("A month"), "3650": N_("For good")}


def moderation_section() -> None:
    """Everything with open reports, that which waits longest first; says so to whoever is no admin."""
    begun = places("moderation")
    with allowed():
        page = services.moderation().queue(identity.owner_id(), after=begun[-1])
        if not page.subjects and len(begun) == 1:
            blocks.empty(_("No open reports."), _("What users report waits here for you."), icon=":material/verified:")
        for one in page.subjects:
            _subject(one)
        turn_pages("moderation", begun, page.after, older=_("Next"), newer=_("Back"))


def _subject(one: ReportedSubject) -> None:
    with st.container(border=True, key=f"reported_{one.id}"):
        reasons = ", ".join(_(REASONS.get(code, code)) for code in one.reasons)
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in one.notes)
        count = fmt.counted(one.reports, _("1 report"), _("{count} reports"))
        st.html(
            f'<div class="lab-post-line"><i class="lab-tag">{html.escape(_(KINDS[one.kind.value]))}</i>'
            f"<span>{html.escape(one.title or _('It is gone.'))}</span>"
            f'<span class="by">{html.escape(f"{count} · {reasons} · {fmt.moment(one.first_at)}")}</span>'
            f"<ul>{notes}</ul></div>"
        )
        if one.post_id is not None:
            navigation.link("community", _("Open"), icon=":material/open_in_new:", post=one.post_id)
        elif one.kind is SubjectKind.PUBLICATION:
            navigation.link("shared", _("Open"), icon=":material/open_in_new:", publication=one.id)
        with st.container(horizontal=True, gap="small"):
            _decisions(one)


def _decisions(one: ReportedSubject) -> None:
    moderation, admin_id = services.moderation(), identity.owner_id()
    if st.button(_("Hide"), key=f"queue_hide_{one.id}", icon=":material/visibility_off:"):
        moderation.hide(admin_id, SubjectKind(one.kind), one.id)
        st.rerun()
    if st.button(_("Leave as it is"), key=f"queue_dismiss_{one.id}", icon=":material/check:"):
        moderation.dismiss(admin_id, SubjectKind(one.kind), one.id)
        st.rerun()
    with st.popover(_("Ban its writer"), icon=":material/person_off:", key=f"queue_ban_{one.id}"):
        days = st.selectbox(
            _("For how long?"), list(_BANS), format_func=lambda code: _(_BANS[code]), key=f"ban_{one.id}_choice"
        )
        if st.button(_("Ban"), key=f"queue_really_ban_{one.id}"):
            moderation.ban_author(admin_id, one.kind, one.id, utc_now() + timedelta(days=int(days or "1")))
            st.success(_("Its writer may not write until then."))
