"""What a fill does to cash, positions and the records. The callers have decided that the order meets the market."""
# ruff: noqa: PLR0917 (a kernel takes arrays one by one)

from __future__ import annotations

from stocklab.backtest import codes
from stocklab.backtest.compiled import part
from stocklab.backtest.layout import Record, Records
from stocklab.backtest.money import affordable, amount_of, beyond, cost_of, part_of_volume
from stocklab.types import IntArray

__all__ = ["add_order", "add_shares", "buy", "cancel_purchases", "close_order", "drop_position", "sell", "too_small"]


@part
def add_order(
    book: Records,
    orders: Records,
    active: IntArray,
    session: int,
    symbol: int,
    side: int,
    shares: int,
    mode: int,
    cause: int,
    rule: int,
    expires: int,
) -> int:
    """Append an order that was decided at the close before ``session`` and is alive; its row."""
    row = book[0].n_orders
    order = orders[row]
    order.decided = session - 1
    order.session = session
    order.symbol = symbol
    order.side = side
    order.ordered = shares
    order.filled = 0
    order.limit = codes.NO_LIMIT
    order.status = codes.OPEN
    order.reason = codes.NO_REASON
    order.mode = mode
    order.cause = cause
    order.rule = rule
    order.expires = expires
    order.full_exit = 0
    order.reserved = 0
    book[0].n_orders = row + 1
    active[book[0].n_active] = row
    book[0].n_active += 1
    return row  # type: ignore[no-any-return]


@part
def close_order(positions: Records, slot_of: IntArray, orders: Records, row: int, status: int, reason: int) -> None:
    """End an order and release the position that waited for it; what filled whole is filled, whatever ended it."""
    order = orders[row]
    whole = order.filled == order.ordered
    order.status = codes.FILLED if whole else status
    order.reason = codes.NO_REASON if whole else reason
    if order.side == codes.SELL:
        slot = slot_of[order.symbol]
        if slot >= 0 and positions[slot].pending == row + 1:
            positions[slot].pending = 0


@part
def cancel_purchases(
    book: Records, positions: Records, slot_of: IntArray, orders: Records, active: IntArray, symbol: int
) -> None:
    """Cancel what is still being bought of a symbol that is to be sold: never both sides of a symbol at once."""
    for i in range(book[0].n_active):
        order = orders[active[i]]
        if order.symbol == symbol and order.side == codes.BUY and order.status == codes.OPEN:
            close_order(positions, slot_of, orders, active[i], codes.CANCELLED, codes.SUPERSEDED)


@part
def drop_position(book: Records, positions: Records, slot_of: IntArray, sold_on: IntArray, slot: int, t: int) -> None:
    """Forget a position; the last one moves into its place."""
    last = book[0].n_positions - 1
    symbol = positions[slot].symbol
    slot_of[symbol] = -1
    sold_on[symbol] = t
    if slot != last:
        positions[slot] = positions[last]
        slot_of[positions[slot].symbol] = slot
    book[0].n_positions = last


@part
def _record_trade(
    book: Records,
    trades: Records,
    orders: Records,
    row: int,
    quote: Record,
    t: int,
    shares: int,
    price: int,
    amount: int,
    commission: int,
    tax: int,
    slippage: int,
    reference: int,
) -> None:
    trade = trades[book[0].n_trades]
    trade.session = t
    trade.symbol = quote.symbol
    trade.market = quote.market
    trade.side = orders[row].side
    trade.shares = shares
    trade.price = price
    trade.amount = amount
    trade.commission = commission
    trade.tax = tax
    trade.slippage = slippage
    trade.cause = orders[row].cause
    trade.rule = orders[row].rule
    trade.order = row
    trade.reference = reference
    book[0].n_trades += 1


@part
def too_small(rules: Records, book: Records, shares: int, price: int) -> bool:
    """Whether an order is worth less than the smallest one that is accepted."""
    return book[0].least_order > 0 and amount_of(shares, price, rules[0].unit) < book[0].least_order  # type: ignore[no-any-return]


@part
def _volume_cap(rules: Records, quote: Record) -> int:
    if not quote.volume > 0.0:
        return 0  # an unknown (NaN) volume fills nothing
    if rules[0].unit > 1:
        return part_of_volume(quote.volume, rules[0].participation, rules[0].unit)
    return cost_of(int(quote.volume), rules[0].participation)


