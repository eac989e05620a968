"""A signed POST of documented JSON to an address of the user: n8n, Home Assistant, a script.

The signature is HMAC-SHA256 over the moment and the exact body (docs/alerts.md has a receiver that checks it).
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from stocklab import __version__
from stocklab.alerts.addresses import target_of
from stocklab.alerts.outcome import Outcome
from stocklab.errors import InputError

__all__ = ["post_webhook", "signature"]

_CONNECT_SECONDS: Final = 5.0
_ANSWER_SECONDS: Final = 10.0
_LONGEST_WAIT: Final = timedelta(hours=1)
_NOT_THIS_MESSAGE: Final = frozenset({400, 413, 415, 422})
_BUSY: Final = frozenset({429, 503})


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """The header ``X-StockLab-Signature``: when it was signed, and the HMAC over ``<when>.<body>``.

    >>> signature("whsec", 1764300000, b"{}")[:16]
    't=1764300000,v1='
    """
    mac = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={mac}"


def post_webhook(
    url: str,
    secret: str,
    delivery_id: str,
    document: Mapping[str, Any],
    *,
    now: datetime,
    allow_private: bool,
    answer_seconds: float = _ANSWER_SECONDS,
) -> Outcome:
    """Send one message. Redirects are not followed: they would lead where nobody judged the address."""
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    try:
        target = target_of(url, allow_private=allow_private)
    except InputError as error:
        return Outcome(error=str(error))
    except OSError:
        return Outcome(error="The name of the host is not known.")
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"StockLab/{__version__}",
        "Host": target.host_header,
        "X-StockLab-Delivery": delivery_id,
        "X-StockLab-Signature": signature(secret, int(now.timestamp()), body),
    }
    extensions = {"sni_hostname": target.host} if target.secure else {}
    try:
        with (
            httpx.Client(
                timeout=httpx.Timeout(answer_seconds, connect=_CONNECT_SECONDS),
                follow_redirects=False,
                trust_env=False,
            ) as client,
            client.stream("POST", target.connect_url, content=body, headers=headers, extensions=extensions) as answer,
        ):
            return _outcome(answer, now)
    except httpx.TimeoutException:
        return Outcome(error="No answer in time.")
    except httpx.HTTPError as error:
        return Outcome(error=f"The connection failed ({type(error).__name__}).")


def _outcome(answer: httpx.Response, now: datetime) -> Outcome:
    """The status alone is read: a body of any length stays where it is."""
    code = answer.status_code
    if 200 <= code < 300:
        return Outcome()
    if 300 <= code < 400:
        return Outcome(error=f"It answered {code}, which leads elsewhere; redirects are not followed.")
    wait = _retry_after(answer.headers.get("Retry-After", ""), now) if code in _BUSY else None
    return Outcome(error=f"It answered {code}.", for_good=code in _NOT_THIS_MESSAGE, wait=wait)


def _retry_after(text: str, now: datetime) -> timedelta | None:
    """Seconds or a date, as HTTP allows, at most an hour."""
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:6])), _LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return min(max(until - now, timedelta(0)), _LONGEST_WAIT)
