"""The thread of one account: it opens the desk, lets it work in rounds, and opens it anew when something broke."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import structlog

from stocklab.brokers.protocol import BrokerStream, StreamEvent, StreamKind
from stocklab.errors import BrokerDenied, StockLabError
from stocklab.live.accounts import BrokerAccounts, LinkedAccount, NotLinked
from stocklab.live.connections import Connection
from stocklab.live.desk import Desk, DeskParts

__all__ = ["AccountThread", "Pace"]

log = structlog.get_logger(__name__)

Open = Callable[[LinkedAccount], Connection]
"""Opens an account with its keys."""

_STREAM_PAUSES: Final = (1.0, 5.0, 15.0, 60.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds between two rounds. ``peek``: how often the database is asked whether somebody wants something."""

    busy: float = 5.0
    calm: float = 60.0
    denied: float = 300.0
    peek: float = 1.0
    broken: float = 5.0


@dataclass(kw_only=True, eq=False)
class AccountThread:
    """Works until it is told to stop, or its account is not to be open any more."""

    account: LinkedAccount
    accounts: BrokerAccounts
    opened: Open
    parts: DeskParts
    stopping: threading.Event
    pace: Pace = field(default_factory=Pace)
    wake: threading.Event = field(default_factory=threading.Event)
    desk: Desk | None = None
    _ending: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _stream: threading.Thread | None = None
    _stream_stop: threading.Event = field(default_factory=threading.Event)
    _as_of: datetime | None = None
    _stream_broke: int = 0

    def start(self) -> None:
        """Begin; the thread does not keep the process alive."""
        self._thread = threading.Thread(target=self._run, name=f"account-{self.account.id}", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it works."""
        return self._thread is not None and self._thread.is_alive()

    def end(self) -> None:
        """Stop after the round it is in."""
        self._ending.set()
        self._stream_stop.set()
        self.wake.set()

    def join(self, seconds: float) -> bool:
        """Wait for the end; True when it came."""
        if self._thread is None:
            return True
        self._thread.join(max(0.0, seconds))
        return not self._thread.is_alive()

    def _run(self) -> None:
        broken = 0
        while not self._over():
            try:
                self._round()
                broken = 0
            except NotLinked:
                break
            except StockLabError as error:  # the database is away, another process wrote, keys that cannot be opened
                log.warning("account_waits", account=self.account.id, error=type(error).__name__, message=str(error))
                self._let_go()
                broken += 1
            except Exception:  # the next desk goes on from the journal
                log.exception("account_broke", account=self.account.id)
                self._let_go()
                broken += 1
            self._wait(self._pause() if not broken else min(self.pace.broken * 2 ** (broken - 1), self.pace.calm))
        self._let_go()

    def _over(self) -> bool:
        return self.stopping.is_set() or self._ending.is_set()

    def _round(self) -> None:
        desk = self._desk()
        desk.cycle()
        self._listen(desk)

    def _desk(self) -> Desk:
        """The desk, opened anew when the keys were changed; with the account as it is now."""
        account = self.accounts.get(self.account.owner_id, self.account.id)
        if self.desk is None:
            self.desk = Desk(account, self.opened(account), self.parts)
            self._as_of = account.keys_changed_at
        elif account.keys_changed_at != self._as_of:
            self._let_go()
            return self._desk()
        self.account = self.desk.account = account
        return self.desk

    def _pause(self) -> float:
        desk = self.desk
        if desk is None:
            return self.pace.calm
        if desk.health.denied:
            return self.pace.denied
        live = any(not one.order.state.final for one in desk.orders)
        return self.pace.busy if live or desk.is_open(self.parts.clock()) else self.pace.calm

    def _wait(self, seconds: float) -> None:
        """Until the next round is due, a socket says that something happened, or somebody wants something."""
        seen = self._pulse()
        waited = 0.0
        while waited < seconds and not self._over():
            if self.wake.wait(min(self.pace.peek, seconds - waited)):
                break
            waited += self.pace.peek
            if self._pulse() != seen:
                break
        self.wake.clear()

    def _pulse(self) -> tuple[int, ...] | None:
        if self.desk is None:
            return None
        try:
            return self.desk.journal.pulse(self.parts.clock())
        except StockLabError:
            return None

    def _listen(self, desk: Desk) -> None:
        """Have the socket run while orders can be filled."""
        stream = desk.connection.stream
        if stream is None or not desk.is_open(self.parts.clock()):
            self._stream_stop.set()
            return
        if self._stream is not None and self._stream.is_alive():
            return
        self._stream_stop = threading.Event()
        pause = _STREAM_PAUSES[min(self._stream_broke, len(_STREAM_PAUSES) - 1)]
        self._stream = threading.Thread(
            target=self._follow,
            args=(desk, stream, self._stream_stop, pause if self._stream_broke else 0.0),
            name=f"stream-{self.account.id}",
            daemon=True,
        )
        self._stream.start()

    def _follow(self, desk: Desk, stream: BrokerStream, stop: threading.Event, pause: float) -> None:
        if stop.wait(pause):
            return

        def emit(event: StreamEvent) -> None:
            desk.health.stream(event)
            if event.kind is StreamKind.QUOTE and event.quote is not None:
                desk.board.put(event.quote)
                return
            if event.kind is StreamKind.UP:
                self._stream_broke = 0
            if event.kind is not StreamKind.DOWN:
                self.wake.set()

        try:
            stream.run(lambda: desk.board.wanted, emit, stop)
        except BrokerDenied as error:
            log.warning("stream_denied", account=self.account.id, message=str(error))
        except Exception:
            log.exception("stream_broke", account=self.account.id)
        self._stream_broke += 1

    def _let_go(self) -> None:
        self._stream_stop.set()
        if self.desk is not None:
            self.desk.broker.close()
        self.desk = None
