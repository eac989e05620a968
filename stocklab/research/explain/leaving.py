"""A holding at a close: every way out of it, what is compared, and how far it is."""

from __future__ import annotations

import math

from stocklab.backtest.layout import Record
from stocklab.market.costs import BILLION
from stocklab.research.explain.values import ExitLine, Holding
from stocklab.research.explain.view import Moment, RunView
from stocklab.strategy.document import HoldingUnit, PriceTrigger

__all__ = ["held_for", "holding_at", "kept_back", "position_of"]

_HAIR = 1e-6  # of a won: levels of an average carry binary noise


def position_of(moment: Moment, column: int) -> Record | None:
    """The position in a symbol after the close; None = not held."""
    slot = int(moment.decided.slot_of[column])
    return None if slot < 0 else moment.decided.positions[slot]


def held_for(view: RunView, entered: int, t: int) -> int:
    """Holding period of a position entered in session ``entered`` up to session ``t``, in the document's unit."""
    if view.strategy.exit.holding_unit is HoldingUnit.CALENDAR_DAYS:
        return (view.day(t) - view.day(entered)).days
    return t - entered


def holding_at(view: RunView, moment: Moment, column: int, place: int | None) -> Holding | None:
    """The position after the close of ``moment``; ``place`` is the symbol's by score in the universe."""
    position = position_of(moment, column)
    if position is None:
        return None
    leave, t = view.strategy.exit, moment.t
    entered = int(position.entry_session)
    last = t + 1 >= view.panel.n_sessions
    return Holding(
        shares=int(position.shares),
        average_krw=float(position.average),
        highest_krw=float(position.high),
        close_krw=int(position.last_close),
        value_krw=int(position.shares * position.last_close),
        entered=view.day(entered),
        held=held_for(view, entered, t),
        unit=leave.holding_unit.value,
        min_holding=leave.min_holding,
        may_sell_next=not last and held_for(view, entered, t + 1) >= leave.min_holding,
        exits=_exits(view, moment, column, position, place),
    )


def _exits(view: RunView, moment: Moment, column: int, position: Record, place: int | None) -> tuple[ExitLine, ...]:
    leave, t = view.strategy.exit, moment.t
    close = float(view.panel.fields[view.panel.order_fields[3]][t, column])
    known = int(close + 0.5) if close > 0.0 else None
    lines = [
        _price_exit(kind, trigger, float(reference), known)
        for kind, trigger, reference in (
            ("stop", leave.stop, position.average),
            ("trailing", leave.trailing, position.high),
            ("target", leave.target, position.average),
        )
        if trigger is not None
    ]
    if leave.max_holding is not None and t + 1 < view.panel.n_sessions:
        held = held_for(view, int(position.entry_session), t + 1)
        lines.append(
            ExitLine(
                kind="max_holding",
                basis="",
                level=leave.max_holding,
                now=held,
                reached=held >= leave.max_holding,
            )
        )
    if leave.rules:
        lines.append(
            ExitLine(
                kind="exit_rule", basis="", level=None, now=None, reached=bool(view.plan.exit_code[t, column] != 0)
            )
        )
    if leave.rank_below is not None:
        reached = place is not None and place > leave.rank_below
        lines.append(ExitLine(kind="rank", basis="", level=leave.rank_below, now=place, reached=reached))
    if leave.when_entry_fails:
        failed = bool(view.plan.entry[t, column] == 0)
        lines.append(ExitLine(kind="entry_failed", basis="", level=None, now=None, reached=failed))
    return tuple(lines)


def _price_exit(kind: str, trigger: PriceTrigger, reference: float, close: int | None) -> ExitLine:
    share = round(trigger.level * BILLION)
    signed = BILLION + share if kind == "target" else BILLION - share
    level = math.floor(reference * (signed / BILLION) + _HAIR)
    reached = None if close is None else close >= level if kind == "target" else close <= level
    return ExitLine(kind=kind, basis=trigger.basis, level=level, now=close, reached=reached)


def kept_back(view: RunView, holding: Holding) -> ExitLine | None:
    """The first exit that would sell, were the minimum holding period over; None where none would, or it is over."""
    if holding.may_sell_next:
        return None
    blocks = view.strategy.exit.min_holding_blocks_stops
    for line in holding.exits:
        priced = line.basis == "close" and blocks
        if line.reached and (priced or line.kind in ("exit_rule", "rank", "entry_failed")):
            return line
    return None
