"""The market store: immutable snapshots, one CURRENT pointer, one writer.

Layout below the home::

    market/CURRENT                     name of the snapshot readers open
    market/writer.lock                 held while writing
    market/snapshots/<id>/             Parquet files, manifest.json, quality.json
    market/panels/<id>-<basis>/        arrays built from a snapshot (see `panel_build`)
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import structlog

from stocklab.data.datasets import DATASETS
from stocklab.data.durable import flush_directory, write_text_atomically
from stocklab.data.lock import WriterLock
from stocklab.data.manifest import MANIFEST_NAME, MANIFEST_VERSION, Manifest, content_hash
from stocklab.data.observed import observe
from stocklab.data.quality import assess
from stocklab.data.sessions import closed_days
from stocklab.data.snapshot import QUALITY_NAME, SESSIONS_NAME, Partitions, Snapshot, Unchanged
from stocklab.data.staging import Staging
from stocklab.errors import StoreError
from stocklab.types import DateArray

__all__ = ["Store"]

log = structlog.get_logger()

Content = pl.DataFrame | pl.LazyFrame | Partitions | Unchanged
STAGING_PREFIX: Final = ".staging-"


class Store:
    """The snapshots of one home. Making one touches nothing on disk; an empty home has no current snapshot."""

    def __init__(self, home: Path) -> None:
        self.home = Path(home)
        self.directory = self.home / "market"
        self.snapshots = self.directory / "snapshots"
        self.panels = self.directory / "panels"
        self._lock = WriterLock(self.directory / "writer.lock")

    @contextmanager
    def writing(self, purpose: str, *, wait_seconds: float = 0.0) -> Iterator[None]:
        """Hold the writer lock for a block.

        Raises
        ------
        StoreError
            Another process or thread writes; the message names it.
        """
        with self._lock.hold(purpose, wait_seconds=wait_seconds):
            yield

    def current_id(self) -> str | None:
        """Name of the snapshot CURRENT points at; None in an empty home."""
        try:
            return (self.directory / "CURRENT").read_text(encoding="utf-8").strip() or None
        except FileNotFoundError:
            return None

    def current(self) -> Snapshot | None:
        """The snapshot readers should open, pinned for as long as they keep the value; None in an empty home.

        Raises
        ------
        StoreError
            CURRENT names a snapshot whose files are missing or damaged.
        """
        name = self.current_id()
        return self.snapshot(name) if name is not None else None

    def snapshot(self, name: str) -> Snapshot:
        """Open a snapshot by its id.

        Raises
        ------
        StoreError
            It does not exist (any more), or a file has the wrong size.
        """
        path = self.snapshots / name
        if not name or name.startswith(".") or Path(name).name != name or not path.is_dir():
            raise StoreError(
                f"Snapshot {name!r} is not in {self.snapshots}. Hint: `stocklab data status` names the current one."
            )
        snapshot = Snapshot(path=path, manifest=Manifest.load(path))
        snapshot.check_files()
        return snapshot

    def write(
        self,
        datasets: Mapping[str, Content],
        *,
        sources: Mapping[str, str],
        synthetic: bool = False,
        quality: Mapping[str, Any] | None = None,
    ) -> Snapshot:
        """Write the next snapshot and make it current; at every instant CURRENT names a whole snapshot.

        Parameters
        ----------
        datasets : name -> frame
            The complete content: a dataset that is not named is not in the new snapshot. `UNCHANGED` (also for single
            years inside `Partitions`) hard-links the files of the current snapshot.
        sources : name -> text
            Where each new dataset came from; needed for every one that is not `UNCHANGED`.
        synthetic : bool
            True for the demo market. Synthetic and real content are never mixed.
        quality : JSON-ready mapping, optional
            The quality report to store; computed from the content when it is not given.

        Returns
        -------
        The new snapshot, or the current one when the content is the same to the byte.

        Raises
        ------
        StoreError
            The lock is held by somebody else, the content breaks a dataset's contract, or `UNCHANGED` names what the
            current snapshot does not hold or what is synthetic when the new content is not, or the disk refuses.
        """
        with self.writing("write a snapshot"):
            base = self.current()
            _refuse_mixing(datasets, base, synthetic)
            self.snapshots.mkdir(parents=True, exist_ok=True)
            self._remove_leftovers()
            staging = Staging.create(self.snapshots, prefix=STAGING_PREFIX)
            try:
                for name in sorted(datasets):
                    staging.add(name, datasets[name], sources=sources, base=base)
                return self._publish(staging, base, synthetic=synthetic, quality=quality)
            except (OSError, pl.exceptions.ComputeError) as error:
                raise StoreError(
                    f"The snapshot could not be written ({error}); the current one is unchanged."
                ) from error
            finally:
                staging.discard()

    def collect_garbage(self, grace_hours: float) -> tuple[str, ...]:
        """Remove snapshots replaced more than ``grace_hours`` ago, panels without a snapshot, and left-overs of
        killed writers.

        Returns
        -------
        Names of the snapshots removed.

        Raises
        ------
        StoreError
            The lock is held by somebody else.
        """
        with self.writing("remove old snapshots"):
            current = self.current_id()
            self._remove_leftovers()
            names = sorted(path.name for path in self.snapshots.glob("*") if path.is_dir())
            limit = datetime.now(UTC) - timedelta(hours=grace_hours)
            removed = []
            for name, successor in pairwise(names):
                if name != current and _created(self.snapshots / successor) < limit:
                    _remove_tree(self.snapshots / name)
                    removed.append(name)
            self._remove_orphan_panels()
            if removed:
                log.info("snapshots_removed", count=len(removed), snapshots=removed)
            return tuple(removed)

    def _publish(
        self, staging: Staging, base: Snapshot | None, *, synthetic: bool, quality: Mapping[str, Any] | None
    ) -> Snapshot:
        entries = staging.entries()
        digest = content_hash(tuple(entries.values()), synthetic=synthetic)
        if base is not None and base.manifest.content_hash == digest:
            log.info("snapshot_unchanged", snapshot=base.id)
            return base
        created = datetime.now(UTC)
        if base is not None and created <= base.manifest.created_utc:  # a clock set back must not reorder versions
            created = base.manifest.created_utc + timedelta(microseconds=1)
        _refuse_days_off(staging.sessions(), observe(staging.scan_all()).opened)
        report = dict(quality) if quality is not None else assess(staging.scan_all())
        manifest = Manifest(
            version=MANIFEST_VERSION,
            snapshot_id=f"{created:%Y%m%dT%H%M%S%f}Z-{digest[:12]}",
            created_utc=created,
            synthetic=synthetic,
            content_hash=digest,
            datasets=entries,
            symbols_by_market=staging.symbols_by_market(),
            quality=report.get("counts", {}),
        )
        staging.write_text(SESSIONS_NAME, json.dumps(staging.sessions()) + "\n")
        staging.write_text(QUALITY_NAME, json.dumps(report, indent=2, ensure_ascii=False, sort_keys=True) + "\n")
        staging.write_text(MANIFEST_NAME, manifest.to_json())
        final = self.snapshots / manifest.snapshot_id
        staging.move_to(final)
        write_text_atomically(self.directory / "CURRENT", manifest.snapshot_id + "\n")
        flush_directory(self.home)
        log.info(
            "snapshot_written",
            snapshot=manifest.snapshot_id,
            rows={name: entry.rows for name, entry in entries.items()},
            synthetic=synthetic,
        )
        return Snapshot(path=final, manifest=manifest)

    def _remove_leftovers(self) -> None:
        """Delete what killed writers left: the caller holds the lock, so nobody is writing them any more."""
        for directory in (self.snapshots, self.panels):
            for path in directory.glob(f"{STAGING_PREFIX}*"):
                shutil.rmtree(path)

    def _remove_orphan_panels(self) -> None:
        kept = {path.name for path in self.snapshots.glob("*")}
        for path in self.panels.glob("*"):
            if path.name.rpartition("-")[0] not in kept:
                _remove_tree(path)


def _created(snapshot: Path) -> datetime:
    """When a snapshot was written: by itself or by its directory, the earlier, since after a clock that was ahead each
    snapshot names a later moment than that. A damaged one is not worth failing over, its directory tells."""
    written = datetime.fromtimestamp(snapshot.stat().st_mtime, UTC)
    try:
        return min(Manifest.load(snapshot).created_utc, written)
    except StoreError as error:
        log.warning("snapshot_unreadable", snapshot=snapshot.name, reason=str(error))
        return written


def _remove_tree(path: Path) -> None:
    """Rename first, so that nobody opens a half-deleted directory."""
    doomed = path.with_name(f"{STAGING_PREFIX}doomed-{path.name.removeprefix(STAGING_PREFIX)}")
    if path != doomed and not path.name.startswith(STAGING_PREFIX):
        path.rename(doomed)
        path = doomed
    shutil.rmtree(path)


def _refuse_days_off(sessions: Mapping[str, list[str]], opened: DateArray) -> None:
    """A bar dataset of closed days alone would be published and then have no panel."""
    for name, days in sessions.items():
        if days and closed_days(np.array(days, dtype="datetime64[D]"), name, opened).all():
            raise StoreError(
                f"{name} has no bar on a session of the exchange: its days ({days[0]} .. {days[-1]}) are closed days. "
                "The current snapshot is unchanged. Hint: check the date column."
            )


def _refuse_mixing(datasets: Mapping[str, Content], base: Snapshot | None, synthetic: bool) -> None:
    for name, content in datasets.items():
        if name not in DATASETS:
            raise StoreError(f"Unknown dataset {name!r}. Expected one of {', '.join(DATASETS)}.")
        reused = isinstance(content, Unchanged) or (
            isinstance(content, Partitions) and any(isinstance(part, Unchanged) for part in content.years.values())
        )
        if reused and (base is None or name not in base.manifest.datasets):
            raise StoreError(f"Dataset {name} cannot be taken over: the current snapshot does not hold it.")
        if reused and base is not None and base.synthetic != synthetic:
            raise StoreError(f"Dataset {name} cannot be taken over: demo data and market data are never mixed.")
