"""Full statements, one account line a row, as OpenDART's ``fnlttSinglAcntAll`` gives them: ``dart_statements*``.

The service names neither the basis nor the last day of the period in its rows, so that the file must: ``fs_div`` and
``period_end``. Items are read from the lines by `statement_lines`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

import polars as pl

from stocklab.data.checks import check_symbols
from stocklab.data.convert import refuse_where, to_dates, to_reals, to_texts
from stocklab.data.layouts.piece import ROW, Layout, Piece
from stocklab.data.layouts.reports import read_basis, statement_rows
from stocklab.data.reading import SourceFile
from stocklab.data.statement_lines import QUARTER_OF_REPORT, USED_STATEMENTS, StatementLine, items_of_statement
from stocklab.errors import BrokenInput

__all__ = ["LAYOUTS"]

AMOUNTS: Final = {
    "thstrm_amount": "current",
    "thstrm_add_amount": "to_date",
    "frmtrm_amount": "prior",
    "frmtrm_q_amount": "prior_quarter",
    "frmtrm_add_amount": "prior_to_date",
    "bfefrmtrm_amount": "before_prior",
}
COLUMNS: Final = (
    "rcept_no",
    "reprt_code",
    "stock_code",
    "fs_div",
    "period_end",
    "sj_div",
    "account_id",
    "account_nm",
    "thstrm_amount",
)
OPTIONAL: Final = (*list(AMOUNTS)[1:], "currency", "ord")
FILING: Final = ["rcept_no", "symbol", "statement_basis"]
LINE: Final = ["sj_div", "account_id", "account_nm"]
WON: Final = "KRW"


def _read(file: SourceFile) -> list[Piece]:
    lines = _lines(file)
    foreign = lines.filter(pl.col("currency") != WON)
    lines = lines.filter(pl.col("currency") == WON, pl.col("sj_div").is_in(USED_STATEMENTS))
    _refuse_repeated_lines(lines, file)
    rows = pl.DataFrame(list(_amounts(lines)), schema=_RAW, orient="row")
    # two filings of one day: the later receipt counts; a report's own numbers before another's comparatives
    key = ["symbol", "period_end", "statement_basis", "filed_on", "item", "months"]
    rows = rows.sort("quarters_back", "filing_no", descending=[False, True], maintain_order=True)
    rows = rows.unique(key, keep="first", maintain_order=True).sort(ROW, maintain_order=True)
    rows = statement_rows(rows, pl.col("months"))
    names = {"symbol": "stock_code", "statement_basis": "fs_div", "filed_on": "rcept_no", "filing_no": "rcept_no"}
    note = _currency_note(foreign)
    return [Piece(dataset="statements", file=file.name, frame=rows, names={**names, "months": "reprt_code"}, note=note)]


_RAW: Final = {
    ROW: pl.UInt32,
    "symbol": pl.String,
    "period_end": pl.Date,
    "fiscal_quarter": pl.Int8,
    "statement_basis": pl.String,
    "filed_on": pl.Date,
    "filed_source": pl.String,
    "filing_no": pl.String,
    "quarters_back": pl.Int8,
    "item": pl.String,
    "months": pl.Int8,
    "amount": pl.Float64,
}


def _lines(file: SourceFile) -> pl.DataFrame:
    """The file's lines, checked and typed."""
    symbols = to_texts(file, "stock_code")
    check_symbols(symbols, file, "stock_code")
    receipts, received = _receipts(file)
    codes = file.frame["reprt_code"].cast(pl.String).str.strip_chars()
    refuse_where(
        ~codes.is_in(list(QUARTER_OF_REPORT)).fill_null(value=False),
        file,
        "reprt_code",
        f"one of {', '.join(QUARTER_OF_REPORT)}",
    )
    ends = to_dates(file, "period_end")
    refuse_where(received <= ends, file, "rcept_no", "a receipt after the period's end")
    lines = pl.DataFrame(
        [
            pl.int_range(1, len(symbols) + 1, dtype=pl.UInt32, eager=True).alias(ROW),
            receipts.alias("rcept_no"),
            received.alias("filed_on"),
            codes.replace_strict(QUARTER_OF_REPORT, return_dtype=pl.Int8).alias("fiscal_quarter"),
            symbols.alias("symbol"),
            read_basis(file, "fs_div").alias("statement_basis"),
            ends.alias("period_end"),
            to_texts(file, "sj_div").alias("sj_div"),
            to_texts(file, "account_id", nullable=True).fill_null("").alias("account_id"),
            to_texts(file, "account_nm", nullable=True).fill_null("").alias("account_nm"),
            *(_amount(file, theirs).alias(ours) for theirs, ours in AMOUNTS.items()),
            _currency(file, symbols).alias("currency"),
        ]
    )
    if "ord" in file.columns:
        lines = lines.with_columns(file.frame["ord"].cast(pl.String).alias("ord"))
    return lines


