"""Recorded KRX events followed by hand through trades, positions and ledger; every figure is worked out in a comment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from stocklab.backtest import Result, RunRequest, simulate
from stocklab.data import Store, import_paths
from stocklab.data.panel_open import open_panel
from stocklab.factors import DirectSource
from stocklab.market.panel import Panel, PriceBasis
from stocklab.strategy.document import Strategy

pytestmark = pytest.mark.realdata

Follow = Callable[..., Result]


@pytest.fixture(scope="module")
def window(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Panel]:
    """The whole market as traded over some January-February windows, with what else is named."""
    opened: dict[tuple[str, ...], Panel] = {}

    def panel(*names: str) -> Panel:
        if names not in opened:
            store = Store(tmp_path_factory.mktemp("window"))
            import_paths(store, [real_data / f"{name}.parquet" for name in names])
            opened[names] = open_panel(store, basis=PriceBasis.RAW)
        return opened[names]

    return panel


def follow(panel: Panel, symbol: str, start: date, end: date, **parts: Any) -> Result:
    """One stock with a million won, 0.015 % commission and the dated tax, no slippage, no volume cap."""
    strategy = Strategy.model_validate(
        {
            "name": "by hand",
            "universe": {"symbols": [symbol], "min_listed_sessions": 0, "exclude": []},
            "sizing": {"max_holdings": 1},
            "costs": {"commission_rate": 0.00015, "tax": "dated", "slippage_rate": 0},
            "execution": {"participation": 1},
            **parts,
        }
    )
    request = RunRequest(strategy=strategy, start=start, end=end, initial_cash_krw=1_000_000)
    return simulate(panel, request, DirectSource(panel))


def trades(result: Result) -> list[tuple[Any, ...]]:
    return result.tables["trades"].select("session", "side", "shares", "price_krw", "reason").rows()


def ledger(result: Result) -> list[tuple[Any, ...]]:
    return result.tables["ledger"].drop("symbol").rows()


def held(result: Result, *days: date) -> list[tuple[Any, ...]]:
    found = result.tables["positions"].filter(pl.col("session").is_in(list(days)))
    return found.select("shares", "close_krw", "value_krw").rows()


def test_reduction_ten_for_one_whose_base_was_set_by_auction(window: Any) -> None:
    # 032800: 1,000,000 / (89 x 1.00015) = 11,234 shares on 2022-01-04. Halted at 86 from the 12th; on 02-04 646,808,660
    # shares became 64,680,866 and the base is 799, 9.29 times 86. 11,234 -> 1,123 and 4/10 of a share at 799 = 319 won.
    # Were the shares scaled by the price they would be 1,209. The sale decided in the halt (held for 7 sessions) waits:
    # 1,123 x 799 = 897,277 at the open; commission 134 (134.6), tax 0.23 % = 2,063 (2,063.7).
    result = follow(window("marcap_2022"), "032800", date(2022, 1, 3), date(2022, 2, 4), exit={"max_holding": 7})
    assert trades(result) == [
        (date(2022, 1, 4), "buy", 11_234, 89, "entry"),
        (date(2022, 2, 4), "sell", 1_123, 799, "max_holding"),
    ]
    assert ledger(result) == [
        (date(2022, 1, 4), "buy", -999_826),
        (date(2022, 1, 4), "commission", -149),
        (date(2022, 2, 4), "fraction", 319),
        (date(2022, 2, 4), "sell", 897_277),
        (date(2022, 2, 4), "commission", -134),
        (date(2022, 2, 4), "tax", -2_063),
    ]
    assert held(result, date(2022, 1, 11), date(2022, 1, 12), date(2022, 2, 3)) == [(11_234, 86, 966_124)] * 3
    sale = result.tables["orders"].filter(side="sell").select("decided", "session", "shares_ordered").rows()
    assert sale == [(date(2022, 1, 12), date(2022, 2, 4), 1_123)]


def test_bonus_two_for_one_whose_shares_list_three_weeks_later(window: Any) -> None:
    # 079370: base 17,600 on 2024-01-16 after a close of 52,800, 10,339,000 listed shares until 02-08, then three times
    # as many. 1,000,000 / 50,500 of the close of the 2nd = 19 shares, bought at 50,700; 57 from the 16th on. The
    # old 19 are sold on the 19th (12 sessions), the new 38 when they list. Tax 0.18 %: 586 (586.8) and 1,193 (1,193.5).
    panel = window("marcap_2024")
    result = follow(panel, "079370", date(2024, 1, 2), date(2024, 2, 8), exit={"max_holding": 12})
    assert trades(result) == [
        (date(2024, 1, 3), "buy", 19, 50_700, "entry"),
        (date(2024, 1, 19), "sell", 19, 17_160, "max_holding"),
        (date(2024, 2, 8), "sell", 38, 17_450, "max_holding"),
    ]
    assert held(result, date(2024, 1, 15), date(2024, 1, 16), date(2024, 1, 19), date(2024, 2, 7)) == [
        (19, 52_800, 1_003_200),
        (57, 17_770, 1_012_890),
        (38, 18_260, 693_880),
        (38, 17_540, 666_520),
    ]
    assert ledger(result) == [
        (date(2024, 1, 3), "buy", -963_300),
        (date(2024, 1, 3), "commission", -144),
        (date(2024, 1, 19), "sell", 326_040),
        (date(2024, 1, 19), "commission", -48),
        (date(2024, 1, 19), "tax", -586),
        (date(2024, 2, 8), "sell", 663_100),
        (date(2024, 2, 8), "commission", -99),
        (date(2024, 2, 8), "tax", -1_193),
    ]


def test_consolidation_and_split_of_a_holding(window: Any) -> None:
    # 003560: 2,487 shares become 829 on 2024-01-04, no fraction, inside a halt: 3,585 -> 10,760
    result = follow(window("marcap_2023", "marcap_2024"), "003560", date(2023, 1, 2), date(2024, 1, 5))
    assert trades(result) == [(date(2023, 1, 3), "buy", 2_487, 393, "entry")]
    assert held(result, date(2024, 1, 3), date(2024, 1, 4)) == [(2_487, 3_585, 8_915_895), (829, 10_760, 8_920_040)]
    # 060900: 999 shares become 1,998 on 2026-01-12 (39,910,734 -> 79,821,468), base 600 after 1,201
    result = follow(window("marcap_2025", "marcap_2026"), "060900", date(2025, 1, 2), date(2026, 1, 13))
    assert trades(result) == [(date(2025, 1, 3), "buy", 999, 1_000, "entry")]
    assert held(result, date(2026, 1, 9), date(2026, 1, 12)) == [(999, 1_201, 1_199_799), (1_998, 628, 1_254_744)]
    assert ledger(result) == [(date(2025, 1, 3), "buy", -999_000), (date(2025, 1, 3), "commission", -149)]


def test_a_stop_that_meets_two_locked_days_is_sold_at_the_first_open_after_them(window: Any) -> None:
    # 016790: bought at 4,950, stop at 4,455. 2024-01-17 and 18 all day at the lower limit (3,540 and 2,480): nobody buys.
    # 01-19 opens at 2,205: 201 x 2,205 = 443,205; commission 66, tax 0.18 % = 797. A stop at 4,455 would have kept 895,455.
    result = follow(
        window("marcap_2024"), "016790", date(2024, 1, 10), date(2024, 1, 19), exit={"stop": {"level": 0.1}}
    )
    assert trades(result) == [
        (date(2024, 1, 11), "buy", 201, 4_950, "entry"),
        (date(2024, 1, 19), "sell", 201, 2_205, "stop"),
    ]
    assert held(result, date(2024, 1, 16), date(2024, 1, 17), date(2024, 1, 18)) == [
        (201, 5_050, 1_015_050),
        (201, 3_540, 711_540),
        (201, 2_480, 498_480),
    ]
    assert ledger(result)[-3:] == [
        (date(2024, 1, 19), "sell", 443_205),
        (date(2024, 1, 19), "commission", -66),
        (date(2024, 1, 19), "tax", -797),
    ]
    assert result.tables["orders"].filter(side="sell").select("decided", "session", "status").rows() == [
        (date(2024, 1, 16), date(2024, 1, 19), "filled")
    ]


def test_nothing_is_bought_at_the_upper_limit_or_in_a_halt(window: Any) -> None:
    # 900260: 451, 586 and 761 were upper limits all day on 2022-01-03..05, the 6th was a halt; on the 7th it opened at 913
    result = follow(window("marcap_2022"), "900260", date(2022, 1, 3), date(2022, 1, 7))
    assert result.tables["orders"].select("session", "shares_filled", "reason").rows()[:3] == [
        (date(2022, 1, 4), 0, "limit_up"),
        (date(2022, 1, 5), 0, "limit_up"),
        (date(2022, 1, 6), 0, "halted"),
    ]
    assert trades(result) == [(date(2022, 1, 7), "buy", 1_095, 913, "entry")]


def test_a_delisting_pays_the_last_price_of_its_clean_up_trading(window: Any) -> None:
    # 010600 (audit opinion refused): seven sessions of clean-up trading without limits from 2026-01-15, 32 -> 11, gone on
    # the 26th. Ordered at 545 while halted: 1,834 shares, filled at 32; 1,834 x 11 = 20,174, no tax, no commission.
    panel = window("marcap_2026", "krx_delisted")
    result = follow(panel, "010600", date(2026, 1, 14), date(2026, 1, 28))
    assert trades(result) == [
        (date(2026, 1, 15), "buy", 1_834, 32, "entry"),
        (date(2026, 1, 26), "sell", 1_834, 11, "delisting"),
    ]
    assert ledger(result) == [
        (date(2026, 1, 15), "buy", -58_688),
        (date(2026, 1, 15), "commission", -8),
        (date(2026, 1, 26), "delisting", 20_174),
    ]
    assert result.card["counts"]["delisted_while_held"] == 1


def test_a_delisting_without_clean_up_bars_pays_nothing(real_data: Path, tmp_path: Path) -> None:
    # 024810 traded last on 2022-05-16 and its bars end on 2025-06-17; the delisting (continuity and transparency of the
    # business) came on 2025-09-10: held at the last close all the time, counted, then worth nothing
    bars = pl.read_parquet(real_data / "krx_daily_delisted.parquet").filter(code="024810")
    bars.write_parquet(tmp_path / "krx_daily_one.parquet")
    store = Store(tmp_path / "home")
    names = ("krx_delisted.parquet", "sample_krx_daily_60.parquet")
    import_paths(store, [tmp_path / "krx_daily_one.parquet", *(real_data / name for name in names)])
    panel = open_panel(store, basis=PriceBasis.ADJUSTED)
    result = follow(panel, "024810", date(2022, 5, 2), date(2025, 9, 12))
    opened = bars.filter(pl.col("date") == date(2022, 5, 3))["open"][0]
    end = bars.sort("date").row(-1, named=True)
    assert (end["date"], end["volume"]) == (date(2025, 6, 17), 0)
    (bought, gone) = trades(result)
    shares = bought[2]
    assert (bought[0], bought[3], bought[4]) == (date(2022, 5, 3), opened, "entry")
    assert gone == (date(2025, 9, 10), "sell", shares, 0, "delisting")
    assert held(result, date(2025, 6, 17), date(2025, 9, 9)) == [(shares, end["close"], shares * end["close"])] * 2
    assert result.card["counts"]["series_ended_early"] == 1
    assert [kind for _, kind, _ in ledger(result)] == ["buy", "commission"]
