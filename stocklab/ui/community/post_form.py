"""Writing a post and changing one."""

from __future__ import annotations

import streamlit as st

from stocklab.community import BODY_LENGTH, MOST_TAGS, TITLE_LENGTH, Category, Draft, Post
from stocklab.sharing import PublicationNotFound
from stocklab.ui import identity, navigation
from stocklab.ui.community import services as posting
from stocklab.ui.community.words import CATEGORIES, allowed
from stocklab.ui.shared import services
from stocklab.ui.text import _

__all__ = ["edit_form", "write_form"]

_ID_LENGTH = 32


def write_form() -> None:
    """A new post; ``?publication=ID`` shows a published strategy in it."""
    navigation.link("community", _("All posts"), icon=":material/arrow_back:")
    named = str(st.query_params.get("publication", ""))[:_ID_LENGTH]
    shown = _to_show(identity.owner_id(), named)
    with st.form(key="post_form"):
        kinds = list(CATEGORIES)
        kind = st.segmented_control(
            _("Kind"),
            kinds,
            format_func=lambda code: _(CATEGORIES[code]),
            default=Category.STRATEGY.value if named else Category.FREE.value,
            required=True,
            key="post_category",
        )
        title, body, tags = _fields("post", "", "", "")
        publication = st.selectbox(
            _("Published strategy to show (optional)"),
            list(shown),
            index=list(shown).index(named) if named in shown else 0,
            format_func=lambda code: shown[code],
            help=_("Yours are listed. To show one of somebody else, press “Write about it” on its page."),
            key="post_publication",
        )
        hidden = st.checkbox(_("Without my name"), key="post_anonymous")
        sent = st.form_submit_button(_("Publish"), type="primary", key="post_send")
    if sent:
        with allowed():
            draft = Draft(
                category=Category(kind or Category.FREE.value),
                title=title,
                body=body,
                tags=tags,
                is_anonymous=hidden,
                publication_id=publication or None,
            )
            made = posting.posts().write(identity.owner_id(), draft)
            navigation.go("community", post=made)


def _to_show(owner_id: str, named: str) -> dict[str, str]:
    """What a post may show, by id: nothing, what the link names, and what the writer published."""
    found = {one.id: one.name for one in services.showcase().mine(owner_id).items if one.withdrawn_at is None}
    if named and named not in found:
        try:
            found = {named: services.showcase().get(owner_id, named).name} | found
        except PublicationNotFound:
            st.warning(_("The strategy in the link is not there any more."), icon=":material/link_off:")
    return {"": _("None")} | found


def edit_form(post: Post) -> None:
    """The words of one's own post."""
    with st.form(key="edit_form"):
        title, body, tags = _fields("edit", post.title, post.body, ", ".join(post.tags))
        with st.container(horizontal=True):
            saved = st.form_submit_button(_("Save"), type="primary", key="edit_send")
            left = st.form_submit_button(_("Cancel"), key="edit_cancel")
    if left:
        del st.session_state["post_edit"]
        st.rerun()
    if saved:
        with allowed():
            posting.posts().edit(identity.owner_id(), post.id, title=title, body=body, tags=tags)
            del st.session_state["post_edit"]
            st.rerun()


def _fields(key: str, title: str, body: str, tags: str) -> tuple[str, str, tuple[str, ...]]:
    name = st.text_input(_("Title"), value=title, max_chars=TITLE_LENGTH, key=f"{key}_title")
    words = st.text_area(
        _("Text"),
        value=body,
        max_chars=BODY_LENGTH,
        height=260,
        key=f"{key}_body",
        placeholder=_("Markdown: **bold**, lists, links. No HTML, no pictures."),
    )
    labels = st.text_input(
        _("Tags, separated by commas (at most {count})").format(count=MOST_TAGS), value=tags, key=f"{key}_tags"
    )
    return name or "", words or "", tuple((labels or "").split(","))
