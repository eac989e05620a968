"""The section "My factors": formulas with names of the person's own, their faults, and what they give for one stock."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

import streamlit as st

from stocklab.strategy.own_factors import MOST_OWN_FACTORS, read_own_factors
from stocklab.ui import catalogue
from stocklab.ui.builder import draft, fields, own, own_edits, own_preview, state
from stocklab.ui.builder.fields import bind, escape
from stocklab.ui.builder.language_help import language_help
from stocklab.ui.builder.rules import formula_help, show_error
from stocklab.ui.text import N_, _, fault_text

__all__ = ["own_factors_editor"]

_DIRECTIONS: Final = {1: N_("Higher is better"), 0: N_("No direction"), -1: N_("Lower is better")}
_REFUSED: Final = "own_id_refused"


def own_factors_editor() -> None:
    """All own factors of the document, help with the language, and the preview."""
    listed = own.given()
    refused = st.session_state.pop(_REFUSED, None)
    for place, factor in enumerate(listed):
        with st.container(border=True, key=f"own_factor_{place}"):
            _factor(place, factor, refused[1] if refused is not None and refused[0] == place else "")
    st.button(
        _("Add my own factor"),
        key="add_own_factor",
        icon=":material/add:",
        disabled=len(listed) >= MOST_OWN_FACTORS,
        help=_("At most {count} in one strategy.").format(count=MOST_OWN_FACTORS),
        on_click=_add,
    )
    language_help()
    usable = own.usable()
    if usable:
        st.markdown(f"#### {_('Preview on one stock')}")
        own_preview.preview_panel(usable)


def _factor(place: int, factor: dict[str, Any], refused: str) -> None:
    _head(place, factor)
    path = f"factors.{place}"
    first, second = st.columns(2)
    with first:
        key = bind(f"own_{place}_id", factor.get("id", ""))
        st.text_input(
            _("Name in formulas"),
            key=key,
            max_chars=40,
            help=_("Small letters, digits and _. Renaming it renames it in every formula of this strategy."),
            on_change=_rename,
            args=(place, key),
        )
        _faults(f"{path}.id")
        if refused:
            st.caption(f":red[{escape(refused)}]")
    with second:
        fields.text(f"{path}.name", _("Name people read"), limit=60)
    key = bind(f"own_{place}_formula", factor.get("formula", ""))
    st.text_area(
        _("Formula"), key=key, height=96, max_chars=4000, help=formula_help(), on_change=_take, args=(place, key)
    )
    _formula_fault(place)
    first, second = st.columns(2)
    units = {unit: _(name) for unit, name in catalogue.UNITS.items()}
    with first:
        fields.choice(f"{path}.unit", _("Unit"), units)
    with second:
        ways = {value: _(name) for value, name in _DIRECTIONS.items()}
        fields.choice(f"{path}.higher_is_better", _("Direction"), ways)


def _head(place: int, factor: dict[str, Any]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        title = str(factor.get("name") or factor.get("id") or "")
        st.markdown(f"**{escape(title)}**", width="stretch")
        with st.container(horizontal=True, width="content", gap="xsmall"):
            for name, icon, words, act, shown in (
                ("up", ":material/arrow_upward:", _("Move up"), own_edits.move_up, place > 0),
                ("remove", ":material/delete:", _("Remove"), own_edits.remove, True),
            ):
                if shown:
                    st.button(
                        "",
                        key=f"own_{place}_{name}",
                        type="tertiary",
                        icon=icon,
                        help=words,
                        on_click=_apply,
                        args=(act, place),
                    )


def _faults(path: str) -> None:
    for fault in draft.faults_under(state.faults(), path):
        st.caption(f":red[{escape(fault_text(fault.code, fault.message))}]")


def _formula_fault(place: int) -> None:
    error = own.read().errors.get(place)
    if error is not None:
        show_error(error)
    else:
        _faults(f"factors.{place}.formula")


def _apply(act: Any, place: int) -> None:
    state.replace(act(state.document(), place))


def _add() -> None:
    state.replace(own_edits.add(state.document(), _("My factor {number}")))
    st.session_state[own_preview.CHOSEN] = own.given()[-1]["id"]


def _rename(place: int, key: str) -> None:
    """Take another id, also where it is used; one that cannot be is refused, so that no formula loses its factor."""
    new = str(st.session_state[key]).strip()
    tried = draft.put(state.document(), f"factors.{place}.id", new)
    wrong = draft.faults_under(draft.check(tried)[1], f"factors.{place}.id")
    if wrong:
        st.session_state[_REFUSED] = (place, fault_text(wrong[0].code, wrong[0].message))
        return
    state.replace(own_edits.rename(state.document(), place, new))
    st.session_state[own_preview.CHOSEN] = new


def _take(place: int, key: str) -> None:
    """Store what was typed, its Korean names translated; text at fault is kept and its fault shown."""
    typed = str(st.session_state[key]).strip()
    changed = draft.put(state.document(), f"factors.{place}.formula", typed)
    judged = {"factors": deepcopy(changed["factors"])}
    read_own_factors(judged)
    state.replace(draft.put(changed, f"factors.{place}.formula", judged["factors"][place]["formula"]))
    st.session_state[own_preview.CHOSEN] = str(changed["factors"][place].get("id"))
