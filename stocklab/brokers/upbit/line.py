"""One WebSocket of Upbit: connects, subscribes, keeps it alive, and connects again after a growing pause."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from stocklab.brokers.values import BrokerName
from stocklab.errors import BrokerDenied

__all__ = ["Heard", "Line", "Pauses"]

_TICKET: Final = "stocklab"
_ASK: Final = json.dumps([{"ticket": _TICKET}, {"method": "LIST_SUBSCRIPTIONS"}])
_BEAT: Final = "PING"  # the server then says {"status":"UP"} every ten seconds
_REFUSED: Final = frozenset({401, 403})
_STEADY_SECONDS: Final = 30.0  # a connection that lasted this long makes the next pause short again


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Seconds. A subscription is changed at most once in ``change``: five messages a second and a hundred a minute are
    allowed. ``silence`` without a word, not even a heartbeat, ends a connection."""

    first: float = 1.0
    longest: float = 60.0
    change: float = 1.0
    beat: float = 30.0
    silence: float = 35.0
    confirm: float = 10.0
    open: float = 5.0


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of a line, or its end (``body`` None). ``generation`` tells one connection from the next."""

    line: Line
    generation: int
    body: Any


@dataclass(slots=True)
class Line:
    """One connection at a time. Everything but the reading happens on the thread that calls `step` and `heard`.

    ``up`` once the server has confirmed the subscription; ``reason`` tells why it last went down.
    """

    name: str
    url: str
    data_type: str
    inbox: queue.SimpleQueue[Heard]
    pauses: Pauses
    clock: Callable[[], float]
    headers: Callable[[], dict[str, str]] = dict
    up: bool = False
    reason: str = ""
    _codes: frozenset[str] | None = None
    _connection: ClientConnection | None = None
    _held: ExitStack = field(default_factory=ExitStack)
    _reader: threading.Thread | None = None
    _generation: int = 0
    _pause: float = 0.0
    _next_try: float = 0.0
    _opened_at: float = 0.0
    _heard_at: float = 0.0
    _beat_at: float = 0.0
    _changed_at: float = field(default=float("-inf"))

    @property
    def lost(self) -> bool:
        """Whether it went down, and is not confirmed again."""
        return not self.up and bool(self.reason)

    def step(self, codes: frozenset[str]) -> None:
        """Do what is due: connect, follow the wanted codes, beat, give up a line that is silent.

        Raises
        ------
        BrokerDenied
            The keys are refused.
        """
        now = self.clock()
        if self._connection is None:
            if now >= self._next_try:
                self._open(codes)
            return
        if now - self._heard_at > self.pauses.silence or (not self.up and now - self._opened_at > self.pauses.confirm):
            self.end("silent")
        elif codes != self._codes and now - self._changed_at >= self.pauses.change:
            self._subscribe(codes)
        elif now - self._beat_at >= self.pauses.beat:
            self._beat_at = now
            self._send(_BEAT)

    def heard(self, message: Heard) -> dict[str, Any] | None:
        """The data of a message of this line; None when it is of an older connection or of the line itself.

        Raises
        ------
        BrokerDenied
        """
        if message.generation != self._generation or self._connection is None:
            return None
        if message.body is None:
            self.end("cut")
            return None
        self._heard_at = self.clock()
        body = message.body
        if not isinstance(body, dict):
            return None
        if isinstance(body.get("error"), dict):
            self._failed(str(body["error"].get("name", "")))
        elif body.get("method") == "LIST_SUBSCRIPTIONS":
            self.up = self.up or self._confirms(body)
        elif body.get("type") == self.data_type:
            return body
        return None

    def end(self, reason: str) -> None:
        """Let go of the connection; the next one comes after the pause."""
        self._connection, self.up, self.reason = None, False, reason
        self._generation += 1
        if self.clock() - self._opened_at > _STEADY_SECONDS:
            self._pause = 0.0
        self._pause = min(self.pauses.longest, self._pause * 2 or self.pauses.first)
        self._next_try = self.clock() + self._pause
        self._held.close()
        if self._reader is not None:
            self._reader.join(1.0)

    def rest(self) -> None:
        """Nothing is wanted of this line."""
        if self._connection is not None:
            self.end("")
        self.reason = ""
        self._pause = self._next_try = 0.0

    def _open(self, codes: frozenset[str]) -> None:
        self._opened_at = self._heard_at = self.clock()
        headers = self.headers()
        try:
            self._connection = self._held.enter_context(
                connect(
                    self.url,
                    additional_headers=headers,
                    open_timeout=self.pauses.open,
                    close_timeout=0.5,
                    ping_interval=None,  # the beat is a message, which proves that more than the socket lives
                    proxy=None,
                    user_agent_header="stocklab",
                )
            )
        except InvalidStatus as error:
            status = error.response.status_code
            if headers and status in _REFUSED:
                raise BrokerDenied(BrokerName.UPBIT, f"the {self.name} socket refuses the keys ({status})") from error
            self.end(f"refused ({status})")
            return
        except (OSError, TimeoutError, InvalidHandshake, WebSocketException) as error:
            self.end(f"not reached ({type(error).__name__})")
            return
        self._generation += 1
        self._reader = threading.Thread(
            target=self._read, args=(self._connection, self._generation), name=f"upbit-{self.name}", daemon=True
        )
        self._reader.start()
        self._beat_at = self.clock()
        self._subscribe(codes)
        self._send(_ASK)
        self._send(_BEAT)

    def _subscribe(self, codes: frozenset[str]) -> None:
        """Say all that is wanted: a new list replaces the old one."""
        self._codes, self._changed_at = codes, self.clock()
        wanted: dict[str, Any] = {"type": self.data_type}
        if codes:
            wanted["codes"] = sorted(codes)
        self._send(json.dumps([{"ticket": _TICKET}, wanted, {"format": "DEFAULT"}]))

    def _send(self, text: str) -> None:
        if self._connection is None:
            return
        try:
            self._connection.send(text)
        except (ConnectionClosed, OSError):
            self.end("cut")

    def _confirms(self, body: dict[str, Any]) -> bool:
        result = body.get("result")
        return isinstance(result, list) and any(
            isinstance(one, dict) and one.get("type") == self.data_type for one in result
        )

    def _failed(self, name: str) -> None:
        if name == "INVALID_AUTH" and self.headers():
            raise BrokerDenied(BrokerName.UPBIT, f"the {self.name} socket refuses the keys", code=name)
        self.end(f"error {name}")

    def _read(self, connection: ClientConnection, generation: int) -> None:
        """On a thread of its own: frames, binary or text, into the inbox until the connection ends."""
        try:
            for frame in connection:
                self.inbox.put(Heard(self, generation, _decoded(frame)))
        except (WebSocketException, OSError):
            pass  # its end is the message below
        self.inbox.put(Heard(self, generation, None))


def _decoded(frame: str | bytes) -> Any:
    """The content of a frame; ``{}`` where it is not JSON, which still proves that the line lives."""
    try:
        return json.loads(frame, parse_float=Decimal) or {}
    except ValueError:
        return {}
