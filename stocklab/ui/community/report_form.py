"""Telling the admins about a post, a comment or a published strategy."""

from __future__ import annotations

import streamlit as st

from stocklab.community import COMMENT_LENGTH, Reason, SubjectKind
from stocklab.ui import identity
from stocklab.ui.community import services
from stocklab.ui.community.words import REASONS, allowed
from stocklab.ui.text import _

__all__ = ["report_button"]


def report_button(kind: SubjectKind, subject_id: str) -> None:
    """A button that opens the form."""
    with st.popover(_("Report this"), icon=":material/flag:", type="tertiary", key=f"report_{subject_id}"):
        with st.form(key=f"report_form_{subject_id}", border=False):
            reason = st.selectbox(
                _("Why?"), list(REASONS), format_func=lambda code: _(REASONS[code]), key=f"report_{subject_id}_reason"
            )
            note = st.text_area(
                _("More about it (optional)"), max_chars=COMMENT_LENGTH, key=f"report_note_{subject_id}"
            )
            sent = st.form_submit_button(_("Send report"))
        if sent:
            with allowed():
                fresh = services.moderation().report(
                    identity.owner_id(), kind, subject_id, Reason(reason), note=note or ""
                )
                st.success(_("Thank you. An admin will look at it.") if fresh else _("You reported this already."))
