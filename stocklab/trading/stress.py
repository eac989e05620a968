"""What the holdings of today would lose in falls of the past, and in simple shocks. Won, losses negative.

A holding's change in a scenario comes from the best that is known, and says which:

- REPLAYED: its own returns, where the history has all of them between the scenario's two closes;
- BETA: the move of its market's index times its beta, the slope of its daily returns on the index's over the last 250
  sessions of the history in which both are known, at least 120;
- ASSUMED_BETA: with fewer, the move of the index itself (beta 1).

A holding never loses more than it is worth. A market without a move in the scenario is not covered: its holdings are
named, not counted as 0. A beta is a slope of days; over months it is a rough guide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from typing import Final

import numpy as np

from stocklab.errors import InputError
from stocklab.market.limits import limit_percent
from stocklab.trading.live_worth import LiveWorth, Worth
from stocklab.trading.return_history import ReturnHistory
from stocklab.trading.stress_scenarios import INDEX_OF_MARKET, SCENARIOS, Scenario
from stocklab.types import FloatArray

__all__ = ["ChangeBasis", "Effect", "StressLoss", "beta", "betas", "limit_down_day", "sector_shocks", "stress"]

BETA_SESSIONS: Final = 250
LEAST_BETA_SESSIONS: Final = 120
SECTOR_SHOCK: Final = -0.20


class ChangeBasis(StrEnum):
    """Where the change of a holding is from."""

    REPLAYED = "replayed"
    BETA = "beta"
    ASSUMED_BETA = "assumed_beta"
    SHOCK = "shock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What happens to one holding. ``effect_krw`` is whole won; ``beta`` None unless the change rests on it."""

    symbol: str
    worth_krw: Decimal
    change: float
    effect_krw: int
    basis: ChangeBasis
    beta: float | None = None
    approximate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StressLoss:
    """Effects by holding, which add up to ``total_krw``; ``not_covered`` are symbols of which nothing can be said."""

    name: str
    effects: tuple[Effect, ...]
    not_covered: tuple[str, ...]
    equity_krw: Decimal

    @property
    def total_krw(self) -> int:
        """Effect on the book."""
        return sum(effect.effect_krw for effect in self.effects)

    @property
    def share(self) -> float | None:
        """Of the equity; None where there is none."""
        return float(self.total_krw / self.equity_krw) if self.equity_krw > 0 else None


def beta(own: FloatArray, index: FloatArray) -> float | None:
    """Slope of (n,) returns on those of the index; None with fewer than 120 of the last 250 known pairs, or where the
    index never moved.

    >>> index = np.tile([0.01, -0.02], 60)
    >>> round(beta(1.5 * index + 0.001, index), 6)
    1.5
    """
    both = np.flatnonzero(~np.isnan(own) & ~np.isnan(index))[-BETA_SESSIONS:]
    if len(both) < LEAST_BETA_SESSIONS:
        return None
    moves = index[both] - index[both].mean()
    spread = float(moves @ moves)
    return float(moves @ own[both]) / spread if spread > 0 else None


def betas(book: LiveWorth, history: ReturnHistory, indices: ReturnHistory) -> dict[str, float | None]:
    """Beta of each holding to the index of its market; see `beta`.

    Raises
    ------
    InputError
        Both histories differ in their sessions, or the market of a holding is unknown.
    """
    if not np.array_equal(history.sessions, indices.sessions):
        raise InputError("Expected holdings and indices on the same sessions.")
    own = history.of(holding.symbol for holding in book.holdings)
    index = indices.of(_index(holding) for holding in book.holdings)
    return {holding.symbol: beta(own[:, i], index[:, i]) for i, holding in enumerate(book.holdings)}


def stress(
    book: LiveWorth, history: ReturnHistory, indices: ReturnHistory, scenarios: Sequence[Scenario] = SCENARIOS
) -> tuple[StressLoss, ...]:
    """The book in each scenario.

    Parameters
    ----------
    book
    history : returns of the holdings, as far back as they are known: what it covers is replayed
    indices : returns of the indices on the same sessions, named as in ``INDEX_OF_MARKET``
    scenarios

    Raises
    ------
    InputError
        See `betas`.
    """
    known = betas(book, history, indices)
    own = history.of(holding.symbol for holding in book.holdings)
    return tuple(_in_scenario(scenario, book, known, _replayed(scenario, history, own)) for scenario in scenarios)


