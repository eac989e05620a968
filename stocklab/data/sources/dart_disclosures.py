"""DART's filings as news: the day's list, read until it is known, each filing with what it is about.

The list gives a day and no time, so that ``first_seen`` is kept beside it; a backtest may use a filing from the next
session on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from stocklab.data.sources.opendart import SOURCE, DartClient, Row
from stocklab.data.sources.opendart_reports import received_on
from stocklab.data.sources.plain_text import plain_text
from stocklab.errors import SourceChanged

__all__ = ["Disclosure", "DisclosureKind", "disclosures_of_day", "kind_of"]

_PAGE: Final = 100
_MOST_PAGES: Final = 100
_VIEWER: Final = "https://dart.fss.or.kr/dsaf001/main.do?rcpNo={}"


class DisclosureKind(StrEnum):
    """What a filing is about."""

    HALT = "halt"
    RESUMED = "resumed"
    ADMINISTRATIVE = "administrative"
    ADMINISTRATIVE_LIFTED = "administrative_lifted"
    DELISTING = "delisting"
    CLEAN_UP = "clean_up"
    CAUTION = "caution"
    CAUTION_LIFTED = "caution_lifted"
    RIGHTS_ISSUE = "rights_issue"
    BONUS_ISSUE = "bonus_issue"
    REDUCTION = "reduction"
    MERGER = "merger"
    DIVISION = "division"
    CONVERTIBLE = "convertible"
    TREASURY = "treasury"
    CONTRACT = "contract"
    DIVIDEND = "dividend"
    LARGEST_HOLDER = "largest_holder"
    UNFAITHFUL = "unfaithful"
    PRELIMINARY_RESULTS = "preliminary_results"
    RESULTS_CHANGED = "results_changed"
    HOLDERS = "holders"
    REPORT = "report"
    OTHER = "other"


_BY_TYPE: Final = {
    "A001": DisclosureKind.REPORT,
    "A002": DisclosureKind.REPORT,
    "A003": DisclosureKind.REPORT,
    "D001": DisclosureKind.HOLDERS,
    "D002": DisclosureKind.HOLDERS,
    "E001": DisclosureKind.TREASURY,
}
# words of titles without spaces, the narrower ones first
_BY_TITLE: Final = tuple(
    (re.compile(words), kind)
    for words, kind in (
        (r"정리매매", DisclosureKind.CLEAN_UP),
        (r"관리종목.*해제", DisclosureKind.ADMINISTRATIVE_LIFTED),
        (r"관리종목", DisclosureKind.ADMINISTRATIVE),
        (r"투자주의환기.*해제", DisclosureKind.CAUTION_LIFTED),
        (r"투자주의환기", DisclosureKind.CAUTION),
        (r"상장폐지|상장적격성실질심사", DisclosureKind.DELISTING),
        (r"거래정지.*해제|거래재개", DisclosureKind.RESUMED),
        (r"거래정지", DisclosureKind.HALT),
        (r"불성실공시", DisclosureKind.UNFAITHFUL),
        (r"최대주주.{0,8}변경", DisclosureKind.LARGEST_HOLDER),
        (r"잠정\)?실적|실적\(?잠정", DisclosureKind.PRELIMINARY_RESULTS),
        (r"손익구조", DisclosureKind.RESULTS_CHANGED),
        (r"단일판매|공급계약", DisclosureKind.CONTRACT),
        (r"유무상증자|유상증자", DisclosureKind.RIGHTS_ISSUE),
        (r"무상증자", DisclosureKind.BONUS_ISSUE),
        (r"감자", DisclosureKind.REDUCTION),
        (r"분할합병|회사분할|분할결정|분할보고|분할종료", DisclosureKind.DIVISION),
        (r"합병", DisclosureKind.MERGER),
        (r"전환사채|신주인수권부사채|교환사채|전환청구권", DisclosureKind.CONVERTIBLE),
        (r"자기주식", DisclosureKind.TREASURY),
        (r"배당", DisclosureKind.DIVIDEND),
        (r"대량보유|소유상황보고", DisclosureKind.HOLDERS),
        (r"^(사업|반기|분기)보고서", DisclosureKind.REPORT),
    )
)
_PREFIX: Final = re.compile(r"^(\[[^\]]*\])+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """A filing of a listed company. ``title`` is plain text of strangers; the only time of day is ``first_seen``."""

    filing_no: str
    symbol: str
    title: str
    kind: DisclosureKind
    published: date
    first_seen: datetime

    @property
    def link(self) -> str:
        """DART's viewer."""
        return _VIEWER.format(self.filing_no)

    @property
    def corrects(self) -> bool:
        """Whether it corrects or completes an earlier filing."""
        return self.title.startswith("[")


