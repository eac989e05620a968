"""Finding publications by the factors their rules use and by words of their names, at the same speed however many
there are."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, literal, select, union_all
from sqlalchemy.orm import Session, aliased

from stocklab.db import PublicationFactorRow, PublicationRow, PublicationTermRow

__all__ = ["conditions_for", "terms_of"]

MOST_TERMS: Final = 12
FEW: Final = 1_000
"""What fewer publications have is looked up and sorted; what more have is met soon while the list is walked."""
COUNTED: Final = 20_000
JOINED: Final = 3
"""PostgreSQL weighs every order of a few joins, which pays; of twelve it would take longer than the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A factor or a pair of letters that publications must have."""

    table: Any
    column: Any
    value: str

    def of(self, publication_id: Any) -> Any:
        """That the publication of this id has it."""
        return self._ids(publication_id).exists()

    def looked_up(self, publication_id: Any) -> Any:
        """The same, one publication after the other: what has an offset PostgreSQL does not make a join of."""
        return self._ids(publication_id).offset(0).exists()

    def _ids(self, publication_id: Any) -> Any:
        each = aliased(self.table)
        named = getattr(each, self.column.key) == self.value
        return select(each.publication_id).where(each.publication_id == publication_id, named)


def terms_of(name: str) -> tuple[str, ...]:
    """Pairs of letters of a name, folded by case, width and blanks; each once, in order.

    >>> terms_of("ＰＥＲ  가치")
    ('pe', 'er', 'r ', ' 가', '가치')
    """
    folded = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    return tuple(dict.fromkeys(folded[place : place + 2] for place in range(len(folded) - 1)))


def conditions_for(session: Session, search: str, factors: Collection[str]) -> list[Any]:
    """Conditions on `PublicationRow`: all of the factors, and all pairs of letters of the words.

    A single letter has no pair, and is looked for in the name itself.
    """
    asked = [
        _Asked(table=PublicationFactorRow, column=PublicationFactorRow.factor, value=factor)
        for factor in sorted(set(factors))
    ]
    terms = terms_of(search)
    asked += [
        _Asked(table=PublicationTermRow, column=PublicationTermRow.term, value=term) for term in terms[:MOST_TERMS]
    ]
    found: list[Any] = []
    if search.strip() and not terms:
        found.append(PublicationRow.name.icontains(search.strip(), autoescape=True))
    if not asked:
        return found
    counts = _bounded_counts(session, asked)
    rarest, *others = sorted(asked, key=counts.__getitem__)
    if others or counts[rarest] < FEW:
        ids = _some_having_all(session, rarest, others)
        if len(ids) < FEW:
            return [*found, PublicationRow.id.in_(ids)]
    return [*found, *(each.looked_up(PublicationRow.id) for each in (rarest, *others))]


def _some_having_all(session: Session, rarest: _Asked, others: Sequence[_Asked]) -> Sequence[str]:
    """Ids of publications that have all, at most `FEW`: what is common by itself may be rare together.

    At worst the ids of the rarest are read, each looked up in the index of the others; of indexes alone.
    """
    first = aliased(rarest.table)
    statement = select(first.publication_id).where(getattr(first, rarest.column.key) == rarest.value).limit(FEW)
    for place, each in enumerate(others, start=1):
        holds = each.of if place < JOINED else each.looked_up
        statement = statement.where(holds(first.publication_id))
    return session.scalars(statement).all()


def _bounded_counts(session: Session, asked: Sequence[_Asked]) -> dict[_Asked, int]:
    """How many publications have each, counted up to `COUNTED`, in one statement."""
    parts = []
    for place, each in enumerate(asked):
        some = select(each.table.publication_id).where(each.column == each.value).limit(COUNTED).subquery()
        parts.append(select(literal(place).label("place"), func.count().label("found")).select_from(some))
    counted = dict(session.execute(union_all(*parts)).all())
    return {each: counted[place] for place, each in enumerate(asked)}
