"""One connection to KIS's socket, from the registration of notices to its end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from stocklab.brokers.kis import frames
from stocklab.brokers.kis.auth import KisAccount
from stocklab.brokers.kis.models import SOCKET_REGISTRATIONS
from stocklab.brokers.protocol import StreamEvent, StreamKind, Wanted
from stocklab.errors import BrokerTemporary

__all__ = ["KisSession", "SessionEnded"]

_LISTEN_SECONDS: Final = 0.2
_FOLLOW_SECONDS: Final = 1.0
"""KIS may block whoever registers and takes back without end."""

_AS_WANTED: Final = ("OPSP0000", "OPSP0001", "OPSP0002", "OPSP0003")  # done, taken back, and each of them before
_IN_USE: Final = "OPSP8996"


class SessionEnded(Exception):
    """A connection is over. ``in_use``: another session holds the key. ``key_refused``: the approval key may be old.
    ``unanswered``: cut before the notices were registered, as KIS does with a wrong HTS id."""

    def __init__(
        self, reason: str, *, in_use: bool = False, key_refused: bool = False, unanswered: bool = False
    ) -> None:
        self.reason = reason
        self.in_use = in_use
        self.key_refused = key_refused
        self.unanswered = unanswered
        super().__init__(reason)


class KisSession:
    """What is registered on one connection, and what it says. ``hts_id`` empty: no notices of orders."""

    def __init__(
        self,
        connection: ClientConnection,
        *,
        approval_key: str,
        account: KisAccount,
        hts_id: str,
        mock: bool,
        wanted: Wanted,
        emit: Callable[[StreamEvent], None],
        clock: Callable[[], datetime],
        silence_seconds: float,
    ) -> None:
        self.up = False
        self._connection = connection
        self._approval_key = approval_key
        self._account = account
        self._hts_id = hts_id
        self._notices = frames.NOTICE_MOCK if mock else frames.NOTICE_LIVE
        self._wanted = wanted
        self._emit = emit
        self._clock = clock
        self._silence = silence_seconds
        self._opening = ("", "")
        self._symbols: set[str] = set()
        self._turned_down: set[str] = set()
        self._most = SOCKET_REGISTRATIONS - (1 if hts_id else 0)

    def run(self, stop: threading.Event) -> None:
        """Listen until ``stop``.

        Raises
        ------
        SessionEnded
        """
        try:
            if self._hts_id:
                self._register(self._notices, self._hts_id, add=True)
            else:
                self._is_up()
            self._listen(stop)
        except ConnectionClosed as error:
            waiting = bool(self._hts_id) and not self.up
            raise SessionEnded(f"closed ({type(error).__name__})", unanswered=waiting) from error

    def _listen(self, stop: threading.Event) -> None:
        heard, followed = time.monotonic(), float("-inf")
        while not stop.is_set():
            now = time.monotonic()
            if self.up and now - followed >= _FOLLOW_SECONDS:
                followed = now
                self._follow()
            try:
                message = self._connection.recv(timeout=_LISTEN_SECONDS)
            except TimeoutError:
                # Heartbeats come when the market is shut too, so silence means that nobody is there.
                if time.monotonic() - heard > self._silence:
                    raise SessionEnded("silent") from None
                continue
            heard = time.monotonic()
            self._take(message if isinstance(message, str) else message.decode(errors="replace"))

    def _follow(self) -> None:
        """Register what is wanted now, keeping what is registered where there is too little room."""
        wanted = self._wanted()
        for symbol in sorted(self._symbols - wanted):
            self._register(frames.TRADES, symbol, add=False)
            self._symbols.discard(symbol)
        for symbol in sorted(wanted - self._symbols - self._turned_down):
            if len(self._symbols) >= self._most:
                break
            self._register(frames.TRADES, symbol, add=True)
            self._symbols.add(symbol)

    def _register(self, tr_id: str, tr_key: str, *, add: bool) -> None:
        self._connection.send(frames.registration(self._approval_key, tr_id, tr_key, add=add))

    def _take(self, text: str) -> None:
        said = frames.control(text)
        if said is not None:
            self._answered(said, text)
            return
        found = frames.data(text)
        if found is None:
            return
        if found.tr_id == self._notices:
            self._noticed(found)
        elif found.tr_id == frames.TRADES:
            self._traded(found)

    def _answered(self, said: frames.Control, text: str) -> None:
        if said.tr_id == "PINGPONG":
            self._connection.send(text)
        elif said.code == _IN_USE:
            raise SessionEnded("another session holds the app key", in_use=True)
        elif said.tr_id == self._notices:
            if not said.ok and said.code not in _AS_WANTED:
                raise SessionEnded(f"notices refused: {said.code} {said.text[:80]}", key_refused=True)
            self._opening = (said.key, said.iv) if said.key else self._opening
            self._is_up()
        elif said.tr_id == frames.TRADES and not said.ok and said.code not in _AS_WANTED:
            # Too many, or not known: it is not asked for again on this connection.
            self._symbols.discard(said.tr_key)
            self._turned_down.add(said.tr_key)

    def _is_up(self) -> None:
        if not self.up:
            self.up = True
            self._emit(StreamEvent(kind=StreamKind.UP, at=self._clock()))

    def _noticed(self, found: frames.Data) -> None:
        """Notices of every account of the HTS id come: only ours count. One that cannot be read might be ours."""
        try:
            plain = frames.decrypt(found.payload, *self._opening) if found.encrypted else found.payload
            notices = [frames.notice(fields) for fields in found.records(plain)]
        except BrokerTemporary as error:
            self._emit(StreamEvent(kind=StreamKind.ORDER, at=self._clock(), reason=f"unreadable: {error}"))
            return
        for one in notices:
            if self._account.owns(one.account):
                self._emit(
                    StreamEvent(
                        kind=StreamKind.ORDER,
                        at=self._clock(),
                        symbol=one.symbol,
                        order_number=one.order_number,
                        reason=one.what,
                    )
                )

    def _traded(self, found: frames.Data) -> None:
        """Only the last trade of a symbol in a frame is of use. One that cannot be read is as good as none."""
        latest = {}
        try:
            for fields in found.records(found.payload):
                quote = frames.trade(fields)
                latest[quote.symbol] = quote
        except BrokerTemporary:
            return
        for symbol, quote in latest.items():
            self._emit(StreamEvent(kind=StreamKind.QUOTE, at=self._clock(), symbol=symbol, quote=quote))
