"""What the market store takes on disk: snapshots share files, so each one also says what it alone holds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from stocklab.data.manifest import Manifest
from stocklab.data.store import Store
from stocklab.errors import StoreError

__all__ = ["DiskUse", "SnapshotUse", "disk_use"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotUse:
    """A snapshot kept on disk; bytes.

    ``own_bytes`` are in files no other snapshot links: what its removal would free. ``panel_bytes`` are the arrays made
    from it. ``created`` is None where its manifest cannot be read.
    """

    id: str
    created: datetime | None
    current: bool
    size_bytes: int
    own_bytes: int
    panel_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskUse:
    """Bytes below the home: every shared file counted once. ``free_bytes`` is what its disk has left."""

    snapshots: tuple[SnapshotUse, ...]
    snapshot_bytes: int
    panel_bytes: int
    inbox_bytes: int
    free_bytes: int


def disk_use(store: Store) -> DiskUse:
    """Snapshots kept, newest first, and what they take. Something removed meanwhile counts as not there."""
    current = store.current_id()
    inodes: dict[tuple[int, int], int] = {}
    kept = []
    directories = sorted(store.snapshots.glob("[!.]*"), reverse=True) if store.snapshots.is_dir() else []
    for path in directories:
        if not path.is_dir():
            continue
        files = list(_files(path))
        inodes.update({(one.st_dev, one.st_ino): one.st_size for one in files})
        kept.append(
            SnapshotUse(
                id=path.name,
                created=_created(path),
                current=path.name == current,
                size_bytes=sum(one.st_size for one in files),
                own_bytes=sum(one.st_size for one in files if one.st_nlink == 1),
                panel_bytes=sum(one.st_size for panel in store.panels.glob(f"{path.name}-*") for one in _files(panel)),
            )
        )
    return DiskUse(
        snapshots=tuple(kept),
        snapshot_bytes=sum(inodes.values()),
        panel_bytes=sum(one.st_size for one in _files(store.panels)),
        inbox_bytes=sum(one.st_size for one in _files(store.directory / "inbox")),
        free_bytes=_free(store.home),
    )


def _files(path: Path) -> Iterator[os.stat_result]:
    for folder, _folders, names in os.walk(path):
        for name in names:
            try:
                yield (Path(folder) / name).lstat()
            except FileNotFoundError:
                continue


def _created(path: Path) -> datetime | None:
    try:
        return Manifest.load(path).created_utc
    except StoreError:
        return None


def _free(home: Path) -> int:
    try:
        there = os.statvfs(home)
    except FileNotFoundError:
        return 0
    return there.f_bavail * there.f_frsize
