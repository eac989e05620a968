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
_KEY: Final = ["session", "symbol"]
_OVERLAP: Final = 0.5  # of an answer's symbols: below it two answers are of different kinds (shares, funds)


@dataclass(frozen=True, slots=True, kw_only=True)
class MergedSessions:
    """The rows of one dataset (or one year of it) after the answers; counts are rows.

    ``disagreements`` has the columns of that dataset.
    """

    frame: pl.DataFrame
    added: int
    replaced: int
    removed: int
    disagreements: pl.DataFrame

    @property
    def changed(self) -> bool:
        """Whether any row is another than before."""
        return bool(self.added or self.replaced or self.removed)


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
    stored = stored.select(DATASETS[dataset].schema.keys())
    touched = (
        pl.concat([frame["session"] for _, frame in answers]).unique() if answers else pl.Series([], dtype=pl.Date)
    )
    elsewhere = stored.filter(~pl.col("session").is_in(touched.implode()))
    before = rows = stored.filter(pl.col("session").is_in(touched.implode()))
    found = [_no_disagreements()]
    for feed in sorted({name for name, _ in answers}, key=lambda name: (rank.get(name, len(rank)), name)):
        new = pl.concat([frame for name, frame in answers if name == feed]).select(rows.columns)
        others = rows.filter(pl.col("source") != feed)
        found.append(_disagreements(dataset, new.join(others, on=_KEY, how="inner", suffix="_other")))
        rows = _with_answer(rows, new, feed, rank)
    values = [name for name in stored.columns if name not in _KEY]
    both = rows.join(before, on=_KEY, how="inner", suffix="_before")
    replaced = both.filter(pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name}_before")) for name in values))
    return MergedSessions(
        frame=pl.concat([elsewhere, rows]),
        added=rows.height - both.height,
        replaced=replaced.height,
        removed=before.height - both.height,
        disagreements=pl.concat(found),
    )


def _with_answer(rows: pl.DataFrame, new: pl.DataFrame, feed: str, rank: dict[str, int]) -> pl.DataFrame:
    """The rows after one feed's answers, which are complete for their sessions."""
    here = rows.filter(pl.col("session").is_in(new["session"].unique().implode()))
    others = here.filter(pl.col("source") != feed)
    better = _better(others, feed, rank)
    taken = new.join(_outranked(new, better), on="session", how="anti").join(better, on=_KEY, how="anti")
    answered = taken.select("session").unique()
    own_left = here.filter(pl.col("source") == feed).join(answered, on="session", how="anti")
    kept = others.join(_replaced_groups(others, taken), on=["session", "source"], how="anti")
    kept = kept.join(taken.select(_KEY), on=_KEY, how="anti")
    not_asked = rows.join(new.select("session").unique(), on="session", how="anti")
    return pl.concat([not_asked, own_left, kept, taken])


def _better(others: pl.DataFrame, feed: str, rank: dict[str, int]) -> pl.DataFrame:
    """(session, symbol) of stored rows of better sources."""
    last = len(rank)
    position = pl.col("source").replace_strict(rank, default=last, return_dtype=pl.Int64)
    return others.filter(position < rank.get(feed, last)).select(_KEY)


def _outranked(new: pl.DataFrame, better: pl.DataFrame) -> pl.DataFrame:
    """Sessions for which a better source's rows are stored."""
    shared = new.join(better, on=_KEY, how="semi").group_by("session").agg(shared=pl.len())
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
