"""Everything an owner wrote, taken back at once, as when a person leaves."""

from __future__ import annotations

from sqlalchemy import select

from stocklab.community.comments import Comments
from stocklab.community.posts import Posts
from stocklab.db import CommentRow, Database, PostRow

__all__ = ["take_back_words"]


def take_back_words(database: Database, owner_id: str) -> int:
    """Delete the owner's posts and comments, from the search as well; returns how many there were.

    One transaction each, as if the owner had deleted them one by one: a kill in between loses nothing, and calling it
    again goes on.
    """
    with database.read(owner_id) as session:
        posts, comments = (
            session.scalars(select(table.id).where(table.owner_id == owner_id, table.deleted_at.is_(None))).all()
            for table in (PostRow, CommentRow)
        )
    for comment_id in comments:
        Comments(database).delete(owner_id, comment_id)
    for post_id in posts:
        Posts(database).delete(owner_id, post_id)
    return len(posts) + len(comments)
