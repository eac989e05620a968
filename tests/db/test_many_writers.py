"""Fifty writers at once: nothing lost, counters exact, and nobody is told that the database is locked.

Two seconds; ``STOCKLAB_WRITERS_SECONDS=60`` for the long run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from stocklab.db import Database, OwnerRow, PostRow, UniverseRow, as_system, open_database
from stocklab.operations import AuditLog, RateLimits

SECONDS = float(os.environ.get("STOCKLAB_WRITERS_SECONDS", "2"))
WRITERS = 50
PROCESSES = 4
LONG = timedelta(days=3650)


@pytest.fixture
def club(database: Database) -> Database:
    with database.write() as session:
        session.add_all(OwnerRow(id=f"w{number}", name="0") for number in range(WRITERS))
        session.flush()
        session.add(PostRow(id="p", owner_id="w0", category="free", title="t", body="b"))
    return database


class Writer(threading.Thread):
    """Writes as a user until it is told to stop, and counts what was committed."""

    def __init__(self, database: Database, number: int, until: float) -> None:
        super().__init__()
        self.database, self.owner, self.until = database, f"w{number}", until
        self.audit, self.limits = AuditLog(database), RateLimits(database)
        self.done: Counter[str] = Counter()
        self.errors: list[BaseException] = []
        self.slowest = 0.0

    def run(self) -> None:
        """Take turns between the four kinds of writing."""
        works = (self._row, self._like, self._limit, self._log)
        try:
            while time.monotonic() < self.until:
                work = works[sum(self.done.values()) % len(works)]
                began = time.monotonic()
                work()
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.done[work.__name__] += 1
        except BaseException as error:
            self.errors.append(error)

    def _row(self) -> None:
        number = self.done["_row"]
        with self.database.write(self.owner) as session:
            session.add(
                UniverseRow(id=f"{self.owner}-{number}", owner_id=self.owner, name=f"{number}", document={"n": number})
            )

    def _like(self) -> None:
        with self.database.write(self.owner) as session, as_system(session):
            session.execute(update(PostRow).where(PostRow.id == "p").values(likes=PostRow.likes + 1))
            row = session.get_one(OwnerRow, "w1", with_for_update=True)  # read, then written
            row.name = str(int(row.name) + 1)

    def _limit(self) -> None:
        assert self.limits.spend("all", most=10**9, per=LONG).allowed

    def _log(self) -> None:
        self.audit.write("like", actor_id=self.owner)


def test_fifty_writers_lose_nothing(club: Database) -> None:
    until = time.monotonic() + SECONDS
    writers = [Writer(club, number, until) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [error for writer in writers for error in writer.errors] == []
    done: Counter[str] = Counter()
    for writer in writers:
        done += writer.done
    print(f"\n{club.backend}: {sum(done.values())} writes, slowest {max(w.slowest for w in writers):.2f} s")
    assert all(writer.done["_row"] for writer in writers)  # nobody was left waiting
    with club.read() as session:
        assert session.get_one(PostRow, "p").likes == done["_like"]
        assert session.get_one(OwnerRow, "w1").name == str(done["_like"])
        assert session.scalar(select(func.count()).select_from(UniverseRow)) == done["_row"]
        counts = dict(session.execute(select(UniverseRow.owner_id, func.count()).group_by(UniverseRow.owner_id)).all())
    assert counts == {writer.owner: writer.done["_row"] for writer in writers}
    report = AuditLog(club).verify()
    assert (report.rows, report.broken) == (done["_log"], None)
    assert RateLimits(club).used("all", per=LONG) == done["_limit"]


_PROCESS = """
import sys, time
from sqlalchemy import update
from stocklab.db import OwnerRow, PostRow, open_database
database, until, done = open_database(sys.argv[1]), time.monotonic() + float(sys.argv[2]), 0
while time.monotonic() < until:
    with database.write() as session:
        row = session.get_one(OwnerRow, "w1", with_for_update=True)
        row.name = str(int(row.name) + 1)
        session.execute(update(PostRow).values(views=PostRow.views + 1))
    done += 1
print(done)
"""


def test_processes_lose_nothing_either(club: Database, empty_url: str) -> None:
    command = [sys.executable, "-c", _PROCESS, empty_url, str(SECONDS)]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(PROCESSES)
    ]
    done = 0
    for process in running:
        out, errors = process.communicate(timeout=SECONDS + 60)
        assert process.returncode == 0, errors
        assert int(out) > 0
        done += int(out)
    fresh = open_database(empty_url)
    with fresh.read() as session:
        assert session.get_one(OwnerRow, "w1").name == str(done)
        assert session.get_one(PostRow, "p").views == done
    fresh.close()
