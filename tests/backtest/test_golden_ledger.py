"""Ledgers worked out by hand, to the won."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from stocklab.market.panel import PriceBasis

BUY, SELL = "close>1", "close<1"
COSTS = {"commission_rate": 0.00015, "tax": "dated", "slippage_rate": 0.001}


def at(n: int, m: int, *cells: tuple[int, int]) -> np.ndarray:
    """1 at the cells (session, symbol), else 0."""
    values = np.zeros((n, m))
    for cell in cells:
        values[cell] = 1
    return values


def test_one_round_trip_with_all_costs(market_of: Any, run_market: Any) -> None:
    # Decided at the close of Tue 24th, 50,000: 50,000 x 1.001 = 50,050, up to the tick of 100 = 50,100; with commission
    # 50,107.5 a share, so 10,000,000 buys 199. The open of the 25th is 50,200: x 1.001 = 50,250.2 -> 50,300. 199 would
    # cost 10,009,700, so 198: 9,959,400 + commission 1,493 (1,493.91 rounded down) = 9,960,893; cash 39,107.
    # The exit rule holds at the close of the 26th. The open of the 27th is 51,000: x 0.999 = 50,949 -> 50,900, below the
    # day's low of 51,000: fills at 51,000 and 198 x 100 = 19,800 is booked as slippage. 198 x 51,000 = 10,098,000;
    # commission 1,514 (1,514.7), tax 0.15 % from the 27th on = 15,147. Cash 39,107 + 10,061,539 = 10,100,646.
    market = market_of(
        bars={
            "000010": [
                (50_000, 50_000, 50_000, 50_000, 1e6),
                (50_200, 51_000, 49_900, 50_500, 1e6),
                (50_500, 50_600, 50_000, 50_400, 1e6),
                (51_000, 51_500, 51_000, 51_200, 1e6),
                (51_200, 51_200, 51_200, 51_200, 1e6),
            ]
        },
        start=date(2024, 12, 24),
        basis=PriceBasis.RAW,
        signals={BUY: at(5, 1, (0, 0)), SELL: at(5, 1, (2, 0))},
    )
    result = run_market(
        market,
        cash=10_000_000,
        costs=COSTS,
        sizing={"max_holdings": 1},
        entry={"rules": [{"id": "A", "formula": BUY}]},
        exit={"rules": [{"id": "X", "formula": SELL}]},
    )
    assert result.tables["daily"].select("cash_krw", "holdings_krw", "equity_krw").rows() == [
        (10_000_000, 0, 10_000_000),
        (39_107, 198 * 50_500, 10_038_107),
        (39_107, 198 * 50_400, 39_107 + 9_979_200),
        (10_100_646, 0, 10_100_646),
        (10_100_646, 0, 10_100_646),
    ]
    assert result.tables["trades"].drop("market", "order_id").rows() == [
        (date(2024, 12, 25), "000010", "buy", 198, 50_300, 9_959_400, 1_493, 0, 0, "entry", "A"),
        (date(2024, 12, 27), "000010", "sell", 198, 51_000, 10_098_000, 1_514, 15_147, 19_800, "exit_rule", "X"),
    ]
    assert result.tables["ledger"].drop("symbol").rows() == [
        (date(2024, 12, 25), "buy", -9_959_400),
        (date(2024, 12, 25), "commission", -1_493),
        (date(2024, 12, 27), "sell", 10_098_000),
        (date(2024, 12, 27), "commission", -1_514),
        (date(2024, 12, 27), "tax", -15_147),
        (date(2024, 12, 27), "slippage", -19_800),
    ]
    assert result.tables["orders"].rows() == [
        (1, date(2024, 12, 24), date(2024, 12, 25), "000010", "buy", 199, 198, None, "partial", "cash"),
        (2, date(2024, 12, 26), date(2024, 12, 27), "000010", "sell", 198, 198, None, "filled", ""),
    ]
    # 10,098,000 - 36,461 of costs less what the shares had cost, 9,960,893
    assert result.metrics["realized_profit_krw"] == 100_646
    # booked 19,800, and (50,300 - 50,200) x 198 in the price of the purchase; the sale filled at its reference
    assert result.metrics["slippage_krw"] == 19_800 + 19_800


def test_split_fraction_is_paid_in_cash_at_the_new_base(market_of: Any, run_market: Any) -> None:
    # 99 shares bought at 10,000 (cash 1,000,000 - 990,000 = 10,000). Consolidation 3 old for 1 new at session 2 with
    # base price 30,300: 33 shares, no rest. At session 3 another 1 new for 2 old with base 61,000: 16 shares, the odd
    # half is paid 61,000 / 2 = 30,500.
    market = market_of(
        bars={
            "000010": [
                (10_000, 10_000, 10_000, 10_000, 1e6),
                (10_000, 10_100, 10_000, 10_100, 1e6),
                (30_300, 30_500, 30_300, 30_500, 1e6),
                (61_000, 61_000, 61_000, 61_000, 1e6),
            ]
        },
        basis=PriceBasis.RAW,
        splits={(2, "000010"): 1 / 3, (3, "000010"): 0.5},
        bases={(2, "000010"): 30_300, (3, "000010"): 61_000},
        signals={BUY: at(4, 1, (0, 0))},
    )
    result = run_market(
        market, sizing={"max_holdings": 1, "max_weight": 0.99}, entry={"rules": [{"id": "A", "formula": BUY}]}
    )
    assert result.tables["positions"]["shares"].to_list() == [99, 33, 16]
    assert result.tables["ledger"].select("kind", "cash_delta_krw").rows() == [("buy", -990_000), ("fraction", 30_500)]
    assert result.tables["daily"]["equity_krw"].to_list()[-1] == 10_000 + 30_500 + 16 * 61_000
    changes = result.card["share_changes"]
    assert [(row["new"], row["old"], row["shares_after"], row["fraction_krw"]) for row in changes] == [
        (1, 3, 33, 0),
        (1, 2, 16, 30_500),
    ]


def test_fifty_to_one_split_scales_the_stop(market_of: Any, run_market: Any) -> None:
    # Bought at 2,650,000; split 50:1 to a base of 53,000. A stop of 5 % lies at 50,350 -> 50,300, not at 2,517,500.
    market = market_of(
        bars={
            "005930": [
                (2_650_000, 2_650_000, 2_650_000, 2_650_000, 1e4),
                (2_650_000, 2_650_000, 2_650_000, 2_650_000, 1e4),
                (53_000, 53_900, 51_800, 51_900, 1e6),
                (51_900, 52_000, 50_000, 50_100, 1e6),
            ]
        },
        basis=PriceBasis.RAW,
        splits={(2, "005930"): 50},
        bases={(2, "005930"): 53_000},
        signals={BUY: at(4, 1, (0, 0))},
    )
    result = run_market(
        market,
        cash=5_300_000,
        sizing={"max_holdings": 1},
        entry={"rules": [{"id": "A", "formula": BUY}]},
        exit={"stop": {"level": 0.05}},
    )
    assert result.tables["positions"]["shares"].to_list() == [2, 100]
    sale = result.tables["trades"].row(1, named=True)
    assert (sale["price_krw"], sale["shares"], sale["reason"], sale["rule"]) == (50_300, 100, "stop", "-5 %")


def test_rights_issue_moves_the_stop_with_the_base(market_of: Any, run_market: Any) -> None:
    # Base 9,000 after a close of 10,000 without new shares: the reference moves to 9,000, the 8 % stop to 8,280. The low
    # of 8,300 would have been far below 9,200.
    bars = [(10_000, 10_000, 10_000, 10_000, 1e6)] * 2 + [(9_000, 9_000, 8_300, 8_500, 1e6)]
    market = market_of(
        bars={"000010": bars}, basis=PriceBasis.RAW, bases={(2, "000010"): 9_000}, signals={BUY: at(3, 1, (0, 0))}
    )
    result = run_market(
        market,
        sizing={"max_holdings": 1},
        entry={"rules": [{"id": "A", "formula": BUY}]},
        exit={"stop": {"level": 0.08}},
    )
    assert result.tables["trades"]["side"].to_list() == ["buy"]
    assert result.card["counts"]["base_price_moves_without_share_change"] == 1


def test_target_weights_are_reached_over_two_sessions(market_of: Any, run_market: Any) -> None:
    # Weekly, two slots of 500,000. First close: A and B, 50 shares each at 10,000. In the second week C replaces B: B
    # is sold at Monday's open, whose proceeds Monday's purchases cannot use, so C is bought at Tuesday's open.
    flat = [(10_000.0, 10_000.0, 10_000.0, 10_000.0, 1e6)] * 8
    chosen = np.ones((8, 3))
    chosen[:4, 2] = 0
    chosen[4:, 1] = 0
    market = market_of(bars={"000010": flat, "000020": flat, "000030": flat}, signals={BUY: chosen})
    result = run_market(
        market,
        sizing={"max_holdings": 2},
        entry={"rules": [{"id": "A", "formula": BUY}]},
        rebalancing={"mode": "target", "period": "weekly"},
    )
    monday, tuesday = date(2024, 3, 11), date(2024, 3, 12)
    assert result.tables["trades"].select("session", "symbol", "side", "shares", "reason", "rule").rows() == [
        (date(2024, 3, 5), "000010", "buy", 50, "entry", "A"),
        (date(2024, 3, 5), "000020", "buy", 50, "entry", "A"),
        (monday, "000020", "sell", 50, "rebalance", "weekly"),
        (tuesday, "000030", "buy", 50, "entry", "A"),
    ]


def test_orders_alive_across_a_share_change_are_scaled(market_of: Any, run_market: Any) -> None:
    # Limit at 9,900 for 101 shares, not reached in session 1; in session 2, 3 new for 2 old with base 6,600: the carried
    # order asks for 151 at 6,600. Nine shares carried into a consolidation 1 for 10 are cancelled.
    bars = [
        (10_000, 10_000, 10_000, 10_000, 1e6),
        (10_000, 10_000, 9_950, 9_950, 1e6),
        (6_630, 6_630, 6_500, 6_600, 1e6),
    ]
    market = market_of(
        bars={"000010": bars},
        basis=PriceBasis.RAW,
        splits={(2, "000010"): 1.5},
        bases={(2, "000010"): 6_630},
        signals={BUY: at(3, 1, (0, 0))},
    )
    parts = {
        "sizing": {"max_holdings": 1},
        "entry": {"rules": [{"id": "A", "formula": BUY}]},
        "execution": {"buy": "limit", "limit_offset": -0.01, "carry_unfilled_sessions": 1},
    }
    result = run_market(market, **parts)
    assert result.tables["orders"].select("shares_ordered", "shares_filled", "limit_krw").rows() == [(151, 151, 6_600)]
    market.splits = {(2, "000010"): 0.1}
    market.bases = {(2, "000010"): 99_500}
    tiny = run_market(market, cash=90_000, **parts)
    assert tiny.tables["orders"].select("shares_ordered", "status", "reason").rows() == [
        (9, "cancelled", "consolidated")
    ]


def test_fraction_without_a_base_is_paid_at_the_scaled_close(market_of: Any, run_market: Any) -> None:
    # 99 shares, 1 new for 2 old, no base published: half a share at 2 x 10,000 = 10,000
    market = market_of(
        bars={"000010": [(10_000, 10_000, 10_000, 10_000, 1e6)] * 2 + [(20_000, 20_000, 20_000, 20_000, 1e6)]},
        basis=PriceBasis.RAW,
        splits={(2, "000010"): 0.5},
        bases={(2, "000010"): np.nan},
        signals={BUY: at(3, 1, (0, 0))},
    )
    result = run_market(
        market, sizing={"max_holdings": 1, "max_weight": 0.99}, entry={"rules": [{"id": "A", "formula": BUY}]}
    )
    assert result.tables["ledger"].select("kind", "cash_delta_krw").rows()[-1] == ("fraction", 10_000)


def test_fraction_without_a_base_does_not_depend_on_a_live_order(market_of: Any, run_market: Any) -> None:
    # as above, with the sale of all 99 shares on its way at a limit that the day does not reach: 49 shares stay and
    # half a share is paid at 20,000
    market = market_of(
        bars={
            "000010": [(10_000, 10_000, 10_000, 10_000, 1e6)] * 2
            + [(20_000, 20_000, 20_000, 20_000, 1e6)]
            + [(20_000, 20_100, 20_000, 20_000, 1e6)]
        },
        basis=PriceBasis.RAW,
        splits={(2, "000010"): 0.5},
        bases={(2, "000010"): np.nan},
        signals={BUY: at(4, 1, (0, 0)), SELL: at(4, 1, (1, 0))},
    )
    result = run_market(
        market,
        sizing={"max_holdings": 1, "max_weight": 0.99},
        entry={"rules": [{"id": "A", "formula": BUY}]},
        exit={"rules": [{"id": "X", "formula": SELL}]},
        execution={"sell": "limit", "limit_offset": -0.05},
    )
    assert result.tables["ledger"].select("kind", "cash_delta_krw").rows()[1] == ("fraction", 10_000)
    assert result.tables["positions"].select("shares", "close_krw").rows()[1] == (49, 20_000)


def test_stop_after_a_consolidation_without_a_base(market_of: Any, run_market: Any) -> None:
    # 99 bought at 10,000; 1 new for 10 old without a published base: the average is 100,000, the 5 % stop 95,000. The
    # low of 94,000 is far above 9,500, but below that.
    market = market_of(
        bars={
            "000010": [(10_000, 10_000, 10_000, 10_000, 1e6)] * 2
            + [(100_000, 100_000, 94_000, 96_000, 1e6), (96_000, 96_000, 96_000, 96_000, 1e6)]
        },
        basis=PriceBasis.RAW,
        splits={(2, "000010"): 0.1},
        bases={(2, "000010"): np.nan},
        signals={BUY: at(4, 1, (0, 0))},
    )
    result = run_market(
        market,
        sizing={"max_holdings": 1, "max_weight": 0.99},
        entry={"rules": [{"id": "A", "formula": BUY}]},
        exit={"stop": {"level": 0.05}},
    )
    assert result.tables["ledger"].select("kind", "cash_delta_krw").rows()[1:] == [
        ("fraction", 90_000),
        ("sell", 855_000),
    ]
