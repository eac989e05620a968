"""From the lines of one full statement to items: pure, for files and for OpenDART's answers alike.

Reading rules: docs/factors.md, sections 3.3 (a to f) and 4.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from stocklab.data.statement_items import BALANCE, CASH, CONTINUING_PROFIT, INCOME, RULES, Choice, Rule

__all__ = [
    "QUARTER_OF_REPORT",
    "USED_STATEMENTS",
    "StatementAmount",
    "StatementLine",
    "items_of_statement",
    "plain_label",
]

QUARTER_OF_REPORT: Final = {"11013": 1, "11012": 2, "11014": 3, "11011": 4}
"""OpenDART ``reprt_code`` -> fiscal quarter."""
USED_STATEMENTS: Final = (*BALANCE, *INCOME, *CASH)
"""``sj_div`` values that items are read from; never the statement of changes in equity."""

_STANDARD: Final = ("ifrs-full_", "dart_")
_NUMBERING: Final = re.compile(r"^(?:[Ⅰ-ⅿ]+[.)．、]?|[IVX]+[.)．]|\d+[.)]|\(\d+\)|[가-하][.)]|\([가-하]\)|[①-⑳])(?=.)")
_PARENTHESES: Final = re.compile(r"\([^()]*\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """One row of a full statement; amounts in KRW, None = empty or "-".

    Attributes
    ----------
    statement : ``sj_div`` (BS, IS, CIS, CF; others are ignored)
    account_id, label : ``account_id`` and ``account_nm`` as filed
    current, to_date : ``thstrm_amount``, ``thstrm_add_amount``
    prior, prior_quarter, prior_to_date : ``frmtrm_amount``, ``frmtrm_q_amount``, ``frmtrm_add_amount``
    before_prior : ``bfefrmtrm_amount``
    """

    statement: str
    account_id: str
    label: str
    current: float | None = None
    to_date: float | None = None
    prior: float | None = None
    prior_quarter: float | None = None
    prior_to_date: float | None = None
    before_prior: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementAmount:
    """An item of a filing.

    ``months`` it covers (0 = a balance); ``quarters_back`` from the filing's own period: 0 the period itself, else a
    comparative (4 a year ago; in an interim balance sheet the fiscal quarter, which leads to the last year end).
    """

    item: str
    months: int
    amount: float
    quarters_back: int


@dataclass(frozen=True, slots=True)
class _Slot:
    """A column of a statement: the fields it may stand in, the months it covers, how far back it lies."""

    columns: tuple[str, ...]
    months: int
    quarters_back: int

    def value(self, line: StatementLine) -> float | None:
        for column in self.columns:
            amount: float | None = getattr(line, column)
            if amount is not None:
                return amount
        return None


def items_of_statement(lines: Sequence[StatementLine], fiscal_quarter: int) -> list[StatementAmount]:
    """Every item that the lines of one filing give, with its comparatives.

    Parameters
    ----------
    lines : the filing's lines on one basis, in order
    fiscal_quarter : 1..4; 4 = the annual report

    Returns
    -------
    At most one amount per item, months and quarters_back. A line that is missing gives no amount, or 0 where
    docs/factors.md says so and its statement is there.

    >>> lines = [StatementLine(statement="BS", account_id="ifrs_Assets", label="자산총계", current=5.0, prior=4.0)]
    >>> [(one.quarters_back, one.amount) for one in items_of_statement(lines, 1) if one.item == "total_assets"]
    [(0, 5.0), (1, 4.0)]
    """
    filing = _Filing(lines)
    found: dict[tuple[int, int], dict[str, float]] = {}
    for rule in (*RULES.values(), CONTINUING_PROFIT):
        for slot, amount in _amounts(rule, filing, fiscal_quarter):
            found.setdefault((slot.quarters_back, slot.months), {})[rule.item] = amount
    return [
        StatementAmount(item=item, months=months, amount=amount, quarters_back=back)
        for (back, months), amounts in sorted(found.items())
        for item, amount in _completed(amounts).items()
    ]


def plain_label(label: str) -> str:
    """An account name without spaces and numbering.

    >>> plain_label("Ⅰ. 매출액"), plain_label("(1) 유동 자산"), plain_label("수익(매출액)")
    ('매출액', '유동자산', '수익(매출액)')
    """
    return _NUMBERING.sub("", re.sub(r"\s+", "", label))


class _Filing:
    """Lines found by statement and id, or by statement and label where the id is not a standard one."""

    def __init__(self, lines: Sequence[StatementLine]) -> None:
        self.lines: dict[str, list[StatementLine]] = {}
        self.tagged: dict[tuple[str, str], list[tuple[int, StatementLine]]] = {}
        self.labelled: dict[tuple[str, str], list[tuple[int, StatementLine]]] = {}
        self.shown: dict[tuple[str, _Slot], bool] = {}
        for number, line in enumerate(lines):
            self.lines.setdefault(line.statement, []).append(line)
            account = line.account_id.replace("ifrs_", "ifrs-full_", 1)
            if account.startswith(_STANDARD):
                self.tagged.setdefault((line.statement, account), []).append((number, line))
                continue
            label = plain_label(line.label)
            for name in dict.fromkeys((label, _PARENTHESES.sub("", label))):
                self.labelled.setdefault((line.statement, name), []).append((number, line))

    def shows(self, statement: str, slot: _Slot) -> bool:
        """Whether the statement has the column at all."""
        key = statement, slot
        if key not in self.shown:
            self.shown[key] = any(slot.value(line) is not None for line in self.lines.get(statement, ()))
        return self.shown[key]


def _slots(statement: str, quarter: int) -> tuple[_Slot, ...]:
    """What the columns of a statement hold (docs/factors.md, section 4.2)."""
    year_to_date = 3 * quarter
    if quarter == 4:
        months = 0 if statement in BALANCE else 12
        return tuple(
            _Slot((column,), months, back) for column, back in (("current", 0), ("prior", 4), ("before_prior", 8))
        )
    if statement in BALANCE:
        return _Slot(("current",), 0, 0), _Slot(("prior",), 0, quarter)
    if statement in CASH:
        return (
            _Slot(("to_date", "current"), year_to_date, 0),
            _Slot(("prior_to_date", "prior_quarter"), year_to_date, 4),
        )
    if quarter == 1:
        return _Slot(("current", "to_date"), 3, 0), _Slot(("prior_quarter", "prior_to_date"), 3, 4)
    return (
        _Slot(("current",), 3, 0),
        _Slot(("to_date",), year_to_date, 0),
        _Slot(("prior_quarter",), 3, 4),
        _Slot(("prior_to_date",), year_to_date, 4),
    )


def _amounts(rule: Rule, filing: _Filing, quarter: int) -> Iterator[tuple[_Slot, float]]:
    """The item in every column, all from the same lines."""
    picked = _pick(rule, filing)
    if picked is not None:
        statement, lines, absolute = picked
    else:
        statement = next((one for one in rule.statements if one in filing.lines), rule.statements[0])
        lines, absolute = [], False
    for slot in _slots(statement, quarter):
        values = [amount for line in lines if (amount := slot.value(line)) is not None]
        if values:
            parts = _without_subtotals(values) if rule.summed else values
            yield slot, float(sum(abs(part) if absolute else part for part in parts))
        elif rule.zero_if_absent and filing.shows(statement, slot):
            yield slot, 0.0


def _pick(rule: Rule, filing: _Filing) -> tuple[str, list[StatementLine], bool] | None:
    """Statement, lines and whether signs are dropped: the first choice with an amount, else the labels."""
    for choice in rule.choices:
        labels = rule.labels if rule.summed and len(choice.terms) > 1 else ()
        for statement in choice.statements:
            lines = _lines_of(choice, labels, statement, filing, every=rule.summed)
            if lines:
                return statement, lines, choice.absolute
    for statement in rule.statements:
        for label in rule.labels:
            named = _known(filing.labelled.get((statement, label), ()))
            if named:
                return statement, [named[0][1]], rule.absolute
    return None


def _lines_of(
    choice: Choice, labels: tuple[str, ...], statement: str, filing: _Filing, *, every: bool
) -> list[StatementLine]:
    """Lines of a choice in the order of the filing: per term those of its first id, and those with a label."""
    lines: dict[int, StatementLine] = {}
    for term in choice.terms:
        found = next(
            (known for one in term if (known := _known(filing.tagged.get((statement, one), ())))),
            [],
        )
        lines.update(found if every else found[:1])
    for label in labels:
        lines.update(_known(filing.labelled.get((statement, label), ())))
    return [lines[number] for number in sorted(lines)]


def _known(lines: Sequence[tuple[int, StatementLine]]) -> list[tuple[int, StatementLine]]:
    """Lines with an amount in any column."""
    return [
        (number, line)
        for number, line in lines
        if any(
            amount is not None
            for amount in (
                line.current,
                line.to_date,
                line.prior,
                line.prior_quarter,
                line.prior_to_date,
                line.before_prior,
            )
        )
    ]


def _without_subtotals(values: list[float]) -> list[float]:
    """Leave out a line that equals the sum of two or more lines right before or after it."""
    for position, value in enumerate(values):
        for side in (values[position + 1 :], values[:position][::-1]):
            total = 0.0
            for count, part in enumerate(side, start=1):
                total += part
                if count > 1 and value and total == value:
                    return _without_subtotals(values[:position] + values[position + 1 :])
    return values


def _completed(amounts: dict[str, float]) -> dict[str, float]:
    """Gross profit from its parts, and income tax with expense positive."""
    continuing = amounts.pop(CONTINUING_PROFIT.item, None)
    if "gross_profit" not in amounts and "revenue" in amounts and "cogs" in amounts:
        amounts["gross_profit"] = amounts["revenue"] - amounts["cogs"]
    after = continuing if continuing is not None else amounts.get("net_income")
    before, tax = amounts.get("pretax_income"), amounts.get("income_tax")
    if after is not None and before is not None and tax:
        near = 1e-3 * abs(tax)
        if abs(before - tax - after) > near and abs(before + tax - after) <= near:
            amounts["income_tax"] = -tax
    return amounts
