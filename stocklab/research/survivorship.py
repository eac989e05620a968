"""What the names that are gone today do to a result: the same run with them, and as if they had never been there.

A market picked from today's list holds only what survived, and looks better than any that could have been bought. The
other way round, a result can only contain the names that are in the data: how many of the delisted ones are missing is
counted, because where they are missing the two runs are alike and prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl

from stocklab.backtest import Result, RunRequest
from stocklab.backtest.universe import universe_mask
from stocklab.data.snapshot import Snapshot
from stocklab.factors import FormulaSource
from stocklab.market.panel import Panel
from stocklab.strategy.own_factors import expanded
from stocklab.types import BoolArray

__all__ = [
    "FEW",
    "FIGURES",
    "Gone",
    "Survivorship",
    "compare_survivors",
    "gone_names",
    "known_delistings",
    "without_gone",
]

FIGURES: Final = ("total_return", "cagr", "max_drawdown", "sharpe", "n_trades")
"""Figures shown side by side."""
FEW: Final = 0.5
"""Data that hold a smaller part of the known delistings are said to hold few."""
_SUFFIX: Final = " (survivors only)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """Names of the panel that are gone by its last session.

    ``delisted`` (n_symbols,) are those with a delisting on or before it, ``ended`` those whose series ends before it
    without one; ``known`` counts the delistings recorded within the panel's sessions, whether or not their prices are
    there (None: no list of delistings is loaded).
    """

    delisted: BoolArray
    ended: BoolArray
    known: int | None

    @property
    def all(self) -> BoolArray:
        """Both."""
        return self.delisted | self.ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Survivorship:
    """A run and the same run without the names that are gone.

    ``run`` and ``survivors`` hold the figures of `FIGURES`; ``run_id`` and ``survivors_id`` name the two results.
    ``delisted``, ``ended`` and ``known`` count as in `Gone`; ``in_universe`` of these names were in the universe on
    some session, ``traded`` were bought.
    """

    run_id: str
    survivors_id: str
    run: Mapping[str, float | None]
    survivors: Mapping[str, float | None]
    delisted: int
    ended: int
    known: int | None
    in_universe: int
    traded: int
    symbols_traded: tuple[str, ...]

    def gap(self, figure: str) -> float | None:
        """By how much the survivors are better; None where a side is unknown."""
        one, other = self.run[figure], self.survivors[figure]
        return None if one is None or other is None else other - one

    @property
    def few(self) -> bool:
        """Whether the data lack so many of the names that the comparison says little."""
        return self.known is None or self.delisted + self.ended < FEW * self.known

    def as_json(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "run_id": self.run_id,
            "survivors_id": self.survivors_id,
            "run": dict(self.run),
            "survivors": dict(self.survivors),
            "gap": {figure: self.gap(figure) for figure in FIGURES},
            "delisted_in_data": self.delisted,
            "ended_early_in_data": self.ended,
            "known_delistings": self.known,
            "few_in_data": self.few,
            "in_universe": self.in_universe,
            "traded": self.traded,
            "symbols_traded": list(self.symbols_traded),
        }


def gone_names(panel: Panel, known: int | None) -> Gone:
    """Which names of a panel are gone by its last session."""
    listed = panel.fields["listed"]
    delisted = panel.instruments.delisted_on <= panel.sessions[-1]
    ended = np.asarray(listed).any(axis=0) & ~np.asarray(listed[-1]) & ~delisted
    return Gone(delisted=delisted, ended=ended, known=known)


def known_delistings(snapshot: Snapshot, first: date, last: date) -> int | None:
    """Symbols with a delisting after ``first`` and up to ``last``; None where the snapshot holds no list of them."""
    if not snapshot.has("delistings"):
        return None
    day = pl.col("delisted_on")
    return int(snapshot.scan("delistings").filter((day > first) & (day <= last)).collect()["symbol"].n_unique())


def without_gone(panel: Panel, request: RunRequest, gone: Gone) -> RunRequest:
    """The request with the names that are gone left out of the universe, as if never there."""
    universe = request.strategy.universe
    names = sorted({*universe.exclude_symbols, *np.asarray(panel.symbols)[gone.all].tolist()})
    name = request.strategy.name
    if not name.endswith(_SUFFIX):
        name = name[: 120 - len(_SUFFIX)] + _SUFFIX
    strategy = request.strategy.model_copy(
        update={"universe": universe.model_copy(update={"exclude_symbols": tuple(names)}), "name": name}
    )
    return replace(request, strategy=strategy)


def compare_survivors(
    panel: Panel,
    request: RunRequest,
    source: FormulaSource,
    run: Callable[[RunRequest], Result],
    *,
    known: int | None,
) -> Survivorship:
    """Run with and without the names that are gone.

    Parameters
    ----------
    source : computes formulas over the panel
    run : gives the result of a request, stored or new
    known : from `known_delistings`

    Raises
    ------
    InputError, DataError, Cancelled
        As ``run``.
    """
    gone = gone_names(panel, known)
    whole, survivors = run(request), run(without_gone(panel, request, gone))
    first, last = panel.span(request.start, request.end)
    members = universe_mask(panel, expanded(request.strategy).universe, source)[first:last]
    symbols = np.asarray(panel.symbols)[gone.all].tolist()
    bought = whole.tables["trades"].filter((pl.col("side") == "buy") & pl.col("symbol").is_in(symbols))
    traded = sorted(bought["symbol"].unique().to_list())
    return Survivorship(
        run_id=whole.run_id,
        survivors_id=survivors.run_id,
        run={figure: whole.metrics[figure] for figure in FIGURES},
        survivors={figure: survivors.metrics[figure] for figure in FIGURES},
        delisted=int(gone.delisted.sum()),
        ended=int(gone.ended.sum()),
        known=known,
        in_universe=int(members[:, gone.all].any(axis=0).sum()),
        traded=len(traded),
        symbols_traded=tuple(traded),
    )
