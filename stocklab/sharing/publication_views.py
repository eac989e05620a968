"""Publications as readers see them. Of an anonymous one nothing here names its author."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal

from stocklab.db import PublicationRow
from stocklab.strategy import Strategy, parse_document

__all__ = [
    "MARK_CAPITAL_KRW",
    "Family",
    "Mark",
    "PublicationCard",
    "PublicationDetail",
    "Relative",
    "Visibility",
    "card_values",
]

Visibility = Literal["public", "unlisted"]
MARK_CAPITAL_KRW: Final = 100_000_000
"""What every publication starts with on the day of its publication."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationCard:
    """What a list shows of a publication.

    Attributes
    ----------
    author : str or None
        Public name; None of an anonymous publication.
    is_mine : bool
        The reader published it.
    sealed : bool
        Its rules are hidden, and were not opened since.
    synthetic : bool
        Its backtest ran on the invented demo market.
    trials : int
        Variants of the idea that were tried by the day it was published.
    metrics : name -> fraction or number, None where it is not defined
    withdrawn_at : datetime or None
        Since when it is a grave: the name stays, the rules are gone.
    """

    id: str
    name: str
    description: str
    author: str | None
    is_anonymous: bool
    is_mine: bool
    visibility: Visibility
    sealed: bool
    synthetic: bool
    trials: int
    metrics: Mapping[str, float | None]
    run_start: date | None
    run_end: date | None
    likes: int
    comments: int
    clones: int
    views: int
    published_at: datetime
    withdrawn_at: datetime | None
    hidden_at: datetime | None
    factors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What `MARK_CAPITAL_KRW` of the day of publication were worth at the close of a session."""

    session: date
    equity_krw: float

    @property
    def total_return(self) -> float:
        """Return since publication, a fraction."""
        return self.equity_krw / MARK_CAPITAL_KRW - 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Relative:
    """A member of a family tree; of one that is not listed neither id nor name is told. ``parent_id`` may be one."""

    id: str | None
    name: str | None
    author: str | None
    depth: int
    is_grave: bool
    published_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Where a publication comes from, the nearest first, and what was made of it, in the order of the tree."""

    ancestors: tuple[Relative, ...]
    descendants: tuple[Relative, ...]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicationDetail(PublicationCard):
    """A publication with its rules, where they are shown, its curve and its marks."""

    document: Mapping[str, Any] | None
    sealed_hash: str | None
    salt: str | None
    revealed_at: datetime | None
    curve: Mapping[str, Any]
    marks: tuple[Mark, ...]
    liked: bool

    def strategy(self) -> Strategy | None:
        """The rules, checked again; None where they are hidden or gone."""
        return None if self.document is None else parse_document(dict(self.document))


def card_values(row: PublicationRow, author: str, reader_id: str | None) -> dict[str, Any]:
    """The fields of a card, with the author's name only where it may be told."""
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "author": None if row.is_anonymous else author,
        "is_anonymous": row.is_anonymous,
        "is_mine": reader_id is not None and row.owner_id == reader_id,
        "visibility": row.visibility,
        "sealed": row.hides_rules and row.revealed_at is None,
        "synthetic": row.synthetic,
        "trials": row.trials,
        "metrics": row.metrics,
        "run_start": row.run_start,
        "run_end": row.run_end,
        "likes": row.likes,
        "comments": row.comments,
        "clones": row.clones,
        "views": row.views,
        "published_at": row.published_at,
        "withdrawn_at": row.withdrawn_at,
        "hidden_at": row.hidden_at,
    }
