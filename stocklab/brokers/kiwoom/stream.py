"""Fills and quotes of one account at Kiwoom over its WebSocket."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Final

import httpx
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.sync.client import connect

from stocklab.brokers.kiwoom.auth import KiwoomAuth, KiwoomKeys
from stocklab.brokers.kiwoom.session import Evicted, KiwoomSession, SessionEnded, StreamTiming
from stocklab.brokers.pacing import Pacer
from stocklab.brokers.protocol import StreamEvent, StreamKind, Wanted
from stocklab.brokers.tokens import TokenStore
from stocklab.brokers.wire import Wire
from stocklab.errors import BrokerTemporary

__all__ = ["KiwoomStream"]

_OPEN_SECONDS: Final = 10.0
_CLOSE_SECONDS: Final = 1.0


class KiwoomStream:
    """See `stocklab.brokers.protocol.BrokerStream`. Kiwoom keeps one session for an app key, so there is one of these.

    ``base_url`` is the REST host, where a token comes from when none is kept. A second session of the same key evicts
    this one: it ends then, since coming back would evict the other.
    """

    def __init__(
        self,
        *,
        base_url: str,
        socket_url: str,
        keys: KiwoomKeys,
        mock: bool,
        tokens: TokenStore,
        pacer: Pacer,
        clock: Callable[[], datetime],
        transport: httpx.BaseTransport | None = None,
        timing: StreamTiming | None = None,
    ) -> None:
        self._url = socket_url
        self._wire = Wire(base_url, transport=transport, clock=lambda: clock().timestamp())
        self._auth = KiwoomAuth(self._wire, keys, mock=mock, tokens=tokens, pacer=pacer, clock=clock)
        self._clock = clock
        self._timing = timing or StreamTiming()

    def run(self, wanted: Wanted, emit: Callable[[StreamEvent], None], stop: threading.Event) -> None:
        """See `BrokerStream.run`.

        Raises
        ------
        BrokerDenied
            The keys, this address or this server are refused.
        """
        pause = self._timing.first_pause
        try:
            while not stop.is_set():
                session = KiwoomSession(wanted=wanted, emit=emit, clock=self._clock, timing=self._timing)
                reason = self._connected(session, stop)
                if session.was_up:
                    emit(StreamEvent(kind=StreamKind.DOWN, at=self._clock(), reason=reason))
                if session.seconds_up >= self._timing.steady:
                    pause = self._timing.first_pause
                stop.wait(pause)
                pause = min(self._timing.longest_pause, pause * 2)
        except Evicted as error:
            emit(StreamEvent(kind=StreamKind.EVICTED, at=self._clock(), reason=error.reason))
        finally:
            self._wire.close()

    def _connected(self, session: KiwoomSession, stop: threading.Event) -> str:
        """One connection until it ends; why it did."""
        try:
            token = self._auth.token()
        except BrokerTemporary as error:
            return str(error)
        try:
            with connect(
                self._url,
                ping_interval=None,  # the server has heartbeats of its own
                open_timeout=_OPEN_SECONDS,
                close_timeout=_CLOSE_SECONDS,
                user_agent_header="stocklab",
                proxy=None,
            ) as connection:
                session.run(connection, token, stop)
        except ConnectionClosed as error:
            return session.closed(error)
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI) as error:
            return f"not connected ({type(error).__name__})"
        except SessionEnded as error:
            if error.token_refused:
                self._auth.refused(token)
            return error.reason
        return "stopped"
