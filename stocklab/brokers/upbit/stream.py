"""Fills and quotes of one pocket at Upbit: a private and a public socket behind one `BrokerStream`."""

from __future__ import annotations

import queue
import threading
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from stocklab.brokers.protocol import StreamEvent, StreamKind, Wanted
from stocklab.brokers.upbit.auth import UpbitCredentials, bearer
from stocklab.brokers.upbit.line import Heard, Line, Pauses
from stocklab.brokers.upbit.models import LIVE_SOCKET, WON_PREFIX
from stocklab.brokers.upbit.parse import Garbled, instant, quote_of
from stocklab.brokers.values import QuoteSource

__all__ = ["UpbitStream"]

_WAKE_SECONDS = 0.1


class UpbitStream:
    """See `BrokerStream`. Fills come over the private socket, prices over the public one, which is there only while
    prices are wanted. Upbit evicts nobody: a key may have several sockets.

    ``ws_url`` is the public socket; the private one is below it.
    """

    def __init__(
        self,
        *,
        credentials: UpbitCredentials,
        clock: Callable[[], datetime],
        ws_url: str = LIVE_SOCKET,
        nonce: Callable[[], str] = lambda: str(uuid.uuid4()),
        pauses: Pauses | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._inbox: queue.SimpleQueue[Heard] = queue.SimpleQueue()

        def line(name: str, url: str, data_type: str, headers: Callable[[], dict[str, str]]) -> Line:
            return Line(name, url, data_type, self._inbox, pauses or Pauses(), monotonic, headers)

        self._private = line(
            "private",
            f"{ws_url}/private",
            "myOrder",
            lambda: {"Authorization": bearer(credentials, (), nonce())},
        )
        self._public = line("public", ws_url, "ticker", dict)
        self._up = False

    def run(self, wanted: Wanted, emit: Callable[[StreamEvent], None], stop: threading.Event) -> None:
        """See `BrokerStream.run`."""
        try:
            while not stop.is_set():
                codes = frozenset(code for code in wanted() if code.startswith(WON_PREFIX))
                self._private.step(frozenset())
                if codes:
                    self._public.step(codes)
                else:
                    self._public.rest()
                self._tell_state(bool(codes), emit)
                self._pass_on(emit)
                self._tell_state(bool(codes), emit)
        finally:
            for line in (self._private, self._public):
                line.rest()
            if self._up:
                self._up = False
                emit(StreamEvent(kind=StreamKind.DOWN, at=self._clock(), reason="stopped"))

    def _tell_state(self, prices: bool, emit: Callable[[StreamEvent], None]) -> None:
        """UP once every line that is needed is confirmed, DOWN when one of them was lost. A public line that is only
        being opened, since prices are wanted now, takes nothing away."""
        needed = [self._private, self._public] if prices else [self._private]
        lost = [line for line in needed if line.lost]
        if not self._up and all(line.up for line in needed):
            self._up = True
            emit(StreamEvent(kind=StreamKind.UP, at=self._clock()))
        elif self._up and lost:
            self._up = False
            reason = "; ".join(f"{line.name}: {line.reason}" for line in lost)
            emit(StreamEvent(kind=StreamKind.DOWN, at=self._clock(), reason=reason))

    def _pass_on(self, emit: Callable[[StreamEvent], None]) -> None:
        """Everything that has come in; waits a moment for the first."""
        try:
            message = self._inbox.get(timeout=_WAKE_SECONDS)
            while True:
                data = message.line.heard(message)
                event = self._event(data) if data is not None else None
                if event is not None:
                    emit(event)
                message = self._inbox.get_nowait()
        except queue.Empty:
            return

    def _event(self, data: dict[str, Any]) -> StreamEvent | None:
        """What a message says; None where it is unreadable: sockets confirm, the journal decides."""
        try:
            if data["type"] == "myOrder":
                return StreamEvent(
                    kind=StreamKind.ORDER,
                    at=instant(data.get("timestamp")),
                    symbol=str(data["code"]),
                    order_number=str(data["uuid"]),
                    reason=str(data.get("state", "")),
                )
            quote = quote_of(data, QuoteSource.SOCKET)
        except (Garbled, KeyError):
            return None
        return StreamEvent(kind=StreamKind.QUOTE, at=quote.at, symbol=quote.symbol, quote=quote)
