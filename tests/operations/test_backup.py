"""The restore drill: back up, wipe, restore elsewhere, and the same strategies, runs and data are there."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from filled_tables import fill
from pydantic import SecretStr
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from stocklab.backtest import RunRequest
from stocklab.cli import main
from stocklab.community import Category, Comments, Draft, Posts, Remark, Search, is_in_step
from stocklab.data import Store
from stocklab.data.engine import run_backtest
from stocklab.data.results import ResultStore
from stocklab.db import (
    LOCAL_OWNER_ID,
    Base,
    Database,
    OwnerRow,
    database_of,
    head_revision,
    open_database,
    revision,
    row_security_of,
    upgrade,
)
from stocklab.errors import BrokenInput, Cancelled, InputError
from stocklab.operations import AuditLog, DatabaseCalls, Intents, RunLedger, SourceKeys, open_sealer
from stocklab.operations.archive import extract
from stocklab.operations.backup import AUTOMATIC, BackupScope, backup_name, make_backup, remove_old
from stocklab.operations.restore import restore_backup
from stocklab.operations.uptime import Uptime
from stocklab.portfolios import Runs, Strategies
from stocklab.settings import Settings
from stocklab.strategy import PRESETS

SECRET = "a key that somebody entered"
NOW = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)


def checksums(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(".lock")
    }


def rows(database: Database) -> dict[str, list[dict[str, object]]]:
    """Every row of every table."""
    with database.engine.connect() as connection:
        return {
            table.name: [
                dict(row) for row in connection.execute(table.select().order_by(*table.primary_key.columns)).mappings()
            ]
            for table in Base.metadata.sorted_tables
        }


@pytest.fixture
def home(database: Database, demo_home: Path, tmp_path: Path) -> Path:
    """A home somebody used: market data, strategies, a run kept and one not, keys, an SQLite file of its own."""
    home = tmp_path / "home"
    shutil.copytree(demo_home / "market", home / "market", ignore=shutil.ignore_patterns("panels", "*.lock"))
    Store(home).collect_garbage(0)
    strategy = PRESETS["rsi_reversal"].strategy
    saved = Strategies(database).save(LOCAL_OWNER_ID, strategy)
    store, results = Store(home), ResultStore(home)
    for cash, kept in ((10_000_000, True), (20_000_000, False)):
        request = RunRequest(strategy=strategy, start=date(2026, 1, 5), end=date(2026, 3, 31), initial_cash_krw=cash)
        result = run_backtest(store, results, request).result
        runs = Runs(database)
        runs.record(
            LOCAL_OWNER_ID, result.run_id, request, card=result.card, metrics=result.metrics, strategy_id=saved.id
        )
        if kept:
            with database.engine.begin() as connection:
                connection.execute(text("UPDATE runs SET is_portfolio = true"))
    SourceKeys(database, open_sealer(Settings(home=home))).set("opendart_key", SECRET)
    RunLedger(database).claim("sync", "2026-11-20", "one", NOW)
    Intents(database).ask(LOCAL_OWNER_ID, "import", {"path": "bars.csv", "replace": True})
    DatabaseCalls(database).take("krx", budget=None)
    (home / "sweeps").mkdir()
    with sqlite3.connect(home / "sweeps" / "sweeps.db") as sweeps:
        sweeps.execute("CREATE TABLE t (n INTEGER)")
        sweeps.executemany("INSERT INTO t VALUES (?)", [(n,) for n in range(100)])
    sweeps.close()
    for name in ("cache/factors/x.npy", "backups/old.tar.zst", "uploads/bars.csv", ".hidden/x"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("can be made again")
    return home


def other_url(url: str, folder: Path) -> str:
    """URL of a second, empty database of the same kind."""
    if url.startswith("sqlite"):
        return f"sqlite:///{folder / 'stocklab.db'}"
    name = f"t{uuid.uuid4().hex}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def test_backup_wipe_restore_gives_the_same(database: Database, empty_url: str, home: Path, tmp_path: Path) -> None:
    before, market, results = rows(database), checksums(home / "market"), checksums(home / "results")
    target = tmp_path / "out" / "all.tar.zst"
    report = make_backup(home, database, target)
    assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in target.parent.iterdir()] == ["all.tar.zst"]
    assert SECRET.encode() not in target.read_bytes()
    shutil.rmtree(home)

    other = tmp_path / "other"
    url = other_url(empty_url, other)
    restored = restore_backup(target, other, url)
    assert (restored.market, restored.snapshot_id, restored.set_aside) == (True, report.snapshot_id, None)
    assert checksums(other / "market") == {name: sha for name, sha in market.items() if not name.startswith("panels")}
    assert checksums(other / "results") == results
    assert not any((other / name).exists() for name in ("cache", "backups", "uploads", ".hidden"))
    assert (other / "secrets" / "encryption").stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(other / "sweeps" / "sweeps.db") as sweeps:
        assert sweeps.execute("SELECT count(*), sum(n) FROM t").fetchone() == (100, 4950)
    sweeps.close()
    found = open_database(url)
    assert rows(found) == before
    assert revision(found) == head_revision()
    assert SourceKeys(found, open_sealer(Settings(home=other))).values() == {"opendart_key": SECRET}
    snapshot = Store(other).current()
    assert snapshot is not None
    snapshot.verify()
    found.close()

    # A home that holds data is left alone, unless --replace: then everything is set aside.
    with pytest.raises(InputError, match="--replace"):
        restore_backup(target, other, url)
    (other / "mine.txt").write_text("not in the backup, so it stays")
    again = restore_backup(target, other, url, replace=True)
    assert again.set_aside is not None
    assert (again.set_aside / "market" / "CURRENT").is_file()
    assert any((again.set_aside / name).exists() for name in ("stocklab.db", "database"))
    assert (other / "mine.txt").exists()
    found = open_database(url)
    assert rows(found) == before
    found.close()


def test_processes_of_the_backup_do_not_run_where_it_is_restored(
    database: Database, empty_url: str, home: Path, tmp_path: Path
) -> None:
    Uptime(database).beat("scheduler", "vm/pid:1", datetime.now(UTC))
    make_backup(home, database, tmp_path / "all.tar.zst")
    url = other_url(empty_url, tmp_path / "other")
    restore_backup(tmp_path / "all.tar.zst", tmp_path / "other", url)
    found = open_database(url)
    assert Uptime(found).workers() == ()
    found.close()


def test_a_backup_moves_between_the_kinds_of_database(
    database: Database, empty_url: str, postgres_server: str, home: Path, tmp_path: Path
) -> None:
    before = rows(database)
    target = tmp_path / "all.tar.zst"
    make_backup(home, database, target, scope=BackupScope.WITHOUT_MARKET)
    other = tmp_path / "other"
    kind = f"sqlite:///{tmp_path / 'x.db'}" if empty_url.startswith("postgresql") else postgres_server
    url = other_url(kind, other)
    restored = restore_backup(target, other, url)
    assert (restored.market, (other / "market" / "CURRENT").exists()) == (False, False)
    assert (other / "market-manifest.json").is_file()
    found = open_database(url)
    assert found.backend != database.backend
    assert rows(found) == before
    found.close()


def test_what_was_written_is_found_after_a_move_between_the_kinds_of_database(
    database: Database, empty_url: str, postgres_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each kind keeps its search in its own way: FTS5 here, arrays with an inverted index there."""
    with database.write() as session:
        session.add(OwnerRow(id="ada", name="Ada"))
    post = Posts(database).write("ada", Draft(category=Category.FREE, title="저PBR 가치주", body="반등"))
    comment = Comments(database).write("ada", Remark(post_id=post, body="저PBR 은행"))
    deleted = Comments(database).write("ada", Remark(post_id=post, body="저PBR 삭제"))
    Comments(database).delete("ada", deleted)
    home, target, other = tmp_path / "home", tmp_path / "all.tar.zst", tmp_path / "other"
    home.mkdir()
    make_backup(home, database, target)
    kind = f"sqlite:///{other}" if empty_url.startswith("postgresql") else postgres_server
    url = other_url(kind, other)
    monkeypatch.setenv("STOCKLAB_DATABASE_URL", url)
    assert main(["restore", str(target), "--home", str(other)]) == 0
    with database_of(Settings(home=other, database_url=SecretStr(url))) as found:
        assert found.backend != database.backend
        assert is_in_step(found)
        for query, wanted in (("저pbr", {comment, None}), ("은행", {comment}), ("가치주", {None}), ("삭제", set())):
            page = Search(found).find("ada", query)
            assert {one.comment_id for one in page.found} == wanted, query
        later = Posts(found).write("ada", Draft(category=Category.QNA, title="저PBR 질문", body="b"))
        assert [one.post_id for one in Search(found).find("ada", "저pbr").found] == [later, post, post]


