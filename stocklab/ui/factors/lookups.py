"""What the factor pages read, kept between runs: reports, explained values, figures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final, Literal

import numpy as np

from stocklab.caches import Cache, Group, remember
from stocklab.data.factor_cache import CachedSource
from stocklab.data.factor_report import FactorReport, factor_report
from stocklab.data.screening import session_row
from stocklab.factors.explain_value import Explanation, MarketRows, explain_value, market_rows
from stocklab.factors.some_sessions import values_on
from stocklab.market.panel import KIND_CODES, Panel
from stocklab.types import FloatArray
from stocklab.ui import cached, charts
from stocklab.ui.factors import figures
from stocklab.ui.text import Language, language

__all__ = ["default_symbol", "explanation", "figure", "report"]

_ROWS_KEPT: Final = 200  # of one number per stock: a few megabytes
FigureKind = Literal["coverage", "histogram", "graph"]


def _panel() -> Panel:
    return cached.lab().panel()


@remember("factor_reports", Group.MARKET, 400, of_market=True)
def _report(home: str, key: str, factor_id: str) -> FactorReport:
    lab = cached.lab()
    return factor_report(_panel(), factor_id, lab.store.home, threads=lab.settings.engine_threads)


def report(factor_id: str) -> FactorReport:
    """Coverage and spread of a factor on the current panel.

    Raises
    ------
    DataError
        There is no data.
    """
    return _report(str(cached.lab().store.home), _panel().key, factor_id)


_rows: Cache[FloatArray] = Cache("factor_rows", Group.MARKET, _ROWS_KEPT, of_market=True)


def _market_rows(panel: Panel) -> MarketRows:
    """Rows of the whole market, the latest ones kept: the next stock asks for the same."""
    lab = cached.lab()
    source = CachedSource(panel, lab.store.home, threads=lab.settings.engine_threads, budget_mb=0)
    compute = market_rows(panel, source)

    def rows(formulas: tuple[str, ...], row: int) -> Mapping[str, FloatArray]:
        known = {formula: _rows.get((panel.key, formula, row)) for formula in formulas}
        found = {formula: values for formula, values in known.items() if values is not None}
        missing = tuple(formula for formula in formulas if formula not in found)
        for formula, values in (compute(missing, row) if missing else {}).items():
            found[formula] = values
            _rows.put((panel.key, formula, row), values)
        return found

    return rows


@remember("factor_explanations", Group.SCREEN, 64, of_market=True)
def _explanation(home: str, key: str, formula: str, symbol: str, on: date | None) -> Explanation:
    panel = _panel()
    return explain_value(formula, panel, symbol, session_row(panel, on), _market_rows(panel))


def explanation(formula: str, symbol: str, on: date | None) -> Explanation:
    """Why a stock has its value on the last session on or before a day; None is the last of all.

    Raises
    ------
    InputError
        The symbol is unknown, or the data begin later.
    """
    return _explanation(str(cached.lab().store.home), _panel().key, formula, symbol, on)


@remember("default_symbol", Group.MARKET, 2, of_market=True)
def _default_symbol(home: str, key: str) -> str:
    panel = _panel()
    last = panel.n_sessions - 1
    size = values_on(panel, ["tv"], np.array([last]))["tv"][0]
    if "mcap" in panel.fields:
        size = np.asarray(panel.fields["mcap"][last], dtype=np.float64)
    common = panel.instruments.kinds == KIND_CODES["common"]
    ranked = np.where(common & panel.fields["listed"][last] & ~np.isnan(size), size, -1.0)
    return panel.symbols[int(np.argmax(ranked))]


def default_symbol() -> str:
    """The largest common stock of the last session, or the most traded one where no market cap is loaded."""
    return _default_symbol(str(cached.lab().store.home), _panel().key)


@remember("factor_figures", Group.FIGURE, 300, of_market=True)
def _figure(home: str, key: str, factor_id: str, kind: FigureKind, spoken: Language) -> charts.ReadyFigure:
    match kind:
        case "coverage":
            return charts.ReadyFigure(figures.coverage(report(factor_id)))
        case "histogram":
            return charts.ReadyFigure(figures.histogram(report(factor_id), factor_id))
        case "graph":
            return charts.ReadyFigure(figures.graph(factor_id))


def figure(factor_id: str, kind: FigureKind) -> charts.ReadyFigure:
    """A figure of a factor in the session's language; the graph needs no data."""
    key = "" if kind == "graph" else _panel().key
    return _figure(str(cached.lab().store.home), key, factor_id, kind, language())
