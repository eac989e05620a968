"""One request to a broker and its answer, with what is certain about a failure: whether anything left this machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import httpx

__all__ = ["Answer", "NoAnswer", "Wire"]

CONNECT_SECONDS: Final = 5.0
_TEXT_BYTES: Final = 500
_UNSENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class NoAnswer(Exception):
    """No answer, or none that is JSON. ``sent``: some of the request may have arrived. ``status`` and the beginning
    of ``text``: of an answer that was not JSON."""

    def __init__(self, reason: str, *, sent: bool, status: int | None = None, text: str = "") -> None:
        self.reason = reason
        self.sent = sent
        self.status = status
        self.text = text
        super().__init__(reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer that is JSON; its numbers are int and Decimal, never float. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: Any

    def text(self, key: str) -> str:
        """A text of the body without blanks around it; empty when it is missing."""
        value = self.body.get(key) if isinstance(self.body, dict) else None
        return "" if value is None else str(value).strip()


class Wire:
    """Sends requests to one host. It never repeats one and follows no redirect: what may be repeated, adapters know.

    ``transport`` is for tests that need no socket; ``observe`` gets (name, seconds, answer or None) of every request.
    """

    def __init__(
        self,
        base_url: str,
        *,
        transport: httpx.BaseTransport | None = None,
        observe: Callable[[str, float, Answer | None], None] | None = None,
        clock: Callable[[], float],
    ) -> None:
        self._client = httpx.Client(
            base_url=base_url,
            transport=transport,
            headers={"User-Agent": "stocklab", "Accept": "application/json"},
            follow_redirects=False,
            trust_env=False,
        )
        self._observe = observe
        self._clock = clock

    def ask(
        self,
        name: str,
        method: str,
        path: str,
        *,
        read_seconds: float,
        headers: Mapping[str, str],
        content: bytes | None = None,
        raw_query: str = "",
    ) -> Answer:
        """One request. ``raw_query`` goes out as it is, already encoded.

        Raises
        ------
        NoAnswer
            Nothing usable came back.
        """
        began = self._clock()
        answer: Answer | None = None
        try:
            answer = self._asked(method, path + (f"?{raw_query}" if raw_query else ""), read_seconds, headers, content)
            return answer
        finally:
            if self._observe is not None:
                self._observe(name, self._clock() - began, answer)

    def _asked(
        self, method: str, url: str, read_seconds: float, headers: Mapping[str, str], content: bytes | None
    ) -> Answer:
        timeout = httpx.Timeout(read_seconds, connect=CONNECT_SECONDS)
        try:
            reply = self._client.request(method, url, headers=dict(headers), content=content, timeout=timeout)
        except _UNSENT as error:
            raise NoAnswer(f"not reached ({type(error).__name__})", sent=False) from error
        except httpx.HTTPError as error:
            raise NoAnswer(f"no answer ({type(error).__name__})", sent=True) from error
        try:
            body = json.loads(reply.content, parse_float=Decimal)
        except ValueError as error:
            raise NoAnswer(
                f"HTTP {reply.status_code} without JSON",
                sent=True,
                status=reply.status_code,
                text=reply.content[:_TEXT_BYTES].decode("utf-8", "replace"),
            ) from error
        return Answer(
            status=reply.status_code, headers={key.lower(): value for key, value in reply.headers.items()}, body=body
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
