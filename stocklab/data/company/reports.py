"""Company reports of one symbol as they were public on a day: every quarter with its filing and version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

import polars as pl

from stocklab.data.snapshot import Snapshot
from stocklab.factors.vocabulary import ITEMS

__all__ = ["REPORT_ITEMS", "Basis", "Figure", "Report", "reports"]

Basis = Literal["CFS", "OFS"]

REPORT_ITEMS: Final = (
    *("revenue", "gross_profit", "operating_income", "net_income", "net_income_parent", "cfo"),
    *("total_assets", "total_liabilities", "total_equity", "equity_parent"),
)
"""Items shown, in this order."""

_YEAR_MONTHS: Final = 12
_QUARTER_MONTHS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """An amount in KRW. ``derived``: the year to date less that of the quarter before."""

    amount: float
    derived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A quarter's report with the newest amounts that were public on the day asked for.

    ``quarter`` and ``year`` hold flows of the three months, and of the fiscal year where it is an annual report, and
    both hold balances. ``filed_on`` and ``filing_no`` are those of the first filing; ``from_deadline``: no receipt is
    known, the statutory day stands in. ``revised_on`` is the last day on which an amount became another, None where
    none did.
    """

    period_end: date
    fiscal_year: int
    fiscal_quarter: int
    basis: Basis
    filed_on: date
    from_deadline: bool
    filing_no: str | None
    revised_on: date | None
    quarter: Mapping[str, Figure]
    year: Mapping[str, Figure]


def reports(snapshot: Snapshot, symbol: str, *, as_of: date) -> Mapping[Basis, tuple[Report, ...]] | None:
    """Reports public on a day, newest quarter first, by basis; a basis without any is not there.

    Figures filed as comparatives in later reports count for their quarter from then on, as in the engine.

    Returns
    -------
    None where the snapshot holds no statements at all.
    """
    if not snapshot.has("statements"):
        return None
    rows = (
        snapshot.scan("statements")
        .filter((pl.col("symbol") == symbol) & (pl.col("filed_on") <= as_of) & pl.col("item").is_in(REPORT_ITEMS))
        .collect()
    )
    found: dict[Basis, tuple[Report, ...]] = {}
    bases: tuple[Basis, ...] = ("CFS", "OFS")
    for basis in bases:
        mine = rows.filter(pl.col("statement_basis") == basis)
        if mine.height:
            found[basis] = _of_basis(mine, basis)
    return found


def _of_basis(rows: pl.DataFrame, basis: Basis) -> tuple[Report, ...]:
    # an amount is that of its newest filing: a correction may restate some items only
    newest = rows.sort("filed_on").unique(["period_end", "item", "months"], keep="last")
    amounts: dict[tuple[date, str, int], float] = {
        (end, item, months): amount
        for end, item, months, amount in newest.select("period_end", "item", "months", "amount").iter_rows()
    }
    before = pl.col("amount").shift(1).over("period_end", "item", "months", order_by="filed_on")
    heads = (
        rows.with_columns(changed=(pl.col("amount") != before).fill_null(value=False))
        .sort("filed_on")
        .group_by("period_end")
        .agg(
            pl.col("fiscal_year", "fiscal_quarter", "filed_on", "filed_source", "filing_no").first(),
            pl.col("filed_on").filter(pl.col("changed")).max().alias("revised_on"),
        )
        .sort("period_end", descending=True)
    )
    quarter_ends = {
        (year, quarter): end
        for end, year, quarter in heads.select("period_end", "fiscal_year", "fiscal_quarter").iter_rows()
    }
    return tuple(
        Report(
            period_end=head["period_end"],
            fiscal_year=head["fiscal_year"],
            fiscal_quarter=head["fiscal_quarter"],
            basis=basis,
            filed_on=head["filed_on"],
            from_deadline=head["filed_source"] == "deadline",
            filing_no=head["filing_no"],
            revised_on=head["revised_on"],
            quarter=_figures(amounts, head, quarter_ends, annual=False),
            year=_figures(amounts, head, quarter_ends, annual=True) if head["fiscal_quarter"] == 4 else {},
        )
        for head in heads.iter_rows(named=True)
    )


def _figures(
    amounts: Mapping[tuple[date, str, int], float],
    head: Mapping[str, object],
    quarter_ends: Mapping[tuple[int, int], date],
    *,
    annual: bool,
) -> dict[str, Figure]:
    end, year, quarter = head["period_end"], head["fiscal_year"], head["fiscal_quarter"]
    assert isinstance(end, date) and isinstance(year, int) and isinstance(quarter, int)  # noqa: PT018, S101
    before = quarter_ends.get((year, quarter - 1))
    found: dict[str, Figure] = {}
    for item in REPORT_ITEMS:
        if not ITEMS[item].flow:
            amount = amounts.get((end, item, 0))
        else:
            amount = amounts.get((end, item, _YEAR_MONTHS if annual else _QUARTER_MONTHS))
        if amount is not None:
            found[item] = Figure(amount=amount)
        elif ITEMS[item].flow and not annual and before is not None:
            to_date = amounts.get((end, item, _QUARTER_MONTHS * quarter))
            earlier = _to_date(amounts, item, (year, quarter - 1), quarter_ends)
            if to_date is not None and earlier is not None:
                found[item] = Figure(amount=to_date - earlier, derived=True)
    return found


def _to_date(
    amounts: Mapping[tuple[date, str, int], float],
    item: str,
    until: tuple[int, int],
    quarter_ends: Mapping[tuple[int, int], date],
) -> float | None:
    """The fiscal year to date as reported, else the sum of its quarters; None where neither is known."""
    year, quarter = until
    reported = amounts.get((quarter_ends[until], item, _QUARTER_MONTHS * quarter))
    if reported is not None:
        return reported
    total = 0.0
    for each in range(1, quarter + 1):
        day = quarter_ends.get((year, each))
        part = None if day is None else amounts.get((day, item, _QUARTER_MONTHS))
        if part is None:
            return None
        total += part
    return total
