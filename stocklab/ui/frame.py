"""What every page has in common: title, labels, language, menu, and the last net under an error."""

from __future__ import annotations

import secrets

import streamlit as st
import structlog

from stocklab.counts import COUNTS
from stocklab.errors import StockLabError
from stocklab.ui import blocks, cached, emergency, identity, navigation, notices, text, theme
from stocklab.ui import format as fmt
from stocklab.ui.alerts.badge import unread_badge
from stocklab.ui.builder import state
from stocklab.ui.builder.fields import escape
from stocklab.ui.text import _

__all__ = ["draw"]

log = structlog.get_logger(__name__)


def _top_bar() -> None:
    """Labels of environment and data on the left, the language on the right."""
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="small", key="topbar"
    ):
        blocks.badges(_labels())
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            emergency.button()
            unread_badge()
            _who()
            navigation.choice_in_url(
                text.LANGUAGE_KEY,
                text.LANGUAGES,
                _("Language"),
                default=text.default_language(),
                key=text.LANGUAGE_KEY,
                sticky=True,
            )


def _who() -> None:
    """The visitor's nickname, which leads to the account, and the way out; nothing in a home without accounts."""
    found = identity.live()
    if found is None:
        return
    navigation.link("account", escape(found.nickname), icon=":material/account_circle:")
    st.html(
        f'<a class="lab-link" href="/auth/logout?lang={text.language()}" target="_self">{_("Log out")}</a>',
        width="content",
    )


def _labels() -> list[str]:
    """Which environment this is and how old the data is; the demo label is on every page."""
    env = cached.lab().settings.env
    found = [] if env == "prod" else [blocks.badge(env, "build")]
    state = cached.data_status()
    if state.get("snapshot"):
        if state["synthetic"]:
            found.append(blocks.demo_badge())
        last = cached.last_session()
        if last is not None:
            found.append(blocks.badge(_("Data to {session}").format(session=fmt.day(last)), "event"))
    return found or [" "]


def draw() -> None:
    """Draw the frame and run the page."""
    text.settle_language()
    st.set_page_config(
        page_title="Stock Lab",
        page_icon=theme.ICON,
        layout="wide",
        initial_sidebar_state="collapsed",
    )
    st.html(theme.STYLE)
    st.logo(theme.LOGO, size="large")
    has_accounts = identity.has_accounts()
    menu = navigation.pages(accounts=has_accounts, admin=has_accounts and identity.is_admin())
    page = st.navigation(menu, position="top")
    try:
        _top_bar()
        navigation.settle_address()
        emergency.bar()
        notices.draw()
        if has_accounts:
            identity.owner_id()  # nobody reads on whose session ended, also on pages that are the same for all
        state.sit("builder")
        page.run()
    except StockLabError as error:
        COUNTS.page_error("expected")
        log.info("page_error", error=type(error).__name__, message=str(error))
        st.error(text.for_error(error), icon=":material/error:")
    except Exception:  # the page's edge: the reader gets a reference, the log the details
        COUNTS.page_error("program")
        reference = secrets.token_hex(4)
        log.exception("page_failed", page=page.url_path, reference=reference)
        st.error(
            _("Something in the program went wrong. Reference for the log: {reference}").format(reference=reference),
            icon=":material/error:",
        )
