"""Budgets and breakers survive the process, keys cannot be read from disk, uptime is counted by day."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from stocklab.data.sources.calls import CallLedger
from stocklab.db import Database
from stocklab.errors import InputError, SettingsError, SourceBlocked, SourceExhausted
from stocklab.operations import (
    SOURCE_KEYS,
    DatabaseCalls,
    Sealer,
    SourceKeys,
    Uptime,
    open_sealer,
    scheduler_status,
    source_health,
    with_source_keys,
)
from stocklab.operations.key_rotation import reseal
from stocklab.settings import Settings

NOON = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)  # in Seoul
NEW, OLD = "n" * 40, "o" * 40


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def test_the_budget_is_never_exceeded_by_threads_and_begins_anew_at_midnight_in_seoul(database: Database) -> None:
    clock = Clock(datetime(2026, 11, 20, 14, 59, tzinfo=UTC))  # 23:59 in Seoul
    calls: CallLedger = DatabaseCalls(database, clock=clock)
    granted, refused = [], []

    def ask() -> None:
        for _ in range(10):
            try:
                calls.take("opendart", budget=25)
                granted.append(1)
            except SourceExhausted:
                refused.append(1)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(granted), len(refused), calls.taken("opendart"), calls.taken("upbit")) == (25, 15, 25, 0)
    clock.now += timedelta(minutes=1)
    assert calls.taken("opendart") == 0
    calls.take("opendart", budget=25)
    assert calls.taken("opendart") == 1


_KILLED = """
import os, signal, sys
from stocklab.db import open_database
from stocklab.operations import DatabaseCalls
calls = DatabaseCalls(open_database(sys.argv[1]))
for _ in range(7):
    calls.take("krx", budget=10)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_count_survives_a_kill(database: Database, empty_url: str) -> None:
    killed = subprocess.run([sys.executable, "-c", _KILLED, empty_url], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    calls = DatabaseCalls(database)
    assert calls.taken("krx") == 7
    for _ in range(3):
        calls.take("krx", budget=10)
    with pytest.raises(SourceExhausted):
        calls.take("krx", budget=10)


def test_the_breaker_and_the_last_answers_are_shared(database: Database) -> None:
    clock = Clock(NOON)
    calls, other = DatabaseCalls(database, clock=clock), DatabaseCalls(database, clock=clock)
    calls.note("krx", ok=True)
    clock.now += timedelta(seconds=30)
    calls.block("krx", until=NOON + timedelta(hours=2), reason="it says 403")
    calls.note("krx", ok=False, message="403")
    with pytest.raises(SourceBlocked, match="it says 403"):
        other.take("krx", budget=None)
    (health,) = source_health(database, clock.now)
    assert (health.calls_today, health.well, health.blocked_reason) == (0, False, "it says 403")
    assert (health.last_ok_at, health.last_error_at) == (NOON, clock.now)
    clock.now = NOON + timedelta(hours=3)
    other.take("krx", budget=None)
    other.note("krx", ok=True)
    (health,) = source_health(database, clock.now)
    assert (health.calls_today, health.well, health.blocked_until, health.last_error) == (1, True, None, "403")


def test_keys_are_kept_encrypted_and_never_told(
    database: Database, empty_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    home = tmp_path / "home"
    keys = SourceKeys(database, open_sealer(Settings(home=home)))
    secret = "abcdef0123456789abcdef0123456789abcdef01"
    with capture_logs() as logs:
        keys.set("opendart_key", "an older one")
        keys.set("opendart_key", f" {secret} ")
        keys.set("krx_password", "비밀번호!")
        with pytest.raises(InputError) as refused:
            keys.set("opendart_key", f"{secret}\n{secret}")
        with pytest.raises(InputError, match="Unknown key"):
            keys.set("database_url", secret)
    assert secret not in str(refused.value)
    assert secret not in f"{logs} {caplog.text}"
    assert list(keys.names()) == ["krx_password", "opendart_key"]
    again = SourceKeys(database, open_sealer(Settings(home=home)))
    assert again.values() == {"opendart_key": secret, "krx_password": "비밀번호!"}
    database.close()
    if empty_url.startswith("sqlite"):
        stored = b"".join(path.read_bytes() for path in tmp_path.glob("app.db*"))
        assert b"opendart_key" in stored
        for hidden in (secret, "an older one", "비밀번호"):
            assert hidden.encode() not in stored
    assert (home / "secrets" / "encryption").stat().st_mode & 0o077 == 0
    with pytest.raises(SettingsError, match="another key") as lost:
        SourceKeys(database, Sealer((NEW,))).values()
    assert secret not in str(lost.value)


def test_the_secret_can_be_exchanged_and_the_environment_wins(database: Database, tmp_path: Path) -> None:
    def settings(secret: str) -> Settings:
        return Settings(home=tmp_path / "home", encryption_key=SecretStr(secret), opendart_key=SecretStr("set"))

    old = SourceKeys(database, open_sealer(settings(OLD)))
    old.set("datagokr_key", "kept")
    old.set("opendart_key", "hidden by the environment")
    both = SourceKeys(database, open_sealer(settings(f"{NEW}, {OLD}")))
    assert reseal(database, open_sealer(settings(f"{NEW}, {OLD}"))) == 2
    assert both.values() == {"datagokr_key": "kept", "opendart_key": "hidden by the environment"}
    new = SourceKeys(database, open_sealer(settings(NEW)))
    filled = with_source_keys(settings(NEW), new)
    assert filled.datagokr_key is not None
    assert filled.opendart_key is not None
    assert (filled.datagokr_key.get_secret_value(), filled.opendart_key.get_secret_value()) == ("kept", "set")
    with pytest.raises(SettingsError, match="another key"):
        old.values()
    assert new.delete("datagokr_key")
    assert not new.delete("datagokr_key")
    assert not (tmp_path / "home").exists()
    with pytest.raises(SettingsError, match="32"):
        open_sealer(settings("short"))


def test_every_secret_setting_of_a_source_can_be_kept() -> None:
    secret = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert set(SOURCE_KEYS) == secret - {
        "cookie_secret",
        "database_url",
        "encryption_key",
        "smtp_password",
        "smtp_user",
    }


def test_uptime_is_counted_by_day_in_seoul_and_not_while_nobody_was_there(database: Database) -> None:
    uptime = Uptime(database)
    start = datetime(2026, 11, 20, 14, 58, tzinfo=UTC)  # 23:58 in Seoul
    for seconds in range(0, 241, 30):  # to 00:02, two processes in turn
        uptime.beat("ui", f"worker {seconds % 60}", start + timedelta(seconds=seconds))
    uptime.beat("ui", "worker 0", start + timedelta(hours=1))  # down for almost an hour
    uptime.beat("ui", "worker 0", start + timedelta(hours=1, seconds=20))
    uptime.beat("scheduler", "idle", start, state="standby")
    days = uptime.days("ui", date(2026, 11, 1), date(2026, 11, 30))
    assert [(day.day.day, day.seconds, day.starts) for day in days] == [(20, 120.0, 1), (21, 140.0, 1)]
    assert uptime.days("scheduler", date(2026, 11, 1), date(2026, 11, 30)) == ()
    newest = uptime.workers()[0]
    assert newest.alive(start + timedelta(hours=1, seconds=60))
    assert not newest.alive(start + timedelta(hours=2))
    uptime.leave("worker 0")
    assert [worker.worker for worker in uptime.workers("ui")] == ["worker 30"]


def test_a_killed_process_is_gone_at_once_and_another_machines_after_a_while(database: Database) -> None:
    code = "from stocklab.operations.worker_identity import worker_name; print(worker_name(), flush=True); input()"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    name = child.stdout.readline().strip()
    place, number, rest = name.split("|", 2)
    uptime = Uptime(database)
    uptime.beat("scheduler", name, NOON)
    uptime.beat("scheduler", f"elsewhere{place}|{number}|{rest}", NOON, state="standby")
    found = scheduler_status(database, NOON + timedelta(seconds=5), schedules=())
    assert found.leader is not None
    assert found.leader.worker == name
    child.kill()
    child.communicate()
    found = scheduler_status(database, NOON + timedelta(seconds=5), schedules=())
    assert (found.leader, len(found.standbys)) == (None, 1)
    assert scheduler_status(database, NOON + timedelta(seconds=91), schedules=()).standbys == ()
