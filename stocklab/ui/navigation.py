"""The pages: where they are, what they are called, how one links to another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from stocklab.ui.text import N_, REMEMBERED, _

__all__ = ["PAGES", "choice_in_url", "go", "link", "page", "pages", "relabel"]

ROOT: Final = Path(__file__).resolve().parents[2] / "pages"
PAGES: Final[Mapping[str, tuple[str, str]]] = {
    "home": (N_("Home"), ":material/home:"),
    "builder": (N_("Strategy builder"), ":material/tune:"),
    "screener": (N_("Stock screener"), ":material/filter_alt:"),
    "company": (N_("Companies"), ":material/apartment:"),
    "sweeps": (N_("Sweeps"), ":material/grid_on:"),
    "results": (N_("Results"), ":material/monitoring:"),
    "strategies": (N_("My strategies"), ":material/folder_open:"),
    "factors": (N_("Factor catalogue"), ":material/menu_book:"),
    "data": (N_("Data"), ":material/database:"),
    "system": (N_("System"), ":material/monitor_heart:"),
}
CHOICES_BEGIN: Final = ("field_", "rule_")
CHOICES_END: Final = ("_category", "_choice", "_factor", "_reason", "_sort", "_type")
"""How the keys of widgets begin or end that show words to choose from (no button's key does)."""


def page(name: str) -> StreamlitPage:
    """The page of that name, titled in the user's language."""
    title, icon = PAGES[name]
    return st.Page(ROOT / f"{name}.py", title=_(title), icon=icon, url_path=name, default=name == "home")


def pages() -> list[StreamlitPage]:
    """All pages in the order of the menu."""
    return [page(name) for name in PAGES]


def go(name: str, **parameters: str) -> NoReturn:
    """Open another page with these query parameters."""
    st.switch_page(page(name), query_params=parameters)


def link(name: str, label: str, *, icon: str | None = None, **parameters: str) -> None:
    """A link to another page."""
    st.page_link(page(name), label=label, icon=icon, query_params=parameters)


def relabel() -> None:
    """Callback of the language switch: send every choice anew.

    A browser answers with the label it shows; after a change of language it would go on answering in the old one.
    """
    for key in list(st.session_state):
        name = str(key)
        if name.startswith(CHOICES_BEGIN) or name.endswith(CHOICES_END):
            st.session_state[key] = st.session_state[key]


def choice_in_url(
    parameter: str, options: Mapping[str, str], label: str, *, default: str, key: str, sticky: bool = False
) -> str:
    """A switch whose choice is part of the link, by its code, so that a link means the same in every language.

    Streamlit's own binding writes what is shown, not the code. The default is left out of the link. ``sticky`` keeps
    the choice when the visitor goes to another page, where the same switch is a new widget.
    """
    if key not in st.session_state:
        asked = st.query_params.get(parameter)
        kept = st.session_state.get(REMEMBERED + key) if sticky else None
        st.session_state[key] = next((code for code in (asked, kept) if code in options), default)

    chosen: str = (
        st.segmented_control(
            label,
            list(options),
            format_func=options.__getitem__,
            required=True,
            key=key,
            label_visibility="collapsed",
            on_change=relabel if sticky else None,
        )
        or default
    )
    if sticky:
        st.session_state[REMEMBERED + key] = chosen
    if chosen == default:
        st.query_params.pop(parameter, None)
    elif st.query_params.get(parameter) != chosen:
        st.query_params[parameter] = chosen
    return chosen
