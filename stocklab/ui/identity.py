"""Whose page this is: the owner every call of a page acts for."""

from __future__ import annotations

from typing import NoReturn

import streamlit as st

from stocklab.db import LOCAL_OWNER_ID
from stocklab.ui import cached
from stocklab.ui.text import _

__all__ = ["owner_id"]


def owner_id() -> str:
    """The visitor's owner id; without accounts the home's one owner. Ends the script where nobody is known.

    The id comes from the web server, which drops what a browser claims and adds what the visitor's session says
    (``server.trustedUserHeaders``).
    """
    if cached.lab().settings.is_single_user:
        return LOCAL_OWNER_ID
    found = st.user.get("uid")
    if not isinstance(found, str) or not found:
        _nobody()
    return found


def _nobody() -> NoReturn:
    st.warning(_("You are logged out. Log in to go on."), icon=":material/lock:")
    st.stop()
