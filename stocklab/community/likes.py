"""Likes of posts and comments, one a user; and views of posts, one a user and day. Counters stay exact."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime
from threading import Lock
from typing import Any, Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from stocklab.community.boards import count_like
from stocklab.community.refusals import Refusal, RefusalCode
from stocklab.community.standing import LIMITS, Limits, pay, require_welcome
from stocklab.data.sources.calls import KST
from stocklab.db import CommentLikeRow, CommentRow, Database, PostLikeRow, PostRow, PostViewRow, as_system
from stocklab.db.columns import utc_now
from stocklab.operations.inserting import insert_if_absent

__all__ = ["Likes", "Views"]

_REMEMBERED: Final = 20_000


class Likes:
    """Giving likes and taking them back; each counts once, however often it is sent."""

    def __init__(self, database: Database, limits: Limits = LIMITS) -> None:
        self._database = database
        self._limits = limits

    def like_post(self, owner_id: str, post_id: str, *, liked: bool = True, now: datetime | None = None) -> bool:
        """Like a post, or no longer; whether that changed anything.

        Raises
        ------
        Refusal
            NOT_FOUND, TOO_FAST, BANNED.
        """
        moment = now or utc_now()
        pay(self._database, self._limits["like"], "like", owner_id, moment)
        with self._database.write(owner_id) as session:
            require_welcome(session, owner_id, moment)
            category = session.scalar(
                select(PostRow.category).where(
                    PostRow.id == post_id, PostRow.deleted_at.is_(None), PostRow.hidden_at.is_(None)
                )
            )
            if category is None:
                raise Refusal(RefusalCode.NOT_FOUND, "There is no such post.")
            liked_at = _change(session, PostLikeRow, {"post_id": post_id, "owner_id": owner_id}, liked, moment)
            if liked_at is None:
                return False
            step = 1 if liked else -1
            with as_system(session):
                session.execute(update(PostRow).where(PostRow.id == post_id).values(likes=PostRow.likes + step))
                count_like(session, post_id, category, liked_at, step)
            return True

    def like_comment(self, owner_id: str, comment_id: str, *, liked: bool = True, now: datetime | None = None) -> bool:
        """Like a comment, or no longer; whether that changed anything.

        Raises
        ------
        Refusal
            NOT_FOUND, TOO_FAST, BANNED.
        """
        moment = now or utc_now()
        pay(self._database, self._limits["like"], "like", owner_id, moment)
        with self._database.write(owner_id) as session:
            require_welcome(session, owner_id, moment)
            shown = select(CommentRow.id).where(
                CommentRow.id == comment_id, CommentRow.deleted_at.is_(None), CommentRow.hidden_at.is_(None)
            )
            if session.scalar(shown) is None:
                raise Refusal(RefusalCode.NOT_FOUND, "There is no such comment.")
            key = {"comment_id": comment_id, "owner_id": owner_id}
            if _change(session, CommentLikeRow, key, liked, moment) is None:
                return False
            step = 1 if liked else -1
            with as_system(session):
                session.execute(
                    update(CommentRow).where(CommentRow.id == comment_id).values(likes=CommentRow.likes + step)
                )
            return True


def _change(session: Session, table: Any, key: dict[str, str], liked: bool, now: datetime) -> datetime | None:
    """Write or remove the row of a like; when it was given, None where nothing changed.

    The row alone decides: of two who send the same at once, one finds it there.
    """
    if liked:
        return now if insert_if_absent(session, table, **key, created_at=now) else None
    given: datetime | None = session.scalar(delete(table).filter_by(**key).returning(table.created_at))
    return given


class Views:
    """Counting who saw a post: once a user and day. What was counted is remembered: reading on costs nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: OrderedDict[tuple[str, str, str], None] = OrderedDict()
        self._lock = Lock()

    def see(self, owner_id: str, post_id: str, *, now: datetime | None = None) -> bool:
        """Note that a user sees a post; whether it counted. One that is gone counts nothing."""
        day = (now or utc_now()).astimezone(KST).date()
        key = (owner_id, post_id, day.isoformat())
        with self._lock:
            if key in self._seen:
                return False
        with self._database.write(owner_id) as session:
            shown = select(PostRow.id).where(PostRow.id == post_id, PostRow.deleted_at.is_(None))
            counted = session.scalar(shown) is not None and insert_if_absent(
                session, PostViewRow, owner_id=owner_id, post_id=post_id, day=day
            )
            if counted:
                with as_system(session):
                    session.execute(update(PostRow).where(PostRow.id == post_id).values(views=PostRow.views + 1))
        with self._lock:
            self._seen[key] = None
            while len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        return counted
