"""What happened to a symbol inside one session: its bar, the orders that met it, and share changes."""

from __future__ import annotations

from typing import Final

from stocklab.backtest import codes
from stocklab.backtest.layout import Record, State
from stocklab.market.limits import limit_table
from stocklab.market.panel import KIND_CODES, MARKET_CODES, PriceBasis
from stocklab.market.ticks import tick_size
from stocklab.research.explain.decision import rule_of
from stocklab.research.explain.values import Bar, Event, Met
from stocklab.research.explain.verdicts import Code, Fact, Verdict
from stocklab.research.explain.view import Moment, RunView

__all__ = ["bar_at", "events_of", "orders_met"]

_MODES: Final = ("next_open", "next_close", "limit", "vwap_proxy", "trigger")
_NOWHERE: Final = 0
_MARKET_NAMES: Final = {code: name for name, code in MARKET_CODES.items()}


def bar_at(view: RunView, t: int, column: int) -> Bar:
    """The session as orders met it."""
    panel = view.panel
    prices = [_whole(float(panel.fields[name][t, column])) for name in panel.order_fields[:4]]
    volume = float(panel.fields[panel.order_fields[4]][t, column])
    base, lower, upper = _limits(view, t, column, prices[1], prices[2])
    return Bar(
        open_krw=prices[0],
        high_krw=prices[1],
        low_krw=prices[2],
        close_krw=prices[3],
        volume=volume if volume >= 0 else None,
        traded=bool(panel.fields["traded"][t, column]),
        listed=bool(panel.fields["listed"][t, column]),
        base_krw=base,
        lower_krw=lower,
        upper_krw=upper,
    )


def _whole(price: float) -> int | None:
    return int(price + 0.5) if price > 0.0 else None


def _limits(
    view: RunView, t: int, column: int, high: int | None, low: int | None
) -> tuple[int | None, int | None, int | None]:
    """KRX's base price and limits where they are published; a day that traded beyond them had none."""
    panel = view.panel
    if panel.basis is not PriceBasis.RAW or "base_price" not in panel.fields:
        return None, None, None
    base = _whole(float(panel.fields["base_price"][t, column]))
    code = int(panel.fields["market"][t, column])
    percent = int(limit_table(panel.sessions[t : t + 1])[0, code])
    if base is None or percent == 0:
        return base, None, None
    kind = panel.instruments.kinds[column] == KIND_CODES["etf"]
    market = "ETF" if kind else _MARKET_NAMES[code] or "KOSPI"
    day = view.day(t)
    tick = tick_size(base, market, day)
    width = base * percent // 100 // tick * tick
    over = tick_size(base + width, market, day)
    lower, upper = base - width, (base + width) // over * over
    if (high is not None and high > upper) or (low is not None and low < lower):
        return base, None, None
    return base, lower, upper


def events_of(moment: Moment, column: int) -> tuple[Event, ...]:
    """Share changes, bonus shares, rights and dividends of the holding before the open."""
    state = moment.ended
    rows = state.actions[: state.book[0].n_actions]
    return tuple(
        Event(
            kind=codes.ACTION_NAMES[row.kind],
            new=int(row.new),
            old=int(row.old),
            before=int(row.before),
            after=int(row.after),
            paid_krw=int(row.cash),
            tax_krw=int(row.tax),
        )
        for row in rows
        if row.session == moment.t and row.symbol == column
    )


def orders_met(view: RunView, moment: Moment, column: int) -> tuple[tuple[Met, int | None], ...]:
    """Orders of the symbol that the session met, in order, each with the close that decided it.

    The close is None for what no close decided: price triggers and delistings.
    """
    before, ended = moment.before, moment.ended
    known = int(before.book[0].n_orders)
    alive = [int(row) for row in before.active[: before.book[0].n_active]]
    rows = [row for row in alive if before.orders[row].status == codes.OPEN]
    # a purchase whose first share cash did not pay was closed at once; the tables show it in this session
    closed = before.orders["decided"][:known] == moment.t - 1
    closed &= before.orders["status"][:known] == codes.UNFILLED
    rows += [int(row) for row in closed.nonzero()[0] if row not in rows]
    rows += range(known, int(ended.book[0].n_orders))
    found = []
    for row in rows:
        order = ended.orders[row]
        if order.symbol == column:
            filled_before = int(before.orders[row].filled) if row < known else 0
            met = _met(view, moment, row, filled_before)
            found.append((met, int(order.decided) if row < known and order.expires != codes.NEVER else None))
    return tuple(found)


def _met(view: RunView, moment: Moment, row: int, filled_before: int) -> Met:
    order, later = moment.ended.orders[row], moment.decided.orders[row]
    filled = int(order.filled) - filled_before
    price = _price(moment.ended, moment.t, row)
    reason = codes.REASON_NAMES[order.reason]
    lives_on = bool(later.status == codes.OPEN)
    cause = codes.CAUSE_NAMES[order.cause]
    limit = None if order.limit == codes.NO_LIMIT else int(order.limit)
    facts: dict[str, Fact] = {
        "shares": filled,
        "left": int(order.ordered - order.filled),
        "price_krw": price,
        "limit_krw": limit,
        "cause": cause,
        "rule": rule_of(view, order),
        "reason": reason,
        "lives_on": int(lives_on),
    }
    return Met(
        order_id=row + 1,
        decided=view.day(int(order.decided)),
        side="buy" if order.side == codes.BUY else "sell",
        shares=int(order.ordered),
        filled_before=filled_before,
        filled=filled,
        price_krw=price,
        limit_krw=limit,
        mode=_MODES[order.mode],
        cause=cause,
        rule=rule_of(view, order),
        reason=reason,
        lives_on=lives_on,
        verdict=Verdict(code=_code(order, filled), facts=facts),
    )


def _code(order: Record, filled: int) -> Code:
    if order.cause == codes.DELISTING:
        return Code.DELISTED
    buying = order.side == codes.BUY
    if order.filled == order.ordered and filled > 0:
        return Code.BOUGHT if buying else Code.SOLD
    if filled > 0:
        return Code.BOUGHT_PART if buying else Code.SOLD_PART
    if order.status == codes.CANCELLED:
        return Code.ENDED
    return Code.NOT_BOUGHT if buying else Code.NOT_SOLD


def _price(state: State, t: int, row: int) -> int | None:
    """Fill price of an order in session ``t``; None where it did not fill."""
    trades = state.trades[: state.book[0].n_trades]
    for place in range(len(trades) - 1, -1, -1):
        if trades[place].session != t:
            return None
        if trades[place].order == row:
            return int(trades[place].price)
    return None
