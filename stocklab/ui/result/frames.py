"""Tables behind the result page, derived from a run's own tables. No Streamlit here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from stocklab.backtest.result import Result, in_floats
from stocklab.market.panel import PriceBasis
from stocklab.ui.text import N_, PERIODS, _

__all__ = [
    "REASONS",
    "STATUSES",
    "Summary",
    "holdings",
    "ledger",
    "marks",
    "orders",
    "price_range",
    "reason_name",
    "rule_name",
    "status_name",
    "summarize",
    "trades",
]

REASONS: Final[Mapping[str, str]] = {
    "entry": N_("Conditions to buy"),
    "rebalance": N_("Rebalancing"),
    "target": N_("Take profit"),
    "stop": N_("Stop loss"),
    "trailing": N_("Trailing stop"),
    "max_holding": N_("Longest holding reached"),
    "exit_rule": N_("Condition to sell"),
    "rank": N_("Rank fell"),
    "entry_failed": N_("Conditions to buy no longer hold"),
    "market_filter": N_("Market filter"),
    "delisting": N_("Delisting"),
    "cash": N_("Not enough cash"),
    "minimum_order": N_("Below the smallest order"),
    "halted": N_("Trading halt"),
    "limit_up": N_("At the upper price limit"),
    "limit_down": N_("At the lower price limit"),
    "participation": N_("Share of the day's volume"),
    "not_reached": N_("Limit price not reached"),
    "no_price": N_("No price"),
    "delisted": N_("Delisted"),
    "not_listed": N_("Not listed"),
    "max_holdings": N_("No free place"),
    "superseded": N_("Replaced by a later decision"),
    "position_closed": N_("Position already closed"),
    "consolidated": N_("Gone in a share consolidation"),
    "end_of_run": N_("End of the test"),
}
"""Why something was traded, and why an order did not fill."""
STATUSES: Final[Mapping[str, str]] = {
    "open": N_("Waiting"),
    "filled": N_("Filled"),
    "partial": N_("Partly filled"),
    "unfilled": N_("Unfilled"),
    "cancelled": N_("Cancelled"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What the overview and the stock grid need, computed once per run.

    ``months`` maps (year, month) and ``years`` a year to its return; ``sale_reasons`` holds (reason, number of sale
    orders, profit in KRW); ``stocks`` has one row per traded symbol: symbol, buys, sells, first, last, profit_krw
    (sales, dividends and what is still held, less purchases and all costs).
    """

    months: Mapping[tuple[int, int], float]
    years: Mapping[int, float]
    benchmark_years: Mapping[int, float]
    sale_reasons: tuple[tuple[str, int, int], ...]
    stocks: pl.DataFrame
    sessions: tuple[date, ...]


def summarize(result: Result) -> Summary:
    """The run's own tables of periods and reasons by key, and the table of stocks."""
    monthly = [(row["period"], row["return"]) for row in result.metrics["monthly"]]
    yearly = result.metrics["yearly"]
    return Summary(
        months={(int(name[:4]), int(name[5:7])): value for name, value in monthly if value is not None},
        years={int(row["period"]): row["return"] for row in yearly if row["return"] is not None},
        benchmark_years={int(row["period"]): row["benchmark"] for row in yearly if row["benchmark"] is not None},
        sale_reasons=tuple(
            (reason, row["count"], row["profit_krw"]) for reason, row in result.metrics["sales_by_reason"].items()
        ),
        stocks=_stocks(result),
        sessions=tuple(result.tables["daily"]["session"].to_list()),
    )


def _stocks(result: Result) -> pl.DataFrame:
    trades = in_floats(result.tables["trades"])
    buys = pl.col("side") == "buy"
    flows = in_floats(result.tables["ledger"]).group_by("symbol").agg(flow=pl.col("cash_delta_krw").sum())
    traded = trades.group_by("symbol").agg(
        buys=buys.sum(),
        sells=(~buys).sum(),
        first=pl.col("session").min(),
        last=pl.col("session").max(),
    )
    positions = in_floats(result.tables["positions"])
    last = result.tables["daily"]["session"].max()
    held = positions.filter(pl.col("session") == last).select("symbol", held=pl.col("value_krw"))
    joined = traded.join(held, on="symbol", how="left").join(flows, on="symbol", how="left")
    return (
        joined.with_columns(pl.col("held", "flow").fill_null(0))
        .with_columns(profit_krw=pl.col("flow") + pl.col("held"))
        .drop("flow")
        .sort(["profit_krw", "symbol"], descending=[True, False])
    )


