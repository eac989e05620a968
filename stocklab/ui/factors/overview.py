"""All factors with search and filters, and which of them the loaded data can compute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import polars as pl
import streamlit as st

from stocklab.factors import CATALOGUE, Factor
from stocklab.factors.input_info import INPUTS, NEEDS, Need
from stocklab.factors.status import FormulaStatus, State
from stocklab.ui import blocks, cached, catalogue
from stocklab.ui.factors.detail import DIRECTIONS
from stocklab.ui.lacks import missing_names
from stocklab.ui.text import _, pick

__all__ = ["overview_page"]


def overview_page() -> None:
    """The catalogue."""
    blocks.title(
        _("Factor catalogue"),
        _("{count} factors, each a formula with its unit, direction and source. Choose one to read it.").format(
            count=len(CATALOGUE)
        ),
    )
    found = _filtered()
    _summary()
    if found:
        _table(found)
    else:
        blocks.empty(
            _("No factor matches."), _("Try a shorter word, or another category."), icon=":material/search_off:"
        )
    _needs()


def _filtered() -> list[Factor]:
    words = st.text_input(
        _("Search"),
        key="factor_search",
        icon=":material/search:",
        placeholder=_("Name in Korean or English, id or source"),
        live=True,
    )
    with st.grid(4, min_column_width=150, gap="xsmall"):
        counts = Counter(factor.category for factor in CATALOGUE.values())
        category = _choice(
            _("Category"),
            "factor_category",
            {
                name: f"{catalogue.category_name(name)} ({counts[name]})"
                for name in catalogue.CATEGORIES
                if counts[name]
            },
        )
        counts = Counter(factor.type for factor in CATALOGUE.values())
        kind = _choice(
            _("Type"),
            "factor_type",
            {name: f"{_(text)} ({counts[name]})" for name, text in catalogue.TYPES.items() if counts[name]},
        )
        unit = _choice(_("Unit"), "factor_unit_choice", {name: _(text) for name, text in catalogue.UNITS.items()})
        with st.container(vertical_alignment="bottom", height="stretch"):
            only = st.toggle(_("Only what this data can compute"), key="factor_computed")
    found = catalogue.search(words or "", category=category, kind=kind, unit=unit)
    statuses = cached.factor_statuses()
    if only and statuses:
        found = [factor for factor in found if statuses[factor.id].state is not State.LACKING]
    return found


def _choice(title: str, key: str, names: dict[str, str]) -> str | None:
    shown = {"": _("All"), **names}
    chosen: str = st.selectbox(title, list(shown), format_func=shown.__getitem__, key=key)
    return chosen or None


def _summary() -> None:
    statuses = cached.factor_statuses()
    if not statuses:
        st.info(_("There is no market data yet, so nothing can be computed."), icon=":material/database:")
        return
    states = Counter(statuses[factor_id].state for factor_id in CATALOGUE)
    labels = [
        blocks.badge(_("{count} computed on this data").format(count=states[State.COMPUTED]), "check_circle", "green")
    ]
    if states[State.PARTIAL]:
        labels.append(
            blocks.badge(_("{count} without some inputs").format(count=states[State.PARTIAL]), "rule", "orange")
        )
    if states[State.LACKING]:
        labels.append(blocks.badge(_("{count} lack inputs").format(count=states[State.LACKING]), "database_off", "red"))
    blocks.badges(labels)


def _table(found: Sequence[Factor]) -> None:
    chosen = st.dataframe(
        _rows(tuple(factor.id for factor in found)),
        hide_index=True,
        height=min(560, 37 + 35 * len(found)),
        key="factor_table",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "name": st.column_config.TextColumn(_("Name"), width="medium"),
            "id": st.column_config.TextColumn("id", width=160),
            "category": st.column_config.TextColumn(_("Category")),
            "type": st.column_config.TextColumn(_("Type")),
            "unit": st.column_config.TextColumn(_("Unit"), width="small"),
            "direction": st.column_config.TextColumn(_("Direction")),
            "data": st.column_config.TextColumn(_("This data"), width="medium"),
            "formula": st.column_config.TextColumn(_("Formula"), width="large"),
        },
    )
    st.caption(_("{count} of {total} factors").format(count=len(found), total=len(CATALOGUE)))
    picked = chosen["selection"]["rows"] if chosen else []
    if picked and picked[0] < len(found):
        st.query_params["factor"] = found[picked[0]].id
        st.rerun()


def _rows(ids: tuple[str, ...]) -> pl.DataFrame:
    statuses = cached.factor_statuses()
    return pl.DataFrame(
        [
            {
                "name": catalogue.factor_name(key),
                "id": key,
                "category": catalogue.category_name(CATALOGUE[key].category),
                "type": _(catalogue.TYPES.get(CATALOGUE[key].type, CATALOGUE[key].type)),
                "unit": _(catalogue.UNITS.get(CATALOGUE[key].unit, CATALOGUE[key].unit)),
                "direction": _(DIRECTIONS[CATALOGUE[key].higher_is_better]),
                "data": _state(statuses.get(key)),
                "formula": CATALOGUE[key].formula,
            }
            for key in ids
        ]
    )


def _state(status: FormulaStatus | None) -> str:
    if status is None:
        return ""
    if status.state is State.COMPUTED:
        return _("computed")
    words = _("without {names}") if status.state is State.PARTIAL else _("lacks {names}")
    return words.format(names=missing_names(status.missing))


def _needs() -> None:
    """What to import so that more factors can be computed, and how many each would help."""
    statuses = cached.factor_statuses()
    wanted: dict[Need, set[str]] = {}
    for factor_id in CATALOGUE:
        for name in statuses[factor_id].missing if statuses else ():
            wanted.setdefault(INPUTS[name].need, set()).add(factor_id)
    if not wanted:
        return
    with st.expander(_("How to get the missing inputs"), icon=":material/upload:"):
        ordered = sorted(wanted.items(), key=lambda pair: -len(pair[1]))
        rows = [
            (pick(*NEEDS[need]), ", ".join(_names_of(need, statuses)), str(len(factors))) for need, factors in ordered
        ]
        blocks.table((_("Import"), _("Brings"), _("Factors that need it")), rows)
        st.code("stocklab data import PATH...", language=None)


def _names_of(need: Need, statuses: Mapping[str, FormulaStatus]) -> list[str]:
    missing = {name for factor_id in CATALOGUE for name in statuses[factor_id].missing}
    return [missing_names((name,)) for name in INPUTS if name in missing and INPUTS[name].need is need]
