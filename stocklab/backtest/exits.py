"""When a position ends: price triggers inside the session, and what the close decides."""
# ruff: noqa: PLR0917 (a kernel takes arrays one by one)

from __future__ import annotations

from stocklab.backtest import codes
from stocklab.backtest.compiled import part
from stocklab.backtest.fills import add_order, cancel_purchases, close_order, sell, too_small
from stocklab.backtest.layout import Record, Records
from stocklab.backtest.limits import at_lower
from stocklab.backtest.money import amount_of, beyond, down_to_tick, level_below, slipped_sale
from stocklab.backtest.orders import limit_from
from stocklab.types import IntArray

__all__ = ["decide_exits", "mark_to_market", "order_exit", "order_whole_exit", "run_triggers"]


@part
def _held_long_enough(rules: Records, position: Record, t: int, first: int, day_numbers: IntArray) -> bool:
    """Whether a sale in session ``t`` respects the minimum holding period."""
    return _held(rules, position, t, first, day_numbers) >= rules[0].min_holding  # type: ignore[no-any-return]


@part
def _held(rules: Records, position: Record, t: int, first: int, day_numbers: IntArray) -> int:
    if rules[0].calendar_days == 1:
        return day_numbers[t - first] - day_numbers[position.entry_session - first]  # type: ignore[no-any-return]
    return t - position.entry_session  # type: ignore[no-any-return]


@part
def _stop_level(rules: Records, position: Record) -> tuple[int, int]:
    """Highest of the intraday stops in won, before the tick, and its cause; (0, STOP) where there is none."""
    level, cause = 0, codes.STOP
    if rules[0].stop_basis == codes.INTRADAY:
        level = level_below(position.average, rules[0].stop_level, rules[0].unit)
    if rules[0].trailing_basis == codes.INTRADAY:
        trailing = level_below(position.high, rules[0].trailing_level, rules[0].unit)
        if trailing > level:
            level, cause = trailing, codes.TRAILING
    return level, cause


@part
def run_triggers(
    rules: Records,
    book: Records,
    positions: Records,
    slot_of: IntArray,
    sold_on: IntArray,
    orders: Records,
    active: IntArray,
    trades: Records,
    quotes: Records,
    t: int,
    day_numbers: IntArray,
    tick_from: IntArray,
    tick_step: IntArray,
) -> None:
    """Intraday stops, trailing stops and targets; where both could have happened, the stop did.

    A target that the opening price already passed was filled at the open, before any low. A position entered by a
    limit order this session meets its stop but not its target: its high may be from before.
    """
    first = book[0].first_session
    has_stop = rules[0].stop_basis == codes.INTRADAY or rules[0].trailing_basis == codes.INTRADAY
    has_target = rules[0].target_basis == codes.INTRADAY
    if not has_stop and not has_target:
        return
    for k in range(book[0].n_positions - 1, -1, -1):
        position = positions[k]
        quote = quotes[position.quote]
        if quote.full == 0 or quote.tradable == 0 or quote.known == 0 or _has_stop_order(orders, position):
            continue
        if position.leaving > 0 and position.shares == position.unlisted:
            continue  # what is left goes when it lists
        if rules[0].min_blocks_triggers == 1 and not _held_long_enough(rules, position, t, first, day_numbers):
            continue
        target = 0
        if has_target and position.limit_on != t:
            raw = level_below(position.average, -rules[0].target_level, rules[0].unit)
            target = down_to_tick(raw, quote.regime, tick_from, tick_step)
        intended, reference, cause = 0, 0, codes.TARGET
        if target > 0 and quote.open > target:
            market = slipped_sale(rules, quote.open, 1, quote.regime, tick_from, tick_step)
            intended, reference = max(market, target), quote.open
        elif has_stop:
            level, cause = _stop_level(rules, position)
            if level > 0 and quote.low <= level:
                level = down_to_tick(level, quote.regime, tick_from, tick_step)
                if quote.low <= level:
                    reference = min(quote.open, level)
                    intended = slipped_sale(rules, reference, 1, quote.regime, tick_from, tick_step)
        if intended == 0 and target > 0 and quote.high > target:
            intended, reference, cause = target, target, codes.TARGET
        if intended > 0:
            _fire(
                rules, book, positions, slot_of, sold_on, orders, active, trades, quotes, k, t, cause, intended,
                reference, target, tick_from, tick_step,
            )  # fmt: skip


