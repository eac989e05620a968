"""The thread under a post or a published strategy, a page at a time, with everything a reader may do in it."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any, Final

import streamlit as st

from stocklab.community import COMMENT_LENGTH, Comment, Remark, SubjectKind, is_admin, safe_html
from stocklab.ui import blocks, cached, identity
from stocklab.ui.community import services
from stocklab.ui.community.report_form import report_button
from stocklab.ui.community.words import allowed, by_line
from stocklab.ui.paging import places, turn_pages
from stocklab.ui.text import _

__all__ = ["thread"]

_OPEN: Final = "comment_open"


def thread(*, post_id: str | None = None, publication_id: str | None = None) -> None:
    """Comments under a post or a publication, and the form to add one."""
    subject = post_id or publication_id or ""
    owner_id = identity.owner_id()
    where: dict[str, Any] = {"post_id": post_id, "publication_id": publication_id}
    with allowed():
        _form(_("Write a comment"), f"new_{subject}", lambda body, hidden: _write(body, hidden, where, None))
        begun = places(f"comments_{subject}")
        page = services.threads().page(owner_id, after=begun[-1], **where)
        if not page.comments and begun[-1] is None:
            blocks.empty(_("No comment yet."), _("Be the first to say something."), icon=":material/forum:")
        may_hide = bool(page.comments) and is_admin(cached.lab().database, owner_id)
        for one in page.comments:
            _comment(one, where, may_hide=may_hide)
        turn_pages(f"thread_{subject}", begun, page.after, older=_("More comments"), newer=_("Earlier comments"))


def _comment(one: Comment, where: dict[str, Any], *, may_hide: bool) -> None:
    silent = _("This comment was deleted.") if one.is_deleted else _("This comment was hidden by an admin.")
    body = f'<p class="gone">{html.escape(silent)}</p>' if not one.body else safe_html(one.body)
    head = (
        ""
        if not one.body
        else by_line(one.author, left=one.author_left, at=one.created_at, edited=one.edited_at is not None)
    )
    st.html(
        f'<div class="lab-comment" style="margin-left:{min(one.depth, 5) * 0.9:.1f}rem">'
        f'<div class="by">{head}</div><div class="lab-words">{body}</div></div>'
    )
    if one.is_deleted:
        return
    with st.container(horizontal=True, gap="small", key=f"comment_bar_{one.depth}_{one.id}"):
        if one.body:
            _likes(one)
            if st.button(_("Answer"), key=f"answer_{one.id}", icon=":material/reply:", type="tertiary"):
                _toggle(one.id, "answer")
        if one.is_mine:
            if one.body and st.button(_("Edit"), key=f"edit_{one.id}", icon=":material/edit:", type="tertiary"):
                _toggle(one.id, "edit")
            if st.button(_("Delete"), key=f"delete_{one.id}", icon=":material/delete:", type="tertiary"):
                _toggle(one.id, "delete")
        elif one.body:
            report_button(SubjectKind.COMMENT, one.id)
        if may_hide:
            _hide(one)
    _opened(one, where)


def _likes(one: Comment) -> None:
    icon = ":material/favorite:" if one.is_liked else ":material/favorite_border:"
    if st.button(f"{one.likes:,}", key=f"like_{one.id}", icon=icon, type="tertiary", help=_("Like")):
        services.likes().like_comment(identity.owner_id(), one.id, liked=not one.is_liked)
        st.rerun()


def _hide(one: Comment) -> None:
    label = _("Show again") if one.is_hidden else _("Hide")
    if st.button(label, key=f"hide_{one.id}", icon=":material/visibility_off:", type="tertiary"):
        decide = services.moderation().unhide if one.is_hidden else services.moderation().hide
        decide(identity.owner_id(), SubjectKind.COMMENT, one.id)
        st.rerun()


def _toggle(comment_id: str, what: str) -> None:
    asked = (comment_id, what)
    st.session_state[_OPEN] = None if st.session_state.get(_OPEN) == asked else asked
    st.rerun()


def _opened(one: Comment, where: dict[str, Any]) -> None:
    """The form that was asked for below a comment."""
    match st.session_state.get(_OPEN):
        case (one.id, "answer"):
            _form(_("Write an answer"), f"to_{one.id}", lambda body, hidden: _write(body, hidden, where, one.id))
        case (one.id, "edit"):
            _form(_("Change the comment"), f"of_{one.id}", lambda body, _hidden: _change(one.id, body), now=one.body)
        case (one.id, "delete"):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.caption(_("Delete this comment?"), width="content")
                if st.button(_("Yes, delete"), key=f"really_{one.id}"):
                    services.comments().delete(identity.owner_id(), one.id)
                    st.session_state[_OPEN] = None
                    st.rerun()


def _form(label: str, key: str, send: Callable[[str, bool], None], *, now: str | None = None) -> None:
    with st.form(key=f"comment_form_{key}", clear_on_submit=False, border=False):
        body = st.text_area(
            label,
            value=now or "",
            max_chars=COMMENT_LENGTH,
            height=90,
            key=f"comment_text_{key}_{st.session_state.get('comment_sent', 0)}",
            placeholder=_("Markdown: **bold**, lists, links. No HTML, no pictures."),
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            hidden = now is None and st.checkbox(_("Without my name"), key=f"comment_anonymous_{key}")
            sent = st.form_submit_button(_("Save") if now is not None else _("Send"), key=f"comment_send_{key}")
    if sent:
        with allowed():
            send(body or "", hidden)
            st.session_state["comment_sent"] = st.session_state.get("comment_sent", 0) + 1
            st.session_state[_OPEN] = None
            st.rerun()


def _write(body: str, hidden: bool, where: dict[str, Any], parent_id: str | None) -> None:
    remark = Remark(body=body, parent_id=parent_id, is_anonymous=hidden, **where)
    services.comments().write(identity.owner_id(), remark)


def _change(comment_id: str, body: str) -> None:
    services.comments().edit(identity.owner_id(), comment_id, body)
