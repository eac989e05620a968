"""Tables of a result page: sortable, with a file of all their rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import polars as pl
import streamlit as st

from stocklab.backtest.result import Result
from stocklab.data.csv_text import csv_of
from stocklab.market.panel import PriceBasis
from stocklab.ui import format as fmt
from stocklab.ui.result.open_explain import opens_explain
from stocklab.ui.text import _

__all__ = ["price", "quantity", "table", "won"]

ROWS: Final = 2000


def won(label: str) -> Any:
    """A column of whole numbers with separators."""
    return st.column_config.NumberColumn(label, format="localized")


def quantity(label: str, result: Result) -> Any:
    """A column of shares: whole numbers, of coins with their decimals."""
    if result.card["price_basis"] != PriceBasis.COIN:
        return won(label)
    return st.column_config.NumberColumn(label, format="%.14g")


def price(label: str, result: Result, values: pl.Series) -> Any:
    """A column of prices: with separators, unless coins below 100 won are among them, which have small decimals."""
    least = values.drop_nulls().min()
    if result.card["price_basis"] != PriceBasis.COIN or least is None or float(least) >= 100.0:  # type: ignore[arg-type]
        return won(label)
    return st.column_config.NumberColumn(label, format="%.10g")


def table(
    frame: pl.DataFrame,
    columns: Mapping[str, Any],
    file_name: str,
    *,
    order: list[str] | None = None,
    explains: bool = False,
    session: date | None = None,
) -> None:
    """A sortable table with a CSV of all its rows.

    ``explains``: a chosen row opens its stock and session in Explain; ``session`` is that of all rows, where they have
    no column of that name.
    """
    shown = frame.head(ROWS)
    key = f"rows_{file_name}"
    choice: dict[str, Any] = {}
    if explains:
        choice = {"on_select": opens_explain(shown, key, session=session), "selection_mode": "single-row"}
    st.dataframe(
        shown,
        key=key,
        **choice,
        hide_index=True,
        column_config=dict(columns),
        column_order=order or list(columns),
        height="content" if shown.height <= 15 else 560,
        placeholder=fmt.DASH,
    )
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        note = _("{count} rows").format(count=fmt.count(frame.height))
        if explains:
            note += " · " + _("choose a row to see its chart and why")
        if frame.height > ROWS:
            note += " · " + _("the first {count} are shown, the file has all").format(count=fmt.count(ROWS))
        st.caption(note)
        st.download_button(
            _("Download CSV"),
            data=lambda: csv_of(frame),
            file_name=file_name,
            mime="text/csv",
            icon=":material/download:",
            key=f"download_{file_name}",
            on_click="ignore",
        )
