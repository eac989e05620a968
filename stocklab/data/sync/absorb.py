"""Kept answers become the next snapshot: their rows, what was asked for, and where sources differ, in one step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from stocklab.data.datasets import DATASETS, PRICES_RAW
from stocklab.data.layouts import ROW, Piece
from stocklab.data.merge import Overlap, merge_rows
from stocklab.data.merge_statements import merge_statements
from stocklab.data.merge_years import merge_years
from stocklab.data.snapshot import UNCHANGED, Partitions, Snapshot, Unchanged
from stocklab.data.sources.feed import AnswerState
from stocklab.data.store import Store
from stocklab.data.sync.inbox import Inbox, Kept
from stocklab.data.sync.named_rows import merge_named
from stocklab.data.sync.owned_rows import DISAGREEMENTS, MergedSessions, merge_sessions

__all__ = ["COVERAGE", "Absorbed", "absorb", "coverage_of", "real_snapshot", "rows_answered"]

COVERAGE: Final = "coverage"
_MOST_DISAGREEMENTS: Final = 20_000  # kept; the newest stay

Coverage = dict[str, dict[str, str]]  # feed -> key -> checksum
Content = dict[str, pl.DataFrame | Partitions | Unchanged]


@dataclass(slots=True, kw_only=True)
class Absorbed:
    """What a step changed; counts are rows per dataset."""

    snapshot_id: str | None = None
    answers: int = 0
    added: dict[str, int] = field(default_factory=dict)
    replaced: dict[str, int] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)
    disagreements: int = 0

    def count(self, dataset: str, *, added: int, replaced: int = 0, removed: int = 0) -> None:
        """Add to the counts of a dataset."""
        for counts, number in ((self.added, added), (self.replaced, replaced), (self.removed, removed)):
            if number:
                counts[dataset] = counts.get(dataset, 0) + number

    def include(self, other: Absorbed) -> None:
        """Add a later step's counts."""
        self.snapshot_id = other.snapshot_id or self.snapshot_id
        self.answers += other.answers
        self.disagreements += other.disagreements
        for name in DATASETS:
            self.count(
                name,
                added=other.added.get(name, 0),
                replaced=other.replaced.get(name, 0),
                removed=other.removed.get(name, 0),
            )


def real_snapshot(store: Store) -> Snapshot | None:
    """The current snapshot, None in an empty home and in one of demo data, which market data are never mixed with."""
    current = store.current()
    return current if current is not None and not current.synthetic else None


def coverage_of(snapshot: Snapshot | None) -> Coverage:
    """Feed -> key -> checksum of what a snapshot holds answers to."""
    if snapshot is None or not snapshot.has(COVERAGE):
        return {}
    rows = snapshot.scan(COVERAGE).select("feed", "key", "checksum").collect()
    known: Coverage = {}
    for feed, key, checksum in rows.iter_rows():
        known.setdefault(feed, {})[key] = checksum
    return known


def rows_answered(snapshot: Snapshot | None, feed: str) -> dict[str, int]:
    """Key -> rows of the answers of one feed that a snapshot holds."""
    if snapshot is None or not snapshot.has(COVERAGE):
        return {}
    rows = snapshot.scan(COVERAGE).filter(pl.col("feed") == feed).select("key", "rows").collect()
    return dict(rows.iter_rows())


def absorb(store: Store, inbox: Inbox, *, order: Sequence[str]) -> Absorbed:
    """Write every kept answer into the next snapshot and empty the inbox.

    A kill before the snapshot is current changes nothing; after it, the answers left in the inbox are found to be
    stored.

    Parameters
    ----------
    order : feed names, the most trusted first
        See `owned_rows`.

    Raises
    ------
    StoreError
        Somebody else writes, or the disk refuses; the current snapshot and the inbox stay as they are.
    """
    with store.writing("store what the sources answered", wait_seconds=600.0):
        base = real_snapshot(store)
        known = coverage_of(base)
        pending = inbox.pending()
        fresh = [
            kept
            for kept in pending
            if kept.state is not AnswerState.NOT_YET and known.get(kept.feed, {}).get(kept.key) != kept.checksum
        ]
        done = Absorbed(answers=len(fresh), snapshot_id=base.id if base is not None else None)
        if fresh:
            content, sources = _content(base, known, fresh, order, done)
            done.snapshot_id = store.write(content, sources=sources).id
        inbox.drop(pending)
        return done


def _content(
    base: Snapshot | None, known: Coverage, fresh: Sequence[Kept], order: Sequence[str], done: Absorbed
) -> tuple[Content, dict[str, str]]:
    content: Content = dict.fromkeys(base.manifest.datasets, UNCHANGED) if base is not None else {}
    sources: dict[str, str] = {}
    differing: list[pl.DataFrame] = []
    for name in sorted({dataset for kept in fresh for dataset in kept.datasets()}):
        mine = [kept for kept in fresh if name in kept.datasets()]
        stored = base if base is not None and name in base.manifest.datasets else None
        value: pl.DataFrame | Partitions | None
        if name == PRICES_RAW:
            sessions = _sessions(mine, stored, order, done)
            value = sessions.content
            differing.append(sessions.disagreements)
        else:
            value = _others(name, mine, stored, done, known)
        if value is not None:
            content[name] = value
            sources[name] = _source(base, name, mine)
    content[COVERAGE] = _coverage(base, fresh)
    sources[COVERAGE] = "what the sources were asked"
    found = pl.concat(differing) if differing else None
    if found is not None and found.height:
        done.disagreements = found.height
        content[DISAGREEMENTS] = _disagreements(base, found)
        sources[DISAGREEMENTS] = "comparison of the sources"
    return content, sources


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sessions:
    content: Partitions | None
    disagreements: pl.DataFrame


