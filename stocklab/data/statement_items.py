"""Which lines of a full statement make each item: XBRL ids and Korean labels (docs/factors.md, section 3.3).

A table, read by `statement_lines`. Ids are those of the FSS taxonomy of 2024-06-30; the ones marked "old" circulate in
earlier filings only. Items without a row here (dividends per share, issued shares) come from other report tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

__all__ = ["BALANCE", "CASH", "CONTINUING_PROFIT", "INCOME", "RULES", "Choice", "Rule"]

Ids = tuple[str, ...]

BALANCE: Final = ("BS",)
INCOME: Final = ("IS", "CIS")  # in this order
CASH: Final = ("CF",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One way to read an item: the sum of its terms, each the first of its ids that the filing has.

    ``statements`` are searched in order. ``absolute``: the line is an outflow that filers show with either sign.
    """

    statements: tuple[str, ...]
    terms: tuple[Ids, ...]
    absolute: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How an item is read.

    Attributes
    ----------
    choices : the first that the filing has is used for all its columns
    labels : names of lines without a standard id. With ``summed`` they join the choice with several terms, else the
        first such line is used when no choice applies.
    summed : the item is a sum of lines; a line that equals the sum of the lines beside it is a subtotal and left out
    zero_if_absent : 0 where the statement exists but the line does not; else null
    """

    item: str
    statements: tuple[str, ...]
    choices: tuple[Choice, ...]
    labels: tuple[str, ...] = ()
    summed: bool = False
    absolute: bool = False
    zero_if_absent: bool = False


def _first(
    item: str, statements: tuple[str, ...], *ids: str, labels: str = "", absolute: bool = False, zero: bool = False
) -> Rule:
    """The first of several ids."""
    choices = tuple(Choice(statements=statements, terms=((one,),), absolute=absolute) for one in ids)
    return Rule(
        item=item,
        statements=statements,
        choices=choices,
        labels=tuple(labels.split()),
        absolute=absolute,
        zero_if_absent=zero,
    )


def _sum(
    item: str, statements: tuple[str, ...], *terms: Ids, labels: str = "", absolute: bool = False, zero: bool = True
) -> Rule:
    """The sum of several lines."""
    return Rule(
        item=item,
        statements=statements,
        choices=(Choice(statements=statements, terms=terms, absolute=absolute),),
        labels=tuple(labels.split()),
        summed=True,
        absolute=absolute,
        zero_if_absent=zero,
    )


def _choices(item: str, *choices: Choice, labels: str = "", summed: bool = False, zero: bool = False) -> Rule:
    """Several ways, in order."""
    return Rule(
        item=item,
        statements=choices[0].statements,
        choices=choices,
        labels=tuple(labels.split()),
        summed=summed,
        zero_if_absent=zero,
    )


_INCOME_RULES: Final = (
    _first(
        "revenue",
        INCOME,
        "ifrs-full_Revenue",
        "ifrs-full_RevenueFromContractsWithCustomers",
        "dart_TotalRevenue",  # old
        labels="매출액 수익(매출액) 영업수익 매출",
    ),
    _first("cogs", INCOME, "ifrs-full_CostOfSales", labels="매출원가"),
    _first("gross_profit", INCOME, "ifrs-full_GrossProfit", labels="매출총이익"),
    _first(
        "sga",
        INCOME,
        "dart_TotalSellingGeneralAdministrativeExpenses",
        "ifrs-full_SellingGeneralAndAdministrativeExpense",
        labels="판매비와관리비 판매비및관리비 판매비와일반관리비",
    ),
    _first(
        "operating_income",
        INCOME,
        "dart_OperatingIncomeLoss",
        "ifrs-full_ProfitLossFromOperatingActivities",
        "dart_OperatingIncomeProfitLoss",  # old
        "ifrs-full_OperatingIncomeLoss",  # old
        labels="영업이익 영업손익",
    ),
    _first("finance_income", INCOME, "ifrs-full_FinanceIncome", labels="금융수익"),
    _first("finance_costs", INCOME, "ifrs-full_FinanceCosts", labels="금융비용 금융원가"),
    _choices(
        "interest_expense",
        Choice(statements=INCOME, terms=(("dart_InterestExpenseFinanceExpense",),)),
        Choice(statements=INCOME, terms=(("ifrs-full_InterestExpense",),)),
        Choice(statements=CASH, terms=(("dart_AdjustmentsForInterestExpenses",),)),
        Choice(statements=CASH, terms=(("ifrs-full_AdjustmentsForInterestExpense",),)),
        Choice(statements=CASH, terms=(("ifrs-full_InterestPaidClassifiedAsOperatingActivities",),), absolute=True),
        Choice(statements=CASH, terms=(("ifrs-full_InterestPaidClassifiedAsFinancingActivities",),), absolute=True),
        labels="이자비용",
    ),
    _first(
        "pretax_income",
        INCOME,
        "ifrs-full_ProfitLossBeforeTax",
        labels="법인세비용차감전순이익 법인세차감전순이익 법인세비용차감전이익 법인세비용차감전계속사업이익",
    ),
    _first("income_tax", INCOME, "ifrs-full_IncomeTaxExpenseContinuingOperations", labels="법인세비용"),
    _first("net_income", INCOME, "ifrs-full_ProfitLoss", labels="당기순이익 분기순이익 반기순이익 당기순손익"),
    _first(
        "net_income_parent",
        INCOME,
        "ifrs-full_ProfitLossAttributableToOwnersOfParent",
        labels="지배기업의소유주에게귀속되는당기순이익 지배기업의소유주에게귀속되는분기순이익 "
        "지배기업의소유주에게귀속되는반기순이익 지배기업소유주지분순이익 지배주주순이익",
    ),
    _first(
        "rnd_expense",
        INCOME,
        "ifrs-full_ResearchAndDevelopmentExpense",
        "dart_OrdinaryDevelopmentExpenseSellingGeneralAdministrativeExpenses",
        "dart_OrdinaryDevelopmentExpense",
        labels="연구개발비 경상연구개발비 경상개발비",
    ),
    _first("eps_reported", INCOME, "ifrs-full_BasicEarningsLossPerShare", labels="기본주당이익 기본주당순이익"),
)

_CASH_RULES: Final = (
    _choices(
        "dep_amort",
        Choice(statements=CASH, terms=(("ifrs-full_AdjustmentsForDepreciationAndAmortisationExpense",),)),
        Choice(
            statements=CASH,
            terms=(
                ("ifrs-full_AdjustmentsForDepreciationExpense",),
                ("ifrs-full_AdjustmentsForAmortisationExpense",),
                ("dart_AdjustmentsForDepreciationRightofuseAssets",),
                ("dart_AdjustmentsForDepreciationInvestmentProperty",),
            ),
        ),
        Choice(statements=(*CASH, *INCOME), terms=(("ifrs-full_DepreciationAndAmortisationExpense",),)),
        labels="감가상각비 무형자산상각비 사용권자산상각비 사용권자산감가상각비 투자부동산감가상각비",
        summed=True,
    ),
    _first(
        "cfo",
        CASH,
        "ifrs-full_CashFlowsFromUsedInOperatingActivities",
        labels="영업활동현금흐름 영업활동으로인한현금흐름 영업활동순현금흐름",
    ),
    _first(
        "cfi",
        CASH,
        "ifrs-full_CashFlowsFromUsedInInvestingActivities",
        labels="투자활동현금흐름 투자활동으로인한현금흐름 투자활동순현금흐름",
    ),
    _first(
        "cff",
        CASH,
        "ifrs-full_CashFlowsFromUsedInFinancingActivities",
        labels="재무활동현금흐름 재무활동으로인한현금흐름 재무활동순현금흐름",
    ),
    _sum(
        "capex",
        CASH,
        ("ifrs-full_PurchaseOfPropertyPlantAndEquipmentClassifiedAsInvestingActivities",),
        ("ifrs-full_PurchaseOfIntangibleAssetsClassifiedAsInvestingActivities",),
        labels="유형자산의취득 무형자산의취득 유형자산취득 무형자산취득",
        absolute=True,
    ),
    _first(
        "dividends_paid",
        CASH,
        "ifrs-full_DividendsPaidClassifiedAsFinancingActivities",
        "ifrs-full_DividendsPaidClassifiedAsOperatingActivities",
        labels="배당금의지급 배당금지급 현금배당금의지급 현금배당금지급",
        absolute=True,
        zero=True,
    ),
    _first(
        "share_repurchase",
        CASH,
        "dart_AcquisitionOfTreasuryShares",
        "ifrs-full_PaymentsToAcquireOrRedeemEntitysShares",
        labels="자기주식의취득 자기주식취득",
        absolute=True,
        zero=True,
    ),
    _first(
        "share_issuance",
        CASH,
        "ifrs-full_ProceedsFromIssuingShares",
        labels="유상증자 주식의발행 보통주의발행",
        absolute=True,
        zero=True,
    ),
)

_ASSET_RULES: Final = (
    _first("total_assets", BALANCE, "ifrs-full_Assets", labels="자산총계"),
    _first("current_assets", BALANCE, "ifrs-full_CurrentAssets", labels="유동자산"),
    _first("cash", BALANCE, "ifrs-full_CashAndCashEquivalents", labels="현금및현금성자산"),
    _sum(
        "st_fin",
        BALANCE,
        (
            "ifrs-full_ShorttermDepositsNotClassifiedAsCashEquivalents",
            "dart_ShortTermDepositsNotClassifiedAsCashEquivalents",  # old
        ),
        ("ifrs-full_OtherCurrentFinancialAssets",),
        ("ifrs-full_CurrentFinancialAssetsAtFairValueThroughProfitOrLoss",),
        ("ifrs-full_CurrentFinancialAssetsAtAmortisedCost",),
        ("ifrs-full_CurrentFinancialAssetsMeasuredAtFairValueThroughOtherComprehensiveIncome",),
        labels="단기금융상품",
    ),
    _first(
        "receivables",
        BALANCE,
        "ifrs-full_CurrentTradeReceivables",
        "ifrs-full_TradeAndOtherCurrentReceivables",
        "dart_ShortTermTradeReceivable",
        labels="매출채권 매출채권및기타채권 매출채권및기타유동채권",
    ),
    _first("inventories", BALANCE, "ifrs-full_Inventories", "ifrs-full_InventoriesTotal", labels="재고자산", zero=True),
    _first("noncurrent_assets", BALANCE, "ifrs-full_NoncurrentAssets", labels="비유동자산"),
    _sum(
        "ppe",
        BALANCE,
        ("ifrs-full_PropertyPlantAndEquipment",),
        ("ifrs-full_RightofuseAssets",),
        labels="유형자산 사용권자산",
    ),
    _choices(
        "intangibles",
        Choice(statements=BALANCE, terms=(("ifrs-full_IntangibleAssetsAndGoodwill",),)),
        Choice(
            statements=BALANCE,
            terms=(
                ("ifrs-full_IntangibleAssetsOtherThanGoodwill",),
                ("ifrs-full_Goodwill", "dart_GoodwillGross"),
            ),
        ),
        labels="무형자산 영업권",
        summed=True,
        zero=True,
    ),
)

_DEBT_RULES: Final = (
    _first("total_liabilities", BALANCE, "ifrs-full_Liabilities", labels="부채총계"),
    _first("current_liabilities", BALANCE, "ifrs-full_CurrentLiabilities", labels="유동부채"),
    _first("noncurrent_liabilities", BALANCE, "ifrs-full_NoncurrentLiabilities", labels="비유동부채"),
    _first(
        "payables",
        BALANCE,
        "ifrs-full_TradeAndOtherCurrentPayablesToTradeSuppliers",
        "dart_ShortTermTradePayables",
        "ifrs-full_TradeAndOtherCurrentPayables",
        labels="매입채무 매입채무및기타채무 매입채무및기타유동채무",
    ),
    _choices(
        "st_debt",
        Choice(statements=BALANCE, terms=(("ifrs-full_CurrentBorrowingsAndCurrentPortionOfNoncurrentBorrowings",),)),
        Choice(
            statements=BALANCE,
            terms=(
                ("ifrs-full_ShorttermBorrowings",),
                ("ifrs-full_CurrentPortionOfLongtermBorrowings",),
                ("ifrs-full_CurrentLoansReceivedAndCurrentPortionOfNoncurrentLoansReceived",),
                ("ifrs-full_CurrentBondsIssuedAndCurrentPortionOfNoncurrentBondsIssued",),
                ("dart_CurrentPortionOfBonds",),
                ("dart_CurrentPortionOfConvertibleBonds",),
                ("dart_CurrentPortionOfBondWithWarrant",),
                ("dart_CurrentPortionOfExchangeableBond",),
            ),
        ),
        labels="단기차입금 유동성장기부채 유동성장기차입금 유동성사채",
        summed=True,
        zero=True,
    ),
    _sum(
        "lt_debt",
        BALANCE,
        ("ifrs-full_LongtermBorrowings", "dart_LongTermBorrowings"),  # the second is old
        ("dart_LongTermBorrowingsGross",),
        ("ifrs-full_NoncurrentPortionOfNoncurrentLoansReceived",),
        ("ifrs-full_BondsIssued", "dart_BondsIssued"),  # the second is old
        ("ifrs-full_NoncurrentPortionOfNoncurrentBondsIssued",),
        ("dart_BondsIssuedNominalValue",),
        ("dart_ConvertibleBonds",),
        ("dart_BondWithWarrant",),
        ("dart_ExchangeableBonds",),
        labels="장기차입금 사채",
    ),
    _choices(
        "lease_liab",
        Choice(
            statements=BALANCE,
            terms=(("ifrs-full_CurrentLeaseLiabilities",), ("ifrs-full_NoncurrentLeaseLiabilities",)),
        ),
        Choice(statements=BALANCE, terms=(("ifrs-full_LeaseLiabilities",),)),
        labels="유동리스부채 비유동리스부채 리스부채",
        summed=True,
        zero=True,
    ),
)

_EQUITY_RULES: Final = (
    _first("total_equity", BALANCE, "ifrs-full_Equity", labels="자본총계"),
    _first(
        "equity_parent",
        BALANCE,
        "ifrs-full_EquityAttributableToOwnersOfParent",
        labels="지배기업소유주지분 지배기업의소유주지분 지배기업의소유주에게귀속되는자본 지배주주지분",
    ),
    _first("minority", BALANCE, "ifrs-full_NoncontrollingInterests", labels="비지배지분", zero=True),
    _choices(
        "issued_capital",
        Choice(statements=BALANCE, terms=(("ifrs-full_IssuedCapital",),)),
        Choice(
            statements=BALANCE,
            terms=(("dart_IssuedCapitalOfCommonStock",), ("dart_IssuedCapitalOfPreferredStock",)),
        ),
        labels="자본금",
    ),
    _first(
        "capital_surplus",
        BALANCE,
        "dart_CapitalSurplus",
        "ifrs-full_SharePremium",
        "ifrs-full_AdditionalPaidinCapital",
        labels="자본잉여금 주식발행초과금",
    ),
    _first("retained_earnings", BALANCE, "ifrs-full_RetainedEarnings", labels="이익잉여금"),
)

RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {rule.item: rule for rule in (*_INCOME_RULES, *_CASH_RULES, *_ASSET_RULES, *_DEBT_RULES, *_EQUITY_RULES)}
)
"""Item -> how it is read from the lines of a full statement."""

CONTINUING_PROFIT: Final = _first("profit_from_continuing", INCOME, "ifrs-full_ProfitLossFromContinuingOperations")
"""Not an item: tells the sign in which a filer shows income tax."""
