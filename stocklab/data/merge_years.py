"""Datasets split by year: only the years that new rows touch are read and written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from stocklab.data.layouts import Piece
from stocklab.data.merge import Merged, Overlap, merge_rows
from stocklab.data.snapshot import UNCHANGED, Partitions, Snapshot, Unchanged

__all__ = ["merge_years"]


def merge_years(
    name: str, pieces: Sequence[Piece], stored: Snapshot | None, overlap: Overlap
) -> tuple[Partitions | None, list[Merged]]:
    """Merge pieces of a dataset that is split by year, as `merge_rows` does, one year in memory at a time.

    Returns
    -------
    The new content (None: the stored one stays), and what became of each touched year's rows.

    Raises
    ------
    BrokenInput
        As `merge_rows`.
    """
    known = {int(year): path for year, path in stored.files(name).items()} if stored is not None else {}
    years: dict[int, pl.DataFrame | Unchanged] = dict.fromkeys(known, UNCHANGED)
    merged: list[Merged] = []
    by_year = [(piece, piece.frame["session"].dt.year()) for piece in pieces]
    for year in sorted({one for _, numbers in by_year for one in numbers.unique().to_list()}):
        parts = [replace(piece, frame=piece.frame.filter(numbers == year)) for piece, numbers in by_year]
        before = pl.read_parquet(known[year], glob=False) if year in known else None
        one = merge_rows(name, parts, before, overlap)
        merged.append(one)
        if one.frame is not None:
            years[year] = one.frame
    changed = any(one.frame is not None for one in merged)
    return (Partitions(years=dict(sorted(years.items()))) if changed else None), merged
