"""What a builder session remembers. Widgets are views: every edit goes into the document at once, by a callback."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from stocklab.errors import FieldFault
from stocklab.strategy import Strategy
from stocklab.ui.builder import draft
from stocklab.ui.text import _

__all__ = [
    "Editing",
    "current",
    "document",
    "faults",
    "load",
    "load_document",
    "replace",
    "session",
    "strategy",
]

_KEY: Final = "builder"
Editing = dict[str, Any]


def session() -> Editing:
    """Everything the builder keeps between runs, made at the first visit.

    ``document`` (the JSON being edited), ``saved_id`` and ``saved_name`` (the stored strategy it came from), ``preset``
    (the preset it came from), ``pending_text`` (JSON text that could not be taken over, else None), ``pending_faults``,
    ``as_text`` (rules the person wants to see as a formula, as "entry.A"), ``start`` and ``end`` (dates or None).
    """
    if _KEY not in st.session_state:
        st.session_state[_KEY] = _editing(draft.blank_document(_("New strategy")))
    found: Editing = st.session_state[_KEY]
    return found


def _editing(document: draft.Document, **more: Any) -> Editing:
    return {
        "document": document,
        "saved_id": None,
        "saved_name": None,
        "preset": None,
        "pending_text": None,
        "pending_faults": (),
        "as_text": set(),
        "start": None,
        "end": None,
    } | more


def document() -> draft.Document:
    """The JSON being edited."""
    found: draft.Document = session()["document"]
    return found


def replace(changed: draft.Document) -> None:
    """Take over an edit made in the form; text that was pending is dropped, the form is what counts now."""
    editing = session()
    editing["document"] = changed
    editing["pending_text"] = None
    editing["pending_faults"] = ()


def load(chosen: Strategy, **origin: Any) -> None:
    """Start editing a strategy. ``origin``: ``saved_id`` and ``saved_name``, ``preset``, ``start``, ``end``."""
    load_document(draft.full(chosen), **origin)


def load_document(chosen: draft.Document, **origin: Any) -> None:
    """`load` for a document that is already JSON."""
    kept = {key: session()[key] for key in ("start", "end")}
    st.session_state[_KEY] = _editing(chosen, **(kept | origin))


def current() -> tuple[Strategy | None, tuple[FieldFault, ...]]:
    """The document checked: the strategy, or None with its faults. Checked once per version of the document."""
    editing = session()
    checked = editing.get("checked")
    if checked is None or checked[0] is not editing["document"]:
        checked = (editing["document"], *draft.check(editing["document"]))
        editing["checked"] = checked
    return checked[1], checked[2]


def strategy() -> Strategy | None:
    """The strategy, or None while the document has faults."""
    return current()[0]


def faults() -> tuple[FieldFault, ...]:
    """Faults of the document being edited."""
    return current()[1]
