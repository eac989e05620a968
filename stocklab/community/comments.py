"""Comments: writing, answering, changing, deleting them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from stocklab.community.folding import fold
from stocklab.community.ids import new_id
from stocklab.community.refusals import Refusal, RefusalCode
from stocklab.community.search_index import forget_comment, keep
from stocklab.community.standing import LIMITS, Limits, pay, require_welcome
from stocklab.community.texts import COMMENT_LENGTH, clean_text
from stocklab.community.threads import under
from stocklab.db import CommentRow, Database, PostRow, PublicationRow, as_system
from stocklab.db.columns import utc_now

__all__ = ["MAX_DEPTH", "Comments", "Remark"]

MAX_DEPTH: Final = 5
"""Answers nest so deep; an answer to the deepest stands beside it."""
_SAME_WITHIN: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A comment to be written: under a post or a publication, or as an answer to a comment there."""

    body: str
    post_id: str | None = None
    publication_id: str | None = None
    parent_id: str | None = None
    is_anonymous: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    parent_id: str | None
    path: str
    depth: int


class Comments:
    """Comments of everybody."""

    def __init__(self, database: Database, limits: Limits = LIMITS) -> None:
        self._database = database
        self._limits = limits

    def write(self, owner_id: str, remark: Remark, *, now: datetime | None = None) -> str:
        """Add a comment; its id.

        Raises
        ------
        Refusal
            EMPTY, TOO_LONG; NOT_FOUND: what it is about is gone; TOO_FAST, BANNED; DUPLICATE: the same was said there
            by the same user within ten minutes.
        """
        moment = now or utc_now()
        body = clean_text(remark.body, most=COMMENT_LENGTH)
        subject = under(remark.post_id, remark.publication_id)
        pay(self._database, self._limits["comment"], "comment", owner_id, moment)
        with self._database.write(owner_id) as session:
            require_welcome(session, owner_id, moment)
            with as_system(session):
                _require_subject(session, remark)
                place = _place(session, remark)
            _refuse_same(session, owner_id, subject, body, moment)
            made = new_id(moment)
            row = CommentRow(
                id=made,
                owner_id=owner_id,
                post_id=remark.post_id,
                publication_id=remark.publication_id,
                parent_id=place.parent_id,
                path=place.path + made,
                depth=place.depth,
                body=body,
                is_anonymous=remark.is_anonymous,
                created_at=moment,
            )
            session.add(row)
            session.flush()
            _count(session, row.post_id, row.publication_id, 1)
            if remark.post_id is not None:
                keep(session, body, post_id=remark.post_id, comment_id=made)
            return made

    def edit(self, owner_id: str, comment_id: str, body: str, *, now: datetime | None = None) -> None:
        """Change one's own comment.

        Raises
        ------
        Refusal
            EMPTY, TOO_LONG, BANNED; NOT_FOUND: the owner has no such comment.
        """
        moment = now or utc_now()
        words = clean_text(body, most=COMMENT_LENGTH)
        with self._database.write(owner_id) as session:
            require_welcome(session, owner_id, moment)
            row = _own(session, owner_id, comment_id)
            session.execute(update(CommentRow).where(CommentRow.id == comment_id).values(body=words, edited_at=moment))
            if row.post_id is not None:
                keep(session, words, post_id=row.post_id, comment_id=comment_id)

    def delete(self, owner_id: str, comment_id: str, *, now: datetime | None = None) -> None:
        """Delete one's own comment: its words are gone; a place without words stays while there are answers below.

        Raises
        ------
        Refusal
            NOT_FOUND: the owner has no such comment.
        """
        with self._database.write(owner_id) as session:
            row = _own(session, owner_id, comment_id, lock=False)
            with as_system(session):
                _lock_subject(session, row.post_id, row.publication_id)
            _own(session, owner_id, comment_id)
            forget_comment(session, comment_id)
            session.execute(
                update(CommentRow).where(CommentRow.id == comment_id).values(body="", deleted_at=now or utc_now())
            )
            _count(session, row.post_id, row.publication_id, -1)
            with as_system(session):
                _remove_empty(session, comment_id)


