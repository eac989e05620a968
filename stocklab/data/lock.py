"""One writer on the market store: a file lock that dies with its process."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stocklab.errors import StoreError

__all__ = ["WriterLock"]

_POLL_SECONDS = 0.05


class WriterLock:
    """Exclusive right to write below one market directory, between processes and between threads.

    The kernel drops the lock when its holder dies, so nothing is left to clean up after a kill. The file's text only
    says who holds it. A thread that holds the lock may take it again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.RLock()
        self._depth = 0

    @contextmanager
    def hold(self, purpose: str, *, wait_seconds: float = 0.0) -> Iterator[None]:
        """Hold the lock for the block, waiting up to ``wait_seconds`` for another holder.

        Raises
        ------
        StoreError
            Somebody else holds it; the message names the process.
        """
        if not self._threads.acquire(timeout=wait_seconds if wait_seconds > 0 else 0.001):
            raise self._refusal(purpose)
        try:
            if self._depth:
                self._depth += 1
                try:
                    yield
                finally:
                    self._depth -= 1
                return
            descriptor = self._take(purpose, time.monotonic() + wait_seconds)
            self._depth = 1
            try:
                yield
            finally:
                self._depth = 0
                os.ftruncate(descriptor, 0)
                os.close(descriptor)
        finally:
            self._threads.release()

    def holder(self) -> str:
        """What the present holder wrote about itself, "" if nobody did."""
        try:
            return self._path.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""

    def _take(self, purpose: str, deadline: float) -> int:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    os.close(descriptor)
                    raise self._refusal(purpose) from None
                time.sleep(_POLL_SECONDS)
            else:
                os.ftruncate(descriptor, 0)
                with contextlib.suppress(OSError):  # a full disk: the lock holds, only who holds it is not told
                    os.pwrite(descriptor, f"process {os.getpid()} ({purpose})\n".encode(), 0)
                return descriptor

    def _refusal(self, purpose: str) -> StoreError:
        holder = self.holder() or "another process"
        return StoreError(f"Cannot {purpose}: the market store is being written by {holder}. Hint: try again later.")
