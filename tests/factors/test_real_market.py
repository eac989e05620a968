"""Size, price and valuation factors on whole-market days of KRX, against plain polars over the same files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from reference import Filings

from stocklab.data import Store, import_paths, open_panel
from stocklab.factors import Wanted, evaluate, missing_inputs
from stocklab.market.fundamentals import Fundamentals
from stocklab.market.panel import Panel, PriceBasis

pytestmark = pytest.mark.realdata

SAMSUNG, SAMSUNG_PREFERRED = "005930", "005935"
UNIT = 1e11


def rolling(values: pl.Expr, days: int) -> pl.Expr:
    return values.rolling_mean(days).over("code", order_by="date")


EXPECTED = {
    "market_cap": pl.col("market_cap").cast(pl.Float64),
    "log_market_cap": pl.col("market_cap").log(),
    "listed_shares": pl.col("listed_shares").cast(pl.Float64),
    "price_level": pl.col("close").cast(pl.Float64),
    "trading_value_1d": pl.col("amount").cast(pl.Float64),
    "trading_value_5d": rolling(pl.col("amount").cast(pl.Float64), 5),
    "trading_value_20d": rolling(pl.col("amount").cast(pl.Float64), 20),
    "turnover_20d": 100 * rolling(pl.col("volume") / pl.col("listed_shares"), 20),
    "market_cap_pctile": 100 * (pl.col("market_cap").rank("average").over("date") - 1) / (pl.len().over("date") - 1),
}


@pytest.fixture(scope="module", params=[2021, 2024])
def window(request: pytest.FixtureRequest, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The file of a year's first weeks and its panel; that of 2021 leaves halted stocks out."""
    files = [real_data / f"marcap_{request.param}.parquet", real_data / "krx_sectors.parquet"]
    store = Store(tmp_path_factory.mktemp("marcap") / "home")
    import_paths(store, files)
    rows = pl.read_parquet(files[0])
    silent = pl.col("open") == 0  # no trade, whatever was booked after hours: volume and value are 0 (4.7)
    rows = rows.with_columns(
        pl.when(silent).then(0).otherwise(pl.col(name)).alias(name) for name in ("volume", "amount")
    )
    return rows, open_panel(store, basis=PriceBasis.RAW)


def as_table(panel: Panel, rows: pl.DataFrame, column: str) -> np.ndarray:
    out = np.full((panel.n_sessions, panel.n_symbols), np.nan)
    t = np.searchsorted(panel.sessions, rows["date"].to_numpy().astype("datetime64[D]"))
    out[t, np.searchsorted(np.asarray(panel.symbols), rows["code"].to_numpy())] = rows[column].to_numpy()
    return out


@pytest.mark.parametrize("factor", EXPECTED)
def test_factor_of_every_stock(factor: str, window: tuple[pl.DataFrame, Panel]) -> None:
    rows, panel = window
    expected = as_table(panel, rows.with_columns(EXPECTED[factor].alias("expected")), "expected")
    (found,) = evaluate([Wanted(factor, "value")], panel)
    both = ~np.isnan(expected) & ~np.isnan(found)
    np.testing.assert_allclose(found[both], expected[both], rtol=1e-9)
    days = 20 if "20d" in factor else 5 if "5d" in factor else 1
    whole = as_table(panel, rows.with_columns(pl.int_range(pl.len()).over("code", order_by="date").alias("bar")), "bar")
    sure = whole >= np.arange(panel.n_sessions)[:, None]  # on the list on every day so far
    sure[: days - 1] = False
    assert not np.isnan(found[sure]).any()
    assert sure.sum() > 2_000 * (panel.n_sessions - days)
    missing = np.isnan(found) & ~np.isnan(expected)
    assert missing.sum() < 0.02 * both.sum()  # windows over days without a row, which polars passes over


def test_the_issuer_s_preferred_classes_are_added(window: tuple[pl.DataFrame, Panel]) -> None:
    """A preferred class shares five characters with its common stock and does not end in 0."""
    rows, panel = window
    classes = rows.with_columns(issuer=pl.col("code").str.head(5), preferred=~pl.col("code").str.ends_with("0"))
    totals = classes.group_by("issuer", "date").agg(pl.col("market_cap").sum().cast(pl.Float64).alias("total"))
    common = classes.filter(~pl.col("preferred")).join(totals, on=["issuer", "date"])
    (found,) = evaluate([Wanted("total_market_cap", "value")], panel)
    expected = as_table(panel, common, "total")
    both = ~np.isnan(expected) & ~np.isnan(found)
    np.testing.assert_allclose(found[both], expected[both], rtol=1e-12)
    assert both.sum() > 0.95 * (~np.isnan(expected)).sum()


