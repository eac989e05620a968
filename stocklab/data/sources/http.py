"""Asking a web service: one request at a time, at its pace, within its budget, with bounded retries.

Retries are for questions that may be asked twice; the product's orders never pass through here.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final, Self
from urllib.parse import quote

import httpx
import structlog
import tenacity

from stocklab.data.sources.calls import CallLedger, now_kst
from stocklab.errors import Cancelled, SourceBlocked, SourceChanged, SourceTemporary

__all__ = ["Pace", "SourceClient", "json_of"]

log = structlog.get_logger(__name__)

_RETRIED: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_EXCERPT: Final = 80
_SHORTEST_SECRET: Final = 8  # anything shorter may be a word of an answer
_LARGEST_BODY: Final = 256 << 20  # unpacked; the largest answer in use has some MB
_PATIENCE: Final = 4.0  # an answer that trickles in may take this many times the timeout
_LONGEST_BLOCK: Final = timedelta(days=7)  # no service means more; a person can ask again sooner


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a service may be asked.

    ``least_gap_seconds`` to ``most_gap_seconds`` lie between the beginnings of two requests, drawn evenly; ``budget``
    is the most requests a day, None for no limit. ``attempts`` counts the first try.
    """

    least_gap_seconds: float
    most_gap_seconds: float
    budget: int | None
    attempts: int = 4
    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 30.0
    timeout_seconds: float = 30.0


class _Again(Exception):
    """The request may be tried again; ``after`` seconds if the service said so."""

    def __init__(self, message: str, after: float | None = None) -> None:
        self.after = after
        super().__init__(message)


