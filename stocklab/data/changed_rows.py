"""Which rows of a dataset differ between two snapshots: only files whose checksums differ are read."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from stocklab.data.datasets import DATASETS
from stocklab.data.snapshot import Snapshot

__all__ = ["ChangedRows", "changed_rows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedRows:
    """Counts of rows by key, and the first that was corrected: its place, the columns before, the columns now."""

    added: int
    removed: int
    corrected: int
    first: tuple[str, str, str] | None


def changed_rows(old: Snapshot, new: Snapshot, name: str) -> ChangedRows:
    """Compare a dataset that both snapshots hold; where a row came from ("source") is not compared."""
    spec = DATASETS[name]
    columns = [column for column in spec.schema if column not in (*spec.key, "source")]
    checksums = [{file.path: file.sha256 for file in snapshot.manifest.datasets[name].files} for snapshot in (old, new)]
    added = removed = corrected = 0
    first: tuple[str, str, str] | None = None
    for path in sorted({*checksums[0], *checksums[1]}):
        if checksums[0].get(path) == checksums[1].get(path):
            continue
        one, other = (
            pl.read_parquet(snapshot.path / path) if path in known else pl.DataFrame(schema=dict(spec.schema))
            for snapshot, known in zip((old, new), checksums, strict=True)
        )
        added += other.join(one, on=list(spec.key), how="anti").height
        removed += one.join(other, on=list(spec.key), how="anti").height
        both = one.join(other, on=list(spec.key), how="inner", suffix="_now")
        moved = both.filter(pl.any_horizontal(pl.col(column).ne_missing(pl.col(f"{column}_now")) for column in columns))
        corrected += moved.height
        if moved.height and first is None:
            row = moved.sort(*reversed(spec.key)).row(0, named=True)
            differs = [column for column in columns if row[column] != row[f"{column}_now"]]
            first = (
                " ".join(str(row[part]) for part in spec.key),
                ", ".join(f"{column} {_words(row[column])}" for column in differs),
                ", ".join(f"{column} {_words(row[f'{column}_now'])}" for column in differs),
            )
    return ChangedRows(added=added, removed=removed, corrected=corrected, first=first)


def _words(value: object) -> str:
    return "unknown" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
