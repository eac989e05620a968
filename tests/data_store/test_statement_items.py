"""Lines of a full statement become items: the reading rules of docs/factors.md, sections 3.3 and 4.2."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stocklab.data.statement_items import RULES
from stocklab.data.statement_lines import StatementLine, items_of_statement, plain_label
from stocklab.factors.vocabulary import ITEMS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "factors.md"
UNTAGGED = "-표준계정코드 미사용-"
TABLE_ROW = re.compile(r"^\| `(\w+)` \|[^|]*\|[^|]*\| (flow|stock) \| (.*) \| (null|0) \| [^|]* \|$", re.MULTILINE)


def line(
    statement: str, account: str, current: float | None = None, label: str = "", **columns: float
) -> StatementLine:
    return StatementLine(statement=statement, account_id=account, label=label, current=current, **columns)


def read(quarter: int, *lines: StatementLine) -> dict[tuple[str, int, int], float]:
    """(item, months, quarters back) -> amount."""
    return {(one.item, one.months, one.quarters_back): one.amount for one in items_of_statement(lines, quarter)}


def read_one(item: str, *lines: StatementLine) -> float | None:
    months = 12 if ITEMS[item].flow else 0
    return read(4, *lines).get((item, months, 0))


def test_the_table_is_that_of_the_document() -> None:
    rows = {name: (ids, absent) for name, _, ids, absent in TABLE_ROW.findall(DOCUMENT.read_text(encoding="utf-8"))}
    assert set(rows) == set(ITEMS)
    not_in_statements = {"dps", "shares_issued"}  # from the tables of dividends and share counts
    assert set(RULES) == set(ITEMS) - not_in_statements
    for item, rule in RULES.items():
        ids, absent = rows[item][0].split("; disposal")[0], rows[item][1]  # what is not issuance
        documented = re.findall(r"`((?:ifrs-full|dart)_\w+)`", ids)
        ours = [one for choice in rule.choices for term in choice.terms for one in term]
        assert [one for one in ours if one in documented] == documented, item
        assert rule.zero_if_absent == (absent == "0"), item
        assert {f"abs(`{one}`)" in ids for one in documented} == {choice.absolute for choice in rule.choices} or (
            item == "interest_expense"
        )
        if "label" in ids:
            labels = re.sub(r"[()]", "", ids.split("label ")[1].split("`")[0])
            assert {re.sub(r"[()]", "", label) for label in rule.labels} >= set(labels.replace("/", " ").split())


def test_old_prefix_and_order_of_ids() -> None:
    assert read_one("revenue", line("IS", "ifrs_Revenue", 7)) == 7
    contracts = line("IS", "ifrs-full_RevenueFromContractsWithCustomers", 5)
    assert read_one("revenue", contracts, line("IS", "ifrs-full_Revenue", 8)) == 8
    assert read_one("revenue", contracts, line("IS", "ifrs-full_Revenue", None)) == 5  # the id is there, its amount not


def test_income_statement_before_comprehensive_income_and_never_changes_in_equity() -> None:
    total = line("CIS", "ifrs-full_ProfitLoss", 9)
    assert read_one("net_income", total, line("IS", "ifrs-full_ProfitLoss", 8)) == 8
    assert read_one("net_income", total) == 9
    assert read(4, line("SCE", "ifrs-full_ProfitLoss", 8), line("SCE", "ifrs-full_Equity", 5)) == {}


@pytest.mark.parametrize("account", [UNTAGGED, "", "entity00126380_udf_BS_20191231"])
def test_labels_where_the_filer_used_no_standard_id(account: str) -> None:
    tagged = line("BS", "ifrs-full_CurrentPortionOfLongtermBorrowings", 30, "유동성장기부채")
    assert read_one("st_debt", line("BS", account, 100, "  Ⅱ. 단기 차입금"), tagged) == 130
    assert read_one("revenue", line("IS", account, 50, "Ⅰ. 수익(매출액)")) == 50
    assert read_one("net_income", line("IS", account, -5, "당기순이익(손실)")) == -5
    # a label never speaks for a line that has a standard id of its own
    assert read_one("total_assets", line("BS", "ifrs-full_CurrentAssets", 4, "자산총계")) is None
    assert read_one("cash", line("BS", account, 3, "현금및현금성자산")) == 3


def test_labels_lose_spaces_and_numbering() -> None:
    names = ["Ⅰ.매출액", "I. 매출액", "1. 매출액", "(1) 매출액", "가. 매출액", "① 매출액", " 매 출 액 "]
    assert {plain_label(name) for name in names} == {"매출액"}


def test_sums_leave_out_subtotals() -> None:
    parts = [
        line("BS", "ifrs-full_ShorttermBorrowings", 100),
        line("BS", "dart_CurrentPortionOfBonds", 40),
    ]
    subtotal = line("BS", "ifrs-full_CurrentLoansReceivedAndCurrentPortionOfNoncurrentLoansReceived", 140)
    assert read_one("st_debt", subtotal, *parts) == 140
    assert read_one("st_debt", *parts, subtotal) == 140
    assert read_one("st_debt", *parts) == 140
    equal = line("BS", "ifrs-full_CurrentPortionOfLongtermBorrowings", 40)  # as large as one other line: no subtotal
    assert read_one("st_debt", *parts, equal) == 180
    total = line("BS", "ifrs-full_CurrentBorrowingsAndCurrentPortionOfNoncurrentBorrowings", 150)
    assert read_one("st_debt", *parts, total) == 150  # the filer's own total comes first


def test_outflows_with_either_sign() -> None:
    equipment = "ifrs-full_PurchaseOfPropertyPlantAndEquipmentClassifiedAsInvestingActivities"
    intangible = "ifrs-full_PurchaseOfIntangibleAssetsClassifiedAsInvestingActivities"
    assert read_one("capex", line("CF", equipment, -70), line("CF", intangible, 30)) == 100
    assert read_one("dividends_paid", line("CF", "ifrs-full_DividendsPaidClassifiedAsFinancingActivities", -9)) == 9


def test_absent_lines_are_zero_only_where_their_statement_is_there() -> None:
    balance = read(4, line("BS", "ifrs-full_Assets", 10, prior=8))
    assert (balance["inventories", 0, 0], balance["inventories", 0, 4]) == (0, 0)
    assert ("inventories", 0, 8) not in balance  # no column of two years ago
    assert ("receivables", 0, 0) not in balance
    assert ("capex", 12, 0) not in balance  # no cash-flow statement
    flow = read(4, line("CF", "ifrs-full_CashFlowsFromUsedInOperatingActivities", 10))
    assert (flow["capex", 12, 0], flow["share_issuance", 12, 0]) == (0, 0)
    assert ("dep_amort", 12, 0) not in flow  # depreciation is never 0


def test_tax_shown_as_a_negative_expense_is_turned() -> None:
    def tax(amount: float, after: float, *more: StatementLine) -> float | None:
        return read_one(
            "income_tax",
            line("IS", "ifrs-full_ProfitLossBeforeTax", 100),
            line("IS", "ifrs-full_IncomeTaxExpenseContinuingOperations", amount),
            line("IS", "ifrs-full_ProfitLoss", after),
            *more,
        )

    assert tax(22, 78) == 22
    assert tax(-22, 78) == 22
    assert tax(-10, 110) == -10  # a benefit
    discontinued = line("IS", "ifrs-full_ProfitLossFromContinuingOperations", 78)
    assert tax(-22, 60, discontinued) == 22
    assert tax(-22, 60) == -22  # nothing to tell by


def test_gross_profit_from_its_parts() -> None:
    parts = [line("IS", "ifrs-full_Revenue", 100), line("IS", "ifrs-full_CostOfSales", 70)]
    assert read_one("gross_profit", *parts) == 30
    assert read_one("gross_profit", *parts, line("IS", "ifrs-full_GrossProfit", 31)) == 31
    assert read_one("gross_profit", parts[0]) is None


def test_sums_with_alternatives() -> None:
    intangible = line("BS", "ifrs-full_IntangibleAssetsOtherThanGoodwill", 20)
    assert read_one("intangibles", intangible, line("BS", "dart_GoodwillGross", 5)) == 25
    both = [line("BS", "ifrs-full_Goodwill", 4), line("BS", "dart_GoodwillGross", 5)]
    assert read_one("intangibles", intangible, *both) == 24
    assert read_one("lease_liab", line("BS", "ifrs-full_LeaseLiabilities", 6)) == 6
    split = [line("BS", "ifrs-full_CurrentLeaseLiabilities", 2), line("BS", "ifrs-full_NoncurrentLeaseLiabilities", 3)]
    assert read_one("lease_liab", *split, line("BS", "ifrs-full_LeaseLiabilities", 6)) == 5
    right_of_use = line("BS", "ifrs-full_RightofuseAssets", 7)
    assert read_one("ppe", line("BS", "ifrs-full_PropertyPlantAndEquipment", 50), right_of_use) == 57
    depreciation = line("CF", "ifrs-full_AdjustmentsForDepreciationExpense", 11)
    assert read_one("dep_amort", depreciation, line("CF", "ifrs-full_AdjustmentsForAmortisationExpense", 4)) == 15


def test_interest_comes_from_one_line_in_every_column() -> None:
    paid = line("CF", "ifrs-full_InterestPaidClassifiedAsOperatingActivities", -80)
    assert read(3, paid) == {("interest_expense", 9, 0): 80, **_zero_flows(9)}
    found = read(3, line("IS", "ifrs-full_InterestExpense", 25), paid)
    # the nine months are not filled up from the cash-flow statement: another measure
    assert {key: amount for key, amount in found.items() if key[0] == "interest_expense"} == {
        ("interest_expense", 3, 0): 25
    }


def _zero_flows(months: int) -> dict[tuple[str, int, int], float]:
    return {(item, months, 0): 0 for item in ("capex", "dividends_paid", "share_repurchase", "share_issuance")}


def test_what_the_columns_of_an_interim_report_cover() -> None:
    found = read(
        2,
        line("BS", "ifrs-full_Assets", 10, prior=9),
        line("IS", "ifrs-full_Revenue", 50, to_date=95, prior=400, prior_quarter=44, prior_to_date=90),
        line("CF", "ifrs-full_CashFlowsFromUsedInOperatingActivities", 20, prior=77, prior_quarter=15),
    )
    wanted = {key: amount for key, amount in found.items() if key[0] in {"total_assets", "revenue", "cfo"}}
    assert wanted == {
        ("total_assets", 0, 0): 10,
        ("total_assets", 0, 2): 9,  # the last year end
        ("revenue", 3, 0): 50,
        ("revenue", 6, 0): 95,
        ("revenue", 3, 4): 44,
        ("revenue", 6, 4): 90,
        ("cfo", 6, 0): 20,
        ("cfo", 6, 4): 15,
    }


def test_first_quarter_has_one_amount_in_either_column() -> None:
    assert read(1, line("IS", "ifrs-full_CostOfSales", to_date=5, prior_to_date=4)) == {
        ("cogs", 3, 0): 5,
        ("cogs", 3, 4): 4,
    }
    assert read(1, line("IS", "ifrs-full_CostOfSales", 6, to_date=6)) == {("cogs", 3, 0): 6}


def test_what_the_columns_of_an_annual_report_cover() -> None:
    annual = line("CIS", "ifrs-full_CostOfSales", 12, prior=11, before_prior=10)
    assert read(4, annual) == {("cogs", 12, 0): 12, ("cogs", 12, 4): 11, ("cogs", 12, 8): 10}
