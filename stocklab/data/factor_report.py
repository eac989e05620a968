"""How well a formula is covered and spread: share of stocks with a value by year, the last session's distribution.

A report is computed once per panel and formula and kept as JSON under ``cache/factor-reports``.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import structlog

from stocklab.data.factor_cache import CachedSource
from stocklab.factors import check
from stocklab.factors.some_sessions import values_on
from stocklab.market.panel import KIND_CODES, MARKET_CODES, Panel
from stocklab.types import BoolArray, FloatArray, IntArray

__all__ = ["FactorReport", "YearCoverage", "factor_report", "month_ends", "stored_report"]

log = structlog.get_logger(__name__)

_VERSION: Final = 2
_LISTED_AT_EACH_END: Final = 10
_BINS: Final = 40
_TAIL: Final = 0.01
_KEPT_FILES: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class YearCoverage:
    """Share of the listed common stocks that have a value, the mean over the month ends of a year.

    ``stocks`` is the mean number of listed common stocks.
    """

    year: int
    share: float
    stocks: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorReport:
    """A formula over a panel.

    Attributes
    ----------
    formula : what was asked
    session : the last session of the panel
    years : coverage by year
    stocks, known : listed common stocks of KOSPI and KOSDAQ on the session, and those with a value
    quantiles : probability -> value, at 1, 5, 25, 50, 75, 95 and 99 %; empty without a value
    edges, counts : histogram between the 1 and 99 % quantiles (small whole numbers: one bar each); n + 1 and n
    highest, lowest : (symbol, value), the ten at each end, ties by symbol
    """

    formula: str
    session: date
    years: tuple[YearCoverage, ...]
    stocks: int
    known: int
    quantiles: tuple[tuple[float, float], ...]
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    highest: tuple[tuple[str, float], ...]
    lowest: tuple[tuple[str, float], ...]

    @property
    def share_null(self) -> float:
        """Share of the stocks without a value on the session; NaN without stocks."""
        return 1.0 - self.known / self.stocks if self.stocks else float("nan")

    @property
    def median(self) -> float:
        """Median of the values on the session; NaN without any."""
        return dict(self.quantiles).get(0.5, float("nan"))


def factor_report(panel: Panel, formula: str, home: Path, *, threads: int = 2) -> FactorReport:
    """The stored report of a formula, or a new one, stored.

    Raises
    ------
    FormulaError
        The formula is not valid.
    """
    known = stored_report(panel, formula, home)
    if known is not None:
        return known
    source = CachedSource(panel, home, threads=threads, budget_mb=0)  # reads what is there, keeps nothing
    report = _report(panel, formula, source)
    _store(_file(panel, formula, home), report)
    return report


def stored_report(panel: Panel, formula: str, home: Path) -> FactorReport | None:
    """The report of a formula if one is stored for this panel."""
    try:
        return _read(json.loads(_file(panel, formula, home).read_text(encoding="utf-8")), formula)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # none there, or damaged: compute again


def month_ends(panel: Panel) -> IntArray:
    """Rows of the last session of each month, the last session of the panel among them."""
    months = panel.sessions.astype("datetime64[M]").astype(np.int64)
    return np.append(np.flatnonzero(np.diff(months)), panel.n_sessions - 1)


def _report(panel: Panel, formula: str, source: CachedSource) -> FactorReport:
    rows = month_ends(panel)
    values = values_on(panel, [formula], rows, source)[formula]
    stocks = _common(panel, rows)
    last = np.where(stocks[-1], values[-1], np.nan)
    there = last[~np.isnan(last)]
    edges, counts = _histogram(there)
    order = np.lexsort((np.arange(len(last)), last))[: len(there)]  # NaN sort last
    falling = np.lexsort((np.arange(len(last)), -last))[: len(there)]
    return FactorReport(
        formula=formula,
        session=panel.sessions[-1].item(),
        years=_by_year(panel.sessions[rows].astype("datetime64[Y]").astype(np.int64) + 1970, values, stocks),
        stocks=int(np.count_nonzero(stocks[-1])),
        known=len(there),
        quantiles=_quantiles(there),
        edges=edges,
        counts=counts,
        highest=_named(panel, last, falling[:_LISTED_AT_EACH_END]),
        lowest=_named(panel, last, order[:_LISTED_AT_EACH_END]),
    )


def _common(panel: Panel, rows: IntArray) -> BoolArray:
    """(n, n_symbols): a listed common stock of KOSPI or KOSDAQ; a stock of unknown kind counts."""
    kinds = np.isin(panel.instruments.kinds, (KIND_CODES["common"], KIND_CODES[""]))
    markets = np.isin(panel.fields["market"][rows], (MARKET_CODES["KOSPI"], MARKET_CODES["KOSDAQ"]))
    stocks: BoolArray = panel.fields["listed"][rows].astype(np.bool_) & markets & kinds
    return stocks


def _by_year(years: IntArray, values: FloatArray, stocks: BoolArray) -> tuple[YearCoverage, ...]:
    listed = np.count_nonzero(stocks, axis=1)
    known = np.count_nonzero(stocks & ~np.isnan(values), axis=1)
    found = []
    for year in np.unique(years):
        at = (years == year) & (listed > 0)
        if at.any():
            share = float(np.mean(known[at] / listed[at]))
            found.append(YearCoverage(year=int(year), share=share, stocks=float(np.mean(listed[at]))))
    return tuple(found)


def _quantiles(values: FloatArray) -> tuple[tuple[float, float], ...]:
    if not len(values):
        return ()
    levels = (_TAIL, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0 - _TAIL)
    return tuple(zip(levels, np.quantile(values, levels).tolist(), strict=True))


def _histogram(values: FloatArray) -> tuple[tuple[float, ...], tuple[int, ...]]:
    if not len(values):
        return (), ()
    least, most = float(values.min()), float(values.max())
    if most - least < _BINS and np.array_equal(values, np.round(values)):
        places = np.arange(least, most + 2.0) - 0.5
        return tuple(places.tolist()), tuple(np.histogram(values, bins=places)[0].tolist())
    low, high = np.quantile(values, (_TAIL, 1.0 - _TAIL))
    if low == high:
        low, high = low - 0.5, high + 0.5
    heights, edges = np.histogram(values[(values >= low) & (values <= high)], bins=_BINS, range=(low, high))
    return tuple(edges.tolist()), tuple(heights.tolist())


def _named(panel: Panel, values: FloatArray, columns: IntArray) -> tuple[tuple[str, float], ...]:
    return tuple((panel.symbols[column], float(values[column])) for column in columns)


def _file(panel: Panel, formula: str, home: Path) -> Path:
    folder = hashlib.sha256(f"{_VERSION}|{panel.key}".encode()).hexdigest()[:20]
    return home / "cache" / "factor-reports" / folder / f"{check(formula).fingerprint[:40]}.json"


def _store(file: Path, report: FactorReport) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(f".{os.getpid()}.part")
        draft.write_text(json.dumps(asdict(report), default=str), encoding="utf-8")
        os.replace(draft, file)
        _shrink(file.parent.parent)
    except OSError as error:  # a full disk must not take the page away
        log.warning("factor_report_not_stored", error=str(error))


def _shrink(root: Path) -> None:
    """Remove the reports written longest ago beyond a number no reader needs."""
    files = sorted(root.glob("*/*.json"), key=lambda file: file.stat().st_mtime_ns)
    for file in files[: max(0, len(files) - _KEPT_FILES)]:
        file.unlink(missing_ok=True)


def _read(stored: dict[str, Any], formula: str) -> FactorReport:
    def pairs(rows: Sequence[Sequence[Any]]) -> tuple[Any, ...]:
        return tuple((first, float(second)) for first, second in rows)

    return FactorReport(
        formula=formula,
        session=date.fromisoformat(stored["session"]),
        years=tuple(YearCoverage(**year) for year in stored["years"]),
        stocks=stored["stocks"],
        known=stored["known"],
        quantiles=pairs(stored["quantiles"]),
        edges=tuple(stored["edges"]),
        counts=tuple(stored["counts"]),
        highest=pairs(stored["highest"]),
        lowest=pairs(stored["lowest"]),
    )
