"""Before the open: share changes by the event's own ratio, base prices moved without one, delistings."""
# ruff: noqa: PLR0917 (a kernel takes arrays one by one)

from __future__ import annotations

from stocklab.backtest import codes
from stocklab.backtest.claims import add_claim, credit_rights, scale_unlisted
from stocklab.backtest.compiled import part
from stocklab.backtest.fills import add_order, close_order, drop_position
from stocklab.backtest.layout import Record, Records
from stocklab.backtest.money import down_to_tick, up_to_tick
from stocklab.types import AnyArray, IntArray

__all__ = ["apply_events", "apply_share_change", "settle_delistings"]


@part
def apply_events(
    rules: Records,
    book: Records,
    positions: Records,
    slot_of: IntArray,
    sold_on: IntArray,
    orders: Records,
    active: IntArray,
    quotes: Records,
    quote_of: IntArray,
    waiting: Records,
    share_changes: Records,
    claims: Records,
    t: int,
    event_from: IntArray,
    event_symbol: IntArray,
    event_new: IntArray,
    event_old: IntArray,
    event_kind: IntArray,
    event_until: IntArray,
    tick_from: IntArray,
    tick_step: IntArray,
) -> None:
    """Share changes of the session, then trigger references of holdings whose base price moved without one."""
    if rules[0].raw_basis == 0:
        return  # adjusted bars carry their events already
    r = t - book[0].first_session
    first, last = event_from[r], event_from[r + 1]
    for k in range(book[0].n_positions):
        _move_reference(book, positions, quotes, share_changes, t, k, event_symbol, event_kind, first, last)
    for e in range(first, last):
        symbol, new, old, kind = event_symbol[e], event_new[e], event_old[e], event_kind[e]
        if kind == codes.RIGHTS:
            continue
        if quote_of[symbol] >= 0:
            quote = quotes[quote_of[symbol]]
            if quote.published_krw == 0:
                quote.base_krw = quote.base_krw * old // new  # limits count from the close before, scaled
            _scale_orders(
                positions, slot_of, orders, active, book, symbol, new, old, kind, quote.regime, tick_from, tick_step
            )
        if slot_of[symbol] >= 0:
            base = quotes[quote_of[symbol]].published_krw
            apply_share_change(
                book, positions, slot_of, sold_on, share_changes, claims, t, symbol, new, old, base, kind,
                event_until[e],
            )  # fmt: skip
        for w in range(book[0].n_waiting):
            if waiting[w].symbol == symbol:
                waiting[w].shares = waiting[w].shares * new // old


@part
def _move_reference(
    book: Records,
    positions: Records,
    quotes: Records,
    share_changes: Records,
    t: int,
    k: int,
    event_symbol: IntArray,
    event_kind: IntArray,
    first: int,
    last: int,
) -> None:
    """A base price KRX moved without new shares moves the stop's references along; known rights are paid out."""
    position = positions[k]
    quote = quotes[position.quote]
    base = quote.published_krw
    if quote.listed == 0 or base <= 0 or position.last_close <= 0 or base == position.last_close:
        return
    with_rights = False
    for e in range(first, last):
        if event_symbol[e] == position.symbol:
            if event_kind[e] != codes.RIGHTS:
                return
            with_rights = True
    if with_rights:
        credit_rights(book, position, share_changes, t, base)
    else:
        book[0].base_moves += 1
    factor = base / position.last_close
    position.average *= factor
    position.high *= factor


@part
def apply_share_change(
    book: Records,
    positions: Records,
    slot_of: IntArray,
    sold_on: IntArray,
    share_changes: Records,
    claims: Records,
    t: int,
    symbol: int,
    new: int,
    old: int,
    base: int,
    kind: int,
    until: int,
) -> None:
    """``new`` shares for ``old``: whole shares stay, the fraction is paid in cash at the new base price, or where it is
    unknown (0) at the last close, scaled. Bonus shares cannot be sold before session ``until``."""
    slot = slot_of[symbol]
    position = positions[slot]
    before = position.shares
    after = before * new // old
    if base <= 0:
        base = position.last_close * old // new
    cash = (before * new % old) * base // old
    position.shares = after
    position.average = position.average * old / new
    position.high = position.high * old / new
    position.last_close = base
    book[0].cash += cash
    action = share_changes[book[0].n_actions]
    action.session = t
    action.symbol = symbol
    action.kind = kind
    action.cash = cash
    action.tax = 0
    action.before = before
    action.after = after
    action.base_krw = base
    action.new = new
    action.old = old
    action.after_trade = book[0].n_trades
    book[0].n_actions += 1
    if kind == codes.BONUS and until > t and after > before:
        add_claim(book, claims, codes.BONUS, position, 0, after - before, until)
        position.unlisted += after - before
    elif kind != codes.BONUS:
        scale_unlisted(book, claims, position, new, old)
    if after == 0:
        drop_position(book, positions, slot_of, sold_on, slot, t)


