"""Whatever the market and the document: what must hold of every run, checked from its tables alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stocklab.market.costs import tax_ppb
from stocklab.market.panel import PriceBasis
from stocklab.market.ticks import tick_size

SEEDS = settings(
    max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@SEEDS
@given(seed=st.integers(0, 10**9))
def test_invariants(case_of: Any, seed: int) -> None:
    case = case_of(seed)
    panel = case.market.panel()
    result = case.run(panel)
    tables = result.tables
    check_cash(tables, case.cash)
    check_positions(tables, result.card, case.parts["sizing"]["max_holdings"])
    check_orders(tables)
    check_fills(tables, panel, case.parts)
    check_caps(tables, panel, case)


def check_cash(tables: Any, initial: int) -> None:
    daily = tables["daily"]
    assert (daily["cash_krw"] >= 0).all()
    assert (daily["cash_krw"] + daily["holdings_krw"] == daily["equity_krw"]).all()
    flows = tables["ledger"].group_by("session").agg(pl.col("cash_delta_krw").sum())
    joined = daily.join(flows, on="session", how="left").sort("session")
    running = initial + joined["cash_delta_krw"].fill_null(0).cum_sum()
    assert (running == joined["cash_krw"]).all()


def check_positions(tables: Any, card: Any, max_holdings: int) -> None:
    positions, daily = tables["positions"], tables["daily"]
    assert (positions["shares"] > 0).all()
    assert (positions["shares"] * positions["close_krw"] == positions["value_krw"]).all()
    held = positions.group_by("session").agg(pl.col("value_krw").sum(), pl.len())
    joined = daily.join(held, on="session", how="left")
    assert (joined["value_krw"].fill_null(0) == joined["holdings_krw"]).all()
    assert (joined["len"].fill_null(0) <= max_holdings).all()
    # shares held are the running sum of the trades and the share changes
    signed = pl.when(pl.col("side") == "buy").then(pl.col("shares")).otherwise(-pl.col("shares"))
    moves = tables["trades"].select("session", "symbol", delta=signed)
    changes = [
        {"session": row["session"], "symbol": row["symbol"], "delta": row["shares_after"] - row["shares_before"]}
        for row in card["share_changes"]
    ]
    if changes:
        moves = pl.concat([moves, pl.DataFrame(changes).with_columns(pl.col("session").str.to_date())])
    for symbol in positions["symbol"].unique():
        mine = moves.filter(pl.col("symbol") == symbol)
        for session in daily["session"]:
            total = mine.filter(pl.col("session") <= session)["delta"].sum()
            found = positions.filter((pl.col("symbol") == symbol) & (pl.col("session") == session))["shares"]
            assert total == (found[0] if len(found) else 0)


def check_orders(tables: Any) -> None:
    orders = tables["orders"]
    assert (orders["decided"] < orders["session"]).all()
    assert orders["order_id"].to_list() == list(range(1, orders.height + 1))
    assert (orders["shares_filled"] <= orders["shares_ordered"]).all()
    filled = tables["trades"].group_by("order_id").agg(pl.col("shares").sum())
    joined = orders.join(filled, on="order_id", how="left")
    assert (joined["shares"].fill_null(0) == joined["shares_filled"]).all()
    short = orders.filter(pl.col("shares_filled") < pl.col("shares_ordered"))
    assert (short["reason"] != "").all()
    assert set(short["status"]) <= {"partial", "unfilled", "cancelled"}
    assert set(orders.filter(pl.col("shares_filled") == pl.col("shares_ordered"))["status"]) <= {"filled"}


def check_fills(tables: Any, panel: Any, parts: Any) -> None:
    days = {session.item(): t for t, session in enumerate(panel.sessions)}
    _, high, low, _, volume = (panel.fields[name] for name in panel.order_fields)
    costs = parts["costs"]
    for trade in tables["trades"].iter_rows(named=True):
        if trade["reason"] == "delisting":
            continue
        t, s = days[trade["session"]], panel.column(trade["symbol"])
        assert panel.fields["traded"][t, s]
        assert low[t, s] <= trade["price_krw"] <= high[t, s]
        assert trade["shares"] <= volume[t, s] * parts["execution"]["participation"]
        assert trade["amount_krw"] == trade["shares"] * trade["price_krw"]
        assert trade["commission_krw"] == trade["amount_krw"] * round(costs["commission_rate"] * 1e9) // 10**9
        assert trade["slippage_krw"] >= 0
        assert trade["tax_krw"] == expected_tax(trade, costs, panel, s)
        if panel.basis is PriceBasis.RAW:
            etf = panel.instruments.kinds[s] == 5
            tick = tick_size(trade["price_krw"], "ETF" if etf else trade["market"], trade["session"])
            assert trade["price_krw"] % tick == 0 or etf or (tick > 1 and off_grid_bar(trade["price_krw"], t, s, panel))


def off_grid_bar(price: int, t: int, s: int, panel: Any) -> bool:
    """A hand-made bar may itself be off the grid (a limit of a split price); a fill is clamped to it."""
    return price in {int(panel.fields[name][t, s]) for name in panel.order_fields[:4]}


def expected_tax(trade: Any, costs: Any, panel: Any, s: int) -> int:
    if trade["side"] == "buy":
        return 0
    if costs["tax"] != "dated":
        return int(trade["amount_krw"] * round(costs["tax"] * 1e9) // 10**9)
    if panel.instruments.kinds[s] == 5:  # ETFs pay none
        return 0
    return int(trade["amount_krw"] * tax_ppb(trade["market"], trade["session"]) // 10**9)


def check_caps(tables: Any, panel: Any, case: Any) -> None:
    """No purchase was ordered beyond the caps, at the close it was decided on."""
    sizing = case.parts["sizing"]
    days = {session.item(): t for t, session in enumerate(panel.sessions)}
    equity = dict(tables["daily"].select("session", "equity_krw").rows())
    close = panel.fields[panel.order_fields[3]]
    for order in tables["orders"].filter(pl.col("side") == "buy").iter_rows(named=True):
        t, s = days[order["decided"]], panel.column(order["symbol"])
        if panel.fields.get("split_ratio") is not None and (panel.fields["split_ratio"][t + 1 : t + 5, s] != 1).any():
            continue  # a share change rescaled the order
        # what a rebalancing still wants is bought up to 1 + carry sessions later, within the caps of its own close
        since = days[order["decided"]] - (3 if case.parts["rebalancing"]["mode"] == "target" else 0)
        equities = [equity[day.item()] for day in panel.sessions[max(since, 2) : t + 1]]
        base = case.cash if sizing["base"] == "initial" else max(equities)
        price = close[t, s] if case.parts["execution"]["buy"] != "limit" else close[t, s] * 0.97
        value = order["shares_ordered"] * price
        assert value <= base * sizing["max_weight"] + 1
        if sizing["max_position_krw"]:
            assert value <= sizing["max_position_krw"]


def test_the_random_cases_reach_what_matters(case_of: Any) -> None:
    """The generator is worth something only if its runs meet every reason and cause."""
    causes: set[str] = set()
    reasons: set[str] = set()
    kinds: set[str] = set()
    for seed in range(120):
        tables = case_of(seed).run().tables
        causes |= set(tables["trades"]["reason"])
        reasons |= set(tables["orders"]["reason"])
        kinds |= set(tables["ledger"]["kind"])
    assert causes >= {
        "entry", "rebalance", "target", "stop", "trailing", "max_holding", "exit_rule", "rank", "entry_failed",
        "market_filter", "delisting",
    }  # fmt: skip
    assert reasons >= {
        "", "cash", "halted", "limit_up", "limit_down", "participation", "not_reached", "superseded", "not_listed",
    }  # fmt: skip
    assert kinds >= {"buy", "sell", "commission", "tax", "slippage", "fraction", "delisting"}


def test_same_inputs_same_bytes(case_of: Any) -> None:
    for seed in range(10):
        first, second = case_of(seed).run(), case_of(seed).run()
        assert first.card == second.card
        assert first.metrics == second.metrics
        for name, table in first.tables.items():
            assert table.equals(second.tables[name])
            assert table.schema == second.tables[name].schema


def test_input_is_not_changed(case_of: Any) -> None:
    case = case_of(7)
    panel = case.market.panel()
    before = {name: values.copy() for name, values in panel.fields.items()}
    case.run(panel)
    for name, values in panel.fields.items():
        np.testing.assert_array_equal(values, before[name])
