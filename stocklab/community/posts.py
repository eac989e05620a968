"""Posts: writing, reading, changing, deleting them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from stocklab.community.cards import frozen_card
from stocklab.community.folding import fold
from stocklab.community.ids import new_id
from stocklab.community.post_views import FULL_COLUMNS, Category, Post, whole
from stocklab.community.refusals import Refusal, RefusalCode
from stocklab.community.search_index import forget_post, keep
from stocklab.community.standing import LIMITS, Limits, is_admin, pay, require_welcome
from stocklab.community.texts import BODY_LENGTH, TITLE_LENGTH, clean_tags, clean_text
from stocklab.db import Database, OwnerRow, PostRow, PostTagRow, as_system
from stocklab.db.columns import utc_now

__all__ = ["Draft", "Posts"]

_SAME_WITHIN: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A post to be written."""

    category: Category
    title: str
    body: str
    tags: tuple[str, ...] = ()
    is_anonymous: bool = False
    publication_id: str | None = None


class Posts:
    """Posts of everybody."""

    def __init__(self, database: Database, limits: Limits = LIMITS) -> None:
        self._database = database
        self._limits = limits

    def write(self, owner_id: str, draft: Draft, *, now: datetime | None = None) -> str:
        """Publish a post; its id.

        Raises
        ------
        Refusal
            EMPTY, TOO_LONG, TOO_MANY: the text; NOT_FOUND: the strategy to show; TOO_FAST, BANNED; DUPLICATE: the
            writer posted the same within a day.
        """
        moment = now or utc_now()
        title = clean_text(draft.title, most=TITLE_LENGTH, one_line=True)
        body = clean_text(draft.body, most=BODY_LENGTH)
        tags = clean_tags(draft.tags)
        pay(self._database, self._limits["post"], "post", owner_id, moment)
        with self._database.write(owner_id) as session:
            require_welcome(session, owner_id, moment)
            _take_turns(session, owner_id)
            _refuse_same(session, owner_id, title, body, moment)
            card = frozen_card(session, owner_id, draft.publication_id, moment) if draft.publication_id else None
            row = PostRow(
                id=new_id(moment),
                owner_id=owner_id,
                category=Category(draft.category).value,
                title=title,
                body=body,
                is_anonymous=draft.is_anonymous,
                publication_id=draft.publication_id,
                card=card,
                created_at=moment,
            )
            session.add(row)
            session.flush()
            _tag(session, row.id, tags)
            keep(session, f"{title}\n{body}", post_id=row.id)
            return row.id

    def get(self, owner_id: str, post_id: str) -> Post:
        """One post. A hidden one only its writer and admins may read.

        Raises
        ------
        Refusal
            NOT_FOUND.
        """
        statement = select(*FULL_COLUMNS).join(OwnerRow, OwnerRow.id == PostRow.owner_id)
        with self._database.read(owner_id) as session:
            row = session.execute(statement.where(PostRow.id == post_id, PostRow.deleted_at.is_(None))).first()
            found = None if row is None else whole(session, owner_id, row)
        if found is None or (found.is_hidden and not found.is_mine and not is_admin(self._database, owner_id)):
            raise Refusal(RefusalCode.NOT_FOUND, "There is no such post.")
        return found

    def edit(
        self,
        owner_id: str,
        post_id: str,
        *,
        title: str,
        body: str,
        tags: Iterable[str] = (),
        now: datetime | None = None,
    ) -> None:
        """Change one's own post. Its kind, its card and whether it is anonymous stay.

        Raises
        ------
        Refusal
            As for `write`, and NOT_FOUND: the owner has no such post.
        """
        moment = now or utc_now()
        title = clean_text(title, most=TITLE_LENGTH, one_line=True)
        body = clean_text(body, most=BODY_LENGTH)
        kept = clean_tags(tags)
        with self._database.write(owner_id) as session:
            require_welcome(session, owner_id, moment)
            _own(session, owner_id, post_id)
            session.execute(
                update(PostRow).where(PostRow.id == post_id).values(title=title, body=body, edited_at=moment)
            )
            _tag(session, post_id, kept)
            keep(session, f"{title}\n{body}", post_id=post_id)

    def delete(self, owner_id: str, post_id: str, *, now: datetime | None = None) -> None:
        """Delete one's own post: its words are gone at once, for the search as well. Comments under it go with it.

        Raises
        ------
        Refusal
            NOT_FOUND: the owner has no such post.
        """
        with self._database.write(owner_id) as session:
            _own(session, owner_id, post_id)
            gone = {"title": "", "body": "", "card": None, "publication_id": None, "deleted_at": now or utc_now()}
            session.execute(update(PostRow).where(PostRow.id == post_id).values(**gone))
            session.execute(delete(PostTagRow).where(PostTagRow.post_id == post_id))
            forget_post(session, post_id)


def _own(session: Session, owner_id: str, post_id: str) -> None:
    """Lock a post of the owner's, so that two changes of it take turns."""
    own = select(PostRow.id).where(PostRow.id == post_id, PostRow.owner_id == owner_id, PostRow.deleted_at.is_(None))
    if session.scalar(own.with_for_update(key_share=True)) is None:
        raise Refusal(RefusalCode.NOT_FOUND, "You have no such post.")


def _take_turns(session: Session, owner_id: str) -> None:
    """Two posts of one writer sent at once are judged one after the other, so that the second sees the first."""
    with as_system(session):
        session.execute(select(OwnerRow.id).where(OwnerRow.id == owner_id).with_for_update(key_share=True))


def _refuse_same(session: Session, owner_id: str, title: str, body: str, now: datetime) -> None:
    recent = session.execute(
        select(PostRow.title, PostRow.body)
        .where(PostRow.owner_id == owner_id, PostRow.created_at > now - _SAME_WITHIN, PostRow.deleted_at.is_(None))
        .order_by(PostRow.created_at.desc())
        .limit(50)
    ).all()
    words = (fold(title), fold(body))
    if any((fold(row.title), fold(row.body)) == words for row in recent):
        raise Refusal(RefusalCode.DUPLICATE, "You posted the same within the last day.")


def _tag(session: Session, post_id: str, tags: Iterable[str]) -> None:
    session.execute(delete(PostTagRow).where(PostTagRow.post_id == post_id))
    values: list[dict[str, Any]] = [{"post_id": post_id, "tag": tag} for tag in tags]
    if values:
        session.execute(insert(PostTagRow), values)
