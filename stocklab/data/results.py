"""Stored results: one directory per run, written whole or not at all, found again by content hash."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import polars as pl

from stocklab.backtest.result import TABLE_SCHEMAS, Result
from stocklab.errors import DataError, InputError, ResultNotFound

__all__ = ["ResultStore"]

_RUN_ID = re.compile(r"^[0-9a-f]{16,64}$")
_JSON = {"card": "run.json", "metrics": "metrics.json"}
_ADDED_LATER = frozenset({"deposits"})


class ResultStore:
    """Results under ``home/results/<run id>/``: ``run.json``, ``metrics.json`` and one Parquet file per table.

    A result is immutable: the same run id always names the same bytes, so saving one twice changes nothing.
    """

    def __init__(self, home: Path) -> None:
        self.root = home / "results"

    def path(self, run_id: str) -> Path:
        """Directory of a run, whether stored or not.

        Raises
        ------
        ResultNotFound
            ``run_id`` is not the form of a run id (so that no path can be smuggled in).
        """
        if not _RUN_ID.match(run_id):
            raise ResultNotFound(run_id)
        return self.root / run_id[:2] / run_id

    def has(self, run_id: str) -> bool:
        """Whether the run is stored."""
        return (self.path(run_id) / "run.json").is_file()

    def save(self, result: Result) -> Path:
        """Write a result atomically; a run that is already stored is left as it is."""
        target = self.path(result.run_id)
        if self.has(result.run_id):
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=target.parent))
        try:
            write_result(result, draft)
            try:
                os.replace(draft, target)
            except OSError:
                if not self.has(result.run_id):  # else another process stored the same bytes first
                    raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return target

    def load(self, run_id: str) -> Result:
        """Read a stored result.

        Raises
        ------
        ResultNotFound
            Nothing is stored under this id.
        DataError
            A file of it is missing or damaged.
        """
        if not self.has(run_id):
            raise ResultNotFound(run_id)
        folder = self.path(run_id)
        try:
            tables = {name: _read_table(folder, name) for name in TABLE_SCHEMAS}
        except (OSError, pl.exceptions.PolarsError) as error:
            raise DataError(
                f"The stored result {run_id} is damaged ({error}). Hint: delete {folder} and run again."
            ) from error
        return Result(
            run_id=run_id, card=self.read_json(run_id, "card"), metrics=self.read_json(run_id, "metrics"), tables=tables
        )

    def read_json(self, run_id: str, part: str) -> dict[str, Any]:
        """The run card ("card") or the metrics ("metrics") alone, without opening the tables."""
        if not self.has(run_id):
            raise ResultNotFound(run_id)
        loaded: dict[str, Any] = json.loads((self.path(run_id) / _JSON[part]).read_text(encoding="utf-8"))
        return loaded

    def export(self, run_id: str, out: Path) -> Path:
        """Copy a stored result's files to ``out`` (created; may not hold another run's files).

        Raises
        ------
        InputError
            ``out`` is a file, or holds a different run.
        """
        source = self.path(run_id)
        if not self.has(run_id):
            raise ResultNotFound(run_id)
        if out.exists() and not out.is_dir():
            raise InputError(f"--out {out}: expected a directory, found a file.")
        out.mkdir(parents=True, exist_ok=True)
        for file in sorted(source.iterdir()):
            draft = out / f".{file.name}.part"
            shutil.copyfile(file, draft)
            os.replace(draft, out / file.name)
        return out

    def delete(self, run_id: str) -> None:
        """Remove a stored result; unknown ids are an error."""
        if not self.has(run_id):
            raise ResultNotFound(run_id)
        folder = self.path(run_id)
        grave = folder.with_name(f".deleted-{run_id}")
        os.replace(folder, grave)
        shutil.rmtree(grave, ignore_errors=True)

    def size_bytes(self) -> int:
        """Disk space of all stored results."""
        return sum(file.stat().st_size for file in self.root.rglob("*") if file.is_file()) if self.root.exists() else 0

    def shrink(self, budget_bytes: int, keep: frozenset[str]) -> int:
        """Remove the oldest results that nobody kept until the rest fits the budget; returns how many went."""
        runs = sorted(self.root.glob("??/*/run.json"), key=lambda file: (file.stat().st_mtime, file.parent.name))
        total = self.size_bytes()
        removed = 0
        for file in runs:
            if total <= budget_bytes:
                break
            if file.parent.name in keep or not _RUN_ID.match(file.parent.name):
                continue
            total -= sum(part.stat().st_size for part in file.parent.iterdir())
            self.delete(file.parent.name)
            removed += 1
        return removed


def _read_table(folder: Path, name: str) -> pl.DataFrame:
    """A table of a stored result; empty where the version that stored it did not have that table."""
    path = folder / f"{name}.parquet"
    if name in _ADDED_LATER and not path.exists():
        return pl.DataFrame(schema=dict(TABLE_SCHEMAS[name]))
    return pl.read_parquet(path)


def write_result(result: Result, folder: Path) -> None:
    """Write the files of a result into an existing directory; the same result gives the same bytes."""
    for name in TABLE_SCHEMAS:
        result.tables[name].write_parquet(folder / f"{name}.parquet", compression="zstd", statistics=False)
    for part, file in _JSON.items():
        text = json.dumps(getattr(result, part), ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False)
        (folder / file).write_text(text + "\n", encoding="utf-8")
