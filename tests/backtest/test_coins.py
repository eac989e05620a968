"""Coins: ledgers worked out by hand to 0.00000001 won, what coins do not have, and runs on recorded candles."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from stocklab.backtest.result import in_floats
from stocklab.cli import main
from stocklab.errors import InputError
from stocklab.factors import Wanted, evaluate
from stocklab.market.panel import PriceBasis
from stocklab.market.upbit import coin_tick_size
from stocklab.strategy import parse_document

BUY, SELL = "close>1", "close<1"
UPBIT = {"markets": ["UPBIT"], "min_listed_sessions": 0, "exclude": []}
ENTRY = {"rules": [{"id": "A", "formula": BUY}]}
LEAVE = {"rules": [{"id": "X", "formula": SELL}]}


def at(n: int, m: int, *cells: tuple[int, int]) -> np.ndarray:
    """1 at the cells (session, symbol), else 0."""
    values = np.zeros((n, m))
    for cell in cells:
        values[cell] = 1
    return values


def flat(*prices: float, volume: float = 1e9) -> list[tuple[float, ...]]:
    """Bars that stand at a price."""
    return [(price, price, price, price, volume) for price in prices]


def coins(market_of: Any, start: date, bars: dict[str, Any], **signals: Any) -> Any:
    return market_of(bars=bars, start=start, basis=PriceBasis.COIN, signals=signals)


def test_one_round_trip_over_a_boundary_of_the_ticks(market_of: Any, run_market: Any) -> None:
    # Decided on Sunday 2024-01-28 at 998. Since the 29th the tick below 1,000 won is 0.1: 998 x 1.001 = 998.998 -> 999.0.
    # A coin costs 999 x 1.0005 = 999.4995, so 1,000,000 won order 1000.50075062 of them.
    # The open of the 29th is 999.5: x 1.001 = 1000.4995 lies in the upper band, whose tick is 1 -> 1001. A coin costs
    # 1001 x 1.0005 = 1001.5005; 998.50174812 coins cost 999500.24986812 (...868, rounded down) and a commission of
    # 499.75012493 (...9301...); 0.00000695 won are left, less than the next 0.00000001 coin.
    # The exit rule holds on the 30th. The open of the 31st is 985.3: x 0.999 = 984.3147 -> 984.3. 998.50174812 x 984.3 =
    # 982825.270674516 -> ...451; commission x 0.0005 = 491.4126353... -> ...525 ; no tax.
    market = coins(
        market_of,
        date(2024, 1, 28),
        {
            "KRW-AAA": [
                (990.0, 998.0, 980.0, 998.0, 1e7),
                (999.5, 1002.0, 990.1, 1001.5, 1e7),
                (1001.0, 1001.0, 990.1, 990.1, 1e7),
                (985.3, 986.0, 984.0, 985.3, 1e7),
                (985.3, 986.0, 984.0, 985.3, 1e7),
            ]
        },
        **{BUY: at(5, 1, (0, 0)), SELL: at(5, 1, (2, 0))},
    )
    result = run_market(
        market,
        universe=UPBIT,
        entry=ENTRY,
        exit=LEAVE,
        sizing={"max_holdings": 1},
        costs={"commission_rate": 0.0005, "slippage_rate": 0.001},
    )
    d = Decimal
    assert result.tables["orders"].rows() == [
        (
            1, date(2024, 1, 28), date(2024, 1, 29), "KRW-AAA", "buy", d("1000.50075062"), d("998.50174812"), None,
            "partial", "cash",
        ),
        (
            2, date(2024, 1, 30), date(2024, 1, 31), "KRW-AAA", "sell", d("998.50174812"), d("998.50174812"), None,
            "filled", "",
        ),
    ]  # fmt: skip
    assert result.tables["trades"].drop("order_id").rows() == [
        (
            date(2024, 1, 29), "KRW-AAA", "UPBIT", "buy", d("998.50174812"), d(1001), d("999500.24986812"),
            d("499.75012493"), d(0), d(0), "entry", "A",
        ),
        (
            date(2024, 1, 31), "KRW-AAA", "UPBIT", "sell", d("998.50174812"), d("984.3"), d("982825.27067451"),
            d("491.41263533"), d(0), d(0), "exit_rule", "X",
        ),
    ]  # fmt: skip
    assert result.tables["ledger"].drop("symbol", "session").rows() == [
        ("buy", d("-999500.24986812")),
        ("commission", d("-499.75012493")),
        ("sell", d("982825.27067451")),
        ("commission", d("-491.41263533")),
    ]
    assert result.tables["daily"]["cash_krw"].to_list() == [
        d(1_000_000),
        d("0.00000695"),
        d("0.00000695"),
        d("982333.85804613"),
        d("982333.85804613"),
    ]
    assert result.tables["daily"]["holdings_krw"].to_list() == [
        d(0),
        d("999999.50074218"),
        d("988616.58081361"),
        d(0),
        d(0),
    ]
    assert {str(day) for day in result.tables["daily"]["session"]} >= {"2024-01-28"}, "Sunday is a session"
    schema = result.tables["trades"].schema
    assert (schema["shares"], schema["price_krw"]) == (pl.Decimal(38, 12), pl.Decimal(38, 12))
    assert (schema["amount_krw"], result.tables["daily"].schema["cash_krw"]) == (pl.Decimal(38, 8), pl.Decimal(38, 8))
    assert in_floats(result.tables["trades"])["shares"][0] == 998.50174812
    # what may be withdrawn is all of it at once: nothing waits for a settlement
    assert result.tables["deposits"]["withdrawable_krw"].to_list() == result.tables["daily"]["cash_krw"].to_list()
    figures = result.metrics
    assert (figures["profit_krw"], figures["commission_krw"], figures["tax_krw"]) == (-17_666, 991, 0)
    assert figures["total_return"] == pytest.approx(982333.85804613 / 1e6 - 1, abs=1e-15)
    assert result.card["price_basis"] == "coin"


@pytest.mark.parametrize(
    ("money", "price", "sent"),
    [
        (4_999, 1_000.0, False),
        (5_000, 8.0, True),  # 625 coins are worth 5,000 won
        (5_000, 7.0, False),  # 714.28571428 coins are worth 4,999.99999996 won
        (5_001, 7.0, True),
    ],
)
def test_a_purchase_below_the_smallest_order_is_not_sent(
    market_of: Any, run_market: Any, money: int, price: float, sent: bool
) -> None:
    market = coins(market_of, date(2025, 8, 1), {"KRW-AAA": flat(*[price] * 3)}, **{BUY: at(3, 1, (0, 0))})
    sizing = {"max_holdings": 1, "method": "fixed_krw", "amount_krw": money}
    result = run_market(market, universe=UPBIT, entry=ENTRY, sizing=sizing)
    endings = result.tables["orders"].select("status", "reason").rows()
    assert endings == [("filled", "") if sent else ("unfilled", "minimum_order")]
    assert result.tables["trades"].height == sent
    assert result.card["counts"]["reasons"] == ({} if sent else {"minimum_order": 1})


def test_a_sale_below_the_smallest_order_waits_and_is_written_down_once(market_of: Any, run_market: Any) -> None:
    # 6 coins at 1,000 won; at 800 they are worth 4,800, at 900 again 5,400
    market = coins(
        market_of,
        date(2025, 8, 1),
        {"KRW-AAA": flat(1_000.0, 1_000.0, 800.0, 800.0, 900.0, 900.0)},
        **{BUY: at(6, 1, (0, 0)), SELL: at(6, 1, (2, 0), (3, 0), (4, 0))},
    )
    sizing = {"max_holdings": 1, "method": "fixed_krw", "amount_krw": 6_000}
    result = run_market(market, universe=UPBIT, entry=ENTRY, exit=LEAVE, sizing=sizing)
    assert result.tables["orders"].select("decided", "side", "status", "reason").rows() == [
        (date(2025, 8, 1), "buy", "filled", ""),
        (date(2025, 8, 3), "sell", "unfilled", "minimum_order"),
        (date(2025, 8, 5), "sell", "filled", ""),
    ]
    assert result.tables["daily"]["equity_krw"][-1] == 1_000_000 - 6_000 + 5_400


def test_no_price_limit_and_a_share_of_the_volume(market_of: Any, run_market: Any) -> None:
    # the price triples overnight, and 10 % of 0.5 coins are 0.05
    bars = {"KRW-AAA": [*flat(100_000.0), (300_000.0, 300_000.0, 290_000.0, 300_000.0, 0.5), *flat(300_000.0)]}
    market = coins(market_of, date(2025, 8, 1), bars, **{BUY: at(3, 1, (0, 0))})
    result = run_market(market, universe=UPBIT, entry=ENTRY, sizing={"max_holdings": 1})
    assert result.tables["orders"].select("shares_filled", "status", "reason").rows() == [
        (Decimal("0.05"), "partial", "participation")
    ]


def test_a_day_without_a_candle_is_a_halt(market_of: Any, run_market: Any) -> None:
    market = coins(
        market_of,
        date(2025, 8, 1),
        {"KRW-AAA": [*flat(1_000.0), None, *flat(1_100.0, 1_100.0)]},
        **{BUY: at(4, 1, (0, 0), (1, 0))},
    )
    result = run_market(market, universe=UPBIT, entry=ENTRY, sizing={"max_holdings": 1})
    assert result.tables["orders"].select("session", "status", "reason").rows()[0] == (
        date(2025, 8, 2), "unfilled", "halted",
    )  # fmt: skip
    assert result.tables["trades"]["session"].to_list() == [date(2025, 8, 3)]


def test_weeks_begin_on_monday_and_months_on_the_first(market_of: Any, run_market: Any) -> None:
    # 2025-08-01 is a Friday; a book of two coins that double against each other is rebalanced at the first session
    n = 12
    bars = {"KRW-AAA": flat(*[1_000.0 * 1.1**t // 1 for t in range(n)]), "KRW-BBB": flat(*[1_000.0] * n)}
    market = coins(market_of, date(2025, 7, 28), bars, **{BUY: np.ones((n, 2))})
    for period, days in (("weekly", {4}), ("monthly", {1})):
        result = run_market(
            market,
            universe=UPBIT,
            entry=ENTRY,
            sizing={"max_holdings": 2, "weight": 0.4, "method": "fixed_weight"},
            rebalancing={"mode": "target", "period": period},
        )
        sold = result.tables["trades"].filter(pl.col("side") == "sell")["session"].to_list()
        assert {day.day for day in sold} == days, period


def test_what_64_bits_cannot_count_is_an_error(market_of: Any, run_market: Any) -> None:
    market = coins(market_of, date(2025, 8, 1), {"KRW-AAA": flat(1.0, 1.0, 80.0, 100.0)}, **{BUY: at(4, 1, (0, 0))})
    parts = {"universe": UPBIT, "entry": ENTRY, "sizing": {"max_holdings": 1}, "execution": {"participation": 1}}
    with pytest.raises(InputError, match="at most 1,000,000,000 won, found 1,000,000,001"):
        run_market(market, cash=1_000_000_001, **parts)
    with pytest.raises(InputError, match="On 2025-08-04 the book was worth more than 90,000,000,000 won"):
        run_market(market, cash=1_000_000_000, **parts)
    assert run_market(market, cash=800_000_000, **parts).tables["daily"]["equity_krw"][-1] == 80_000_000_000


def test_before_the_first_rules_no_run_begins(market_of: Any, run_market: Any) -> None:
    market = coins(market_of, date(2021, 12, 30), {"KRW-AAA": flat(*[1_000.0] * 5)}, **{BUY: at(5, 1, (0, 0))})
    with pytest.raises(InputError, match="known from 2022-01-01 on, found the session 2021-12-30"):
        run_market(market, universe=UPBIT, entry=ENTRY)
    assert run_market(market, first=2, universe=UPBIT, entry=ENTRY).tables["daily"].height == 3


# --- recorded candles ---------------------------------------------------------------------------------------------------

CROSS = {
    "name": "Above the 50-day average",
    "universe": {"markets": ["UPBIT"]},
    "entry": {"rules": [{"id": "A", "formula": "sma(close,20)>sma(close,50)"}]},
    "exit": {"rules": [{"id": "X", "formula": "sma(close,20)<sma(close,50)"}], "stop": {"level": 0.1}},
    "ranking": {"factors": [{"formula": "ret(close,30)"}]},
    "sizing": {"max_holdings": 3},
}
START, END = date(2022, 1, 1), date(2025, 9, 29)


def test_the_example_of_the_documents_is_a_strategy_of_coins() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs/simulator.md").read_text(encoding="utf-8")
    example = parse_document(text.split("```json\n")[1].split("```")[0])
    assert example.universe.of_coins
    assert (example.costs.commission_rate, example.benchmark) == (0.0005, "KRW-BTC")
    assert [kind.value for kind in example.universe.exclude] == ["halted"]


def test_calendar_and_market_of_formulas_are_those_of_coins(market_of: Any) -> None:
    panel = coins(market_of, date(2024, 2, 28), {"KRW-AAA": flat(1.0, 2.0, 3.0)})
    panel.index = [10.0, 20.0, 30.0]
    wanted = [Wanted(formula, "value") for formula in ("cal_tdom", "cal_tdleft", "mkt_close")]
    tdom, tdleft, market = evaluate(wanted, panel.panel(), threads=1)
    assert tdom[:, 0].tolist() == [28, 29, 1]
    assert tdleft[:, 0].tolist() == [1, 0, 30]
    assert market[:, 0].tolist() == [10, 20, 30]


@pytest.fixture
def coin_run(
    real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    """Import the candles and run a document, both by the command line; the exported files."""
    monkeypatch.setenv("STOCKLAB_HOME", str(tmp_path / "home"))
    assert main(["data", "import", str(real_data / "upbit_krw_daily_2022_2025.parquet")]) == 0

    def run(document: dict[str, Any]) -> tuple[dict[str, pl.DataFrame], dict[str, Any]]:
        path, out = tmp_path / "strategy.json", tmp_path / "out"
        path.write_text(json.dumps(document), encoding="utf-8")
        assert main(["backtest", str(path), "--start", str(START), "--end", str(END), "--out", str(out)]) == 0
        capsys.readouterr()
        tables = {file.stem: pl.read_parquet(file) for file in out.glob("*.parquet")}
        return tables, json.loads((out / "metrics.json").read_text(encoding="utf-8"))

    return run


def floored(number: Decimal) -> Decimal:
    return number.quantize(Decimal("0.00000001"), rounding=ROUND_FLOOR)


@pytest.mark.realdata
def test_books_of_recorded_candles_balance_to_the_last_unit(coin_run: Any) -> None:
    tables, metrics = coin_run(CROSS)
    daily, trades, ledger = tables["daily"], tables["trades"], tables["ledger"]
    assert daily["session"].to_list() == [START + timedelta(days=t) for t in range((END - START).days + 1)]
    assert metrics["sessions_per_year"] == pytest.approx(365.25)
    assert trades.height > 100
    assert {day.weekday() for day in trades["session"].to_list()} == set(range(7))
    assert metrics["tax_krw"] == 0
    assert set(ledger["kind"]) == {"buy", "sell", "commission", "slippage"}
    cash, change = Decimal(100_000_000), dict.fromkeys(daily["session"].to_list(), Decimal(0))
    for session, delta in ledger.select("session", "cash_delta_krw").rows():
        change[session] += delta
    held = dict.fromkeys(daily["session"].to_list(), Decimal(0))
    for session, shares, close, value in tables["positions"].drop("symbol").rows():
        assert value == floored(shares * close)
        held[session] += value
    for session, in_cash, holdings, equity, _ in daily.rows():
        cash += change[session]
        assert (in_cash, holdings, equity) == (cash, held[session], cash + held[session])
        assert cash >= 0
    for row in trades.iter_rows(named=True):
        assert row["amount_krw"] == floored(row["shares"] * row["price_krw"])
        assert row["commission_krw"] == floored(row["amount_krw"] * Decimal("0.0005"))
        assert row["shares"] == floored(row["shares"])
        off_tick = row["price_krw"] % coin_tick_size(row["price_krw"], row["session"])
        # slippage puts a price on the tick, unless the day's own high or low, traded by orders of before a change of
        # the ticks, held it back
        assert off_tick == 0 or row["slippage_krw"] > 0


@pytest.mark.realdata
def test_bitcoin_bought_and_kept_is_its_price(coin_run: Any) -> None:
    # decided on 2022-01-01 at 57,915,000; the open of the 2nd is 57,915,000 too: 100,000,000 / 57,915,000 =
    # 1.72666839..., and the close of 2025-09-29 is what it is worth
    tables, _ = coin_run(
        {
            "name": "Bitcoin, kept",
            "universe": {"markets": ["UPBIT"], "symbols": ["KRW-BTC"], "min_listed_sessions": 0},
            "sizing": {"max_holdings": 1},
            "costs": {"commission_rate": 0, "slippage_rate": 0},
        }
    )
    bought = tables["trades"].row(0, named=True)
    assert (bought["session"], bought["shares"], bought["price_krw"]) == (
        date(2022, 1, 2), floored(Decimal(100_000_000) / 57_915_000), 57_915_000,
    )  # fmt: skip
    last = tables["daily"].row(-1, named=True)
    assert last["holdings_krw"] == floored(bought["shares"] * Decimal(int(last["benchmark"])))
