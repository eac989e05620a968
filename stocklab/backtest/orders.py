"""How orders meet the session: at the opening auction, inside it, at the closing auction; and when they lapse."""
# ruff: noqa: PLR0917 (a kernel takes arrays one by one)

from __future__ import annotations

from stocklab.backtest import codes
from stocklab.backtest.compiled import part
from stocklab.backtest.fills import buy, close_order, sell
from stocklab.backtest.layout import Record, Records
from stocklab.backtest.limits import at_lower, at_upper
from stocklab.backtest.money import down_to_tick, scaled_down, scaled_up, slipped_buy, slipped_sale, up_to_tick
from stocklab.types import IntArray

__all__ = ["end_session", "judge_rests", "limit_from", "meet_market"]


@part
def limit_from(rules: Records, side: int, reference: int, regime: int, tick_from: IntArray, tick_step: IntArray) -> int:
    """Limit price at the offset from a reference: purchases up to the tick, sales (mirrored offset) down."""
    offset = rules[0].limit_offset
    if side == codes.BUY:
        return up_to_tick(max(scaled_up(reference, offset), 1), regime, tick_from, tick_step)
    return down_to_tick(max(scaled_down(reference, -offset), 1), regime, tick_from, tick_step)


@part
def _blocked(order: Record, quote: Record) -> bool:
    """Whether the session offers no trade at all; the order keeps the reason."""
    if quote.listed == 0:
        order.reason = codes.NOT_LISTED
    elif quote.tradable == 0:
        order.reason = codes.HALTED
    elif quote.known == 0:
        order.reason = codes.NO_PRICE
    else:
        return False
    return True


@part
def _locked(rules: Records, order: Record, quote: Record, price: int, tick_from: IntArray, tick_step: IntArray) -> bool:
    """Whether ``price`` is the limit at which the other side is missing; the order keeps the reason."""
    if order.side == codes.BUY and at_upper(rules, quote, price, tick_from, tick_step):
        order.reason = codes.LIMIT_UP
        return True
    if order.side == codes.SELL and at_lower(rules, quote, price, tick_from, tick_step):
        order.reason = codes.LIMIT_DOWN
        return True
    return False


@part
def _quoted_price(
    rules: Records,
    order: Record,
    quote: Record,
    total: int,
    count: int,
    tick_from: IntArray,
    tick_step: IntArray,
) -> int:
    """Market price with slippage; a limit order's own limit bounds it."""
    if order.side == codes.BUY:
        price = slipped_buy(rules, total, count, quote.regime, tick_from, tick_step)
        return min(price, order.limit) if order.limit != codes.NO_LIMIT else price
    price = slipped_sale(rules, total, count, quote.regime, tick_from, tick_step)
    return max(price, order.limit) if order.limit != codes.NO_LIMIT else price


@part
def _offer(
    rules: Records, order: Record, quote: Record, phase: int, tick_from: IntArray, tick_step: IntArray
) -> tuple[int, int]:
    """(intended price, reference) at which the order fills in this phase; (0, 0) where it does not."""
    mode = order.mode
    if mode == codes.MODE_LIMIT:
        return _limit_offer(rules, order, quote, phase, tick_from, tick_step)
    if phase == codes.PHASE_OPEN and mode == codes.MODE_OPEN:
        total, count, edge = quote.open, 1, quote.open
    elif phase == codes.PHASE_CLOSE and mode == codes.MODE_CLOSE:
        total, count, edge = quote.close, 1, quote.close
    elif phase == codes.PHASE_INTRADAY and mode == codes.MODE_VWAP:
        total, count = quote.open + quote.high + quote.low + quote.close, 4
        edge = quote.low if order.side == codes.BUY else quote.high  # locked only if the whole session was
    else:
        return 0, 0
    if _blocked(order, quote) or _locked(rules, order, quote, edge, tick_from, tick_step):
        return 0, 0
    return _quoted_price(rules, order, quote, total, count, tick_from, tick_step), total // count