@pytest.mark.parametrize("target_kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_every_table_moves_and_the_audit_chain_still_holds(
    database: Database, target_kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    with database.engine.begin() as connection:
        fill(connection, leave_out={"audit_log", "workers"})
    for number in range(3):
        AuditLog(database).write("login", actor_id="local", details={"n": number, "at": NOW})
    before, head = rows(database), AuditLog(database).verify().head
    assert {name for name, found in before.items() if not found} == {"workers"}
    home, target = tmp_path / "home", tmp_path / "all.tar.zst"
    home.mkdir()
    make_backup(home, database, target)
    other = tmp_path / "other"
    kind = f"sqlite:///{other}" if target_kind == "sqlite" else request.getfixturevalue("postgres_server")
    url = other_url(kind, other)
    for replace in (False, True):  # the second time over a database that refuses changes of its log
        restore_backup(target, other, url, replace=replace)
        found = open_database(url)
        assert found.backend == target_kind
        assert rows(found) == before
        report = AuditLog(found).verify(expected=(3, head))
        assert (report.rows, report.broken) == (3, None)
        assert AuditLog(found).write("logout", actor_id="local").number == 4
        with pytest.raises(DBAPIError, match="append-only"), found.engine.begin() as connection:
            connection.execute(text("DELETE FROM audit_log"))
        assert row_security_of(found).active == (target_kind == "postgresql")
        found.close()


@pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)
def test_the_nightly_one_is_small_and_only_the_newest_stay(database: Database, home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    report = make_backup(home, database, folder / backup_name(NOW, automatic=True), scope=BackupScope.NIGHTLY)
    restore_backup(report.path, tmp_path / "other", f"sqlite:///{tmp_path / 'other' / 'stocklab.db'}")
    assert sorted(path.name for path in (tmp_path / "other").iterdir() if path.is_dir()) == [
        "market",
        "results",
        "secrets",
    ]
    kept = ResultStore(tmp_path / "other")
    assert [kept.has(run_id) for run_id in sorted(Runs(database).kept_ids())] == [True]
    assert len(list(kept.root.glob("??/*"))) == 1
    for day in range(1, 6):
        (folder / backup_name(datetime(2026, 10, day, tzinfo=UTC), automatic=True)).touch()
    own = folder / backup_name(datetime(2020, 1, 1, tzinfo=UTC), automatic=False)
    own.touch()
    assert len(remove_old(folder, keep=3)) == 3
    assert own.exists()
    assert [path.name for path in sorted(folder.glob(f"{AUTOMATIC}*"))][-1] == report.path.name


def test_a_broken_backup_touches_nothing(tmp_path: Path) -> None:
    home, url = tmp_path / "home", f"sqlite:///{tmp_path / 'home' / 'stocklab.db'}"
    database = open_database(url)
    upgrade(database)
    whole = tmp_path / "whole.tar.zst"
    make_backup(home, database, whole)
    database.close()
    content = whole.read_bytes()
    rng = random.Random(1)
    broken = tmp_path / "broken.tar.zst"
    for cut in (0, 10, len(content) // 2, len(content) - 1):
        broken.write_bytes(content[:cut])
        with pytest.raises(BrokenInput, match="no whole backup"):
            restore_backup(broken, tmp_path / "other", f"sqlite:///{tmp_path / 'other' / 'stocklab.db'}")
    for _ in range(20):
        place = rng.randrange(len(content))
        broken.write_bytes(content[:place] + bytes([content[place] ^ (1 << rng.randrange(8))]) + content[place + 1 :])
        try:
            restore_backup(broken, tmp_path / "other", f"sqlite:///{tmp_path / 'other' / 'stocklab.db'}")
        except BrokenInput:
            assert list((tmp_path / "other").iterdir()) == []
        else:  # the flipped bit meant nothing: what was restored is right
            shutil.rmtree(tmp_path / "other")
    with pytest.raises(InputError, match="there already"):
        make_backup(home, open_database(url), whole)


_MAKE = """
import sys
from pathlib import Path
from stocklab.db import open_database
from stocklab.operations.backup import make_backup
home, url, out = sys.argv[1:]
database = open_database(url)
for number in range(1000):
    make_backup(Path(home), database, Path(out) / f"{number}.tar.zst")
"""


def test_a_kill_leaves_no_half_file_and_a_stop_leaves_none(tmp_path: Path) -> None:
    home, out = tmp_path / "home", tmp_path / "out"
    url = f"sqlite:///{home / 'stocklab.db'}"
    database = open_database(url)
    upgrade(database)
    (home / "sweeps").mkdir()
    (home / "sweeps" / "big").write_bytes(random.Random(1).randbytes(20_000_000))
    command = [sys.executable, "-c", _MAKE, str(home), url, str(out)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while len(list(out.glob("[0-9]*.zst"))) < 2 or not list(out.glob(".*.part")):  # in the middle of one
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
    made = sorted(path.name for path in out.iterdir() if not path.name.startswith("."))
    assert len(made) >= 2
    for name in made:
        extract(out / name, tmp_path / "unpacked" / name)
    assert len(list(out.iterdir())) > len(made)  # the half one is there as a draft
    asked = iter(range(1000))
    with pytest.raises(Cancelled):
        make_backup(home, database, out / "b.tar.zst", should_cancel=lambda: next(asked) > 5)
    assert sorted(path.name for path in out.iterdir()) == made
    database.close()


def test_a_backup_is_of_one_moment_while_the_app_writes(database: Database, tmp_path: Path, empty_url: str) -> None:
    home, stop = tmp_path / "home", threading.Event()
    home.mkdir()
    strategies = Strategies(database)

    def write() -> None:  # each strategy comes with its version, in one transaction
        while not stop.is_set():
            strategies.save(LOCAL_OWNER_ID, PRESETS["rsi_reversal"].strategy)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        time.sleep(0.2)
        make_backup(home, database, tmp_path / "b.tar.zst")
    finally:
        stop.set()
        thread.join()
    url = other_url(empty_url, tmp_path / "other")
    restore_backup(tmp_path / "b.tar.zst", tmp_path / "other", url)
    found = open_database(url)
    tables = rows(found)
    found.close()
    assert tables["strategies"]
    assert {row["id"] for row in tables["strategies"]} == {row["strategy_id"] for row in tables["strategy_versions"]}
    assert os.listdir(home) == []
