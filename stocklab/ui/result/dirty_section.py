"""Which of the stocks a run traded have findings in the quality report of the data it ran on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import streamlit as st

from stocklab.backtest.result import Result
from stocklab.data.quality_scores import SymbolFindings, dirty_inputs, knows_symbols
from stocklab.errors import StoreError
from stocklab.ui import cached
from stocklab.ui import format as fmt
from stocklab.ui.data import lookups
from stocklab.ui.data.quality_section import scores_table
from stocklab.ui.text import _

__all__ = ["dirty_found", "dirty_line", "dirty_section", "read_datasets"]

_SHOWN: Final = 200
_PRICES: Final = {"raw": "prices_raw", "adjusted": "prices_adjusted", "coin": "prices_coin"}


def read_datasets(card: Mapping[str, Any]) -> tuple[str, ...]:
    """Datasets whose findings concern a run: its prices, and reports where the strategy reads some."""
    prices = _PRICES[str(card["price_basis"])]
    return (prices, "statements") if card.get("statements") is not None else (prices,)


def dirty_found(result: Result) -> tuple[SymbolFindings, ...] | None:
    """Findings of the stocks the run traded; None when they are not known.

    That is so when the snapshot is not stored any more, or was written before findings were kept by symbol.
    """
    card = result.card
    try:
        report = lookups.snapshot_report(str(card["snapshot_id"]))
    except StoreError:
        return None
    if not knows_symbols(report):
        return None
    start, end = date.fromisoformat(str(card["start"])), date.fromisoformat(str(card["end"]))
    return dirty_inputs(report, _traded(result), read_datasets(card), start, end)


def _traded(result: Result) -> set[str]:
    return set(result.tables["trades"]["symbol"].unique().to_list())


def dirty_line(result: Result) -> None:
    """One line where stocks with findings were traded; nothing otherwise."""
    found = dirty_found(result)
    if found:
        st.caption(f":material/rule: {_sentence(result, found)} {_('Which ones: under Can it be trusted?')}")


def dirty_section(result: Result) -> None:
    """The line and the table."""
    found = dirty_found(result)
    if found is None:
        st.info(
            _("The findings of the data this run used are not known any more: its snapshot was removed, or is older."),
            icon=":material/help:",
        )
        return
    if not found:
        st.success(
            _("None of the {count} stocks it traded has a finding in the quality report.").format(
                count=fmt.count(len(_traded(result)))
            ),
            icon=":material/verified:",
        )
        return
    st.warning(_sentence(result, found), icon=":material/rule:")
    st.caption(
        _(
            "A finding is no proof of an error, and not each was read: counted are those between a year before the "
            "test and its end, in the prices it traded on and, where the strategy reads them, in company reports."
        )
    )
    scores_table(found[:_SHOWN], cached.names(), key="dirty_inputs")


def _sentence(result: Result, found: tuple[SymbolFindings, ...]) -> str:
    return _("Findings in the quality report of its data: {count} of the {total} stocks it traded.").format(
        count=fmt.count(len(found)), total=fmt.count(len(_traded(result)))
    )
