"""Whose page this is: the owner every call of a page acts for."""

from __future__ import annotations

import html
from typing import NoReturn
from urllib.parse import urlencode, urlsplit

import streamlit as st

from stocklab.accounts import LiveSession, Role, Standing
from stocklab.db import LOCAL_OWNER_ID
from stocklab.ui import cached
from stocklab.ui import format as fmt
from stocklab.ui.text import _, language

__all__ = ["has_accounts", "is_admin", "live", "owner_id", "session_id"]


def has_accounts() -> bool:
    """Whether people log in here."""
    return not cached.lab().settings.is_single_user


def live() -> LiveSession | None:
    """The visitor's session while it goes on; None without one, and in a home without accounts.

    The ids come from the web server, which drops what a browser claims and adds what the visitor's session says
    (``server.trustedUserHeaders``). They are fixed when the page's socket opens, so each run of a script asks again
    whether the session still goes on; the answer is kept for three seconds.
    """
    if not has_accounts():
        return None
    user, session = st.user.get("uid"), st.user.get("sid")
    if not isinstance(user, str) or not isinstance(session, str):
        return None
    found = cached.lab().accounts.sessions.by_id(session)
    return found if found is not None and found.user_id == user else None


def owner_id() -> str:
    """The visitor's owner id; without accounts the home's one owner. Ends the script where nobody is let in."""
    if not has_accounts():
        return LOCAL_OWNER_ID
    found = live()
    if found is None:
        _nobody()
    if found.standing is not Standing.GOOD:
        _closed(found)
    return found.user_id


def is_let_in() -> bool:
    """Whether somebody is there who may use the pages; what asks this draws nothing for others, and ends no script."""
    found = live()
    return not has_accounts() or (found is not None and found.standing is Standing.GOOD)


def session_id() -> str:
    """Id of the visitor's session; ends the script where there is none."""
    owner_id()
    found = live()
    if found is None:
        _nobody()
    return found.id


def is_admin() -> bool:
    """Whether the visitor runs this place: an admin, or whoever sits at a home without accounts."""
    found = live()
    return not has_accounts() or (found is not None and found.role is Role.ADMIN and found.standing is Standing.GOOD)


def _nobody() -> NoReturn:
    st.warning(_("You are logged out. Log in to go on."), icon=":material/lock:")
    here = urlsplit(st.context.url or "").path or "/"
    asked = urlencode({name: value for name, value in st.query_params.items() if name != "lang"})
    onward = urlencode({"lang": language(), "next": f"{here}?{asked}" if asked else here})
    st.html(f'<a class="lab-button" href="/auth/login?{html.escape(onward)}" target="_self">{_("Log in")}</a>')
    st.stop()


def _closed(found: LiveSession) -> NoReturn:
    if found.banned_until is not None and found.standing is Standing.BANNED:
        words = _("This account is closed until {until}.").format(until=fmt.moment(found.banned_until))
    else:
        words = _("This account is switched off. Ask the people who run this.")
    st.error(words, icon=":material/block:")
    st.html(f'<a class="lab-button" href="/auth/logout?lang={language()}" target="_self">{_("Log out")}</a>')
    st.stop()
