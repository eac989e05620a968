"""How much of each: weights, caps and the cash an order may count on."""
# ruff: noqa: PLR0917 (a kernel takes arrays one by one)

from __future__ import annotations

from typing import Final

import numpy as np

from stocklab.backtest import codes
from stocklab.backtest.compiled import part
from stocklab.backtest.fills import add_order
from stocklab.backtest.layout import Records
from stocklab.backtest.money import BILLION, amount_of, cost_of, rest_of, slipped_buy
from stocklab.backtest.orders import limit_from
from stocklab.types import AnyArray, IntArray

__all__ = [
    "base_krw",
    "expected_cash",
    "free_slots",
    "place_buy",
    "sector_room",
    "target_krw",
    "unit_price",
    "weight_of",
    "weight_scale",
]


ENDLESS_KRW: Final = 1e18
"""More than any cap: a volatility near 0 asks for more won than fit 64 bits."""

ENDLESS: Final = 9_000_000_000_000_000_000
"""The same in units, as a whole number."""


@part
def base_krw(rules: Records, book: Records) -> int:
    """What weights are fractions of."""
    return rules[0].initial_cash if rules[0].base_initial == 1 else book[0].equity  # type: ignore[no-any-return]


@part
def weight_scale(
    rules: Records, t: int, symbols: IntArray, count: int, score: AnyArray, weights: AnyArray
) -> tuple[float, float, float]:
    """(mean weight, lowest score, spread of scores) over the first ``count`` symbols."""
    low, spread = 0.0, 0.0
    if rules[0].sizing not in (codes.SCORE, codes.MARKET_CAP, codes.INVERSE_VOLATILITY):
        return 1.0, low, spread
    if rules[0].sizing == codes.SCORE and score.shape[0] > 0 and count > 0:
        low = rules[0].score_sign * float(score[t, symbols[count - 1]])
        spread = rules[0].score_sign * float(score[t, symbols[0]]) - low
    total, known = 0.0, 0
    for i in range(count):
        weight = weight_of(rules, t, symbols[i], score, weights, low, spread)
        if not np.isnan(weight):
            total += weight
            known += 1
    return (total / known if known > 0 else 1.0), low, spread


@part
def weight_of(
    rules: Records, t: int, symbol: int, score: AnyArray, weights: AnyArray, low: float, spread: float
) -> float:
    """Relative weight; NaN where what it needs is unknown.

    By score, the best of the candidates counts twice the weakest, linearly in between; this holds on any scale of
    scores, also negative ones.
    """
    method = rules[0].sizing
    if method == codes.SCORE:
        if score.shape[0] == 0 or spread <= 0.0:
            return 1.0
        return max(  # type: ignore[no-any-return]
            1.0, 1.0 + (rules[0].score_sign * float(score[t, symbol]) - low) / spread
        )
    if method in (codes.MARKET_CAP, codes.INVERSE_VOLATILITY):
        value = float(weights[t, symbol])
        if not value > 0.0:
            return np.nan
        return value if method == codes.MARKET_CAP else 1.0 / value
    return 1.0


@part
def target_krw(rules: Records, book: Records, weight: float, mean: float) -> int:
    """Money for one position: an equal share of the ``max_holdings`` slots times its relative weight, then the caps."""
    base = base_krw(rules, book)
    if rules[0].sizing == codes.FIXED_KRW:
        amount = rules[0].amount
    elif rules[0].sizing == codes.FIXED_WEIGHT:
        amount = cost_of(base, rules[0].weight)
    else:
        amount = cost_of(base, BILLION - rules[0].cash_buffer) // rules[0].max_holdings
        if rules[0].unit == 1:
            amount = int(min(amount * (weight / mean), ENDLESS_KRW))
        elif weight != mean:  # amounts of coins are longer than a float is exact
            amount = int(min(amount * (weight / mean), float(ENDLESS)))
    amount = min(amount, cost_of(base, rules[0].max_weight))
    if rules[0].max_position > 0:
        amount = min(amount, rules[0].max_position)
    return amount  # type: ignore[no-any-return]


