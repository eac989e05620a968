"""Text of strangers made plain: no tags, entities or control characters, and bounded. It stays untrusted."""

from __future__ import annotations

import html
import re
from typing import Final
from urllib.parse import urlsplit

__all__ = ["plain_text", "web_link"]

_TAG: Final = re.compile(r"<[^<>]{0,200}>")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_LONGEST: Final = 300
_LONGEST_LINK: Final = 2000


def plain_text(text: object, longest: int = _LONGEST) -> str:
    """A title as people read it; whoever shows it escapes it, whoever gives it to a model quotes it as data.

    >>> plain_text("<b>삼성전자</b> &quot;역대 최대&quot; 실적 &amp; 배당")
    '삼성전자 "역대 최대" 실적 & 배당'
    >>> plain_text("half of a pair \\ud83d, which no database takes")
    'half of a pair , which no database takes'
    """
    plain = html.unescape(_TAG.sub("", str(text or "")))
    plain = " ".join(_CONTROL.sub(" ", plain).split())
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


def web_link(text: object) -> str | None:
    """An http(s) address, None for anything else (``javascript:``, a path, nothing).

    >>> web_link("https://n.news.naver.com/a?b=1"), web_link("javascript:alert(1)")
    ('https://n.news.naver.com/a?b=1', None)
    """
    link = html.unescape(str(text or "")).strip()
    if len(link) > _LONGEST_LINK or _CONTROL.search(link) or " " in link:
        return None
    try:
        parts = urlsplit(link)
        host = parts.hostname
    except ValueError:
        return None
    return link if parts.scheme in {"http", "https"} and host else None
