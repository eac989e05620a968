"""The score: weighted factors, each with direction, transform and neutralisation."""

from __future__ import annotations

from typing import Any

import streamlit as st

from stocklab.errors import FormulaError
from stocklab.factors import translate
from stocklab.strategy.rows import operand_of
from stocklab.ui.builder import draft, fields, own, state
from stocklab.ui.builder.fields import bind
from stocklab.ui.builder.rules import formula_help, show_formula_fault
from stocklab.ui.text import N_, _, fault_text

__all__ = ["ranking_editor"]

_DIRECTIONS = {"high": N_("Higher is better"), "low": N_("Lower is better")}
_TRANSFORMS = {"rank": N_("Rank"), "zscore": N_("Z-score"), "value": N_("Raw value")}
_NEUTRAL = {"none": N_("None"), "sector": N_("Sector"), "sector_size": N_("Sector and size")}
_FRESH = {
    "formula": "mom_12_1",
    "weight": 1.0,
    "direction": "high",
    "transform": "rank",
    "neutralize": "none",
    "winsorize": 0.0,
}


def ranking_editor() -> None:
    """The parts of the score and how many candidates it admits."""
    parts = draft.get(state.document(), "ranking.factors")
    for place, part in enumerate(parts):
        with st.container(border=True):
            _part(place, part)
    st.button(_("Add a factor"), key="add_ranking", icon=":material/add:", on_click=_add)
    first, second = st.columns(2)
    with first:
        keep = {"all": N_("Every candidate"), "top": N_("Only the best"), "bottom": N_("Only the worst")}
        fields.choice("ranking.keep", _("Admit"), {value: _(name) for value, name in keep.items()})
    if draft.get(state.document(), "ranking.keep") != "all":
        with second:
            fields.whole("ranking.count", _("How many"), least=1, most=5000)


def _add() -> None:
    document = state.document()
    parts = [*draft.get(document, "ranking.factors"), dict(_FRESH)]
    state.replace(draft.put(document, "ranking.factors", parts))


def _remove(place: int) -> None:
    document = state.document()
    parts = [part for index, part in enumerate(draft.get(document, "ranking.factors")) if index != place]
    state.replace(draft.put(document, "ranking.factors", parts))
    state.session()["as_text"] = {mark for mark in state.session()["as_text"] if not mark.startswith("ranking.")}


def _part(place: int, part: dict[str, Any]) -> None:
    path = f"ranking.factors.{place}"
    mark = f"ranking.{place}"
    named = operand_of(part["formula"])
    simple = named is not None and named.argument is None and mark not in state.session()["as_text"]
    first, second = st.columns([5, 1.6], vertical_alignment="bottom")
    with first:
        _factor_picker(place, part["formula"]) if simple else _formula_field(place, part["formula"])
    with second, st.container(horizontal=True, horizontal_alignment="right"):
        if named is not None and named.argument is None:
            st.button(
                "",
                key=f"ranking_{place}_mode",
                icon=":material/function:" if simple else ":material/tune:",
                type="tertiary",
                help=_("As a formula") if simple else _("As a row"),
                on_click=_toggle,
                args=(mark,),
            )
        st.button(
            "",
            key=f"ranking_{place}_remove",
            icon=":material/delete:",
            type="tertiary",
            help=_("Remove"),
            on_click=_remove,
            args=(place,),
        )
    columns = st.columns([1.5, 1, 1.1, 1.2, 1.1])
    with columns[0]:
        fields.choice(f"{path}.direction", _("Direction"), {key: _(name) for key, name in _DIRECTIONS.items()})
    with columns[1]:
        fields.number(f"{path}.weight", _("Weight"), least=0.01, most=1000, step=0.5)
    with columns[2]:
        fields.choice(f"{path}.transform", _("Transform"), {key: _(name) for key, name in _TRANSFORMS.items()})
    with columns[3]:
        fields.choice(f"{path}.neutralize", _("Neutralise"), {key: _(name) for key, name in _NEUTRAL.items()})
    with columns[4]:
        fields.percent(f"{path}.winsorize", _("Winsorise (%)"), least=0.0, most=49.0, step=0.5)


def _toggle(mark: str) -> None:
    state.session()["as_text"] ^= {mark}


def _factor_picker(place: int, factor: str) -> None:
    choices = own.options(None)
    key = bind(f"ranking_{place}_factor", factor)
    st.selectbox(
        _("Factor"),
        choices if factor in choices else (factor, *choices),
        format_func=own.labels(),
        key=key,
        on_change=_choose,
        args=(place, key),
    )
    for fault in draft.faults_under(state.faults(), f"ranking.factors.{place}.formula"):
        st.caption(f":red[{fields.escape(fault_text(fault.code, fault.message))}]")


def _choose(place: int, key: str) -> None:
    """Rank by another factor; one of the person's own brings its direction along."""
    chosen = str(st.session_state[key])
    path = f"ranking.factors.{place}"
    changed = draft.put(state.document(), f"{path}.formula", chosen)
    better = next((factor.higher_is_better for factor in own.usable() if factor.id == chosen), 0)
    state.replace(draft.put(changed, f"{path}.direction", "high" if better > 0 else "low") if better else changed)


def _formula_field(place: int, formula: str) -> None:
    path = f"ranking.factors.{place}.formula"
    key = bind(f"formula_ranking_{place}", formula)
    st.text_area(_("Formula"), key=key, height=80, help=formula_help(), on_change=_take, args=(path, key))
    show_formula_fault(formula, path)


def _take(path: str, key: str) -> None:
    typed = str(st.session_state[key]).strip()
    try:
        stored = translate(typed, own.definitions())
    except FormulaError:
        stored = typed
    state.replace(draft.put(state.document(), path, stored))
