"""The way to the Explain section from any row that names a stock: a choice in a table, or a button."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import polars as pl
import streamlit as st

__all__ = ["DAY", "SECTION", "SYMBOL", "open_explain", "opens_explain", "remember"]

SECTION: Final = "result_section"
SYMBOL: Final = "explain_symbol"
DAY: Final = "explain_day"


def open_explain(symbol: str, session: date) -> None:
    """Callback: show the Explain section for this stock and session at the next run of the page."""
    st.session_state[SECTION] = "explain"
    remember(symbol, session)


def remember(symbol: str, session: date) -> None:
    """Make the stock and session those of the section and of the link."""
    st.session_state[SYMBOL], st.session_state[DAY] = symbol, session
    st.query_params["symbol"], st.query_params["date"] = symbol, session.isoformat()


def opens_explain(frame: pl.DataFrame, key: str, *, session: date | None = None) -> Any:
    """A callback for a table whose rows name a ``symbol``, and a ``session`` unless one is given for all."""

    def chosen() -> None:
        rows = st.session_state[key].selection.rows
        if rows:
            row = frame.row(rows[0], named=True)
            open_explain(row["symbol"], session or row["session"])

    return chosen
