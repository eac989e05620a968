"""The card of a published strategy within a post: as it was when the post was written, and as it is now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from stocklab.community.refusals import Refusal, RefusalCode
from stocklab.db import PublicationMarkRow, PublicationRow

__all__ = ["LiveCard", "frozen_card", "live_cards"]

CARD_METRICS: Final = ("total_return", "cagr", "max_drawdown", "sharpe", "volatility")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCard:
    """A publication now. ``return_since`` is what its clock measured after it was published, as a fraction."""

    publication_id: str
    name: str
    metrics: Mapping[str, Any]
    likes: int
    comments: int
    clones: int
    published_at: datetime
    is_withdrawn: bool
    return_since: float | None = None
    marked_on: date | None = None


def frozen_card(session: Session, owner_id: str, publication_id: str, now: datetime) -> dict[str, Any]:
    """What a post keeps of a publication: public ones, or the writer's own.

    Raises
    ------
    Refusal
        NOT_FOUND: there is none that the writer may show.
    """
    row = session.get(PublicationRow, publication_id)
    if (
        row is None
        or row.withdrawn_at is not None
        or row.hidden_at is not None
        or (row.visibility != "public" and row.owner_id != owner_id)
    ):
        raise Refusal(RefusalCode.NOT_FOUND, "There is no published strategy of that id to show.")
    return {
        "publication_id": row.id,
        "name": row.name,
        "metrics": {name: row.metrics[name] for name in CARD_METRICS if name in row.metrics},
        "likes": row.likes,
        "run_start": row.run_start.isoformat() if row.run_start else None,
        "run_end": row.run_end.isoformat() if row.run_end else None,
        "frozen_at": now.isoformat(timespec="seconds"),
    }


def live_cards(session: Session, publication_ids: Iterable[str]) -> dict[str, LiveCard]:
    """Publications as they are now, one statement for all; those that moderators hid are left out."""
    wanted = sorted(set(publication_ids))
    if not wanted:
        return {}
    row, mark = PublicationRow, PublicationMarkRow
    statement = select(
        *(row.id, row.name, row.metrics, row.likes, row.comments, row.clones, row.published_at, row.withdrawn_at),
        _of_marks(mark.equity, mark.session).label("first"),
        _of_marks(mark.equity, mark.session.desc()).label("last"),
        _of_marks(mark.session, mark.session.desc()).label("marked_on"),
    )
    rows = session.execute(statement.where(row.id.in_(wanted), row.hidden_at.is_(None)))
    return {each.id: _live_card(each) for each in rows}


def _of_marks(column: Any, order: Any) -> Any:
    """What the first or last mark of a publication says: one step into their key, however many there are."""
    of_one = select(column).where(PublicationMarkRow.publication_id == PublicationRow.id)
    return of_one.order_by(order).limit(1).scalar_subquery()


def _live_card(row: Row[Any]) -> LiveCard:
    return LiveCard(
        publication_id=row.id,
        name=row.name,
        metrics={name: row.metrics[name] for name in CARD_METRICS if name in row.metrics},
        likes=row.likes,
        comments=row.comments,
        clones=row.clones,
        published_at=row.published_at,
        is_withdrawn=row.withdrawn_at is not None,
        return_since=row.last / row.first - 1 if row.first else None,
        marked_on=row.marked_on,
    )
