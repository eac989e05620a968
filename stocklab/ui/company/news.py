"""Filings and news of a company, the newest first. Titles are text of strangers: shown as text, whatever they hold."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import urlsplit

import streamlit as st

from stocklab.data.company import Profile, issuer_symbol
from stocklab.data.sources.dart_disclosures import DisclosureKind
from stocklab.operations.news import News
from stocklab.ui import blocks, cached
from stocklab.ui import format as fmt
from stocklab.ui.company.news_fetch import NewsDesk, fetch_panel, news_desk
from stocklab.ui.company.reports_section import filings_of
from stocklab.ui.text import N_, _

__all__ = ["GRAVE", "KINDS", "Line", "disclosures_section", "line_html", "listed"]

_SHOWN: Final = 30
KINDS: Final[Mapping[DisclosureKind, str]] = {
    DisclosureKind.HALT: N_("Trading halt"),
    DisclosureKind.RESUMED: N_("Trading resumed"),
    DisclosureKind.ADMINISTRATIVE: N_("Administrative issue"),
    DisclosureKind.ADMINISTRATIVE_LIFTED: N_("Administrative issue lifted"),
    DisclosureKind.DELISTING: N_("Delisting"),
    DisclosureKind.CLEAN_UP: N_("Clearance sale"),
    DisclosureKind.CAUTION: N_("Investment caution"),
    DisclosureKind.CAUTION_LIFTED: N_("Investment caution lifted"),
    DisclosureKind.RIGHTS_ISSUE: N_("Rights issue"),
    DisclosureKind.BONUS_ISSUE: N_("Bonus issue"),
    DisclosureKind.REDUCTION: N_("Capital reduction"),
    DisclosureKind.MERGER: N_("Merger"),
    DisclosureKind.DIVISION: N_("Division"),
    DisclosureKind.CONVERTIBLE: N_("Convertible bonds"),
    DisclosureKind.TREASURY: N_("Treasury shares"),
    DisclosureKind.CONTRACT: N_("Supply contract"),
    DisclosureKind.DIVIDEND: N_("Dividend"),
    DisclosureKind.LARGEST_HOLDER: N_("Largest shareholder"),
    DisclosureKind.UNFAITHFUL: N_("Unfaithful disclosure"),
    DisclosureKind.PRELIMINARY_RESULTS: N_("Preliminary results"),
    DisclosureKind.RESULTS_CHANGED: N_("Results changed much"),
    DisclosureKind.HOLDERS: N_("Holdings of insiders and large holders"),
    DisclosureKind.REPORT: N_("Periodic report"),
    DisclosureKind.OTHER: N_("Other filing"),
}
GRAVE: Final = frozenset(
    {
        DisclosureKind.HALT,
        DisclosureKind.ADMINISTRATIVE,
        DisclosureKind.DELISTING,
        DisclosureKind.CLEAN_UP,
        DisclosureKind.CAUTION,
        DisclosureKind.UNFAITHFUL,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One filing or article: ``title`` is text of strangers, ``kind`` and ``note`` are ours."""

    title: str
    address: str
    note: str
    kind: str = ""
    grave: bool = False


def disclosures_section(found: Profile) -> None:
    """A way to fetch, then filings and news side by side."""
    if cached.data_status().get("synthetic"):
        st.info(
            _("This company is invented (demo data): nobody files or writes about it, and nothing is fetched for it."),
            icon=":material/science:",
        )
        st.markdown(f"**{_('Filings')}**")
        _invented_filings(found)
        return
    desk = news_desk(found.symbol)
    fetch_panel(desk)
    first, second = st.columns(2, gap="medium")
    with first:
        st.markdown(f"**{_('Filings')}**")
        _filings(found, desk)
    with second:
        st.markdown(f"**{_('News')}**")
        _news(found, desk)


