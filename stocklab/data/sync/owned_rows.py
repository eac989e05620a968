"""Bars that several sources offer: for each session one source's rows stand, and differences are written down.

Sources rank: the feeds in the order the user chose, then what was imported from files. The better one's rows of a
session replace the others'; a worse one's are compared and left out. An answer to a session that was stored before
replaces what the same feed said then, rows that are gone included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from stocklab.data.datasets import DATASETS

__all__ = ["DISAGREEMENTS", "MergedSessions", "merge_sessions"]

DISAGREEMENTS: Final = "disagreements"
_DESCRIPTIONS: Final = frozenset({"source", "dept"})
_OVERLAP: Final = 0.5  # of an answer's symbols: below it two answers are of different kinds (shares, funds)


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedSessions:
    """The rows of one dataset (or one year of it) after the answers; counts are rows.

    ``disagreements`` has the columns of that dataset.
    """

    frame: pl.DataFrame
    changed: bool
    added: int
    replaced: int
    removed: int
    disagreements: pl.DataFrame


def merge_sessions(
    dataset: str, stored: pl.DataFrame, answers: Sequence[tuple[str, pl.DataFrame]], *, order: Sequence[str]
) -> MergedSessions:
    """Merge whole-session answers into stored rows.

    Parameters
    ----------
    dataset : str
        A dataset with the columns session, symbol and source.
    stored : rows of that dataset
    answers : (feed, rows)
        Each complete for the feed's sessions, ``source`` already the feed's name.
    order : feed names, the most trusted first
    """
    rank = {name: position for position, name in enumerate(order)}
    rows = stored.select(DATASETS[dataset].schema.keys())
    added = replaced = removed = 0
    found = []
    changed = False
    for feed in sorted({name for name, _ in answers}, key=lambda name: (rank.get(name, len(rank)), name)):
        new = pl.concat([frame for name, frame in answers if name == feed]).select(rows.columns)
        step = _merge_one(dataset, rows, new, feed, rank)
        rows, changed = step.frame, changed or step.changed
        added, replaced, removed = added + step.added, replaced + step.replaced, removed + step.removed
        found.append(step.disagreements)
    return MergedSessions(
        frame=rows,
        changed=changed,
        added=added,
        replaced=replaced,
        removed=removed,
        disagreements=pl.concat(found) if found else _no_disagreements(),
    )


def _merge_one(dataset: str, rows: pl.DataFrame, new: pl.DataFrame, feed: str, rank: dict[str, int]) -> MergedSessions:
    key = ["session", "symbol"]
    sessions = new["session"].unique()
    here = rows.filter(pl.col("session").is_in(sessions.implode()))
    elsewhere = rows.filter(~pl.col("session").is_in(sessions.implode()))
    own = here.filter(pl.col("source") == feed)
    others = here.filter(pl.col("source") != feed)
    yielding = _outranked(new, others, feed, rank)
    compared = new.join(others, on=key, how="inner", suffix="_other")
    disagreements = _disagreements(dataset, compared)
    taken = new.join(yielding, on="session", how="anti")
    own_left = own.join(taken.select("session").unique(), on="session", how="anti")
    kept = others.join(_replaced_groups(others, taken), on=["session", "source"], how="anti")
    kept = kept.join(taken.select(key), on=key, how="anti")
    both = taken.join(own, on=key, how="inner", suffix="_own")
    values = [name for name in DATASETS[dataset].schema if name not in {*key, "source"}]
    differing = both.filter(pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_own")) for name in values))
    gone = own.join(taken.select("session").unique(), on="session", how="semi").join(
        taken.select(key), on=key, how="anti"
    )
    fresh = taken.join(own.select(key), on=key, how="anti")
    return MergedSessions(
        frame=pl.concat([elsewhere, own_left, kept, taken]),
        changed=bool(differing.height or gone.height or fresh.height),
        added=fresh.join(others.select(key), on=key, how="anti").height,
        replaced=differing.height + fresh.join(others.select(key), on=key, how="semi").height,
        removed=gone.height,
        disagreements=disagreements,
    )


def _outranked(new: pl.DataFrame, others: pl.DataFrame, feed: str, rank: dict[str, int]) -> pl.DataFrame:
    """Sessions for which a better source's rows are stored."""
    last = len(rank)
    position = pl.col("source").replace_strict(rank, default=last, return_dtype=pl.Int64)
    better = others.filter(position < rank.get(feed, last)).select("session", "symbol")
    shared = new.join(better, on=["session", "symbol"], how="semi").group_by("session").agg(shared=pl.len())
    return (
        new.group_by("session")
        .agg(asked=pl.len())
        .join(shared, on="session", how="inner")
        .filter(pl.col("shared") >= _OVERLAP * pl.col("asked"))
        .select("session")
    )


def _replaced_groups(others: pl.DataFrame, taken: pl.DataFrame) -> pl.DataFrame:
    """(session, source) of stored rows that the new ones are of the same kind as: they go as a whole, also the symbols
    that the better source does not have."""
    shared = others.join(taken.select("session", "symbol"), on=["session", "symbol"], how="semi")
    return (
        others.group_by("session", "source")
        .agg(stored=pl.len())
        .join(shared.group_by("session", "source").agg(shared=pl.len()), on=["session", "source"], how="inner")
        .filter(pl.col("shared") >= _OVERLAP * pl.col("stored"))
        .select("session", "source")
    )


def _disagreements(dataset: str, compared: pl.DataFrame) -> pl.DataFrame:
    """One row per value on which two sources differ; a value one of them does not give is no difference."""
    spec = DATASETS[dataset]
    frames = [_no_disagreements()]
    for name in spec.schema:
        if name in spec.key or name in _DESCRIPTIONS:
            continue
        differing = compared.filter(
            pl.col(name).is_not_null()
            & pl.col(f"{name}_other").is_not_null()
            & (pl.col(name) != pl.col(f"{name}_other"))
        )
        frames.append(
            differing.select(
                pl.lit(dataset).alias("dataset"),
                "session",
                "symbol",
                pl.lit(name).alias("column"),
                "source",
                pl.col(name).cast(pl.String).alias("value"),
                pl.col("source_other").alias("other_source"),
                pl.col(f"{name}_other").cast(pl.String).alias("other_value"),
            )
        )
    return pl.concat(frames)


def _no_disagreements() -> pl.DataFrame:
    return pl.DataFrame(schema=dict(DATASETS[DISAGREEMENTS].schema))