@part
def buy(
    rules: Records,
    book: Records,
    positions: Records,
    slot_of: IntArray,
    orders: Records,
    trades: Records,
    row: int,
    quotes: Records,
    q: int,
    t: int,
    intended: int,
    reference: int,
) -> None:
    """Fill what volume and cash allow at ``intended``, clamped to the session's range; the rest gets its reason.

    What the clamp takes off the intended price is charged as slippage, so that a cost is never forgiven.
    """
    order = orders[row]
    quote = quotes[q]
    order.session = t
    slot = slot_of[order.symbol]
    if slot < 0 and book[0].n_positions >= rules[0].max_holdings:
        order.reason = codes.MAX_HOLDINGS
        return
    price = min(max(intended, quote.low), quote.high)
    extra = max(intended - price, 0)
    wanted = order.ordered - order.filled
    volume_cap = _volume_cap(rules, quote)
    budget = book[0].cash - book[0].unusable - book[0].reserve
    most = min(wanted, volume_cap)
    unit = rules[0].unit
    shares = affordable(budget, price, extra, rules[0].commission, most, unit)
    if shares < wanted:
        order.reason = codes.CASH if shares < most else codes.PARTICIPATION
    if shares == 0:
        return
    amount = amount_of(shares, price, unit)
    commission, slippage = cost_of(amount, rules[0].commission), amount_of(shares, extra, unit)
    _record_trade(book, trades, orders, row, quote, t, shares, price, amount, commission, 0, slippage, reference)
    book[0].cash -= amount + slippage + commission
    book[0].n_buys += 1
    order.filled += shares
    add_shares(book, positions, slot_of, order, quotes, q, t, shares, price)


@part
def add_shares(
    book: Records,
    positions: Records,
    slot_of: IntArray,
    order: Record,
    quotes: Records,
    q: int,
    t: int,
    shares: int,
    price: int,
) -> None:
    """Book bought shares: a new position, or more of one at the mean price."""
    slot = slot_of[order.symbol]
    if slot < 0:
        slot = book[0].n_positions
        book[0].n_positions += 1
        slot_of[order.symbol] = slot
        position = positions[slot]
        position.symbol = order.symbol
        position.shares = shares
        position.entry_session = t
        position.market = quotes[q].market
        position.last_close = price
        position.quote = q
        position.late_on = t if order.mode != codes.MODE_OPEN else -1
        position.limit_on = -1
        position.pending = 0
        position.ended = 0
        position.refused = 0
        position.unlisted = 0
        position.leaving = 0
        position.average = float(price)
        position.high = float(price)
    else:
        position = positions[slot]
        held = position.shares
        position.average = (position.average * held + float(price) * shares) / (held + shares)
        position.shares = held + shares
        position.leaving = 0
    if order.mode == codes.MODE_LIMIT:
        position.limit_on = t


@part
def sell(
    rules: Records,
    book: Records,
    positions: Records,
    slot_of: IntArray,
    sold_on: IntArray,
    orders: Records,
    trades: Records,
    row: int,
    quotes: Records,
    t: int,
    intended: int,
    reference: int,
) -> None:
    """Sell what volume allows at ``intended``, clamped to the session's range; proceeds are unusable in this phase."""
    order = orders[row]
    order.session = t
    slot = slot_of[order.symbol]
    position = positions[slot]
    quote = quotes[position.quote]
    price = min(max(intended, quote.low), quote.high)
    extra = max(price - intended, 0)
    wanted = min(order.ordered - order.filled, position.shares - position.unlisted)
    shares = min(wanted, _volume_cap(rules, quote))
    if shares < wanted:
        order.reason = codes.PARTICIPATION
    if shares <= 0:
        return
    unit = rules[0].unit
    if beyond(shares, price, unit, book[0].cash):
        book[0].beyond_at = t + 1
        return
    amount = amount_of(shares, price, unit)
    commission = cost_of(amount, rules[0].commission)
    tax = cost_of(amount, quote.tax)
    slippage = min(amount_of(shares, extra, unit), amount - commission - tax)  # never costs more than it brings
    _record_trade(book, trades, orders, row, quote, t, shares, price, amount, commission, tax, slippage, reference)
    proceeds = amount - commission - tax - slippage
    book[0].cash += proceeds
    book[0].unusable += proceeds
    book[0].n_sells += 1
    order.filled += shares
    position.shares -= shares
    if position.shares == 0:
        drop_position(book, positions, slot_of, sold_on, slot, t)
