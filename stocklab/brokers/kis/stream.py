"""Fills and quotes of a KIS account: connects again and again, but never in haste."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

import httpx
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from stocklab.brokers.kis.auth import KisAccount, KisCredentials, approval_key
from stocklab.brokers.kis.session import KisSession, SessionEnded
from stocklab.brokers.pacing import Pacer
from stocklab.brokers.protocol import StreamEvent, StreamKind, Wanted
from stocklab.brokers.values import BrokerName
from stocklab.brokers.wire import Wire
from stocklab.errors import BrokerDenied, BrokerTemporary

__all__ = ["KisStream"]

_OPEN_SECONDS: Final = 10.0
_LARGEST_FRAME: Final = 2**22  # frames above 8 KB occur
_KEY_LIFE: Final = timedelta(hours=20)  # it lives about a day
_CALM_SECONDS: Final = 60.0
_CUT_IN_A_ROW: Final = 5


class KisStream:
    """See `BrokerStream`. One session for an app key: while another holds it, ours is refused.

    Parameters
    ----------
    hts_id : str
        The user's HTS id, under which notices of orders come; empty for quotes alone. KIS cuts the connection of a
        wrong one without a word, so that five cuts in a row before the notices are registered end the stream.
    pauses : seconds, optional
        Before connecting again: KIS blocks addresses and keys that connect without end.
    silence_seconds : float, optional
        Heartbeats come all the time; silence of that length ends a connection.
    takeover_seconds : float, optional
        For that long the key may be in use elsewhere, which after a crash is our own older session. Then EVICTED.
    """

    def __init__(
        self,
        *,
        base_url: str,
        ws_url: str,
        credentials: KisCredentials,
        account: KisAccount,
        hts_id: str,
        mock: bool,
        pacer: Pacer,
        clock: Callable[[], datetime],
        transport: httpx.BaseTransport | None = None,
        pauses: Sequence[float] = (1.0, 2.0, 5.0, 15.0, 30.0, 60.0),
        silence_seconds: float = 90.0,
        takeover_seconds: float = 180.0,
    ) -> None:
        self._base_url = base_url
        self._ws_url = ws_url if urlsplit(ws_url).path.strip("/") else ws_url.rstrip("/") + "/tryitout"
        self._credentials = credentials
        self._account = account
        self._hts_id = hts_id
        self._mock = mock
        self._pacer = pacer
        self._clock = clock
        self._transport = transport
        self._pauses = tuple(pauses)
        self._silence = silence_seconds
        self._takeover = takeover_seconds
        self._key: tuple[str, datetime] | None = None

    def run(self, wanted: Wanted, emit: Callable[[StreamEvent], None], stop: threading.Event) -> None:
        """See `BrokerStream.run`.

        Raises
        ------
        BrokerDenied
            The keys or the HTS id are refused.
        """
        tried = cut = 0
        in_use_since: float | None = None
        while not stop.is_set():
            began = time.monotonic()
            ending, was_up = self._once(wanted, emit, stop)
            if ending is None:
                return
            calm = was_up and time.monotonic() - began >= _CALM_SECONDS
            emit(StreamEvent(kind=StreamKind.DOWN, at=self._clock(), reason=ending.reason))
            if not ending.in_use:
                in_use_since = None
            elif in_use_since is None:
                in_use_since = time.monotonic()
            elif time.monotonic() - in_use_since >= self._takeover:
                emit(StreamEvent(kind=StreamKind.EVICTED, at=self._clock(), reason=ending.reason))
                return
            cut = cut + 1 if ending.unanswered else 0
            if cut >= _CUT_IN_A_ROW:
                raise BrokerDenied(BrokerName.KIS, "the socket is cut at each log-in. Hint: is the HTS id right?")
            if ending.key_refused:
                self._key = None
            tried = 0 if calm else tried
            stop.wait(self._pauses[min(tried, len(self._pauses) - 1)])
            tried += 1

    def _once(
        self, wanted: Wanted, emit: Callable[[StreamEvent], None], stop: threading.Event
    ) -> tuple[SessionEnded | None, bool]:
        """One connection from its start to its end (None: because of ``stop``), and whether it was up."""
        session: KisSession | None = None
        try:
            key = self._approval()
            with connect(
                self._ws_url,
                open_timeout=_OPEN_SECONDS,
                close_timeout=1.0,
                ping_interval=None,  # KIS has a heartbeat of its own
                max_size=_LARGEST_FRAME,
                proxy=None,
                user_agent_header="stocklab",
            ) as connection:
                session = KisSession(
                    connection,
                    approval_key=key,
                    account=self._account,
                    hts_id=self._hts_id,
                    mock=self._mock,
                    wanted=wanted,
                    emit=emit,
                    clock=self._clock,
                    silence_seconds=self._silence,
                )
                session.run(stop)
        except SessionEnded as ending:
            return ending, session is not None and session.up
        except (BrokerTemporary, OSError, WebSocketException) as error:
            # The words of a library's error may hold addresses with keys in them; its name is enough.
            reason = str(error) if isinstance(error, BrokerTemporary) else f"not connected ({type(error).__name__})"
            return SessionEnded(reason), session is not None and session.up
        return None, True

    def _approval(self) -> str:
        """The key for sockets: one for many connections."""
        now = self._clock()
        if self._key is None or now - self._key[1] > _KEY_LIFE:
            self._pacer.take(f"kis:approval:{self._credentials.digest}")
            wire = Wire(self._base_url, transport=self._transport, clock=time.monotonic)
            try:
                self._key = approval_key(wire, self._credentials), now
            finally:
                wire.close()
        return self._key[0]
