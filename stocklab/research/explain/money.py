"""How much of each a close may buy, in whole won: the rules of docs/simulator.md, "Money for one position"."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from stocklab.backtest import codes
from stocklab.market.costs import BILLION
from stocklab.market.panel import KIND_CODES
from stocklab.market.ticks import tick_regimes, tick_tables
from stocklab.research.explain.order_book import Book, Live
from stocklab.research.explain.view import RunView
from stocklab.strategy.document import FillMode, SizingMethod

__all__ = ["Money", "Scale"]

_PHASES: Final = {FillMode.NEXT_OPEN: 0, FillMode.LIMIT: 1, FillMode.VWAP_PROXY: 1, FillMode.NEXT_CLOSE: 2}
_ENDLESS: Final = 10**18
_EXACT: Final = 3_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What relative weights are measured by: their mean, and the lowest score and the spread of a group."""

    mean: float
    low: float
    spread: float


def _part(amount: int, rate: float) -> int:
    return amount * round(rate * BILLION) // BILLION


class Money:
    """The sizing of a document at the close of one session, over the book it found.

    Parameters
    ----------
    scores : (n_symbols,) higher = better, NaN = unknown; None without ranking
    """

    def __init__(self, view: RunView, t: int, book: Book, scores: np.ndarray | None) -> None:
        self.view, self.t, self.book, self.scores = view, t, book, scores
        self.sizing, self.costs, self.execution = (
            view.strategy.sizing,
            view.strategy.costs,
            view.strategy.execution,
        )
        panel = view.panel
        self._closes = panel.fields[panel.order_fields[3]][t]
        self._markets = panel.fields["market"][t]
        self._etf = np.asarray(panel.instruments.kinds) == KIND_CODES["etf"]
        self._regimes = tick_regimes(panel.sessions[t + 1 : t + 2])[0]
        self._starts, self._ticks = tick_tables()
        self.sectors = panel.sector_codes()[0]

    def close(self, symbol: int) -> int:
        """The close in won; 0 where it is unknown."""
        price = float(self._closes[symbol])
        return int(price + 0.5) if price > 0.0 else 0

    def knows_close(self, symbol: int) -> bool:
        """Whether there is a close above 0."""
        return float(self._closes[symbol]) > 0.0

    def sector_name(self, symbol: int) -> str:
        """Name of a symbol's sector, "" where it is unknown."""
        return self.view.panel.instruments.sectors[symbol]

    @property
    def base(self) -> int:
        """What weights are fractions of."""
        return self.view.request.initial_cash_krw if self.sizing.base == "initial" else self.book.equity

    # --- weights ------------------------------------------------------------------------------------------------------

    def weight(self, symbol: int, low: float = 0.0, spread: float = 0.0) -> float | None:
        """Relative weight; None where what it needs is unknown."""
        method = self.sizing.method
        if method is SizingMethod.SCORE:
            if self.scores is None or spread <= 0.0:
                return 1.0
            return max(1.0, 1.0 + (float(self.scores[symbol]) - low) / spread)
        if method in (SizingMethod.MARKET_CAP, SizingMethod.INVERSE_VOLATILITY):
            value = float(self.view.plan.weights[self.t, symbol])
            if not value > 0.0:
                return None
            return value if method is SizingMethod.MARKET_CAP else 1.0 / value
        return 1.0

    def scale(self, group: Sequence[int]) -> Scale:
        """Mean weight, lowest score and spread of a group in order of purchase."""
        low = spread = 0.0
        if self.sizing.method not in (
            SizingMethod.SCORE,
            SizingMethod.MARKET_CAP,
            SizingMethod.INVERSE_VOLATILITY,
        ):
            return Scale(mean=1.0, low=0.0, spread=0.0)
        if self.sizing.method is SizingMethod.SCORE and self.scores is not None and group:
            low = float(self.scores[group[-1]])
            spread = float(self.scores[group[0]]) - low
        total, known = 0.0, 0
        for symbol in group:
            weight = self.weight(symbol, low, spread)
            if weight is not None:
                total += weight
                known += 1
        return Scale(mean=total / known if known else 1.0, low=low, spread=spread)

    def target(self, symbol: int, scale: Scale) -> int | None:
        """Won for one position, before the cap of its sector; None where its weight is unknown."""
        weight = self.weight(symbol, scale.low, scale.spread)
        if weight is None or math.isnan(weight):
            return None
        if self.sizing.method is SizingMethod.FIXED_KRW:
            amount = self.sizing.amount_krw
        elif self.sizing.method is SizingMethod.FIXED_WEIGHT:
            amount = _part(self.base, self.sizing.weight)
        else:
            free = BILLION - round(self.sizing.cash_buffer * BILLION)
            share = self.base * free // BILLION // self.sizing.max_holdings
            amount = int(min(share * (weight / scale.mean), _ENDLESS))
        amount = min(amount, _part(self.base, self.sizing.max_weight))
        most = self.sizing.max_position_krw
        return amount if most is None else min(amount, most)

    @property
    def sector_cap(self) -> int | None:
        """Won one sector may hold; None = no cap."""
        share = self.sizing.max_sector_weight
        return None if share >= 1.0 else _part(self.base, share)

    def sector_room(self, symbol: int) -> int | None:
        """Won that may still go into the symbol's sector; None = no cap, or no known sector."""
        cap, sector = self.sector_cap, self.sectors[symbol]
        if cap is None or sector < 0:
            return None
        held = sum(p.shares * p.last_close for p in self.book.owned.values() if self.sectors[p.symbol] == sector)
        asked = sum(
            order.reserved
            for order in self.book.live
            if order.side == codes.BUY and self.sectors[order.symbol] == sector
        )
        return max(cap - held - asked, 0)

    # --- prices -------------------------------------------------------------------------------------------------------

    def _up_to_tick(self, price: int, symbol: int) -> int:
        regime = self._regimes[-1 if self._etf[symbol] else int(self._markets[symbol])]
        band = int(np.searchsorted(self._starts[regime], price, side="right")) - 1
        tick = int(self._ticks[regime, max(band, 0)])
        return -(-price // tick) * tick

    def _up(self, price: int, rate: float, symbol: int) -> int:
        wanted = -(-price * (BILLION + round(rate * BILLION)) // BILLION)
        return self._up_to_tick(max(wanted, 1), symbol)

    def unit_price(self, symbol: int) -> int:
        """Expected price of one share."""
        close, slippage = self.close(symbol), self.costs.slippage_rate
        price = close if round(slippage * BILLION) == 0 else self._up(close, slippage, symbol)
        if self.execution.buy is FillMode.LIMIT:
            limit = self._up(close, self.execution.limit_offset, symbol)
            return max(price, limit) if self.execution.limit_reference == "open" else limit
        return price

    def cost(self, shares: int, price: int) -> int:
        """Amount and commission."""
        return shares * price + _part(shares * price, self.costs.commission_rate)

    def affordable(self, budget: int, price: int, most: int | None = None) -> int:
        """Most shares that a budget pays, commission included."""
        if budget <= 0 or (most is not None and most <= 0):
            return 0
        unit = BILLION + round(self.costs.commission_rate * BILLION)
        shares = budget * BILLION // (price * unit) + 1
        shares = shares if most is None else min(shares, most)
        while shares > 0 and self.cost(shares, price) > budget:
            shares -= 1
        return shares

    # --- what may be counted on ---------------------------------------------------------------------------------------

    def countable(self) -> int:
        """Cash to count on, never below 0."""
        cash = self.book.cash - self.book.reserve
        opening = self.execution.buy is FillMode.NEXT_CLOSE
        tax = int(self.view.ground.taxes.max()) if self.view.ground.taxes.size else 0
        rates = round(self.costs.slippage_rate * BILLION) + round(self.costs.commission_rate * BILLION) + tax
        for order in self.book.live:
            if order.side == codes.BUY:
                cash -= _rest(order)
            elif order.mode == codes.MODE_OPEN and opening:
                worth = order.left * self.book.owned[order.symbol].last_close
                cash += worth - worth * rates // BILLION - 1
        return max(cash, 0)

    def places(self, *, same_auction: bool) -> int:
        """Positions that may still be opened; below 1 = none."""
        sells, buys = _PHASES[self.execution.sell], _PHASES[self.execution.buy]
        freed = sells < buys or (same_auction and sells == buys)
        traded = self.view.panel.fields["traded"][self.t]
        places = self.sizing.max_holdings - len(self.book.owned)
        for order in self.book.live:
            if order.side == codes.BUY:
                places -= order.symbol not in self.book.owned
            elif order.full_exit and freed and order.mode != codes.MODE_LIMIT and traded[order.symbol]:
                places += self.book.owned[order.symbol].unlisted == 0  # unlisted shares keep their place
        return places

    def place(self, symbol: int, shares: int, price: int) -> int:
        """Note a purchase as live; what it reserves."""
        reserved = self.cost(shares, price)
        self.book.live.append(
            Live(
                symbol=symbol,
                side=codes.BUY,
                ordered=shares,
                left=shares,
                mode=codes.MODE_OPEN,
                full_exit=False,
                reserved=reserved,
            )
        )
        return reserved


def _rest(order: Live) -> int:
    """What a purchase still reserves, in proportion to what is unfilled."""
    if order.left == order.ordered:
        return order.reserved
    if order.ordered > _EXACT:
        return int(order.reserved * (order.left / order.ordered))
    return order.reserved * order.left // order.ordered
