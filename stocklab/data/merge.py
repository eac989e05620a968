"""Merge imported rows with each other and with the stored ones: equal rows are one, different ones are a decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import polars as pl

from stocklab.data.datasets import DATASETS, DatasetSpec
from stocklab.data.layouts import ROW, Piece
from stocklab.errors import BrokenInput

__all__ = ["FILE", "Merged", "Overlap", "merge_instruments", "merge_rows", "unique_rows", "without_frame"]

FILE: Final = "_file"
_CLASH: Final = "_clash"
_TEXT_ONLY: Final = frozenset(
    {"source", "dept", "name", "filing_no"}
)  # descriptions: a difference is not a contradiction
_SCALE_HINT: Final = (
    ", without symbols whose closes are on another scale; --rebase brings stored bars to the scale of newer ones first."
)


class Overlap(StrEnum):
    """What to do with an imported row whose key is stored with other values."""

    REFUSE = "refuse"
    REPLACE = "replace"
    NEW_ROWS_ONLY = "new-rows-only"
    REBASE = "rebase"  # adjusted bars: stored ones are brought to the new scale (`rebase`); else as NEW_ROWS_ONLY


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The merged rows of one dataset (or one year of it); ``frame`` is None when nothing changes.

    ``superseded`` counts reports that gave way to a better dated version (`merge_statements`).
    """

    frame: pl.DataFrame | None
    added: int = 0
    replaced: int = 0
    left_out: tuple[str, ...] = ()
    superseded: int = 0


def without_frame(merged: Merged) -> Merged:
    """The counts alone, so that the rows can be freed."""
    return replace(merged, frame=None)


def merge_rows(dataset: str, pieces: Sequence[Piece], stored: pl.DataFrame | None, overlap: Overlap) -> Merged:
    """Merge pieces of one dataset with its stored rows.

    Raises
    ------
    BrokenInput
        A key appears twice in one file, in two files of this import with different values, or, with `Overlap.REFUSE`,
        in the store with different values.
    """
    spec = DATASETS[dataset]
    new = unique_rows(spec, pieces)
    if stored is None or stored.is_empty():
        return Merged(frame=new.drop(ROW, FILE), added=new.height)
    both = new.join(stored, on=spec.key, how="left", suffix="_stored", maintain_order="left", coalesce=True)
    known = both[f"{_probe(spec)}_stored"].is_not_null()
    clash = known & both.select(_differs(spec, "_stored")).to_series()
    if clash.any() and overlap is Overlap.REFUSE:
        raise _stored_conflict(spec, both.filter(clash), pieces)
    left_out: tuple[str, ...] = ()
    taken = new.filter(~known | clash) if overlap is Overlap.REPLACE else new.filter(~known)
    if (
        overlap in (Overlap.NEW_ROWS_ONLY, Overlap.REBASE)
        and clash.any()
        and "close" in spec.schema
        and "symbol" in spec.key
    ):
        rescaled = both.filter(known & (pl.col("close") != pl.col("close_stored")))["symbol"].unique().sort()
        taken = taken.filter(~pl.col("symbol").is_in(rescaled.implode()))
        left_out = tuple(rescaled.to_list())
    if taken.is_empty():
        return Merged(frame=None, left_out=left_out)
    replaced = int(clash.sum()) if overlap is Overlap.REPLACE else 0
    kept = stored.join(taken.select(spec.key), on=spec.key, how="anti") if replaced else stored
    frame = pl.concat([kept.select(spec.schema.keys()), taken.select(spec.schema.keys())])
    return Merged(frame=frame, added=taken.height - replaced, replaced=replaced, left_out=left_out)


def merge_instruments(pieces: Sequence[Piece], stored: pl.DataFrame | None) -> Merged:
    """Merge instrument rows field by field: a master list overrules, what other files say only fills gaps.

    Pieces that only fill come last and add no symbol.
    """
    columns = list(DATASETS["instruments"].schema)
    rest = [name for name in columns if name != "symbol"]
    merged = stored.select(columns) if stored is not None else pl.DataFrame(schema=dict(DATASETS["instruments"].schema))
    for piece in sorted(pieces, key=lambda one: one.fills_only):
        rows = piece.frame.select(columns)
        is_master = rows["listed_on"].null_count() < rows.height
        both = merged.join(rows, on="symbol", how="left" if piece.fills_only else "full", suffix="_new", coalesce=True)
        first, second = ("_new", "") if is_master else ("", "_new")
        merged = both.select(
            "symbol", *(pl.coalesce(_known(f"{name}{first}"), _known(f"{name}{second}")).alias(name) for name in rest)
        ).with_columns(pl.col("name", "market", "kind").fill_null(""))
    merged = merged.select(columns).sort("symbol")
    if merged.is_empty() or (stored is not None and merged.equals(stored.select(columns).sort("symbol"))):
        return Merged(frame=None)
    return Merged(frame=merged, added=merged.height - (stored.height if stored is not None else 0))


