from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import structlog
from pydantic import SecretStr

from stocklab import logs
from stocklab.log_files import open_daily_file
from stocklab.logs import configure_logging
from stocklab.settings import Settings

SEOUL = ZoneInfo("Asia/Seoul")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    while logs._file:
        logs._file.pop().close()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def record(text: str, at: datetime) -> logging.LogRecord:
    made = logging.LogRecord("x", logging.INFO, "x.py", 1, text, None, None)
    made.created = at.timestamp()
    return made


def test_each_day_in_seoul_has_its_file_and_old_ones_go(tmp_path: Path) -> None:
    today = datetime.now(SEOUL).replace(hour=23, minute=59, second=59, microsecond=0)
    for age in (3, 4, 40):
        (tmp_path / f"lab-ui-{today.date() - timedelta(days=age)}.log").write_text("old")
    (tmp_path / "lab-ui-notes.log").write_text("not ours")
    file = open_daily_file(tmp_path / "lab.log", "ui", keep_days=4)
    file.emit(record("before midnight", today))
    file.emit(record("after midnight", today + timedelta(seconds=2)))
    file.emit(record("a straggler", today))
    file.close()
    assert (tmp_path / f"lab-ui-{today.date()}.log").read_text() == "before midnight\n"
    assert (tmp_path / "lab-ui.log").read_text() == "after midnight\na straggler\n"
    left = sorted(path.name for path in tmp_path.glob("*.log"))
    kept = [f"lab-ui-{today.date() - timedelta(days=age)}.log" for age in (3, 0)]
    assert left == [*kept, "lab-ui-notes.log", "lab-ui.log"]


def test_a_file_of_an_earlier_day_is_put_aside_by_the_next_process(tmp_path: Path) -> None:
    import os

    yesterday = datetime.now(SEOUL) - timedelta(days=1)
    old = tmp_path / "lab-ui.log"
    old.write_text("yesterday\n")
    os.utime(old, (yesterday.timestamp(), yesterday.timestamp()))
    file = open_daily_file(tmp_path / "lab.log", "ui", keep_days=4)
    file.emit(record("today", datetime.now(SEOUL)))
    file.close()
    assert (tmp_path / f"lab-ui-{yesterday.date()}.log").read_text() == "yesterday\n"
    assert old.read_text() == "today\n"


def test_two_processes_of_one_name_never_share_a_file(tmp_path: Path) -> None:
    code = """
import sys, structlog
from stocklab.logs import configure_logging
from stocklab.settings import Settings
configure_logging(Settings(home=sys.argv[1], log_file="logs/lab.log"), process="scheduler")
structlog.get_logger("x").info("here", who=sys.argv[2])
print("ready", flush=True)
sys.stdin.read()
"""
    running = []
    for who in ("first", "second"):
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path), who],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        running.append(process)
    for process in running:
        process.communicate("")
    found = {path.name: json.loads(path.read_text())["who"] for path in (tmp_path / "logs").glob("*.log")}
    assert found == {"lab-scheduler.log": "first", "lab-scheduler-2.log": "second"}


def test_the_file_is_json_whatever_the_console_shows_and_hides_secrets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(home=tmp_path, log_file=Path("lab.log"), opendart_key=SecretStr("a" * 40), log_format="console")
    configure_logging(settings, process="ui")
    configure_logging(settings, process="ui")
    log = structlog.get_logger("stocklab.x")
    log.warning("asked", url=f"https://dart.example/api?crtfc_key={'b' * 40}&page=2", key_said="a" * 40)
    log.warning("database", message="cannot reach postgresql://lab:hunter2@db/lab")
    try:
        raise ValueError("token=abcdefgh refused")
    except ValueError:
        log.exception("failed", token="abcdefgh")
    lines = [json.loads(line) for line in (tmp_path / "lab-ui.log").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["asked", "database", "failed"]
    assert lines[0]["url"] == "https://dart.example/api?crtfc_key=***&page=2"
    assert lines[0]["key_said"] == "***"
    assert lines[1]["message"] == "cannot reach postgresql://lab:***@db/lab"
    for text in ((tmp_path / "lab-ui.log").read_text(), capsys.readouterr().err):
        assert not any(secret in text for secret in ("aaaaaaaa", "bbbbbbbb", "hunter2", "token='abcdefgh'"))


def test_a_folder_that_cannot_be_written_is_said_and_the_program_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").write_text("a file")
    configure_logging(Settings(home=tmp_path, log_file=Path("logs/lab.log"), log_format="json"), process="ui")
    structlog.get_logger("x").warning("on we go")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first["event"], second["event"]) == ("log_file_failed", "on we go")


def test_commands_that_answer_and_end_write_no_file(tmp_path: Path) -> None:
    configure_logging(Settings(home=tmp_path, log_file=Path("lab.log")))
    structlog.get_logger("x").warning("to standard error alone")
    assert list(tmp_path.iterdir()) == []
