"""What the close decides to buy: new positions while slots are free, or the whole book at a rebalancing."""
# ruff: noqa: PLR0917 (a kernel takes arrays one by one)

from __future__ import annotations

import numpy as np

from stocklab.backtest import codes
from stocklab.backtest.compiled import part
from stocklab.backtest.exits import order_exit, order_whole_exit
from stocklab.backtest.fills import close_order, too_small
from stocklab.backtest.layout import Record, Records
from stocklab.backtest.money import MOST_QUANTITY, affordable, amount_of, cost_of, quantity_for, whole_price
from stocklab.backtest.select import order_row
from stocklab.backtest.sizing import (
    base_krw,
    expected_cash,
    free_slots,
    place_buy,
    sector_room,
    target_krw,
    unit_price,
    weight_of,
    weight_scale,
)
from stocklab.types import AnyArray, FloatArray, IntArray

__all__ = ["cancel_orders", "continue_waiting", "decide_entries", "rebalance"]


@part
def cancel_orders(
    book: Records, positions: Records, slot_of: IntArray, orders: Records, active: IntArray, only_buys: bool
) -> None:
    """Cancel live orders, stops excepted: a later decision replaces them."""
    book[0].n_waiting = 0
    for i in range(book[0].n_active):
        order = orders[active[i]]
        replaced = order.status == codes.OPEN and order.expires != codes.NEVER
        if replaced and (order.side == codes.BUY or not only_buys):
            close_order(positions, slot_of, orders, active[i], codes.CANCELLED, codes.SUPERSEDED)


@part
def _buying(orders: Records, active: IntArray, n_active: int, symbol: int) -> bool:
    for i in range(n_active):
        order = orders[active[i]]
        if order.symbol == symbol and order.side == codes.BUY and order.status == codes.OPEN:
            return True
    return False


@part
def _candidate(
    sign: float,
    j: int,
    t: int,
    row: int,
    listed_symbols: IntArray,
    written: IntArray,
    universe: AnyArray,
    entry: AnyArray,
    score: AnyArray,
    keep: int,
    keep_count: int,
    values: FloatArray,
    symbols: IntArray,
) -> int:
    """The j-th candidate; the plan lists the first ones only, so a longer walk orders the session in full.

    ``symbols[-1]`` remembers the session the full order belongs to.
    """
    if j < written[row]:
        return listed_symbols[row, j]  # type: ignore[no-any-return]
    if symbols[symbols.shape[0] - 1] != t:
        order_row(t, universe, entry, score, sign, keep, keep_count, universe.shape[1], values, symbols)
        symbols[symbols.shape[0] - 1] = t
    return symbols[j]  # type: ignore[no-any-return]


