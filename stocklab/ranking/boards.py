"""The boards: they follow what is published and withdrawn, and tell the best and the place of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from stocklab.db import BoardEntryRow, Database, OwnerRow, PublicationMarkRow, PublicationRow
from stocklab.db.keyset import PAGE_SIZE, Page, beyond
from stocklab.ranking.board_names import Board, BoardFilter, BoardLine, board_key
from stocklab.ranking.places import bury, place_of, places_of, put, rebuild
from stocklab.ranking.standing import after_publication_entry, backtest_entries
from stocklab.research.deflated_sharpe import probability

__all__ = ["MOST_OF_MINE", "Boards"]

MOST_OF_MINE: Final = 10
_SHOWN: Final = (
    BoardEntryRow,
    PublicationRow.name,
    OwnerRow.name.label("author"),
    PublicationRow.owner_id,
    PublicationRow.is_anonymous,
    PublicationRow.hides_rules,
    PublicationRow.revealed_at,
    PublicationRow.metrics,
    PublicationRow.published_at,
)


class Boards:
    """Reads the boards, and keeps them as a follower of `Publications`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def appeared(self, session: Session, row: PublicationRow) -> None:
        """Put a public publication on its boards; one that is not listed stands on none."""
        if row.visibility != "public":
            return
        entries = list(backtest_entries(row))
        marks = select(PublicationMarkRow.equity).where(PublicationMarkRow.publication_id == row.id)
        equities = session.scalars(marks.order_by(PublicationMarkRow.session)).all()
        if len(equities) > 1:
            entries.append(after_publication_entry(row, equities, None))
        put(session, entries)

    def vanished(self, session: Session, row: PublicationRow) -> None:
        """A withdrawn one leaves graves; what moderators hid goes without a trace."""
        bury(session, row.id, remove=row.hidden_at is not None)

    def top(
        self,
        reader_id: str | None,
        board: Board,
        *,
        synthetic: bool,
        chosen: BoardFilter | None = None,
        after: str | None = None,
    ) -> Page[BoardLine]:
        """The best of a board, graves between them; places count the living that the filter lets through.

        Raises
        ------
        InputError
            ``after`` is not a place on a board.
        """
        value, key = BoardEntryRow.value, board_key(board, synthetic=synthetic)
        statement = _joined().where(BoardEntryRow.board == key, *_conditions(chosen or BoardFilter()))
        statement = statement.where(
            *beyond(after, value, BoardEntryRow.publication_id, lambda text: float(text.split("|")[0]))
        )
        statement = statement.order_by(value.desc(), BoardEntryRow.publication_id.desc()).limit(PAGE_SIZE + 1)
        with self._database.read(reader_id) as session:
            rows = session.execute(statement).all()
        counter = _Counter(after)
        lines = tuple(_line(row, board, reader_id, counter.place(row[0])) for row in rows[:PAGE_SIZE])
        return Page(items=lines, after=counter.cursor(rows[PAGE_SIZE - 1][0]) if len(rows) > PAGE_SIZE else None)

    def place(self, board: Board, publication_id: str, *, synthetic: bool) -> int | None:
        """Place of one publication among all living entries; None where it has none."""
        with self._database.read() as session:
            return place_of(session, board_key(board, synthetic=synthetic), publication_id)

    def mine(self, owner_id: str, board: Board, *, synthetic: bool) -> tuple[BoardLine, ...]:
        """The owner's best entries with their places among all."""
        key = board_key(board, synthetic=synthetic)
        owned = select(PublicationRow.id).where(PublicationRow.owner_id == owner_id)
        statement = _joined().where(
            BoardEntryRow.board == key, BoardEntryRow.publication_id.in_(owned), ~BoardEntryRow.is_grave
        )
        # A sum, so that SQLite sorts the owner's few instead of walking the whole board in its order.
        statement = statement.order_by((BoardEntryRow.value + 0.0).desc(), BoardEntryRow.publication_id)
        statement = statement.limit(MOST_OF_MINE)
        with self._database.read(owner_id) as session:
            rows = session.execute(statement).all()
            places = places_of(session, key, [row[0].publication_id for row in rows])
        return tuple(_line(row, board, owner_id, places.get(row[0].publication_id)) for row in rows)

    def rebuild(self) -> None:
        """Count the bands of every board anew."""
        for board in Board:
            for synthetic in (False, True):
                with self._database.write() as session:
                    rebuild(session, board_key(board, synthetic=synthetic))


class _Counter:
    """Numbers the lines of a board in order: equal values share a place, graves get none.

    A cursor takes along how many were numbered and the last place, so that the next page goes on from there.
    """

    def __init__(self, after: str | None) -> None:
        parts = [] if after is None else after.rpartition("~")[0].split("|")
        whole = len(parts) == 4 and all(part.isdigit() for part in parts[1:3])
        self._living, self._place = (int(parts[1]), int(parts[2])) if whole else (0, 0)
        self._value = parts[3] if whole else ""

    def place(self, row: BoardEntryRow) -> int | None:
        if row.is_grave:
            return None
        self._living += 1
        if repr(row.value) != self._value:
            self._place, self._value = self._living, repr(row.value)
        return self._place

    def cursor(self, row: BoardEntryRow) -> str:
        return f"{row.value!r}|{self._living}|{self._place}|{self._value}~{row.publication_id}"


def _joined() -> Any:
    return (
        select(*_SHOWN)
        .join(PublicationRow, PublicationRow.id == BoardEntryRow.publication_id)
        .join(OwnerRow, OwnerRow.id == PublicationRow.owner_id)
    )


def _conditions(chosen: BoardFilter) -> Sequence[Any]:
    """Comparisons with what is not known are not true, so such entries are left out."""
    found: list[Any] = []
    if chosen.most_cost is not None:
        found.append(BoardEntryRow.cost_fraction <= chosen.most_cost)
    if chosen.least_capacity_krw is not None:
        found.append(BoardEntryRow.capacity_krw >= chosen.least_capacity_krw)
    if chosen.most_drawdown is not None:
        found.append(BoardEntryRow.max_drawdown >= -chosen.most_drawdown)
    if chosen.least_sessions is not None:
        found.append(BoardEntryRow.sessions >= chosen.least_sessions)
    return found


def _line(row: Any, board: Board, reader_id: str | None, place: int | None) -> BoardLine:
    entry: BoardEntryRow = row[0]
    return BoardLine(
        publication_id=entry.publication_id,
        place=place,
        value=probability(entry.value) if board is Board.DEFLATED_SHARPE else entry.value,
        name=row.name,
        author=None if row.is_anonymous else row.author,
        is_mine=reader_id is not None and row.owner_id == reader_id,
        is_grave=entry.is_grave,
        sealed=row.hides_rules and row.revealed_at is None,
        total_return=row.metrics.get("total_return"),
        cagr=row.metrics.get("cagr"),
        cost_fraction=entry.cost_fraction,
        capacity_krw=entry.capacity_krw,
        max_drawdown=entry.max_drawdown,
        sessions=entry.sessions,
        trials=entry.trials,
        published_at=row.published_at,
    )
