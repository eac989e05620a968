"""Ben calls every service with ids of Ada's rows: he sees nothing private of hers, and she finds all as it was."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from filled_tables import fill, rows_of, tables_of
from isolation_services import STRATEGY, VALUES, make, services, takes_a_session
from sqlalchemy import Table, event, update

from stocklab.accounts import hash_password
from stocklab.alerts import DayFacts, compose
from stocklab.db import Base, Database, UniverseRow
from stocklab.db.row_security import covered_tables
from stocklab.errors import StockLabError

ADA, BEN = "ada", "ben"
COUNTERS = {"likes", "views", "comments", "clones", "last_seen_at", "last_used_at"}
WITHOUT_OWNER: dict[str, str] = {
    "operations.Intents.ask": "the queue is everybody's: how many wait is counted over all",
    "portfolios.Access.let_go": "what somebody else holds too is not removed",
    "portfolios.JobTable.add": "the queue is everybody's",
    "live.Reports.facts": "for the background process; decisions of accounts that were read by their owner",
}
"""Services that read private tables without their owner, by intent, and why."""
NOT_THIS_WAY: dict[str, str] = {
    "portfolios.Lab.count_tried": "it needs a stored sweep, which is nobody's; tests/portfolios/test_lab.py",
    "portfolios.Runs.record": "it adds the result of a run; tests/portfolios/test_runs.py",
}
"""Services that cannot be called with made-up values, and where they are tested instead."""


@pytest.fixture
def club(database: Database) -> Database:
    """Every table has a row of Ada's and one of Ben's; documents are valid."""
    with database.engine.begin() as connection:
        fill(connection, leave_out={"audit_log"}, names=(ADA, BEN))
    documents = {
        "strategies": {"document": STRATEGY.model_dump(mode="json")},
        "strategy_versions": {"document": STRATEGY.model_dump(mode="json")},
        "universes": {"document": STRATEGY.universe.model_dump(mode="json")},
        "jobs": {"kind": "backtest", "order_document": VALUES["order"].to_json(), "progress": None},
        "users": {"password_hash": hash_password("not the word that is tried")},
        "runs": {"price_basis": "raw", "metrics": {"total_return": 0.1}},
        "feedback": {"kind": "wish", "state": "open"},
        "notices": {"level": "info"},
        "api_tokens": {"scopes": []},
        "alert_channels": {"kind": "webhook", "language": "en"},
        "alert_rules": {"kind": "price", "condition": {"sense": "above", "limit": 1.0}, "channels": {}},
        "alert_events": {"kind": "fill", "severity": "info"},
        "alert_deliveries": {"kind": "test", "state": "waiting"},
        "traders": {"document": STRATEGY.model_dump(mode="json"), "settings": {}, "state": "draft", "stop_way": ""},
        "decisions": {"document": {}, "approval": "waiting"},
        "daily_notes": {"document": compose(DayFacts(session=date(2026, 11, 20), is_session=True)).to_json()},
    }
    with database.engine.begin() as connection:
        for name, values in documents.items():
            connection.execute(update(Base.metadata.tables[name]).values(**values))
    return database


def of_ada(database: Database, tables: Iterable[Table]) -> dict[str, list[dict[str, Any]]]:
    """Ada's rows of every table, but for what others may count on them."""
    with database.engine.connect() as connection:
        found = rows_of(connection, tables)
    return {
        name: [
            {column: value for column, value in row.items() if column not in COUNTERS}
            for row in rows
            if ADA in (row.get("owner_id"), row.get("user_id"))
            or (name in ("owners", "users", "post_tags") and ADA in (row.get("id"), row.get("post_id")))
        ]
        for name, rows in found.items()
    }


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """SQL that this thread sends within the block; a job that starts meanwhile has a thread of its own."""
    seen: list[str] = []
    here = threading.get_ident()

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if threading.get_ident() == here:
            seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def without_owner(statement: str) -> list[str]:
    """Private tables that a statement reads or changes without naming their owner."""
    if statement.lstrip().upper().startswith("INSERT"):
        return []
    named = {name for name in covered_tables().private if re.search(rf"(FROM|JOIN|UPDATE) {name}\b", statement)}
    return sorted(name for name in named if not re.search(r"\b(\w+\.)?owner_id (=|IN) ", statement))


def test_nobody_sees_or_changes_what_is_somebody_elses(club: Database, tmp_path: Path) -> None:
    private = sorted(covered_tables().private)
    with club.engine.connect() as connection:
        tables = tables_of(connection)
    before = of_ada(club, tables)
    faults: list[str] = []
    called = 0
    for service in services():
        if service.name in NOT_THIS_WAY or takes_a_session(service):
            continue
        with statements(club) as seen:
            try:
                found: object = service.call(make(service.cls, club, tmp_path), BEN, ADA)
            except StockLabError as error:
                found = str(error)
            except Exception as error:
                found = ""
                faults.append(f"{service.name} breaks: {error!r}"[:300])
        called += 1
        faults += [f"{service.name} shows {name}" for name in private if f"{ADA}:{name}" in repr(found)]
        if any(not sql.lstrip().upper().startswith("SELECT") for sql in seen):  # else nothing can have changed
            after = of_ada(club, tables)
            faults += [f"{service.name} changes {name}" for name in before if before[name] != after.get(name)]
            before = after
        if service.name not in WITHOUT_OWNER:
            faults += [
                f"{service.name} reads {name} of all: {' '.join(sql.split())[:200]}"
                for sql in seen
                for name in without_owner(sql)
            ]
    assert not faults, "\n".join(faults)
    assert called >= 40


def test_the_owner_gets_what_the_other_was_refused(club: Database, tmp_path: Path) -> None:
    """Else the test above would prove nothing."""
    granted = []
    for service in services():
        if service.method in ("get", "versions", "list", "read") and not takes_a_session(service):
            try:
                found = service.call(make(service.cls, club, tmp_path), ADA, ADA)
            except StockLabError:
                continue
            granted += [service.name for name in covered_tables().private if f"{ADA}:{name}" in repr(found)]
    assert {"portfolios.Strategies.get", "portfolios.Strategies.versions", "portfolios.Universes.get"} <= set(granted)
    assert {"portfolios.Runs.list", "operations.Intents.get"} <= set(granted)


def test_the_test_finds_a_leak(club: Database) -> None:
    assert without_owner("SELECT strategies.id FROM strategies WHERE strategies.id = ?") == ["strategies"]
    assert without_owner("SELECT strategies.id FROM strategies WHERE strategies.owner_id = ?") == []
    with statements(club) as seen, club.read() as session:
        session.get(UniverseRow, ADA)
    assert [name for sql in seen for name in without_owner(sql)] == ["universes"]


def test_services_that_need_other_ways_exist() -> None:
    known = {service.name for service in services()}
    packages = {name.split(".")[0] for name in known}
    for name in (*WITHOUT_OWNER, *NOT_THIS_WAY):
        assert name in known or name.split(".")[0] not in packages
