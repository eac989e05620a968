"""What goes wrong between a broker and us, by command, and two ways to carry it: on a socket, and without one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import httpx


class Trouble(StrEnum):
    """What happens to one request. RECORDED_*: the broker did what was asked, and the answer is lost."""

    RECORDED_NO_ANSWER = "recorded_no_answer"  # the connection is cut
    RECORDED_LATE = "recorded_late"  # the answer comes after the client has given up
    RECORDED_500 = "recorded_500"
    RECORDED_HTML = "recorded_html"
    NO_ANSWER = "no_answer"  # the connection is cut before the broker did anything
    ERROR_500 = "error_500"
    HTML = "html"
    TOO_MANY = "too_many"
    TOKEN_DEAD = "token_dead"  # the token is refused, and is dead from now on
    TRUNCATED = "truncated"  # half of the JSON
    CUT_PAGES = "cut_pages"  # there are more pages, and the next cannot be had

    @property
    def recorded(self) -> bool:
        return self.value.startswith("recorded")


class Target(StrEnum):
    """Which requests."""

    ORDER = "order"
    CANCEL = "cancel"
    JOURNAL = "journal"
    BALANCE = "balance"
    QUOTE = "quote"
    TOKEN = "token"


@dataclass(slots=True)
class Troubles:
    """Faults that wait for their requests. Safe from several threads."""

    _waiting: list[tuple[Target, Trouble]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def plan(self, target: Target, trouble: Trouble, times: int = 1) -> None:
        with self._lock:
            self._waiting += [(target, trouble)] * times

    def take(self, target: Target) -> Trouble | None:
        """The next fault of this kind of request, if one waits."""
        with self._lock:
            for place, (wanted, trouble) in enumerate(self._waiting):
                if wanted is target:
                    del self._waiting[place]
                    return trouble
        return None

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a fake broker answers: bytes, or a cut connection (``status`` 0), perhaps after ``wait`` seconds."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A request as a fake broker gets it. ``raw_query`` is as it was sent; names of headers are in lower case."""

    method: str
    path: str
    raw_query: str
    headers: dict[str, str]
    body: bytes


CUT = Told(status=0)


class WithoutSocket(httpx.BaseTransport):
    """Carries requests straight to a fake's `answer`, so that thousands of days can be simulated.

    ``sleep`` gets the seconds an answer waits or the client waits for one, whichever is less.
    """

    def __init__(self, answer: Callable[[Heard], Told], sleep: Callable[[float], object]) -> None:
        self._answer = answer
        self._sleep = sleep

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        told = self._answer(
            Heard(
                method=request.method,
                path=request.url.path,
                raw_query=request.url.query.decode("ascii"),
                headers={key.lower(): value for key, value in request.headers.items()},
                body=request.read(),
            )
        )
        patience = request.extensions["timeout"]["read"]
        if told.wait > patience:
            self._sleep(patience)
            raise httpx.ReadTimeout("no answer in time", request=request)
        if told.wait:
            self._sleep(told.wait)
        if told.status == 0:
            raise httpx.RemoteProtocolError("the connection was cut", request=request)
        return httpx.Response(told.status, headers=told.headers, content=told.body, request=request)
