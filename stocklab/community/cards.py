"""The card of a published strategy within a post: as it was when the post was written, and as it is now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import func, select
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
    """Publications as they are now, two statements for all; those that moderators hid are left out."""
    wanted = sorted(set(publication_ids))
    if not wanted:
        return {}
    rows = session.scalars(
        select(PublicationRow).where(PublicationRow.id.in_(wanted), PublicationRow.hidden_at.is_(None))
    ).all()
    marks = _returns(session, wanted)
    return {
        row.id: LiveCard(
            publication_id=row.id,
            name=row.name,
            metrics={name: row.metrics[name] for name in CARD_METRICS if name in row.metrics},
            likes=row.likes,
            comments=row.comments,
            clones=row.clones,
            published_at=row.published_at,
            is_withdrawn=row.withdrawn_at is not None,
            return_since=marks.get(row.id, (None, None))[0],
            marked_on=marks.get(row.id, (None, None))[1],
        )
        for row in rows
    }


def _returns(session: Session, wanted: list[str]) -> dict[str, tuple[float | None, date | None]]:
    """Return from the first to the last mark of each, and the day of the last."""
    mark = PublicationMarkRow
    ends = (
        select(mark.publication_id, func.min(mark.session).label("first"), func.max(mark.session).label("last"))
        .where(mark.publication_id.in_(wanted))
        .group_by(mark.publication_id)
        .subquery()
    )
    rows = session.execute(
        select(mark.publication_id, mark.session, mark.equity)
        .join(ends, (mark.publication_id == ends.c.publication_id) & mark.session.in_([ends.c.first, ends.c.last]))
        .order_by(mark.publication_id, mark.session)
    ).all()
    found: dict[str, tuple[float | None, date | None]] = {}
    first: dict[str, float] = {}
    for publication_id, session_day, equity in rows:
        base = first.setdefault(publication_id, equity)
        found[publication_id] = (equity / base - 1 if base else None, session_day)
    return found
