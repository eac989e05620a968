"""The job that fetches new data: it hands the sync what it needs, and its answer to the run ledger."""

from __future__ import annotations

from pathlib import Path

from stocklab.data.store import Store
from stocklab.data.sync.from_sources import sync_from_sources
from stocklab.data.sync.progress_words import progress_words
from stocklab.data.sync.report import FeedOutcome, SyncProgress, SyncReport
from stocklab.errors import Cancelled, SourceOff, StockLabError
from stocklab.operations import DatabaseCalls, SourceKeys, open_sealer, with_source_keys
from stocklab.sidecar.work import JobContext, NothingToDo, stop_event

__all__ = ["SyncFailed", "sync_work"]

_FAULTS = (FeedOutcome.DENIED, FeedOutcome.BLOCKED, FeedOutcome.FAILED)


class SyncFailed(StockLabError):
    """No source answered: the run is tried again later."""


def sync_work(context: JobContext) -> str:
    """The work of the sync jobs and of the intent to sync now.

    Raises
    ------
    NothingToDo
        No source is set up.
    SyncFailed
        Not one question was answered.
    Cancelled
        It was told to stop; what was answered until then is stored.
    """
    keys = SourceKeys(context.database, open_sealer(context.settings))

    def show(progress: SyncProgress) -> None:
        context.tell(progress.fraction, progress_words(progress))

    with stop_event(context.stop) as stop:
        try:
            report = sync_from_sources(
                Store(Path(context.settings.home)),
                with_source_keys(context.settings, keys),
                DatabaseCalls(context.database, clock=context.clock),
                clock=context.clock,
                stop=stop,
                on_progress=show,
            )
        except SourceOff as error:
            raise NothingToDo(str(error)) from error
    if report.cancelled:
        raise Cancelled("The sync was stopped; what was answered until then is stored.")
    line = _line(report)
    asked = [feed for feed in report.feeds if feed.wanted]
    if asked and all(feed.outcome in _FAULTS and not feed.final for feed in asked):
        raise SyncFailed(line)
    return line


def _line(report: SyncReport) -> str:
    """What became of it, in a line: rows, and each feed that is not done with the reason."""
    rows = sum(report.added.values())
    parts = [f"{rows:,} rows added" if rows else "nothing new"]
    parts += [f"{sum(report.replaced.values()):,} corrected"] if report.replaced else []
    parts += [f"{report.disagreements:,} values differ between sources"] if report.disagreements else []
    troubles = [
        f"{feed.feed} {feed.outcome.value}{': ' + feed.message if feed.message else ''}"
        for feed in report.feeds
        if feed.outcome not in (FeedOutcome.DONE, FeedOutcome.OFF)
    ]
    return "; ".join([", ".join(parts), *troubles])
