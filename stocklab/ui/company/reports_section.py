"""Company reports by quarter or year, as public on a day, each with when and how it was filed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import polars as pl
import streamlit as st

from stocklab.data.company import REPORT_ITEMS, Figure, Profile, Report
from stocklab.strategy.words import label
from stocklab.ui import blocks, cached, navigation
from stocklab.ui import format as fmt
from stocklab.ui.company import lookups
from stocklab.ui.company.search import open_symbol
from stocklab.ui.data.names import BASES
from stocklab.ui.text import N_, _, language

__all__ = ["filings_of", "reports_section"]

_SPANS: Final = {"quarter": N_("By quarter"), "year": N_("By year")}
_SCALES: Final = {"ko": (100_000_000.0, N_("100M won")), "en": (1_000_000.0, N_("KRW M"))}
DAY: Final = "company_as_of"


def reports_section(found: Profile) -> None:
    """The table of reports, or why there is none."""
    as_of = _as_of()
    known = lookups.reports(found.symbol, as_of)
    if known is None:
        blocks.empty(
            _("No company reports are loaded."),
            _("Import OpenDART statements: the Data page says how."),
            icon=":material/description:",
        )
        navigation.link("data", _("How to import data"), icon=":material/arrow_forward:")
        return
    common = f"{found.symbol[:5]}0"
    if not known and found.kind == "preferred" and common in lookups.directory():
        blocks.empty(
            _("Reports are filed for the issuer and stand at its common share."), icon=":material/description:"
        )
        st.button(
            _("Open {symbol}").format(symbol=lookups.directory()[common]),
            key="company_open_common",
            icon=":material/arrow_forward:",
            on_click=open_symbol,
            args=(common,),
        )
        return
    if not known:
        blocks.empty(
            _("This data has no report of this symbol that was public on {day}.").format(day=fmt.day(as_of)),
            _("Funds, coins and issues without statements have none; large financial companies may be missing."),
            icon=":material/description:",
        )
        return
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        span = navigation.choice_in_url(
            "span",
            {code: _(name) for code, name in _SPANS.items()},
            _("Span"),
            default="quarter",
            key="company_span_choice",
        )
        basis = next(iter(known))
        bases = {code: _(BASES[code]) for code in known}
        if len(known) > 1:
            basis = (
                st.segmented_control(
                    _("Statements"),
                    list(known),
                    format_func=bases.__getitem__,
                    default=basis,
                    required=True,
                    key="company_basis_choice",
                    label_visibility="collapsed",
                )
                or basis
            )
    chosen = known[basis]
    rows = [each for each in chosen if span == "quarter" or each.year]
    if not rows:
        st.caption(_("No annual report was public on this day."))
        return
    _table(rows, annual=span == "year")
    _notes(rows, annual=span == "year")


def _as_of() -> date:
    """The day whose knowledge is shown; the last session by default."""
    span = cached.span()
    last = span[1] if span is not None else cached.today()
    first = date(last.year - 15, 1, 1) if span is None else span[0]
    chosen = st.date_input(
        _("As public on"),
        value=last,
        min_value=min(first, last),
        max_value=max(last, cached.today()),
        format="YYYY-MM-DD",
        key=DAY,
        help=_("Reports filed later, and corrections made later, are not shown: what a backtest saw on that day."),
        width=220,
    )
    return chosen if isinstance(chosen, date) else last


def _table(rows: list[Report], *, annual: bool) -> None:
    size, unit = _SCALES[language()]
    items = [item for item in REPORT_ITEMS if any(item in _figures(row, annual=annual) for row in rows)]
    largest = max((abs(each.amount) for row in rows for each in _figures(row, annual=annual).values()), default=0.0)
    digits = 0 if largest >= 1000 * size else 1
    frame = pl.DataFrame(
        {
            "period": [_period(row, annual=annual) for row in rows],
            "filed": [row.filed_on for row in rows],
            "how": [_("statutory day") if row.from_deadline else _("receipt") for row in rows],
            **{item: _column(rows, item, size, digits, annual=annual) for item in items},
            "revised": pl.Series([row.revised_on for row in rows], dtype=pl.Date),
        }
    )
    number = st.column_config.NumberColumn
    config: dict[str, Any] = {
        "period": st.column_config.TextColumn(_("Fiscal period"), pinned=True),
        "filed": st.column_config.DateColumn(_("Filed on"), format="YYYY-MM-DD"),
        "how": st.column_config.TextColumn(_("Dated by")),
        **{item: number(label(item, language()), format="localized") for item in items},
        "revised": st.column_config.DateColumn(_("Revised on"), format="YYYY-MM-DD"),
    }
    st.dataframe(
        frame,
        hide_index=True,
        column_config=config,
        column_order=list(config),
        height="content" if frame.height <= 12 else 460,
        placeholder=fmt.DASH,
        key="company_reports",
    )
    st.caption(_("Amounts in {unit}; quarters are three months.").format(unit=_(unit)))


def _figures(row: Report, *, annual: bool) -> Mapping[str, Figure]:
    return row.year if annual else row.quarter


def _column(rows: list[Report], item: str, size: float, digits: int, *, annual: bool) -> pl.Series:
    """Amounts in units of ``size``."""
    amounts = pl.Series([_amount(row, item, annual=annual) for row in rows], dtype=pl.Float64)
    return (amounts / size).round(digits)


def _amount(row: Report, item: str, *, annual: bool) -> float | None:
    figure = _figures(row, annual=annual).get(item)
    return None if figure is None else figure.amount


def _period(row: Report, *, annual: bool) -> str:
    end = f"{row.period_end:%Y-%m}"
    return f"{row.fiscal_year} ({end})" if annual else f"{row.fiscal_year} Q{row.fiscal_quarter} ({end})"


def _notes(rows: list[Report], *, annual: bool) -> None:
    told = []
    derived = sum(any(figure.derived for figure in _figures(row, annual=annual).values()) for row in rows)
    if derived:
        told.append(
            _("{count} quarters have flows that are the year to date less the quarters before.").format(
                count=fmt.count(derived)
            )
        )
    guessed = sum(row.from_deadline for row in rows)
    if guessed:
        told.append(
            _("{count} reports have no receipt date; they count as public on the statutory day.").format(
                count=fmt.count(guessed)
            )
        )
    revised = sum(row.revised_on is not None for row in rows)
    if revised:
        told.append(
            _("{count} reports were corrected later; the newest numbers of the day are shown.").format(
                count=fmt.count(revised)
            )
        )
    if told:
        st.caption("  \n".join(told))


def filings_of(symbol: str, as_of: date) -> list[tuple[Report, str]]:
    """Reports with a receipt number, newest first, and the address of each at DART."""
    known = lookups.reports(symbol, as_of) or {}
    found: dict[str, Report] = {}
    for rows in known.values():
        for row in rows:
            if row.filing_no and row.filing_no.isdigit() and len(row.filing_no) == 14:
                found.setdefault(row.filing_no, row)
    ordered = sorted(found.values(), key=lambda row: (row.filed_on, row.period_end), reverse=True)
    return [(row, f"https://dart.fss.or.kr/dsaf001/main.do?rcpNo={row.filing_no}") for row in ordered]
