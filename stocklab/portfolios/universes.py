"""Saved universes: the universe part of a strategy document under a name, to be used by strategies and screens.

Using one copies it: a strategy never changes because a saved universe did.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from stocklab.db import Database, UniverseRow
from stocklab.db.columns import utc_now
from stocklab.errors import InputError
from stocklab.strategy.document import Universe
from stocklab.strategy.parsing import parse_document

__all__ = ["SavedUniverse", "UniverseNameTaken", "UniverseNotFound", "Universes"]

NAME_LENGTH: Final = 120


class UniverseNotFound(InputError):
    """The owner has no such universe."""

    exit_code = 1


class UniverseNameTaken(InputError):
    """The owner has another universe of that name; nothing was changed."""

    exit_code = 1

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"There is a universe {name!r} already. Hint: choose another name, or replace that one.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedUniverse:
    """A saved universe; ``document`` is JSON as it was saved."""

    id: str
    owner_id: str
    name: str
    document: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime

    def universe(self) -> Universe:
        """The document checked.

        Raises
        ------
        DocumentError
            It is not valid for this version of the program.
        """
        return parse_document({"name": "-", "universe": dict(self.document)}).universe


class Universes:
    """Reads and writes saved universes; every method takes the owner and sees only that owner's rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, owner_id: str) -> tuple[SavedUniverse, ...]:
        """The owner's universes, by name."""
        statement = select(UniverseRow).where(UniverseRow.owner_id == owner_id)
        with self._database.read(owner_id) as session:
            rows = session.scalars(statement.order_by(func.lower(UniverseRow.name), UniverseRow.id))
            return tuple(_view(row) for row in rows)

    def get(self, owner_id: str, universe_id: str) -> SavedUniverse:
        """One universe.

        Raises
        ------
        UniverseNotFound
            The owner has none of that id.
        """
        with self._database.read(owner_id) as session:
            return _view(_require(session, owner_id, universe_id))

    def save(self, owner_id: str, name: str, universe: Universe, *, replace: bool = False) -> SavedUniverse:
        """Save under a name; ``replace`` overwrites the owner's universe of that name.

        Raises
        ------
        UniverseNameTaken
            There is one of that name, and it is not to be replaced.
        InputError
            The name is empty or too long.
        """
        name = _cleaned(name)
        document = universe.model_dump(mode="json")
        try:
            with self._database.write(owner_id) as session:
                row = session.scalar(
                    select(UniverseRow).where(UniverseRow.owner_id == owner_id, UniverseRow.name == name)
                )
                if row is not None and not replace:
                    raise UniverseNameTaken(name)
                now = utc_now()
                if row is None:
                    row = UniverseRow(
                        id=uuid.uuid4().hex,
                        owner_id=owner_id,
                        name=name,
                        document=document,
                        created_at=now,
                        updated_at=now,
                    )
                    session.add(row)
                else:
                    row.document, row.updated_at = document, now
                session.flush()
                return _view(row)
        except IntegrityError as error:  # saved by another process between the look and the write
            raise UniverseNameTaken(name) from error

    def rename(self, owner_id: str, universe_id: str, name: str) -> SavedUniverse:
        """Give a universe another name.

        Raises
        ------
        UniverseNotFound, UniverseNameTaken, InputError
            As `get` and `save`.
        """
        name = _cleaned(name)
        try:
            with self._database.write(owner_id) as session:
                row = _require(session, owner_id, universe_id)
                row.name, row.updated_at = name, utc_now()
                session.flush()
                return _view(row)
        except IntegrityError as error:
            raise UniverseNameTaken(name) from error

    def delete(self, owner_id: str, universe_id: str) -> None:
        """Delete a universe; strategies that used it keep their copy.

        Raises
        ------
        UniverseNotFound
            The owner has none of that id.
        """
        with self._database.write(owner_id) as session:
            session.delete(_require(session, owner_id, universe_id))


def _cleaned(name: str) -> str:
    cleaned = name.strip()
    if not 1 <= len(cleaned) <= NAME_LENGTH:
        raise InputError(f"A universe's name has 1 to {NAME_LENGTH} characters, found {len(cleaned)}.")
    return cleaned


def _require(session: Session, owner_id: str, universe_id: str) -> UniverseRow:
    row = session.scalar(select(UniverseRow).where(UniverseRow.id == universe_id, UniverseRow.owner_id == owner_id))
    if row is None:
        raise UniverseNotFound(f"There is no universe {universe_id!r}. Hint: the list of universes shows what is.")
    return row


def _view(row: UniverseRow) -> SavedUniverse:
    return SavedUniverse(
        id=row.id,
        owner_id=row.owner_id,
        name=row.name,
        document=row.document,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
