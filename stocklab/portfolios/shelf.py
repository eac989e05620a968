"""The owner's strategies as possessions: page by page, by folder and tag, with notes, history and files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, String, column, exists, func, or_, select
from sqlalchemy.orm import Session

from stocklab.db import Database, RunRow, StrategyRow, StrategyVersionRow
from stocklab.db.keyset import PAGE_SIZE, Page, beyond, page_of
from stocklab.errors import InputError
from stocklab.portfolios.ideas import Ideas
from stocklab.portfolios.runs import RunView, view_of_run
from stocklab.portfolios.strategies import (
    SavedStrategy,
    Strategies,
    StrategyNotFound,
    StrategySummary,
    StrategyVersion,
    summary_of,
)
from stocklab.strategy import dump, parse_document
from stocklab.strategy.json_text import MAX_BYTES

__all__ = ["LONGEST_NOTE", "Folder", "Shelf", "ShelfSort", "VersionHistory"]

ShelfSort = Literal["updated", "created", "name"]
LONGEST_NOTE: Final = 10_000
_MOST_VERSIONS: Final = 200
_MOST_RUNS: Final = 200
_NAME = func.lower(StrategyRow.name)
_COLUMNS: Final[dict[ShelfSort, Any]] = {
    "updated": StrategyRow.updated_at,
    "created": StrategyRow.created_at,
    "name": _NAME,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder and how many strategies are in it; the name None stands for "in no folder"."""

    name: str | None
    strategies: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionHistory:
    """A version with the runs of its rules, the newest first; versions with the same rules share runs."""

    version: StrategyVersion
    runs: tuple[RunView, ...]