def sector_shocks(book: LiveWorth, change: float = SECTOR_SHOCK) -> tuple[StressLoss, ...]:
    """Each sector of the book falling alone, the worst first. Holdings of unknown sector ("") fall together.

    Raises
    ------
    InputError
        The change is not within -1 and 0.
    """
    if not -1.0 <= change <= 0.0:
        raise InputError(f"Expected a fall from -1 to 0, found {change}.")
    sectors = sorted({holding.sector for holding in book.holdings})
    losses = [
        _shocked(book, sector, [holding for holding in book.holdings if holding.sector == sector], change)
        for sector in sectors
    ]
    return tuple(sorted(losses, key=lambda loss: (loss.total_krw, loss.name)))


def limit_down_day(book: LiveWorth, day: date) -> StressLoss | None:
    """The largest holding of a market with price limits closing at its lower limit (30 % down); None without such.

    Coins have no limit.

    Raises
    ------
    InputError
        The limits of a market or day are unknown.
    """
    limits = {holding.symbol: limit_percent(holding.market, day) for holding in book.holdings}
    bound = [holding for holding in book.holdings if limits[holding.symbol]]
    if not bound:
        return None
    largest = max(bound, key=lambda holding: holding.worth_krw)
    return _shocked(book, largest.symbol, [largest], -limits[largest.symbol] / 100)


def _shocked(book: LiveWorth, name: str, holdings: Sequence[Worth], change: float) -> StressLoss:
    effects = tuple(_effect(holding, change, ChangeBasis.SHOCK) for holding in holdings)
    return StressLoss(name=name, effects=effects, not_covered=(), equity_krw=book.equity_krw)


def _index(holding: Worth) -> str:
    if holding.market not in INDEX_OF_MARKET:
        raise InputError(f"{holding.symbol}: expected a market of {', '.join(INDEX_OF_MARKET)}, found {holding.market}")
    return INDEX_OF_MARKET[holding.market]


def _replayed(scenario: Scenario, history: ReturnHistory, own: FloatArray) -> FloatArray | None:
    """What each column did between the scenario's closes, NaN where a return is unknown; None outside the history."""
    places = [np.flatnonzero(history.sessions == np.datetime64(day, "D")) for day in (scenario.start, scenario.end)]
    if not all(len(place) for place in places):
        return None
    first, last = (int(place[0]) for place in places)
    changes: FloatArray = np.prod(1.0 + own[first + 1 : last + 1], axis=0) - 1.0
    return changes


def _in_scenario(
    scenario: Scenario, book: LiveWorth, known: Mapping[str, float | None], replayed: FloatArray | None
) -> StressLoss:
    effects, missing = [], []
    for i, holding in enumerate(book.holdings):
        move = scenario.moves.get(_index(holding))
        slope = known[holding.symbol]
        if replayed is not None and not np.isnan(replayed[i]):
            effects.append(_effect(holding, float(replayed[i]), ChangeBasis.REPLAYED))
        elif move is None:
            missing.append(holding.symbol)
        elif slope is None:
            change = max(move.change, -1.0)
            effects.append(_effect(holding, change, ChangeBasis.ASSUMED_BETA, 1.0, approximate=move.approximate))
        else:
            change = max(slope * move.change, -1.0)
            effects.append(_effect(holding, change, ChangeBasis.BETA, slope, approximate=move.approximate))
    return StressLoss(
        name=scenario.scenario_id, effects=tuple(effects), not_covered=tuple(missing), equity_krw=book.equity_krw
    )


def _effect(
    holding: Worth, change: float, basis: ChangeBasis, slope: float | None = None, *, approximate: bool = False
) -> Effect:
    won = (holding.worth_krw * Decimal(str(change))).quantize(Decimal(1), ROUND_HALF_EVEN)
    return Effect(
        symbol=holding.symbol,
        worth_krw=holding.worth_krw,
        change=change,
        effect_krw=int(won),
        basis=basis,
        beta=slope,
        approximate=approximate,
    )
