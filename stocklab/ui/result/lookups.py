"""What the Explain section asks for, kept between page runs: runs opened for questions, answers and candle charts."""

from __future__ import annotations

from datetime import date
from threading import Lock
from typing import Final

import numpy as np

from stocklab.caches import Cache, Group, remember
from stocklab.data.factor_cache import CachedSource
from stocklab.research.explain import Explanation, RunView, explain, open_run
from stocklab.ui import cached, charts
from stocklab.ui.result import candles
from stocklab.ui.text import Language, language

__all__ = ["candle_figure", "explained", "is_open", "sessions", "symbols"]

VIEWS_KEPT: Final = 2
"""Runs open at once: their plans are tables of the whole market, some hundred megabytes on ten years of it."""

_views: Cache[RunView] = Cache("run_views", Group.RESULT, VIEWS_KEPT, of_market=True)
_one_at_a_time = Lock()


def _home() -> str:
    return str(cached.lab().store.home)


def is_open(run_id: str) -> bool:
    """Whether the run is open already, so that an answer takes no time to speak of."""
    return (_home(), run_id) in _views


def _view(run_id: str) -> RunView:
    """The run, opened for questions; one page at a time opens one.

    Raises
    ------
    ResultOutdated, DataError
        The market data or the program changed since the run, or the data cannot be read.
    """
    key = (_home(), run_id)

    def opened() -> RunView:
        found, lab = cached.result(run_id), cached.lab()
        request, panel = lab.run_today(run_id, found.card)
        settings = lab.settings
        source = CachedSource(
            panel, lab.store.home, threads=settings.engine_threads, budget_mb=settings.factor_cache_mb
        )
        return open_run(panel, request, source, found)

    with _one_at_a_time:
        return _views.obtain(key, opened)


@remember("explanations", Group.RESULT, 256, of_market=True)
def _explained(home: str, run_id: str, symbol: str, session: date) -> Explanation:
    return explain(_view(run_id), symbol, session)


def explained(run_id: str, symbol: str, session: date) -> Explanation:
    """Why a run did what it did with a stock in a session.

    Raises
    ------
    InputError, DataError
        As `explain` and `open_run`; a failure is not kept.
    """
    return _explained(_home(), run_id, symbol, session)


@remember("run_symbols", Group.RESULT, 16, of_market=True)
def _symbols(home: str, run_id: str) -> dict[str, str]:
    found = cached.result(run_id)
    names = cached.symbol_names()
    traded = found.tables["orders"]["symbol"].unique(maintain_order=True).to_list()
    return {symbol: names.get(symbol, symbol) for symbol in (*sorted(traded), *sorted(set(names) - set(traded)))}


def symbols(run_id: str) -> dict[str, str]:
    """Every stock, symbol -> what a picker shows: first those the run ordered, then all others."""
    return _symbols(_home(), run_id)


def sessions(run_id: str) -> tuple[date, ...]:
    """Sessions of the run."""
    return cached.summary(run_id).sessions


@remember("candle_figures", Group.FIGURE, 128, of_market=True)
def _candle_figure(
    run: tuple[str, str], symbol: str, session: date, reach: int, spoken: Language
) -> charts.ReadyFigure:
    run_id = run[1]
    found = cached.result(run_id)
    answer = explained(run_id, symbol, session)
    view = _view(run_id)
    panel, t = view.panel, view.row_of(session)
    first = max(t - reach, 0) if reach else view.plan.first
    last = min(t + max(reach // 3, 20), panel.n_sessions) if reach else view.plan.last
    column = panel.column(symbol)
    bars = {
        name: np.asarray(panel.fields[field][first:last, column], dtype=np.float64)
        for name, field in zip(("open", "high", "low", "close", "volume"), panel.order_fields, strict=True)
    }
    return charts.ReadyFigure(
        candles.candles(panel.sessions[first:last], bars, candles.fills(found, symbol), session, candles.levels(answer))
    )


def candle_figure(run_id: str, symbol: str, session: date, reach: int) -> charts.ReadyFigure:
    """Candles of a stock around a session with the run's fills; ``reach`` sessions back, 0 = the whole run."""
    return _candle_figure((_home(), run_id), symbol, session, reach, language())
