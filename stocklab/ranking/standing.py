"""With which value a publication stands on each board."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from stocklab.db import PublicationRow
from stocklab.ranking.board_names import Board, board_key
from stocklab.ranking.places import Entry
from stocklab.research.deflated_sharpe import deflated_score
from stocklab.sharing import MARK_CAPITAL_KRW

__all__ = ["LEAST_SESSIONS", "after_publication_entry", "backtest_entries", "deepest_fall"]

LEAST_SESSIONS: Final = 120
"""Sessions a backtest must have for its Sharpe ratio to be compared: half a year."""


def backtest_entries(row: PublicationRow) -> tuple[Entry, ...]:
    """Entries that follow from the backtest it was published with; none where a figure is not defined.

    Sharpe ratios are compared only of runs that paid commission, tax and slippage and lasted `LEAST_SESSIONS`.
    """
    figures: Mapping[str, float | None] = row.metrics
    values = {Board.BACKTEST: figures.get("total_return")}
    sessions = int(figures.get("sessions") or 0)
    if figures.get("after_costs") and sessions >= LEAST_SESSIONS:
        values[Board.RISK_ADJUSTED] = figures.get("sharpe")
        values[Board.DEFLATED_SHARPE] = _deflated(figures, sessions, row.trials)
    return tuple(
        Entry(
            board=board_key(board, synthetic=row.synthetic),
            publication_id=row.id,
            value=value,
            sessions=sessions,
            trials=row.trials,
            cost_fraction=figures.get("cost_per_year"),
            capacity_krw=figures.get("capacity_krw"),
            max_drawdown=figures.get("max_drawdown"),
        )
        for board, value in values.items()
        if value is not None and math.isfinite(value)
    )


def _deflated(figures: Mapping[str, float | None], sessions: int, trials: int) -> float | None:
    sharpe, per_year = figures.get("sharpe"), figures.get("sessions_per_year")
    skewness, kurtosis = figures.get("skewness"), figures.get("kurtosis")
    if sharpe is None or not per_year or skewness is None or kurtosis is None:
        return None
    return deflated_score(
        sharpe / math.sqrt(per_year),
        sessions=sessions - 1,  # returns, one fewer than closes
        skewness=skewness,
        kurtosis=kurtosis,
        trials=trials,
    )


def after_publication_entry(row: PublicationRow, equities_krw: Sequence[float], cost_fraction: float | None) -> Entry:
    """The entry of a publication by its marks, oldest first, at least one; the first is the close of the first session.

    ``sessions`` counts the closes behind the first: on the first nothing can have been bought yet.
    """
    return Entry(
        board=board_key(Board.AFTER_PUBLICATION, synthetic=row.synthetic),
        publication_id=row.id,
        value=equities_krw[-1] / MARK_CAPITAL_KRW - 1.0,
        sessions=len(equities_krw) - 1,
        trials=row.trials,
        cost_fraction=cost_fraction,
        capacity_krw=row.metrics.get("capacity_krw"),
        max_drawdown=deepest_fall(equities_krw),
    )


def deepest_fall(equities_krw: Sequence[float]) -> float:
    """Deepest fall from a peak, <= 0, the starting capital counting as the first peak.

    >>> deepest_fall([100_000_000, 120_000_000, 90_000_000, 130_000_000])
    -0.25
    """
    peak, deepest = float(MARK_CAPITAL_KRW), 0.0
    for equity in equities_krw:
        peak = max(peak, equity)
        deepest = min(deepest, equity / peak - 1.0)
    return deepest
