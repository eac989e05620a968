"""Universes with a name, and limits by dated lists: an index and themes. Works at either desk."""

from __future__ import annotations

from typing import Final

import streamlit as st

from stocklab.errors import StockLabError
from stocklab.market.memberships import INDEX, THEME
from stocklab.portfolios import SavedUniverse, UniverseNameTaken
from stocklab.ui import cached, identity, text
from stocklab.ui import format as fmt
from stocklab.ui.builder import draft, fields, state
from stocklab.ui.builder.fields import escape
from stocklab.ui.text import _

__all__ = ["lists_of_members", "saved_universes"]

_TOLD: Final = "universes_told"
_NAME: Final = "universe_save_name"
_REPLACE: Final = "universe_replace"
_RENAME: Final = "universe_rename_to_"
_PICKED: Final = "universe_picked"
INDICES: Final = {"KOSPI200": "KOSPI 200", "KOSDAQ150": "KOSDAQ 150"}


def lists_of_members() -> None:
    """Limits to an index and to themes; what the data have no lists of is said."""
    known_indices, known_themes = cached.groups(INDEX), cached.groups(THEME)
    document = state.document()
    index, themes = draft.get(document, "universe.index"), draft.get(document, "universe.themes")
    first, second = st.columns(2)
    with first:
        options = {"": _("All stocks")} | {
            name: words for name, words in INDICES.items() if name in known_indices or name == index
        }
        key = fields.bind("field_universe_index", index or "")
        st.selectbox(
            _("Only members of an index"),
            list(options),
            format_func=options.__getitem__,
            key=key,
            on_change=fields.write,
            args=("universe.index", key, _or_none),
        )
    with second:
        fields.many("universe.themes", _("Only these themes"), list(known_themes))
    if not known_indices and not known_themes:
        st.caption(_("This data has no lists of index members and themes. Import `members` files to choose from them."))
    asked = {name: known_indices.get(name) for name in [index] if name} | {
        name: known_themes.get(name) for name in themes
    }
    for name, since in asked.items():
        label = escape(INDICES.get(name, name))
        if since is None:
            st.warning(_("{name}: this data has no list of its members.").format(name=label))
        else:
            st.caption(
                _("{name}: members are known from {day}; before, nobody counts as a member.").format(
                    name=label, day=fmt.day(since)
                )
            )


def _or_none(value: str) -> str | None:
    return value or None


def saved_universes() -> None:
    """Take a saved universe over, save the present one, rename and delete."""
    lab = cached.lab()
    try:
        saved = {each.id: each for each in lab.universes.list(identity.owner_id())}
    except StockLabError as error:
        st.warning(text.for_error(error))
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="universe_bar"):
        if saved:
            if st.session_state.get(_PICKED) not in saved:
                fields.bind(_PICKED, None)
            picked = st.selectbox(
                _("Saved universes"),
                list(saved),
                index=None,
                format_func=lambda key: saved[key].name,
                key=_PICKED,
                placeholder=_("Choose one to use it here"),
                on_change=_use,
            )
            if picked is not None:
                _change_popover(saved[picked])
        _save_popover()
    told = st.session_state.pop(_TOLD, None)
    if told:
        st.warning(told)


def _use() -> None:
    """Callback: the universe chosen takes the place of the document's; a strategy keeps its own copy."""
    picked = st.session_state[_PICKED]
    if picked is None:
        return
    lab = cached.lab()
    try:
        chosen = lab.universes.get(identity.owner_id(), picked).universe()
    except StockLabError as error:
        st.session_state[_TOLD] = text.for_error(error)
        return
    document = state.document()
    if chosen.of_coins != draft.trades_coins(document):
        document = draft.with_traded(document, coins=chosen.of_coins)
        editing = state.session()
        editing["start"] = editing["end"] = None  # the other kind has other sessions
    state.replace(draft.put(document, "universe", draft.full(chosen)))


def _save_popover() -> None:
    with st.popover(_("Save this universe"), icon=":material/bookmark_add:", key="universe_save"):
        st.caption(
            _("Strategies and screens can then use it. They keep a copy: changing it later changes none of them.")
        )
        name = st.text_input(_("Name"), max_chars=120, key=_NAME)
        st.checkbox(_("Replace one of the same name"), key=_REPLACE)
        blank = not (name or "").strip()
        st.button(_("Save"), type="primary", key="universe_save_confirm", disabled=blank, on_click=_save)


def _save() -> None:
    """Callback: save the universe of the document."""
    lab = cached.lab()
    try:
        checked = draft.checked_universe(state.document()["universe"])
        saved = lab.universes.save(
            identity.owner_id(), st.session_state[_NAME], checked, replace=bool(st.session_state[_REPLACE])
        )
    except UniverseNameTaken:
        st.session_state[_TOLD] = _(
            "There is a universe of this name. Choose another name, or tick the box to replace it."
        )
    except StockLabError as error:
        st.session_state[_TOLD] = text.for_error(error)
    else:
        st.session_state[_PICKED] = saved.id
        st.session_state[_NAME], st.session_state[_REPLACE] = "", False


def _change_popover(one: SavedUniverse) -> None:
    with st.popover(_("Change"), icon=":material/edit:", key="universe_change"):
        name = st.text_input(_("Name"), value=one.name, max_chars=120, key=f"{_RENAME}{one.id}")
        blank = not (name or "").strip()
        with st.container(horizontal=True):
            st.button(_("Rename"), key="universe_rename", disabled=blank, on_click=_rename, args=(one.id,))
            sure = st.toggle(_("Delete it"), key="universe_sure")
            if sure:
                st.button(
                    _("Delete"),
                    type="primary",
                    key="universe_delete",
                    icon=":material/delete:",
                    help=_("Strategies and screens keep their copies."),
                    on_click=_delete,
                    args=(one.id,),
                )


def _rename(universe_id: str) -> None:
    """Callback: take over the name that was typed."""
    lab = cached.lab()
    try:
        lab.universes.rename(identity.owner_id(), universe_id, st.session_state[f"{_RENAME}{universe_id}"])
    except UniverseNameTaken:
        st.session_state[_TOLD] = _("There is a universe of this name. Choose another name.")
    except StockLabError as error:
        st.session_state[_TOLD] = text.for_error(error)


def _delete(universe_id: str) -> None:
    """Callback: delete it; the toggle that asked is off again."""
    lab = cached.lab()
    st.session_state["universe_sure"] = False
    try:
        lab.universes.delete(identity.owner_id(), universe_id)
    except StockLabError as error:
        st.session_state[_TOLD] = text.for_error(error)
