"""Finding publications by the factors their rules use and by words of their names, at the same speed however many
there are."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import exists, func, literal, select, union_all
from sqlalchemy.orm import Session

from stocklab.db import PublicationFactorRow, PublicationRow, PublicationTermRow

__all__ = ["conditions_for", "terms_of"]

MOST_TERMS: Final = 12
RARE: Final = 1000
"""What fewer publications have is looked up first; what more have is checked while the list is walked."""


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
    asked: list[tuple[Any, Any, str]] = [
        (PublicationFactorRow, PublicationFactorRow.factor, factor) for factor in sorted(set(factors))
    ]
    terms = terms_of(search)
    asked += [(PublicationTermRow, PublicationTermRow.term, term) for term in terms[:MOST_TERMS]]
    found: list[Any] = []
    if search.strip() and not terms:
        found.append(PublicationRow.name.icontains(search.strip(), autoescape=True))
    if not asked:
        return found
    counts = _bounded_counts(session, asked)
    rarest = min(range(len(asked)), key=counts.__getitem__)
    for place, (table, column, value) in enumerate(asked):
        if place == rarest and counts[place] < RARE:
            found.append(PublicationRow.id.in_(select(table.publication_id).where(column == value)))
        else:
            found.append(exists().where(table.publication_id == PublicationRow.id, column == value))
    return found


def _bounded_counts(session: Session, asked: Sequence[tuple[Any, Any, str]]) -> list[int]:
    """How many publications have each, counted up to `RARE`, in one statement."""
    parts = []
    for place, (table, column, value) in enumerate(asked):
        some = select(table.publication_id).where(column == value).limit(RARE).subquery()
        parts.append(select(literal(place).label("place"), func.count().label("found")).select_from(some))
    counted = dict(session.execute(union_all(*parts)).all())
    return [counted[place] for place in range(len(asked))]