@part
def decide_entries(
    rules: Records,
    book: Records,
    positions: Records,
    slot_of: IntArray,
    sold_on: IntArray,
    orders: Records,
    active: IntArray,
    t: int,
    closes: AnyArray,
    traded: AnyArray,
    markets: AnyArray,
    etf: AnyArray,
    sectors: IntArray,
    regimes: IntArray,
    tick_from: IntArray,
    tick_step: IntArray,
    listed_symbols: IntArray,
    written: IntArray,
    totals: IntArray,
    universe: AnyArray,
    entry: AnyArray,
    score: AnyArray,
    weights: AnyArray,
    keep: int,
    keep_count: int,
    values: FloatArray,
    symbols: IntArray,
) -> None:
    """Signal mode: order the best candidates that are not held until slots, cash or the daily number run out."""
    slots = free_slots(rules, book, positions, slot_of, orders, active, traded, t, False)
    book[0].free_places = slots
    r = t - book[0].first_session
    total = totals[r]
    if slots <= 0 or total == 0:
        return
    count = min(rules[0].max_holdings, written[r])
    mean, low, spread = weight_scale(rules, t, listed_symbols[r], count, score, weights)
    cash = expected_cash(rules, book, positions, slot_of, orders, active)
    book[0].free_cash = cash
    new = 0
    for j in range(total):
        if slots <= 0 or (rules[0].max_new > 0 and new >= rules[0].max_new):
            break
        symbol = _candidate(
            rules[0].score_sign,
            j,
            t,
            r,
            listed_symbols,
            written,
            universe,
            entry,
            score,
            keep,
            keep_count,
            values,
            symbols,
        )
        if slot_of[symbol] >= 0 or t - sold_on[symbol] < rules[0].reentry_wait:
            continue
        if not closes[t, symbol] > 0.0 or _buying(orders, active, book[0].n_active, symbol):
            continue
        weight = weight_of(rules, t, symbol, score, weights, low, spread)
        if np.isnan(weight):
            book[0].unknown_weight += 1
            continue
        amount = target_krw(rules, book, weight, mean)
        amount = min(amount, sector_room(rules, book, positions, orders, active, sectors, symbol))
        regime = regimes[r + 1, regimes.shape[1] - 1 if etf[symbol] else markets[t, symbol]]
        price, limit = unit_price(rules, whole_price(closes[t, symbol], rules[0].unit), regime, tick_from, tick_step)
        wanted = affordable(amount, price, 0, rules[0].commission, MOST_QUANTITY, rules[0].unit)
        if wanted < 1:
            continue
        shares = affordable(cash, price, 0, rules[0].commission, wanted, rules[0].unit)
        if shares < 1:
            row = place_buy(rules, book, orders, active, t, symbol, wanted, price, limit, codes.ENTRY)
            close_order(positions, slot_of, orders, row, codes.UNFILLED, codes.CASH)
            break
        if too_small(rules, book, shares, price):
            row = place_buy(rules, book, orders, active, t, symbol, shares, price, limit, codes.ENTRY)
            close_order(positions, slot_of, orders, row, codes.UNFILLED, codes.MINIMUM_ORDER)
            break
        row = place_buy(rules, book, orders, active, t, symbol, shares, price, limit, codes.ENTRY)
        cash -= orders[row].reserved
        slots -= 1
        new += 1


@part
def _choose(
    rules: Records,
    book: Records,
    positions: Records,
    slot_of: IntArray,
    sold_on: IntArray,
    t: int,
    closes: AnyArray,
    traded: AnyArray,
    listed_symbols: IntArray,
    written: IntArray,
    total: int,
    universe: AnyArray,
    entry: AnyArray,
    score: AnyArray,
    weights: AnyArray,
    keep: int,
    keep_count: int,
    values: FloatArray,
    symbols: IntArray,
    chosen: IntArray,
) -> int:
    """The best candidates that may be held after this rebalancing, in order; how many."""
    room = rules[0].max_holdings
    for k in range(book[0].n_positions):
        if not traded[t, positions[k].symbol]:
            room -= 1  # halted or gone: it cannot be counted on to be sold, so it keeps its place
    n = 0
    for j in range(total):
        if n >= room:
            break
        symbol = _candidate(
            rules[0].score_sign, j, t, t - book[0].first_session, listed_symbols, written, universe, entry, score,
            keep, keep_count, values, symbols,
        )  # fmt: skip
        slot = slot_of[symbol]
        if slot >= 0 and positions[slot].pending > 0:
            continue
        if (slot < 0 and t - sold_on[symbol] < rules[0].reentry_wait) or not closes[t, symbol] > 0.0:
            continue
        if np.isnan(weight_of(rules, t, symbol, score, weights, 0.0, 0.0)):
            book[0].unknown_weight += 1
            continue
        if slot >= 0 and not traded[t, symbol]:
            room += 1  # its place is its own
        chosen[n] = symbol
        n += 1
    return n


@part
def _sector_taken(sectors: IntArray, chosen: IntArray, amounts: IntArray, n: int, symbol: int) -> int:
    taken = 0
    for i in range(n):
        if sectors[chosen[i]] == sectors[symbol]:
            taken += amounts[i]
    return taken


