"""Dividends, bonus shares, rights and settled cash, worked out by hand to the won."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from stocklab.market.entitlements import Entitlements
from stocklab.market.panel import PriceBasis

BUY, SELL = "close>1", "close<1"


def at(n: int, m: int, *cells: tuple[int, int]) -> np.ndarray:
    """1 at the cells (session, symbol), else 0."""
    values = np.zeros((n, m))
    for cell in cells:
        values[cell] = 1
    return values


def flat(*closes: int | None, volume: float = 1e6) -> list[tuple[float, ...] | None]:
    """Bars at one price a session; None = halted."""
    return [None if close is None else (close, close, close, close, volume) for close in closes]


def column(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def paying(*dividends: tuple[int, int, int, int], guessed: bool = False) -> Entitlements:
    """Dividends as (ex row, symbol, ten-thousandths of a won a share, row of payment)."""
    columns = [column(*values) for values in zip(*dividends, strict=True)]
    return Entitlements(
        dividend_row=columns[0],
        dividend_symbol=columns[1],
        dividend_units=columns[2],
        dividend_paid=columns[3],
        dividend_guessed=np.full(len(dividends), guessed),
        dividends_known=True,
    )


def bought_and_sold(n: int, sold: int | None = None) -> dict[str, np.ndarray]:
    """Bought at the open of row 1; the exit rule holds at the close of row ``sold``."""
    return {BUY: at(n, 1, (0, 0)), SELL: at(n, 1, *([] if sold is None else [(sold, 0)]))}


RULES: dict[str, Any] = {
    "sizing": {"max_holdings": 1},
    "entry": {"rules": [{"id": "A", "formula": BUY}]},
    "exit": {"rules": [{"id": "X", "formula": SELL}]},
    "execution": {"participation": 1},
}


def test_a_dividend_goes_to_who_held_before_the_ex_date_and_comes_when_it_is_paid(
    market_of: Any, run_market: Any
) -> None:
    # 1,000,000 / 10,000 = 100 shares from the open of row 1. Ex on row 2 at 123.4567 won: 100 x 123.4567 = 12,345.67,
    # rounded down 12,345; 15.4 % of it is 1,901.13 -> 1,901 withheld. Sold at the open of row 3, paid on row 4.
    market = market_of(
        bars={"000010": flat(10_000, 10_000, 9_900, 9_900, 9_900, 9_900)},
        basis=PriceBasis.RAW,
        signals=bought_and_sold(6, sold=2),
        entitlements=paying((2, 0, 1_234_567, 4)),
    )
    result = run_market(market, cash=1_000_000, **RULES)
    assert result.tables["ledger"].drop("symbol").rows() == [
        (date(2024, 3, 5), "buy", -1_000_000),
        (date(2024, 3, 7), "sell", 990_000),
        (date(2024, 3, 8), "dividend", 12_345),
        (date(2024, 3, 8), "dividend_tax", -1_901),
    ]
    assert result.tables["daily"]["equity_krw"].to_list() == [1_000_000] * 2 + [990_000] * 2 + [1_000_444] * 2
    assert result.metrics["dividends_krw"] == 10_444
    assert result.metrics["realized_profit_krw"] == -10_000  # of the trades alone
    facts = result.card["dividends"]
    assert (facts["paid"], facts["paid_krw"], facts["withheld_krw"], facts["due"]) == (1, 12_345, 1_901, 0)


@pytest.mark.parametrize(("ex", "paid"), [(1, 0), (3, 0), (2, 1)])
def test_who_buys_on_the_ex_date_or_sells_before_it_gets_nothing(
    market_of: Any, run_market: Any, ex: int, paid: int
) -> None:
    # bought at the open of row 1: not yet held at the close before row 1; sold at the open of row 2: still held at the
    # close before row 2, no longer at the close before row 3
    market = market_of(
        bars={"000010": flat(10_000, 10_000, 10_000, 10_000, 10_000)},
        basis=PriceBasis.RAW,
        signals=bought_and_sold(5, sold=1),
        entitlements=paying((ex, 0, 1_000_000, 4)),
    )
    assert run_market(market, cash=1_000_000, **RULES).card["dividends"]["paid"] == paid


def test_a_dividend_paid_after_the_run_is_named_and_not_in_equity(market_of: Any, run_market: Any) -> None:
    market = market_of(
        bars={"000010": flat(10_000, 10_000, 10_000)},
        basis=PriceBasis.RAW,
        signals=bought_and_sold(3),
        entitlements=paying((2, 0, 5_000_000, 3), guessed=True),
    )
    result = run_market(market, cash=1_000_000, **RULES)
    facts = result.card["dividends"]
    assert (facts["paid"], facts["due"], facts["due_krw"], facts["days_of_payment_expected"]) == (0, 1, 50_000, 1)
    assert result.tables["daily"]["equity_krw"][-1] == 1_000_000
    assert any("1 dividends (50,000 won before tax) are due after" in note for note in result.card["notes"])


def test_bonus_shares_count_at_once_and_are_sold_when_they_list(market_of: Any, run_market: Any) -> None:
    # 100 shares at 10,000. One new share for each on row 2: base 5,000, 200 shares worth as much; the new ones list on
    # row 5. The exit rule holds at the close of row 2: the old 100 go at the open of row 3, the new 100 at that of row 5.
    market = market_of(
        bars={"000010": flat(10_000, 10_000, 5_000, 5_100, 5_200, 5_300, 5_300)},
        basis=PriceBasis.RAW,
        splits={(2, "000010"): 2.0},
        bases={(2, "000010"): 5_000},
        signals=bought_and_sold(7, sold=2),
        entitlements=Entitlements(unlisted_row=column(2), unlisted_symbol=column(0), unlisted_until=column(5)),
    )
    result = run_market(market, cash=1_000_000, **RULES)
    assert result.tables["positions"].select("shares", "value_krw").rows() == [
        (100, 1_000_000),
        (200, 1_000_000),
        (100, 510_000),
        (100, 520_000),
    ]
    sales = result.tables["trades"].filter(side="sell").select("session", "shares", "price_krw", "reason", "rule")
    assert sales.rows() == [
        (date(2024, 3, 7), 100, 5_100, "exit_rule", "X"),
        (date(2024, 3, 11), 100, 5_300, "exit_rule", "X"),
    ]
    assert result.tables["daily"]["equity_krw"][-1] == 510_000 + 530_000
    assert result.metrics["realized_profit_krw"] == 40_000


def test_a_stop_leaves_unlisted_bonus_shares_to_their_first_session(market_of: Any, run_market: Any) -> None:
    # the stop at 4,500 is hit on row 3 and fills at the open of 4,000; the bonus shares are halted on the day they list
    market = market_of(
        bars={"000010": flat(10_000, 10_000, 5_000, 4_000, None, 3_000, 3_000)},
        basis=PriceBasis.RAW,
        splits={(2, "000010"): 2.0},
        bases={(2, "000010"): 5_000},
        signals=bought_and_sold(7),
        entitlements=Entitlements(unlisted_row=column(2), unlisted_symbol=column(0), unlisted_until=column(4)),
    )
    result = run_market(market, cash=1_000_000, **RULES | {"exit": {"stop": {"level": 0.1}}})
    sales = result.tables["trades"].filter(side="sell").select("session", "shares", "price_krw", "reason")
    assert sales.rows() == [(date(2024, 3, 7), 100, 4_000, "stop"), (date(2024, 3, 11), 100, 3_000, "stop")]


def test_rights_are_paid_at_what_they_take_off_the_price(market_of: Any, run_market: Any) -> None:
    # 100 shares at 10,000; the rights take the base to 9,300: 70,000 won in cash, and the stop of 5 % moves to
    # 9,500 x 0.93 = 8,835, so that the low of 9,000 does not touch it
    market = market_of(
        bars={"000010": [*flat(10_000, 10_000), (9_300, 9_300, 9_000, 9_200, 1e6), *flat(9_200)]},
        basis=PriceBasis.RAW,
        bases={(2, "000010"): 9_300},
        signals=bought_and_sold(4),
        entitlements=Entitlements(rights_row=column(2), rights_symbol=column(0)),
    )
    result = run_market(market, cash=1_000_000, **RULES | {"exit": {"stop": {"level": 0.05}}})
    assert result.tables["ledger"].drop("symbol").rows()[1:] == [(date(2024, 3, 6), "rights", 70_000)]
    assert result.tables["daily"]["equity_krw"].to_list()[1:] == [1_000_000, 990_000, 990_000]
    counts = result.card["counts"]
    assert (counts["rights_credited"], counts["base_price_moves_without_share_change"]) == (1, 0)


def test_a_split_of_fifty_for_one_with_a_fraction_and_a_spin_off(market_of: Any, run_market: Any) -> None:
    # 1,000,000 / 90,000 = 11 shares -> 550; no fraction. Then 3 for 7 at 4,200: 550 x 3 / 7 = 235 and 5/7 of a share at
    # 4,200 = 3,000 won. What looks like a spin-off is counted, not credited.
    market = market_of(
        bars={"000010": flat(90_000, 90_000, 1_800, 4_200, 4_200)},
        basis=PriceBasis.RAW,
        splits={(2, "000010"): 50.0, (3, "000010"): 3 / 7},
        bases={(2, "000010"): 1_800, (3, "000010"): 4_200},
        signals=bought_and_sold(5),
        entitlements=Entitlements(spin_off_row=column(4), spin_off_symbol=column(0)),
    )
    result = run_market(market, cash=1_000_000, **RULES)
    assert result.tables["positions"]["shares"].to_list() == [11, 550, 235, 235]
    assert result.tables["ledger"].drop("symbol").rows()[1:] == [(date(2024, 3, 7), "fraction", 3_000)]
    assert result.card["counts"]["spin_offs_while_held"] == 1
    assert result.tables["daily"]["equity_krw"][2] == 10_000 + 550 * 1_800


def test_cash_is_settled_two_sessions_after_the_trade(market_of: Any, run_market: Any) -> None:
    # bought for 1,000,000 on row 1 (paid on row 3), sold for 1,200,000 on row 3 (there on row 5)
    market = market_of(
        bars={"000010": flat(10_000, 10_000, 12_000, 12_000, 12_000, 12_000)},
        basis=PriceBasis.RAW,
        signals=bought_and_sold(6, sold=2),
    )
    result = run_market(market, cash=1_500_000, sizing={"max_holdings": 1, "cash_buffer": 0.3333333}, **{
        key: value for key, value in RULES.items() if key != "sizing"
    })  # fmt: skip
    assert result.tables["daily"]["cash_krw"].to_list() == [1_500_000] + [500_000] * 2 + [1_700_000] * 3
    assert result.tables["deposits"].drop("session").rows() == [
        (1_500_000, 1_500_000, 1_500_000, 1_500_000),
        (1_500_000, 1_500_000, 500_000, 500_000),
        (1_500_000, 500_000, 500_000, 500_000),
        (500_000, 500_000, 1_700_000, 500_000),
        (500_000, 1_700_000, 1_700_000, 500_000),
        (1_700_000, 1_700_000, 1_700_000, 1_700_000),
    ]


def test_adjusted_bars_book_nothing_of_it(market_of: Any, run_market: Any) -> None:
    market = market_of(
        bars={"000010": flat(10_000, 10_000, 9_300, 9_300)},
        signals=bought_and_sold(4),
        entitlements=paying((2, 0, 1_000_000, 3)),
    )
    result = run_market(market, cash=1_000_000, **RULES)
    assert result.tables["ledger"]["kind"].to_list() == ["buy"]
    assert any("cash dividends are not booked" in note for note in result.card["notes"])
