"""The duties of every desk, in the order in which they matter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from stocklab.brokers.values import Quote
from stocklab.db import Database
from stocklab.live.backtest_gap import BacktestGap
from stocklab.live.beginning import Beginning
from stocklab.live.closing import Closed, Closing
from stocklab.live.deciding import Deciding, EngineRoom
from stocklab.live.decisions import Decisions
from stocklab.live.desk import Desk, Duty
from stocklab.live.guards import Guards
from stocklab.live.loss_ladder import LossLadder
from stocklab.live.placing import Placing
from stocklab.live.slicing_plans import SlicePlans
from stocklab.live.telling import Telling
from stocklab.live.traders import Trader, Traders
from stocklab.live.watching import Guarding, Repricing, Rescaling
from stocklab.trading.day_steps import CoinTimes, DayTimes
from stocklab.trading.guarding import Verdict
from stocklab.trading.risk_gate import Stage

__all__ = ["Listeners", "all_duties", "told_by"]


def _nobody(*_things: Any) -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class Listeners:
    """Who hears of what duties bring about."""

    fired: Callable[[Desk, Verdict, Quote], None] = field(default=_nobody)
    warned: Callable[[Desk, Verdict], None] = field(default=_nobody)
    frozen: Callable[[Desk, str], None] = field(default=_nobody)
    reached: Callable[[Desk, Stage], None] = field(default=_nobody)
    missed: Callable[[Desk, Trader, date, str], None] = field(default=_nobody)
    closed: Callable[[Desk, Closed, datetime], None] = field(default=_nobody)


def times_of(desk: Desk) -> DayTimes | CoinTimes:
    """The timetable of an account's market."""
    return CoinTimes() if desk.account.coins else DayTimes()


def told_by(telling: Telling) -> Listeners:
    """Everything is told to the owner."""
    return Listeners(fired=telling.fired, frozen=telling.frozen, reached=telling.reached, missed=telling.missed)


def all_duties(
    database: Database, room: EngineRoom, listeners: Listeners | None = None, more: Sequence[Duty] = ()
) -> Sequence[Duty]:
    """Corporate actions come before any decision; a decision before its orders; stops before prices are changed."""
    hear = listeners or Listeners()
    traders, decisions = Traders(database), Decisions(database)
    return (
        Rescaling(frozen=hear.frozen),
        Beginning(traders=traders),
        Deciding(room=room, traders=traders, decisions=decisions, times=times_of, missed=hear.missed),
        Placing(traders=traders, decisions=decisions, times=times_of, slices=SlicePlans(documents=decisions.slices)),
        LossLadder(reached=hear.reached),
        Guarding(guards=Guards(database), traders=traders, times=times_of, fired=hear.fired, warned=hear.warned),
        Repricing(),
        Closing(traders=traders, gap=BacktestGap(room=room), times=times_of, closed=hear.closed),
        *more,
    )
