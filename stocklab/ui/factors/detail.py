"""The page of one factor."""

from __future__ import annotations

from typing import Final

import streamlit as st

from stocklab.data.factor_json import pit_of
from stocklab.factors import CATALOGUE, Factor, check
from stocklab.factors.dependencies import definition_of, dependencies
from stocklab.factors.input_info import INPUTS, NEEDS
from stocklab.factors.latex import latex
from stocklab.factors.status import State
from stocklab.factors.words import top_terms
from stocklab.strategy.labels import label, noun
from stocklab.strategy.words import describe_value
from stocklab.ui import blocks, cached, catalogue, navigation
from stocklab.ui.builder.fields import escape
from stocklab.ui.factors import figures, lookups
from stocklab.ui.factors.spread import coverage_section, ends_section, spread_section
from stocklab.ui.factors.value import value_section
from stocklab.ui.text import N_, _, language, pick

__all__ = ["DIRECTIONS", "factor_page", "status_badge"]

DIRECTIONS: Final = {1: N_("Higher is better"), -1: N_("Lower is better"), 0: N_("No direction")}
_LONGEST_SYMBOLS: Final = 420  # characters of a formula beyond which symbols are harder to read than words
_PUBLIC: Final = {
    "close": N_("after the close of the day"),
    "evening": N_("in the evening of the day"),
    "T+1": N_("one session later"),
    "T+2": N_("two sessions later"),
    "filing": N_("from the day a report is received"),
    "calendar": N_("known in advance"),
}


def factor_page(factor: Factor) -> None:
    """Everything known of one factor, and its value for a stock."""
    st.button(_("All factors"), key="factor_back", icon=":material/arrow_back:", type="tertiary", on_click=_close)
    blocks.title(catalogue.factor_name(factor.id))
    blocks.badges(_badges(factor))
    has_data = bool(cached.data_status().get("snapshot"))
    _lacking(factor)
    formula, facts = st.columns([3, 2], gap="large")
    with formula:
        _formula(factor)
    with facts:
        _facts(factor)
    if has_data:
        value_section(factor)
    _inputs(factor)
    _graph(factor)
    if has_data:
        with blocks.guarded():
            found = lookups.report(factor.id)
            left, right = st.columns(2, gap="large")
            with left:
                coverage_section(factor, found)
            with right:
                spread_section(factor, found)
            ends_section(factor, found)
    else:
        blocks.no_data()


def _close() -> None:
    for name in ("factor", "symbol", "date"):
        st.query_params.pop(name, None)


def _badges(factor: Factor) -> list[str]:
    unit = _(catalogue.UNITS.get(factor.unit, factor.unit))
    return [
        f":gray-badge[{factor.id}]",
        blocks.badge(catalogue.category_name(factor.category), "category"),
        blocks.badge(unit, "straighten"),
        blocks.badge(_(DIRECTIONS[factor.higher_is_better]), "swap_vert"),
        *status_badge(factor.id),
    ]


def status_badge(factor_id: str) -> list[str]:
    """Whether the current data can compute it; nothing without data."""
    status = cached.factor_statuses().get(factor_id)
    if status is None:
        return []
    return {
        State.COMPUTED: [blocks.badge(_("Computed on this data"), "check_circle", "green")],
        State.PARTIAL: [blocks.badge(_("Computed without some inputs"), "rule", "orange")],
        State.LACKING: [blocks.badge(_("The data lack inputs"), "database_off", "red")],
    }[status.state]


def _lacking(factor: Factor) -> None:
    status = cached.factor_statuses().get(factor.id)
    if status is None or not status.missing:
        return
    names = ", ".join(noun(name, language()) for name in status.missing)
    needs = dict.fromkeys(pick(*NEEDS[INPUTS[name].need]) for name in status.missing)
    if status.state is State.PARTIAL:
        words = _("The loaded data do not have: {names}. The factor is computed without them.")
    else:
        words = _("The loaded data do not have: {names}. So this factor has no value for any stock.")
    how = _("To get it, import: {files}").format(files="; ".join(needs))
    st.warning(f"{escape(words.format(names=names))}\n\n{escape(how)}", icon=":material/database_off:")
    navigation.link("data", _("How to import data"), icon=":material/arrow_forward:")


def _formula(factor: Factor) -> None:
    st.subheader(_("Formula"), anchor=False)
    spoken = language()
    terms = [escape(describe_value(term, spoken)) for term in top_terms(factor.formula)]
    if len(terms) == 1:
        st.markdown(terms[0])
    else:
        st.markdown("\n".join((_("The sum of:"), "", *(f"- {term}" for term in terms))))
    if len(factor.formula) <= _LONGEST_SYMBOLS:
        with st.container(key="factor_symbols"):
            st.latex(latex(factor.formula, lambda name: label(name, spoken), spoken))
    st.code(factor.formula, language=None, wrap_lines=True)


def _facts(factor: Factor) -> None:
    st.subheader(_("About"), anchor=False)
    tags = pit_of(factor)
    public = " · ".join(_(words) for tag, words in _PUBLIC.items() if tag in tags)
    blocks.facts(
        {
            _("Korean name"): factor.name_ko,
            _("English name"): factor.name_en,
            _("Type"): _(catalogue.TYPES.get(factor.type, factor.type)),
            _("Public"): public,
            _("History needed"): _history(factor.id),
            _("Source"): factor.source,
            _("TA-Lib equivalent"): factor.ta_lib,
            _("Notes"): factor.notes,
        }
    )


def _history(factor_id: str) -> str:
    checked = check(factor_id)
    parts = []
    if checked.lookback > 1:
        parts.append(_("{count} sessions").format(count=f"{checked.lookback:,}"))
    if checked.quarters:
        parts.append(_("{count} quarters").format(count=checked.quarters))
    if checked.recursive:
        parts.append(_("depends on the first session"))
    return ", ".join(parts) or _("the day alone")


def _inputs(factor: Factor) -> None:
    st.subheader(_("Inputs"), anchor=False)
    spoken = language()
    statuses = cached.factor_statuses()
    missing = set(statuses[factor.id].missing) if factor.id in statuses else set()
    rows = []
    for name in sorted(check(factor.id).inputs, key=lambda name: (INPUTS[name].need, name)):
        info = INPUTS[name]
        there = "" if not statuses else _("not in the data") if name in missing else _("in the data")
        rows.append((f"{label(name, spoken)} ({name})", pick(info.meaning_ko, info.meaning_en), there))
    blocks.table((_("Name"), _("What it is"), _("This data")), rows)
    between = [name for layer in dependencies(factor.id).layers[1:] for name in layer if definition_of(name)]
    if between:
        with st.expander(_("Values in between ({count})").format(count=len(between))):
            blocks.table(
                (_("Name"), _("Formula")),
                [(f"{label(name, spoken)} ({name})", definition_of(name) or "") for name in between],
            )
            with st.container(horizontal=True, gap="small"):
                for name in between:
                    if name in CATALOGUE:
                        navigation.link("factors", catalogue.factor_name(name), factor=name)


def _graph(factor: Factor) -> None:
    st.subheader(_("What it is made of"), anchor=False)
    with st.container(key="factor_graph"):
        st.plotly_chart(
            lookups.figure(factor.id, "graph"), width="content", config={"displayModeBar": False}, key="graph"
        )
    marks = "".join(
        f'<span><i style="background:{colour}"></i>{words}</span>' for colour, words in figures.legend().items()
    )
    st.html(f'<div class="lab-legend">{marks}</div>')
