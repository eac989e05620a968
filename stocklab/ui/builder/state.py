"""What an editing session remembers. Widgets are views: every edit goes into the document at once, by a callback.

A session has two desks, the builder's strategy and the screener's screen; the widgets of a page edit the document of
the desk the page sits at.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import streamlit as st

from stocklab.errors import FieldFault
from stocklab.strategy import Strategy
from stocklab.strategy.screen import Screen
from stocklab.ui.builder import draft
from stocklab.ui.text import _

__all__ = [
    "Desk",
    "Editing",
    "current",
    "current_screen",
    "document",
    "faults",
    "load",
    "load_document",
    "load_screen",
    "replace",
    "session",
    "sit",
    "strategy",
]

Desk = Literal["builder", "screener"]
BUILDER: Final[Desk] = "builder"
SCREENER: Final[Desk] = "screener"
_SEAT: Final = "desk"
Editing = dict[str, Any]


def sit(desk: Desk) -> None:
    """From here on, widgets edit the document of this desk. Callbacks run before the page: they act at the last seat.

    Every page begins at the builder's.
    """
    st.session_state[_SEAT] = desk


def _desk() -> Desk:
    found: Desk = st.session_state.get(_SEAT, BUILDER)
    return found


def session(desk: Desk | None = None) -> Editing:
    """Everything a desk (by default the one sat at) keeps between runs, made at the first visit.

    ``document`` (the JSON being edited), ``saved_id``, ``saved_name`` and ``saved_version`` (the stored strategy it
    came from), ``origin`` and ``origin_id`` (what that one is a clone of), ``preset`` (the preset it came from),
    ``pending_text`` (JSON text that could not be taken over, else None), ``pending_faults``, ``as_text`` (rules the
    person wants to see as a formula, as "entry.A"), ``start`` and ``end`` (dates or None), ``opened`` (how many
    screens were opened so far).
    """
    key = desk or _desk()
    if key not in st.session_state:
        blank = draft.blank_screen() if key == SCREENER else draft.blank_document(_("New strategy"))
        st.session_state[key] = _editing(blank)
    found: Editing = st.session_state[key]
    return found


def _editing(document: draft.Document, **more: Any) -> Editing:
    return {
        "document": document,
        "saved_id": None,
        "saved_name": None,
        "saved_version": None,
        "origin": None,
        "origin_id": None,
        "preset": None,
        "pending_text": None,
        "pending_faults": (),
        "as_text": set(),
        "start": None,
        "end": None,
        "opened": 0,
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
    """Start editing a strategy at the builder's desk.

    ``origin``: anything of `session` but the document, as ``saved_id``, ``preset`` or ``start``.
    """
    load_document(draft.full(chosen), **origin)


def load_document(chosen: draft.Document, **origin: Any) -> None:
    """`load` for a document that is already JSON."""
    kept = {key: session(BUILDER)[key] for key in ("start", "end")}
    st.session_state[BUILDER] = _editing(chosen, **(kept | origin))


def load_screen(chosen: draft.Document, **origin: Any) -> None:
    """Start editing a screen at the screener's desk; the day chosen stays."""
    before = session(SCREENER)
    kept = {"on": before.get("on"), "opened": before["opened"] + 1}
    st.session_state[SCREENER] = _editing(chosen, **(kept | origin))


def current() -> tuple[Strategy | None, tuple[FieldFault, ...]]:
    """The builder's document checked: the strategy, or None with its faults. Checked once per version of it."""
    editing = session(BUILDER)
    checked = editing.get("checked")
    if checked is None or checked[0] is not editing["document"]:
        checked = (editing["document"], *draft.check(editing["document"]))
        editing["checked"] = checked
    return checked[1], checked[2]


def current_screen() -> tuple[Screen | None, tuple[FieldFault, ...]]:
    """`current` of the screener's desk."""
    editing = session(SCREENER)
    checked = editing.get("checked")
    if checked is None or checked[0] is not editing["document"]:
        checked = (editing["document"], *draft.check_screen(editing["document"]))
        editing["checked"] = checked
    return checked[1], checked[2]


def strategy() -> Strategy | None:
    """The strategy, or None while the document has faults."""
    return current()[0]


def faults() -> tuple[FieldFault, ...]:
    """Faults of the document being edited."""
    return current_screen()[1] if _desk() == SCREENER else current()[1]
