"""``stocklab data sync`` and ``stocklab data sources``: fetch what is new, and who it comes from."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from types import FrameType
from typing import Any

from stocklab.commands.arguments import add_command, count, print_json
from stocklab.data import Store
from stocklab.data.sync.report import FeedOutcome, SyncProgress
from stocklab.settings import Settings

__all__ = ["add_sync_commands"]


def add_sync_commands(parts: Any) -> None:
    """Add the commands below ``stocklab data``."""
    sync = add_command(parts, "sync", _sync, "fetch what is new from the sources that are set up")
    sync.add_argument("--source", action="append", default=[], metavar="NAME", help="only this source; may be repeated")
    sync.add_argument("--most-keys", type=count, metavar="N", help="ask at most N questions, for a part of a long fill")
    sync.add_argument("--json", action="store_true")
    sources = add_command(parts, "sources", _sources, "which sources are on, and what the others need")
    sources.add_argument("--json", action="store_true")


def _sync(arguments: argparse.Namespace, settings: Settings) -> int:
    from stocklab.data.sync.from_sources import sync_from_sources
    from stocklab.db import database_of
    from stocklab.operations import DatabaseCalls, SourceKeys, open_sealer

    with database_of(settings) as database, _stopped_by_signal() as stop:
        report = sync_from_sources(
            Store(settings.home),
            settings,
            DatabaseCalls(database),
            keys=SourceKeys(database, open_sealer(settings)).values(),
            sources=arguments.source,
            most_keys=arguments.most_keys,
            stop=stop,
            on_progress=_Shown().show if sys.stderr.isatty() else None,
        )
    if arguments.json:
        print_json(report.to_dict())
    else:
        print(report.describe())
    if report.cancelled:
        return 130
    good = (FeedOutcome.DONE, FeedOutcome.LEFT, FeedOutcome.OFF, FeedOutcome.EXHAUSTED)
    return 0 if all(feed.outcome in good for feed in report.feeds) else 4


def _sources(arguments: argparse.Namespace, settings: Settings) -> int:
    from stocklab.data.sources.catalogue import open_feeds
    from stocklab.db import database_of
    from stocklab.operations import DatabaseCalls, SourceKeys, open_sealer

    with database_of(settings) as database:
        calls = DatabaseCalls(database)
        keys = SourceKeys(database, open_sealer(settings)).values()
        with open_feeds(settings, calls, keys=keys, store=Store(settings.home)) as feeds:
            on, off = feeds.on, feeds.off
        today = {feed.source: calls.taken(feed.source) for feed in on}
    if arguments.json:
        active = [{"feed": one.name, "source": one.source, "datasets": one.datasets} for one in on]
        print_json({"on": active, "off": [asdict(one) for one in off], "requests_today": today})
        return 0
    for one in on:
        print(f"  {one.name:<26} on   {', '.join(one.datasets)}")
    for source, taken in today.items():
        print(f"Requests to {source} today: {taken:,}")
    for missing in off:
        needs = ", ".join(f"STOCKLAB_{name.upper()}" for name in missing.settings)
        print(f"  {missing.name:<26} off  {missing.reason.value.replace('_', ' ')}: {needs}")
    return 0


class _Shown:
    """One line on a terminal that is written over."""

    def show(self, progress: SyncProgress) -> None:
        left = f", about {progress.seconds_left:,.0f} s left" if progress.seconds_left is not None else ""
        what = "storing" if progress.storing else progress.feed
        text = f"{progress.asked:,} of {progress.wanted:,} questions, {progress.rows:,} rows{left}: {what}"
        print(f"\r{text:<100}"[:101], end="", file=sys.stderr, flush=True)


@contextmanager
def _stopped_by_signal() -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM end the sync in order: what was answered is stored."""
    stop = threading.Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    old = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
