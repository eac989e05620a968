"""The symbols an owner watches, and those looked at last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from stocklab.community.refusals import Refusal, RefusalCode
from stocklab.db import Database, RecentSymbolRow, WatchRow
from stocklab.db.columns import utc_now
from stocklab.operations.inserting import insert_if_absent, storable

__all__ = ["MOST_RECENT", "MOST_WATCHED", "NOTE_LENGTH", "Recent", "RecentSymbols", "WatchList", "Watched"]

MOST_WATCHED: Final = 200
MOST_RECENT: Final = 30
NOTE_LENGTH: Final = 200
_SYMBOL_LENGTH: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A symbol on the list."""

    symbol: str
    note: str
    added_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """A symbol that was looked at."""

    symbol: str
    seen_at: datetime


class WatchList:
    """Symbols by owner, at most `MOST_WATCHED` each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, owner_id: str) -> tuple[Watched, ...]:
        """The owner's symbols, the one added last first."""
        rows = select(WatchRow.symbol, WatchRow.note, WatchRow.added_at).where(WatchRow.owner_id == owner_id)
        with self._database.read(owner_id) as session:
            found = session.execute(rows.order_by(WatchRow.added_at.desc(), WatchRow.symbol)).mappings()
            return tuple(Watched(**row) for row in found)

    def symbols(self, owner_id: str) -> frozenset[str]:
        """The owner's symbols."""
        with self._database.read(owner_id) as session:
            return frozenset(session.scalars(select(WatchRow.symbol).where(WatchRow.owner_id == owner_id)))

    def add(self, owner_id: str, symbol: str, *, now: datetime | None = None) -> bool:
        """Watch a symbol; False where it was watched already.

        Raises
        ------
        Refusal
            EMPTY, TOO_LONG: no symbol; TOO_MANY: the list is full.
        """
        wanted = _symbol(symbol)
        with self._database.write(owner_id) as session:
            watched = select(func.count()).select_from(WatchRow).where(WatchRow.owner_id == owner_id)
            if (session.scalar(watched) or 0) >= MOST_WATCHED and session.get(WatchRow, (owner_id, wanted)) is None:
                raise Refusal(RefusalCode.TOO_MANY, f"At most {MOST_WATCHED} symbols.", most=MOST_WATCHED)
            values = {"owner_id": owner_id, "symbol": wanted, "note": "", "added_at": now or utc_now()}
            return insert_if_absent(session, WatchRow, **values)

    def remove(self, owner_id: str, symbol: str) -> bool:
        """Watch a symbol no longer; False where it was not."""
        gone = delete(WatchRow).where(WatchRow.owner_id == owner_id, WatchRow.symbol == symbol)
        with self._database.write(owner_id) as session:
            return session.scalar(gone.returning(WatchRow.symbol)) is not None

    def note(self, owner_id: str, symbol: str, note: str) -> None:
        """Write a note beside a watched symbol, or empty it.

        Raises
        ------
        Refusal
            TOO_LONG; NOT_FOUND: it is not watched.
        """
        kept = " ".join(storable(note).split())
        if len(kept) > NOTE_LENGTH:
            raise Refusal(RefusalCode.TOO_LONG, f"At most {NOTE_LENGTH} characters.", most=NOTE_LENGTH)
        with self._database.write(owner_id) as session:
            row = session.get(WatchRow, (owner_id, symbol))
            if row is None:
                raise Refusal(RefusalCode.NOT_FOUND, "This symbol is not watched.")
            row.note = kept


class RecentSymbols:
    """What an owner looked at, at most `MOST_RECENT` symbols."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, owner_id: str, *, limit: int = MOST_RECENT) -> tuple[Recent, ...]:
        """The symbols, the one seen last first."""
        row = RecentSymbolRow
        rows = select(row.symbol, row.seen_at).where(row.owner_id == owner_id)
        with self._database.read(owner_id) as session:
            found = session.execute(rows.order_by(row.seen_at.desc(), row.symbol).limit(limit)).mappings()
            return tuple(Recent(**one) for one in found)

    def see(self, owner_id: str, symbol: str, *, now: datetime | None = None) -> None:
        """Note that a symbol was looked at; the ones seen longest ago make room.

        Raises
        ------
        Refusal
            EMPTY, TOO_LONG: no symbol.
        """
        wanted, moment = _symbol(symbol), now or utc_now()
        insert = postgresql_insert if self._database.backend == "postgresql" else sqlite_insert
        row = RecentSymbolRow
        statement = insert(row).values(owner_id=owner_id, symbol=wanted, seen_at=moment)
        statement = statement.on_conflict_do_update(index_elements=["owner_id", "symbol"], set_={"seen_at": moment})
        older = (
            select(row.symbol)
            .where(row.owner_id == owner_id)
            .order_by(row.seen_at.desc(), row.symbol)
            .offset(MOST_RECENT)
        )
        with self._database.write(owner_id) as session:
            session.execute(statement)
            session.execute(delete(row).where(row.owner_id == owner_id, row.symbol.in_(older)))

    def clear(self, owner_id: str) -> None:
        """Forget what was looked at."""
        with self._database.write(owner_id) as session:
            session.execute(delete(RecentSymbolRow).where(RecentSymbolRow.owner_id == owner_id))


def _symbol(symbol: str) -> str:
    kept = storable(symbol).strip()
    if not kept:
        raise Refusal(RefusalCode.EMPTY, "No symbol was given.")
    if len(kept) > _SYMBOL_LENGTH:
        raise Refusal(RefusalCode.TOO_LONG, f"A symbol has at most {_SYMBOL_LENGTH} characters.", most=_SYMBOL_LENGTH)
    return kept