def test_what_the_files_do_not_hold_is_null_and_named(window: tuple[pl.DataFrame, Panel]) -> None:
    _, panel = window
    for factor, names in (
        ("float_ratio", ("shares_float",)),
        ("frgn_net_5d", ("frgn_net",)),
        ("days_to_cover", ("short_bal",)),
    ):
        assert missing_inputs(factor, panel) == names
        assert np.isnan(evaluate([Wanted(factor, "value")], panel)[0]).all()


# --- valuation of one issuer with a set of statements written by hand ---------------------------------------------------


def nine_quarters(first_year: int) -> list[dict[str, Any]]:
    """Reports of nine quarters, the last of them the third of the year before the window; amounts in 100 billion won.

    revenue 100, 110, ..., 180; gross profit 40 % of it, in the last four quarters 50 %; net income 10, then 12; owners'
    part 10, then 11; cash flow 20; assets 1000, 1020, ..., 1160; owners' equity 600, 610, ..., 680.
    """
    found = []
    for place in range(9):
        quarter = (place + 2) % 4 + 1
        year = first_year + (place + 2) // 4
        end = {1: date(year, 3, 31), 2: date(year, 6, 30), 3: date(year, 9, 30), 4: date(year, 12, 31)}[quarter]
        filed = {1: date(year, 5, 15), 2: date(year, 8, 14), 3: date(year, 11, 14), 4: date(year + 1, 3, 20)}[quarter]
        late = place >= 5
        revenue = 100 + 10 * place
        quarterly = {"revenue": revenue, "gross_profit": revenue * (0.5 if late else 0.4)}
        quarterly |= {"net_income": 12 if late else 10, "net_income_parent": 11 if late else 10, "cfo": 20}
        quarterly |= {"share_issuance": 0}
        balances = {"total_assets": 1000 + 20 * place, "equity_parent": 600 + 10 * place, "lt_debt": 100}
        balances |= {"current_assets": 500, "current_liabilities": 250}
        head = {"symbol": SAMSUNG, "period_end": end, "fiscal_year": year, "fiscal_quarter": quarter}
        head |= {"statement_basis": "CFS", "filed_on": filed}
        found += [{**head, "item": item, "months": 3, "amount": UNIT * value} for item, value in quarterly.items()]
        found += [{**head, "item": item, "months": 0, "amount": UNIT * value} for item, value in balances.items()]
    return found


def test_per_pbr_roe_and_f_score_by_hand(
    window: tuple[pl.DataFrame, Panel], fundamentals_from: Callable[..., Fundamentals]
) -> None:
    rows, panel = window
    filings = Filings(nine_quarters(int(str(panel.sessions[0])[:4]) - 3), [])
    known = fundamentals_from(filings, list(panel.symbols), panel.sessions, panel.fields["market"])
    panel = replace(panel, fundamentals=known)
    column = panel.column(SAMSUNG)
    factors = ("per", "pbr", "roe", "f_score", "earnings_yield", "psr")
    found = {
        factor: table[:, column]
        for factor, table in zip(factors, evaluate([Wanted(each, "value") for each in factors], panel), strict=True)
    }
    issuer = rows.filter(pl.col("code").is_in([SAMSUNG, SAMSUNG_PREFERRED]))
    total = issuer.group_by("date").agg(pl.col("market_cap").sum()).sort("date")["market_cap"].to_numpy().astype(float)
    assert len(total) == panel.n_sessions
    # owners' part of the last four quarters 4 x 11 = 44; owners' equity 680, a year ago 640; revenue 150+...+180 = 660
    np.testing.assert_allclose(found["per"], total / (44 * UNIT), rtol=1e-12)
    np.testing.assert_allclose(found["earnings_yield"], 100 * 44 * UNIT / total, rtol=1e-12)
    np.testing.assert_allclose(found["pbr"], total / (680 * UNIT), rtol=1e-12)
    np.testing.assert_allclose(found["psr"], total / (660 * UNIT), rtol=1e-12)
    np.testing.assert_allclose(found["roe"], 100 * 44 / 660, rtol=1e-12)  # mean equity (680 + 640) / 2 = 660
    # f_score: income 48 > 0; cash 80 > 0; 48/1080 > 40/1000; 80 > 48; debt 100/1120 < 100/1040; current ratio 2 is not
    # above 2; no shares issued; margin 330/660 > 200/500; turnover 660/1080 > 500/1000: eight of nine
    np.testing.assert_array_equal(found["f_score"], 8)
