"""State -> result: the tables, checked to the won, then metrics and card."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import numpy as np
import polars as pl

from stocklab.backtest import codes
from stocklab.backtest.card import build_card
from stocklab.backtest.layout import State
from stocklab.backtest.metrics import build_metrics
from stocklab.backtest.plan import WHOLE_LOGIC, Plan, rule_text
from stocklab.backtest.result import TABLE_SCHEMAS, Result, RunRequest, table_schema
from stocklab.market.panel import MARKET_CODES, Panel, PriceBasis
from stocklab.market.settlement import deposits
from stocklab.strategy.document import PriceTrigger, Strategy
from stocklab.types import AnyArray, IntArray

__all__ = ["assemble", "build_tables", "rule_words"]

_MARKETS = [name for name, _ in sorted(MARKET_CODES.items(), key=lambda item: item[1])]


def assemble(
    panel: Panel, request: RunRequest, plan: Plan, state: State, *, run_id: str, engine_version: int
) -> Result:
    """Turn the records of a finished walk into a result.

    Raises
    ------
    AssertionError
        The books do not balance: a fault of the engine, never of the input; no result is given.
    """
    tables = build_tables(panel, request, plan, state)
    metrics = build_metrics(panel, request, plan, state)
    card = build_card(panel, request, plan, state, run_id=run_id, engine_version=engine_version)
    return Result(run_id=run_id, card=card, metrics=metrics, tables=tables)


def build_tables(panel: Panel, request: RunRequest, plan: Plan, state: State) -> Mapping[str, pl.DataFrame]:
    """The tables of ``TABLE_SCHEMAS``, checked: cash + holdings = equity, initial cash + ledger = cash, cash >= 0.

    Raises
    ------
    AssertionError
        See `assemble`.
    """
    book = state.book[0]
    trades, orders = state.trades[: book.n_trades], state.orders[: book.n_orders]
    held, actions = state.held[: book.n_held], state.actions[: book.n_actions]
    names = pl.Series("symbol", list(panel.symbols), dtype=pl.String)
    ledger = _ledger_arrays(trades, actions)
    _check_books(request.initial_cash_krw * panel.unit, plan, state, ledger, held)
    return {
        "daily": _daily(panel, request, plan, state),
        "positions": _positions(panel, held, names),
        "trades": _trades(panel, request.strategy, trades, names),
        "orders": _orders(panel, orders, names),
        "deposits": _deposits(panel, request, plan, ledger),
        "ledger": _frame(
            panel,
            "ledger",
            {
                "session": panel.sessions[ledger["session"]],
                "kind": _words(LEDGER_KINDS, ledger["kind"]),
                "symbol": names.gather(ledger["symbol"]),
                "cash_delta_krw": ledger["delta"],
            },
        ),
    }


LEDGER_KINDS = (
    "buy", "sell", "commission", "tax", "slippage", "delisting", "fraction", "rights", "dividend", "dividend_tax",
)  # fmt: skip
_COMMISSION, _DELISTING, _FRACTION = 2, 5, 6
_OF_ACTION = np.array([_FRACTION, _FRACTION, _FRACTION + 1, _FRACTION + 2])  # by the codes of actions


def _ledger_arrays(trades: AnyArray, actions: AnyArray) -> Mapping[str, IntArray]:
    """Every change of cash in the order it happened: a trade's amount, commission, tax, slippage; fractions, rights
    and dividends paid, and what is withheld from these."""
    n = len(trades)
    buys = trades["side"] == codes.BUY
    kind = np.empty((n, 4), dtype=np.int64)
    kind[:, 0] = np.where(trades["cause"] == codes.DELISTING, _DELISTING, trades["side"])
    kind[:, 1:] = np.arange(_COMMISSION, _COMMISSION + 3)
    delta = np.stack(
        [
            np.where(buys, -trades["amount"], trades["amount"]),
            -trades["commission"],
            -trades["tax"],
            -trades["slippage"],
        ],
        axis=1,
    )
    paid = np.stack([_OF_ACTION[actions["kind"]], np.full(len(actions), len(LEDGER_KINDS) - 1)], axis=1)
    received = np.stack([actions["cash"], -actions["tax"]], axis=1)
    place = np.concatenate([np.repeat(2 * np.arange(n) + 1, 4), np.repeat(2 * actions["after_trade"], 2)])
    columns = {
        "session": np.concatenate([np.repeat(trades["session"], 4), np.repeat(actions["session"], 2)]),
        "symbol": np.concatenate([np.repeat(trades["symbol"], 4), np.repeat(actions["symbol"], 2)]),
        "kind": np.concatenate([kind.ravel(), paid.ravel()]),
        "delta": np.concatenate([delta.ravel(), received.ravel()]),
    }
    order = np.argsort(place, kind="stable")
    order = order[columns["delta"][order] != 0]
    return {name: values[order] for name, values in columns.items()}


def _check_books(initial_cash: int, plan: Plan, state: State, ledger: Mapping[str, IntArray], held: AnyArray) -> None:
    days = state.days
    flow = np.zeros(len(days), dtype=np.int64)
    np.add.at(flow, ledger["session"] - plan.first, ledger["delta"])
    value = np.zeros(len(days), dtype=np.int64)
    np.add.at(value, held["session"] - plan.first, held["value"])
    faults = {
        "initial cash + ledger = cash": initial_cash + np.cumsum(flow) != days["cash"],
        "positions = holdings": value != days["holdings"],
        "cash + holdings = equity": days["cash"] + days["holdings"] != days["equity"],
        "cash >= 0": days["cash"] < 0,
        "shares > 0": np.bincount(held["session"] - plan.first, weights=held["shares"] <= 0, minlength=len(days)) > 0,
    }
    for rule, broken in faults.items():
        if broken.any():
            session = plan.first + int(np.argmax(broken))
            raise AssertionError(f"The books do not balance ({rule}) at session {session} of the panel.")


def _deposits(panel: Panel, request: RunRequest, plan: Plan, ledger: Mapping[str, IntArray]) -> pl.DataFrame:
    """Trade-date cash by the session it settles in; coins settle at once."""
    sessions = panel.sessions[plan.first : plan.last]
    flows = np.zeros((2, len(sessions)), dtype=np.int64)
    at_once = (ledger["kind"] >= _DELISTING) | (panel.basis is PriceBasis.COIN)
    np.add.at(flows, (at_once.astype(np.int64), ledger["session"] - plan.first), ledger["delta"])
    found = deposits(request.initial_cash_krw * panel.unit, flows[0], flows[1], sessions)
    return _frame(
        panel,
        "deposits",
        {
            "session": sessions,
            "settled_krw": found.settled,
            "next_session_krw": found.next_session,
            "second_session_krw": found.second_session,
            "withdrawable_krw": found.withdrawable,
        },
    )


def _frame(panel: Panel, table: str, columns: Mapping[str, object]) -> pl.DataFrame:
    """A table of the result; of coins, counts of units become decimals."""
    if panel.unit == 1:
        return pl.DataFrame(columns, schema=dict(TABLE_SCHEMAS[table]), strict=False)
    wanted = table_schema(table, coins=True)
    units = {name: TABLE_SCHEMAS[table][name] for name in wanted}
    frame = pl.DataFrame(columns, schema=units, strict=False)
    decimals = {name: dtype for name, dtype in wanted.items() if isinstance(dtype, pl.Decimal)}
    return frame.with_columns(_decimal(pl.col(name), panel.unit, dtype) for name, dtype in decimals.items())


def _decimal(units: pl.Expr, unit: int, dtype: pl.Decimal) -> pl.Expr:
    """Units as an exact decimal number: whole part and rest apart, so that no digit passes through a float."""
    whole, rest = units // unit, units % unit
    return (whole.cast(dtype) + rest.cast(dtype) * pl.lit(Decimal(1) / unit).cast(dtype)).cast(dtype)


def _words(words: tuple[str, ...] | list[str], code: IntArray) -> pl.Series:
    return pl.Series(list(words), dtype=pl.String).gather(np.asarray(code, dtype=np.int64))


def _daily(panel: Panel, request: RunRequest, plan: Plan, state: State) -> pl.DataFrame:
    level = panel.indices.get(request.strategy.benchmark)
    benchmark = np.full(plan.last - plan.first, np.nan) if level is None else np.asarray(level[plan.first : plan.last])
    columns = {
        "session": panel.sessions[plan.first : plan.last],
        "cash_krw": np.ascontiguousarray(state.days["cash"]),
        "holdings_krw": np.ascontiguousarray(state.days["holdings"]),
        "equity_krw": np.ascontiguousarray(state.days["equity"]),
        "benchmark": np.ascontiguousarray(benchmark, dtype=np.float64),
    }
    return _frame(panel, "daily", columns).with_columns(pl.col("benchmark").fill_nan(None))


def _positions(panel: Panel, held: AnyArray, names: pl.Series) -> pl.DataFrame:
    order = np.lexsort((held["symbol"], held["session"]))
    held = held[order]
    return _frame(
        panel,
        "positions",
        {
            "session": panel.sessions[held["session"]],
            "symbol": names.gather(held["symbol"]),
            "shares": np.ascontiguousarray(held["shares"]),
            "close_krw": np.ascontiguousarray(held["close"]),
            "value_krw": np.ascontiguousarray(held["value"]),
        },
    )


def _trades(panel: Panel, strategy: Strategy, trades: AnyArray, names: pl.Series) -> pl.DataFrame:
    return _frame(
        panel,
        "trades",
        {
            "session": panel.sessions[trades["session"]],
            "symbol": names.gather(trades["symbol"]),
            "market": _words(_MARKETS, trades["market"]),
            "side": _words(codes.SIDE_NAMES, trades["side"]),
            "shares": np.ascontiguousarray(trades["shares"]),
            "price_krw": np.ascontiguousarray(trades["price"]),
            "amount_krw": np.ascontiguousarray(trades["amount"]),
            "commission_krw": np.ascontiguousarray(trades["commission"]),
            "tax_krw": np.ascontiguousarray(trades["tax"]),
            "slippage_krw": np.ascontiguousarray(trades["slippage"]),
            "reason": _words(codes.CAUSE_NAMES, trades["cause"]),
            "rule": _rules(strategy, trades["cause"], trades["rule"]),
            "order_id": trades["order"] + 1,
        },
    )


def _orders(panel: Panel, orders: AnyArray, names: pl.Series) -> pl.DataFrame:
    return _frame(
        panel,
        "orders",
        {
            "order_id": np.arange(1, len(orders) + 1),
            "decided": panel.sessions[orders["decided"]],
            "session": panel.sessions[orders["session"]],
            "symbol": names.gather(orders["symbol"]),
            "side": _words(codes.SIDE_NAMES, orders["side"]),
            "shares_ordered": np.ascontiguousarray(orders["ordered"]),
            "shares_filled": np.ascontiguousarray(orders["filled"]),
            "limit_krw": pl.Series(np.ascontiguousarray(orders["limit"])).replace(codes.NO_LIMIT, None),
            "status": _words(codes.STATUS_NAMES, orders["status"]),
            "reason": _words(codes.REASON_NAMES, orders["reason"]),
        },
    )


def _rules(strategy: Strategy, causes: IntArray, rules: IntArray) -> pl.Series:
    """The rule behind each trade, in the words of the document."""
    width = WHOLE_LOGIC + 2
    keys, inverse = np.unique(causes * width + rules + 1, return_inverse=True)
    words = [rule_words(strategy, int(key) // width, int(key) % width - 1) for key in keys]
    return _words(words, inverse) if words else pl.Series([], dtype=pl.String)


def rule_words(strategy: Strategy, cause: int, rule: int) -> str:
    """The rule behind a cause of `codes`, in the words of the document; "" where there is none."""
    leave = strategy.exit
    match codes.CAUSE_NAMES[cause]:
        case "entry" | "entry_failed":
            return rule_text(strategy.entry.logic, strategy.entry.rules, "all")
        case "rebalance":
            return strategy.rebalancing.period
        case "target":
            return _level(leave.target, "+")
        case "stop":
            return _level(leave.stop, "-")
        case "trailing":
            return _level(leave.trailing, "-")
        case "max_holding":
            return f"{leave.max_holding} {leave.holding_unit.value}"
        case "exit_rule":
            return rule_text(leave.logic, leave.rules, "any") if rule >= len(leave.rules) else leave.rules[rule].id
        case "rank":
            return f"rank > {leave.rank_below}"
        case "market_filter":
            return _filter_words(strategy)
    return ""


def _level(trigger: PriceTrigger | None, sign: str) -> str:
    return "" if trigger is None else f"{sign}{100 * trigger.level:g} %"


def _filter_words(strategy: Strategy) -> str:
    condition = strategy.market_filter
    if condition is None or condition.formula is None:
        return "months"
    return f"{condition.index}: {condition.formula}"
