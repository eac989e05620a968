"""A sync of everything that is set up: opens the sources, asks them, closes them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from stocklab.data.sources.calls import CallLedger, now_kst
from stocklab.data.sources.catalogue import SOURCES, open_feeds
from stocklab.data.store import Store
from stocklab.data.sync.report import OnSyncProgress, SyncReport
from stocklab.data.sync.run import SyncOptions, sync
from stocklab.errors import InputError, SourceOff
from stocklab.settings import Settings

__all__ = ["sync_from_sources"]


def sync_from_sources(
    store: Store,
    settings: Settings,
    calls: CallLedger,
    *,
    keys: Mapping[str, str] | None = None,
    sources: Sequence[str] = (),
    most_keys: int | None = None,
    clock: Callable[[], datetime] = now_kst,
    stop: threading.Event | None = None,
    on_progress: OnSyncProgress | None = None,
) -> SyncReport:
    """Bring the store up to date from every source that is on, or from those named.

    Parameters
    ----------
    keys : setting name -> key, optional
        Keys a person entered; they win over the settings.
    most_keys : int, optional
        Questions at most, for a part of a long fill.

    Raises
    ------
    InputError
        A source is not known.
    SourceOff
        None of them is on.
    StoreError
        As `sync`.
    """
    known = {spec.source for spec in SOURCES}
    for name in sources:
        if name not in known:
            raise InputError(f"Unknown source {name!r}. Expected some of {', '.join(sorted(known))}.")
    stop = threading.Event() if stop is None else stop
    options = SyncOptions(
        history_from=settings.history_from,
        most_keys=most_keys,
        grace_hours=settings.snapshot_grace_hours,
        ranks=tuple(name for spec in SOURCES for name in spec.feeds),
    )
    with open_feeds(settings, calls, keys=keys, stop=stop, clock=clock, store=store) as feeds:
        chosen = [feed for feed in feeds.on if not sources or feed.source in sources]
        if not chosen:
            wanted = sorted({f"STOCKLAB_{name.upper()}" for off in feeds.off for name in off.settings})
            raise SourceOff(
                ", ".join(sources) or "sources",
                f"none is set up. Hint: set {', '.join(wanted)}, or enter keys on the Data page (docs/sources.md).",
            )
        return sync(store, chosen, options, clock=clock, calls=calls, stop=stop, on_progress=on_progress)
