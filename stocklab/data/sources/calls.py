"""How many requests each source got today, and until when one must be left alone: the part that outlives a process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from stocklab.errors import SourceBlocked, SourceExhausted

__all__ = ["KST", "CallLedger", "MemoryCalls", "midnight_after", "now_kst"]

KST = ZoneInfo("Asia/Seoul")


def now_kst() -> datetime:
    """The time in Seoul."""
    return datetime.now(KST)


def midnight_after(now: datetime) -> datetime:
    """When the next day begins in Seoul, and with it a new quota."""
    return datetime.combine(now.astimezone(KST).date() + timedelta(days=1), time(0), tzinfo=KST)


class CallLedger(Protocol):
    """Counts requests and keeps breakers. Every method is safe from several threads."""

    def take(self, source: str, *, budget: int | None) -> None:
        """Count one request before it is sent, so that a kill never makes it free. Days begin at midnight in Seoul.

        Raises
        ------
        SourceExhausted
            The day's budget is spent; nothing was counted.
        SourceBlocked
            The breaker is open.
        """
        ...

    def block(self, source: str, *, until: datetime, reason: str) -> None:
        """Open the breaker: nobody asks this source before ``until``."""
        ...

    def note(self, source: str, *, ok: bool, message: str = "") -> None:
        """Remember how the last question ended, for the health page."""
        ...

    def taken(self, source: str) -> int:
        """Requests counted today."""
        ...


@dataclass(slots=True)
class _State:
    day: date
    calls: int = 0
    blocked_until: datetime | None = None
    reason: str = ""


@dataclass(slots=True)
class MemoryCalls:
    """A ledger of one process, for single questions and tests."""

    clock: Callable[[], datetime] = now_kst
    _states: dict[str, _State] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, source: str, *, budget: int | None) -> None:
        """See `CallLedger.take`."""
        with self._lock:
            state = self._state(source)
            if state.blocked_until is not None and self.clock() < state.blocked_until:
                raise SourceBlocked(source, until=state.blocked_until, reason=state.reason)
            if budget is not None and state.calls >= budget:
                raise SourceExhausted(source, budget=budget)
            state.calls += 1

    def block(self, source: str, *, until: datetime, reason: str) -> None:
        """See `CallLedger.block`."""
        with self._lock:
            state = self._state(source)
            state.blocked_until, state.reason = until, reason

    def note(self, source: str, *, ok: bool, message: str = "") -> None:
        """Nothing to keep: the process ends."""

    def taken(self, source: str) -> int:
        """See `CallLedger.taken`."""
        with self._lock:
            return self._state(source).calls

    def _state(self, source: str) -> _State:
        today = self.clock().astimezone(KST).date()
        state = self._states.setdefault(source, _State(day=today))
        if state.day != today:
            state.day, state.calls = today, 0
        return state
