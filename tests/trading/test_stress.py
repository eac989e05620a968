"""Stress of a book: by hand, and the table of scenarios against the closes of the indices themselves."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from stocklab.errors import InputError
from stocklab.trading import (
    BITCOIN,
    SCENARIOS,
    ChangeBasis,
    LiveWorth,
    MoveSource,
    ReturnHistory,
    RiskWindow,
    Scenario,
    Worth,
    beta,
    coins_on_sessions,
    limit_down_day,
    returns_of,
    sector_shocks,
    stress,
    value_at_risk,
)

BY_ID = {scenario.scenario_id: scenario for scenario in SCENARIOS}


def worth(symbol: str, krw: int, market: str = "KOSPI", sector: str = "") -> Worth:
    return Worth(symbol=symbol, market=market, worth_krw=Decimal(krw), sector=sector)


def histories(sessions: np.ndarray, own: dict[str, np.ndarray], indices: dict[str, np.ndarray]) -> list[ReturnHistory]:
    return [
        ReturnHistory(sessions=sessions, symbols=tuple(of), returns=np.column_stack(list(of.values())))
        for of in (own, indices)
    ]


def test_betas_and_what_is_not_known() -> None:
    sessions = np.datetime64("2025-01-01") + np.arange(300)
    index = np.random.default_rng(0).normal(0, 0.01, 300)
    young = np.full(300, np.nan)
    young[-119:] = 3 * index[-119:]  # one session too few
    changed = np.where(np.arange(300) < 50, -index, 0.5 * index)  # beta is of the last 250 alone
    own = {"a": 1.25 * index, "b": changed, "young": young, "wild": 2 * index, "KRW-ETH": index}
    history, indices = histories(sessions, own, {"KOSPI": index, "KOSDAQ": index, BITCOIN: index})
    book = LiveWorth(
        holdings=(
            worth("KRW-ETH", 900, "UPBIT"),
            worth("a", 1_000_000),
            worth("b", 1_000_000, "KONEX"),
            worth("wild", 1_000_000),
            worth("young", 1_000_000, "KOSDAQ"),
        ),
        cash_krw=Decimal(2_000_000),
    )
    (loss,) = stress(book, history, indices, [BY_ID["imf_1997"]])
    # KOSPI 792.29 -> 280.00 is -64.6594 %, KOSDAQ 1357.3 -> 734.8 is -45.8631 %
    assert [(effect.symbol, effect.effect_krw, effect.basis) for effect in loss.effects] == [
        ("a", -808_243, ChangeBasis.BETA),  # 1.25 x 64.6594
        ("b", -229_316, ChangeBasis.BETA),  # 0.5 x 45.8631: KONEX shares the fall of KOSDAQ
        ("wild", -1_000_000, ChangeBasis.BETA),  # 2 x 64.66 is more than all
        ("young", -458_631, ChangeBasis.ASSUMED_BETA),
    ]
    assert loss.not_covered == ("KRW-ETH",)  # there were no coins
    assert (loss.total_krw, loss.share) == (-2_496_190, pytest.approx(-2_496_190 / 6_000_900))
    assert [effect.beta for effect in loss.effects] == [pytest.approx(1.25), pytest.approx(0.5), pytest.approx(2), 1.0]
    (coins,) = stress(book, history, indices, [BY_ID["coins_2020"]])
    # bitcoin 7,911.43 -> 4,970.79 is -37.17 % of 900 won
    assert [(e.effect_krw, e.approximate) for e in coins.effects if e.symbol == "KRW-ETH"] == [(-335, True)]
    assert not any(e.approximate for e in coins.effects if e.symbol != "KRW-ETH")


def test_a_window_the_history_covers_is_replayed() -> None:
    sessions = np.array(["2024-07-31", "2024-08-01", "2024-08-02", "2024-08-05", "2024-08-06"], "M8[D]")
    own = {"a": np.array([0.5, 0.5, -0.1, -0.2, 0.5]), "b": np.array([0.0, np.nan, 0.0, np.nan, 0.0])}
    history, indices = histories(sessions, own, {"KOSPI": np.zeros(5)})
    book = LiveWorth(holdings=(worth("a", 1_000), worth("b", 1_000)))
    (loss,) = stress(book, history, indices, [BY_ID["august_2024"]])
    # after the close of the 1st: 0.9 x 0.8 = 0.72. Of b one return is unknown: the index, 2777.68 -> 2441.55
    assert [(effect.effect_krw, effect.basis) for effect in loss.effects] == [
        (-280, ChangeBasis.REPLAYED),
        (-121, ChangeBasis.ASSUMED_BETA),
    ]
    (before,) = stress(book, history.last(3), indices.last(3), [BY_ID["august_2024"]])  # begins after the 1st
    assert {effect.basis for effect in before.effects} == {ChangeBasis.ASSUMED_BETA}


def test_sectors_and_the_limit_down_day() -> None:
    holdings = (
        worth("a", 300, sector="Chips"),
        worth("b", 500, sector="Chips"),
        worth("c", 900, "KOSDAQ", "Bio"),
        worth("d", 100, "KONEX"),
        worth("e", 5_000, "UPBIT", "Coins"),
    )
    book = LiveWorth(holdings=holdings)
    shocks = sector_shocks(book, -0.5)
    assert [(loss.name, loss.total_krw) for loss in shocks] == [
        ("Coins", -2_500),
        ("Bio", -450),
        ("Chips", -400),
        ("", -50),
    ]
    day = limit_down_day(book, date(2026, 11, 20))
    assert day is not None
    assert (day.name, day.total_krw) == ("c", -270)  # coins have no limit
    assert limit_down_day(LiveWorth(holdings=holdings[3:]), date(2026, 11, 20)).total_krw == -15  # type: ignore[union-attr]
    assert limit_down_day(LiveWorth(holdings=holdings[4:]), date(2026, 11, 20)) is None
    with pytest.raises(InputError, match="fall from -1"):
        sector_shocks(book, 0.2)


def test_what_does_not_fit_is_refused() -> None:
    sessions = np.datetime64("2025-01-01") + np.arange(3)
    history, indices = histories(sessions, {"a": np.zeros(3)}, {"KOSPI": np.zeros(3)})
    with pytest.raises(InputError, match="same sessions"):
        stress(LiveWorth(holdings=()), history, indices.last(2))
    with pytest.raises(InputError, match="found NYSE"):
        stress(LiveWorth(holdings=(worth("a", 1, "NYSE"),)), history, indices)
    assert beta(np.ones(200), np.zeros(200)) is None  # an index that never moved has no slope


@pytest.mark.realdata
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.scenario_id)
def test_the_table_has_the_closes_of_its_sources(scenario: Scenario, real_data: Path) -> None:
    indices = pl.read_parquet(real_data / "krx_index_daily.parquet", columns=["date", "index", "close"])
    candles = pl.read_parquet(real_data / "upbit_krw_daily_2022_2025.parquet").filter(market=BITCOIN).sort("date")
    ends = np.array([scenario.start, scenario.end], "M8[D]")
    for name, move in scenario.moves.items():
        if move.source is MoveSource.KRX:
            levels = [indices.filter(index=name, date=day)["close"].item() for day in (scenario.start, scenario.end)]
        elif move.source is MoveSource.UPBIT:
            days = candles["date"].to_numpy().astype("M8[D]")
            levels = coins_on_sessions(ends, days, candles["close"].to_numpy()[:, None])[:, 0].tolist()
        else:
            continue
        assert [move.before, move.after] == levels


@pytest.mark.realdata
def test_beta_and_risk_of_real_holdings(real_data: Path) -> None:
    codes = ["000660", "005930", "035720"]
    bars = pl.scan_parquet(real_data / "krx_daily_2020_2026.parquet").filter(pl.col("code").is_in(codes))
    closes = bars.select("date", "code", "close").collect().pivot("code", index="date", values="close").sort("date")
    index = pl.read_parquet(real_data / "krx_index_daily.parquet").filter(index="KOSPI").select("date", kospi="close")
    table = closes.join(index, on="date").sort("date").drop_nulls()
    sessions = table["date"].to_numpy().astype("M8[D]")
    returns = returns_of(table.select(codes).to_numpy().astype(np.float64))
    market = returns_of(table["kospi"].to_numpy())
    history, indices = histories(sessions, dict(zip(codes, returns.T, strict=True)), {"KOSPI": market})
    book = LiveWorth(holdings=tuple(worth(code, 1_000_000) for code in codes))
    covid, august = stress(book, history, indices, [BY_ID["covid_2020"], BY_ID["august_2024"]])
    replayed = table.filter(date=date(2024, 8, 5)).select(codes).row(0)
    before = table.filter(date=date(2024, 8, 1)).select(codes).row(0)
    for effect, after, start in zip(august.effects, replayed, before, strict=True):
        assert effect.basis is ChangeBasis.REPLAYED
        assert_allclose(effect.effect_krw, 1_000_000 * (after / start - 1), atol=0.51)
    assert covid.total_krw < -600_000  # the index alone fell by 36 %
    for i, code in enumerate(codes):
        slope = stats.linregress(market[-250:], returns[-250:, i]).slope
        assert_allclose(beta(returns[:, i], market), slope), code
    risk = value_at_risk(book, history, RiskWindow(sessions=500))
    losses = -1_000_000 * returns[-500:].sum(axis=1)
    for level in risk.levels:
        assert_allclose(level.historical_var_krw, np.quantile(losses, level.level, method="inverted_cdf"))
