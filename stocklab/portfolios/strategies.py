"""Saved strategies: the current document of each, and every version it had."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from stocklab.db import Database, StrategyRow, StrategyVersionRow
from stocklab.db.columns import utc_now
from stocklab.errors import InputError
from stocklab.strategy import fingerprint, parse_document
from stocklab.strategy.document import Strategy

__all__ = [
    "LONGEST_TAG",
    "MOST_TAGS",
    "SavedStrategy",
    "Strategies",
    "StrategyConflict",
    "StrategyNotFound",
    "StrategySummary",
    "StrategyVersion",
    "summary_of",
]

_NAME_LENGTH = 120
MOST_TAGS: Final = 20
LONGEST_TAG: Final = 40


class StrategyNotFound(InputError):
    """The owner has no such strategy, or it never had that version."""

    exit_code = 1


class StrategyConflict(InputError):
    """The strategy was saved elsewhere since it was opened; nothing was overwritten."""

    exit_code = 1

    def __init__(self, *, expected: int, found: int) -> None:
        self.expected = expected
        self.found = found
        super().__init__(
            f"This strategy was saved elsewhere: you opened version {expected}, it is now at {found}. "
            "Hint: save yours as a copy, or reload."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategySummary:
    """What a list shows of a saved strategy."""

    id: str
    owner_id: str
    name: str
    fingerprint: str
    version: int
    folder: str | None
    tags: tuple[str, ...]
    origin_id: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedStrategy(StrategySummary):
    """A saved strategy with its document."""

    document: dict[str, Any]

    def strategy(self) -> Strategy:
        """The document, checked again: it may come from an older version of the program."""
        return parse_document(self.document)


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyVersion:
    """One version as it was saved."""

    version: int
    name: str
    fingerprint: str
    document: dict[str, Any]
    created_at: datetime


class Strategies:
    """Saved strategies, by owner."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(
        self,
        owner_id: str,
        *,
        search: str = "",
        sort: Literal["updated", "created", "name"] = "updated",
        folder: str | None = None,
        limit: int = 500,
    ) -> list[StrategySummary]:
        """The owner's strategies to choose from; ``search`` looks into name and folder; newest first unless sorted by
        name. `Shelf.page` shows them all, page by page.
        """
        columns = [getattr(StrategyRow, name) for name in StrategySummary.__slots__]
        statement = select(*columns).where(StrategyRow.owner_id == owner_id)
        if search.strip():
            wanted = search.strip()
            statement = statement.where(
                or_(
                    StrategyRow.name.icontains(wanted, autoescape=True),
                    StrategyRow.folder.icontains(wanted, autoescape=True),
                )
            )
        if folder is not None:
            statement = statement.where(StrategyRow.folder == folder)
        order = {
            "updated": StrategyRow.updated_at.desc(),
            "created": StrategyRow.created_at.desc(),
            "name": func.lower(StrategyRow.name),
        }[sort]
        with self._database.read(owner_id) as session:
            rows = session.execute(statement.order_by(order, StrategyRow.id).limit(limit)).mappings()
            return [summary_of(row) for row in rows]

    def get(self, owner_id: str, strategy_id: str) -> SavedStrategy:
        """One strategy.

        Raises
        ------
        StrategyNotFound
            The owner has none of that id.
        """
        with self._database.read(owner_id) as session:
            return _view(_require(session, owner_id, strategy_id, lock=False))

    def each(self) -> Iterator[SavedStrategy]:
        """Every strategy of every owner, the ones changed last first."""
        with self._database.read() as session:
            rows = session.scalars(select(StrategyRow).order_by(StrategyRow.updated_at.desc(), StrategyRow.id)).all()
        return (_view(row) for row in rows)

    def save(
        self,
        owner_id: str,
        strategy: Strategy,
        *,
        strategy_id: str | None = None,
        expected_version: int | None = None,
        origin_id: str | None = None,
    ) -> SavedStrategy:
        """Save as a new strategy, or as the next version of one; an unchanged document makes no new version.

        ``origin_id`` is the publication that a new strategy began as a copy of; one that is saved again keeps its own.

        Raises
        ------
        StrategyNotFound
            The owner has no strategy of that id.
        StrategyConflict
            ``expected_version`` is given and someone saved since.
        """
        document = strategy.model_dump(mode="json")
        with self._database.write(owner_id) as session:
            if strategy_id is None:
                return self.add(session, owner_id, strategy, origin_id=origin_id)
            row = _require(session, owner_id, strategy_id)
            if expected_version is not None and expected_version != row.version:
                raise StrategyConflict(expected=expected_version, found=row.version)
            _change(session, row, strategy, document)
            return _view(row)

    def add(
        self, session: Session, owner_id: str, strategy: Strategy, *, origin_id: str | None = None
    ) -> SavedStrategy:
        """Save as a new strategy, within a transaction of the owner; ``origin_id`` is the publication it copies."""
        row = _new(owner_id, strategy, strategy.model_dump(mode="json"))
        row.origin_id = origin_id
        session.add(row)
        session.flush()
        session.add(_version_of(row))
        return _view(row)

    def rename(self, owner_id: str, strategy_id: str, name: str) -> SavedStrategy:
        """Give a strategy another name, in the list and in its document."""
        with self._database.write(owner_id) as session:
            row = _require(session, owner_id, strategy_id)
            renamed = parse_document({**row.document, "name": name})
            _change(session, row, renamed, renamed.model_dump(mode="json"))
            return _view(row)

    def organize(
        self, owner_id: str, strategy_id: str, *, folder: str | None, tags: Sequence[str] = ()
    ) -> SavedStrategy:
        """Put a strategy in a folder (None: in none) and set its tags; this makes no version."""
        cleaned = sorted({tag.strip() for tag in tags if tag.strip()})
        if len(cleaned) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in cleaned):
            raise InputError(f"A strategy has at most {MOST_TAGS} tags of {LONGEST_TAG} characters each.")
        if folder is not None and len(folder) > _NAME_LENGTH:
            raise InputError(f"A folder's name has at most {_NAME_LENGTH} characters, found {len(folder)}.")
        with self._database.write(owner_id) as session:
            row = _require(session, owner_id, strategy_id)
            row.folder = folder.strip() or None if folder is not None else None
            row.tags = cleaned
            return _view(row)

    def duplicate(self, owner_id: str, strategy_id: str, name: str | None = None) -> SavedStrategy:
        """Copy a strategy, by default under the next free "name (2)"."""
        with self._database.write(owner_id) as session:
            row = _require(session, owner_id, strategy_id)
            taken = frozenset(session.scalars(select(StrategyRow.name).where(StrategyRow.owner_id == owner_id)))
            copy = parse_document({**row.document, "name": name if name is not None else _free_name(row.name, taken)})
            made = _new(owner_id, copy, copy.model_dump(mode="json"))
            made.folder, made.tags, made.origin_id = row.folder, list(row.tags), row.origin_id
            session.add(made)
            session.flush()
            session.add(_version_of(made))
            return _view(made)

    def delete(self, owner_id: str, strategy_id: str) -> None:
        """Delete a strategy with its versions; runs made with it stay."""
        with self._database.write(owner_id) as session:
            session.delete(_require(session, owner_id, strategy_id))

    def versions(self, owner_id: str, strategy_id: str) -> tuple[StrategyVersion, ...]:
        """Every version, newest first."""
        with self._database.read(owner_id) as session:
            _require(session, owner_id, strategy_id, lock=False)
            rows = session.scalars(
                select(StrategyVersionRow)
                .where(StrategyVersionRow.strategy_id == strategy_id)
                .order_by(StrategyVersionRow.version.desc())
            )
            return tuple(
                StrategyVersion(
                    version=row.version,
                    name=row.name,
                    fingerprint=row.fingerprint,
                    document=row.document,
                    created_at=row.created_at,
                )
                for row in rows
            )

    def restore(self, owner_id: str, strategy_id: str, version: int) -> SavedStrategy:
        """Make an old version the newest."""
        with self._database.write(owner_id) as session:
            row = _require(session, owner_id, strategy_id)
            old = session.get(StrategyVersionRow, (strategy_id, version))
            if old is None:
                raise StrategyNotFound(f"Strategy {row.name!r} has no version {version}; it is at {row.version}.")
            strategy = parse_document(old.document)
            _change(session, row, strategy, strategy.model_dump(mode="json"))
            return _view(row)


