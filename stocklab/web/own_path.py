"""Where a log-in leads back to: only to pages of this app."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from starlette.types import Scope

from stocklab.web.metrics import path_group

__all__ = ["own_path", "path_asked", "with_language"]

_LONGEST: Final = 1000


def own_path(text: str) -> str:
    """The path if it is one of our pages, else the start page.

    >>> own_path("/results?run=a"), own_path("//evil.example"), own_path("/auth/logout")
    ('/results?run=a', '/', '/')
    """
    strange = any(ord(letter) <= 32 or ord(letter) == 127 or letter == "\\" for letter in text)
    if len(text) > _LONGEST or strange or not text.startswith("/") or text.startswith("//"):
        return "/"
    try:
        parts = urlsplit(text)
    except ValueError:
        return "/"
    if parts.scheme or parts.netloc or path_group(parts.path) != "page":
        return "/"
    return quote(text, safe="/?&=%:;,+@!$'()*~[]-._#")


def path_asked(scope: Scope) -> str:
    """Path and query of a request, as `own_path` takes them."""
    query = scope.get("query_string", b"").decode("latin-1")
    return own_path(quote(scope["path"]) + (f"?{query}" if query else ""))


def with_language(path: str, language: str | None) -> str:
    """The path with the language a person chose, unless it names one."""
    if language is None:
        return path
    parts = urlsplit(path)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    if any(name == "lang" for name, _value in pairs):
        return path
    return f"{parts.path}?{urlencode([*pairs, ('lang', language)])}"