@part
def unit_price(rules: Records, close: int, regime: int, tick_from: IntArray, tick_step: IntArray) -> tuple[int, int]:
    """(expected price of one share with slippage, limit price or NO_LIMIT), from the close alone."""
    price, limit = slipped_buy(rules, close, 1, regime, tick_from, tick_step), codes.NO_LIMIT
    if rules[0].buy_mode == codes.MODE_LIMIT:
        at_offset = limit_from(rules, codes.BUY, close, regime, tick_from, tick_step)
        if rules[0].limit_reference_open == 1:
            price = max(price, at_offset)
        else:
            price = limit = at_offset
    return price, limit


@part
def expected_cash(
    rules: Records, book: Records, positions: Records, slot_of: IntArray, orders: Records, active: IntArray
) -> int:
    """Cash new orders may count on: what no live purchase claims, above the buffer, plus the proceeds of opening
    sales when purchases wait for the close."""
    cash = book[0].cash - book[0].reserve
    for i in range(book[0].n_active):
        order = orders[active[i]]
        if order.status != codes.OPEN:
            continue
        left = order.ordered - order.filled
        if order.side == codes.BUY:
            cash -= rest_of(order.reserved, left, order.ordered)
        elif order.mode == codes.MODE_OPEN and rules[0].buy_mode == codes.MODE_CLOSE:
            worth = amount_of(left, positions[slot_of[order.symbol]].last_close, rules[0].unit)
            cash += worth - cost_of(worth, rules[0].slippage + rules[0].commission + rules[0].most_tax) - 1
    return max(cash, 0)  # type: ignore[no-any-return]


@part
def free_slots(
    rules: Records,
    book: Records,
    positions: Records,
    slot_of: IntArray,
    orders: Records,
    active: IntArray,
    traded: AnyArray,
    t: int,
    same_auction: bool,
) -> int:
    """Positions that may still be opened: a full exit frees its slot if it comes before the purchase.

    ``same_auction``: an exit at the very auction of the purchase counts too (slots, unlike cash, are free at once). An
    exit of what is halted at ``t`` is not counted on.
    """
    sell_phase = codes.PHASE_OF_MODE[rules[0].sell_mode]
    buy_phase = codes.PHASE_OF_MODE[rules[0].buy_mode]
    freed = sell_phase < buy_phase or (same_auction and sell_phase == buy_phase)
    slots = rules[0].max_holdings - book[0].n_positions
    for i in range(book[0].n_active):
        order = orders[active[i]]
        if order.status != codes.OPEN:
            continue
        slot = slot_of[order.symbol]
        if order.side == codes.BUY:
            slots -= 1 if slot < 0 else 0
        elif order.full_exit == 1 and freed and order.mode != codes.MODE_LIMIT and traded[t, order.symbol]:
            slots += 1 if slot >= 0 and positions[slot].unlisted == 0 else 0  # unlisted shares keep their place
    return slots  # type: ignore[no-any-return]


@part
def sector_room(
    rules: Records, book: Records, positions: Records, orders: Records, active: IntArray, sectors: IntArray, symbol: int
) -> int:
    """Won that may still go into the symbol's sector; endless where there is no cap or the sector is unknown."""
    sector = sectors[symbol]
    if rules[0].has_sectors == 0 or sector < 0:
        return ENDLESS
    room = cost_of(base_krw(rules, book), rules[0].max_sector_weight)
    for k in range(book[0].n_positions):
        if sectors[positions[k].symbol] == sector:
            room -= amount_of(positions[k].shares, positions[k].last_close, rules[0].unit)
    for i in range(book[0].n_active):
        order = orders[active[i]]
        if order.status == codes.OPEN and order.side == codes.BUY and sectors[order.symbol] == sector:
            room -= order.reserved
    return max(room, 0)


@part
def place_buy(
    rules: Records,
    book: Records,
    orders: Records,
    active: IntArray,
    t: int,
    symbol: int,
    shares: int,
    price: int,
    limit: int,
    cause: int,
) -> int:
    """Order a purchase for session t + 1; its row."""
    row = add_order(
        book, orders, active, t + 1, symbol, codes.BUY, shares, rules[0].buy_mode, cause, -1, t + 1 + rules[0].carry
    )
    orders[row].limit = limit
    amount = amount_of(shares, price, rules[0].unit)
    orders[row].reserved = amount + cost_of(amount, rules[0].commission)
    return row
