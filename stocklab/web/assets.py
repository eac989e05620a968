"""Streamlit's installed front end: where it is, and what a content security policy must know of its page."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.util import find_spec
from pathlib import Path

from stocklab.errors import StockLabError

__all__ = ["content_security_policy", "front_end", "inline_script_hashes"]

_INLINE_SCRIPT = re.compile(r"<script(?P<attributes>[^>]*)>(?P<body>.*?)</script>", re.DOTALL | re.IGNORECASE)


def front_end() -> Path:
    """Folder of the installed front end (``index.html`` and ``static/``).

    Found without importing Streamlit, whose import has effects.
    """
    spec = find_spec("streamlit")
    folder = None if spec is None or spec.origin is None else Path(spec.origin).parent / "static"
    if folder is None or not (folder / "index.html").is_file():
        raise StockLabError("Streamlit's front end is not installed. Hint: run `make setup`.")
    return folder


def inline_script_hashes(html: str) -> tuple[str, ...]:
    """CSP source for each inline script of a page, in order.

    >>> inline_script_hashes("<script>\\n</script><script src='a.js'></script>")
    ("'sha256-AbpHGcgLb+kRsJGnwFEktk7uzpZOCcBY74+YBdrKVGs='",)
    """
    hashes = []
    for match in _INLINE_SCRIPT.finditer(html):
        if "src=" not in match["attributes"].lower():
            digest = hashlib.sha256(match["body"].encode()).digest()
            hashes.append(f"'sha256-{base64.b64encode(digest).decode()}'")
    return tuple(hashes)


def content_security_policy(html: str) -> str:
    """The policy under which everything Streamlit draws works and nothing is loaded from outside.

    ``blob:`` scripts are components' inline modules; styles are set by the front end's own code.
    """
    scripts = " ".join(("'self'", "blob:", *inline_script_hashes(html)))
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {scripts}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "manifest-src 'self'",
            "media-src 'self'",
            "frame-src 'self' blob: data:",
            "frame-ancestors 'none'",
            "form-action 'self'",
            "base-uri 'self'",
        )
    )
