"""What this process has seen since it started: open sessions and sockets, newcomers turned away, faults of pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Lock
from typing import Final

__all__ = ["COUNTS", "PAGE_FAULTS", "ProcessCounts"]

PAGE_FAULTS: Final = ("expected", "program")
"""Kinds of page errors: what a page says in its own words, and faults of the program."""


class ProcessCounts:
    """Counters of one process; safe to share between threads."""

    def __init__(self) -> None:
        self.started_at = datetime.now(UTC)
        self._lock = Lock()
        self._sockets: Counter[str] = Counter()
        self._page_errors: Counter[str] = Counter(dict.fromkeys(PAGE_FAULTS, 0))
        self._browser_errors = 0
        self._turned_away = 0

    @contextmanager
    def socket(self, group: str) -> Iterator[None]:
        """Count a WebSocket while it is open; one of group "socket" is a browser session."""
        with self._lock:
            self._sockets[group] += 1
        try:
            yield
        finally:
            with self._lock:
                self._sockets[group] -= 1

    @property
    def sessions(self) -> int:
        """Open browser sessions."""
        return self._sockets["socket"]

    def sockets(self) -> Mapping[str, int]:
        """Open WebSockets by group."""
        with self._lock:
            return {"socket": 0, **self._sockets}

    def page_error(self, kind: str) -> None:
        """A page ended in an error of one of `PAGE_FAULTS`."""
        with self._lock:
            self._page_errors[kind] += 1

    def page_errors(self) -> Mapping[str, int]:
        """Page errors by kind."""
        with self._lock:
            return dict(self._page_errors)

    def browser_error(self) -> None:
        """A browser reported an error of the front end."""
        with self._lock:
            self._browser_errors += 1

    @property
    def browser_errors(self) -> int:
        """Errors that browsers reported."""
        return self._browser_errors

    def turned_away(self) -> None:
        """A newcomer got the busy page."""
        with self._lock:
            self._turned_away += 1

    @property
    def newcomers_turned_away(self) -> int:
        """Newcomers who got the busy page, or whose session was refused."""
        return self._turned_away


COUNTS: Final = ProcessCounts()
"""Those of this process."""
