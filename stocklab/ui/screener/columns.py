"""How the columns of a screen are called, scaled and formatted: by the unit of what they show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
import streamlit as st

from stocklab.strategy.rows import Function, operand_of
from stocklab.strategy.words import describe_value
from stocklab.ui import catalogue
from stocklab.ui.text import N_, _, language

__all__ = ["Shown", "heading", "shown_column", "unit_of_formula"]

RANK: Final = "rank"
_WHOLE: Final = frozenset({"shares", "days", "count", RANK})
_LONG: Final = 28
_SCALES: Final = {
    # language -> (won from which amounts are shown in it, won in one, what it is called)
    "ko": (100_000_000.0, 100_000_000.0, N_("100M won")),
    "en": (100_000_000.0, 1_000_000.0, N_("KRW M")),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A column as the table shows it."""

    values: pl.Series
    config: Any


def unit_of_formula(formula: str) -> str:
    """Unit of a value formula as the catalogue writes it, "rank" for a place, "" where none is known.

    >>> unit_of_formula("roe"), unit_of_formula("xrank(per)"), unit_of_formula("sma(tv,20)"), unit_of_formula("per/2")
    ('%', 'rank', 'KRW', '')
    """
    operand = operand_of(formula)
    if operand is None:
        return ""
    if operand.function is Function.RANK:
        return RANK
    if operand.function in (Function.PERCENTILE, Function.CHANGE_RATE):
        return "%"
    return catalogue.unit_of(operand.factor)


def heading(formula: str) -> str:
    """What a formula is called above a column, without its unit."""
    name = catalogue.factor_name(formula)
    if name == formula:
        name = describe_value(formula, language())
    return name if len(name) <= _LONG else f"{name[: _LONG - 1]}…"


def shown_column(formula: str, values: pl.Series) -> Shown:
    """Values of a formula, large amounts of won in hundred millions (Korean) or millions (English)."""
    unit, name = unit_of_formula(formula), heading(formula)
    if unit == "KRW":
        values, unit_name = _won(values)
        return _number(values, f"{name} ({unit_name})", formula, "localized")
    if unit == "bool":
        config = st.column_config.CheckboxColumn(name, help=_help(formula))
        return Shown(values=values.cast(pl.Boolean), config=config)
    if unit == "%":
        return _number(values.round(2), f"{name} (%)", formula, "%.2f")
    if unit in _WHOLE:
        return _number(values.round(0), name, formula, "localized")
    return _number(values.round(4), name, formula, "%.2f" if unit else _plain_format(values))


def _won(values: pl.Series) -> tuple[pl.Series, str]:
    least, size, name = _SCALES[language()]
    middle = values.abs().median()
    if isinstance(middle, float) and middle >= least:
        scaled = values / size
        return scaled.round(0 if middle >= 100 * size else 1), _(name)
    return values.round(0), _(catalogue.UNITS["KRW"])


def _plain_format(values: pl.Series) -> str:
    middle = values.abs().median()
    return "%.2f" if not isinstance(middle, float) or middle >= 1 else "%.4f"


def _number(values: pl.Series, label: str, formula: str, style: Any) -> Shown:
    column: Callable[..., Any] = st.column_config.NumberColumn
    return Shown(values=values, config=column(label, help=_help(formula), format=style))


def _help(formula: str) -> str:
    """The whole name and the formula, as a hint above the column."""
    return f"{describe_value(formula, language())}  \n`{formula}`"
