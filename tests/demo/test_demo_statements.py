"""Statements of the demo issuers add up and become public when reports do."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import pytest

Frames = Mapping[str, pl.DataFrame]
KEY = ["symbol", "period_end", "filed_on"]
# every item of the factor catalogue, docs/factors.md section 3.3
ITEMS = {
    "revenue", "cogs", "gross_profit", "sga", "operating_income", "finance_income",
    "finance_costs", "interest_expense", "pretax_income", "income_tax", "net_income", "net_income_parent",
    "rnd_expense", "dep_amort", "cfo", "cfi", "cff", "capex",
    "dividends_paid", "share_repurchase", "share_issuance", "total_assets", "current_assets", "cash",
    "st_fin", "receivables", "inventories", "noncurrent_assets", "ppe", "intangibles",
    "total_liabilities", "current_liabilities", "noncurrent_liabilities", "payables", "st_debt", "lt_debt",
    "lease_liab", "total_equity", "equity_parent", "minority", "issued_capital", "capital_surplus",
    "retained_earnings", "dps", "shares_issued", "eps_reported",
}  # fmt: skip


@pytest.fixture(scope="module")
def filings(demo_frames: Frames) -> pl.DataFrame:
    """One row per filing, one column per item."""
    frame = demo_frames["statements"]
    index = [*KEY, "fiscal_year", "fiscal_quarter", "statement_basis"]
    return frame.pivot(on="item", index=index, values="amount")


def test_items_are_those_of_the_catalogue(demo_frames: Frames) -> None:
    assert set(demo_frames["statements"]["item"]) == ITEMS


def test_amounts_are_whole_and_known(demo_frames: Frames) -> None:
    amount = demo_frames["statements"]["amount"]
    assert amount.null_count() == 0
    assert amount.is_finite().all()
    assert (amount == amount.round()).all()


@pytest.mark.parametrize(
    ("total", "parts"),
    [
        ("total_assets", ("total_liabilities", "total_equity")),
        ("total_assets", ("current_assets", "noncurrent_assets")),
        ("total_liabilities", ("current_liabilities", "noncurrent_liabilities")),
        ("total_equity", ("equity_parent", "minority")),
        ("revenue", ("cogs", "gross_profit")),
        ("gross_profit", ("sga", "operating_income")),
        ("pretax_income", ("income_tax", "net_income")),
        ("equity_parent", ("issued_capital", "capital_surplus", "retained_earnings")),
    ],
)
def test_statements_balance_to_the_won(filings: pl.DataFrame, total: str, parts: tuple[str, ...]) -> None:
    whole = filings.drop_nulls([total, *parts])
    assert whole.height > 10_000
    assert whole.filter(pl.col(total) != pl.sum_horizontal(parts)).is_empty()


def test_cash_flow_explains_the_change_of_cash(filings: pl.DataFrame) -> None:
    first = filings.sort(KEY).unique(["symbol", "period_end"], keep="first", maintain_order=True)
    amended = filings.group_by("symbol", "period_end").len().filter(pl.col("len") > 1)
    quarterly = first.filter(pl.len().over("symbol") > 30).with_columns(
        change=pl.col("cash").diff().over("symbol"), gap=pl.col("period_end").diff().dt.total_days().over("symbol")
    )
    quarterly = quarterly.filter(pl.col("gap") < 100).join(amended, on=["symbol", "period_end"], how="anti")
    assert quarterly.height > 5_000
    assert quarterly.filter((pl.col("cfo") + pl.col("cfi") + pl.col("cff") - pl.col("change")).abs() > 2).is_empty()


def test_filings_follow_their_period(demo_frames: Frames, filings: pl.DataFrame) -> None:
    first = filings.sort(KEY).unique(["symbol", "period_end"], keep="first")
    delay = (first["filed_on"] - first["period_end"]).dt.total_days()
    assert delay.min() >= 30
    annual = first["fiscal_quarter"] == 4
    assert (delay.filter(~annual) <= 50).mean() > 0.9
    assert (delay.filter(annual) <= 95).mean() > 0.9
    late = pl.when(annual).then(delay > 100).otherwise(delay > 55)
    assert 50 < first.select(late.sum()).item() < 0.05 * len(delay)
    sessions = demo_frames["prices_raw"]["session"]
    assert first["filed_on"].max() <= sessions.max()
    left = filings.join(demo_frames["delistings"].select("symbol", "delisted_on"), on="symbol")
    assert left.filter(pl.col("filed_on") >= pl.col("delisted_on")).is_empty()


def test_amended_filings_come_later_with_other_amounts(filings: pl.DataFrame) -> None:
    versions = (
        filings.sort(KEY)
        .group_by("symbol", "period_end", maintain_order=True)
        .agg(pl.len(), first=pl.col("revenue").first(), last=pl.col("revenue").last())
    )
    amended = versions.filter(pl.col("len") > 1)
    assert amended.height > 50
    assert amended.filter(pl.col("first") == pl.col("last")).is_empty()
    assert filings.select(KEY).is_duplicated().sum() == 0


def test_every_common_share_files(demo_frames: Frames) -> None:
    instruments = demo_frames["instruments"]
    issuers = instruments.filter(
        pl.col("kind").is_in(["common", "foreign"]), pl.col("listed_on") < pl.date(2025, 1, 1)
    )["symbol"]
    filed = demo_frames["statements"]["symbol"].unique()
    assert set(issuers) <= set(filed)
    kinds = instruments.filter(pl.col("symbol").is_in(filed.implode()))["kind"]
    assert set(kinds) == {"common", "foreign"}


def test_history_reaches_back_for_yearly_growth(filings: pl.DataFrame, demo_frames: Frames) -> None:
    start = demo_frames["prices_raw"]["session"].min()
    old = filings.filter(pl.col("filed_on") < start).group_by("symbol").len()
    assert old["len"].max() >= 9


def test_financial_issuers_lack_the_lines_they_do_not_report(filings: pl.DataFrame, demo_frames: Frames) -> None:
    sector = demo_frames["instruments"].select("symbol", "sector", "market")
    financial = filings.join(sector, on="symbol").filter(pl.col("sector") == "금융")
    assert financial["symbol"].n_unique() >= 8
    for item in ("cogs", "gross_profit", "current_assets", "inventories"):
        assert financial[item].null_count() == financial.height
    assert financial["total_equity"].null_count() == 0


def test_konex_issuers_file_once_a_year(filings: pl.DataFrame, demo_bars: pl.DataFrame) -> None:
    always = demo_bars.group_by("symbol").agg(pl.col("market").unique()).filter(pl.col("market").list.len() == 1)
    konex = always.filter(pl.col("market").list.first() == "KONEX")["symbol"].implode()
    quarters = filings.filter(pl.col("symbol").is_in(konex))["fiscal_quarter"]
    assert len(quarters) > 20
    assert set(quarters) == {4}


def test_fiscal_calendar(filings: pl.DataFrame, demo_frames: Frames) -> None:
    dated = filings.join(demo_frames["instruments"].select("symbol", "settle_month"), on="symbol")
    closing = dated.filter(pl.col("fiscal_quarter") == 4)
    assert closing.filter(pl.col("period_end").dt.month() != pl.col("settle_month")).is_empty()
    assert closing.filter(pl.col("period_end").dt.year() != pl.col("fiscal_year")).is_empty()
    other = dated.filter(pl.col("settle_month") != 12)
    assert other["symbol"].n_unique() >= 8
    assert (dated["period_end"].dt.month_end() == dated["period_end"]).all()
    march = dated.filter(pl.col("settle_month") == 3, pl.col("period_end") == pl.date(2020, 6, 30))
    assert set(march.select("fiscal_year", "fiscal_quarter").iter_rows()) == {(2021, 1)}


def test_losses_dividends_and_seasons_exist(filings: pl.DataFrame) -> None:
    by_symbol = filings.group_by("symbol").agg(pl.col("net_income").sum(), pl.col("dps").sum(), pl.len())
    assert 0.05 < (by_symbol["net_income"] < 0).mean() < 0.5
    assert 0.3 < (by_symbol["dps"] > 0).mean() < 0.9
    assert filings.filter(pl.col("fiscal_quarter") != 4, pl.col("dps") != 0).is_empty()
    usual = pl.col("revenue") / pl.col("revenue").rolling_mean(4).over("symbol")
    seasonal = (
        filings.sort(KEY).with_columns(usual=usual).group_by("symbol", "fiscal_quarter").agg(pl.col("usual").mean())
    )
    spread = seasonal.group_by("symbol").agg(spread=pl.col("usual").max() - pl.col("usual").min())
    assert spread["spread"].median() > 0.05


def test_delisted_for_eroded_capital_means_negative_equity(filings: pl.DataFrame, demo_frames: Frames) -> None:
    eroded = demo_frames["delistings"].filter(pl.col("reason") == "자본전액잠식")["symbol"]
    assert len(eroded) >= 2
    last = filings.sort(KEY).group_by("symbol").agg(pl.col("total_equity").last(), pl.col("total_assets").min())
    assert last.filter(pl.col("symbol").is_in(eroded.implode()), pl.col("total_equity") >= 0).is_empty()
    assert last["total_assets"].min() > 0


def test_issued_shares_are_the_listed_ones_of_all_classes(filings: pl.DataFrame, demo_bars: pl.DataFrame) -> None:
    day = pl.date(2021, 6, 30)
    listed = demo_bars.filter(pl.col("session") == day).with_columns(issuer=pl.col("symbol").str.head(5) + "0")
    total = listed.group_by("issuer").agg(pl.col("shares_listed").sum())
    stated = filings.filter(pl.col("period_end") == day).join(total, left_on="symbol", right_on="issuer")
    assert stated.height > 200
    assert stated.filter(pl.col("shares_issued") != pl.col("shares_listed")).is_empty()


def test_rights_issues_reach_equity(filings: pl.DataFrame, demo_frames: Frames) -> None:
    rights = demo_frames["events"].filter(pl.col("kind") == "rights").sort("session")
    paid = filings.join(rights.select("symbol", "session"), on="symbol").filter(
        pl.col("period_end") >= pl.col("session"), pl.col("period_end") < pl.col("session").dt.offset_by("3mo")
    )
    assert paid.height >= 12
    assert (paid["share_issuance"] > 0).all()
