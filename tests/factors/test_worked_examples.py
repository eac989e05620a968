"""Section 8 of docs/factors.md from filed reports to factors: numbers and results are read from the document.

The company files as Korean companies do: income statements with three months and the year to date, the annual report
with twelve months only, cash flows to date, balances at quarter end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from reference import Filings
from reference.documents import ROOT, table

from stocklab.factors import Wanted, evaluate, evaluate_series, missing_inputs
from stocklab.market import calendar
from stocklab.market.fundamentals import Fundamentals
from stocklab.market.panel import Panel

TEXT = (ROOT / "docs" / "factors.md").read_text(encoding="utf-8")
HUNDRED_MILLION = 1e8
SYMBOL = "000000"
# (period end, fiscal year, quarter, day received); the last two days are those of the document's text
REPORTS = [
    (date(2023, 3, 31), 2023, 1, date(2023, 5, 15)),
    (date(2023, 6, 30), 2023, 2, date(2023, 8, 14)),
    (date(2023, 9, 30), 2023, 3, date(2023, 11, 14)),
    (date(2023, 12, 31), 2023, 4, date(2024, 3, 20)),
    (date(2024, 3, 31), 2024, 1, date(2024, 5, 14)),
    (date(2024, 6, 30), 2024, 2, date(2024, 8, 14)),
    (date(2024, 9, 30), 2024, 3, date(2024, 11, 14)),
    (date(2024, 12, 31), 2024, 4, date(2025, 3, 20)),
    (date(2025, 3, 31), 2025, 1, date(2025, 5, 15)),
]
CASH_FLOWS = ("dep_amort", "cfo", "share_issuance")
SPLIT = {"session": date(2025, 1, 15), "symbol": SYMBOL, "kind": "split", "ratio": 5.0}


def number(cell: str) -> float:
    return float(cell.replace(",", ""))


def flows() -> dict[str, list[float]]:
    """The nine quarters of each flow: the last four as printed, 24Q1 a quarter of the year before (revenue: 250)."""
    found = {}
    for item, *cells in table("Sample company"):
        *last, total, before = [number(cell) for cell in cells]
        assert sum(last) == pytest.approx(total, rel=1e-12)
        found[item] = [before / 4] * 5 + last
    assert found["revenue"][4] == 250
    return found


def balances() -> dict[str, list[float]]:
    """Year by year: the quarters of a year show the balance of its first."""
    found = {}
    for names, *cells in table("Discrete Q4"):
        for place, item in enumerate(names.split(" / ")):
            newest, middle, oldest = [number(cell.split(" / ")[place]) for cell in cells]
            found[item] = [oldest] * 4 + [middle] * 4 + [newest]
    return found


def filed() -> Iterator[dict[str, Any]]:
    amounts, stocks = flows(), balances()
    for place, (end, year, quarter, received) in enumerate(REPORTS):
        head = {"symbol": SYMBOL, "period_end": end, "fiscal_year": year, "fiscal_quarter": quarter}
        head |= {"statement_basis": "CFS", "filed_on": received}
        for item, quarters in amounts.items():
            months, to_date = 3 * quarter, sum(quarters[place - quarter + 1 : place + 1])
            if item not in CASH_FLOWS and quarter in (2, 3):
                yield {**head, "item": item, "months": 3, "amount": HUNDRED_MILLION * quarters[place]}
            yield {**head, "item": item, "months": months, "amount": HUNDRED_MILLION * to_date}
        for item, values in stocks.items():
            yield {**head, "item": item, "months": 0, "amount": HUNDRED_MILLION * values[place]}
        shares = 4e6 if end < SPLIT["session"] else 2e7
        yield {**head, "item": "shares_issued", "months": 0, "amount": shares}
        yield {**head, "item": "equity_parent", "months": 0,
               "amount": HUNDRED_MILLION * (stocks["total_equity"][place] - stocks["minority"][place])}  # fmt: skip


@pytest.fixture(scope="module")
def company(make_panel: Callable[..., Panel], fundamentals_from: Callable[..., Fundamentals]) -> Callable[..., Panel]:
    """The company in May 2025, with or without knowledge of its split."""
    sessions = calendar.sessions_between(date(2025, 5, 12), date(2025, 5, 20))
    ones = np.ones((len(sessions), 1))
    fields = {"close": 9000 * ones, "close_raw": 9000 * ones, "mcap": 1800 * HUNDRED_MILLION * ones}
    fields["mcap_pref"] = 40 * HUNDRED_MILLION * ones

    def make(events: list[dict[str, Any]]) -> Panel:
        known = fundamentals_from(Filings(list(filed()), events), [SYMBOL], sessions, None)
        return replace(make_panel(fields, sessions=sessions), symbols=(SYMBOL,), fundamentals=known)

    return make


def last(panel: Panel, *formulas: str) -> list[float]:
    """On 2025-05-20."""
    return [float(table[-1, 0]) for table in evaluate([Wanted(formula, "value") for formula in formulas], panel)]


def bold(example: str) -> str:
    """The result the document prints in bold in one example."""
    text = TEXT[TEXT.index(f"**{example} ") + 2 :]
    found = re.search(r"\*\*(-?[0-9.]+)[%x]?\*\*", text[text.index("**") + 2 :])
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("example", "factor"),
    [("8.1", "peg_ratio"), ("8.2", "roic"), ("8.3", "ev_ebitda"), ("8.4", "f_score"), ("8.5", "altman_z")],
)
def test_worked_example(example: str, factor: str, company: Callable[..., Panel]) -> None:
    assert f"**{example} {factor}.**" in TEXT
    printed = bold(example)
    (value,) = last(company([SPLIT]), factor)
    decimals = len(printed.partition(".")[2])
    assert f"{value:.{decimals}f}" == printed


def test_steps_of_the_examples(company: Callable[..., Panel]) -> None:
    """Numbers that section 8 shows on the way."""
    steps = {
        "per": 18.7755,
        "eps": 490,
        "qlag(eps,4)": 340,
        "eps_growth_1y": 44.1176,
        "tax_rate": 0.22,
        "nopat/1e8": 107.64,
        "invested_capital/1e8": 940,
        "qlag(invested_capital,4)/1e8": 900,
        "avg2(invested_capital)/1e8": 920,
        "net_debt/1e8": 40,
        "ev/1e8": 1905,
        "ebitda/1e8": 184,
        "qtr(revenue,1)/1e8": 310,
        "ttm(net_income)/mrq(total_assets,4)": 0.069931,
        "ttm(net_income,4)/mrq(total_assets,8)": 0.053846,
        "mrq(lt_debt)/avg2(mrq(total_assets))": 0.104918,
        "qlag(mrq(lt_debt)/avg2(mrq(total_assets)),4)": 0.130909,
        "current_ratio/100": 2.0,
        "qlag(current_ratio,4)/100": 2.0588,
        "gross_margin/100": 0.3,
        "qlag(gross_margin,4)/100": 0.28,
        "ttm(revenue)/mrq(total_assets,4)": 0.793103,
        "ttm(revenue,4)/mrq(total_assets,8)": 0.769231,
    }
    found = last(company([SPLIT]), *steps)
    for (formula, expected), value in zip(steps.items(), found, strict=True):
        assert value == pytest.approx(expected, rel=3e-5), formula


def test_a_report_is_in_the_row_of_its_receipt(company: Callable[..., Panel]) -> None:
    """2025Q1, received on 2025-05-15: the row of the 14th still shows the year 2024."""
    panel = company([SPLIT])
    revenue, age = evaluate([Wanted("ttm(revenue)/1e8", "value"), Wanted("filing_age_days", "value")], panel)
    rows = {str(day): place for place, day in enumerate(panel.sessions)}
    assert revenue[rows["2025-05-14"], 0] == pytest.approx(1120)
    assert revenue[rows["2025-05-15"], 0] == pytest.approx(1150)
    # received 2025-03-20: 55 days before May 14
    assert [age[rows[day], 0] for day in ("2025-05-14", "2025-05-15", "2025-05-20")] == [55, 0, 5]


def test_without_the_split_growth_is_wrong_and_peg_null(company: Callable[..., Panel]) -> None:
    growth, peg = last(company([]), "eps_growth_1y", "peg_ratio")
    assert growth == pytest.approx(100 * (490 / 1700 - 1))
    assert np.isnan(peg)


def test_the_company_lacks_what_it_did_not_file(company: Callable[..., Panel]) -> None:
    panel = company([SPLIT])
    assert missing_inputs("pfcr", panel) == ("capex",)
    assert np.isnan(last(panel, "pfcr")[0])
    assert missing_inputs("f_score+altman_z+ev_ebitda+roic+peg_ratio", panel) == ()


def test_idiosyncratic_volatility_of_8_6() -> None:
    rows = np.array([[float(cell) for cell in cells] for cells in table("**8.6 idio")])
    assert rows.shape == (8, 4)
    columns = dict(zip(("close", "open", "smb", "hml"), rows.T.copy(), strict=True))
    annual = evaluate_series("100*sqrt(252)*tolsstd(close,8,1,open,smb,hml)", columns)
    assert f"{annual[-1]:.6f}" == bold("8.6")
    own_divisor = evaluate_series("100*sqrt(252)*tolsstd(close,8,4,open,smb,hml)", columns)
    assert own_divisor[-1] == pytest.approx(2.029456, abs=5e-7)
    assert np.isnan(annual[:-1]).all()