def _require_subject(session: Session, remark: Remark) -> None:
    """What a comment is about is there and shown."""
    _lock_subject(session, remark.post_id, remark.publication_id)
    post, publication = PostRow, PublicationRow
    if remark.post_id is not None:
        there = select(post.id).where(post.id == remark.post_id, post.deleted_at.is_(None), post.hidden_at.is_(None))
    else:
        there = select(publication.id).where(
            publication.id == remark.publication_id,
            publication.withdrawn_at.is_(None),
            publication.hidden_at.is_(None),
        )
    if session.scalar(there) is None:
        raise Refusal(RefusalCode.NOT_FOUND, "What this is about is not there any more.")


def _lock_subject(session: Session, post_id: str | None, publication_id: str | None) -> None:
    """Whoever changes a thread takes its subject first, then comments: two never wait for each other."""
    table: Any = PostRow if post_id is not None else PublicationRow
    session.execute(select(table.id).where(table.id == (post_id or publication_id)).with_for_update(key_share=True))


def _place(session: Session, remark: Remark) -> _Place:
    """Where a comment stands in its thread."""
    if remark.parent_id is None:
        return _Place(parent_id=None, path="", depth=0)
    parent = session.execute(
        select(CommentRow.id, CommentRow.parent_id, CommentRow.path, CommentRow.depth)
        .where(
            CommentRow.id == remark.parent_id,
            under(remark.post_id, remark.publication_id),
            CommentRow.deleted_at.is_(None),
            CommentRow.hidden_at.is_(None),
        )
        .with_for_update(read=True, key_share=True)
    ).first()
    if parent is None:
        raise Refusal(RefusalCode.NOT_FOUND, "The comment you answer is not there any more.")
    if parent.depth >= MAX_DEPTH:
        return _Place(parent_id=parent.parent_id, path=parent.path[: -len(parent.id)], depth=parent.depth)
    return _Place(parent_id=parent.id, path=parent.path, depth=parent.depth + 1)


def _refuse_same(session: Session, owner_id: str, subject: Any, body: str, now: datetime) -> None:
    said = session.scalars(
        select(CommentRow.body)
        .where(CommentRow.owner_id == owner_id, CommentRow.created_at > now - _SAME_WITHIN, subject)
        .limit(50)
    ).all()
    if fold(body) in {fold(words) for words in said}:
        raise Refusal(RefusalCode.DUPLICATE, "You said the same here a moment ago.")


def _own(session: Session, owner_id: str, comment_id: str, *, lock: bool = True) -> Any:
    """A comment of the owner's. Locked, answers to it wait until this is done."""
    own = select(CommentRow.id, CommentRow.post_id, CommentRow.publication_id).where(
        CommentRow.id == comment_id, CommentRow.owner_id == owner_id, CommentRow.deleted_at.is_(None)
    )
    row = session.execute(own.with_for_update() if lock else own).first()
    if row is None:
        raise Refusal(RefusalCode.NOT_FOUND, "You have no such comment.")
    return row


def _count(session: Session, post_id: str | None, publication_id: str | None, step: int) -> None:
    with as_system(session):
        if post_id is not None:
            session.execute(update(PostRow).where(PostRow.id == post_id).values(comments=PostRow.comments + step))
        else:
            session.execute(
                update(PublicationRow)
                .where(PublicationRow.id == publication_id)
                .values(comments=PublicationRow.comments + step)
            )


def _remove_empty(session: Session, comment_id: str | None) -> None:
    """Remove a deleted comment without answers, then those above it that only stood for it."""
    while comment_id is not None:
        answer = select(CommentRow.id).where(CommentRow.parent_id == comment_id).limit(1)
        row = session.execute(
            select(CommentRow.parent_id)
            .where(CommentRow.id == comment_id, CommentRow.deleted_at.is_not(None))
            .with_for_update()
        ).first()
        if row is None or session.scalar(answer) is not None:
            return
        session.execute(delete(CommentRow).where(CommentRow.id == comment_id))
        comment_id = row.parent_id
