"""Statements of the demo issuers add up and become public when reports do."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import pytest

Frames = Mapping[str, pl.DataFrame]
KEY = ["symbol", "period_end", "statement_basis", "filed_on"]
CASH_FLOW = {"cfo", "cfi", "cff", "capex", "dep_amort", "dividends_paid", "share_issuance", "share_repurchase", "dps"}
PER_SHARE = {"dps", "eps_reported"}
# separate statements have no lines of owners beside their totals
OWNERS = {"net_income_parent", "equity_parent"}
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


INDEX = [*KEY, "fiscal_year", "fiscal_quarter", "filing_no"]


@pytest.fixture(scope="module")
def own(demo_frames: Frames) -> pl.DataFrame:
    """Rows about the period a filing reports, without the columns of the year before."""
    return demo_frames["statements"].filter(pl.col("period_end") == pl.col("period_end").max().over("filing_no"))


@pytest.fixture(scope="module")
def filings(own: pl.DataFrame) -> pl.DataFrame:
    """One row per report and basis, one column per item: flows of the fiscal year to date, and balances."""
    to_date = own.filter(pl.col("months").is_in([0]) | (pl.col("months") == 3 * pl.col("fiscal_quarter")))
    return to_date.pivot(on="item", index=INDEX, values="amount")


@pytest.fixture(scope="module")
def quarters(own: pl.DataFrame) -> pl.DataFrame:
    """The same for the three months of interim reports."""
    return own.filter(pl.col("months") == 3).pivot(on="item", index=INDEX, values="amount")


@pytest.fixture(scope="module")
def group(filings: pl.DataFrame) -> pl.DataFrame:
    """One basis per report: consolidated where there is one."""
    return filings.sort(KEY).unique(["symbol", "period_end", "filed_on"], keep="first", maintain_order=True)


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


def test_income_of_the_three_months_adds_up(quarters: pl.DataFrame) -> None:
    for total, parts in (("revenue", ("cogs", "gross_profit")), ("pretax_income", ("income_tax", "net_income"))):
        whole = quarters.drop_nulls([total, *parts])
        assert whole.height > 7_000
        assert whole.filter(pl.col(total) != pl.sum_horizontal(parts)).is_empty()


def test_reports_have_the_form_of_filings(own: pl.DataFrame) -> None:
    months = own.group_by("item", "fiscal_quarter").agg(pl.col("months").unique().sort())
    found = {(item, quarter): covered for item, quarter, covered in months.iter_rows()}
    balances = {item for (item, quarter), covered in found.items() if covered == [0]}
    assert {"total_assets", "shares_issued", "equity_parent"} <= balances
    for item in ITEMS - balances:
        # the annual report has no three months, the cash-flow statement and the dividend table never have
        interim = {2: [3, 6], 3: [3, 9]} if item not in CASH_FLOW else {2: [6], 3: [9]}
        assert {quarter: found[item, quarter] for quarter in (1, 2, 3, 4)} == {1: [3], **interim, 4: [12]}, item


def test_quarters_add_up_to_the_year_to_date(own: pl.DataFrame) -> None:
    """The newest version of each amount; an amended one stands in the later reports of its year too."""
    flows = own.filter(pl.col("months") > 0, ~pl.col("item").is_in(sorted(PER_SHARE)))
    newest = flows.sort(KEY).unique(["symbol", "period_end", "statement_basis", "item", "months"], keep="last")
    year = ["symbol", "statement_basis", "fiscal_year", "item"]
    parts = newest.filter(pl.col("months") == 3, ~pl.col("item").is_in(sorted(CASH_FLOW)))
    for quarter in (2, 3):
        before = parts.filter(pl.col("fiscal_quarter") <= quarter).group_by(year).agg(pl.len(), pl.col("amount").sum())
        to_date = newest.filter(pl.col("fiscal_quarter") == quarter, pl.col("months") == 3 * quarter)
        both = to_date.join(before.filter(pl.col("len") == quarter), on=year)
        assert both.height > 40_000
        assert both.filter(pl.col("amount") != pl.col("amount_right")).is_empty()


def test_cash_flow_explains_the_change_of_cash(group: pl.DataFrame) -> None:
    """Over the fiscal year to date, where no report of it was amended: one quarter then no longer fits the others."""
    amended = group.filter(pl.struct("symbol", "period_end").is_duplicated()).select("symbol", "fiscal_year").unique()
    steady = group.join(amended, on=["symbol", "fiscal_year"], how="anti")
    closing = steady.filter(pl.col("fiscal_quarter") == 4)
    opening = closing.select("symbol", "statement_basis", pl.col("fiscal_year") + 1, opening="cash")
    both = steady.join(opening, on=["symbol", "statement_basis", "fiscal_year"])
    assert both.height > 5_000
    gap = pl.col("cfo") + pl.col("cfi") + pl.col("cff") - (pl.col("cash") - pl.col("opening"))
    assert both.filter(gap.abs() > 4).is_empty()  # each quarter is rounded to a won


def test_filings_follow_their_period(demo_frames: Frames, filings: pl.DataFrame) -> None:
    first = filings.sort("filed_on").unique(["symbol", "period_end"], keep="first")
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


def test_receipts_are_numbered_by_day(demo_frames: Frames, own: pl.DataFrame) -> None:
    statements = demo_frames["statements"]
    assert set(statements["filed_source"]) == {"receipt"}
    assert statements["filing_no"].str.contains(r"^\d{14}$").all()
    assert (statements["filing_no"].str.head(8) == statements["filed_on"].dt.strftime("%Y%m%d")).all()
    by_number = own.group_by("filing_no").agg(pl.struct("symbol", "period_end", "filed_on").n_unique().alias("reports"))
    assert (by_number["reports"] == 1).all()
    assert own.select(pl.struct("symbol", "period_end", "filed_on").n_unique()).item() == by_number.height


def test_amended_filings_repeat_the_report_with_other_amounts(group: pl.DataFrame, own: pl.DataFrame) -> None:
    versions = group.sort("filed_on").group_by("symbol", "period_end", maintain_order=True)
    amended = versions.agg(pl.len(), first=pl.col("revenue").first(), last=pl.col("revenue").last())
    amended = amended.filter(pl.col("len") > 1)
    assert amended.height > 50
    assert (amended["len"] == 2).all()
    assert amended.filter(pl.col("first") == pl.col("last")).is_empty()
    lines = (
        own.sort(KEY)
        .group_by("symbol", "period_end", "filed_on")
        .agg(
            lines=pl.concat_str("statement_basis", "item", pl.col("months").cast(pl.String), separator=" ")
            .sort()
            .str.join(",")
        )
    )
    assert (lines.group_by("symbol", "period_end").agg(pl.col("lines").n_unique())["lines"] == 1).all()


def test_issuers_report_on_one_basis_or_both(filings: pl.DataFrame) -> None:
    bases = filings.group_by("symbol", "period_end", "filed_on").agg(pl.col("statement_basis").sort().str.join("+"))
    issuers = bases.group_by("symbol").agg(pl.col("statement_basis").unique())
    only = {one[0]: 0 for one in issuers["statement_basis"] if len(one) == 1}
    for one in issuers["statement_basis"]:
        if len(one) == 1:
            only[one[0]] += 1
    assert min(only["CFS"], only["OFS"], only["CFS+OFS"]) > 40
    assert only["CFS"] > only["OFS"]
    keys = ["symbol", "period_end", "filed_on"]
    both = filings.filter(pl.col("statement_basis") == "CFS").join(
        filings.filter(pl.col("statement_basis") == "OFS"), on=keys, suffix="_separate"
    )
    size = both.select(pl.col("total_assets_separate") / pl.col("total_assets")).to_series()
    assert both.height > 2_000
    assert 0.7 < size.min() < size.max() < 1.0
    assert both.filter(pl.col("shares_issued") != pl.col("shares_issued_separate")).is_empty()


def test_separate_statements_know_no_minority(own: pl.DataFrame) -> None:
    separate = own.filter(pl.col("statement_basis") == "OFS")
    assert not OWNERS & set(separate["item"])
    assert separate.filter(pl.col("item") == "minority", pl.col("amount") != 0).is_empty()


def test_first_consolidated_reports_repeat_the_year_before(demo_frames: Frames, filings: pl.DataFrame) -> None:
    bases = filings.sort("period_end", "statement_basis").group_by("symbol", maintain_order=True)
    order = bases.agg(pl.col("statement_basis"), pl.col("fiscal_quarter"), pl.col("period_end"), pl.col("filing_no"))
    starters = [
        row
        for row in order.iter_rows(named=True)
        if row["statement_basis"][0] == "OFS" and "CFS" in row["statement_basis"]
    ]
    assert 2 <= len(starters) <= 20
    statements = demo_frames["statements"]
    for row in starters:
        first = row["statement_basis"].index("CFS")
        assert set(row["statement_basis"][first:]) == {"CFS"}
        assert row["fiscal_quarter"][first] == 1
        end = row["period_end"][first]
        filed = statements.filter(pl.col("filing_no") == row["filing_no"][first])
        assert set(filed["statement_basis"]) == {"CFS"}
        assert filed["filed_on"].n_unique() == 1
        ends = dict(filed.group_by("period_end").agg(pl.col("months").unique().sort()).iter_rows())
        year_ago = end.replace(year=end.year - 1)
        year_end = max(day for day in ends if day < end)
        assert ends == {end: [0, 3], year_ago: [3], year_end: [0]}
        assert (end - year_end).days in (90, 91, 92)
        # the annual report of that year repeats twelve months and the balance, so that growth exists
        annual = next(place for place in range(first, len(row["filing_no"])) if row["fiscal_quarter"][place] == 4)
        repeated = statements.filter(pl.col("filing_no") == row["filing_no"][annual], pl.col("period_end") == year_end)
        assert set(repeated["months"]) == {0, 12}
        assert not {"dps", "shares_issued"} & set(repeated["item"])


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


def test_losses_dividends_and_seasons_exist(group: pl.DataFrame, quarters: pl.DataFrame) -> None:
    by_symbol = (
        group.filter(pl.col("fiscal_quarter") == 4)
        .group_by("symbol")
        .agg(pl.col("net_income").sum(), pl.col("dps").sum(), pl.len())
    )
    assert 0.05 < (by_symbol["net_income"] < 0).mean() < 0.5
    assert 0.3 < (by_symbol["dps"] > 0).mean() < 0.9
    assert group.filter(pl.col("fiscal_quarter") != 4, pl.col("dps") != 0).is_empty()
    usual = pl.col("revenue") / pl.col("revenue").rolling_mean(3).over("symbol", "statement_basis")
    seasonal = (
        quarters.sort(KEY).with_columns(usual=usual).group_by("symbol", "fiscal_quarter").agg(pl.col("usual").mean())
    )
    spread = seasonal.group_by("symbol").agg(spread=pl.col("usual").max() - pl.col("usual").min())
    assert spread["spread"].median() > 0.05


def test_delisted_for_eroded_capital_means_negative_equity(filings: pl.DataFrame, demo_frames: Frames) -> None:
    eroded = demo_frames["delistings"].filter(pl.col("reason") == "자본전액잠식")["symbol"]
    assert len(eroded) >= 2
    last = (
        filings.sort("period_end", "filed_on")
        .group_by("symbol", maintain_order=True)
        .agg(pl.col("total_equity").last(), pl.col("total_assets").min())
    )
    assert last.filter(pl.col("symbol").is_in(eroded.implode()), pl.col("total_equity") >= 0).is_empty()
    assert last["total_assets"].min() > 0


def test_issued_shares_are_the_listed_ones_of_all_classes(
    demo_frames: Frames, filings: pl.DataFrame, demo_bars: pl.DataFrame
) -> None:
    day = pl.date(2021, 6, 30)
    listed = demo_bars.filter(pl.col("session") == day).with_columns(issuer=pl.col("symbol").str.head(5) + "0")
    total = listed.group_by("issuer").agg(pl.col("shares_listed").sum())
    stated = filings.filter(pl.col("period_end") == day).join(total, left_on="symbol", right_on="issuer")
    assert stated.height > 200
    assert stated.filter(pl.col("shares_issued") != pl.col("shares_listed")).is_empty()
    # new shares of a bonus issue exist from the ex-date on, weeks before they list
    bonus = demo_frames["events"].filter(pl.col("kind") == "bonus").join(filings, on="symbol")
    between = bonus.filter(pl.col("session") <= pl.col("period_end")).sort("period_end").unique("symbol", keep="first")
    counted = demo_bars.filter(pl.col("symbol").is_in(bonus["symbol"].implode())).select(
        "symbol", "session", "shares_listed"
    )
    before = between.join(counted, on=["symbol", "session"])  # on the ex-date the listed count is the old one
    assert before.height >= 5
    assert before.filter(
        (pl.col("shares_issued") / pl.col("shares_listed") / pl.col("ratio") - 1).abs() > 1e-3
    ).is_empty()


def test_rights_issues_reach_equity(filings: pl.DataFrame, demo_frames: Frames) -> None:
    rights = demo_frames["events"].filter(pl.col("kind") == "rights").sort("session")
    paid = filings.join(rights.select("symbol", "session"), on="symbol").filter(
        pl.col("period_end") >= pl.col("session"), pl.col("period_end") < pl.col("session").dt.offset_by("3mo")
    )
    assert paid.height >= 12
    assert (paid["share_issuance"] > 0).all()
