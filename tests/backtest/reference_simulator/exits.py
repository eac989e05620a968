"""When a position ends: triggers inside the session, and what the close decides."""

from __future__ import annotations

from reference_simulator.bars import Bar, Bars
from reference_simulator.book import FOREVER, Book, Position
from reference_simulator.market import down_to_tick
from reference_simulator.money import exact, level
from reference_simulator.prices import Prices
from reference_simulator.signals import Signals
from stocklab.strategy.document import ExitRules, HoldingUnit, Strategy


class Exits:
    """The exit rules of one document over one market."""

    def __init__(self, strategy: Strategy, book: Book, bars: Bars, prices: Prices, signals: Signals) -> None:
        self.rules: ExitRules = strategy.exit
        self.book, self.bars, self.prices, self.signals = book, bars, prices, signals
        self.sell_mode = strategy.execution.sell.value
        self.reference_open = strategy.execution.limit_reference == "open"
        self.carry = strategy.execution.carry_unfilled_sessions
        market_filter = strategy.market_filter
        self.sell_all = market_filter is not None and market_filter.action == "sell_all"

    def held(self, position: Position, t: int) -> int:
        """Holding period up to session ``t``, in the document's unit."""
        if self.rules.holding_unit is HoldingUnit.CALENDAR_DAYS:
            return (self.bars.days[t] - self.bars.days[position.entered]).days
        return t - position.entered

    def long_enough(self, position: Position, t: int) -> bool:
        """Whether a sale in session ``t`` respects the minimum holding period."""
        return self.held(position, t) >= self.rules.min_holding

    def _level(self, name: str, position: Position, basis: str) -> int:
        """Won of a trigger on this basis, before the tick; 0 where there is none."""
        trigger = getattr(self.rules, name)
        if trigger is None or trigger.basis != basis:
            return 0
        if name == "target":
            return level(position.average, -exact(trigger.level), self.bars.unit)
        return level(position.high if name == "trailing" else position.average, exact(trigger.level), self.bars.unit)

    # --- inside the session ------------------------------------------------------------------------------------------

    def run_triggers(self, t: int) -> None:
        """Intraday stops and targets, the position opened last first."""
        for position in reversed(list(self.book.positions)):
            bar = self.bars.bar(t, position.symbol)
            if not bar.traded or not bar.complete:
                continue
            if position.exit_order is not None and position.exit_order.is_stop:
                continue
            if position.leaving is not None and position.sellable == 0:
                continue
            if self.rules.min_holding_blocks_stops and not self.long_enough(position, t):
                continue
            self._run_trigger(position, bar, t)

    def _run_trigger(self, position: Position, bar: Bar, t: int) -> None:
        target = 0
        if position.limit_fill_on != t:
            target = self._level("target", position, "intraday")
            target = down_to_tick(target, bar.bands) if target else 0
        if target and bar.open > target:  # a gap: filled before any low of the session
            price = max(self.prices.with_slippage("sell", bar.open, bar.bands), target)
            self._fire(position, bar, t, "target", price, bar.open, target)
            return
        stop, cause = self._level("stop", position, "intraday"), "stop"
        trailing = self._level("trailing", position, "intraday")
        if trailing > stop:
            stop, cause = trailing, "trailing"
        if stop > 0 and bar.low <= stop and bar.low <= down_to_tick(stop, bar.bands):
            reference = min(bar.open, down_to_tick(stop, bar.bands))
            self._fire(
                position, bar, t, cause, self.prices.with_slippage("sell", reference, bar.bands), reference, target
            )
        elif target and bar.high > target:
            self._fire(position, bar, t, "target", target, target, target)

    def _fire(self, position: Position, bar: Bar, t: int, cause: str, price: int, reference: int, target: int) -> None:
        if position.unlisted > 0:
            position.leaving = (cause, None)
        if position.sellable == 0:
            return
        if self.book.too_small(position.sellable, price):
            self._not_sent(position, position.sellable, t, cause)
            return
        if position.exit_order is not None:
            self.book.close_order(position.exit_order, "cancelled", "superseded")
        self.book.cancel_purchases(position.symbol)
        order = self.book.add_order(
            session=t,
            symbol=position.symbol,
            side="sell",
            shares=position.sellable,
            mode="trigger",
            cause=cause,
            expires=t,
        )
        self.book.sent_in_session.add(order.number)
        if cause == "target":
            order.limit = target
        else:  # what the session does not take is sold at the next open that can
            order.mode, order.expires, order.full_exit = "next_open", FOREVER, True
        position.exit_order = order
        if reference <= bar.lower_limit:
            order.reason = "limit_down"
            return
        self.book.sell(order, bar, t, price)

    def _not_sent(self, position: Position, shares: int, session: int, cause: str, rule: int | None = None) -> None:
        """Write down a sale below the smallest order, once for as many shares; it does not go out."""
        if position.refused == shares:
            return
        position.refused = shares
        order = self.book.add_order(
            session=session,
            symbol=position.symbol,
            side="sell",
            shares=shares,
            mode="next_open",
            cause=cause,
            rule=rule,
            expires=session,
        )
        self.book.close_order(order, "unfilled", "minimum_order")

    # --- at the close ------------------------------------------------------------------------------------------------

    def decide(self, t: int, unsafe: bool) -> None:
        """Order what the close decides to sell in the next session."""
        for position in self.book.positions:
            if position.exit_order is not None or not self.bars.listed(t, position.symbol):
                continue
            if position.leaving is not None and position.sellable == 0:
                continue
            cause, rule = self._close_cause(position, t, unsafe)
            if cause is not None:
                self.order_whole_exit(position, t, cause, rule)

    def order_whole_exit(self, position: Position, t: int, cause: str, rule: int | None = None) -> None:
        """Order the sale of everything that is listed; what is not yet follows when it is."""
        if position.unlisted > 0:
            position.leaving = (cause, rule)
        if position.sellable > 0:
            self.order_exit(position, position.sellable, t, cause, rule)

    def _close_cause(self, position: Position, t: int, unsafe: bool) -> tuple[str | None, int | None]:
        if unsafe and self.sell_all:
            return "market_filter", None
        enough = self.long_enough(position, t + 1)
        close = self.bars.close(t, position.symbol)
        if close > 0 and (enough or not self.rules.min_holding_blocks_stops):
            for name in ("stop", "trailing", "target"):
                trigger = getattr(self.rules, name)
                if trigger is None or trigger.basis != "close":
                    continue
                at = self._level(name, position, "close")
                if close >= at if name == "target" else close <= at:
                    return name, None
        most = self.rules.max_holding
        if most is not None and self.held(position, t + 1) >= most:
            return "max_holding", None
        if not enough:
            return None, None
        rule = self.signals.exit_rule(t, position.symbol)
        if rule is not None:
            return "exit_rule", rule
        rank = self.signals.rank(t, position.symbol)
        if self.rules.rank_below is not None and rank is not None and rank > self.rules.rank_below:
            return "rank", None
        if self.rules.when_entry_fails and not self.signals.entry(t, position.symbol):
            return "entry_failed", None
        return None, None

    def order_exit(self, position: Position, shares: int, t: int, cause: str, rule: int | None = None) -> None:
        """Order the sale of shares of a position for the next session."""
        if self.book.too_small(shares, position.last_close):
            self._not_sent(position, shares, t + 1, cause, rule)
            return
        self.book.cancel_purchases(position.symbol)
        order = self.book.add_order(
            session=t + 1,
            symbol=position.symbol,
            side="sell",
            shares=shares,
            mode=self.sell_mode,
            cause=cause,
            rule=rule,
            expires=t + 1 + self.carry,
        )
        leaves = position.leaving is not None and shares == position.sellable
        order.full_exit = shares == position.shares or leaves
        position.exit_order = order
        if order.mode == "limit" and not self.reference_open:
            market = self.bars.market(t, position.symbol)
            bands = self.bars.tick_table(market, position.symbol, self.bars.days[t + 1])
            order.limit = self.prices.limit("sell", position.last_close, bands)
