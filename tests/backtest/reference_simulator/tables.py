"""A walk as rows of the tables a run exports."""

from __future__ import annotations

import math

from reference_simulator.book import Paid, Trade
from reference_simulator.clock import Walk
from stocklab.strategy.document import PriceTrigger, Strategy

Rows = list[tuple]


def tables(walk: Walk) -> dict[str, Rows]:
    """Name -> rows, columns as in docs/architecture.md."""
    return {
        "orders": _orders(walk),
        "trades": _trades(walk),
        "ledger": _ledger(walk),
        "positions": _positions(walk),
        "daily": _daily(walk),
        "deposits": _deposits(walk),
    }


def _orders(walk: Walk) -> Rows:
    days, symbols = walk.bars.days, walk.bars.symbols
    return [
        (
            order.number,
            days[order.decided],
            days[order.session],
            symbols[order.symbol],
            order.side,
            order.ordered,
            order.filled,
            order.limit,
            order.status,
            order.reason,
        )
        for order in walk.book.orders
    ]


def _trades(walk: Walk) -> Rows:
    return [
        (
            walk.bars.days[trade.session],
            walk.bars.symbols[trade.symbol],
            trade.market,
            trade.side,
            trade.shares,
            trade.price,
            trade.amount,
            trade.commission,
            trade.tax,
            trade.slippage,
            trade.cause,
            rule_words(walk.strategy, trade),
            trade.order,
        )
        for trade in walk.book.records
        if isinstance(trade, Trade)
    ]


def _ledger(walk: Walk) -> Rows:
    rows: Rows = []
    for record in walk.book.records:
        day, symbol = walk.bars.days[record.session], walk.bars.symbols[record.symbol]
        if isinstance(record, Paid):
            rows.append((day, record.kind, symbol, record.cash))
            rows.append((day, "dividend_tax", symbol, -record.tax))
            continue
        amount = record.amount
        kind = "delisting" if record.cause == "delisting" else record.side
        rows.append((day, kind, symbol, -amount if record.side == "buy" else amount))
        rows.append((day, "commission", symbol, -record.commission))
        rows.append((day, "tax", symbol, -record.tax))
        rows.append((day, "slippage", symbol, -record.slippage))
    return [row for row in rows if row[3] != 0]


def _positions(walk: Walk) -> Rows:
    held = sorted(walk.holdings, key=lambda holding: (holding.session, holding.symbol))
    return [
        (
            walk.bars.days[holding.session],
            walk.bars.symbols[holding.symbol],
            holding.shares,
            holding.close,
            walk.book.amount(holding.shares, holding.close),
        )
        for holding in held
    ]


SETTLED_AFTER = 2
AT_ONCE = ("fraction", "rights", "dividend", "dividend_tax", "delisting")


def _deposits(walk: Walk) -> Rows:
    """Cash by the session in which it is settled: after today's close, after tomorrow's, and all of it."""
    days = [day.session for day in walk.days]
    place = {walk.bars.days[t]: number for number, t in enumerate(days)}
    flows = [
        (place[day], place[day] + (0 if kind in AT_ONCE or walk.bars.coins else SETTLED_AFTER), cash)
        for day, kind, _, cash in _ledger(walk)
    ]
    rows: Rows = []
    for number, t in enumerate(days):
        known = [(due, cash) for traded, due, cash in flows if traded <= number]
        ahead = [walk.initial_cash + sum(cash for due, cash in known if due <= number + later) for later in range(3)]
        rows.append((walk.bars.days[t], *ahead, max(min(ahead), 0)))
    return rows


def _daily(walk: Walk) -> Rows:
    index = walk.panel.indices.get(walk.strategy.benchmark)

    def benchmark(t: int) -> float | None:
        return None if index is None or math.isnan(index[t]) else float(index[t])

    return [
        (walk.bars.days[day.session], day.cash, day.holdings, day.equity, benchmark(day.session)) for day in walk.days
    ]


def rule_words(strategy: Strategy, trade: Trade) -> str:
    """The rule behind a trade, as the table shows it."""
    leave, entry = strategy.exit, strategy.entry
    match trade.cause:
        case "entry" | "entry_failed":
            return (entry.logic or " and ".join(rule.id for rule in entry.rules)) if entry.rules else ""
        case "rebalance":
            return strategy.rebalancing.period
        case "target":
            return _percent("+", leave.target)
        case "stop":
            return _percent("-", leave.stop)
        case "trailing":
            return _percent("-", leave.trailing)
        case "max_holding":
            return f"{leave.max_holding} {leave.holding_unit.value}"
        case "exit_rule" if trade.rule == len(leave.rules):
            return leave.logic or " or ".join(rule.id for rule in leave.rules)
        case "exit_rule":
            return leave.rules[trade.rule].id
        case "rank":
            return f"rank > {leave.rank_below}"
        case "market_filter":
            condition = strategy.market_filter
            return "months" if condition.formula is None else f"{condition.index}: {condition.formula}"
    return ""


def _percent(sign: str, trigger: PriceTrigger | None) -> str:
    return f"{sign}{100 * trigger.level:g} %"
