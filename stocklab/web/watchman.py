"""The UI process looks after the scheduler: when it is gone, who has alerts is told, and sent what waits."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import structlog
from starlette.concurrency import run_in_threadpool

from stocklab.alerts import gone_since, tell_if_gone
from stocklab.errors import StockLabError
from stocklab.operations import open_sealer
from stocklab.portfolios import Lab

__all__ = ["Watchman"]

log = structlog.get_logger(__name__)


class Watchman:
    """Asks every minute or so; several processes tell it once between them."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    async def run(self, every_seconds: float) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(every_seconds)
            await run_in_threadpool(self.look)

    def look(self) -> int:
        """Once; how many messages were sent."""
        lab = self._lab
        try:
            if gone_since(lab.database, datetime.now(UTC)) is None:
                return 0
            if tell_if_gone(lab.database, datetime.now(UTC)):
                log.error("scheduler_is_down")
            from stocklab.alerts.outbox import Outbox  # loads Apprise, which this process needs on such days alone

            return Outbox(lab.database, open_sealer(lab.settings), lab.settings).deliver(lambda: datetime.now(UTC))
        except StockLabError as error:
            log.warning("watch_over_scheduler_failed", error=type(error).__name__, message=str(error))
            return 0
