"""Sweeps on disk: one SQLite file that a kill at any instant leaves whole, figures keyed by run id.

A variant that any sweep of the home has computed is never computed again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import stocklab
from stocklab.backtest import ENGINE_VERSION
from stocklab.backtest.code_stamp import code_stamp
from stocklab.errors import InputError, ResultNotFound
from stocklab.market.panel import Panel
from stocklab.research.draws import Combination
from stocklab.research.variants import Skipped, Variant
from stocklab.strategy.sweep import Sweep, document_hash, parse_sweep

__all__ = ["Figures", "Row", "StoredSweep", "SweepStore", "sweep_id"]

Figures = Mapping[str, Any]
"""The single figures of a run: `build_metrics` without its tables."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS sweeps (
    id TEXT PRIMARY KEY, document TEXT NOT NULL, facts TEXT NOT NULL, created_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS combinations (
    sweep_id TEXT NOT NULL, number INTEGER NOT NULL, chosen TEXT NOT NULL, run_id TEXT, code TEXT NOT NULL,
    reason TEXT NOT NULL, PRIMARY KEY (sweep_id, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS figures (run_id TEXT PRIMARY KEY, metrics TEXT NOT NULL) WITHOUT ROWID;
"""
_PARTS: Final = 500
"""Ids asked for in one statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A combination of a stored sweep. ``figures`` None: skipped (``code`` and ``reason`` say why) or not yet run."""

    number: int
    values: Combination
    run_id: str | None
    code: str
    reason: str
    figures: Figures | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSweep:
    """A sweep as asked for. ``facts``: price basis, snapshot, whether the market is synthetic."""

    id: str
    sweep: Sweep
    facts: Mapping[str, Any]
    created_at: str


def sweep_id(panel: Panel, sweep: Sweep) -> str:
    """Content hash of a sweep's inputs: document, panel, code version; 40 hex digits."""
    parts = [document_hash(sweep), panel.key, stocklab.__version__, str(ENGINE_VERSION), code_stamp()]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:40]


class SweepStore:
    """Sweeps under ``home/sweeps``; may be used from several threads and processes."""

    def __init__(self, home: Path) -> None:
        self.root = Path(home) / "sweeps"

    def begin(self, identity: str, sweep: Sweep, panel: Panel, found: Sequence[Variant | Skipped]) -> None:
        """Keep a sweep and its combinations; what is there already stays."""
        facts = {"basis": panel.basis.value, "snapshot_id": panel.snapshot_id, "synthetic": panel.synthetic}
        document = json.dumps(sweep.model_dump(mode="json"), ensure_ascii=False)
        rows = [
            (
                identity,
                item.number,
                json.dumps(item.values),
                item.run_id if isinstance(item, Variant) else None,
                "" if isinstance(item, Variant) else item.code,
                "" if isinstance(item, Variant) else item.reason,
            )
            for item in found
        ]
        with self._write() as database:
            database.execute(
                "INSERT OR IGNORE INTO sweeps VALUES (?, ?, ?, ?)",
                (identity, document, json.dumps(facts), datetime.now(UTC).isoformat(timespec="seconds")),
            )
            database.executemany("INSERT OR IGNORE INTO combinations VALUES (?, ?, ?, ?, ?, ?)", rows)

    def known(self, run_ids: Sequence[str]) -> frozenset[str]:
        """Those of the run ids whose figures are stored."""
        return frozenset(self._figures(run_ids))

    def add(self, identity: str, figures: Mapping[str, Figures], skipped: Sequence[Skipped]) -> None:
        """Keep the figures of runs, and what turned out not to run, in one transaction."""
        with self._write() as database:
            database.executemany(
                "INSERT OR IGNORE INTO figures VALUES (?, ?)",
                [(run_id, json.dumps(values)) for run_id, values in figures.items()],
            )
            database.executemany(
                "UPDATE combinations SET run_id = NULL, code = ?, reason = ? WHERE sweep_id = ? AND number = ?",
                [(item.code, item.reason, identity, item.number) for item in skipped],
            )

    def load(self, identity: str) -> StoredSweep:
        """A sweep by its id.

        Raises
        ------
        ResultNotFound
            None of that id is stored.
        """
        with self._read() as database:
            row = database.execute("SELECT * FROM sweeps WHERE id = ?", (identity,)).fetchone()
        if row is None:
            raise ResultNotFound(identity)
        return _stored(row)

    def recent(self, limit: int = 50) -> list[StoredSweep]:
        """The sweeps of this home, newest first."""
        with self._read() as database:
            rows = database.execute("SELECT * FROM sweeps ORDER BY created_at DESC, id LIMIT ?", (limit,)).fetchall()
        return [_stored(row) for row in rows]

    def settled(self, identity: str) -> int:
        """Combinations of a sweep that have figures or were skipped; it only grows."""
        with self._read() as database:
            (count,) = database.execute(
                "SELECT COUNT(*) FROM combinations c LEFT JOIN figures f ON f.run_id = c.run_id "
                "WHERE c.sweep_id = ? AND (c.code != '' OR f.run_id IS NOT NULL)",
                (identity,),
            ).fetchone()
        return int(count)

    def rows(self, identity: str) -> list[Row]:
        """Every combination of a sweep in order, with the figures that are there."""
        with self._read() as database:
            found = database.execute(
                "SELECT c.number, c.chosen, c.run_id, c.code, c.reason, f.metrics FROM combinations c "
                "LEFT JOIN figures f ON f.run_id = c.run_id WHERE c.sweep_id = ? ORDER BY c.number",
                (identity,),
            ).fetchall()
        return [
            Row(
                number=number,
                values=tuple(json.loads(chosen)),
                run_id=run_id,
                code=code,
                reason=reason,
                figures=None if metrics is None else json.loads(metrics),
            )
            for number, chosen, run_id, code, reason, metrics in found
        ]

    def delete(self, identity: str) -> None:
        """Forget a sweep, and the figures no other sweep holds; the count of what was tried stays.

        Raises
        ------
        ResultNotFound
            None of that id is stored.
        InputError
            It is running.
        """
        with self.turn(identity), self._write() as database:
            if not database.execute("DELETE FROM sweeps WHERE id = ?", (identity,)).rowcount:
                raise ResultNotFound(identity)
            database.execute("DELETE FROM combinations WHERE sweep_id = ?", (identity,))
            database.execute(
                "DELETE FROM figures WHERE run_id NOT IN (SELECT run_id FROM combinations WHERE run_id IS NOT NULL)"
            )
        (self.root / f"{identity[:40]}.lock").unlink(missing_ok=True)

    def shrink(self, most_bytes: int) -> int:
        """Delete the oldest sweeps until the rest fits, running ones and the newest excepted; how many went."""
        removed = 0
        for old in reversed(self.recent(10**6)[1:]):
            if self._used_bytes() <= most_bytes:
                break
            try:
                self.delete(old.id)
            except (InputError, ResultNotFound):
                continue  # it is running, or somebody else deleted it
            removed += 1
        if removed:
            with self._read() as database:
                database.execute("VACUUM")
        return removed

    def _used_bytes(self) -> int:
        """Of the file, without pages that are free to be used again."""
        with self._read() as database:
            size, pages, free = (
                int(database.execute(f"PRAGMA {name}").fetchone()[0])
                for name in ("page_size", "page_count", "freelist_count")
            )
        return size * (pages - free)

    @contextmanager
    def turn(self, identity: str) -> Iterator[None]:
        """Hold a sweep, so that no second process computes the same variants; a kill lets it go.

        Raises
        ------
        InputError
            Another process holds it.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / f"{identity[:40]}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InputError("This very sweep is running already. Hint: wait for it, or cancel it.") from error
            yield

    def _figures(self, run_ids: Sequence[str]) -> list[str]:
        found: list[str] = []
        with self._read() as database:
            for begin in range(0, len(run_ids), _PARTS):
                part = run_ids[begin : begin + _PARTS]
                marks = ",".join("?" * len(part))
                found += [
                    row[0] for row in database.execute(f"SELECT run_id FROM figures WHERE run_id IN ({marks})", part)
                ]
        return found

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        database = self._open()
        try:
            yield database
        finally:
            database.close()

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        database = self._open()
        try:
            database.execute("BEGIN IMMEDIATE")
            yield database
            database.execute("COMMIT")
        finally:
            database.close()  # a transaction that is not committed is undone

    def _open(self) -> sqlite3.Connection:
        self.root.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self.root / "sweeps.db", timeout=30, isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.executescript(_SCHEMA)
        return database


def _stored(row: tuple[str, str, str, str]) -> StoredSweep:
    identity, document, facts, created_at = row
    return StoredSweep(id=identity, sweep=parse_sweep(document), facts=json.loads(facts), created_at=created_at)