@part
def _scale_orders(
    positions: Records,
    slot_of: IntArray,
    orders: Records,
    active: IntArray,
    book: Records,
    symbol: int,
    new: int,
    old: int,
    kind: int,
    regime: int,
    tick_from: IntArray,
    tick_step: IntArray,
) -> None:
    """Live orders follow a share change; a sale meets a bonus issue with the old shares, the new ones leave later."""
    for i in range(book[0].n_active):
        order = orders[active[i]]
        if order.symbol != symbol or order.status != codes.OPEN:
            continue
        left = order.ordered - order.filled
        if kind != codes.BONUS or order.side == codes.BUY:
            left = left * new // old
        elif order.full_exit == 1 and slot_of[symbol] >= 0:
            position = positions[slot_of[symbol]]
            position.leaving = order.cause + 1
            position.leaving_rule = order.rule
        if left == 0:
            close_order(positions, slot_of, orders, active[i], codes.CANCELLED, codes.CONSOLIDATED)
            continue
        order.ordered = order.filled + left
        if order.limit != codes.NO_LIMIT:
            limit = max(order.limit * old // new, 1)
            if order.side == codes.BUY:
                order.limit = up_to_tick(limit, regime, tick_from, tick_step)
            else:
                order.limit = down_to_tick(limit, regime, tick_from, tick_step)


@part
def settle_delistings(
    book: Records,
    positions: Records,
    slot_of: IntArray,
    sold_on: IntArray,
    orders: Records,
    active: IntArray,
    trades: Records,
    quotes: Records,
    traded: AnyArray,
    listed: AnyArray,
    delist_on: IntArray,
    pays_last_close: AnyArray,
    clean_up_sessions: int,
    t: int,
) -> None:
    """Value what was delisted: the last close if it was clean-up trading or the reason pays it, else nothing."""
    for k in range(book[0].n_positions - 1, -1, -1):
        position = positions[k]
        symbol = position.symbol
        gone = delist_on[symbol]
        if t < gone or position.entry_session >= gone or quotes[position.quote].listed == 1:
            continue
        for i in range(book[0].n_active):
            if orders[active[i]].symbol == symbol and orders[active[i]].status == codes.OPEN:
                close_order(positions, slot_of, orders, active[i], codes.CANCELLED, codes.DELISTED)
        paid = pays_last_close[symbol] or _traded_until(traded, listed, symbol, gone, clean_up_sessions)
        _pay_out(book, orders, active, trades, t, position, position.last_close if paid else 0)
        drop_position(book, positions, slot_of, sold_on, k, t)


@part
def _traded_until(traded: AnyArray, listed: AnyArray, symbol: int, gone: int, clean_up_sessions: int) -> bool:
    """Whether the last sessions before a delisting had trades: then the last close is a clean-up price."""
    for t in range(max(gone - clean_up_sessions, 0), gone):  # noqa: SIM110 (compiled: no generators)
        if traded[t, symbol] and listed[t, symbol]:
            return True
    return False


@part
def _pay_out(
    book: Records,
    orders: Records,
    active: IntArray,
    trades: Records,
    t: int,
    position: Record,
    price: int,
) -> None:
    shares = position.shares
    row = add_order(
        book, orders, active, t, position.symbol, codes.SELL, shares, codes.MODE_OPEN, codes.DELISTING, -1, t
    )
    orders[row].filled = shares
    trade = trades[book[0].n_trades]
    trade.session = t
    trade.symbol = position.symbol
    trade.market = position.market
    trade.side = codes.SELL
    trade.shares = shares
    trade.price = price
    trade.amount = shares * price
    trade.commission = 0
    trade.tax = 0
    trade.slippage = 0
    trade.cause = codes.DELISTING
    trade.rule = -1
    trade.order = row
    trade.reference = price
    book[0].n_trades += 1
    book[0].n_sells += 1
    book[0].cash += shares * price
