"""What a job of the background process is: a plain function, and what it is given."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from stocklab.db import Database
from stocklab.errors import StockLabError
from stocklab.operations import Schedule
from stocklab.settings import Settings

__all__ = ["Job", "JobContext", "NothingToDo", "Stop", "Work", "stop_event"]

_ASK_SECONDS: Final = 0.2


class NothingToDo(StockLabError):
    """The job has no work in this installation or at this moment; it is noted as skipped, with the reason."""


@dataclass(slots=True)
class Stop:
    """Why work should end early: the process stops, or a person cancelled it."""

    process: threading.Event = field(default_factory=threading.Event)
    person: threading.Event = field(default_factory=threading.Event)

    def __call__(self) -> bool:
        """Whether it should."""
        return self.process.is_set() or self.person.is_set()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobContext:
    """What a job is given.

    Attributes
    ----------
    settings, database
    key : str
        The session or day it runs for, ISO; for an intent the intent's id.
    document : mapping
        What an intent asks; empty for a job of the timetable.
    clock : callable
        The time, timezone-aware. Tests simulate it.
    stop : Stop
        Asked often: a job that is told to stop raises ``Cancelled`` within a few seconds and leaves nothing half done.
    tell : callable
        Told how far it is: a fraction and a few words for a person.
    """

    settings: Settings
    database: Database
    key: str
    document: Mapping[str, Any]
    clock: Callable[[], datetime]
    stop: Stop
    tell: Callable[[float, str], None]


Work = Callable[[JobContext], str]
"""Does a job and returns a line about it. It may be repeated for the same key after a kill, so it repeats without harm.

Raises ``Cancelled`` when it was told to stop, `NothingToDo`, or any error of the tree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job of the timetable and what it does."""

    schedule: Schedule
    work: Work


@contextmanager
def stop_event(stop: Stop) -> Iterator[threading.Event]:
    """``stop`` as an event, so that the waits between two requests end at once."""
    event, over = threading.Event(), threading.Event()

    def watch() -> None:
        while not over.wait(_ASK_SECONDS):
            if stop():
                event.set()
                return

    thread = threading.Thread(target=watch, name="work-stop", daemon=True)
    thread.start()
    try:
        yield event
    finally:
        over.set()
        thread.join()
