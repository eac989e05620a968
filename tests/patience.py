"""A bound that only runaway work can meet."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["promptly", "wait_for"]

_PATIENCE_SECONDS: Final = 10.0


@contextmanager
def promptly() -> Iterator[None]:
    """Fail when the block kept this thread's processor busy for ten seconds.

    A text whose cost explodes takes minutes or all memory; an honest answer takes milliseconds, and on a loaded machine
    with coverage and a collection of garbage in between perhaps one second. How fast it is, is not judged here.
    """
    started = time.thread_time()
    yield
    assert time.thread_time() - started < _PATIENCE_SECONDS


def wait_for(holds: Callable[[], object], seconds: float = 30.0) -> None:
    """Fail when something has not come true after half a minute."""
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends, "it did not come true"
        time.sleep(0.02)
