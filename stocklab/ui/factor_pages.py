"""The factor catalogue as a table, and one factor in detail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl
import streamlit as st

from stocklab.factors import CATALOGUE, Factor
from stocklab.ui import blocks, catalogue
from stocklab.ui.builder.fields import escape
from stocklab.ui.text import N_, _, language

__all__ = ["factor_detail", "factor_table"]

DIRECTIONS: Final = {1: N_("Higher is better"), -1: N_("Lower is better"), 0: N_("No direction")}


def factor_table(found: Sequence[Factor]) -> None:
    """Factors as a table; choosing a row shows it above."""
    chosen = st.dataframe(
        _rows(tuple(factor.id for factor in found), language()),
        hide_index=True,
        height=560,
        key="factor_table",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "name": st.column_config.TextColumn(_("Name"), width="medium"),
            "id": st.column_config.TextColumn("id"),
            "category": st.column_config.TextColumn(_("Category")),
            "unit": st.column_config.TextColumn(_("Unit"), width="small"),
            "direction": st.column_config.TextColumn(_("Direction")),
            "available": st.column_config.CheckboxColumn(_("Computable now"), width="medium"),
            "formula": st.column_config.TextColumn(_("Formula"), width="large"),
        },
    )
    st.caption(_("{count} of {total} factors").format(count=len(found), total=len(CATALOGUE)))
    picked = chosen["selection"]["rows"] if chosen else []
    if picked and picked[0] < len(found) and st.query_params.get("factor") != found[picked[0]].id:
        st.query_params["factor"] = found[picked[0]].id
        st.rerun()


@st.cache_data(max_entries=64, show_spinner=False)
def _rows(ids: tuple[str, ...], spoken: str) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "name": catalogue.factor_name(key),
                "id": key,
                "category": catalogue.category_name(CATALOGUE[key].category),
                "unit": _(catalogue.UNITS.get(CATALOGUE[key].unit, CATALOGUE[key].unit)),
                "direction": _(DIRECTIONS[CATALOGUE[key].higher_is_better]),
                "available": True,
                "formula": CATALOGUE[key].formula,
            }
            for key in ids
        ]
    )


def factor_detail(factor: Factor) -> None:
    """Everything known of one factor."""
    with st.container(border=True, key="factor_detail"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"#### {escape(catalogue.factor_name(factor.id))}")
            if st.button("", key="factor_close", icon=":material/close:", type="tertiary", help=_("Close")):
                del st.query_params["factor"]
                st.rerun()
        st.code(factor.formula, language=None, wrap_lines=True)
        blocks.facts(
            {
                _("Id"): factor.id,
                _("Korean name"): factor.name_ko,
                _("English name"): factor.name_en,
                _("Category"): catalogue.category_name(factor.category),
                _("Type"): _(catalogue.TYPES.get(factor.type, factor.type)),
                _("Unit"): _(catalogue.UNITS.get(factor.unit, factor.unit)),
                _("Direction"): _(DIRECTIONS[factor.higher_is_better]),
                _("Inputs"): ", ".join(factor.inputs),
                _("History needed"): factor.lookback,
                _("Source"): factor.source,
                _("TA-Lib equivalent"): factor.ta_lib,
                _("Notes"): factor.notes,
            }
        )
