"""Condition rows: factor, function, operator and right side in widgets, or a free formula; and the logic line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import streamlit as st

from stocklab.errors import FormulaError
from stocklab.factors import check_with, translate
from stocklab.strategy.logic import parse_logic, unused_letters
from stocklab.strategy.rows import FUNCTION_NAMES, LONGEST, Function, Operand, Operator, Row, formula_of, row_of
from stocklab.strategy.words import describe_rule
from stocklab.ui import catalogue
from stocklab.ui.builder import draft, operands, own, state
from stocklab.ui.builder.draft import Side
from stocklab.ui.builder.fields import bind, escape
from stocklab.ui.text import N_, _, fault_text, language

__all__ = ["formula_help", "rules_editor", "show_error", "show_formula_fault"]

ALL: Final = "*"
_SIDES: Final = {"value": N_("Number"), "factor": N_("Factor")}


def rules_editor(side: Side) -> None:
    """All rules of one side with their logic line."""
    found = draft.rules(state.document(), side)
    for place, rule in enumerate(found):
        with st.container(border=True, key=f"rule_{side}_{rule['id']}"):
            _rule(side, place, rule)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(_("Add a condition"), key=f"add_{side}", icon=":material/add:", on_click=_add, args=(side,))
        st.button(
            _("Add a formula"),
            key=f"add_formula_{side}",
            icon=":material/function:",
            type="tertiary",
            on_click=_add,
            args=(side, True),
        )
    if len(found) > 1 or draft.get(state.document(), f"{side}.logic"):
        _logic(side, [rule["id"] for rule in found])


def _add(side: Side, as_text: bool = False) -> None:
    state.replace(draft.add_rule(state.document(), side, operands.NEW_RULES[side]))
    if as_text:
        state.session()["as_text"].add(f"{side}.{draft.rules(state.document(), side)[-1]['id']}")


def _rule(side: Side, place: int, rule: dict[str, Any]) -> None:
    letter, formula = rule["id"], rule["formula"]
    mark = f"{side}.{letter}"
    row = row_of(formula)
    as_text = row is None or mark in state.session()["as_text"]
    _rule_head(side, place, rule, row, as_text)
    if row is None or as_text:
        _formula_area(side, place, letter, formula)
    else:
        _row_widgets(side, place, letter, row)
    for fault in draft.faults_under(state.faults(), f"{side}.rules.{place}"):
        if row is not None and not as_text:
            st.caption(f":red[{escape(fault_text(fault.code, fault.message))}]")


def _rule_head(side: Side, place: int, rule: dict[str, Any], row: Row | None, as_text: bool) -> None:
    letter = rule["id"]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":primary-badge[{letter}] **{escape(_sentence(rule['formula']))}**", width="stretch")
        with st.container(horizontal=True, width="content", gap="xsmall"):
            _rule_buttons(side, letter, row, as_text)


def _rule_buttons(side: Side, letter: str, row: Row | None, as_text: bool) -> None:
    if row is not None:
        st.button(
            _("As a row") if as_text else _("As a formula"),
            key=f"{side}_{letter}_mode",
            type="tertiary",
            icon=":material/tune:" if as_text else ":material/function:",
            on_click=_toggle_text,
            args=(f"{side}.{letter}",),
        )
    for name, icon, words, act in (
        ("copy", ":material/content_copy:", _("Duplicate"), draft.copy_rule),
        ("remove", ":material/delete:", _("Remove"), draft.remove_rule),
    ):
        st.button(
            "",
            key=f"{side}_{letter}_{name}",
            type="tertiary",
            icon=icon,
            help=words,
            on_click=_apply,
            args=(act, side, letter),
        )


def _sentence(formula: str) -> str:
    try:
        return describe_rule(formula, language(), own.usable())
    except FormulaError:
        return formula


def _apply(act: Callable[[draft.Document, Side, str], draft.Document], side: Side, letter: str) -> None:
    state.replace(act(state.document(), side, letter))


def _toggle_text(mark: str) -> None:
    state.session()["as_text"] ^= {mark}


def _formula_area(side: Side, place: int, letter: str, formula: str) -> None:
    key = bind(f"formula_{side}_{letter}", formula)
    st.text_area(
        _("Formula"),
        key=key,
        height=80,
        help=formula_help(),
        label_visibility="collapsed",
        on_change=_take_formula,
        args=(f"{side}.rules.{place}.formula", key),
    )
    show_formula_fault(formula, f"{side}.rules.{place}")


def _take_formula(path: str, key: str) -> None:
    """Store what was typed, its Korean names translated; text that cannot be translated is kept and its fault shown."""
    typed = str(st.session_state[key]).strip()
    try:
        stored = translate(typed, own.definitions())
    except FormulaError:
        stored = typed
    state.replace(draft.put(state.document(), path, stored))


def show_formula_fault(formula: str, path: str) -> None:
    """Why a formula cannot be used, with a caret under the character; nothing when it can."""
    try:
        check_with(translate(formula, own.definitions()), own.definitions())
    except FormulaError as error:
        show_error(error)
        return
    for fault in draft.faults_under(state.faults(), path):
        st.caption(f":red[{escape(fault_text(fault.code, fault.message))}]")


def show_error(error: FormulaError) -> None:
    """Why a formula cannot be used, with a caret under the character."""
    st.caption(f":red[{escape(fault_text(error.code, error.reason))}]")
    st.code(error.pointer(), language=None)


def formula_help() -> str:
    """What a formula may say."""
    return _(
        "A formula of the catalogue's language, such as `close > 1.05*sma(close, 60)`. Korean names work too: "
        "`이동평균({종가}, {20일})`. Join conditions with `&` and `|`, negate with `~`."
    )


def _row_widgets(side: Side, place: int, letter: str, row: Row) -> None:
    prefix = f"rule_{side}_{letter}"
    edit = (side, place, letter)
    _operand_widgets(f"{prefix}_left", row.left, _edit_left, edit)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        shown = {operator: _(name) for operator, name in operands.OPERATORS.items()}
        st.selectbox(
            _("Comparison"),
            list(shown),
            format_func=shown.__getitem__,
            key=bind(f"{prefix}_operator", row.operator),
            on_change=_edit_operator,
            args=edit,
            width=170,
        )
        _right_widgets(prefix, row, edit)
    if row.right is not None:
        _operand_widgets(f"{prefix}_other", row.right, _edit_other, edit)


def _right_widgets(prefix: str, row: Row, edit: tuple[Side, int, str]) -> None:
    """What stands on the right: two ends of a range, a number, or how often another factor counts."""
    unit = _unit(row.left)
    if row.operator in operands.RANGES:
        _number(f"{_('From')}{unit}", f"{prefix}_low", value=row.low, act=_edit_low, edit=edit)
        _number(f"{_('To')}{unit}", f"{prefix}_high", value=row.high, act=_edit_high, edit=edit)
        return
    kinds = {kind: _(name) for kind, name in _SIDES.items()}
    st.segmented_control(
        _("Compare with"),
        list(kinds),
        format_func=kinds.__getitem__,
        required=True,
        key=bind(f"{prefix}_right", "value" if row.right is None else "factor"),
        on_change=_edit_right,
        args=edit,
    )
    if row.right is None:
        _number(f"{_('Number')}{unit}", f"{prefix}_value", value=row.value, act=_edit_value, edit=edit)
    else:
        _number(_("Multiplied by"), f"{prefix}_times", value=row.times or 1.0, act=_edit_times, edit=edit)


def _unit(left: Operand) -> str:
    if left.function is Function.RANK:
        return f" ({_('place')})"
    if left.function in (Function.PERCENTILE, Function.CHANGE_RATE):
        return " (%)"
    unit = own.unit_of(left.factor)
    return f" ({_(catalogue.UNITS.get(unit, unit))})" if unit else ""


def _number(
    label: str, key: str, *, value: float | None, act: Callable[..., None], edit: tuple[Side, int, str]
) -> None:
    st.number_input(
        label, key=bind(key, float(value or 0.0)), step=1.0, format="%.10g", on_change=act, args=edit, width=150
    )


def _operand_widgets(prefix: str, shown: Operand, act: Callable[..., None], edit: tuple[Side, int, str]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = st.selectbox(
            _("Category"),
            [ALL, *own.categories()],
            format_func=lambda name: _("All") if name == ALL else own.category_label(name),
            key=f"{prefix}_category",
            width=125,
        )
        choices = own.options(None if chosen == ALL else chosen)
        if shown.factor not in choices:
            choices = (shown.factor, *choices)
        st.selectbox(
            _("Factor"),
            choices,
            format_func=own.labels(),
            key=bind(f"{prefix}_factor", shown.factor),
            on_change=act,
            args=edit,
        )
        names = {item: pair[0 if language() == "ko" else 1] for item, pair in FUNCTION_NAMES.items()}
        st.selectbox(
            _("Function"),
            list(names),
            format_func=names.__getitem__,
            key=bind(f"{prefix}_function", shown.function),
            on_change=act,
            args=edit,
            width=150,
        )
        _argument_widget(prefix, shown, act, edit)


def _argument_widget(prefix: str, shown: Operand, act: Callable[..., None], edit: tuple[Side, int, str]) -> None:
    if operands.takes_direction(shown.function):
        directions = {item: _(name) for item, name in operands.DIRECTIONS.items()}
        st.selectbox(
            _("Order"),
            list(directions),
            format_func=directions.__getitem__,
            key=bind(f"{prefix}_direction", shown.argument),
            on_change=act,
            args=edit,
            width=150,
        )
    elif operands.takes_length(shown.function):
        st.number_input(
            _("Sessions"),
            min_value=1,
            max_value=LONGEST,
            step=1,
            key=bind(f"{prefix}_length", shown.argument),
            help=_("5 = a week, 21 = a month, 252 = a year. The window includes today."),
            on_change=act,
            args=edit,
            width=130,
        )


def _read_operand(prefix: str, old: Operand) -> Operand:
    function = st.session_state[f"{prefix}_function"]
    name = "direction" if operands.takes_direction(function) else "length"
    argument = st.session_state.get(f"{prefix}_{name}", old.argument)
    return operands.operand(st.session_state[f"{prefix}_factor"], function, argument, old.unit)


def _store(side: Side, place: int, change: Callable[[Row], Row]) -> None:
    path = f"{side}.rules.{place}.formula"
    row = row_of(draft.get(state.document(), path))
    if row is not None:
        state.replace(draft.put(state.document(), path, formula_of(change(row))))


def _edit_left(side: Side, place: int, letter: str) -> None:
    _store(side, place, lambda row: replace(row, left=_read_operand(f"rule_{side}_{letter}_left", row.left)))


def _edit_other(side: Side, place: int, letter: str) -> None:
    prefix = f"rule_{side}_{letter}_other"
    _store(side, place, lambda row: replace(row, right=_read_operand(prefix, row.right or row.left)))


def _edit_operator(side: Side, place: int, letter: str) -> None:
    chosen = Operator(st.session_state[f"rule_{side}_{letter}_operator"])
    _store(side, place, lambda row: operands.with_operator(row, chosen))


def _edit_right(side: Side, place: int, letter: str) -> None:
    wants_factor = st.session_state[f"rule_{side}_{letter}_right"] == "factor"
    _store(side, place, operands.with_right_factor if wants_factor else operands.with_value)


def _edit_value(side: Side, place: int, letter: str) -> None:
    value = st.session_state[f"rule_{side}_{letter}_value"]
    _store(side, place, lambda row: operands.with_value(row, value or 0.0))


def _edit_low(side: Side, place: int, letter: str) -> None:
    low = st.session_state[f"rule_{side}_{letter}_low"] or 0.0
    _store(side, place, lambda row: replace(row, low=low, high=max(low, row.high or 0.0)))


def _edit_high(side: Side, place: int, letter: str) -> None:
    high = st.session_state[f"rule_{side}_{letter}_high"] or 0.0
    _store(side, place, lambda row: replace(row, low=min(row.low or 0.0, high), high=high))


def _edit_times(side: Side, place: int, letter: str) -> None:
    times = st.session_state[f"rule_{side}_{letter}_times"]
    _store(side, place, lambda row: operands.with_right_factor(row, row.right, times))


def _logic(side: Side, letters: list[str]) -> None:
    stored = draft.get(state.document(), f"{side}.logic")
    automatic = parse_logic(None, letters, "any" if side == "exit" else "all").text
    line, reset = st.columns([5, 1.4], vertical_alignment="bottom")
    key = bind(f"logic_{side}", stored or automatic)
    line.text_input(
        _("Logic"),
        key=key,
        max_chars=500,
        help=_("Letters joined with and, or, not and parentheses, such as `A and (B or not C)`."),
        on_change=_take_logic,
        args=(side, key, automatic),
    )
    if stored is None:
        reset.caption(_("Automatic"))
        return
    reset.button(
        _("Reset"), key=f"logic_{side}_reset", icon=":material/restart_alt:", on_click=_reset_logic, args=(side,)
    )
    try:
        left_out = unused_letters(parse_logic(stored, letters, "all"), letters)
    except FormulaError as error:
        show_error(error)
        return
    if left_out:
        st.caption(_("Not used by the logic: {letters}").format(letters=", ".join(left_out)))


def _take_logic(side: Side, key: str, automatic: str) -> None:
    typed = str(st.session_state[key] or "").strip()
    state.replace(draft.put(state.document(), f"{side}.logic", None if typed in ("", automatic) else typed))


def _reset_logic(side: Side) -> None:
    state.replace(draft.put(state.document(), f"{side}.logic", None))