def _receipts(file: SourceFile) -> tuple[pl.Series, pl.Series]:
    """Receipt numbers and the day in their first eight digits."""
    receipts = file.frame["rcept_no"].cast(pl.String).str.strip_chars()
    days = receipts.str.head(8).str.to_date("%Y%m%d", strict=False)
    wrong = days.is_null() | ~receipts.str.contains(r"^\d{14}$").fill_null(value=False)
    refuse_where(wrong, file, "rcept_no", "a receipt number of 14 digits that begins with its day")
    return receipts, days


def _amount(file: SourceFile, column: str) -> pl.Series:
    """KRW, null where nothing is given: empty, or "-"; thousands may be set off by commas."""
    if column not in file.columns:
        return pl.Series(column, [None], dtype=pl.Float64).new_from_index(0, file.frame.height)
    given = file.frame[column]
    if given.dtype != pl.String:
        return to_reals(file, column, nullable=True)
    text = given.str.strip_chars()
    grouped = text.str.contains(r"^-?\d{1,3}(,\d{3})+(\.\d+)?$")
    plain = text.zip_with(~grouped.fill_null(value=False), text.str.replace_all(",", ""))
    plain = plain.set(plain.is_in(["", "-"]).fill_null(value=False), None)
    values = plain.cast(pl.Float64, strict=False)
    wrong = plain.is_not_null() & (values.is_null() | ~values.is_finite())
    refuse_where(wrong, file, column, "an amount such as 1,234,567, or - for none")
    return values


def _currency(file: SourceFile, symbols: pl.Series) -> pl.Series:
    """Currency of each line; issuers of other countries that name none are not taken for won."""
    unnamed = pl.select(pl.when(symbols.str.starts_with("9")).then(pl.lit("?")).otherwise(pl.lit(WON))).to_series()
    if "currency" not in file.columns:
        return unnamed
    given = to_texts(file, "currency", nullable=True)
    return given.zip_with(given.is_not_null(), unnamed)


def _refuse_repeated_lines(lines: pl.DataFrame, file: SourceFile) -> None:
    """Refuse a line that appears twice: the same standard account at the same place of one statement."""
    key = [*FILING, *LINE, *(["ord"] if "ord" in lines.columns else [])]
    tagged = lines.filter(pl.col("account_id").str.contains(r"^(ifrs|dart)"))
    again = tagged.filter(~pl.struct(key).is_first_distinct())
    if again.is_empty():
        return
    second = again.row(0, named=True)
    same = pl.all_horizontal(pl.col(name).eq_missing(pl.lit(second[name])) for name in key)
    first = tagged.filter(same).row(0, named=True)
    raise BrokenInput(
        f"the line {second['account_id']} of receipt {second['rcept_no']} ({second['statement_basis']}, "
        f"{second['sj_div']}) was already in row {first[ROW]}; each may appear once.",
        file=file.name,
        row=second[ROW],
        column="account_id",
    )


def _amounts(lines: pl.DataFrame) -> Iterator[tuple[Any, ...]]:
    """Rows of `_RAW`: every item of every filing."""
    for _, part in lines.group_by([*FILING, "period_end", "fiscal_quarter"], maintain_order=True):
        head = part.row(0, named=True)
        quarter: int = head["fiscal_quarter"]
        columns = part.select("sj_div", "account_id", "account_nm", *AMOUNTS.values()).iter_rows()
        statement = [
            StatementLine(
                statement=sj_div,
                account_id=account,
                label=label,
                current=current,
                to_date=to_date,
                prior=prior,
                prior_quarter=prior_quarter,
                prior_to_date=prior_to_date,
                before_prior=before_prior,
            )
            for sj_div, account, label, current, to_date, prior, prior_quarter, prior_to_date, before_prior in columns
        ]
        for one in items_of_statement(statement, quarter):
            yield (
                head[ROW],
                head["symbol"],
                _months_before(head["period_end"], 3 * one.quarters_back),
                quarter if one.quarters_back in {0, 4, 8} else 4,
                head["statement_basis"],
                head["filed_on"],
                "receipt",
                head["rcept_no"],
                one.quarters_back,
                one.item,
                one.months,
                one.amount,
            )


def _months_before(end: date, months: int) -> date:
    """Last day of the month that lies so many months earlier; the day itself for 0."""
    if not months:
        return end
    number = end.year * 12 + end.month - months  # the month after the wanted one, counted from 0
    return date.fromordinal(date(number // 12, number % 12 + 1, 1).toordinal() - 1)


def _currency_note(foreign: pl.DataFrame) -> str:
    if foreign.is_empty():
        return ""
    filings = foreign.select(FILING).n_unique()
    currencies = ", ".join(foreign["currency"].replace("?", "an unnamed currency").unique().sort())
    return f"{filings} reports in {currencies} left out: no exchange rates are known"


LAYOUTS: Final = (
    Layout(
        name="dart_statements",
        pattern=r"(dart_statements|dart_full_statements|fnltt).*",
        columns=COLUMNS,
        optional=OPTIONAL,
        read=_read,
    ),
)
