"""Timing questions: p50 and p95, and the plans of those that take too long."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from club.questions import Question
from sqlalchemy import event

from stocklab.db import Database

WARM_UP = 5
LONGEST_SECONDS = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long a question took, in milliseconds; ``statements`` as in its last call."""

    name: str
    calls: int
    p50_ms: float
    p95_ms: float
    most_ms: float
    statements: int
    plans: str = ""
    error: str = ""

    @property
    def met(self) -> bool:
        """Whether it was fast enough."""
        return not self.error and self.p95_ms <= self.most_ms


def try_measure(database: Database, question: Question, *, calls: int) -> Timing:
    """As `measure`; a question that cannot be asked does not keep the others from being asked."""
    try:
        return measure(database, question, calls=calls)
    except Exception as error:  # noqa: BLE001 - whatever a service raises is said in its line
        return Timing(
            name=question.name, calls=0, p50_ms=0, p95_ms=0, most_ms=question.most_ms, statements=0, error=repr(error)
        )


def measure(database: Database, question: Question, *, calls: int, seed: int = 7) -> Timing:
    """Ask ``calls`` times, each time for something else."""
    rng = random.Random(seed)
    for _ in range(WARM_UP):
        question.ask(rng)
    seconds: list[float] = []
    until = time.perf_counter() + LONGEST_SECONDS
    while len(seconds) < calls and (time.perf_counter() < until or len(seconds) < 10):
        began = time.perf_counter()
        question.ask(rng)
        seconds.append(time.perf_counter() - began)
    with _recorded(database) as statements:
        question.ask(rng)
    p95 = statistics.quantiles(seconds, n=20)[-1] * 1000
    return Timing(
        name=question.name,
        calls=len(seconds),
        p50_ms=statistics.median(seconds) * 1000,
        p95_ms=p95,
        most_ms=question.most_ms,
        statements=len(statements),
        plans=_plans(database, statements) if p95 > question.most_ms else "",
    )


@contextmanager
def _recorded(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """Statements that read tables, with their parameters."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if "set_config" not in statement:
            seen.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def _plans(database: Database, statements: list[tuple[str, Any]]) -> str:
    explain = "EXPLAIN (ANALYZE, BUFFERS)" if database.backend == "postgresql" else "EXPLAIN QUERY PLAN"
    lines: list[str] = []
    with database.engine.connect() as connection:
        for statement, parameters in statements:
            if not statement.lstrip().upper().startswith(("SELECT", "WITH")):
                continue
            lines.append(" ".join(statement.split())[:600])
            found = connection.exec_driver_sql(f"{explain} {statement}", parameters).all()
            lines += [f"    {row[-1]}" for row in found]
    return "\n".join(lines)
