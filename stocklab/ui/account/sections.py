"""The account page: one section at a time."""

from __future__ import annotations

from stocklab.ui import navigation
from stocklab.ui.account.leave import leave_section
from stocklab.ui.account.profile import profile_section
from stocklab.ui.account.security import security_section
from stocklab.ui.account.sessions import sessions_section
from stocklab.ui.account.tokens import tokens_section
from stocklab.ui.text import _

__all__ = ["draw"]


def draw(user_id: str, session_id: str) -> None:
    """The switch and the section chosen."""
    names = {
        "profile": _("Profile"),
        "security": _("Password and second step"),
        "sessions": _("Log-ins"),
        "tokens": _("Tokens"),
        "leave": _("Leave"),
    }
    chosen = navigation.choice_in_url("section", names, _("Section"), default="profile", key="account_section")
    match chosen:
        case "security":
            security_section(user_id, session_id)
        case "sessions":
            sessions_section(user_id, session_id)
        case "tokens":
            tokens_section(user_id)
        case "leave":
            leave_section(user_id)
        case _:
            profile_section(user_id)
