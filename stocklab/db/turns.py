"""Turns of a process's sessions: first come, first served."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Turns"]


class Turns:
    """So many holders at a time as there are ``places``; those who wait get one in the order they came.

    SQLite lets a waiting writer sleep and try again, up to 100 ms later, and whoever tries first wins; from a pool of
    connections whoever comes just then takes the one that was given back. Among fifty some would wait until they are
    told that the database is locked, or busy.
    """

    def __init__(self, places: int = 1) -> None:
        self._guard = threading.Lock()
        self._free = places
        self._waiting: deque[threading.Event] = deque()

    @contextmanager
    def take(self, timeout_seconds: float) -> Iterator[bool]:
        """Hold a place for the block; False, and nothing is held, when it did not come in time."""
        taken = self._wait(timeout_seconds)
        try:
            yield taken
        finally:
            if taken:
                self._pass_on()

    def _wait(self, timeout_seconds: float) -> bool:
        with self._guard:
            if self._free:
                self._free -= 1
                return True
            mine = threading.Event()
            self._waiting.append(mine)
        if mine.wait(timeout_seconds):
            return True
        with self._guard:
            if mine.is_set():  # it came between the end of the wait and here
                return True
            self._waiting.remove(mine)
            return False

    def _pass_on(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1
