"""One post: its words, its strategy, likes, and what its writer and admins may do with it; then its comments."""

from __future__ import annotations

import html

import streamlit as st

from stocklab.community import Post, Refusal, SubjectKind, is_admin, safe_html
from stocklab.ui import blocks, cached, identity, navigation
from stocklab.ui import format as fmt
from stocklab.ui.community import services
from stocklab.ui.community.comments import thread
from stocklab.ui.community.post_form import edit_form
from stocklab.ui.community.report_form import report_button
from stocklab.ui.community.strategy_card import strategy_card
from stocklab.ui.community.words import CATEGORIES, allowed, by_line, refusal_text
from stocklab.ui.text import _

__all__ = ["post_view"]


def post_view(post_id: str) -> None:
    """The post of a link; what is not there is said."""
    navigation.link("community", _("All posts"), icon=":material/arrow_back:")
    owner_id = identity.owner_id()
    try:
        post = services.posts().get(owner_id, post_id)
    except Refusal as refusal:
        blocks.empty(_("There is no such post."), refusal_text(refusal), icon=":material/search_off:")
        return
    services.see(owner_id, post.id)
    if post.is_hidden:
        st.warning(_("An admin hid this post: only its writer and admins see it."), icon=":material/visibility_off:")
    if post.is_mine and st.session_state.get("post_edit") == post.id:
        edit_form(post)
        return
    _words(post)
    if post.card is not None:
        strategy_card(post.card, post.live)
    with allowed():
        _bar(post, owner_id)
    st.subheader(_("Comments ({count})").format(count=f"{post.comments:,}"), anchor=False)
    thread(post_id=post.id)


def _words(post: Post) -> None:
    tags = "".join(f'<i class="lab-tag own">#{html.escape(tag)}</i>' for tag in post.tags)
    views = fmt.counted(post.views, _("1 view"), _("{count} views"))
    by = by_line(post.author, left=post.author_left, at=post.created_at, edited=post.edited_at is not None)
    st.html(
        f'<article class="lab-post"><h2>{html.escape(post.title)}</h2>'
        f'<div class="by"><i class="lab-tag">{html.escape(_(CATEGORIES[post.category.value]))}</i>{by} · '
        f"{html.escape(views)}</div>"
        f'<div class="lab-words">{safe_html(post.body)}</div><div>{tags}</div></article>'
    )


def _bar(post: Post, owner_id: str) -> None:
    with st.container(horizontal=True, gap="small", key="post_bar"):
        icon = ":material/favorite:" if post.is_liked else ":material/favorite_border:"
        if st.button(f"{post.likes:,}", key="post_like", icon=icon, help=_("Like"), disabled=post.is_hidden):
            services.likes().like_post(owner_id, post.id, liked=not post.is_liked)
            st.rerun()
        if post.is_mine:
            if st.button(_("Edit"), key="post_edit_button", icon=":material/edit:", type="tertiary"):
                st.session_state["post_edit"] = post.id
                st.rerun()
            with st.popover(_("Delete"), icon=":material/delete:", type="tertiary", key="post_delete"):
                st.caption(_("The post goes with its comments and cannot be brought back."))
                if st.button(_("Yes, delete"), key="post_really_delete"):
                    services.posts().delete(owner_id, post.id)
                    navigation.go("community")
        else:
            report_button(SubjectKind.POST, post.id)
        if is_admin(cached.lab().database, owner_id):
            label = _("Show again") if post.is_hidden else _("Hide")
            if st.button(label, key="post_hide", icon=":material/visibility_off:", type="tertiary"):
                decide = services.moderation().unhide if post.is_hidden else services.moderation().hide
                decide(owner_id, SubjectKind.POST, post.id)
                st.rerun()
