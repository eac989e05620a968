"""What the close decides to buy: candidates for free slots, or the whole book at a rebalancing."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from reference_simulator.bars import Bars
from reference_simulator.book import Book
from reference_simulator.exits import Exits
from reference_simulator.money import MOST_COINS, exact
from reference_simulator.signals import Signals
from reference_simulator.sizing import Sizing
from stocklab.strategy.document import Strategy

ANY = 1 << 62


@dataclass(kw_only=True)
class Lot:
    """What a rebalancing still wants to buy."""

    symbol: int
    shares: int
    amount: int
    since: int


class Entries:
    """Purchases of one document."""

    def __init__(
        self, strategy: Strategy, book: Book, bars: Bars, signals: Signals, sizing: Sizing, exits: Exits,
        most_tax: Fraction,
    ) -> None:  # fmt: skip
        self.strategy, self.book, self.bars = strategy, book, bars
        self.signals, self.sizing, self.exits, self.most_tax = signals, sizing, exits, most_tax
        self.waiting: list[Lot] = []
        self.waiting_until = 0

    def _too_soon(self, t: int, symbol: int) -> bool:
        sold = self.book.sold_on.get(symbol)
        return sold is not None and t - sold < self.strategy.exit.reentry_wait_sessions

    def _new_left(self) -> int:
        most = self.strategy.sizing.max_new_per_session
        return ANY if most is None else most

    # --- signal mode ---------------------------------------------------------------------------------------------------

    def decide(self, t: int) -> None:
        """Order the best candidates that are not held, until slots, cash or the number of the session run out."""
        candidates = self.signals.candidates(t)
        slots = self.sizing.slots(t, same_auction=False)
        if slots <= 0 or not candidates:
            return
        scale = self.sizing.weights(t, candidates[: self.strategy.sizing.max_holdings])
        cash, new = self.sizing.cash(self.most_tax), self._new_left()
        for symbol in candidates:
            if slots <= 0 or new <= 0:
                return
            if self.book.position(symbol) is not None or self._too_soon(t, symbol) or self.bars.close(t, symbol) <= 0:
                continue
            if any(order.symbol == symbol and order.side == "buy" for order in self.book.live()):
                continue
            amount = self.sizing.target(t, symbol, scale)
            if amount is None:
                continue
            room = self.sizing.sector_room(symbol)
            if room is not None:
                amount = min(amount, room)
            price, limit = self.sizing.unit_price(t, symbol)
            wanted = self.book.affordable(amount, price, ANY)
            if wanted < 1:
                continue
            shares = self.book.affordable(cash, price, wanted)
            if shares < 1:
                order = self.sizing.place(t, symbol, wanted, price, limit, "entry")
                self.book.close_order(order, "unfilled", "cash")
                return
            if self.book.too_small(shares, price):
                order = self.sizing.place(t, symbol, shares, price, limit, "entry")
                self.book.close_order(order, "unfilled", "minimum_order")
                return
            cash -= self.sizing.place(t, symbol, shares, price, limit, "entry").reserved
            slots -= 1
            new -= 1

    # --- target mode ---------------------------------------------------------------------------------------------------

    def rebalance(self, t: int) -> None:
        """Sell what left the selection or grew too large; note what is to be bought as waiting lots."""
        chosen = self._choose(t)
        scale = self.sizing.weights(t, chosen)
        amounts: dict[int, int] = {}
        for symbol in chosen:
            amount = self.sizing.target(t, symbol, scale)
            cap, sector = self.sizing.sector_cap(), self.bars.sectors[symbol]
            if cap is not None and sector is not None:
                taken = sum(money for other, money in amounts.items() if self.bars.sectors[other] == sector)
                amount = min(amount, max(cap - taken, 0))
            amounts[symbol] = amount
        for position in self.book.positions:
            free = position.exit_order is None and self.bars.listed(t, position.symbol)
            if position.symbol not in amounts and free and self.exits.long_enough(position, t + 1):
                self.exits.order_whole_exit(position, t, "rebalance")
        self.waiting = []
        for symbol, amount in amounts.items():
            self._move_to(t, symbol, amount)
        self.waiting_until = t + 1 + self.strategy.execution.carry_unfilled_sessions

    def _choose(self, t: int) -> list[int]:
        room = self.strategy.sizing.max_holdings
        room -= sum(not self.bars.traded(t, position.symbol) for position in self.book.positions)
        chosen: list[int] = []
        for symbol in self.signals.candidates(t):
            if len(chosen) >= room:
                break
            position = self.book.position(symbol)
            if position is not None and position.exit_order is not None:
                continue
            if (position is None and self._too_soon(t, symbol)) or self.bars.close(t, symbol) <= 0:
                continue
            if self.sizing.raw_weight(t, symbol) is None:
                continue
            if position is not None and not self.bars.traded(t, symbol):
                room += 1  # its place is its own
            chosen.append(symbol)
        return chosen

    def _move_to(self, t: int, symbol: int, amount: int) -> None:
        position = self.book.position(symbol)
        held = position.shares if position else 0
        if position is not None:
            position.leaving = None
        close = self.bars.close(t, symbol)
        price, _ = self.sizing.unit_price(t, symbol)
        band = exact(self.strategy.rebalancing.drift_band) * self.sizing.base
        if position is not None and abs(self.book.amount(held, close) - amount) <= band:
            return
        most = amount * self.book.unit // close
        if self.book.unit > 1:
            most = min(most, MOST_COINS)
        least = self.book.affordable(amount, price, ANY)
        if held > most and self.exits.long_enough(position, t + 1):
            shares = min(held - most, position.sellable)
            if shares > 0:
                self.exits.order_exit(position, shares, t, "rebalance")
        elif held < least:
            self.waiting.append(
                Lot(symbol=symbol, shares=least - held, amount=amount - self.book.amount(held, close), since=t)
            )

    def continue_waiting(self, t: int) -> None:
        """Order what a rebalancing still wants, best first, as far as cash and slots go."""
        if t > self.waiting_until:
            self.waiting = []
        if not self.waiting:
            return
        cash = self.sizing.cash(self.most_tax)
        slots, new = self.sizing.slots(t, same_auction=True), self._new_left()
        kept = []
        for lot in self.waiting:
            position = self.book.position(lot.symbol)
            sold_since = self.book.sold_on.get(lot.symbol, -1) > lot.since
            if sold_since or (position is not None and position.exit_order is not None):
                continue
            wanted, ordered, amount = lot.shares, 0, lot.amount
            if self.bars.close(t, lot.symbol) > 0 and (position is not None or (slots > 0 and new > 0)):
                price, limit = self.sizing.unit_price(t, lot.symbol)
                wanted = self.book.affordable(amount, price, wanted)
                ordered = self.book.affordable(cash, price, wanted)
                cause = "entry" if position is None else "rebalance"
                if ordered > 0 and self.book.too_small(ordered, price):
                    if ordered == wanted:
                        order = self.sizing.place(t, lot.symbol, ordered, price, limit, cause)
                        self.book.close_order(order, "unfilled", "minimum_order")
                        continue
                    ordered = 0
                if ordered > 0:
                    reserved = self.sizing.place(t, lot.symbol, ordered, price, limit, cause).reserved
                    cash -= reserved
                    amount -= reserved
                    if position is None:
                        slots -= 1
                        new -= 1
            if ordered < wanted:
                kept.append(Lot(symbol=lot.symbol, shares=wanted - ordered, amount=amount, since=lot.since))
        self.waiting = kept
