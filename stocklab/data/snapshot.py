"""An immutable version of the market store, as readers see it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from stocklab.data.datasets import DATASETS
from stocklab.data.durable import sha256_of
from stocklab.data.manifest import FileEntry, Manifest
from stocklab.errors import StoreError
from stocklab.types import DateArray

__all__ = ["QUALITY_NAME", "SESSIONS_NAME", "UNCHANGED", "Partitions", "Snapshot", "Unchanged"]


QUALITY_NAME: Final = "quality.json"
SESSIONS_NAME: Final = "sessions.json"


class Unchanged:
    """Marks a dataset, or a year of one, that the next snapshot takes over from the current one as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNCHANGED"


UNCHANGED = Unchanged()


@dataclass(frozen=True, slots=True, kw_only=True)
class Partitions:
    """A dataset split by year, where only some years are new."""

    years: Mapping[int, pl.DataFrame | Unchanged]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One version: its directory and manifest. Its files never change; an old version may be removed after the grace
    period, which open files and mapped panels survive.
    """

    path: Path
    manifest: Manifest

    @property
    def id(self) -> str:
        """Time-ordered name with the first characters of the content hash."""
        return self.manifest.snapshot_id

    @property
    def synthetic(self) -> bool:
        """True for the demo market."""
        return self.manifest.synthetic

    def has(self, name: str) -> bool:
        """Whether the snapshot holds rows of this dataset."""
        entry = self.manifest.datasets.get(name)
        return entry is not None and entry.rows > 0

    def files(self, name: str) -> dict[str, Path]:
        """Partition ("" or the year) to Parquet file, in order.

        Raises
        ------
        StoreError
            The snapshot does not hold the dataset.
        """
        entry = self.manifest.datasets.get(name)
        if entry is None:
            raise StoreError(f"Snapshot {self.id} holds no {name}. It holds {', '.join(self.manifest.datasets)}.")
        parted = name in DATASETS and DATASETS[name].by_year
        return {Path(file.path).stem if parted else "": self.path / file.path for file in entry.files}

    def scan(self, name: str) -> pl.LazyFrame:
        """All rows of a dataset, lazily, sorted by its key within each file.

        Raises
        ------
        StoreError
            The snapshot does not hold the dataset.
        """
        return pl.scan_parquet(list(self.files(name).values()), glob=False)

    def span(self, name: str) -> tuple[date, date] | None:
        """First and last session of a dataset, None when it is absent or has no sessions."""
        entry = self.manifest.datasets.get(name)
        if entry is None or entry.first_session is None or entry.last_session is None:
            return None
        return entry.first_session, entry.last_session

    def sessions(self, name: str) -> DateArray:
        """(n,) datetime64[D] days on which a bar dataset has rows, ascending; empty when it is absent."""
        path = self.path / SESSIONS_NAME
        try:
            days = json.loads(path.read_text(encoding="utf-8")).get(name, [])
        except (FileNotFoundError, ValueError) as error:
            raise StoreError(f"{path}: not readable ({error}). {_RESTORE}") from error
        return np.array(days, dtype="datetime64[D]")

    def quality(self) -> dict[str, Any]:
        """The whole quality report; its counts are also in the manifest."""
        path = self.path / QUALITY_NAME
        try:
            report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError) as error:
            raise StoreError(f"{path}: not readable ({error}). {_RESTORE}") from error
        return report

    def check_files(self) -> None:
        """Compare the size of every file with the manifest; cheap, done whenever a snapshot is opened.

        Raises
        ------
        StoreError
            A file is missing or has another size.
        """
        for file in self._entries():
            path = self.path / file.path
            size = path.stat().st_size if path.is_file() else -1
            if size != file.size_bytes:
                found = "it is missing" if size < 0 else f"it has {size}"
                raise StoreError(f"{path}: expected {file.size_bytes} bytes, {found}. {_RESTORE}")

    def verify(self) -> None:
        """Compare the SHA-256 of every file with the manifest.

        Raises
        ------
        StoreError
            A file is missing or differs.
        """
        self.check_files()
        for file in self._entries():
            if sha256_of(self.path / file.path) != file.sha256:
                raise StoreError(f"{self.path / file.path}: its checksum differs from the manifest. {_RESTORE}")

    def _entries(self) -> list[FileEntry]:
        return [file for entry in self.manifest.datasets.values() for file in entry.files]


_RESTORE = "Hint: restore the home from a backup, or delete market/CURRENT in it and import the data again."