class Shelf:
    """What an owner does with saved strategies beside saving them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._strategies = Strategies(database)
        self._ideas = Ideas(database)

    def page(
        self,
        owner_id: str,
        *,
        search: str = "",
        folder: str | None = None,
        tag: str | None = None,
        sort: ShelfSort = "updated",
        after: str | None = None,
    ) -> Page[StrategySummary]:
        """Strategies of an owner.

        Parameters
        ----------
        search : str
            Part of a name or folder.
        folder : str, optional
            Only those in it; "" = only those in no folder.
        after : str, optional
            ``after`` of the page before.

        Raises
        ------
        InputError
            The place is not one of this list.
        """
        value = _COLUMNS[sort]
        read: Callable[[str], object] = str if sort == "name" else datetime.fromisoformat
        columns = [getattr(StrategyRow, name) for name in StrategySummary.__slots__]
        conditions = [StrategyRow.owner_id == owner_id, *self._chosen(search, folder, tag)]
        conditions += beyond(after, value, StrategyRow.id, read, descending=sort != "name")
        order = (value, StrategyRow.id) if sort == "name" else (value.desc(), StrategyRow.id.desc())
        statement = select(*columns, value.label("place")).where(*conditions).order_by(*order).limit(PAGE_SIZE + 1)
        with self._database.read(owner_id) as session:
            rows = session.execute(statement).mappings().all()
        names = StrategySummary.__slots__
        return page_of(
            rows,
            lambda row: summary_of({name: row[name] for name in names}),
            lambda row: (row["place"] if sort == "name" else row["place"].isoformat(), row["id"]),
        )

    def folders(self, owner_id: str) -> tuple[Folder, ...]:
        """Folders in use by name, those in none first."""
        counted = (
            select(StrategyRow.folder, func.count())
            .where(StrategyRow.owner_id == owner_id)
            .group_by(StrategyRow.folder)
        )
        with self._database.read(owner_id) as session:
            found = [Folder(name=name, strategies=count) for name, count in session.execute(counted)]
        return tuple(sorted(found, key=lambda folder: (folder.name is not None, folder.name or "")))

    def tags(self, owner_id: str) -> tuple[str, ...]:
        """Tags in use, sorted."""
        with self._database.read(owner_id) as session:
            found = session.scalars(select(StrategyRow.tags).where(StrategyRow.owner_id == owner_id))
            return tuple(sorted({tag for tags in found for tag in tags}))

    def notes(self, owner_id: str, strategy_id: str) -> str:
        """What the owner noted about a strategy; raises `StrategyNotFound`."""
        with self._database.read(owner_id) as session:
            return _own(session, owner_id, strategy_id).notes

    def note(self, owner_id: str, strategy_id: str, text: str) -> None:
        """Keep a note; it makes no version, and is never part of what is shared or exported.

        Raises
        ------
        StrategyNotFound
            The owner has no such strategy.
        InputError
            The note is too long.
        """
        if len(text) > LONGEST_NOTE:
            raise InputError(f"A note has at most {LONGEST_NOTE:,} characters, found {len(text):,}.")
        with self._database.write(owner_id) as session:
            _own(session, owner_id, strategy_id).notes = text

    def history(self, owner_id: str, strategy_id: str) -> tuple[VersionHistory, ...]:
        """The versions, newest first, each with the owner's runs of its rules; raises `StrategyNotFound`."""
        with self._database.read(owner_id) as session:
            _own(session, owner_id, strategy_id)
            versions = session.scalars(
                select(StrategyVersionRow)
                .where(StrategyVersionRow.strategy_id == strategy_id)
                .order_by(StrategyVersionRow.version.desc())
                .limit(_MOST_VERSIONS)
            ).all()
            prints = {row.fingerprint for row in versions}
            runs: dict[str, list[RunView]] = defaultdict(list)
            wanted = select(RunRow).where(RunRow.owner_id == owner_id, RunRow.fingerprint.in_(prints))
            for run in session.scalars(wanted.order_by(RunRow.created_at.desc()).limit(_MOST_RUNS)):
                runs[str(run.fingerprint)].append(view_of_run(run))
        return tuple(
            VersionHistory(
                version=StrategyVersion(
                    version=row.version,
                    name=row.name,
                    fingerprint=row.fingerprint,
                    document=row.document,
                    created_at=row.created_at,
                ),
                runs=tuple(runs[row.fingerprint]),
            )
            for row in versions
        )

    def trials(self, owner_id: str, strategy_id: str) -> int:
        """Variants of the strategy's idea that the owner tried; raises `StrategyNotFound`."""
        return self._ideas.count(owner_id, self._strategies.get(owner_id, strategy_id).strategy())

    def export(self, owner_id: str, strategy_id: str) -> str:
        """The document as JSON text, without id, owner, folder or notes; raises `StrategyNotFound`."""
        return dump(self._strategies.get(owner_id, strategy_id).strategy())

    def take_in(self, owner_id: str, content: bytes) -> SavedStrategy:
        """Save the document of a file as a new strategy. Nothing but the document is read from it.

        Raises
        ------
        InputError
            The file is too large.
        DocumentError
            It is no strategy document, is nested too deeply, or has faults; all are listed.
        """
        if len(content) > MAX_BYTES:
            raise InputError(
                f"The file has {len(content):,} bytes, at most {MAX_BYTES:,} are read. Hint: is it a strategy document?"
            )
        return self._strategies.save(owner_id, parse_document(content))

    def _chosen(self, search: str, folder: str | None, tag: str | None) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        wanted = search.strip()
        if wanted:
            in_name = StrategyRow.name.icontains(wanted, autoescape=True)
            found.append(or_(in_name, StrategyRow.folder.icontains(wanted, autoescape=True)))
        if folder is not None:
            found.append(StrategyRow.folder == folder if folder else StrategyRow.folder.is_(None))
        if tag is not None:
            if self._database.backend == "postgresql":
                each = func.jsonb_array_elements_text(StrategyRow.tags).table_valued(column("value", String))
            else:
                each = func.json_each(StrategyRow.tags).table_valued(column("value", String))
            found.append(exists(select(each.c.value).where(each.c.value == tag)))
        return found


def _own(session: Session, owner_id: str, strategy_id: str) -> StrategyRow:
    row = session.scalar(select(StrategyRow).where(StrategyRow.id == strategy_id, StrategyRow.owner_id == owner_id))
    if row is None:
        raise StrategyNotFound(f"There is no strategy {strategy_id!r}. Hint: the list of strategies shows what is.")
    return row