@dataclass(slots=True)
class _Gate:
    """When the next request to a service may begin: one for all clients of a process, which together keep its pace."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    opens: float = 0.0

    def enter(self, gap: float) -> float:
        """Begin now and close the gate for ``gap`` seconds: 0.0; else, and nothing changes, the seconds to wait."""
        with self.lock:
            now = time.monotonic()
            if now < self.opens:
                return self.opens - now
            self.opens = now + gap
            return 0.0

    def close(self, seconds: float) -> None:
        """Let nobody in before that."""
        with self.lock:
            self.opens = max(self.opens, time.monotonic() + seconds)


_GATES: Final[dict[tuple[str, str], _Gate]] = {}  # by source and address


@dataclass(slots=True)
class SourceClient:
    """HTTP to one service. Not for use by two threads at once; clients of one service keep its pace together.

    Parameters
    ----------
    source : str
        Whose budget the requests count against.
    base_url : str
    pace : Pace
    calls : CallLedger
    headers : mapping, optional
        Sent with every request.
    secrets : tuple of str
        Keys that requests hold: an answer that echoes one, as an error page may, is read as if it said "(key)".
    stop : threading.Event, optional
        Set by whoever wants the work to end; a wait then ends at once.
    transport : httpx.BaseTransport, optional
        For unit tests; by default the network.
    """

    source: str
    base_url: str
    pace: Pace
    calls: CallLedger
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # may hold a key
    secrets: tuple[str, ...] = field(default=(), repr=False)
    stop: threading.Event = field(default_factory=threading.Event)
    transport: httpx.BaseTransport | None = None
    _client: httpx.Client = field(init=False)
    _gate: _Gate = field(init=False)
    _sent: int = field(init=False, default=0)
    _random: random.Random = field(init=False, default_factory=random.Random)

    def __post_init__(self) -> None:
        self._gate = _GATES.setdefault((self.source, self.base_url), _Gate())
        self._client = httpx.Client(
            base_url=self.base_url,
            headers=dict(self.headers),
            timeout=self.pace.timeout_seconds,
            transport=self.transport,
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Return the connections."""
        self._client.close()

    def pause(self, seconds: float) -> None:
        """Let the next request begin no sooner than in ``seconds``."""
        self._gate.close(seconds)

    def get(self, path: str, params: Mapping[str, str] | None = None) -> httpx.Response:
        """GET with retries; see `send`."""
        return self.send("GET", path, params=params)

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        refused: Callable[[httpx.Response], Exception | None] | None = None,
    ) -> httpx.Response:
        """One question; every try counts against the budget.

        Parameters
        ----------
        method, path, params, body
            ``body`` is sent as JSON.
        refused : response -> exception or None, optional
            Asked first about each answer: an exception it returns is raised and not retried (a wrong key, a spent
            quota).

        Returns
        -------
        An answer of status 200. Its meaning is the caller's business.

        Raises
        ------
        SourceExhausted, SourceBlocked
            From the ledger, nothing was sent; blocked also when the service asks for a longer wait than the pace's
            longest, which opens the breaker until then.
        SourceTemporary
            No usable answer after the last try.
        SourceChanged
            A status this protocol does not have.
        Cancelled
            ``stop`` was set.
        """

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Again),
            stop=tenacity.stop_after_attempt(self.pace.attempts),
            wait=self._wait_seconds,
            sleep=self._sleep,
            reraise=True,
        )
        before = self._sent
        try:
            response: httpx.Response = retrying(self._once, method, path, params, body, refused)
        except _Again as error:
            self.calls.note(self.source, ok=False, message=str(error))
            raise SourceTemporary(self.source, f"no answer after {self.pace.attempts} tries ({error})") from error
        except Cancelled:
            raise
        except Exception as error:
            if self._sent > before:  # a question that was not sent says nothing of the service
                self.calls.note(self.source, ok=False, message=str(error))
            raise
        self.calls.note(self.source, ok=True)
        return response

    def _once(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
        refused: Callable[[httpx.Response], Exception | None] | None,
    ) -> httpx.Response:
        self._keep_pace()
        self.calls.take(self.source, budget=self.pace.budget)
        self._sent += 1
        try:
            response = self._receive(method, path, params, body)
        except httpx.RequestError as error:  # the URL may hold a key: only the kind of failure is told
            raise _Again(type(error).__name__) from None
        log.debug("source_asked", source=self.source, path=path, status=response.status_code)
        if refused is not None:
            verdict = refused(response)
            if verdict is not None:
                raise verdict
        if response.status_code in _RETRIED:
            after = _retry_after(response)
            if after is not None and after > self.pace.longest_wait_seconds:
                raise self._block(after, f"status {response.status_code}")
            raise _Again(f"status {response.status_code}", after)
        if response.status_code != httpx.codes.OK:
            raise SourceChanged(self.source, f"status {response.status_code}", found=_excerpt(response))
        return response

    def _receive(
        self, method: str, path: str, params: Mapping[str, str] | None, body: Mapping[str, Any] | None
    ) -> httpx.Response:
        """A whole answer, which may neither trickle for ever nor fill the memory."""
        deadline = time.monotonic() + _PATIENCE * self.pace.timeout_seconds
        content = bytearray()
        with self._client.stream(method, path, params=params, json=body) as response:
            for chunk in response.iter_bytes():
                content += chunk
                if self.stop.is_set():
                    raise Cancelled(f"Asking {self.source} was stopped.")
                if len(content) > _LARGEST_BODY:
                    raise SourceChanged(self.source, f"an answer of more than {_LARGEST_BODY >> 20} MB")
                if time.monotonic() > deadline:
                    raise _Again("the answer takes too long")
        told = bytes(content)
        for secret in self.secrets:
            for form in (secret, quote(secret, safe="")):
                told = told.replace(form.encode(), b"(key)") if len(form) >= _SHORTEST_SECRET else told
        packed = {b"content-encoding", b"content-length", b"transfer-encoding"}
        headers = [(name, value) for name, value in response.headers.raw if name.lower() not in packed]
        return httpx.Response(response.status_code, headers=headers, content=told, request=response.request)

    def _block(self, seconds: float, reason: str) -> SourceBlocked:
        until = now_kst() + min(timedelta(seconds=seconds), _LONGEST_BLOCK)
        self.calls.block(self.source, until=until, reason=reason)
        return SourceBlocked(self.source, until=until, reason=reason)

    def _wait_seconds(self, state: tenacity.RetryCallState) -> float:
        """Before the next try: what the service said, else doubling, the lower half of each wait certain."""
        error = state.outcome.exception() if state.outcome is not None else None
        longest = min(self.pace.first_wait_seconds * 2.0 ** (state.attempt_number - 1), self.pace.longest_wait_seconds)
        drawn = self._random.uniform(longest / 2, longest)
        after = error.after if isinstance(error, _Again) else None
        return drawn if after is None else after + self._random.uniform(0.0, self.pace.first_wait_seconds)

    def _keep_pace(self) -> None:
        gap = self._random.uniform(self.pace.least_gap_seconds, self.pace.most_gap_seconds)
        self._sleep(0.0)
        while (wait := self._gate.enter(gap)) > 0:
            self._sleep(wait)

    def _sleep(self, seconds: float) -> None:
        if self.stop.wait(seconds) if seconds > 0 else self.stop.is_set():
            raise Cancelled(f"Asking {self.source} was stopped.")


def json_of(source: str, response: httpx.Response) -> Any:
    """The JSON value of an answer.

    Raises
    ------
    SourceChanged
        It is something else, such as an HTML page; the message quotes its beginning.
    """
    try:
        return json.loads(response.content, parse_constant=_no_number)
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise SourceChanged(source, "expected JSON", found=_excerpt(response)) from None


def _no_number(text: str) -> float:
    """NaN and Infinity, which the standard library would take for JSON."""
    raise ValueError(text)


def _excerpt(response: httpx.Response) -> str:
    text = response.content[: 4 * _EXCERPT].decode("utf-8", errors="replace")
    return " ".join(text.split())[:_EXCERPT]


def _retry_after(response: httpx.Response) -> float | None:
    given = response.headers.get("Retry-After", "").strip()
    if given.isascii() and given.isdigit():
        return min(float(given[:20]), 1e9)
    try:
        return max(0.0, (parsedate_to_datetime(given) - now_kst()) / timedelta(seconds=1))
    except (TypeError, ValueError, OverflowError):
        return None
