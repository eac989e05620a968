"""Merge company reports: a report with a receipt date takes the place of the same report dated by its deadline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from stocklab.data.datasets import DATASETS
from stocklab.data.layouts import Piece
from stocklab.data.merge import Merged, Overlap, merge_rows

__all__ = ["merge_statements", "own_reports"]

NAME: Final = "statements"
REPORT: Final = ["symbol", "period_end", "statement_basis"]
VERSION: Final = [*REPORT, "filed_on"]


def own_reports() -> pl.Expr:
    """Whether a row is of its filing's own period, not a comparative of an earlier one.

    A filing without a number is taken for a report of its own.
    """
    newest = pl.col("period_end").max().over("symbol", "filing_no")
    return pl.col("filing_no").is_null() | (pl.col("period_end") == newest)


def merge_statements(pieces: Sequence[Piece], stored: pl.DataFrame | None, overlap: Overlap) -> Merged:
    """Merge statement rows, without guesses where the receipt is known.

    Rows dated by the statutory deadline are left out, new or stored, once their report (symbol, period, basis) is known
    with its own receipt: else a late report's numbers would be visible before it was filed. Comparatives in a later
    filing do not count as that receipt.

    Raises
    ------
    BrokenInput
        As `merge_rows`.
    """
    before = stored if stored is not None else pl.DataFrame(schema=dict(DATASETS[NAME].schema))
    received = pl.concat([_received(frame) for frame in (before, *(piece.frame for piece in pieces))]).unique()
    kept = [replace(piece, frame=_without_guesses(piece.frame, received)) for piece in pieces]
    remaining = _without_guesses(before, received)
    gone = [_versions(piece.frame) - _versions(one.frame) for piece, one in zip(pieces, kept, strict=True)]
    superseded = sum(gone) + _versions(before) - _versions(remaining)
    merged = merge_rows(NAME, kept, remaining if stored is not None else None, overlap)
    if merged.frame is None and remaining.height < before.height:
        merged = replace(merged, frame=remaining)
    return replace(merged, superseded=superseded)


def _received(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.col("filed_source") == "receipt", own_reports()).select(REPORT).unique()


def _without_guesses(frame: pl.DataFrame, received: pl.DataFrame) -> pl.DataFrame:
    guessed = frame["filed_source"] == "deadline"
    if not guessed.any():
        return frame
    kept = frame.filter(guessed).join(received, on=REPORT, how="anti")
    return pl.concat([frame.filter(~guessed), kept])


def _versions(frame: pl.DataFrame) -> int:
    return frame.select(VERSION).n_unique()