@part
def rebalance(
    rules: Records,
    book: Records,
    positions: Records,
    slot_of: IntArray,
    sold_on: IntArray,
    orders: Records,
    active: IntArray,
    quotes: Records,
    waiting: Records,
    t: int,
    day_numbers: IntArray,
    closes: AnyArray,
    traded: AnyArray,
    markets: AnyArray,
    etf: AnyArray,
    sectors: IntArray,
    regimes: IntArray,
    tick_from: IntArray,
    tick_step: IntArray,
    listed_symbols: IntArray,
    written: IntArray,
    totals: IntArray,
    universe: AnyArray,
    entry: AnyArray,
    score: AnyArray,
    weights: AnyArray,
    keep: int,
    keep_count: int,
    values: FloatArray,
    symbols: IntArray,
    chosen: IntArray,
    amounts: IntArray,
    marks: IntArray,
) -> None:
    """Target mode: sell what left the selection or grew too large, and note what is to be bought as waiting lots."""
    n = _choose(
        rules, book, positions, slot_of, sold_on, t, closes, traded, listed_symbols, written,
        totals[t - book[0].first_session], universe, entry, score, weights, keep, keep_count, values, symbols, chosen,
    )  # fmt: skip
    mean, low, spread = weight_scale(rules, t, chosen, n, score, weights)
    base = base_krw(rules, book)
    for i in range(n):
        symbol = chosen[i]
        marks[symbol] = t
        amount = target_krw(rules, book, weight_of(rules, t, symbol, score, weights, low, spread), mean)
        if rules[0].has_sectors == 1 and sectors[symbol] >= 0:
            cap = cost_of(base, rules[0].max_sector_weight)
            amount = min(amount, max(cap - _sector_taken(sectors, chosen, amounts, i, symbol), 0))
        amounts[i] = amount
    _sell_the_rest(
        rules, book, positions, slot_of, orders, active, quotes, t, day_numbers, regimes, tick_from, tick_step, marks
    )  # fmt: skip
    book[0].n_waiting = 0
    for i in range(n):
        symbol = chosen[i]
        regime = regimes[t + 1 - book[0].first_session, regimes.shape[1] - 1 if etf[symbol] else markets[t, symbol]]
        close = whole_price(closes[t, symbol], rules[0].unit)
        price, _ = unit_price(rules, close, regime, tick_from, tick_step)
        slot = slot_of[symbol]
        held = positions[slot].shares if slot >= 0 else 0
        if slot >= 0:
            positions[slot].leaving = 0
        if slot >= 0 and abs(amount_of(held, close, rules[0].unit) - amounts[i]) <= cost_of(base, rules[0].drift_band):
            continue
        most = quantity_for(amounts[i], close, rules[0].unit)
        least = affordable(amounts[i], price, 0, rules[0].commission, MOST_QUANTITY, rules[0].unit)
        if held > most and _may_sell(rules, book, positions[slot], t, day_numbers):
            sold = min(held - most, held - positions[slot].unlisted)
            order_exit(
                rules, book, positions, slot_of, quotes, orders, active, slot, sold, t, codes.REBALANCE, -1, regimes,
                tick_from, tick_step,
            )  # fmt: skip
        elif held < least:
            lot = waiting[book[0].n_waiting]
            lot.symbol = symbol
            lot.shares = least - held
            lot.amount = amounts[i] - amount_of(held, close, rules[0].unit)
            lot.since = t
            book[0].n_waiting += 1
    book[0].waiting_until = t + 1 + rules[0].carry


