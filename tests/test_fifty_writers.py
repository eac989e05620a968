"""Fifty people who write at once, through the services: nothing is lost, nobody is told that the database is locked.

Two seconds; ``STOCKLAB_WRITERS_SECONDS=60`` for the long run, with ``-s`` for its figures, and with more processes.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from subprocess import PIPE
from typing import Any

import busy_writers
import pytest
from busy_writers import WRITERS, Writer, check, settle, write_all

from stocklab.db import Database

SECONDS = float(os.environ.get("STOCKLAB_WRITERS_SECONDS", "2"))
IS_LONG = SECONDS > 10
PROCESSES = 5 if IS_LONG else 2
KINDS = ["sqlite", *([pytest.param("postgresql", marks=pytest.mark.postgres)] if IS_LONG else [])]


@pytest.fixture
def home(database: Database, tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    settle(database, home)
    return home


def judge(database: Database, reports: list[dict[str, Any]], how: str) -> None:
    """Nobody met an error, everybody was served, and the database holds what was said to be done."""
    done: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    for report in reports:
        assert report["errors"] == []
        assert sum(report["tried"].values()) > 0
        done.update(report["done"])
        tried.update(report["tried"])
    seconds = [each for report in reports for each in report["seconds"]]
    p95 = statistics.quantiles(seconds, n=20)[-1]
    print(
        f"\n{database.backend}, {how}: {len(seconds):,} writes in {SECONDS:.0f} s, "
        f"p50 {statistics.median(seconds):.3f} s, p95 {p95:.3f} s, slowest {max(seconds):.2f} s"
    )
    check(database, done, tried)


def test_fifty_people_lose_nothing(database: Database, home: Path) -> None:
    writers = [Writer(database, home, number) for number in range(WRITERS)]
    judge(database, write_all(writers, time.time() + SECONDS), f"{WRITERS} threads")


@pytest.mark.parametrize("empty_url", KINDS, indirect=True)
def test_nor_do_they_in_several_processes(database: Database, empty_url: str, home: Path) -> None:
    each = WRITERS // PROCESSES
    command = [sys.executable, busy_writers.__file__, empty_url, str(home)]
    with ExitStack() as stack:
        running = [
            stack.enter_context(
                subprocess.Popen(
                    [*command, str(first), str(first + each)], stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True
                )
            )
            for first in range(0, WRITERS, each)
        ]
        for process in running:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        until = f"{time.time() + SECONDS}\n"
        for process in running:
            assert process.stdin is not None
            process.stdin.write(until)
            process.stdin.flush()
        reports: list[dict[str, Any]] = []
        for process in running:
            out, errors = process.communicate(timeout=SECONDS + 120)
            assert process.returncode == 0, errors
            reports += json.loads(out)
    judge(database, reports, f"{PROCESSES} processes of {each} threads")
