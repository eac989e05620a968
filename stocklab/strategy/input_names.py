"""English names of statement items and daily fields; the Korean ones stand with the vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["ENGLISH_INPUT_NAMES"]

ENGLISH_INPUT_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        # docs/factors.md, section 3.3
        "revenue": "Revenue",
        "cogs": "Cost of sales",
        "gross_profit": "Gross profit",
        "sga": "Selling and administrative expense",
        "operating_income": "Operating profit",
        "finance_income": "Finance income",
        "finance_costs": "Finance costs",
        "interest_expense": "Interest expense",
        "pretax_income": "Profit before tax",
        "income_tax": "Income tax",
        "net_income": "Net profit",
        "net_income_parent": "Net profit of the parent's owners",
        "rnd_expense": "Research and development expense",
        "dep_amort": "Depreciation and amortisation",
        "cfo": "Operating cash flow",
        "cfi": "Investing cash flow",
        "cff": "Financing cash flow",
        "capex": "Capital expenditure",
        "dividends_paid": "Dividends paid",
        "share_repurchase": "Purchase of own shares",
        "share_issuance": "Issue of shares",
        "dps": "Dividend per share",
        "eps_reported": "Reported EPS",
        "total_assets": "Total assets",
        "current_assets": "Current assets",
        "cash": "Cash and cash equivalents",
        "st_fin": "Short-term financial assets",
        "receivables": "Trade receivables",
        "inventories": "Inventories",
        "noncurrent_assets": "Non-current assets",
        "ppe": "Property, plant and equipment",
        "intangibles": "Intangible assets",
        "total_liabilities": "Total liabilities",
        "current_liabilities": "Current liabilities",
        "noncurrent_liabilities": "Non-current liabilities",
        "payables": "Trade payables",
        "st_debt": "Short-term borrowings",
        "lt_debt": "Long-term borrowings",
        "lease_liab": "Lease liabilities",
        "total_equity": "Total equity",
        "equity_parent": "Equity of the parent's owners",
        "minority": "Non-controlling interests",
        "issued_capital": "Issued capital",
        "capital_surplus": "Capital surplus",
        "retained_earnings": "Retained earnings",
        "shares_issued": "Issued shares",
        # sections 3.1 and 3.2, where the labels of conditions have no name of their own
        "smb": "Size factor, daily return",
        "hml": "Value factor, daily return",
        "shares_treasury": "Treasury shares",
        "frgn_net": "Net buying of foreigners",
        "inst_net": "Net buying of institutions",
        "pension_net": "Net buying of pension funds",
        "frgn_shares": "Shares held by foreigners",
        "short_vol": "Shares sold short",
        "short_bal": "Short-sale balance",
        "days_since_filing": "Days since the latest filing",
    }
)