@part
def _has_stop_order(orders: Records, position: Record) -> bool:
    return position.pending > 0 and orders[position.pending - 1].expires == codes.NEVER  # type: ignore[no-any-return]


@part
def _fire(
    rules: Records,
    book: Records,
    positions: Records,
    slot_of: IntArray,
    sold_on: IntArray,
    orders: Records,
    active: IntArray,
    trades: Records,
    quotes: Records,
    k: int,
    t: int,
    cause: int,
    intended: int,
    reference: int,
    target: int,
    tick_from: IntArray,
    tick_step: IntArray,
) -> None:
    """Write the trigger's order and fill it; the rest of a stop waits for the next tradable open."""
    position = positions[k]
    quote = quotes[position.quote]
    sellable = position.shares - position.unlisted
    if position.unlisted > 0:
        position.leaving = cause + 1
        position.leaving_rule = -1
    if sellable == 0:
        return
    if too_small(rules, book, sellable, intended):
        _refuse(book, positions, slot_of, orders, active, k, sellable, t, cause, -1)
        return
    if position.pending > 0:
        close_order(positions, slot_of, orders, position.pending - 1, codes.CANCELLED, codes.SUPERSEDED)
    cancel_purchases(book, positions, slot_of, orders, active, position.symbol)
    row = add_order(book, orders, active, t, position.symbol, codes.SELL, sellable, codes.MODE_TRIGGER, cause, -1, t)
    order = orders[row]
    if cause == codes.TARGET:
        order.limit = target
    else:
        order.mode = codes.MODE_OPEN
        order.expires = codes.NEVER
        order.full_exit = 1
    position.pending = row + 1
    if at_lower(rules, quote, reference, tick_from, tick_step):
        order.reason = codes.LIMIT_DOWN
        return
    sell(rules, book, positions, slot_of, sold_on, orders, trades, row, quotes, t, intended, reference)


@part
def _refuse(
    book: Records,
    positions: Records,
    slot_of: IntArray,
    orders: Records,
    active: IntArray,
    k: int,
    shares: int,
    session: int,
    cause: int,
    rule: int,
) -> None:
    """Write down, once for as many shares, a sale below the smallest order: it is not sent."""
    position = positions[k]
    if position.refused == shares:
        return
    position.refused = shares
    row = add_order(
        book, orders, active, session, position.symbol, codes.SELL, shares, codes.MODE_OPEN, cause, rule, session
    )
    close_order(positions, slot_of, orders, row, codes.UNFILLED, codes.MINIMUM_ORDER)


@part
def mark_to_market(
    rules: Records, book: Records, positions: Records, quotes: Records, held: Records, days: Records, t: int
) -> None:
    """Value every position at its last known close, record it, and move the trailing stop's highs."""
    total = 0
    for k in range(book[0].n_positions):
        position = positions[k]
        quote = quotes[position.quote]
        if quote.listed == 1 and quote.close > 0:
            position.last_close = quote.close
            whole_day = rules[0].trailing_basis == codes.INTRADAY and position.late_on != t
            position.high = max(position.high, float(quote.high if whole_day else quote.close))
        elif position.ended == 0:
            position.ended = 1
            book[0].ended_early += 1
        if beyond(position.shares, position.last_close, rules[0].unit, book[0].cash + total):
            book[0].beyond_at = t + 1
            return
        value = amount_of(position.shares, position.last_close, rules[0].unit)
        total += value
        row = held[book[0].n_held]
        row.session = t
        row.symbol = position.symbol
        row.shares = position.shares
        row.close = position.last_close
        row.value = value
        book[0].n_held += 1
    book[0].holdings = total
    book[0].equity = book[0].cash + total
    day = days[t - book[0].first_session]
    day.cash = book[0].cash
    day.holdings = total
    day.equity = book[0].equity


