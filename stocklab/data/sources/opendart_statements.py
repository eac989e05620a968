"""Full statements, every line of one report of one company: consolidated, or separate where there are no others."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from stocklab.data.layouts import dart_statements
from stocklab.data.layouts.piece import ROW
from stocklab.data.reading import SourceFile
from stocklab.data.sources.feed import Answer, AnswerState
from stocklab.data.sources.opendart import SOURCE, Row
from stocklab.data.sources.opendart_one import OneReport
from stocklab.data.sources.opendart_reports import ReportKey
from stocklab.errors import BrokenInput, SourceChanged

__all__ = ["Statements"]

_SERVICE: Final = "fnlttSinglAcntAll"
_BASES: Final = ("CFS", "OFS")
_READ: Final = dart_statements.LAYOUTS[0].read
_NEEDED: Final = ("rcept_no", "reprt_code", "sj_div", "account_id", "account_nm", "thstrm_amount")
_FIELDS: Final = (
    *_NEEDED,
    "thstrm_add_amount",
    "frmtrm_amount",
    "frmtrm_q_amount",
    "frmtrm_add_amount",
    "bfefrmtrm_amount",
    "currency",
    "ord",
)


@dataclass(slots=True)
class Statements(OneReport):
    """Every item of one report with its comparatives; see `ReportKey` for keys."""

    name: str = "opendart.statements"
    datasets: tuple[str, ...] = ("statements",)
    calls_per_key: int = 1

    def fetch(self, key: str) -> Answer:
        """See `Feed.fetch`. A report whose lines cannot be read is left out whole, and the note says so."""
        report = ReportKey.parse(key)
        company = self.known.company(report.corp_code)
        if company is None:
            return Answer(state=AnswerState.NOT_YET, note="the company is not known")
        answer = Answer(state=AnswerState.NOT_YET)
        for basis in _BASES:
            asked = self.ask(report, _SERVICE, {"fs_div": basis})
            if isinstance(asked, Answer):
                answer = asked if not answer.note else answer
                continue
            return self._rows_of(report, company.symbol, basis, *asked)
        return answer

    def _rows_of(self, key: ReportKey, symbol: str, basis: str, lines: list[Row], year: str) -> Answer:
        for line in lines:
            missing = [name for name in _NEEDED if name not in line]
            if missing or line["reprt_code"] != key.report_code:
                found = f"{missing[0]} is missing" if missing else f"report {line['reprt_code']}"
                raise SourceChanged(SOURCE, f"{_SERVICE}: expected a line of report {key.report_code}", found=found)
        number = str(lines[0]["rcept_no"])
        end = key.period_end
        if end is None:
            receipt = self.receipt(key, year, number)
            end = receipt.period_end if receipt is not None else None
        if end is None:
            return Answer(state=AnswerState.EMPTY, note=f"{number}: the last day of its period is not known")
        values = {name: [_text(line.get(name)) for line in lines] for name in _FIELDS}
        frame = pl.DataFrame(values, schema=dict.fromkeys(_FIELDS, pl.String)).with_columns(
            stock_code=pl.lit(symbol), fs_div=pl.lit(basis), period_end=pl.lit(end)
        )
        assert _READ is not None  # noqa: S101 (this layout is read)
        try:
            pieces = _READ(SourceFile(Path(number), frame))
        except BrokenInput as error:
            return Answer(state=AnswerState.EMPTY, note=f"left out: {error}")
        rows = pieces[0].frame.drop(ROW)
        note = pieces[0].note
        if rows.is_empty():
            return Answer(state=AnswerState.EMPTY, note=note or f"{number}: no line makes an item")
        self.known.learn_statements(rows)
        return Answer(state=AnswerState.FINAL, frames={"statements": rows}, note=note)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