def _known(name: str) -> pl.Expr:
    if name.removesuffix("_new") in {"name", "market", "kind", "sector"}:
        return pl.when(pl.col(name) != "").then(pl.col(name))
    return pl.col(name)


def unique_rows(spec: DatasetSpec, pieces: Sequence[Piece]) -> pl.DataFrame:
    """All rows by key, equal rows of several pieces once; `ROW` and `FILE` tell where each came from.

    Raises
    ------
    BrokenInput
        A key appears twice in one piece, or in two with different values.
    """
    frames = [
        piece.frame.select(*spec.schema.keys(), ROW).with_columns(pl.lit(number, dtype=pl.UInt32).alias(FILE))
        for number, piece in enumerate(pieces)
    ]
    rows = pl.concat(frames).sort(*spec.key, FILE, ROW)
    again = rows.select(
        pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in spec.key).fill_null(value=False)
    ).to_series()
    if not again.any():
        return rows
    before = rows.select(pl.all().shift(1).name.suffix("_before"))
    pairs = pl.concat([rows, before], how="horizontal").filter(again)
    within = pairs.filter(pl.col(FILE) == pl.col(f"{FILE}_before")).sort(FILE, ROW)
    if within.height:
        first = within.row(0, named=True)
        raise BrokenInput(
            f"the key {_key_text(spec, first)} was already in row {first[f'{ROW}_before']}; each may appear once.",
            file=pieces[first[FILE]].file,
            row=first[ROW],
            column=pieces[first[FILE]].their_name(spec.key[-1]),
        )
    differing = pairs.filter(_differs(spec, "_before")).sort(FILE, ROW)
    if differing.height:
        first = differing.row(0, named=True)
        name = _first_difference(spec, first, "_before")
        raise BrokenInput(
            f"{_key_text(spec, first)} has {name} {first[name]} here and {first[f'{name}_before']} in "
            f"{pieces[first[f'{FILE}_before']].file}, row {first[f'{ROW}_before']}.",
            file=pieces[first[FILE]].file,
            row=first[ROW],
            column=pieces[first[FILE]].their_name(name),
            hint="import the file you trust, then the other one with --new-rows-only or --replace.",
        )
    return rows.filter(~again)


def _stored_conflict(spec: DatasetSpec, clashing: pl.DataFrame, pieces: Sequence[Piece]) -> BrokenInput:
    first = clashing.sort(FILE, ROW).row(0, named=True)
    name = _first_difference(spec, first, "_stored")
    return BrokenInput(
        f"{_key_text(spec, first)} has {name} {first[name]} here, but {first[f'{name}_stored']} is stored "
        f"({clashing.height} rows differ).",
        file=pieces[first[FILE]].file,
        row=first[ROW],
        column=pieces[first[FILE]].their_name(name),
        hint="--replace takes the file's values; --new-rows-only adds only rows that are not stored"
        + (_SCALE_HINT if "close" in spec.schema else "."),
    )


def _values(spec: DatasetSpec) -> list[str]:
    return [name for name in spec.schema if name not in spec.key and name not in _TEXT_ONLY]


def _probe(spec: DatasetSpec) -> str:
    """A column that is never null in a stored row, to tell whether one was found."""
    return next(name for name in spec.schema if name not in spec.key and name not in spec.nullable)


def _differs(spec: DatasetSpec, suffix: str) -> pl.Expr:
    if not _values(spec):  # the key says all there is
        return pl.repeat(value=False, n=pl.len(), dtype=pl.Boolean)
    return pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}{suffix}")) for name in _values(spec))


def _first_difference(spec: DatasetSpec, row: dict[str, object], suffix: str) -> str:
    names = sorted(_values(spec), key=lambda name: name != "close")
    return next(name for name in names if row[name] != row[f"{name}{suffix}"])


def _key_text(spec: DatasetSpec, row: dict[str, object]) -> str:
    return "(" + ", ".join(str(row[name]) for name in spec.key) + ")"