@part
def _close_cause(
    rules: Records, position: Record, quote: Record, t: int, first: int, day_numbers: IntArray, unsafe: bool
) -> int:
    """Why the position is sold in the next session; -1 where nothing says so."""
    if unsafe and rules[0].market_action == codes.SELL_ALL:
        return codes.MARKET_FILTER
    long_enough = _held_long_enough(rules, position, t + 1, first, day_numbers)
    if quote.close > 0 and (long_enough or rules[0].min_blocks_triggers == 0):
        stop = level_below(position.average, rules[0].stop_level, rules[0].unit)
        if rules[0].stop_basis == codes.AT_CLOSE and quote.close <= stop:
            return codes.STOP
        trailing = level_below(position.high, rules[0].trailing_level, rules[0].unit)
        if rules[0].trailing_basis == codes.AT_CLOSE and quote.close <= trailing:
            return codes.TRAILING
        target = level_below(position.average, -rules[0].target_level, rules[0].unit)
        if rules[0].target_basis == codes.AT_CLOSE and quote.close >= target:
            return codes.TARGET
    if rules[0].max_holding > 0 and _held(rules, position, t + 1, first, day_numbers) >= rules[0].max_holding:
        return codes.MAX_HOLDING
    if not long_enough:
        return -1
    if quote.exit_code > 0:
        return codes.EXIT_RULE
    if rules[0].rank_below > 0 and quote.rank > rules[0].rank_below:  # an unknown (NaN) rank sells nothing
        return codes.RANK
    if rules[0].when_entry_fails == 1 and quote.entry_ok == 0:
        return codes.ENTRY_FAILED
    return -1


@part
def order_exit(
    rules: Records,
    book: Records,
    positions: Records,
    slot_of: IntArray,
    quotes: Records,
    orders: Records,
    active: IntArray,
    k: int,
    shares: int,
    t: int,
    cause: int,
    rule: int,
    regimes: IntArray,
    tick_from: IntArray,
    tick_step: IntArray,
) -> None:
    """Order the sale of ``shares`` of position ``k`` for session t + 1."""
    if shares <= 0:
        return
    position = positions[k]
    if too_small(rules, book, shares, position.last_close):
        _refuse(book, positions, slot_of, orders, active, k, shares, t + 1, cause, rule)
        return
    cancel_purchases(book, positions, slot_of, orders, active, position.symbol)
    mode = rules[0].sell_mode
    row = add_order(
        book, orders, active, t + 1, position.symbol, codes.SELL, shares, mode, cause, rule, t + 1 + rules[0].carry
    )
    whole = shares == position.shares or (position.leaving > 0 and shares == position.shares - position.unlisted)
    orders[row].full_exit = 1 if whole else 0
    position.pending = row + 1
    if mode == codes.MODE_LIMIT and rules[0].limit_reference_open == 0:
        quote = quotes[position.quote]
        column = regimes.shape[1] - 1 if quote.etf == 1 else quote.market
        regime = regimes[t + 1 - book[0].first_session, column]
        orders[row].limit = limit_from(rules, codes.SELL, position.last_close, regime, tick_from, tick_step)


@part
def order_whole_exit(
    rules: Records,
    book: Records,
    positions: Records,
    slot_of: IntArray,
    quotes: Records,
    orders: Records,
    active: IntArray,
    k: int,
    t: int,
    cause: int,
    rule: int,
    regimes: IntArray,
    tick_from: IntArray,
    tick_step: IntArray,
) -> None:
    """Order the sale of everything that can be sold; bonus shares that are not listed yet follow when they are."""
    position = positions[k]
    if position.unlisted > 0:
        position.leaving = cause + 1
        position.leaving_rule = rule
    order_exit(
        rules, book, positions, slot_of, quotes, orders, active, k, position.shares - position.unlisted, t, cause,
        rule, regimes, tick_from, tick_step,
    )  # fmt: skip


@part
def decide_exits(
    rules: Records,
    book: Records,
    positions: Records,
    slot_of: IntArray,
    quotes: Records,
    orders: Records,
    active: IntArray,
    t: int,
    unsafe: bool,
    day_numbers: IntArray,
    regimes: IntArray,
    tick_from: IntArray,
    tick_step: IntArray,
) -> None:
    """Order the exits that the close of ``t`` decides; a position already on its way out is left alone."""
    first = book[0].first_session
    for k in range(book[0].n_positions):
        position = positions[k]
        quote = quotes[position.quote]
        if position.pending > 0 or quote.listed == 0:
            continue
        sellable = position.shares - position.unlisted
        if position.leaving > 0 and sellable == 0:
            continue
        cause = _close_cause(rules, position, quote, t, first, day_numbers, unsafe)
        if cause < 0:
            continue
        rule = quote.exit_code - 1 if cause == codes.EXIT_RULE else -1
        order_whole_exit(
            rules, book, positions, slot_of, quotes, orders, active, k, t, cause, rule, regimes, tick_from, tick_step
        )  # fmt: skip
