"""The thread that sends alerts, within about a second of their rows; a slow channel holds back no other."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Final

import structlog

from stocklab.alerts.outbox import Due, Outbox
from stocklab.alerts.signs_of_life import call_due
from stocklab.operations import Sealer, open_sealer
from stocklab.sidecar.lanes import Lane

__all__ = ["AlertLane"]

log = structlog.get_logger(__name__)

_SENDERS: Final = 12
_OF_ONE_OWNER: Final = 3


@dataclass(kw_only=True, eq=False)
class AlertLane(Lane):
    """Looks for channels that something waits for and gives each to a sender, one at a time for a channel."""

    running: dict[Due, Future[int]] = field(default_factory=dict)
    calls: Future[int] | None = None
    _senders: ThreadPoolExecutor | None = None
    _outbox: Outbox | None = None
    _sealer: Sealer | None = None

    name = "alerts"

    def work_once(self) -> bool:
        """See `Lane.work_once`. It never says that there was work: senders go on by themselves."""
        if self._outbox is None:
            self._sealer = open_sealer(self.settings)
            self._outbox = Outbox(self.database, self._sealer, self.settings)
            self._senders = ThreadPoolExecutor(_SENDERS, thread_name_prefix="stocklab-alerts")
        assert self._senders is not None and self._sealer is not None  # noqa: S101, PT018 - made together
        self._forget_done()
        owners = Counter(due.owner_id for due in self.running)
        for due in self._outbox.due(self.clock()):
            if due not in self.running and owners[due.owner_id] < _OF_ONE_OWNER and not self.stopping.is_set():
                owners[due.owner_id] += 1
                self.running[due] = self._senders.submit(self._outbox.drain, due.channel_id, self.clock)
        if self.calls is None or self.calls.done():
            self.calls = self._senders.submit(call_due, self.database, self._sealer, self.settings, self.clock)
        return False

    def _forget_done(self) -> None:
        for due, future in list(self.running.items()):
            if future.done():
                del self.running[due]
                error = future.exception()
                if error is not None:  # the database was away: what was taken is sent again when its lease is over
                    log.warning("alerts_wait", channel=due.channel_id, error=type(error).__name__, message=str(error))

    def join(self, seconds: float) -> bool:
        """See `Lane.join`. What is on its way may end; what waits stays in the outbox."""
        until = time.monotonic() + seconds
        ended = super().join(seconds)
        if self._senders is None:
            return ended
        self._senders.shutdown(wait=False, cancel_futures=True)
        futures = [one for one in (*self.running.values(), self.calls) if one is not None and not one.cancelled()]
        return ended and not wait(futures, timeout=max(0.0, until - time.monotonic())).not_done

    def watch(self) -> None:
        """See `Lane.watch`: nobody cancels an alert."""
