"""Answers that were asked for and are not in a snapshot yet, each whole on disk or not there at all.

Layout below the home: ``market/inbox/<feed>/<key>/answer.json`` and one Parquet file per dataset. A directory appears
by one rename after its files reached the disk, so that a kill loses at most the answer in flight.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import polars as pl
import structlog

from stocklab.data.datasets import DATASETS, conform
from stocklab.data.durable import flush_directory, flush_file
from stocklab.data.sources.feed import Answer, AnswerState
from stocklab.errors import SourceChanged, StoreError

__all__ = ["Inbox", "Kept", "checksum_of"]

log = structlog.get_logger(__name__)

_ANSWER: Final = "answer.json"
_ASIDE: Final = ".aside-"
_LONGEST_FOLDER: Final = 200  # of the 255 bytes that file systems allow


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An answer on disk. ``frames`` are read when asked for."""

    feed: str
    key: str
    state: AnswerState
    checksum: str
    rows: int
    note: str
    left_out: tuple[str, ...]
    path: Path

    def frame(self, dataset: str) -> pl.DataFrame | None:
        """Its rows of a dataset, None when it holds none."""
        file = self.path / f"{dataset}.parquet"
        return pl.read_parquet(file, glob=False) if file.exists() else None

    def datasets(self) -> tuple[str, ...]:
        """Names of the datasets it holds rows of."""
        return tuple(sorted(file.stem for file in self.path.glob("*.parquet")))


class Inbox:
    """The answers of one home. One sync at a time uses it."""

    def __init__(self, home: Path) -> None:
        self.directory = Path(home) / "market" / "inbox"

    def keep(self, feed: str, source: str, key: str, answer: Answer) -> Kept:
        """Store an answer; one to the same key is replaced.

        Raises
        ------
        SourceChanged
            Its rows break the contract of their dataset.
        StoreError
            The disk refuses, for instance because it is full; nothing is half kept.
        """
        if len(_folder(key)) > _LONGEST_FOLDER:
            raise SourceChanged(source, f"{feed} has a key of {len(key)} letters", found=key[:40])
        frames = {}
        for name, frame in answer.frames.items():
            if frame.height:
                frames[name] = _conform(feed, source, name, frame)
        try:
            return self._write(feed, key, answer, frames)
        except (OSError, pl.exceptions.ComputeError) as error:  # polars writes, and tells of a full disk so
            raise StoreError(
                f"An answer of {feed} could not be kept ({error}); the current snapshot is "
                "unchanged. Hint: make room on the disk of STOCKLAB_HOME, then sync again."
            ) from error

    def pending(self) -> list[Kept]:
        """Every answer kept, by feed and key; what a kill left unfinished is deleted."""
        found = []
        for aside in self.directory.glob(f"{_ASIDE}*"):
            shutil.rmtree(aside, ignore_errors=True)
        for path in sorted(self.directory.glob("*/*")):
            kept = _read(path)
            if kept is None:  # of another version of the program, or a part of one: it is asked again
                log.warning("inbox_answer_unreadable", path=str(path))
                shutil.rmtree(path, ignore_errors=True)
            else:
                found.append(kept)
        return found

    def drop(self, answers: Iterable[Kept]) -> None:
        """Forget answers that a snapshot holds now."""
        for kept in answers:
            shutil.rmtree(kept.path, ignore_errors=True)

    def _write(self, feed: str, key: str, answer: Answer, frames: dict[str, pl.DataFrame]) -> Kept:
        self.directory.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f"{_ASIDE}{os.getpid()}-", dir=self.directory))
        final = self.directory / feed / _folder(key)
        try:
            for name, frame in frames.items():
                frame.write_parquet(aside / f"{name}.parquet", compression="zstd", compression_level=1)
                flush_file(aside / f"{name}.parquet")
            value = {
                "feed": feed,
                "key": key,
                "state": answer.state.value,
                "checksum": checksum_of(frames),
                "rows": sum(frame.height for frame in frames.values()),
                "note": answer.note,
                "datasets": sorted(frames),
                "left_out": sorted(answer.left_out),
            }
            (aside / _ANSWER).write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
            flush_file(aside / _ANSWER)
            flush_directory(aside)
            final.parent.mkdir(exist_ok=True)
            if final.exists():
                shutil.rmtree(final)
            aside.rename(final)
            flush_directory(final.parent)
        finally:
            if aside.exists():
                shutil.rmtree(aside, ignore_errors=True)
        kept = _read(final)
        if kept is None:
            raise StoreError(f"An answer of {feed} vanished from {final}. Hint: check the disk of STOCKLAB_HOME.")
        return kept


def checksum_of(frames: dict[str, pl.DataFrame]) -> str:
    """SHA-256 over the rows, in the order of the datasets' keys: equal exactly when two answers say the same."""
    digest = hashlib.sha256()
    for name in sorted(frames):
        digest.update(name.encode())
        digest.update(frames[name].write_csv(float_precision=12).encode())
    return digest.hexdigest()


def _conform(feed: str, source: str, name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows in the dataset's contract; every row says which feed it came from."""
    if "source" in DATASETS[name].schema:
        frame = frame.with_columns(pl.lit(feed).alias("source"))
    try:
        return conform(name, frame)
    except StoreError as error:
        raise SourceChanged(source, f"{feed} answered rows that cannot be ({error})") from error


def _folder(key: str) -> str:
    """Name of the folder of a key: no separator, and not one of the two names that mean another folder."""
    name = quote(key, safe="")
    return name.replace(".", "%2E") if name.strip(".") == "" else name


def _read(path: Path) -> Kept | None:
    """An answer, None unless every file it names is there with the columns of today: a part of one would become a hole
    that counts as answered."""
    try:
        value = json.loads((path / _ANSWER).read_text(encoding="utf-8"))
        for name in value["datasets"]:
            if pl.read_parquet_schema(path / f"{name}.parquet") != DATASETS[name].schema:
                return None
        return Kept(
            feed=value["feed"],
            key=value["key"],
            state=AnswerState(value["state"]),
            checksum=value["checksum"],
            rows=int(value["rows"]),
            note=value["note"],
            left_out=tuple(str(symbol) for symbol in value["left_out"]),
            path=path,
        )
    except (OSError, KeyError, TypeError, ValueError, pl.exceptions.PolarsError):
        return None