@part
def _sell_the_rest(
    rules: Records,
    book: Records,
    positions: Records,
    slot_of: IntArray,
    orders: Records,
    active: IntArray,
    quotes: Records,
    t: int,
    day_numbers: IntArray,
    regimes: IntArray,
    tick_from: IntArray,
    tick_step: IntArray,
    marks: IntArray,
) -> None:
    """Order the sale of every position that is not marked as chosen at ``t`` and may be sold."""
    for k in range(book[0].n_positions):
        position = positions[k]
        gone = marks[position.symbol] != t and position.pending == 0 and quotes[position.quote].listed == 1
        if gone and _may_sell(rules, book, position, t, day_numbers):
            order_whole_exit(
                rules, book, positions, slot_of, quotes, orders, active, k, t, codes.REBALANCE, -1, regimes, tick_from,
                tick_step,
            )  # fmt: skip


@part
def _may_sell(rules: Records, book: Records, position: Record, t: int, day_numbers: IntArray) -> bool:
    held = t + 1 - position.entry_session
    if rules[0].calendar_days == 1:
        first = book[0].first_session
        held = day_numbers[t + 1 - first] - day_numbers[position.entry_session - first]
    return held >= rules[0].min_holding  # type: ignore[no-any-return]


@part
def continue_waiting(
    rules: Records,
    book: Records,
    positions: Records,
    slot_of: IntArray,
    sold_on: IntArray,
    orders: Records,
    active: IntArray,
    waiting: Records,
    t: int,
    closes: AnyArray,
    traded: AnyArray,
    markets: AnyArray,
    etf: AnyArray,
    regimes: IntArray,
    tick_from: IntArray,
    tick_step: IntArray,
) -> None:
    """Order what a rebalancing still wants, best first, as far as cash and slots go; the rest waits for the proceeds
    of its sales: one session, and ``carry_unfilled_sessions`` more."""
    if t > book[0].waiting_until:
        book[0].n_waiting = 0
    if book[0].n_waiting == 0:
        return
    cash = expected_cash(rules, book, positions, slot_of, orders, active)
    slots = free_slots(rules, book, positions, slot_of, orders, active, traded, t, True)
    book[0].free_cash, book[0].free_places = cash, slots
    new = rules[0].max_new if rules[0].max_new > 0 else codes.NEVER
    kept = 0
    for w in range(book[0].n_waiting):
        symbol, wanted, amount = waiting[w].symbol, waiting[w].shares, waiting[w].amount
        slot = slot_of[symbol]
        if sold_on[symbol] > waiting[w].since or (slot >= 0 and positions[slot].pending > 0):
            continue  # a stop took it out since
        ordered = 0
        if closes[t, symbol] > 0.0 and (slot >= 0 or (slots > 0 and new > 0)):
            column = regimes.shape[1] - 1 if etf[symbol] else markets[t, symbol]
            regime = regimes[t + 1 - book[0].first_session, column]
            price, limit = unit_price(
                rules, whole_price(closes[t, symbol], rules[0].unit), regime, tick_from, tick_step
            )
            # a price that rose since buys no more than the target
            wanted = affordable(amount, price, 0, rules[0].commission, wanted, rules[0].unit)
            ordered = affordable(cash, price, 0, rules[0].commission, wanted, rules[0].unit)
            cause = codes.REBALANCE if slot >= 0 else codes.ENTRY
            if ordered > 0 and too_small(rules, book, ordered, price):
                if ordered == wanted:  # more cash would not make it larger
                    row = place_buy(rules, book, orders, active, t, symbol, ordered, price, limit, cause)
                    close_order(positions, slot_of, orders, row, codes.UNFILLED, codes.MINIMUM_ORDER)
                    continue
                ordered = 0
            if ordered > 0:
                row = place_buy(rules, book, orders, active, t, symbol, ordered, price, limit, cause)
                cash -= orders[row].reserved
                amount -= orders[row].reserved
                if slot < 0:
                    slots -= 1
                    new -= 1
        if ordered < wanted:
            waiting[kept].symbol = symbol
            waiting[kept].shares = wanted - ordered
            waiting[kept].amount = amount
            waiting[kept].since = waiting[w].since
            kept += 1
    book[0].n_waiting = kept