@part
def _limit_offer(
    rules: Records, order: Record, quote: Record, phase: int, tick_from: IntArray, tick_step: IntArray
) -> tuple[int, int]:
    if phase == codes.PHASE_CLOSE or _blocked(order, quote):
        return 0, 0
    if order.limit == codes.NO_LIMIT:
        order.limit = limit_from(rules, order.side, quote.open, quote.regime, tick_from, tick_step)
    buying = order.side == codes.BUY
    at_open = quote.open < order.limit if buying else quote.open > order.limit
    if phase == codes.PHASE_OPEN:
        if not at_open or _locked(rules, order, quote, quote.open, tick_from, tick_step):
            return 0, 0
        return _quoted_price(rules, order, quote, quote.open, 1, tick_from, tick_step), quote.open
    price = min(order.limit, quote.high) if buying else max(order.limit, quote.low)
    through = quote.low < price if buying else quote.high > price
    if at_open and order.reason not in (codes.LIMIT_UP, codes.LIMIT_DOWN):
        return 0, 0  # it met the opening auction already
    if _locked(rules, order, quote, quote.low if buying else quote.high, tick_from, tick_step):
        return 0, 0
    if not through:
        order.reason = codes.NOT_REACHED
        return 0, 0
    return price, price


@part
def meet_market(
    rules: Records,
    book: Records,
    positions: Records,
    slot_of: IntArray,
    sold_on: IntArray,
    orders: Records,
    active: IntArray,
    trades: Records,
    quotes: Records,
    quote_of: IntArray,
    t: int,
    phase: int,
    side: int,
    mode: int,
    tick_from: IntArray,
    tick_step: IntArray,
) -> None:
    """Try every live order of one side in this phase, in the order they were decided; ``mode`` -1 = every mode."""
    for i in range(book[0].n_active):
        row = active[i]
        order = orders[row]
        if order.status != codes.OPEN or order.side != side or (mode >= 0 and order.mode != mode):
            continue
        if order.filled == order.ordered:
            continue
        if side == codes.SELL and slot_of[order.symbol] < 0:
            close_order(positions, slot_of, orders, row, codes.CANCELLED, codes.POSITION_CLOSED)
            continue
        q = quote_of[order.symbol]
        order.session = t
        intended, reference = _offer(rules, order, quotes[q], phase, tick_from, tick_step)
        if intended == 0:
            continue
        order.reason = codes.NO_REASON
        if side == codes.BUY:
            buy(rules, book, positions, slot_of, orders, trades, row, quotes, q, t, intended, reference)
        else:
            sell(rules, book, positions, slot_of, sold_on, orders, trades, row, quotes, t, intended, reference)


@part
def judge_rests(
    rules: Records,
    positions: Records,
    slot_of: IntArray,
    orders: Records,
    active: IntArray,
    n_active: int,
    quotes: Records,
    quote_of: IntArray,
    t: int,
    tick_from: IntArray,
    tick_step: IntArray,
) -> None:
    """Why live orders that were filled elsewhere have a rest: what the session offered each of them, phase by phase.

    Where it offered a trade, the rest is for want of volume or for whatever the broker knows.
    """
    for i in range(n_active):
        row = active[i]
        order = orders[row]
        if order.status != codes.OPEN or order.filled == order.ordered or order.mode == codes.MODE_TRIGGER:
            continue
        if order.side == codes.SELL and slot_of[order.symbol] < 0:
            close_order(positions, slot_of, orders, row, codes.CANCELLED, codes.POSITION_CLOSED)
            continue
        order.session = t
        for phase in range(codes.PHASE_CLOSE + 1):
            quote = quotes[quote_of[order.symbol]]
            intended, _ = _offer(rules, order, quote, phase, tick_from, tick_step)
            if intended > 0:
                order.reason = codes.PARTICIPATION


@part
def _stays(order: Record, t: int) -> bool:
    """Whether an unfilled rest lives on: carried, a stop, or an exit the market gave no chance to."""
    if t < order.expires:
        return True
    if order.full_exit == 0:
        return False
    reason = order.reason
    return reason in (codes.HALTED, codes.LIMIT_DOWN, codes.NO_PRICE, codes.NOT_LISTED)


@part
def end_session(
    book: Records, positions: Records, slot_of: IntArray, orders: Records, active: IntArray, t: int, final: bool
) -> None:
    """Close what filled or lapsed; the rest stays alive for the next session."""
    kept = 0
    for i in range(book[0].n_active):
        row = active[i]
        order = orders[row]
        if order.status != codes.OPEN:
            continue
        reason = order.reason
        if order.filled == order.ordered:
            close_order(positions, slot_of, orders, row, codes.FILLED, codes.NO_REASON)
        elif final or not _stays(order, t):
            status = codes.PARTIAL if order.filled > 0 else codes.UNFILLED
            if order.side == codes.SELL and slot_of[order.symbol] >= 0:
                positions[slot_of[order.symbol]].leaving = 0  # a sale that lapsed is decided anew
            close_order(positions, slot_of, orders, row, status, codes.END_OF_RUN if reason == 0 else reason)
        else:
            active[kept] = row
            kept += 1
    book[0].n_active = kept
