"""Merge lists of members: a list is one value, all of it or none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from stocklab.data.layouts import ROW, Piece
from stocklab.data.merge import Merged, Overlap, merge_rows
from stocklab.errors import BrokenInput

__all__ = ["merge_members"]

NAME: Final = "members"
LIST: Final = ["kind", "name", "session"]


def merge_members(pieces: Sequence[Piece], stored: pl.DataFrame | None, overlap: Overlap) -> Merged:
    """Merge members. A stored list of the same group and session must hold the same symbols, or one of the two stays.

    Raises
    ------
    BrokenInput
        As `merge_rows`; also, with `Overlap.REFUSE`, where a list is stored with other members.
    """
    if stored is None or stored.is_empty():
        return merge_rows(NAME, pieces, stored, overlap)
    new = pl.concat([piece.frame.select(*LIST, "symbol") for piece in pieces]).unique()
    differing = (
        _lists(new)
        .join(_lists(stored), on=LIST, suffix="_stored")
        .filter(pl.col("symbols") != pl.col("symbols_stored"))
    )
    if differing.is_empty():
        return merge_rows(NAME, pieces, stored, overlap)
    if overlap is Overlap.REFUSE:
        raise _conflict(pieces, differing)
    if overlap is Overlap.NEW_ROWS_ONLY:
        kept = [
            Piece(dataset=piece.dataset, file=piece.file, frame=piece.frame.join(differing, on=LIST, how="anti"))
            for piece in pieces
        ]
        return merge_rows(NAME, kept, stored, overlap)
    remaining = stored.join(differing, on=LIST, how="anti")
    merged = merge_rows(NAME, pieces, remaining, overlap)
    gone = stored.height - remaining.height
    frame = merged.frame if merged.frame is not None else remaining
    return Merged(frame=frame, added=merged.added - min(gone, merged.added), replaced=merged.replaced + gone)


def _lists(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by(LIST).agg(pl.col("symbol").sort().alias("symbols"))


def _conflict(pieces: Sequence[Piece], differing: pl.DataFrame) -> BrokenInput:
    first = differing.sort(LIST).row(0, named=True)
    piece = next(
        piece for piece in pieces if not piece.frame.join(differing.sort(LIST).head(1), on=LIST, how="semi").is_empty()
    )
    row = piece.frame.join(differing.sort(LIST).head(1), on=LIST, how="semi")[ROW].min()
    return BrokenInput(
        f"{first['kind']} {first['name']} has {len(first['symbols'])} members on {first['session']} here, but another "
        f"list, of {len(first['symbols_stored'])}, is stored ({differing.height} lists differ).",
        file=piece.file,
        row=int(row) if isinstance(row, int) else None,
        column="symbol",
        hint="--replace takes the file's list as a whole; --new-rows-only keeps the stored one.",
    )
