"""The manifest of a snapshot: what is in it, from where, and the checksum of every file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from stocklab.errors import StoreError

__all__ = ["MANIFEST_NAME", "MANIFEST_VERSION", "DatasetEntry", "FileEntry", "Manifest", "content_hash"]

MANIFEST_NAME: Final = "manifest.json"
MANIFEST_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One Parquet file: path relative to the snapshot, size and SHA-256."""

    path: str
    rows: int
    size_bytes: int
    sha256: str
    first: date | None
    last: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetEntry:
    """One dataset: rows, first and last session, where it came from, its files and one checksum over them."""

    name: str
    source: str
    rows: int
    first_session: date | None
    last_session: date | None
    checksum: str
    files: tuple[FileEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Everything known about a snapshot without opening its data."""

    version: int
    snapshot_id: str
    created_utc: datetime
    synthetic: bool
    content_hash: str
    datasets: Mapping[str, DatasetEntry]
    symbols_by_market: Mapping[str, int] = field(default_factory=dict)
    quality: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """Canonical JSON text."""
        value = asdict(self)
        value["datasets"] = {name: asdict(entry) for name, entry in self.datasets.items()}
        return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True, default=_plain) + "\n"

    @classmethod
    def load(cls, directory: Path) -> Manifest:
        """Read the manifest of a snapshot directory.

        Raises
        ------
        StoreError
            It is missing, unreadable, or of a version this program does not know.
        """
        path = directory / MANIFEST_NAME
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
            if value["version"] != MANIFEST_VERSION:
                raise StoreError(
                    f"{path}: snapshot format {value['version']}; this program knows {MANIFEST_VERSION}. "
                    "Hint: use the program version that wrote it, or import again into an empty home."
                )
            return _parse(value)
        except FileNotFoundError as error:
            raise StoreError(f"Snapshot {directory.name!r} has no manifest in {directory.parent}.") from error
        except (KeyError, TypeError, ValueError) as error:
            raise StoreError(f"{path}: not a readable manifest ({error!r}).") from error


def content_hash(entries: Sequence[DatasetEntry], *, synthetic: bool) -> str:
    """SHA-256 over the files of all datasets: equal exactly when two snapshots hold the same bytes."""
    digest = hashlib.sha256(b"synthetic" if synthetic else b"market")
    for entry in sorted(entries, key=lambda one: one.name):
        digest.update(f"\n{entry.name} {entry.checksum}".encode())
    return digest.hexdigest()


def _plain(value: object) -> str:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form here")


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _parse(value: dict[str, Any]) -> Manifest:
    datasets = {}
    for name, entry in value["datasets"].items():
        files = tuple(
            FileEntry(**{**file, "first": _day(file["first"]), "last": _day(file["last"])}) for file in entry["files"]
        )
        datasets[name] = DatasetEntry(
            **{
                **entry,
                "files": files,
                "first_session": _day(entry["first_session"]),
                "last_session": _day(entry["last_session"]),
            }
        )
    return Manifest(**{**value, "datasets": datasets, "created_utc": datetime.fromisoformat(value["created_utc"])})
