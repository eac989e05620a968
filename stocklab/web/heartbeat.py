"""The UI process says that it is alive, and with it the database and the market store when they answer."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import structlog
from starlette.concurrency import run_in_threadpool

from stocklab.errors import StockLabError
from stocklab.operations import Uptime
from stocklab.portfolios import Lab

__all__ = ["Heartbeat"]

log = structlog.get_logger(__name__)


class Heartbeat:
    """Writes the uptime of "ui", "database" and "store". A beat that fails is a gap in the uptime, and no error."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._uptime = Uptime(lab.database)
        self._well = True

    async def run(self, every_seconds: float) -> None:
        """Beat until cancelled."""
        while True:
            await run_in_threadpool(self.beat)
            await asyncio.sleep(every_seconds)

    def beat(self) -> None:
        """Once."""
        try:
            now = datetime.now(UTC)
            for component in ("ui", "database"):
                self._uptime.beat(component, self._name(component), now)
            self._lab.store.current()
            self._uptime.beat("store", self._name("store"), now)
        except (StockLabError, OSError) as error:
            if self._well:
                log.warning("heartbeat_failed", error=type(error).__name__, message=str(error))
            self._well = False
        else:
            self._well = True

    def leave(self) -> None:
        """Say that the process ends in order."""
        try:
            for component in ("ui", "database", "store"):
                self._uptime.leave(self._name(component))
        except StockLabError as error:
            log.warning("heartbeat_failed", error=type(error).__name__, message=str(error))

    def _name(self, component: str) -> str:
        """The row of a process names one component; the process itself is the UI's."""
        return self._lab.jobs.worker if component == "ui" else f"{self._lab.jobs.worker}|{component}"