def kind_of(title: str, detail_type: str = "") -> DisclosureKind:
    """What a filing is about, from ``report_nm`` and, where it was asked for, ``pblntf_detail_ty``.

    >>> kind_of("[기재정정]주요사항보고서(유상증자결정)").value, kind_of("주권매매거래정지해제").value
    ('rights_issue', 'resumed')
    """
    plain = _PREFIX.sub("", re.sub(r"\s", "", title))
    for words, kind in _BY_TITLE:
        if words.search(plain):
            return kind
    return _BY_TYPE.get(detail_type, DisclosureKind.OTHER)


def disclosures_of_day(
    dart: DartClient,
    day: date,
    *,
    is_known: Callable[[str], bool],
    now: datetime,
    complete: bool = False,
    detail_type: str = "",
) -> list[Disclosure]:
    """Filings of listed companies on a day that are not known, the newest first.

    Parameters
    ----------
    is_known : receipt number -> bool
        Reading stops after a page whose filings of listed companies are all known. Receipt numbers are dealt out by
        several offices, so that one known filing alone does not mean that the rest is.
    complete : bool
        Read every page, once a day is over.
    detail_type : str
        ``pblntf_detail_ty`` to ask for ("I003": market measures); all by default.

    Raises
    ------
    SourceError
        See `DartClient.answer`; nothing is half answered.
    """
    found: dict[str, Disclosure] = {}
    params = {"bgn_de": f"{day:%Y%m%d}", "end_de": f"{day:%Y%m%d}", "sort": "date", "sort_mth": "desc"}
    if detail_type:
        params["pblntf_detail_ty"] = detail_type
    for page in range(1, _MOST_PAGES + 1):
        body = dart.answer("list", {**params, "page_no": str(page), "page_count": str(_PAGE)})
        if body is None:
            break
        listed = [one for row in _rows(body) if (one := _disclosure(row, detail_type, now)) is not None]
        new = [one for one in listed if not is_known(one.filing_no)]
        found.update((one.filing_no, one) for one in new)
        if page >= int(str(body.get("total_page") or 0)) or (listed and not new and not complete):
            break
    return list(found.values())


def _rows(body: Row) -> list[Row]:
    rows = body.get("list")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SourceChanged(SOURCE, "the list of filings has no rows")
    if not str(body.get("total_page") or "").isdigit():
        raise SourceChanged(SOURCE, "the list of filings lacks total_page")
    return rows


def _disclosure(row: Row, detail_type: str, now: datetime) -> Disclosure | None:
    """None for companies that are not listed."""
    symbol, number = str(row.get("stock_code") or "").strip(), str(row.get("rcept_no") or "")
    received = received_on(number)
    if received is None:
        raise SourceChanged(SOURCE, "a filing without a receipt number", found=number[:40])
    if not re.fullmatch(r"[0-9A-Z]{6}", symbol):
        return None
    title = plain_text(row.get("report_nm"))
    return Disclosure(
        filing_no=number,
        symbol=symbol,
        title=title,
        kind=kind_of(title, detail_type),
        published=received,
        first_seen=now,
    )