def _sessions(mine: Sequence[Kept], stored: Snapshot | None, order: Sequence[str], done: Absorbed) -> _Sessions:
    """Raw bars: whole sessions of ranked sources."""
    name = PRICES_RAW
    differing: list[pl.DataFrame] = []
    files = {int(year): path for year, path in stored.files(name).items()} if stored is not None else {}
    years: dict[int, pl.DataFrame | Unchanged] = dict.fromkeys(files, UNCHANGED)
    by_year: dict[int, list[tuple[Kept, pl.DataFrame]]] = {}
    for kept in mine:
        frame = kept.frame(name)
        if frame is not None:
            for (year,), part in frame.group_by(pl.col("session").dt.year()):
                by_year.setdefault(int(str(year)), []).append((kept, part))
    changed = False
    for year in sorted(by_year):
        before = pl.read_parquet(files[year], glob=False) if year in files else _nothing(name)
        answers = [(kept.feed, _with_left_out(kept, part, before)) for kept, part in by_year.pop(year)]
        merged: MergedSessions = merge_sessions(name, before, answers, order=order)
        done.count(name, added=merged.added, replaced=merged.replaced, removed=merged.removed)
        differing.append(merged.disagreements)
        if merged.changed:
            years[year] = merged.frame
            changed = True
    return _Sessions(
        content=Partitions(years=dict(sorted(years.items()))) if changed else None,
        disagreements=pl.concat(differing) if differing else _nothing(DISAGREEMENTS),
    )


def _with_left_out(kept: Kept, rows: pl.DataFrame, stored: pl.DataFrame) -> pl.DataFrame:
    """An answer with the stored rows of symbols that it named by a row nobody could take: they did not vanish."""
    if not kept.left_out:
        return rows
    theirs = stored.filter(
        pl.col("source") == kept.feed,
        pl.col("session").is_in(rows["session"].unique().implode()),
        pl.col("symbol").is_in(list(kept.left_out)),
    )
    missing = theirs.join(rows, on=["session", "symbol"], how="anti")
    return pl.concat([rows, missing.select(rows.columns)])


def _others(
    name: str, mine: Sequence[Kept], stored: Snapshot | None, done: Absorbed, known: Coverage
) -> pl.DataFrame | Partitions | None:
    """Datasets of one source: rows are added, and a newer answer's values replace the stored ones."""
    before = stored.scan(name).collect() if stored is not None and not DATASETS[name].by_year else None
    if name == "instruments":
        named = merge_named(mine, before, known)
        done.count(name, added=named.added)
        return named.frame
    newest: dict[str, Piece] = {}
    for kept in mine:
        frame = kept.frame(name)
        if frame is not None:
            rows = frame.with_row_index(ROW, offset=1)
            newest[f"{kept.feed} {kept.key}"] = Piece(dataset=name, file=f"{kept.feed} {kept.key}", frame=rows)
    pieces = _without_repeats(name, list(newest.values()))
    if DATASETS[name].by_year:
        content, parts = merge_years(name, pieces, stored, Overlap.REPLACE)
        for part in parts:
            done.count(name, added=part.added, replaced=part.replaced)
        return content
    if name == "statements":
        one = merge_statements(pieces, before, Overlap.REPLACE)
    else:
        one = merge_rows(name, pieces, before, Overlap.REPLACE)
    done.count(name, added=one.added, replaced=one.replaced)
    return one.frame


def _without_repeats(name: str, pieces: list[Piece]) -> list[Piece]:
    """Several answers may hold the same row (a weekly list, a report asked for twice): the later answer's stands."""
    spec = DATASETS[name]
    if len(pieces) < 2:
        return pieces
    rows = pl.concat([piece.frame.with_columns(pl.lit(number).alias("_piece")) for number, piece in enumerate(pieces)])
    rows = rows.unique(spec.key, keep="last", maintain_order=True)
    parts = []
    for number, piece in enumerate(pieces):
        frame = rows.filter(pl.col("_piece") == number).drop("_piece")
        if frame.height:
            parts.append(Piece(dataset=name, file=piece.file, frame=frame))
    return parts


def _coverage(base: Snapshot | None, fresh: Sequence[Kept]) -> pl.DataFrame:
    new = pl.DataFrame(
        {
            "feed": [kept.feed for kept in fresh],
            "key": [kept.key for kept in fresh],
            "state": [kept.state.value for kept in fresh],
            "rows": [kept.rows for kept in fresh],
            "checksum": [kept.checksum for kept in fresh],
        },
        schema=dict(DATASETS[COVERAGE].schema),
    )
    if base is None or COVERAGE not in base.manifest.datasets:
        return new
    before = base.scan(COVERAGE).collect()
    return pl.concat([before.join(new, on=["feed", "key"], how="anti"), new])


def _disagreements(base: Snapshot | None, found: pl.DataFrame) -> pl.DataFrame:
    if base is not None and DISAGREEMENTS in base.manifest.datasets:
        found = pl.concat([base.scan(DISAGREEMENTS).collect(), found])
    key = list(DATASETS[DISAGREEMENTS].key)
    return found.unique(key, keep="last", maintain_order=True).sort("session").tail(_MOST_DISAGREEMENTS)


def _source(base: Snapshot | None, name: str, mine: Sequence[Kept]) -> str:
    """What the dataset was made of so far, and the feeds of now."""
    before = base.manifest.datasets[name].source if base is not None and name in base.manifest.datasets else ""
    parts = [*before.split("; "), *sorted({kept.feed for kept in mine})]
    return "; ".join(dict.fromkeys(part for part in parts if part))


def _nothing(name: str) -> pl.DataFrame:
    return pl.DataFrame(schema=dict(DATASETS[name].schema))
