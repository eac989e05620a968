"""Notes, folder and tags of a saved strategy; its file out and in."""

from __future__ import annotations

import re

import streamlit as st

from stocklab.errors import StockLabError
from stocklab.portfolios import LONGEST_NOTE, StrategySummary
from stocklab.ui import cached, identity, text
from stocklab.ui.shared import services
from stocklab.ui.text import _

__all__ = ["MESSAGE", "belongings", "import_file"]

MESSAGE = "strategies_message"
_MOST_MEGABYTES = 1


def belongings(saved: StrategySummary) -> None:
    """Notes, folder and tags, each saved by its button; and the document as a file."""
    shelf = services.shelf()
    notes = st.text_area(
        _("Notes"),
        value=shelf.notes(identity.owner_id(), saved.id),
        key=f"notes_{saved.id}",
        max_chars=LONGEST_NOTE,
        help=_("Only for you: notes are never shared or exported."),
    )
    left, right = st.columns(2)
    folder = left.text_input(_("Folder"), value=saved.folder or "", max_chars=120, key=f"folder_{saved.id}")
    tags = right.text_input(
        _("Tags"), value=", ".join(saved.tags), key=f"tags_{saved.id}", help=_("Separated by commas")
    )
    with st.container(horizontal=True):
        if st.button(_("Save notes, folder and tags"), key=f"keep_{saved.id}", icon=":material/save:"):
            shelf.note(identity.owner_id(), saved.id, notes or "")
            cached.lab().strategies.organize(
                identity.owner_id(), saved.id, folder=folder or None, tags=(tags or "").split(",")
            )
            st.rerun()
        st.download_button(
            _("Export (JSON)"),
            shelf.export(identity.owner_id(), saved.id),
            file_name=f"{_file_name(saved.name)}.json",
            mime="application/json",
            key=f"export_{saved.id}",
            icon=":material/download:",
        )


def import_file() -> None:
    """A file as a new strategy; what else it says than its document is not read."""
    with st.popover(_("Import"), icon=":material/upload:", key="import_strategy"):
        given = st.file_uploader(
            _("Strategy document (JSON)"), type="json", key="import_strategy_file", max_upload_size=_MOST_MEGABYTES
        )
        st.button(_("Import"), key="import_confirm", type="primary", disabled=given is None, on_click=_take_in)


def _take_in() -> None:
    given = st.session_state.get("import_strategy_file")
    if given is None:
        return
    try:
        services.shelf().take_in(identity.owner_id(), given.getvalue())
    except StockLabError as error:
        st.session_state[MESSAGE] = text.for_error(error)


def _file_name(name: str) -> str:
    """A name that is a name on every system: letters, digits, blanks and a few signs."""
    return re.sub(r"[^\w .()-]", "_", name).strip(" .") or "strategy"