def summary_of(columns: Mapping[Any, Any]) -> StrategySummary:
    """A summary of its columns."""
    return StrategySummary(**{**columns, "tags": tuple(columns["tags"])})


def _new(owner_id: str, strategy: Strategy, document: dict[str, Any]) -> StrategyRow:
    now = utc_now()
    return StrategyRow(
        id=uuid.uuid4().hex,
        owner_id=owner_id,
        name=strategy.name,
        document=document,
        fingerprint=fingerprint(strategy),
        version=1,
        folder=None,
        tags=[],
        notes="",
        origin_id=None,
        created_at=now,
        updated_at=now,
    )


def _change(session: Session, row: StrategyRow, strategy: Strategy, document: dict[str, Any]) -> None:
    if row.document == document:
        return
    row.name = strategy.name
    row.document = document
    row.fingerprint = fingerprint(strategy)
    row.version += 1
    row.updated_at = utc_now()
    session.add(_version_of(row))


def _version_of(row: StrategyRow) -> StrategyVersionRow:
    return StrategyVersionRow(
        owner_id=row.owner_id,
        strategy_id=row.id,
        version=row.version,
        name=row.name,
        document=row.document,
        fingerprint=row.fingerprint,
        created_at=row.updated_at,
    )


def _require(session: Session, owner_id: str, strategy_id: str, *, lock: bool = True) -> StrategyRow:
    statement = select(StrategyRow).where(StrategyRow.id == strategy_id, StrategyRow.owner_id == owner_id)
    # Locked on PostgreSQL, so that two saves of one strategy take turns; SQLite's writer is alone already.
    row = session.scalar(statement.with_for_update() if lock else statement)
    if row is None:
        raise StrategyNotFound(f"There is no strategy {strategy_id!r}. Hint: the list of strategies shows what is.")
    return row


def _free_name(name: str, taken: frozenset[str]) -> str:
    number = 2
    while True:
        suffix = f" ({number})"
        candidate = name[: _NAME_LENGTH - len(suffix)] + suffix
        if candidate not in taken:
            return candidate
        number += 1


def _view(row: StrategyRow) -> SavedStrategy:
    values = {name: getattr(row, name) for name in StrategySummary.__slots__}
    return SavedStrategy(**{**values, "tags": tuple(row.tags), "document": row.document})
