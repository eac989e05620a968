"""Log files: one series for each process, a new file each day in Seoul, old ones removed."""

from __future__ import annotations

import fcntl
import logging
import os
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final, TextIO
from zoneinfo import ZoneInfo

__all__ = ["DailyFile", "open_daily_file"]

_SEOUL: Final = ZoneInfo("Asia/Seoul")
_MOST_TWINS: Final = 20


class DailyFile(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to ``path``; the file of an earlier day is put aside as ``<name>-<day><suffix>``.

    The day is that of the records, in Seoul. Files put aside more than ``keep_days`` ago are removed. A file that
    cannot be written costs its lines, and never the program.
    """

    def __init__(self, path: Path, lock: int, *, keep_days: int) -> None:
        self.path = path
        self.keep_days = keep_days
        self._lock_descriptor = lock
        self._day = self._day_of_file()
        super().__init__(self._open())

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, into a new file where it is the first of its day."""
        day = datetime.fromtimestamp(record.created, _SEOUL).date()
        if day > self._day:
            try:
                self._turn(day)
            except OSError:
                self.handleError(record)
        if self.stream.closed:  # it could not be opened; perhaps it can now
            try:
                self.stream = self._open()
            except OSError:
                self.handleError(record)
                return
        super().emit(record)

    def close(self) -> None:
        """Close the file and leave its name to another process."""
        self.acquire()
        try:
            if not self.stream.closed:
                self.stream.close()
                os.close(self._lock_descriptor)
        finally:
            self.release()
        super().close()

    def _open(self) -> TextIO:
        return self.path.open("a", encoding="utf-8", errors="backslashreplace")

    def _day_of_file(self) -> date:
        """The day of what the file holds already."""
        try:
            return datetime.fromtimestamp(self.path.stat().st_mtime, _SEOUL).date()
        except FileNotFoundError:
            return datetime.now(_SEOUL).date()

    def _turn(self, day: date) -> None:
        ended, self._day = self._day, day
        self.stream.close()
        try:
            if self.path.exists():
                self.path.rename(self.path.with_name(f"{self.path.stem}-{ended}{self.path.suffix}"))
            self._remove_old(day)
        finally:
            self.stream = self._open()

    def _remove_old(self, today: date) -> None:
        aside = re.compile(re.escape(self.path.stem) + r"-(\d{4}-\d{2}-\d{2})" + re.escape(self.path.suffix))
        for file in self.path.parent.iterdir():
            found = aside.fullmatch(file.name)
            if found is not None and date.fromisoformat(found[1]) < today - timedelta(days=self.keep_days):
                file.unlink(missing_ok=True)


def open_daily_file(path: Path, process: str, *, keep_days: int) -> DailyFile:
    """The log file of a process: ``logs/stocklab.log`` and "ui" make ``logs/stocklab-ui.log``.

    While another process of the same name writes there, the file is ``stocklab-ui-2.log`` and so on: two processes
    never share one.

    Raises
    ------
    OSError
        The folder cannot be made or written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    suffix = path.suffix or ".log"
    for twin in range(1, _MOST_TWINS + 1):
        name = f"{path.stem}-{process}{'' if twin == 1 else f'-{twin}'}"
        lock = os.open(path.with_name(f".{name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        return DailyFile(path.with_name(f"{name}{suffix}"), lock, keep_days=keep_days)
    raise OSError(f"{_MOST_TWINS} processes named {process} write logs beside {path}")
