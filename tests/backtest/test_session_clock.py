"""One named test for each rule of the session clock and of fills."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from stocklab.market.panel import PriceBasis

BUY, SELL = "close>1", "close<1"
RULE = {"rules": [{"id": "A", "formula": BUY}]}
LEAVE = {"rules": [{"id": "X", "formula": SELL}]}
ONE = {"max_holdings": 1}
RAW = PriceBasis.RAW


def bar(open_: float, high: float, low: float, close: float, volume: float = 1e6) -> tuple[float, ...]:
    return (open_, high, low, close, volume)


def flat(price: float = 10_000, volume: float = 1e6) -> tuple[float, ...]:
    return bar(price, price, price, price, volume)


def signal(n: int, *sessions: int, m: int = 1, symbol: int = 0) -> np.ndarray:
    values = np.zeros((n, m))
    for session in sessions:
        values[session, symbol] = 1
    return values


class One:
    """A market of one symbol, bought by a signal at the close of session 0 (unless given), sold by one given."""

    def __init__(self, market_of: Any, run_market: Any) -> None:
        self.market_of, self.run_market = market_of, run_market

    def __call__(
        self,
        bars: list[Any],
        *,
        buy: tuple[int, ...] = (0,),
        sell: tuple[int, ...] = (),
        market: Any = None,
        **parts: Any,
    ) -> Any:
        n = len(bars)
        made = self.market_of(
            bars={"000010": bars},
            signals={BUY: signal(n, *buy), SELL: signal(n, *sell)},
            **(market or {"basis": RAW}),
        )
        leave = {**LEAVE, **parts.pop("exit", {})}
        return self.run_market(made, **{"entry": RULE, "sizing": ONE, "exit": leave, **parts})


@pytest.fixture
def one(market_of: Any, run_market: Any) -> One:
    return One(market_of, run_market)


def fills(result: Any) -> list[tuple[int, str, int, int, str]]:
    """(session number, side, shares, price, reason) of every trade."""
    days = {day: place for place, day in enumerate(result.tables["daily"]["session"].to_list())}
    rows = result.tables["trades"].select("session", "side", "shares", "price_krw", "reason").rows()
    return [(days[day], *rest) for day, *rest in rows]


def unfilled(result: Any) -> list[tuple[str, int, int, str, str]]:
    """(side, ordered, filled, status, reason) of every order that did not fill whole."""
    rows = result.tables["orders"].select("side", "shares_ordered", "shares_filled", "status", "reason").rows()
    return [row for row in rows if row[2] < row[1]]


# --- where an order meets the market -------------------------------------------------------------------------------


def test_next_open_fills_at_the_open_of_the_next_session(one: One) -> None:
    assert fills(one([flat(), bar(9_900, 10_200, 9_800, 10_100)]))[0] == (1, "buy", 100, 9_900, "entry")


def test_next_close_fills_at_the_close_of_the_next_session(one: One) -> None:
    result = one([flat(), bar(9_900, 10_200, 9_800, 10_000)], execution={"buy": "next_close"})
    assert fills(result) == [(1, "buy", 100, 10_000, "entry")]


def test_vwap_proxy_is_the_mean_of_the_bar_rounded_up_to_the_tick(one: One) -> None:
    # (9,900 + 10,200 + 9,800 + 9,990) / 4 = 9,972.5 -> 9,973 -> tick of 10 below 20,000 -> 9,980
    result = one([flat(), bar(9_900, 10_200, 9_800, 9_990)], execution={"buy": "vwap_proxy"})
    assert fills(result) == [(1, "buy", 100, 9_980, "entry")]


def test_limit_below_fills_only_when_traded_strictly_through(one: One) -> None:
    limit = {"buy": "limit", "limit_offset": -0.01}  # 9,900
    touched = one([flat(), bar(10_000, 10_000, 9_900, 9_950)], execution=limit)
    assert fills(touched) == []
    assert unfilled(touched) == [("buy", 101, 0, "unfilled", "not_reached")]
    through = one([flat(), bar(10_000, 10_000, 9_890, 9_950)], execution=limit)
    assert fills(through) == [(1, "buy", 101, 9_900, "entry")]
    assert through.tables["orders"]["limit_krw"].to_list() == [9_900]


def test_participation_cap_is_exact(one: One) -> None:
    # 0.29 x 200,000 = 58,000, also where the nearest binary number of 0.29 lies below it
    result = one(
        [flat(10), flat(10, volume=200_000)], execution={"participation": 0.29}, market={"basis": RAW}, cash=1_000_000
    )
    assert fills(result) == [(1, "buy", 58_000, 10, "entry")]


def test_an_exit_ends_what_is_still_being_bought(one: One) -> None:
    # 100 shares, 30 a session: the close of session 2 sells what is held, and the rest of the purchase is over
    bars = [flat(), flat(volume=300), flat(volume=300), flat(), flat(), flat()]
    result = one(bars, sell=(2,), execution={"participation": 0.1, "carry_unfilled_sessions": 5})
    assert [fill[:3] for fill in fills(result)] == [(1, "buy", 30), (2, "buy", 30), (3, "sell", 60)]
    assert unfilled(result) == [("buy", 100, 60, "cancelled", "superseded")]


def test_a_stop_ends_what_is_still_being_bought(one: One) -> None:
    bars = [flat(), flat(volume=300), bar(9_000, 9_000, 9_000, 9_000, 0), bar(9_000, 9_100, 9_000, 9_000, 1e6), flat()]
    bars[2] = bar(10_000, 10_000, 9_400, 9_400, 1e3)
    result = one(
        bars,
        exit={"stop": {"level": 0.05}, "reentry_wait_sessions": 9},
        execution={"participation": 0.05, "carry_unfilled_sessions": 5},
    )
    assert [fill[1] for fill in fills(result)][-1] == "sell"
    assert unfilled(result)[0][3:] == ("cancelled", "superseded")


def test_target_of_a_cheap_etf_lies_one_tick_of_five_won_below(one: One) -> None:
    # 100 x 1.04 = 104, down to the tick of 5: 100, which an adjusted high of 101 went through
    bars = [flat(100), flat(100), bar(100, 101, 99, 100)]
    etf = {"basis": PriceBasis.ADJUSTED, "kinds": {"000010": "etf"}, "start": date(2023, 3, 6)}
    wide = {"min_listed_sessions": 0, "exclude": []}
    result = one(bars, market=etf, universe=wide, exit={"target": {"level": 0.04}})
    assert fills(result)[-1] == (2, "sell", 10_000, 100, "target")


def test_money_for_a_volatility_near_zero_is_only_capped(market_of: Any, run_market: Any) -> None:
    # the mean weight is that of the first candidate, 1 / 0.02, of which the money buys no share; the second is worth
    # 1 / 1e-17, so 2 x 10^15 times the money: all of it, 100 shares
    market = market_of(
        bars={"000010": [flat(2_000_000)] * 3, "000020": [flat()] * 3},
        signals={BUY: np.ones((3, 2)), "tstd(ret(close,1),5,1)": np.full((3, 2), [0.02, 1e-17])},
    )
    sizing = {"method": "inverse_volatility", "volatility_sessions": 5, "max_holdings": 1}
    result = run_market(market, sizing=sizing, entry=RULE)
    assert fills(result) == [(1, "buy", 100, 10_000, "entry")]


def test_limit_above_the_open_fills_at_the_open(one: One) -> None:
    result = one([flat(), bar(9_800, 10_000, 9_800, 9_950)], execution={"buy": "limit", "limit_offset": -0.01})
    assert fills(result) == [(1, "buy", 101, 9_800, "entry")]


def test_limit_from_todays_open(one: One) -> None:
    execution = {"buy": "limit", "limit_offset": -0.01, "limit_reference": "open"}  # 9,500 x 0.99 = 9,405 -> 9,410
    result = one([flat(), bar(9_500, 9_500, 9_400, 9_450)], execution=execution)
    assert fills(result) == [(1, "buy", 100, 9_410, "entry")]


def test_limit_sale_mirrors_the_offset(one: One) -> None:
    execution = {"sell": "limit", "limit_offset": -0.01}  # sells at 10,000 x 1.01 = 10,100
    bars = [flat(), flat(), bar(10_000, 10_100, 10_000, 10_000), bar(10_000, 10_110, 10_000, 10_000)]
    touched = one(bars[:3], sell=(1,), execution=execution)
    assert [row[1] for row in fills(touched)] == ["buy"]
    assert fills(one([*bars[:2], bars[3]], sell=(1,), execution=execution))[-1] == (2, "sell", 100, 10_100, "exit_rule")


def test_unfilled_rest_is_carried_with_the_same_order(one: One) -> None:
    bars = [flat(), bar(10_000, 10_000, 9_950, 9_950), bar(10_000, 10_000, 9_890, 9_950)]
    execution = {"buy": "limit", "limit_offset": -0.01, "carry_unfilled_sessions": 1}
    result = one(bars, execution=execution)
    assert fills(result) == [(2, "buy", 101, 9_900, "entry")]
    assert result.tables["orders"].select("order_id", "status").rows() == [(1, "filled")]


def test_participation_caps_the_fill_and_keeps_the_reason(one: One) -> None:
    result = one([flat(), flat(volume=305)], execution={"participation": 0.1})
    assert fills(result) == [(1, "buy", 30, 10_000, "entry")]
    assert unfilled(result) == [("buy", 100, 30, "partial", "participation")]


def test_gap_up_reduces_the_shares_to_what_cash_allows(one: One) -> None:
    result = one([flat(), flat(10_500)])  # 1,000,000 / 10,500 = 95.2
    assert fills(result) == [(1, "buy", 95, 10_500, "entry")]
    assert unfilled(result) == [("buy", 100, 95, "partial", "cash")]


def test_halted_session_fills_nothing(one: One) -> None:
    result = one([flat(), None, flat()])
    assert fills(result) == []
    assert unfilled(result) == [("buy", 100, 0, "unfilled", "halted")]


def test_exit_from_a_halt_is_sold_at_the_first_traded_open(one: One) -> None:
    result = one([flat(), flat(), None, None, flat(7_100), flat(7_100)], sell=(1,))
    assert fills(result)[1:] == [(4, "sell", 100, 7_100, "exit_rule")]
    assert result.tables["positions"]["close_krw"].to_list() == [10_000, 10_000, 10_000]  # kept at the last close


# --- price limits: 30 % of 10,000 is 7,000 and 13,000 --------------------------------------------------------------


def test_no_purchase_at_an_open_that_is_the_upper_limit(one: One) -> None:
    result = one([flat(), bar(13_000, 13_000, 12_000, 12_500)])
    assert fills(result) == []
    assert unfilled(result)[0][4] == "limit_up"


def test_no_purchase_at_a_close_that_is_the_upper_limit(one: One) -> None:
    result = one([flat(), bar(12_000, 13_000, 12_000, 13_000)], execution={"buy": "next_close"})
    assert unfilled(result)[0][4] == "limit_up"


def test_no_vwap_purchase_only_when_locked_all_day(one: One) -> None:
    locked = one([flat(), flat(13_000)], execution={"buy": "vwap_proxy"})
    assert unfilled(locked)[0][4] == "limit_up"
    opened = one([flat(), bar(12_500, 13_000, 12_000, 13_000)], execution={"buy": "vwap_proxy"})
    assert fills(opened)[0][3] == 12_630  # 50,500 / 4 = 12,625 -> tick 10


def test_no_sale_at_an_open_that_is_the_lower_limit_until_it_trades(one: One) -> None:
    result = one([flat(), flat(), bar(7_000, 7_500, 7_000, 7_500), flat(7_400)], sell=(1,))
    assert fills(result)[1:] == [(3, "sell", 100, 7_400, "exit_rule")]


def test_limits_use_the_base_price_on_raw_bars(one: One) -> None:
    # base 5,000 after a corporate action: its upper limit is 6,500, not 13,000
    market = {"basis": RAW, "bases": {(1, "000010"): 5_000}}
    result = one([flat(), bar(6_500, 6_500, 6_000, 6_200)], market=market)
    assert unfilled(result)[0][4] == "limit_up"


def test_adjusted_bars_judge_the_limit_with_a_tolerance(one: One) -> None:
    adjusted = {"basis": PriceBasis.ADJUSTED}
    near = one([flat(), bar(12_900, 12_900, 12_000, 12_500)], market=adjusted)  # rounding took 100 off 13,000
    assert unfilled(near)[0][4] == "limit_up"
    below = one([flat(), bar(12_800, 12_900, 12_000, 12_500)], market=adjusted)
    assert fills(below)[0][3] == 12_800


def test_a_day_beyond_the_limits_had_none(one: One) -> None:
    # resumption after a reduction: opens 60 % up; 13,000 means nothing that day
    result = one([flat(), bar(13_000, 16_000, 13_000, 16_000)])
    assert fills(result) == [(1, "buy", 76, 13_000, "entry")]


def test_limit_was_fifteen_percent_before_june_2015(one: One) -> None:
    market = {"basis": RAW, "start": date(2015, 3, 2)}
    assert unfilled(one([flat(), flat(11_500)], market=market))[0][4] == "limit_up"


# --- price triggers ------------------------------------------------------------------------------------------------


def test_stop_fills_at_its_level(one: One) -> None:
    result = one([flat(), flat(), bar(9_900, 9_900, 9_000, 9_300)], exit={"stop": {"level": 0.05}})
    assert fills(result)[1] == (2, "sell", 100, 9_500, "stop")


def test_stop_gap_fills_at_the_open(one: One) -> None:
    result = one([flat(), flat(), bar(9_100, 9_200, 9_000, 9_100)], exit={"stop": {"level": 0.05}})
    assert fills(result)[1] == (2, "sell", 100, 9_100, "stop")


def test_target_fills_at_its_level_only_when_traded_through(one: One) -> None:
    leave = {"target": {"level": 0.05}}
    assert len(fills(one([flat(), flat(), bar(10_000, 10_500, 10_000, 10_400)], exit=leave))) == 1
    result = one([flat(), flat(), bar(10_000, 10_510, 10_000, 10_400)], exit=leave)
    assert fills(result)[1] == (2, "sell", 100, 10_500, "target")


def test_target_gap_fills_at_the_open(one: One) -> None:
    result = one(
        [flat(), flat(), bar(10_800, 10_900, 9_000, 9_500)], exit={"target": {"level": 0.05}, "stop": {"level": 0.05}}
    )
    assert fills(result)[1] == (2, "sell", 100, 10_800, "target")


def test_stop_wins_over_target_in_one_bar(one: One) -> None:
    leave = {"target": {"level": 0.05}, "stop": {"level": 0.05}}
    result = one([flat(), flat(), bar(10_000, 10_600, 9_400, 10_000)], exit=leave)
    assert fills(result)[1] == (2, "sell", 100, 9_500, "stop")


def test_position_bought_at_the_open_faces_stop_and_target_that_day(one: One) -> None:
    leave = {"target": {"level": 0.05}, "stop": {"level": 0.05}}
    assert fills(one([flat(), bar(10_000, 10_000, 9_400, 9_600)], exit=leave))[1][:2] == (1, "sell")
    assert fills(one([flat(), bar(10_000, 10_600, 9_900, 9_900)], exit=leave))[1][4] == "target"


def test_position_bought_at_the_close_does_not_see_that_days_low(one: One) -> None:
    result = one(
        [flat(), bar(10_000, 10_600, 9_000, 10_000)],
        execution={"buy": "next_close"},
        exit={"target": {"level": 0.05}, "stop": {"level": 0.05}},
    )
    assert [row[1] for row in fills(result)] == ["buy"]


def test_position_bought_by_vwap_does_not_see_that_days_low(one: One) -> None:
    result = one(
        [flat(), bar(10_000, 10_600, 9_000, 10_000)], execution={"buy": "vwap_proxy"}, exit={"stop": {"level": 0.05}}
    )
    assert [row[1] for row in fills(result)] == ["buy"]


def test_limit_entry_faces_its_stop_but_not_its_target(one: One) -> None:
    limit = {"buy": "limit", "limit_offset": -0.01}  # bought at 9,900; stop 9,400 (9,405), target 10,390 (10,395)
    leave = {"target": {"level": 0.05}, "stop": {"level": 0.05}}
    stopped = one([flat(), bar(10_000, 10_500, 9_300, 9_600)], execution=limit, exit=leave)
    assert fills(stopped)[1] == (1, "sell", 101, 9_400, "stop")
    kept = one([flat(), bar(10_000, 10_500, 9_800, 9_900)], execution=limit, exit=leave)
    assert [row[1] for row in fills(kept)] == ["buy"]


def test_trailing_stop_uses_highs_up_to_the_day_before(one: One) -> None:
    # Session 2 makes a high of 12,000 and a low of 10,800: 10 % below 12,000, but that high is of the same day; below
    # yesterday's high of 10,000 by 10 % is 9,000. Session 3 falls to 10,700: under 10,800.
    bars = [flat(), flat(), bar(11_000, 12_000, 10_800, 11_500), bar(11_500, 11_500, 10_700, 11_000)]
    result = one(bars, exit={"trailing": {"level": 0.1}})
    assert fills(result)[1] == (3, "sell", 100, 10_800, "trailing")


def test_trailing_after_a_closing_purchase_ignores_that_days_high(one: One) -> None:
    bars = [flat(), bar(10_000, 12_000, 10_000, 10_000), bar(10_000, 10_000, 9_500, 9_600)]
    result = one(bars, execution={"buy": "next_close"}, exit={"trailing": {"level": 0.1}})
    assert [row[1] for row in fills(result)] == ["buy"]


def test_triggered_stop_that_could_not_fill_sells_at_the_next_tradable_open(one: One) -> None:
    # Session 2 is locked at the lower limit 7,000, session 3 halted; session 4 opens above the stop and sells all the same.
    bars = [flat(), flat(), flat(7_000), None, bar(9_000, 9_600, 8_900, 9_500), flat()]
    result = one(bars, exit={"stop": {"level": 0.05}})
    assert fills(result)[1:] == [(4, "sell", 100, 9_000, "stop")]
    assert result.tables["orders"]["status"].to_list() == ["filled", "filled"]


def test_rest_of_a_stop_beyond_the_participation_sells_at_the_next_open(one: One) -> None:
    bars = [flat(), flat(), bar(9_900, 9_900, 9_000, 9_300, 600), flat(9_200), flat(9_200)]
    result = one(bars, exit={"stop": {"level": 0.05}}, execution={"participation": 0.1})
    assert fills(result)[1:] == [(2, "sell", 60, 9_500, "stop"), (3, "sell", 40, 9_200, "stop")]


def test_close_basis_stop_sells_in_the_next_session(one: One) -> None:
    bars = [flat(), flat(), bar(10_000, 10_000, 9_000, 9_600), bar(9_600, 9_600, 9_400, 9_400), flat(9_300)]
    result = one(bars, exit={"stop": {"level": 0.05, "basis": "close"}})
    assert fills(result)[1] == (4, "sell", 100, 9_300, "stop")


def test_close_basis_target_and_trailing(one: One) -> None:
    up = [flat(), flat(), flat(10_500), flat(10_600)]
    assert fills(one(up, exit={"target": {"level": 0.05, "basis": "close"}}))[1] == (3, "sell", 100, 10_600, "target")
    down = [flat(), flat(), flat(12_000), flat(10_800), flat(10_700)]
    assert fills(one(down, exit={"trailing": {"level": 0.1, "basis": "close"}}))[1] == (
        4,
        "sell",
        100,
        10_700,
        "trailing",
    )


def test_sale_ordered_for_the_close_is_cancelled_when_the_stop_fires_first(one: One) -> None:
    bars = [flat(), flat(), bar(9_900, 9_900, 9_000, 9_300), flat(9_300)]
    result = one(bars, sell=(1,), execution={"sell": "next_close"}, exit={"stop": {"level": 0.05}})
    assert fills(result)[1] == (2, "sell", 100, 9_500, "stop")
    assert unfilled(result) == [("sell", 100, 0, "cancelled", "superseded")]


# --- holding periods, exits, re-entry ------------------------------------------------------------------------------


def test_max_holding_counts_sessions(one: One) -> None:
    assert fills(one([flat()] * 6, exit={"max_holding": 3}))[1] == (4, "sell", 100, 10_000, "max_holding")


def test_max_holding_counts_calendar_days(one: One) -> None:
    # bought Tuesday 2024-03-05; the first session three days on is Friday, session 4; six days on is Monday, session 5
    unit = {"holding_unit": "calendar_days"}
    assert fills(one([flat()] * 7, exit={"max_holding": 3, **unit}))[1][0] == 4
    assert fills(one([flat()] * 7, exit={"max_holding": 4, **unit}))[1][0] == 5


def test_min_holding_holds_back_rules_but_not_stops(one: One) -> None:
    assert fills(one([flat()] * 6, sell=(1, 2, 3, 4), exit={"min_holding": 3}))[1][0] == 4
    bars = [flat(), flat(), bar(10_000, 10_000, 9_000, 9_000), flat(9_000), flat(9_000)]
    stop = {"stop": {"level": 0.05}, "min_holding": 3}
    assert fills(one(bars, exit=stop))[1][0] == 2
    assert fills(one(bars, exit={**stop, "min_holding_blocks_stops": True}))[1][:4] == (4, "sell", 100, 9_000)


def test_entry_rules_that_fail_end_the_position(one: One) -> None:
    result = one([flat()] * 5, buy=(0, 1, 2), exit={"when_entry_fails": True})
    assert fills(result)[1] == (4, "sell", 100, 10_000, "entry_failed")


def test_reentry_waits(one: One) -> None:
    again = one([flat()] * 8, buy=tuple(range(8)), sell=(1,))
    assert [row[:2] for row in fills(again)] == [(1, "buy"), (2, "sell"), (3, "buy")]
    waited = one([flat()] * 8, buy=tuple(range(8)), sell=(1,), exit={"reentry_wait_sessions": 3})
    assert [row[:2] for row in fills(waited)] == [(1, "buy"), (2, "sell"), (6, "buy")]


def test_exit_rule_is_named(one: One, market_of: Any, run_market: Any) -> None:
    n = 4
    market = market_of(
        bars={"000010": [flat()] * n},
        basis=RAW,
        signals={BUY: signal(n, 0), SELL: signal(n), "close<2": signal(n, 1), "close<3": 1 - signal(n, 2)},
    )
    rules = [{"id": "P", "formula": SELL}, {"id": "Q", "formula": "close<2"}]
    named = run_market(market, entry=RULE, sizing=ONE, exit={"rules": rules})
    assert named.tables["trades"]["rule"].to_list() == ["A", "Q"]


def test_rank_that_falls_below_ends_the_position(market_of: Any, run_market: Any) -> None:
    # the score is the volume: 000010 is first, from session 2 on second
    n = 5
    bars = {"000010": [flat(volume=3e6)] * 2 + [flat(volume=1e6)] * 3, "000020": [flat(volume=2e6)] * n}
    market = market_of(bars=bars, signals={BUY: signal(n, 0, m=2)})
    result = run_market(
        market, entry=RULE, sizing=ONE, ranking={"factors": [{"formula": "volume"}]}, exit={"rank_below": 1}
    )
    assert fills(result)[1] == (3, "sell", 100, 10_000, "rank")


# --- cash and slots ------------------------------------------------------------------------------------------------


def rotation(market_of: Any, run_market: Any, **execution: str) -> Any:
    """000010 is held and sold by a rule at the close of 1, when 000020 turns up."""
    n = 5
    buy = signal(n, 0, m=2)
    buy[1:3, 1] = 1
    market = market_of(
        bars={"000010": [flat()] * n, "000020": [flat()] * n}, signals={BUY: buy, SELL: signal(n, 1, m=2)}
    )
    return run_market(market, entry=RULE, sizing=ONE, exit=LEAVE, execution=execution)


def test_purchases_cannot_spend_the_sales_of_the_same_auction(market_of: Any, run_market: Any) -> None:
    result = rotation(market_of, run_market)
    assert [row[:3] for row in fills(result)] == [(1, "buy", 100), (2, "sell", 100), (3, "buy", 100)]


def test_gap_up_cannot_be_paid_by_a_sale_of_the_same_opening(market_of: Any, run_market: Any) -> None:
    # 50 of 000010 for 500,000; at the close of 1 its sale and 50 of 000020 are ordered, which opens 10 % up: 500,000 of
    # cash buys 45, although the sale at the same auction brings 500,000 more
    n = 3
    buy = np.zeros((n, 2))
    buy[0, 0] = buy[1, 1] = 1
    market = market_of(
        bars={"000010": [flat()] * n, "000020": [flat(), flat(), flat(11_000)]},
        signals={BUY: buy, SELL: signal(n, 1, m=2)},
    )
    result = run_market(market, entry=RULE, sizing={"max_holdings": 2}, exit=LEAVE)
    assert [row[1:4] for row in fills(result)] == [("buy", 50, 10_000), ("sell", 50, 10_000), ("buy", 45, 11_000)]
    assert unfilled(result) == [("buy", 50, 45, "partial", "cash")]


def test_opening_sales_pay_for_closing_purchases(market_of: Any, run_market: Any) -> None:
    result = rotation(market_of, run_market, buy="next_close")
    # the proceeds are expected at the close of the day before, less a won of caution: 99 shares
    assert [row[:3] for row in fills(result)] == [(1, "buy", 100), (2, "sell", 100), (2, "buy", 99)]


def test_closing_sales_cannot_pay_for_closing_purchases(market_of: Any, run_market: Any) -> None:
    result = rotation(market_of, run_market, buy="next_close", sell="next_close")
    assert [row[:3] for row in fills(result)] == [(1, "buy", 100), (2, "sell", 100), (3, "buy", 100)]


def test_best_score_first_and_ties_by_symbol(market_of: Any, run_market: Any) -> None:
    bars = {
        "000010": [flat(volume=1e6)] * 2,
        "000020": [flat(volume=2e6)] * 2,
        "000030": [flat(volume=2e6)] * 2,
        "000040": [flat(volume=3e6)] * 2,
    }
    ranking = {"factors": [{"formula": "volume"}]}
    result = run_market(market_of(bars=bars), sizing={"max_holdings": 2}, ranking=ranking)
    assert result.tables["trades"]["symbol"].to_list() == ["000040", "000020"]
    worst = run_market(
        market_of(bars=bars), sizing={"max_holdings": 2}, ranking={**ranking, "keep": "bottom", "count": 1}
    )
    assert worst.tables["trades"]["symbol"].to_list() == ["000010"]


def test_max_new_per_session(market_of: Any, run_market: Any) -> None:
    bars = {f"0000{place}0": [flat()] * 4 for place in range(1, 6)}
    result = run_market(market_of(bars=bars), sizing={"max_holdings": 5, "max_new_per_session": 2})
    assert [row[0] for row in fills(result)] == [1, 1, 2, 2, 3]


def test_caps_and_cash_buffer(market_of: Any, run_market: Any) -> None:
    bars = {"000010": [flat()] * 3, "000020": [flat()] * 3}
    capped = run_market(market_of(bars=bars), sizing={"max_holdings": 1, "max_weight": 0.3})
    assert fills(capped)[0][2] == 30
    krw = run_market(market_of(bars=bars), sizing={"max_holdings": 1, "max_position_krw": 205_000})
    assert fills(krw)[0][2] == 20
    buffered = run_market(market_of(bars=bars), sizing={"max_holdings": 2, "cash_buffer": 0.25})
    assert [row[2] for row in fills(buffered)] == [37, 37]
    assert buffered.tables["daily"]["cash_krw"].min() == 260_000


def test_sector_cap(market_of: Any, run_market: Any) -> None:
    bars = {f"0000{place}0": [flat()] * 3 for place in range(1, 4)}
    sectors = {"000010": "a", "000020": "a", "000030": "b"}
    sizing = {"max_holdings": 3, "max_sector_weight": 0.5}
    signal_mode = run_market(market_of(bars=bars, sectors=sectors), sizing=sizing)
    assert [row[2] for row in fills(signal_mode)] == [33, 17, 33]  # 500,000 - 330,000 ordered in sector a
    target = run_market(market_of(bars=bars, sectors=sectors), sizing=sizing, rebalancing={"mode": "target"})
    assert [row[2] for row in fills(target)] == [33, 16, 33]  # target weights 333,333 + 166,667 in sector a


@pytest.mark.parametrize(
    ("sizing", "shares"),
    [
        ({"method": "fixed_krw", "amount_krw": 123_456}, [12, 12]),
        ({"method": "fixed_weight", "weight": 0.2}, [20, 20]),
        # caps 3:1 of 1,000,000, two slots: 500,000 x 3/2 and x 1/2
        ({"method": "market_cap"}, [75, 25]),
        # volatilities 1:3, so weights 3:1
        ({"method": "inverse_volatility", "volatility_sessions": 5}, [75, 25]),
    ],
)
def test_sizing_methods(market_of: Any, run_market: Any, sizing: dict[str, Any], shares: list[int]) -> None:
    n = 2
    market = market_of(
        bars={"000010": [flat()] * n, "000020": [flat()] * n},
        extra={"mcap": np.tile([3e12, 1e12], (n, 1))},
        signals={"tstd(ret(close,1),5,1)": np.tile([0.01, 0.03], (n, 1))},
    )
    for rebalancing in ({}, {"mode": "target"}):
        result = run_market(market, sizing={"max_holdings": 2, **sizing}, rebalancing=rebalancing)
        assert [row[2] for row in fills(result)] == shares


def test_score_sizing_gives_the_best_twice_the_weakest(market_of: Any, run_market: Any) -> None:
    # scores -1, -2, -3: weights 2, 1.5, 1 around their mean of 1.5; a third of 900,000 each
    bars = {f"0000{place}0": [flat()] * 2 for place in range(1, 4)}
    market = market_of(bars=bars, signals={"-volume": np.tile([-1.0, -2.0, -3.0], (2, 1))})
    result = run_market(
        market,
        cash=900_000,
        sizing={"max_holdings": 3, "method": "score"},
        ranking={"factors": [{"formula": "-volume"}]},
    )
    assert [row[2] for row in fills(result)] == [40, 30, 20]


def test_base_initial_does_not_grow_with_equity(one: One) -> None:
    bars = [flat(), flat(), flat(20_000), flat(20_000), flat(20_000), flat(20_000)]
    market = {"basis": RAW, "bases": {(2, "000010"): 20_000}}
    grown = one(bars, buy=(0, 3), sell=(1,), market=market)
    assert fills(grown)[-1][2] == 100  # 2,000,000 of equity buys 100 at 20,000
    initial = one(bars, buy=(0, 3), sell=(1,), market=market, sizing={**ONE, "base": "initial"})
    assert fills(initial)[-1][2] == 50


def test_order_for_which_there_is_no_cash_is_kept_with_its_reason(market_of: Any, run_market: Any) -> None:
    bars = {"000010": [flat()] * 3, "000020": [flat()] * 3}
    sizing = {"max_holdings": 2, "method": "fixed_krw", "amount_krw": 1_000_000}
    result = run_market(market_of(bars=bars), last=1, sizing=sizing)
    assert unfilled(result) == [("buy", 100, 0, "unfilled", "cash")]


def test_unknown_weight_buys_nothing_and_is_counted(market_of: Any, run_market: Any) -> None:
    bars = {"000010": [flat()] * 2, "000020": [flat()] * 2}
    for rebalancing in ({}, {"mode": "target"}):
        market = market_of(bars=bars, extra={"mcap": np.tile([np.nan, 1e12], (2, 1))})
        result = run_market(market, sizing={"max_holdings": 2, "method": "market_cap"}, rebalancing=rebalancing)
        assert result.tables["trades"]["symbol"].to_list() == ["000020"]
        assert result.card["counts"]["unknown_weights"] == 1


def test_session_without_an_open_or_volume_fills_nothing(one: One) -> None:
    unknown = one([flat(), bar(float("nan"), 10_000, 10_000, 10_000)])
    assert unfilled(unknown) == [("buy", 100, 0, "unfilled", "no_price")]
    volume = one([flat(), flat(volume=float("nan"))])
    assert unfilled(volume) == [("buy", 100, 0, "unfilled", "participation")]
    sale = one([flat(), flat(), flat(volume=0), flat()], sell=(1,))
    assert unfilled(sale) == [("sell", 100, 0, "unfilled", "participation")]


# --- market filter, delisting, series that end ---------------------------------------------------------------------


def test_unsafe_market_sells_everything_and_buys_nothing(one: One) -> None:
    index = [100.0, 100.0, 90.0, 90.0, 100.0, 100.0, 100.0]
    rule = {"index": "KOSPI", "formula": "close>95"}
    market = {"basis": RAW, "index": index}
    result = one([flat()] * 7, buy=tuple(range(7)), market=market, market_filter=rule)
    assert [row[:2] + row[4:] for row in fills(result)] == [
        (1, "buy", "entry"),
        (3, "sell", "market_filter"),
        (5, "buy", "entry"),
    ]
    kept = one([flat()] * 7, buy=(2, 3, 4), market=market, market_filter={**rule, "action": "no_new"})
    assert [row[:2] for row in fills(kept)] == [(5, "buy")]


def test_months_without_investment(one: One) -> None:
    # Monday 2024-04-01 is session 3; March is allowed, April is not: sold at April's first open
    market = {"basis": RAW, "start": date(2024, 3, 27)}
    result = one([flat()] * 6, buy=tuple(range(6)), market=market, market_filter={"months": [3]})
    assert [row[:2] for row in fills(result)] == [(1, "buy"), (3, "sell")]


GONE = [flat(), flat(), flat(6_000), (), (), ()]
"""Sessions from Monday 2024-03-04; the last bar is of Wednesday."""


def delisted(one: One, day: date, pays: bool, bars: list[Any] | None = None) -> Any:
    return one(bars or GONE, market={"basis": RAW, "delisted": {"000010": (day, pays)}})


def test_delisting_after_clean_up_trading_pays_the_last_close(one: One) -> None:
    result = delisted(one, date(2024, 3, 8), pays=False)
    assert fills(result)[1] == (4, "sell", 100, 6_000, "delisting")
    assert result.tables["ledger"]["kind"].to_list() == ["buy", "delisting"]
    assert result.card["counts"]["delisted_while_held"] == 1


def test_delisting_without_clean_up_bars_pays_nothing(one: One) -> None:
    bars = [*GONE, *[()] * 12]
    result = delisted(one, date(2024, 3, 22), pays=False, bars=bars)  # session 14, eleven after the last bar
    assert fills(result)[1] == (14, "sell", 100, 0, "delisting")
    assert result.tables["daily"]["equity_krw"].to_list()[13:15] == [600_000, 0]
    assert result.card["counts"]["series_ended_early"] == 1
    merger = delisted(one, date(2024, 3, 22), pays=True, bars=bars)
    assert fills(merger)[1][3] == 6_000


def test_series_that_ends_without_a_delisting_is_held_at_its_last_close(one: One) -> None:
    result = one(GONE, sell=(2, 3, 4))
    assert [row[1] for row in fills(result)] == ["buy"]
    assert result.tables["daily"]["equity_krw"].to_list()[-1] == 600_000
    assert result.card["counts"]["series_ended_early"] == 1


# --- rebalancing ---------------------------------------------------------------------------------------------------


def test_drift_band_leaves_what_is_near_its_target(market_of: Any, run_market: Any) -> None:
    # 50 + 50 shares; 000010 rises to 11,000: weights 0.524 and 0.476 of 1,050,000; each is 25,000 off 525,000
    up = [flat()] * 4 + [flat(11_000)] * 6
    bars = {"000010": up, "000020": [flat()] * 10}
    weekly = {"mode": "target", "period": "weekly"}
    loose = run_market(market_of(bars=bars), sizing={"max_holdings": 2}, rebalancing={**weekly, "drift_band": 0.03})
    assert len(fills(loose)) == 2
    tight = run_market(market_of(bars=bars), sizing={"max_holdings": 2}, rebalancing={**weekly, "drift_band": 0.02})
    # 525,000 / 11,000 = 47.7: three are sold on Monday; the other side buys 2 with Tuesday's cash of 33,000
    assert [row[:4] for row in fills(tight)[2:]] == [(5, "sell", 3, 11_000), (6, "buy", 2, 10_000)]


def test_day_shift_moves_the_trade_session(market_of: Any, run_market: Any) -> None:
    bars = {"000010": [flat()] * 10, "000020": [flat()] * 10}
    chosen = np.ones((10, 2))
    chosen[1:, 0] = 0
    market = market_of(bars=bars, signals={BUY: chosen})
    result = run_market(
        market, entry=RULE, sizing=ONE, rebalancing={"mode": "target", "period": "weekly", "day_shift": 2}
    )
    # the run's first close decides, then the third session of each week: Wednesdays, sessions 2 and 7
    assert [row[:2] for row in fills(result)] == [(1, "buy"), (2, "sell"), (3, "buy")]


def test_stop_in_target_mode_leaves_cash_until_the_next_rebalancing(market_of: Any, run_market: Any) -> None:
    bars = {"000010": [flat(), flat(), bar(10_000, 10_000, 9_000, 9_400), *[flat(9_400)] * 7]}
    result = run_market(
        market_of(bars=bars),
        sizing=ONE,
        exit={"stop": {"level": 0.05}},
        rebalancing={"mode": "target", "period": "weekly"},
    )
    assert [row[:2] for row in fills(result)] == [(1, "buy"), (2, "sell"), (5, "buy")]


# bought at 10,000 (or 1,000) in session 1; the event takes effect in session 3, whose bar reaches the trigger
EVENT_DAYS = {
    "a consolidation, then its stop": (
        [flat(1_000)] * 3 + [bar(9_800, 9_800, 9_000, 9_700)] + [flat(9_900)] * 3,
        {"splits": {(3, "000010"): 0.1}, "bases": {(3, "000010"): 10_000}},
        {"stop": {"level": 0.05}},
        (3, "sell", 100, 9_500, "stop"),
    ),
    "a split, then its target": (
        [flat()] * 3 + [bar(1_000, 1_100, 1_000, 1_020)] + [flat(1_020)] * 3,
        {"splits": {(3, "000010"): 10.0}, "bases": {(3, "000010"): 1_000}},
        {"target": {"level": 0.05}},
        (3, "sell", 1_000, 1_050, "target"),
    ),
    "a base moved up, then its stop": (
        [flat()] * 3 + [bar(11_900, 12_000, 11_000, 11_900)] + [flat(11_900)] * 3,
        {"bases": {(3, "000010"): 12_000}},
        {"stop": {"level": 0.05}},
        (3, "sell", 100, 11_400, "stop"),
    ),
    "a base moved down, then its target": (
        [flat()] * 3 + [bar(8_000, 8_800, 8_000, 8_100)] + [flat(8_100)] * 3,
        {"bases": {(3, "000010"): 8_000}},
        {"target": {"level": 0.05}},
        (3, "sell", 100, 8_400, "target"),
    ),
}


@pytest.mark.parametrize("case", EVENT_DAYS)
def test_triggers_are_rescaled_before_the_bar_of_an_event_day_is_judged(one: One, case: str) -> None:
    bars, event, leave, expected = EVENT_DAYS[case]
    result = one(bars, market={"basis": RAW, **event}, exit=leave)
    assert fills(result)[1:] == [expected]
