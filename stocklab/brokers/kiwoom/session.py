"""One connection to Kiwoom's socket, from log-in to its end."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from stocklab.brokers.kiwoom.frames import Registrations, events_of
from stocklab.brokers.kiwoom.models import Meaning, meaning_of
from stocklab.brokers.kiwoom.parse import inner_code
from stocklab.brokers.protocol import StreamEvent, StreamKind, Wanted
from stocklab.brokers.values import BrokerName
from stocklab.errors import BrokerDenied

__all__ = ["Evicted", "KiwoomSession", "SessionEnded", "StreamTiming"]

_OTHER_SESSION: Final = "R10001"
_NORMAL_CLOSE: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamTiming:
    """Pauses in seconds. Kiwoom closes who connects again too fast, and sends a heartbeat far more often than it is
    silent for ``silence``."""

    first_pause: float = 1.0
    longest_pause: float = 30.0
    steady: float = 30.0
    """A connection that lived this long starts the pauses again from the first."""
    silence: float = 300.0
    answer: float = 10.0
    chunk_pause: float = 0.35
    listen: float = 0.25


class SessionEnded(Exception):
    """This connection is of no more use; another may be."""

    def __init__(self, reason: str, *, token_refused: bool = False) -> None:
        self.reason = reason
        self.token_refused = token_refused
        super().__init__(reason)


class Evicted(Exception):
    """Another session took the app key over."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class KiwoomSession:
    """What is registered on one connection, and what it says."""

    def __init__(
        self,
        *,
        wanted: Wanted,
        emit: Callable[[StreamEvent], None],
        clock: Callable[[], datetime],
        timing: StreamTiming,
    ) -> None:
        self._wanted = wanted
        self._emit = emit
        self._clock = clock
        self._timing = timing
        self._registrations = Registrations(chunk_pause=timing.chunk_pause, answer_seconds=timing.answer)
        self._up_since: float | None = None
        self._heard_at = 0.0

    @property
    def was_up(self) -> bool:
        """Whether it came as far as UP."""
        return self._up_since is not None

    @property
    def seconds_up(self) -> float:
        """How long it has been up."""
        return 0.0 if self._up_since is None else time.monotonic() - self._up_since

    def run(self, connection: ClientConnection, token: str, stop: threading.Event) -> None:
        """Log in, subscribe and listen until ``stop``.

        Raises
        ------
        SessionEnded, Evicted, ConnectionClosed, BrokerDenied
        """
        connection.send(json.dumps({"trnm": "LOGIN", "token": token}))
        self._log_in(connection)
        self._heard_at = time.monotonic()
        while not stop.is_set():
            now = time.monotonic()
            request = self._registrations.next_request(self._wanted(), now)
            if request is not None:
                connection.send(json.dumps(request))
            try:
                self._hear(connection, connection.recv(timeout=self._timing.listen))
            except TimeoutError:
                if time.monotonic() - self._heard_at > self._timing.silence:
                    raise SessionEnded("silent for too long") from None
            if self._registrations.overdue(time.monotonic()):
                raise SessionEnded("a registration was not answered")

    def closed(self, error: ConnectionClosed) -> str:
        """Why the server closed. Raises Evicted: a close that says "Bye" is how a second session ends the first."""
        told = error.rcvd
        if told is not None and told.code == _NORMAL_CLOSE and self.was_up:
            raise Evicted("closed by the broker as for a second session")
        return "connection lost"

    def _log_in(self, connection: ClientConnection) -> None:
        until = time.monotonic() + self._timing.answer
        while True:
            try:
                text = connection.recv(timeout=max(0.0, until - time.monotonic()))
            except TimeoutError:
                raise SessionEnded("log-in was not answered") from None
            frame = _frame(text)
            name = frame.get("trnm")
            if name == "PING":
                connection.send(text)
            elif name == "SYSTEM":
                self._system(frame)
            elif name == "LOGIN":
                self._judge_log_in(frame)
                return

    @staticmethod
    def _judge_log_in(frame: Mapping[str, Any]) -> None:
        code = frame.get("return_code")
        if code == 0 and not isinstance(code, bool):
            return
        inner = inner_code(str(frame.get("return_msg", "")))
        meaning = meaning_of(200, code if isinstance(code, int) else 0, inner)
        if meaning is Meaning.DENIED:
            raise BrokerDenied(BrokerName.KIWOOM, "log-in to the socket is refused", code=inner)
        raise SessionEnded(f"log-in refused [{inner}]", token_refused=meaning is Meaning.TOKEN)

    def _hear(self, connection: ClientConnection, text: str | bytes) -> None:
        self._heard_at = time.monotonic()
        frame = _frame(text)
        name = frame.get("trnm")
        if name == "PING":
            connection.send(text)  # unchanged: that is the answer
        elif name == "SYSTEM":
            self._system(frame)
        elif name in ("REG", "REMOVE"):
            code = inner_code(str(frame.get("return_msg", "")))
            if not self._registrations.answered(frame.get("return_code"), code, time.monotonic()):
                raise SessionEnded("the account's events were not registered")
            if self._registrations.account_registered and self._up_since is None:
                self._up_since = time.monotonic()
                self._emit(StreamEvent(kind=StreamKind.UP, at=self._clock()))
        elif name == "REAL":
            for event in events_of(frame, self._clock()):
                self._emit(event)

    @staticmethod
    def _system(frame: Mapping[str, Any]) -> None:
        code = str(frame.get("code", ""))
        if code == _OTHER_SESSION:
            raise Evicted("another session of this app key")
        raise SessionEnded(f"ended by the broker [{code}]")


def _frame(text: str | bytes) -> Mapping[str, Any]:
    """A frame; one that is no JSON object means that the two sides no longer understand each other."""
    try:
        frame = json.loads(text)
    except ValueError:
        raise SessionEnded("a frame that is not JSON") from None
    return frame if isinstance(frame, dict) else {}
