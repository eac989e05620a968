"""Lists of posts: newest, boards, tags, one's own, and what a search found."""

from __future__ import annotations

import html
import re
from typing import Final

import streamlit as st

from stocklab.community import Category, Found, Period, PostSummary
from stocklab.ui import blocks, identity, navigation
from stocklab.ui import format as fmt
from stocklab.ui.community import services
from stocklab.ui.community.words import CATEGORIES, by_line, literal
from stocklab.ui.paging import places, turn_pages
from stocklab.ui.text import N_, _

__all__ = ["post_list"]

BOARDS: Final = {
    "new": N_("Newest"),
    "day": N_("Today's best"),
    "week": N_("This week's best"),
    "month": N_("This month's best"),
    "mine": N_("My posts"),
}
_ALL: Final = "all"
_MARKS: Final = re.compile(r"[*_`#>|~]+|(?<!\w)-{2,}:?")
"""Signs of Markdown, as they stand in the middle of a text that is cut."""


def post_list() -> None:
    """What is asked for by the switches, the tag in the link and the search."""
    query = _search_box()
    if query:
        _found(query)
        return
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        board = navigation.choice_in_url(
            "board",
            {code: _(name) for code, name in BOARDS.items()},
            _("Board"),
            default="new",
            key="community_board_choice",
        )
        kinds = {_ALL: _("All")} | {code: _(name) for code, name in CATEGORIES.items()}
        kind = navigation.choice_in_url("kind", kinds, _("Kind"), default=_ALL, key="community_kind_choice")
    category = None if kind == _ALL else Category(kind)
    tag = str(st.query_params.get("tag", ""))[:40]
    if tag:
        _tag_line(tag)
    if board in tuple(Period):
        _board(Period(board), category)
    else:
        _newest(category, tag, mine=board == "mine")


def _search_box() -> str:
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    query: str = left.text_input(
        _("Search posts and comments"),
        key="community_search",
        max_chars=80,
        icon=":material/search:",
        placeholder=_('Every word must occur; "in quotes" as a phrase'),
        bind="query-params",
    )
    with right:
        if st.button(
            _("Write a post"), key="community_write", icon=":material/edit_square:", type="primary", width="stretch"
        ):
            navigation.go("community", write="1")
    return query.strip()


def _tag_line(tag: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(f'<span class="lab-tag">#{html.escape(tag)}</span>', width="content")
        if st.button(_("Show all posts"), key="community_no_tag", icon=":material/close:", type="tertiary"):
            del st.query_params["tag"]
            st.rerun()


def _newest(category: Category | None, tag: str, *, mine: bool) -> None:
    begun = places("community", f"new {category} {tag} {mine}")
    page = services.lists().newest(identity.owner_id(), category=category, tag=tag, mine=mine, before=begun[-1])
    if not page.posts:
        _nothing()
    for post in page.posts:
        _entry(post)
    turn_pages("community", begun, page.before)


def _board(period: Period, category: Category | None) -> None:
    begun = places("community", f"{period} {category}")
    page = services.lists().popular(identity.owner_id(), period, category=category, before=begun[-1])
    if not page.posts:
        blocks.empty(
            _("Nothing was liked yet in this time."),
            _("The days, weeks and months are those of Seoul."),
            icon=":material/favorite_border:",
        )
    for post, likes in page.posts:
        _entry(post, note=fmt.counted(likes, _("1 like in this time"), _("{count} likes in this time")))
    turn_pages("community", begun, page.before)


def _found(query: str) -> None:
    begun = places("community", f"search {query}")
    page = services.lists().search(identity.owner_id(), query, before=begun[-1])
    if not page.found:
        blocks.empty(
            _("Nothing holds all of this."),
            _("Width and case make no difference. Try fewer words."),
            icon=":material/search_off:",
        )
    for one, post in page.found:
        _entry(post, found=one)
    turn_pages("community", begun, page.before)


def _entry(post: PostSummary, *, note: str = "", found: Found | None = None) -> None:
    key = f"post_{post.id}" if found is None else f"found_{found.number}"
    with st.container(border=True, gap="xsmall", key=key):
        navigation.link("community", literal(post.title), post=post.id)
        excerpt = post.excerpt if found is None else _around(post, found)
        st.html(
            f'<div class="lab-post-line">{_labels(post, found)}<span class="excerpt">{html.escape(excerpt)}</span>'
            f'<span class="by">{by_line(post.author, left=post.author_left, at=post.created_at, edited=False)}'
            f" · {html.escape(_counts(post))}{' · ' + html.escape(note) if note else ''}</span></div>"
        )


def _around(post: PostSummary, found: Found) -> str:
    """The words about what was found; a post whose beginning holds it shows that, as it was written."""
    if found.comment_id is None and not found.around.startswith("…"):
        return post.excerpt
    return " ".join(_MARKS.sub(" ", found.around).split())


def _labels(post: PostSummary, found: Found | None) -> str:
    words = [_(CATEGORIES[post.category.value])]
    if found is not None and found.comment_id is not None:
        words.append(_("in a comment"))
    if post.card is not None:
        words.append(_("with a strategy"))
    if post.is_hidden:
        words.append(_("hidden"))
    labels = "".join(f'<i class="lab-tag">{html.escape(word)}</i>' for word in words)
    return labels + "".join(f'<i class="lab-tag own">#{html.escape(tag)}</i>' for tag in post.tags)


def _counts(post: PostSummary) -> str:
    return _("{likes} likes · {comments} comments · {views} views").format(
        likes=f"{post.likes:,}", comments=f"{post.comments:,}", views=f"{post.views:,}"
    )


def _nothing() -> None:
    blocks.empty(_("No post yet."), _("Write the first one."), icon=":material/edit_square:")