def _filings(found: Profile, desk: NewsDesk) -> None:
    lines = _filing_lines(found)
    if lines:
        listed(lines[:_SHOWN])
        if len(lines) > _SHOWN:
            st.caption(_("The newest {count} are shown.").format(count=_SHOWN))
        st.caption(_("DART gives the day of a filing and no time; when it was first seen here stands beside it."))
    elif desk.filings_on:
        st.caption(_("No filing of this company is stored. DART's list is kept from the first day it was read."))
    else:
        st.caption(_("No filing of this symbol is known by its receipt number."))


def _filing_lines(found: Profile) -> list[Line]:
    """Disclosures and the reports the data know, each receipt once, the newest first."""
    issuer = issuer_symbol(found.symbol, found.kind)
    seen = News(cached.lab().database).disclosures(symbols={found.symbol, issuer}, limit=_SHOWN + 1)
    rows: list[tuple[date, str, Line]] = []
    for one in seen:
        note = f"{fmt.day(one.published)} · {_('first seen {moment}').format(moment=fmt.moment(one.first_seen))}"
        line = Line(title=one.title, address=one.link, note=note, kind=_(KINDS[one.kind]), grave=one.kind in GRAVE)
        rows.append((one.published, one.filing_no, line))
    known = {filing_no for _day, filing_no, _line in rows}
    for report, address in filings_of(issuer, _last_day()):
        number = report.filing_no or ""
        if number in known:
            continue
        title = f"{report.fiscal_year} Q{report.fiscal_quarter}"
        line = Line(title=title, address=address, note=fmt.day(report.filed_on), kind=_(KINDS[DisclosureKind.REPORT]))
        rows.append((report.filed_on, number, line))
    return [line for _day, _number, line in sorted(rows, key=lambda row: row[:2], reverse=True)]


def _news(found: Profile, desk: NewsDesk) -> None:
    items = News(cached.lab().database).news(found.symbol, limit=_SHOWN)
    if items:
        listed(
            [
                Line(title=item.title, address=item.link, note=f"{_host(item.link)} · {fmt.moment(item.published)}")
                for item in items
            ]
        )
        if len(items) == _SHOWN:
            st.caption(_("The newest {count} are shown.").format(count=_SHOWN))
    elif desk.fetched:
        st.caption(_("The search found no news of this company."))
    else:
        st.caption(_("No news of this company is stored."))


def _host(address: str) -> str:
    return (urlsplit(address).hostname or "").removeprefix("www.")


def _last_day() -> date:
    span = cached.span()
    return span[1] if span is not None else cached.today()


def _invented_filings(found: Profile) -> None:
    filings = filings_of(found.symbol, _last_day())
    if not filings:
        st.caption(_("No filing of this symbol is known by its receipt number."))
        return
    blocks.table(
        [_("Filed on"), _("Report"), _("Receipt number")],
        [
            [fmt.day(row.filed_on), f"{row.fiscal_year} Q{row.fiscal_quarter}", row.filing_no or ""]
            for row, _address in filings[:_SHOWN]
        ],
    )


def listed(lines: Sequence[Line]) -> None:
    """A list of titles with what is known of each."""
    st.html(f'<ul class="lab-news">{"".join(line_html(line) for line in lines)}</ul>')


def line_html(line: Line) -> str:
    """One entry. Nothing a title or an address holds becomes markup, and only web addresses become links.

    >>> line_html(Line(title="<b>A</b> & [x](y)", address="javascript:alert(1)", note="dart"))
    '<li><span class="title">&lt;b&gt;A&lt;/b&gt; &amp; [x](y)</span><span class="note">dart</span></li>'
    """
    title = html.escape(line.title)
    if urlsplit(line.address).scheme in ("http", "https"):
        title = f'<a href="{html.escape(line.address)}" target="_blank" rel="noopener noreferrer">{title}</a>'
    kind = f'<b class="{"bad" if line.grave else "kind"}">{html.escape(line.kind)}</b>' if line.kind else ""
    return f'<li><span class="title">{title}</span><span class="note">{kind}{html.escape(line.note)}</span></li>'
