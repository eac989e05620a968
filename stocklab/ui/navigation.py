"""The pages: where they are, what they are called, how one links to another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

import streamlit as st
from streamlit.errors import StreamlitAPIException
from streamlit.navigation.page import StreamlitPage

from stocklab.ui.mark import N_
from stocklab.ui.text import REMEMBERED, _

__all__ = ["PAGES", "Place", "choice_in_url", "go", "link", "page", "pages", "relabel", "settle_address"]

ROOT: Final = Path(__file__).resolve().parents[2] / "pages"


class Place(NamedTuple):
    """Where a page stands in the menu: its title, its icon, the section it is in ("" for none)."""

    title: str
    icon: str
    section: str = ""


MARKET: Final = N_("Market")
RESEARCH: Final = N_("Research")
TRADING: Final = N_("Trading")
COMMUNITY: Final = N_("Community")
HOUSE: Final = N_("Settings")
PAGES: Final[Mapping[str, Place]] = {
    "home": Place(N_("Home"), ":material/home:"),
    "builder": Place(N_("Strategy builder"), ":material/tune:", RESEARCH),
    "strategies": Place(N_("My strategies"), ":material/folder_open:", RESEARCH),
    "results": Place(N_("Results"), ":material/monitoring:", RESEARCH),
    "sweeps": Place(N_("Sweeps"), ":material/grid_on:", RESEARCH),
    "factors": Place(N_("Factor catalogue"), ":material/menu_book:", RESEARCH),
    "screener": Place(N_("Stock screener"), ":material/filter_alt:", MARKET),
    "company": Place(N_("Companies"), ":material/apartment:", MARKET),
    "trading": Place(N_("Auto trading"), ":material/smart_toy:", TRADING),
    "orders": Place(N_("My orders"), ":material/receipt_long:", TRADING),
    "brokers": Place(N_("Broker accounts"), ":material/account_balance:", TRADING),
    "positions": Place(N_("Positions and profit"), ":material/account_balance_wallet:", TRADING),
    "risk": Place(N_("Risk"), ":material/crisis_alert:", TRADING),
    "shared": Place(N_("Shared strategies"), ":material/share:", COMMUNITY),
    "ranking": Place(N_("Ranking"), ":material/leaderboard:", COMMUNITY),
    "news": Place(N_("News and disclosures"), ":material/newspaper:", MARKET),
    "watch": Place(N_("Watch list"), ":material/star:", MARKET),
    "community": Place(N_("Community"), ":material/forum:", COMMUNITY),
    "alerts": Place(N_("Alerts"), ":material/notifications:", HOUSE),
    "data": Place(N_("Data"), ":material/database:", HOUSE),
    "system": Place(N_("System"), ":material/monitor_heart:", HOUSE),
    "start": Place(N_("Find my strategy"), ":material/quiz:", RESEARCH),
    "help": Place(N_("Help"), ":material/help:", HOUSE),
    "account": Place(N_("My account"), ":material/account_circle:", HOUSE),
    "admin": Place(N_("Administration"), ":material/admin_panel_settings:", HOUSE),
}
ACCOUNT_PAGES: Final = ("account", "admin")
"""What a home without accounts has no use for: out of its menu, and its pages say so."""
SEEN: Final = "seen_in_address_"
CHOICES_BEGIN: Final = ("field_", "rule_")
CHOICES_END: Final = ("_category", "_choice", "_factor", "_reason", "_sort", "_type")
"""How the keys of widgets begin or end that show words to choose from (no button's key does)."""


def page(name: str, *, in_menu: bool = True) -> StreamlitPage:
    """The page of that name, titled in the user's language."""
    place = PAGES[name]
    return st.Page(
        ROOT / f"{name}.py",
        title=_(place.title),
        icon=place.icon,
        url_path=name,
        default=name == "home",
        visibility="visible" if in_menu else "hidden",
    )


def pages(*, accounts: bool = False, admin: bool = True) -> dict[str, list[StreamlitPage]]:
    """All pages by section of the menu, in its order.

    With ``accounts``, the page of admins is in the menu of an ``admin`` alone: at its address others are told whose it
    is, where Streamlit would say that there is no such page.
    """
    found: dict[str, list[StreamlitPage]] = {}
    for name, place in PAGES.items():
        in_menu = admin if name == "admin" and accounts else accounts or name not in ACCOUNT_PAGES
        found.setdefault(_(place.section) if place.section else "", []).append(page(name, in_menu=in_menu))
    return found


def go(name: str, **parameters: str) -> NoReturn:
    """Open another page with these query parameters."""
    st.switch_page(page(name), query_params=parameters)


def link(name: str, label: str, *, icon: str | None = None, **parameters: str) -> None:
    """A link to another page."""
    st.page_link(page(name), label=label, icon=icon, query_params=parameters)


def settle_address() -> None:
    """Send the browser the parameters this run was asked with.

    A link to the page one is on changes the parameters without a change of the address: a reload, a bookmark or the
    back button would then mean another page than the one shown. The browser does nothing where the address is right.
    """
    for name in st.query_params:
        try:
            st.query_params[name] = st.query_params.get_all(name)
        except StreamlitAPIException:  # bound to a widget, which keeps it in the address itself
            continue
        return
    if not st.query_params:
        st.query_params.clear()


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
    asked = st.query_params.get(parameter)
    if not sticky and _turned(key, asked):
        del st.session_state[key]
    if key not in st.session_state:
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
    st.session_state[SEEN + key] = (chosen, st.query_params.get(parameter))
    return chosen


def _turned(key: str, asked: str | None) -> bool:
    """Whether the address was changed since the last run, as by the back button, and the switch was not."""
    seen: tuple[str, str | None] | None = st.session_state.get(SEEN + key)
    return seen is not None and st.session_state.get(key) == seen[0] and asked != seen[1]
