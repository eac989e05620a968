"""How much of each: weights, caps, the cash and the slots a purchase may count on."""

from __future__ import annotations

from fractions import Fraction

from reference_simulator.bars import Bars
from reference_simulator.book import Book, Order
from reference_simulator.money import exact, part_of
from reference_simulator.prices import Prices
from reference_simulator.signals import Signals
from stocklab.strategy.document import SizingMethod, Strategy

PHASE = {"next_open": 0, "limit": 1, "vwap_proxy": 1, "next_close": 2, "trigger": 1}


class Sizing:
    """The sizing rules of one document."""

    def __init__(
        self, strategy: Strategy, book: Book, bars: Bars, prices: Prices, signals: Signals, initial_cash_krw: int
    ) -> None:
        self.rules, self.book, self.bars, self.prices, self.signals = strategy.sizing, book, bars, prices, signals
        self.initial = initial_cash_krw
        self.execution = strategy.execution
        self.buffer = exact(strategy.sizing.cash_buffer)
        self.buy_mode, self.sell_mode = strategy.execution.buy.value, strategy.execution.sell.value

    @property
    def base(self) -> int:
        """What weights are fractions of."""
        return self.initial if self.rules.base == "initial" else self.book.equity

    # --- weights -------------------------------------------------------------------------------------------------------

    def raw_weight(self, t: int, symbol: int, low: float = 0.0, spread: float = 0.0) -> float | None:
        """Relative weight; None where what it needs is unknown."""
        method = self.rules.method
        if method is SizingMethod.SCORE:
            score = self.signals.score(t)
            if not score or spread <= 0:
                return 1.0
            return max(1.0, 1.0 + (score[symbol] - low) / spread)
        if method is SizingMethod.MARKET_CAP:
            cap = float(self.signals.panel.fields["mcap"][t, symbol])
            return cap if cap > 0 else None
        if method is SizingMethod.INVERSE_VOLATILITY:
            deviation = self.signals.value(f"tstd(ret(close,1),{self.rules.volatility_sessions},1)", t, symbol)
            return 1.0 / deviation if deviation is not None and deviation > 0 else None
        return 1.0

    def weights(self, t: int, group: list[int]) -> dict:
        """What relative weights are measured by: mean over a group, and its lowest score and spread."""
        low = spread = 0.0
        score = self.signals.score(t)
        if self.rules.method is SizingMethod.SCORE and score and group:
            low = score[group[-1]]
            spread = score[group[0]] - low
        total, known = 0.0, 0
        for symbol in group:
            weight = self.raw_weight(t, symbol, low, spread)
            if weight is not None:
                total += weight
                known += 1
        return {"mean": total / known if known else 1.0, "low": low, "spread": spread}

    def target(self, t: int, symbol: int, scale: dict) -> int | None:
        """Won for one position; None where its weight is unknown."""
        rules = self.rules
        weight = self.raw_weight(t, symbol, scale["low"], scale["spread"])
        if weight is None:
            return None
        if rules.method is SizingMethod.FIXED_KRW:
            amount = rules.amount_krw * self.book.unit
        elif rules.method is SizingMethod.FIXED_WEIGHT:
            amount = part_of(self.base, exact(rules.weight))
        else:
            share = part_of(self.base, 1 - exact(rules.cash_buffer)) // rules.max_holdings
            even = self.book.unit > 1 and weight == scale["mean"]
            amount = share if even else int(share * (weight / scale["mean"]))
        amount = min(amount, part_of(self.base, exact(rules.max_weight)))
        return amount if rules.max_position_krw is None else min(amount, rules.max_position_krw * self.book.unit)

    def sector_cap(self) -> int | None:
        """Won one sector may hold; None = no cap."""
        rate = exact(self.rules.max_sector_weight)
        return None if rate >= 1 else part_of(self.base, rate)

    def sector_room(self, symbol: int) -> int | None:
        """Won that may still go into a symbol's sector; None = no cap."""
        cap, sector = self.sector_cap(), self.bars.sectors[symbol]
        if cap is None or sector is None:
            return None
        held = [
            self.book.amount(p.shares, p.last_close)
            for p in self.book.positions
            if self.bars.sectors[p.symbol] == sector
        ]
        asked = [o.reserved for o in self.book.live() if o.side == "buy" and self.bars.sectors[o.symbol] == sector]
        return max(cap - sum(held) - sum(asked), 0)

    # --- what may be counted on ----------------------------------------------------------------------------------------

    def unit_price(self, t: int, symbol: int) -> tuple[int, int | None]:
        """(expected price of one share with slippage, limit price or None), from the close alone."""
        bands = self.bars.tick_table(self.bars.market(t, symbol), symbol, self.bars.days[t + 1])
        close = self.bars.close(t, symbol)
        price, limit = self.prices.with_slippage("buy", close, bands), None
        if self.buy_mode == "limit":
            at_offset = self.prices.limit("buy", close, bands)
            if self.execution.limit_reference == "open":
                price = max(price, at_offset)
            else:
                price = limit = at_offset
        return price, limit

    def cash(self, most_tax: Fraction) -> int:
        """Cash new orders may count on: what no live purchase claims, above the buffer; and, where purchases wait for
        the close, what sales at the open will bring by the last close, all costs at their highest."""
        cash = self.book.cash - self.book.reserve
        for order in self.book.live():
            if order.side == "buy":
                cash -= order.reserved * order.left // order.ordered
            elif order.mode == "next_open" and self.buy_mode == "next_close":
                position = self.book.position(order.symbol)
                worth = self.book.amount(order.left, position.last_close)
                cash += worth - part_of(worth, self.prices.slippage + self.book.commission + most_tax) - 1
        return max(cash, 0)

    def slots(self, t: int, *, same_auction: bool) -> int:
        """Positions that may still be opened. A whole exit frees its slot when it comes before the purchase, or (for a
        rebalancing) at the same time; not a limit sale, nor of what did not trade today."""
        sell_phase, buy_phase = PHASE[self.sell_mode], PHASE[self.buy_mode]
        freed = sell_phase < buy_phase or (same_auction and sell_phase == buy_phase)
        slots = self.rules.max_holdings - len(self.book.positions)
        for order in self.book.live():
            position = self.book.position(order.symbol)
            if order.side == "buy":
                slots -= position is None
            elif position is not None and position.unlisted > 0:
                continue  # what is not listed yet keeps the place
            elif order.full_exit and freed and order.mode != "limit" and self.bars.traded(t, order.symbol):
                slots += 1
        return slots

    def place(self, t: int, symbol: int, shares: int, price: int, limit: int | None, cause: str) -> Order:
        """Order a purchase for the next session."""
        order = self.book.add_order(
            session=t + 1,
            symbol=symbol,
            side="buy",
            shares=shares,
            mode=self.buy_mode,
            cause=cause,
            expires=t + 1 + self.execution.carry_unfilled_sessions,
        )
        order.limit = limit
        order.reserved = self.book.cost(shares, price)
        return order
