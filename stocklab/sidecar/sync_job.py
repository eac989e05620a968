"""The job that fetches new data: it hands the sync what it needs, and its answer to the run ledger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol

from stocklab.data.sources.calls import CallLedger
from stocklab.data.store import Store
from stocklab.operations import DatabaseCalls, SourceKeys, open_sealer, with_source_keys
from stocklab.settings import Settings
from stocklab.sidecar.work import JobContext, NothingToDo, Work

__all__ = ["SYNC", "Sync", "sync_work"]


class Sync(Protocol):
    """`stocklab.data.sync.run.sync` as this process calls it."""

    def __call__(
        self,
        store: Store,
        settings: Settings,
        *,
        calls: CallLedger,
        now: datetime,
        should_cancel: Callable[[], bool],
        on_progress: Callable[[float, str], None],
    ) -> str:
        """Ask the sources, merge what they say into the next snapshot, and return a line about it.

        ``settings`` holds the keys, also those a person entered; ``now`` is in Seoul. A kill or cancellation at any
        moment loses nothing, and the next call goes on.

        Raises
        ------
        SourceOff
            No source is set up.
        Cancelled
            ``should_cancel`` said so.
        """
        ...


SYNC: Sync | None = None
"""The sync of this version; None: it has none, and the jobs are skipped."""


def sync_work(sync: Sync | None) -> Work:
    """The work of the sync jobs and of the intent to sync now."""

    def work(context: JobContext) -> str:
        if sync is None:
            raise NothingToDo("This version has no online sources. Data come from `stocklab data import`.")
        keys = SourceKeys(context.database, open_sealer(context.settings))
        return sync(
            Store(Path(context.settings.home)),
            with_source_keys(context.settings, keys),
            calls=DatabaseCalls(context.database, clock=context.clock),
            now=context.clock(),
            should_cancel=context.stop,
            on_progress=context.tell,
        )

    return work
