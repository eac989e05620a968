"""Daily notes: the list, and one of them (``?day=``)."""

from __future__ import annotations

from datetime import date

import streamlit as st

from stocklab.alerts import NOTE_TITLES, StoredNote
from stocklab.errors import InputError
from stocklab.ui import blocks, navigation
from stocklab.ui import format as fmt
from stocklab.ui.alerts import services
from stocklab.ui.builder.fields import escape
from stocklab.ui.paging import places, turn_pages
from stocklab.ui.text import _, language

__all__ = ["notes_section"]


def notes_section(owner_id: str) -> None:
    """The note of the address, else the list."""
    day = st.query_params.get("day")
    if day:
        _one(owner_id, day)
        return
    begun = places("notes")
    page = services.notes().list(owner_id, after=begun[-1])
    if not page.items:
        blocks.empty(
            _("No daily note yet."),
            _("After each close a note says what automatic trading did, what it did not do, and why."),
            icon=":material/summarize:",
        )
        return
    for note in page.items:
        with st.container(
            border=True,
            horizontal=True,
            horizontal_alignment="distribute",
            vertical_alignment="center",
            key=f"note_{note.id}",
        ):
            st.markdown(escape(note.note.headline_text(language())))
            navigation.link(
                "alerts", _("Open"), icon=":material/arrow_forward:", section="notes", day=note.session.isoformat()
            )
    turn_pages("notes", begun, page.after)


def _one(owner_id: str, text: str) -> None:
    navigation.link("alerts", _("All daily notes"), icon=":material/arrow_back:", section="notes")
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise InputError("Expected a day such as 2026-11-27.") from error
    _shown(services.notes().get(owner_id, day))


def _shown(stored: StoredNote) -> None:
    st.subheader(escape(stored.note.headline_text(language())), anchor=False)
    st.caption(_("Written {moment}").format(moment=fmt.moment(stored.created_at)))
    for section in stored.note.sections:
        lines = "\n".join(f"- {escape(line.text(language()).strip())}" for line in section.lines)
        st.markdown(f"##### {NOTE_TITLES[section.title][language()]}\n{lines}")
