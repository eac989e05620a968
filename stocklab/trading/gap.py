"""Why a day of live trading brought another result than the backtest: price, timing, missed and cost.

The result of a day in one symbol, with h shares at the start, p0 the previous close, p1 the close and trades of q
shares (purchases positive) at x each, is

    h (p1 - p0) + sum of q (p1 - x) - costs + income.

The live result less the backtest's is split trade by trade. A live fill of q shares at y belongs to the planned trade
that it carries out, at the model's price x; a fill that carries out nothing planned today (a plan of an earlier
session, or a trade by hand) is measured from p0. With r the reference of the fill, what the model would have paid at
the moment it was really made (x where it was made when planned):

- price: -q (y - r), the same shares at another price than the model's;
- timing: -q (r - x), the same shares at another moment than planned; for late fills, -q (r - p0);
- missed: (q filled less q planned) (p1 - x) for each planned trade, the shares held more or less than the backtest
  since the start of the day times (p1 - p0), and the income (dividends) that shares not held did not bring. What a late
  fill makes up for is taken off here: q (p1 - p0);
- cost: the model's commission, tax and booked slippage less what was really paid.

These are products and sums only, in exact decimals: they add up to the difference without a rest, whatever happened.
Both sides must be on the same won: the backtest is the strategy's own run on raw prices with the sleeve's capital, the
previous close is the base price of the day, and shares at the start are those after corporate actions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Context, Decimal, Inexact, InvalidOperation, localcontext
from typing import Final

from stocklab.brokers.values import Side
from stocklab.errors import InputError

__all__ = ["DayGap", "GapDay", "LiveFill", "PlannedTrade", "SymbolDay", "SymbolGap", "day_gap"]

ZERO: Final = Decimal(0)
_EXACT: Final = Context(prec=120, traps=[Inexact, InvalidOperation])
"""Digits enough for any product of prices and quantities: a result that would be rounded is an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTrade:
    """What the backtest traded today. ``price_krw`` is its fill price, ``costs_krw`` commission, tax and the slippage
    that it booked apart from the price."""

    plan_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price_krw: Decimal
    costs_krw: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFill:
    """What was really traded today. ``plan_id`` names the planned trade of today that it carries out, None for
    anything else. ``reference_krw`` is the model's price at the moment of the fill, None where that was as planned (of
    a fill outside the plan: where nothing is known, so that all of its difference is price). ``amount_krw`` is without
    costs, positive.
    """

    symbol: str
    side: Side
    quantity: Decimal
    amount_krw: Decimal
    costs_krw: Decimal = ZERO
    plan_id: str | None = None
    reference_krw: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolDay:
    """Prices of a symbol, and what each side held of it at the start of the day and received for holding it."""

    previous_close_krw: Decimal
    close_krw: Decimal
    live_quantity: Decimal = ZERO
    backtest_quantity: Decimal = ZERO
    live_income_krw: Decimal = ZERO
    backtest_income_krw: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class GapDay:
    """A day of both: every symbol that either held or traded is in ``symbols``."""

    session: date
    symbols: Mapping[str, SymbolDay]
    planned: tuple[PlannedTrade, ...] = ()
    fills: tuple[LiveFill, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolGap:
    """The gap in one symbol; positive parts are for the better. The four add up to ``total_krw``."""

    symbol: str
    live_krw: Decimal
    backtest_krw: Decimal
    price_krw: Decimal
    timing_krw: Decimal
    missed_krw: Decimal
    cost_krw: Decimal

    @property
    def total_krw(self) -> Decimal:
        """What live trading brought more than the backtest."""
        with _exactly():
            return self.live_krw - self.backtest_krw

    @property
    def residual_krw(self) -> Decimal:
        """What the four parts leave open: zero."""
        with _exactly():
            return self.total_krw - self.price_krw - self.timing_krw - self.missed_krw - self.cost_krw


@dataclass(frozen=True, slots=True, kw_only=True)
class DayGap:
    """The gap of a day by symbol, in order, and its sums."""

    session: date
    symbols: tuple[SymbolGap, ...] = field(default=())

    @property
    def live_krw(self) -> Decimal:
        """Result of the day, live."""
        return _sum(gap.live_krw for gap in self.symbols)

    @property
    def backtest_krw(self) -> Decimal:
        """Result of the day in the backtest."""
        return _sum(gap.backtest_krw for gap in self.symbols)

    @property
    def price_krw(self) -> Decimal:
        """Other prices."""
        return _sum(gap.price_krw for gap in self.symbols)

    @property
    def timing_krw(self) -> Decimal:
        """Other moments."""
        return _sum(gap.timing_krw for gap in self.symbols)

    @property
    def missed_krw(self) -> Decimal:
        """Other shares."""
        return _sum(gap.missed_krw for gap in self.symbols)

    @property
    def cost_krw(self) -> Decimal:
        """Other costs."""
        return _sum(gap.cost_krw for gap in self.symbols)

    @property
    def total_krw(self) -> Decimal:
        """What live trading brought more than the backtest."""
        return _sum(gap.total_krw for gap in self.symbols)

    @property
    def residual_krw(self) -> Decimal:
        """What the four parts leave open: zero."""
        return _sum(gap.residual_krw for gap in self.symbols)


def day_gap(day: GapDay) -> DayGap:
    """Split a day; see the head of this module.

    Raises
    ------
    InputError
        A symbol that was traded has no prices, a quantity or price is not positive, a plan occurs twice, or a fill
        names a plan that is not there or is of another symbol or side.

    Planned were 10 shares at 100; 8 came late, at 103 when the model's price was 102, and the close is 110:

    >>> ten, eight = Decimal(10), Decimal(8)
    >>> prices = {"a": SymbolDay(previous_close_krw=Decimal(99), close_krw=Decimal(110))}
    >>> plan = PlannedTrade(plan_id="1", symbol="a", side=Side.BUY, quantity=ten, price_krw=Decimal(100))
    >>> fill = LiveFill(symbol="a", side=Side.BUY, quantity=eight, amount_krw=Decimal(824), plan_id="1",
    ...                 reference_krw=Decimal(102))
    >>> gap = day_gap(GapDay(session=date(2026, 1, 5), symbols=prices, planned=(plan,), fills=(fill,)))
    >>> [int(part) for part in (gap.price_krw, gap.timing_krw, gap.missed_krw, gap.cost_krw, gap.total_krw)]
    [-8, -16, -20, 0, -44]
    """
    _check(day)
    planned: dict[str, list[PlannedTrade]] = {symbol: [] for symbol in day.symbols}
    fills: dict[str, list[LiveFill]] = {symbol: [] for symbol in day.symbols}
    for trade in day.planned:
        planned[trade.symbol].append(trade)
    for fill in day.fills:
        fills[fill.symbol].append(fill)
    with _exactly():
        gaps = tuple(
            _symbol_gap(symbol, day.symbols[symbol], planned[symbol], fills[symbol]) for symbol in sorted(day.symbols)
        )
    return DayGap(session=day.session, symbols=gaps)


def _symbol_gap(symbol: str, facts: SymbolDay, planned: Sequence[PlannedTrade], fills: Sequence[LiveFill]) -> SymbolGap:
    move, close = facts.close_krw - facts.previous_close_krw, facts.close_krw
    price = timing = ZERO
    missed = (facts.live_quantity - facts.backtest_quantity) * move
    missed += facts.live_income_krw - facts.backtest_income_krw
    model_prices = {trade.plan_id: trade.price_krw for trade in planned}
    for trade in planned:
        missed -= _signed(trade) * (close - trade.price_krw)
    for fill in fills:
        model = facts.previous_close_krw if fill.plan_id is None else model_prices[fill.plan_id]
        reference = model if fill.reference_krw is None else fill.reference_krw
        price -= _sign(fill.side) * (fill.amount_krw - fill.quantity * reference)
        timing -= _signed(fill) * (reference - model)
        missed += _signed(fill) * (close - model)
    bought = sum((_signed(trade) * (close - trade.price_krw) for trade in planned), ZERO)
    traded = sum((_sign(fill.side) * (fill.quantity * close - fill.amount_krw) for fill in fills), ZERO)
    model_costs = sum((trade.costs_krw for trade in planned), ZERO)
    live_costs = sum((fill.costs_krw for fill in fills), ZERO)
    return SymbolGap(
        symbol=symbol,
        live_krw=facts.live_quantity * move + traded - live_costs + facts.live_income_krw,
        backtest_krw=facts.backtest_quantity * move + bought - model_costs + facts.backtest_income_krw,
        price_krw=price,
        timing_krw=timing,
        missed_krw=missed,
        cost_krw=model_costs - live_costs,
    )


def _check(day: GapDay) -> None:
    plans = {trade.plan_id: trade for trade in day.planned}
    if len(plans) != len(day.planned):
        raise InputError("Expected each planned trade once.")
    traded = [(trade.symbol, trade.quantity, trade.price_krw) for trade in day.planned]
    traded += [(fill.symbol, fill.quantity, fill.amount_krw) for fill in day.fills]
    for symbol, quantity, worth in traded:
        if quantity <= 0 or worth <= 0:
            raise InputError(f"{symbol}: expected a quantity and a price above 0, found {quantity} and {worth}.")
        if symbol not in day.symbols:
            raise InputError(f"{symbol} was traded on {day.session}: expected its prices of the day.")
    for fill in day.fills:
        if fill.plan_id is None:
            continue
        plan = plans.get(fill.plan_id)
        if plan is None or (plan.symbol, plan.side) != (fill.symbol, fill.side):
            raise InputError(f"A fill of {fill.symbol} names plan {fill.plan_id}: expected its own, found {plan}.")


def _sign(side: Side) -> Decimal:
    return Decimal(1) if side is Side.BUY else Decimal(-1)


def _signed(trade: PlannedTrade | LiveFill) -> Decimal:
    return _sign(trade.side) * trade.quantity


def _sum(parts: Iterable[Decimal]) -> Decimal:
    with _exactly():
        return sum(parts, ZERO)


@contextmanager
def _exactly() -> Iterator[None]:
    with localcontext(_EXACT):
        yield
