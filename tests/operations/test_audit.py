"""The audit log: no gaps, no changes, no secrets; and a chain that shows where somebody changed it all the same."""

from __future__ import annotations

import hashlib
import io
import json
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from stocklab.cli import main
from stocklab.db import Database, OwnerRow, UniverseRow
from stocklab.operations import AuditLog, Sealer, SourceKeys
from stocklab.operations.audit_chain import read_export

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=timezone(timedelta(hours=9)))


def test_a_row_is_hashed_as_documented(database: Database) -> None:
    log = AuditLog(database)
    first = log.write("login", actor_id="ada", subject="session", details={"from": "127.0.0.1", "n": 2}, at=NOON)
    content = (
        '{"action":"login","actor_id":"ada","at":"2026-11-20T03:00:00.000000+00:00",'
        '"details":{"from":"127.0.0.1","n":2},"number":1,"previous_hash":"' + "0" * 64 + '","subject":"session"}'
    )
    assert first.hash == hashlib.sha256(content.encode()).hexdigest()
    second = log.write("logout", actor_id=None)
    assert (second.number, second.previous_hash) == (2, first.hash)
    assert [entry.number for entry in log.page()] == [2, 1]
    assert [entry.number for entry in log.page(before=2)] == [1]
    assert [entry.action for entry in log.page(actor_id="ada")] == ["login"]
    assert log.page()[1].at == NOON


def test_writers_at_the_same_time_leave_no_gap(database: Database) -> None:
    log = AuditLog(database)

    def write(name: str) -> None:
        for number in range(12):
            if number % 3 == 2:
                with pytest.raises(ZeroDivisionError):
                    _write_and_fail(database)
            else:
                log.write("count", actor_id=name, details={"n": number})

    threads = [threading.Thread(target=write, args=(f"writer-{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report = log.verify()
    assert (report.rows, report.broken) == (8 * 8, None)


def _write_and_fail(database: Database) -> None:
    with database.write() as session:
        AuditLog(database).write("never", actor_id=None, session=session)
        raise ZeroDivisionError


def test_a_user_transaction_can_write_it_though_users_cannot_reach_it(database: Database) -> None:
    with database.write() as session:
        session.add(OwnerRow(id="ada", name="Ada"))
    with database.write("ada") as session:
        session.add(UniverseRow(id="u", owner_id="ada", name="all", document={}))
        AuditLog(database).write("share", actor_id="ada", session=session)
    assert AuditLog(database).verify().rows == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET action = 'x' WHERE number = 2",
        "DELETE FROM audit_log WHERE number = 2",
        "DELETE FROM audit_log",
        "INSERT OR REPLACE INTO audit_log SELECT 2, at, actor_id, 'x', subject, details, previous_hash, hash "
        "FROM audit_log WHERE number = 2",
        "TRUNCATE audit_log",
    ],
)
def test_rows_cannot_be_changed_or_removed(database: Database, statement: str) -> None:
    only = {"INSERT OR": "sqlite", "TRUNCATE ": "postgresql"}.get(statement[:9])
    if only not in (None, database.backend):
        pytest.skip(f"a statement of {only}")
    log = AuditLog(database)
    for number in range(3):
        log.write("a", actor_id=None, details={"n": number})
    with pytest.raises(DBAPIError, match="append-only"), database.engine.begin() as connection:
        connection.execute(text(statement))
    assert log.verify().rows == 3


@pytest.mark.parametrize(
    ("statement", "number", "reason"),
    [
        ("UPDATE audit_log SET subject = 'x' WHERE number = 3", 3, "content was changed"),
        ("UPDATE audit_log SET actor_id = NULL WHERE number = 1", 1, "content was changed"),
        ("UPDATE audit_log SET at = '2020-01-01 00:00:00' WHERE number = 2", 2, "content was changed"),
        ("DELETE FROM audit_log WHERE number = 2", 2, "rows are missing"),
        ("DELETE FROM audit_log WHERE number = 1", 1, "rows are missing"),
        ("UPDATE audit_log SET number = 0 WHERE number = 1", 1, "rows are missing"),
        ("DELETE FROM audit_log WHERE number = 5", 5, "earlier look saw"),
    ],
)
def test_the_chain_shows_the_first_row_that_somebody_changed(
    database: Database, statement: str, number: int, reason: str
) -> None:
    log = AuditLog(database)
    for each in range(5):
        log.write("a", actor_id="ada", details={"n": each})
    sound = log.verify()
    assert sound.broken is None
    with database.engine.begin() as connection:  # as one who owns the database can
        if database.backend == "sqlite":
            for name in ("update", "delete", "replace"):
                connection.execute(text(f"DROP TRIGGER audit_log_no_{name}"))
        else:
            connection.execute(text("ALTER TABLE audit_log DISABLE TRIGGER USER"))
        connection.execute(text(statement))
    found = log.verify(expected=(sound.rows, sound.head)).broken
    assert found is not None
    assert (found.number, reason in found.reason) == (number, True)


def test_secrets_never_get_into_details(database: Database) -> None:
    log = AuditLog(database)
    planted: dict[str, Any] = {
        "password": "planted-1",
        "new_Password": "planted-2",
        "nested": {"api_token": "planted-3", "list": [{"totp_secret": "planted-4"}]},
        "typed": SecretStr("planted-5"),
        "session_cookie": "planted-6",
        "opendart_key": "planted-7",
        "share": 0.5,
        "when": NOON,
        "odd": "a\0b\ud800",
        "name": "opendart_key",
    }
    kept = log.write("settings", actor_id=None, details=planted).details
    assert "planted" not in json.dumps(kept)
    assert (kept["name"], kept["share"], kept["odd"]) == ("opendart_key", "0.5", "a b?")
    SourceKeys(database, Sealer(("x" * 32,))).set("opendart_key", "planted-8", actor_id="ada")
    stream = io.StringIO()
    assert log.export(stream) == 2
    assert "planted" not in stream.getvalue()
    assert log.verify().broken is None  # the database gives back what was hashed
    newest = log.page(action="source_key.set")[0]
    assert (newest.actor_id, newest.subject) == ("ada", "opendart_key")


def test_the_commands_prove_and_export(
    database: Database,
    empty_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("STOCKLAB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("STOCKLAB_DATABASE_URL", empty_url)
    log = AuditLog(database)
    for number in range(3):
        newest = log.write("login", actor_id="가나", details={"n": number})
    assert main(["audit", "verify"]) == 0
    assert f"3:{newest.hash}" in capsys.readouterr().out
    file = tmp_path / "audit.jsonl"
    assert main(["audit", "export", "--out", str(file)]) == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert main(["audit", "export", "--out", str(file)]) == 2  # never over a file
    assert [entry.actor_id for entry in read_export(file)] == ["가나"] * 3
    assert main(["audit", "verify", "--file", str(file)]) == 0
    file.write_text(file.read_text(encoding="utf-8").replace('"n":1', '"n":7'), encoding="utf-8")
    capsys.readouterr()
    assert main(["audit", "verify", "--file", str(file)]) == 1
    assert "Row 2 is broken" in capsys.readouterr().out
    assert main(["audit", "verify", "--head", f"3:{'f' * 64}"]) == 1
    assert main(["audit", "export"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    assert datetime.now(UTC) > newest.at
