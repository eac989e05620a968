"""The lifespan in this process, and readiness when a part is away."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from stocklab.counts import COUNTS
from stocklab.data.sources.calls import KST
from stocklab.db import JobState, open_database
from stocklab.operations import Uptime
from stocklab.portfolios import BacktestOrder, JobTable, Lab, close_shared_lab, shared_lab
from stocklab.settings import Settings
from stocklab.strategy import Strategy
from stocklab.web.heartbeat import Heartbeat
from stocklab.web.lifespan import build_lifespan
from stocklab.web.parts import report_script_error
from stocklab.web.routes import readiness


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    close_shared_lab()
    yield
    close_shared_lab()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_the_lifespan_opens_keeps_house_and_closes(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)

    async def live() -> JobState:
        async with build_lifespan(settings, housekeeping_seconds=0.05)(None):
            lab = shared_lab()
            place = lab.jobs.worker.rsplit("|", 3)[0]
            order = BacktestOrder(
                document=Strategy(name="x").model_dump(mode="json"),
                start=date(2024, 1, 2),
                end=date(2024, 6, 28),
                initial_cash_krw=1_000_000,
            )
            JobTable(lab.database).add("local", order, f"{place}|4194999|1|dead")
            for _ in range(100):
                await asyncio.sleep(0.05)
                if lab.jobs.list("local")[0].state is JobState.LOST:
                    break
            return lab.jobs.list("local")[0].state

    assert asyncio.run(live()) is JobState.LOST
    lab = shared_lab(settings)
    assert lab.jobs.list("local")[0].state is JobState.LOST


def test_the_heartbeat_is_uptime_and_ends_with_the_process(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    seen: dict[str, int] = {}

    async def live() -> None:
        async with build_lifespan(settings, beat_seconds=0.05)(None):
            uptime = Uptime(shared_lab().database)
            for _ in range(200):
                await asyncio.sleep(0.05)
                seen.update({name: len(uptime.workers(name)) for name in ("ui", "database", "store")})
                if set(seen.values()) == {1}:
                    break

    asyncio.run(live())
    assert seen == {"ui": 1, "database": 1, "store": 1}
    lab = shared_lab(settings)
    assert Uptime(lab.database).workers() == ()  # it left in order
    today = datetime.now(KST).date()
    for name in seen:
        (day,) = Uptime(lab.database).days(name, today - timedelta(days=1), today)[-1:]
        assert (day.starts, day.seconds < 60) == (1, True)


def test_a_heartbeat_that_cannot_be_written_is_said_once(tmp_path: Path) -> None:
    lab = Lab.open(Settings(home=tmp_path))
    (tmp_path / "market").mkdir(exist_ok=True)
    (tmp_path / "market" / "CURRENT").write_text("no-such-snapshot")
    heartbeat = Heartbeat(lab)
    with capture_logs() as logs:
        heartbeat.beat()
        heartbeat.beat()
        (tmp_path / "market" / "CURRENT").unlink()
        heartbeat.beat()
    lab.close()
    assert [line["event"] for line in logs] == ["heartbeat_failed"]
    assert logs[0]["error"] == "StoreError"


def test_the_app_starts_also_when_the_store_is_broken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "market").mkdir()
    (tmp_path / "market" / "CURRENT").write_text("no-such-snapshot")

    async def live() -> tuple[bool, object]:
        async with build_lifespan(Settings(home=tmp_path))(None):
            for _ in range(100):
                await asyncio.sleep(0.02)
            return readiness(shared_lab())

    ready, report = asyncio.run(live())
    assert not ready
    assert report["store"] == {"ok": False, "state": "broken", "error": "StoreError"}  # type: ignore[index]
    assert "warm_up_failed" in capsys.readouterr().err


def test_a_database_that_is_away_is_said_without_its_address(tmp_path: Path) -> None:
    lab = Lab.open(Settings(home=tmp_path))
    lab.database.close()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        lab.database = open_database(f"postgresql://user:hunter2@127.0.0.1:{probe.getsockname()[1]}/lab")
        ready, report = readiness(lab)
    assert not ready
    assert report["database"] == {"ok": False, "error": "DatabaseUnreachable"}


def test_a_fault_of_a_page_is_logged_under_a_reference() -> None:
    before = COUNTS.page_errors()["program"]
    with capture_logs() as logs:
        report_script_error(ZeroDivisionError("by nought"))
    assert COUNTS.page_errors()["program"] == before + 1
    (line,) = logs
    assert (line["event"], line["error"], len(line["reference"])) == ("page_failed", "ZeroDivisionError", 8)
