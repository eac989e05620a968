"""The services of the community over the app database of this process."""

from __future__ import annotations

from stocklab.community import Comments, Likes, Limits, Moderation, PostLists, Posts, Threads, Views, community_limits
from stocklab.ui import cached
from stocklab.ui.shared.services import boards

__all__ = ["comments", "likes", "lists", "moderation", "posts", "see", "threads"]

_views: dict[int, Views] = {}


def posts() -> Posts:
    """Writing and reading posts."""
    return Posts(cached.lab().database, _limits())


def lists() -> PostLists:
    """Lists of posts."""
    return PostLists(cached.lab().database)


def threads() -> Threads:
    """Reading comments."""
    return Threads(cached.lab().database)


def comments() -> Comments:
    """Writing comments."""
    return Comments(cached.lab().database, _limits())


def likes() -> Likes:
    """Likes."""
    return Likes(cached.lab().database, _limits())


def moderation() -> Moderation:
    """Reports and decisions; the boards follow what becomes of publications."""
    return Moderation(cached.lab().database, followers=(boards(),), limits=_limits())


def see(owner_id: str, post_id: str) -> None:
    """Count a view; who was counted is remembered as long as the database is open."""
    database = cached.lab().database
    known = _views.get(id(database))
    if known is None:
        _views.clear()
        known = _views[id(database)] = Views(database)
    known.see(owner_id, post_id)


def _limits() -> Limits:
    return community_limits(cached.lab().settings)
