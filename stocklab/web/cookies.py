"""The cookies of a log-in: how they are called, written and read."""

from __future__ import annotations

from typing import Final

from starlette.requests import cookie_parser
from starlette.types import Scope

from stocklab.accounts import LIFETIME

__all__ = ["DEVICE", "SESSION", "STEP", "cookie_of", "drop_cookie", "write_cookie"]

SESSION: Final = "stocklab_session"
STEP: Final = "stocklab_step"
DEVICE: Final = "stocklab_device"
_SECONDS: Final = {SESSION: int(LIFETIME.total_seconds()), STEP: 600, DEVICE: 365 * 86_400}


def _name(cookie: str, scope: Scope) -> str:
    """On https the name begins so that browsers take the cookie only from this very host, over https."""
    return f"__Host-{cookie}" if scope["scheme"] in ("https", "wss") else cookie


def cookie_of(scope: Scope, cookie: str) -> str:
    """The value a browser sent; "" for none."""
    for name, value in scope["headers"]:
        if name == b"cookie":
            found = cookie_parser(value.decode("latin-1")).get(_name(cookie, scope))
            if found:
                return found[:4096]
    return ""


def write_cookie(scope: Scope, cookie: str, value: str) -> str:
    """A Set-Cookie header: out of the reach of scripts, and not sent along by other sites' forms."""
    secure = "; Secure" if scope["scheme"] in ("https", "wss") else ""
    return f"{_name(cookie, scope)}={value}; Path=/; Max-Age={_SECONDS[cookie]}; HttpOnly; SameSite=Lax{secure}"


def drop_cookie(scope: Scope, cookie: str) -> str:
    """A Set-Cookie header that removes it."""
    secure = "; Secure" if scope["scheme"] in ("https", "wss") else ""
    return f"{_name(cookie, scope)}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{secure}"
