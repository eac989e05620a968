"""A saved strategy in the list: what can be done with it, its versions, its runs."""

from __future__ import annotations

from typing import Any, Final, Literal

import streamlit as st

from stocklab.errors import StockLabError
from stocklab.portfolios import StrategySummary
from stocklab.strategy import describe_strategy, parse_document
from stocklab.ui import blocks, cached, identity, navigation, text
from stocklab.ui import format as fmt
from stocklab.ui.builder.fields import escape
from stocklab.ui.builder.toolbar import cloned_from, open_saved
from stocklab.ui.shared import services
from stocklab.ui.strategies.history import history
from stocklab.ui.strategies.keeping import MESSAGE, belongings
from stocklab.ui.strategies.share import share_dialog
from stocklab.ui.text import N_, _, language

__all__ = ["SORTS", "list_message", "strategy_card"]

Sort = Literal["updated", "created", "name"]
SORTS: Final[dict[Sort, str]] = {
    "updated": N_("Last changed first"),
    "created": N_("Newest first"),
    "name": N_("By name"),
}


def strategy_card(saved: StrategySummary) -> None:
    """One strategy of the list."""
    with st.container(border=True, key=f"strategy_{saved.id}"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            with st.container(width="content", gap="xsmall"):
                st.markdown(f"**{escape(saved.name)}**" + _where(saved))
                st.caption(
                    _("Version {version} · changed {when}").format(
                        version=saved.version, when=fmt.moment(saved.updated_at)
                    )
                )
            with st.container(horizontal=True, gap="small", width="content", vertical_alignment="center"):
                navigation.link("screener", _("Hits today"), icon=":material/filter_alt:", strategy=saved.id)
                if st.button(_("Open"), key=f"open_{saved.id}", icon=":material/tune:"):
                    open_saved(saved.id)
                    navigation.go("builder")
                if st.button(_("Share with others"), key=f"share_{saved.id}", icon=":material/share:"):
                    share_dialog(saved)
                _menu(saved)
        with st.expander(_("Details"), key=f"details_{saved.id}", on_change="rerun") as details:
            if details.open:
                with blocks.guarded():
                    _details(saved)


def _where(saved: StrategySummary) -> str:
    """Folder and tags behind the name."""
    found = [f":gray-badge[:material/folder: {escape(saved.folder)}]"] if saved.folder else []
    found += [f":gray-badge[{escape(tag)}]" for tag in saved.tags]
    if saved.origin_id is not None:
        found.append(f":blue-badge[:material/content_copy: {_('Clone')}]")
    return "".join(f" {one}" for one in found)


def _menu(saved: StrategySummary) -> None:
    st.button(
        "",
        key=f"copy_{saved.id}",
        icon=":material/content_copy:",
        help=_("Duplicate"),
        on_click=_do,
        args=("duplicate", saved.id),
    )
    if st.button("", key=f"rename_{saved.id}", icon=":material/edit:", help=_("Rename")):
        _rename(saved)
    if st.button("", key=f"delete_{saved.id}", icon=":material/delete:", help=_("Delete")):
        _delete(saved)


def _do(act: Literal["duplicate", "rename", "delete", "restore"], strategy_id: str, *details: Any) -> None:
    """Callback: do it; an error is told at the top of the list."""
    lab = cached.lab()
    try:
        getattr(lab.strategies, act)(identity.owner_id(), strategy_id, *details)
    except StockLabError as error:
        st.session_state[MESSAGE] = text.for_error(error)


def _do_rename(strategy_id: str) -> None:
    _do("rename", strategy_id, str(st.session_state["rename_to"]))


def list_message() -> None:
    """What went wrong with the last action, if anything did."""
    told = st.session_state.pop(MESSAGE, None)
    if told:
        st.error(told)


def _rename(saved: StrategySummary) -> None:
    @st.dialog(_("Rename"))
    def dialog() -> None:
        name = st.text_input(_("Name"), value=saved.name, max_chars=120, key="rename_to")
        blank = not (name or "").strip()
        if st.button(
            _("Rename"), type="primary", key="rename_confirm", disabled=blank, on_click=_do_rename, args=(saved.id,)
        ):
            st.rerun()

    dialog()


def _delete(saved: StrategySummary) -> None:
    @st.dialog(_("Delete this strategy?"))
    def dialog() -> None:
        st.markdown(_("**{name}** and its versions will be deleted. Its results stay.").format(name=escape(saved.name)))
        with st.container(horizontal=True):
            gone = st.button(
                _("Delete"),
                type="primary",
                key="delete_confirm",
                icon=":material/delete:",
                on_click=_do,
                args=("delete", saved.id),
            )
            if st.button(_("Keep"), key="delete_refuse") or gone:
                st.rerun()

    dialog()


def _details(saved: StrategySummary) -> None:
    document = cached.lab().strategies.get(identity.owner_id(), saved.id).document
    origin = saved.origin_id and services.clones().origin(identity.owner_id(), saved.origin_id)
    if origin:
        cloned_from(origin)
    rules, versions, keeping = st.tabs([_("Rules"), _("History"), _("Notes and file")])
    with rules:
        st.markdown("\n".join(f"- {escape(line)}" for line in describe_strategy(parse_document(document), language())))
    with versions:
        history(saved, lambda strategy_id, version: _do("restore", strategy_id, version))
    with keeping:
        belongings(saved)