def holdings(result: Result, session: date, names: Mapping[str, str]) -> pl.DataFrame:
    """Positions at the close of a session, largest first, with their share of equity in percent."""
    equity = in_floats(result.tables["daily"]).filter(pl.col("session") == session)["equity_krw"]
    total = float(equity[0]) if len(equity) else 1.0
    found = in_floats(result.tables["positions"].filter(pl.col("session") == session))
    return (
        found.with_columns(
            name=pl.col("symbol").replace_strict(dict(names), default="", return_dtype=pl.String),
            weight=100.0 * pl.col("value_krw") / total,
        )
        .select("symbol", "name", "shares", "close_krw", "value_krw", "weight")
        .sort(["value_krw", "symbol"], descending=[True, False])
    )


def trades(
    result: Result, names: Mapping[str, str], *, side: str | None = None, reason: str | None = None, text: str = ""
) -> pl.DataFrame:
    """Trades, newest first, filtered by side, reason and a part of the symbol or name."""
    found = _filtered(in_floats(result.tables["trades"]), names, side=side, text=text)
    if reason is not None:
        found = found.filter(pl.col("reason") == reason)
    return found.sort(["session", "order_id"], descending=True)


def orders(
    result: Result, names: Mapping[str, str], *, side: str | None = None, text: str = "", unfilled_only: bool = True
) -> pl.DataFrame:
    """Orders, newest first; by default those that did not fill whole."""
    found = _filtered(in_floats(result.tables["orders"]), names, side=side, text=text)
    if unfilled_only:
        found = found.filter(pl.col("shares_filled") < pl.col("shares_ordered"))
    return found.sort(["session", "order_id"], descending=True)


def ledger(result: Result, names: Mapping[str, str], *, kind: str | None = None, text: str = "") -> pl.DataFrame:
    """Changes of cash, newest first, with the cash after each; filtered by kind and a part of the symbol or name."""
    start = int(result.card["initial_cash_krw"])
    whole = in_floats(result.tables["ledger"]).with_columns(cash_krw=start + pl.col("cash_delta_krw").cum_sum())
    found = _filtered(whole, names, side=None, text=text)
    return (found if kind is None else found.filter(pl.col("kind") == kind)).reverse()


def _filtered(table: pl.DataFrame, names: Mapping[str, str], *, side: str | None, text: str) -> pl.DataFrame:
    found = table.with_columns(name=pl.col("symbol").replace_strict(dict(names), default="", return_dtype=pl.String))
    if side is not None:
        found = found.filter(pl.col("side") == side)
    wanted = text.strip().lower()
    if wanted:
        hit = pl.col("symbol").str.to_lowercase().str.contains(wanted, literal=True)
        found = found.filter(hit | pl.col("name").str.to_lowercase().str.contains(wanted, literal=True))
    return found


def marks(result: Result, symbol: str) -> tuple[list[tuple[date, float]], list[tuple[date, float]]]:
    """Buys and sells of one symbol as (session, price)."""
    found = result.tables["trades"].filter(pl.col("symbol") == symbol)
    sides = [found.filter(pl.col("side") == side) for side in ("buy", "sell")]
    buys, sells = ([(day, float(price)) for day, price in part.select("session", "price_krw").rows()] for part in sides)
    return buys, sells


def price_range(result: Result) -> tuple[PriceBasis, date, date]:
    """Basis of the run and its first and last session."""
    sessions = result.tables["daily"]["session"]
    return PriceBasis(result.card["price_basis"]), sessions[0], sessions[-1]


def reason_name(code: str) -> str:
    """Why something was traded or not, in the user's language; an unknown code is shown as it is."""
    return _(REASONS.get(code, code))


def rule_name(code: str) -> str:
    """What caused a trade: words of the document in the user's language; formulas and letters as they are."""
    number, _space, unit = code.partition(" ")
    if unit == "sessions" and number.isdigit():
        return _("{count} sessions").format(count=number)
    if unit == "calendar_days" and number.isdigit():
        return _("{count} calendar days").format(count=number)
    return _(PERIODS.get(code, code))


def status_name(code: str) -> str:
    """State of an order in the user's language."""
    return _(STATUSES.get(code, code))
