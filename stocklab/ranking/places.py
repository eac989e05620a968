"""Places on a board: entries, and how many there are in each band of values.

The place of one of a hundred thousand is a sum over bands plus a count within its own band; both are kept by the
transaction that moves an entry.
"""

from __future__ import annotations

import math
import struct
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from stocklab.db import BoardBucketRow, BoardEntryRow
from stocklab.db.columns import utc_now
from stocklab.errors import InputError

__all__ = ["Entry", "bucket_of", "bury", "place_of", "put", "rebuild"]

_BITS: Final = 44
"""Bits of a float that do not matter to its band: eight of its 52 binary places stay, so a band is 0.4 % wide."""

_SIGNLESS: Final = 0x7FFF_FFFF_FFFF_FFFF


def bucket_of(value: float) -> int:
    """Band of a value. Never smaller for a larger value: it is read off the bits of the float, not computed.

    Raises
    ------
    InputError
        The value is not finite.

    >>> bucket_of(0.5) < bucket_of(0.51) and bucket_of(-0.5) > bucket_of(-0.51) and bucket_of(0.0) == bucket_of(-0.0)
    True
    """
    if not math.isfinite(value):
        raise InputError(f"Expected a finite value, found {value}.")
    (bits,) = struct.unpack("<q", struct.pack("<d", value + 0.0))
    ordered: int = bits if bits >= 0 else -(bits & _SIGNLESS)
    return ordered >> _BITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A publication on a board: the value that orders it, larger first, and what boards are filtered by."""

    board: str
    publication_id: str
    value: float
    sessions: int
    trials: int
    cost_fraction: float | None = None
    capacity_krw: float | None = None
    max_drawdown: float | None = None


def put(session: Session, entries: Iterable[Entry], *, now: datetime | None = None) -> None:
    """Put entries on their boards, or move those that are there; a grave among them rises again.

    Raises
    ------
    InputError
        A value is not finite.
    """
    moved: Counter[tuple[str, int]] = Counter()
    for entry in sorted(entries, key=lambda one: (one.board, one.publication_id)):
        values = _values(entry, now or utc_now())
        added = session.execute(
            _insert(session, BoardEntryRow).values(values).on_conflict_do_nothing().returning(BoardEntryRow.bucket)
        ).all()
        moved[entry.board, values["bucket"]] += 1
        if not added:
            before = _locked(session, entry.board, entry.publication_id)
            if not before.is_grave:
                moved[entry.board, before.bucket] -= 1
            session.execute(update(BoardEntryRow).where(*_is(entry.board, entry.publication_id)).values(values))
    _count(session, moved)


def bury(session: Session, publication_id: str, *, remove: bool = False) -> None:
    """Take every entry of a publication off its places; it stays visible as a grave, unless it is to be removed."""
    wanted = select(BoardEntryRow.board, BoardEntryRow.bucket, BoardEntryRow.is_grave)
    wanted = wanted.where(BoardEntryRow.publication_id == publication_id)
    rows = session.execute(wanted.order_by(BoardEntryRow.board).with_for_update()).all()
    _count(session, Counter({(row.board, row.bucket): -1 for row in rows if not row.is_grave}))
    # Those that were counted and no others: another transaction may have added one since.
    counted = (
        BoardEntryRow.publication_id == publication_id,
        BoardEntryRow.board.in_([row.board for row in rows]),
    )
    session.execute(
        delete(BoardEntryRow).where(*counted) if remove else update(BoardEntryRow).where(*counted).values(is_grave=True)
    )


def place_of(session: Session, board: str, publication_id: str) -> int | None:
    """1 for the best; as many places are left out as entries tie. None without an entry, or for a grave.

    One statement, so that it sees one moment.
    """
    mine = (
        select(BoardEntryRow.value, BoardEntryRow.bucket)
        .where(*_is(board, publication_id), ~BoardEntryRow.is_grave)
        .cte("mine")
    )
    above = (
        select(func.coalesce(func.sum(BoardBucketRow.entries), 0))
        .where(BoardBucketRow.board == board, BoardBucketRow.bucket > mine.c.bucket)
        .correlate(mine)
        .scalar_subquery()
    )
    beside = (
        select(func.count())
        .select_from(BoardEntryRow)
        .where(
            BoardEntryRow.board == board,
            BoardEntryRow.bucket == mine.c.bucket,
            BoardEntryRow.value > mine.c.value,
            ~BoardEntryRow.is_grave,
        )
        .correlate(mine)
        .scalar_subquery()
    )
    better = session.scalar(select(above + beside).select_from(mine))
    return None if better is None else int(better) + 1


def rebuild(session: Session, board: str) -> None:
    """Count the bands of a board anew from its entries."""
    session.execute(delete(BoardBucketRow).where(BoardBucketRow.board == board))
    counted = (
        select(BoardEntryRow.board, BoardEntryRow.bucket, func.count())
        .where(BoardEntryRow.board == board, ~BoardEntryRow.is_grave)
        .group_by(BoardEntryRow.board, BoardEntryRow.bucket)
    )
    session.execute(insert(BoardBucketRow).from_select(["board", "bucket", "entries"], counted))


def _values(entry: Entry, now: datetime) -> dict[str, Any]:
    return {
        "board": entry.board,
        "publication_id": entry.publication_id,
        "value": entry.value,
        "bucket": bucket_of(entry.value),
        "is_grave": False,
        "cost_fraction": entry.cost_fraction,
        "capacity_krw": entry.capacity_krw,
        "max_drawdown": entry.max_drawdown,
        "sessions": entry.sessions,
        "trials": entry.trials,
        "updated_at": now,
    }


def _is(board: str, publication_id: str) -> tuple[Any, ...]:
    return BoardEntryRow.board == board, BoardEntryRow.publication_id == publication_id


def _locked(session: Session, board: str, publication_id: str) -> BoardEntryRow:
    """As it stands now: another transaction may have moved it since this one began."""
    wanted = select(BoardEntryRow).where(*_is(board, publication_id)).with_for_update()
    return session.execute(wanted, execution_options={"populate_existing": True}).scalar_one()


def _insert(session: Session, table: Any) -> Any:
    return (postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert)(table)


def _count(session: Session, moved: Mapping[tuple[str, int], int]) -> None:
    """Change the counts, always in the same order, so that two transactions cannot wait for each other."""
    for (board, bucket), change in sorted(moved.items()):
        if not change:
            continue
        added = _insert(session, BoardBucketRow).values(board=board, bucket=bucket, entries=change)
        session.execute(
            added.on_conflict_do_update(
                index_elements=["board", "bucket"], set_={"entries": BoardBucketRow.entries + change}
            )
        )
