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
        self.why: dict[tuple[int, int], str] = {}
        """(session, symbol) -> why a candidate was passed over, or what was decided."""
        self.counted: dict[int, tuple[int, int]] = {}
        """Session -> (free places, cash to count on) before the first purchase."""

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
        self.counted[t] = slots, self.sizing.cash(self.most_tax)
        if slots <= 0 or not candidates:
            self._note(t, candidates, "no_free_place")
            return
        scale = self.sizing.weights(t, candidates[: self.strategy.sizing.max_holdings])
        cash, new = self.sizing.cash(self.most_tax), self._new_left()
        for number, symbol in enumerate(candidates):
            if slots <= 0 or new <= 0:
                self._note(t, candidates[number:], "places_taken" if slots <= 0 else "most_new_reached")
                return
            over = self._passed_over(t, symbol)
            if over is not None:
                self._note(t, [symbol], over)
                continue
            target = self.sizing.target(t, symbol, scale)
            if target is None:
                self._note(t, [symbol], "weight_unknown")
                continue
            room = self.sizing.sector_room(symbol)
            amount = target if room is None else min(target, room)
            price, limit = self.sizing.unit_price(t, symbol)
            wanted = self.book.affordable(amount, price, ANY)
            if wanted < 1:
                alone = self.book.affordable(target, price, ANY)
                self._note(t, [symbol], "less_than_a_share" if alone < 1 else "sector_full")
                continue
            shares = self.book.affordable(cash, price, wanted)
            if shares < 1:
                order = self.sizing.place(t, symbol, wanted, price, limit, "entry")
                self.book.close_order(order, "unfilled", "cash")
                self._note(t, [symbol], "cash")
                self._note(t, candidates[number + 1 :], "after_cash")
                return
            if self.book.too_small(shares, price):
                order = self.sizing.place(t, symbol, shares, price, limit, "entry")
                self.book.close_order(order, "unfilled", "minimum_order")
                return
            self._note(t, [symbol], "buy_ordered")
            cash -= self.sizing.place(t, symbol, shares, price, limit, "entry").reserved
            slots -= 1
            new -= 1

    def _passed_over(self, t: int, symbol: int) -> str | None:
        if self.book.position(symbol) is not None:
            return "held"
        if self._too_soon(t, symbol):
            return "sold_too_recently"
        if self.bars.close(t, symbol) <= 0:
            return "close_unknown"
        buying = any(order.symbol == symbol and order.side == "buy" for order in self.book.live())
        return "already_ordered" if buying else None

    def _note(self, t: int, symbols: list[int], why: str) -> None:
        self.why.update({(t, symbol): why for symbol in symbols})

    # --- target mode ---------------------------------------------------------------------------------------------------

    def rebalance(self, t: int) -> None:
        """Sell what left the selection or grew too large; note what is to be bought as waiting lots."""
        chosen = self._choose(t)
        scale = self.sizing.weights(t, chosen)
        amounts: dict[int, int] = {}
        alone: dict[int, int] = {}
        for symbol in chosen:
            alone[symbol] = amount = self.sizing.target(t, symbol, scale)
            cap, sector = self.sizing.sector_cap(), self.bars.sectors[symbol]
            if cap is not None and sector is not None:
                taken = sum(money for other, money in amounts.items() if self.bars.sectors[other] == sector)
                amount = min(amount, max(cap - taken, 0))
            amounts[symbol] = amount
        for position in self.book.positions:
            free = position.exit_order is None and self.bars.listed(t, position.symbol)
            if position.symbol not in amounts and free and self.exits.long_enough(position, t + 1):
                self._note(t, [position.symbol], "sell_ordered" if position.sellable > 0 else "kept_unlisted")
                self.exits.order_whole_exit(position, t, "rebalance")
            elif position.symbol not in amounts and free:
                self._note(t, [position.symbol], "kept_min_holding")
        self.waiting = []
        for symbol, amount in amounts.items():
            self._note(t, [symbol], self._move_to(t, symbol, amount, alone[symbol]))
        self.waiting_until = t + 1 + self.strategy.execution.carry_unfilled_sessions

    def _choose(self, t: int) -> list[int]:
        room = self.strategy.sizing.max_holdings
        room -= sum(not self.bars.traded(t, position.symbol) for position in self.book.positions)
        chosen: list[int] = []
        candidates = self.signals.candidates(t)
        for number, symbol in enumerate(candidates):
            if len(chosen) >= room:
                self._note(t, candidates[number:], "places_taken" if room > 0 else "no_free_place")
                break
            position = self.book.position(symbol)
            if position is not None and position.exit_order is not None:
                self._note(t, [symbol], "kept_leaving")
                continue
            if position is None and self._too_soon(t, symbol):
                self._note(t, [symbol], "sold_too_recently")
                continue
            if self.bars.close(t, symbol) <= 0:
                self._note(t, [symbol], "close_unknown")
                continue
            if self.sizing.raw_weight(t, symbol) is None:
                self._note(t, [symbol], "weight_unknown")
                continue
            if position is not None and not self.bars.traded(t, symbol):
                room += 1  # its place is its own
            chosen.append(symbol)
        return chosen

    def _move_to(self, t: int, symbol: int, amount: int, alone: int) -> str:
        position = self.book.position(symbol)
        held = position.shares if position else 0
        if position is not None:
            position.leaving = None
        close = self.bars.close(t, symbol)
        price, _ = self.sizing.unit_price(t, symbol)
        band = exact(self.strategy.rebalancing.drift_band) * self.sizing.base
        if position is not None and abs(self.book.amount(held, close) - amount) <= band:
            return "kept_in_band"
        most = amount * self.book.unit // close
        if self.book.unit > 1:
            most = min(most, MOST_COINS)
        least = self.book.affordable(amount, price, ANY)
        if held > most and self.exits.long_enough(position, t + 1):
            shares = min(held - most, position.sellable)
            if shares > 0:
                self.exits.order_exit(position, shares, t, "rebalance")
            return "trim_ordered" if shares > 0 else "kept_unlisted"
        if held < least:
            rest = amount - self.book.amount(held, close)
            self.waiting.append(Lot(symbol=symbol, shares=least - held, amount=rest, since=t))
            return "lot"
        if held > most:
            return "kept_min_holding"
        if position is not None:
            return "kept_chosen"
        return "less_than_a_share" if self.book.affordable(alone, price, ANY) < 1 else "sector_full"

    def continue_waiting(self, t: int) -> None:
        """Order what a rebalancing still wants, best first, as far as cash and slots go."""
        if t > self.waiting_until:
            self._note(t, [lot.symbol for lot in self.waiting], "wait_over")
            self.waiting = []
        if not self.waiting:
            return
        cash = self.sizing.cash(self.most_tax)
        slots, new = self.sizing.slots(t, same_auction=True), self._new_left()
        self.counted[t] = slots, cash
        kept = []
        for lot in self.waiting:
            position = self.book.position(lot.symbol)
            sold_since = self.book.sold_on.get(lot.symbol, -1) > lot.since
            if sold_since or (position is not None and position.exit_order is not None):
                self._note(t, [lot.symbol], "wait_ended")
                continue
            wanted, ordered, amount = lot.shares, 0, lot.amount
            no_price = self.bars.close(t, lot.symbol) <= 0
            why = f"waiting {'no_price' if no_price else 'max_holdings' if slots <= 0 else 'max_new'}"
            if self.bars.close(t, lot.symbol) > 0 and (position is not None or (slots > 0 and new > 0)):
                price, limit = self.sizing.unit_price(t, lot.symbol)
                wanted = self.book.affordable(amount, price, wanted)
                ordered = self.book.affordable(cash, price, wanted)
                why = "waiting cash" if wanted > 0 else "price_rose"
                cause = "entry" if position is None else "rebalance"
                if ordered > 0 and self.book.too_small(ordered, price):
                    if ordered == wanted:
                        order = self.sizing.place(t, lot.symbol, ordered, price, limit, cause)
                        self.book.close_order(order, "unfilled", "minimum_order")
                        continue
                    ordered = 0
                if ordered > 0:
                    why = "buy_ordered" if position is None else "more_ordered"
                    reserved = self.sizing.place(t, lot.symbol, ordered, price, limit, cause).reserved
                    cash -= reserved
                    amount -= reserved
                    if position is None:
                        slots -= 1
                        new -= 1
            self._note(t, [lot.symbol], why)
            if ordered < wanted:
                kept.append(Lot(symbol=lot.symbol, shares=wanted - ordered, amount=amount, since=lot.since))
        self.waiting = kept
