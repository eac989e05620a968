"""Public-data portal (data.go.kr), stock price information of the FSC: one day of all markets per question, paged."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, Final, Self
from urllib.parse import unquote

import httpx
import polars as pl

from stocklab.data.layouts.markets import MARKET_NAMES
from stocklab.data.sources.calls import KST, CallLedger, midnight_after, now_kst
from stocklab.data.sources.feed import Answer, AnswerState, Window, session_of
from stocklab.data.sources.http import Pace, SourceClient, json_of
from stocklab.data.sources.text_rows import text_frame, wholes
from stocklab.data.sources.whole_market import (
    RowCounts,
    bars_of_session,
    earlier_trading_days,
    markets_of,
    next_trading_day,
    wanted_sessions,
    will_come,
)
from stocklab.errors import SourceChanged, SourceDenied, SourceError, SourceExhausted, SourceTemporary

__all__ = ["FIRST_SESSION", "PACE", "REASKED", "SOURCE", "DataGoKr", "PortalBars", "portal_cross_section", "released"]

SOURCE: Final = "datagokr"
FIRST_SESSION: Final = date(2020, 1, 2)
PACE: Final = Pace(least_gap_seconds=0.3, most_gap_seconds=0.5, budget=9_500)  # a development key has 10,000 a day
REASKED: Final = 3

_PATH: Final = "/1160100/service/GetStockSecuritiesInfoService/getStockPriceInfo"
_PAGE_ROWS: Final = 3_000  # all markets of a day are about 2,900
_MOST_PAGES: Final = 20
_RELEASE_HOUR: Final = time(13, 0)
_NORMAL, _NO_DATA = "00", "03"
_QUOTA: Final = frozenset({"22"})
_PASSING: Final = frozenset({"01", "02", "04", "05", "21", "23"})  # faults of the portal, and too many in one second
_REFUSED: Final = frozenset({"20", "30", "31", "32", "33"})
_REASON: Final = re.compile(rb"<returnReasonCode>\s*(\d+)\s*</returnReasonCode>")
_TEXT: Final = re.compile(rb"<returnAuthMsg>\s*([A-Z_ ]+?)\s*</returnAuthMsg>")
_BARS: Final = {
    "open": "mkp",
    "high": "hipr",
    "low": "lopr",
    "close": "clpr",
    "volume": "trqu",
    "change": "vs",
    "amount": "trPrc",
    "market_cap": "mrktTotAmt",
    "listed_shares": "lstgStCnt",
}


def released(session: date) -> datetime:
    """When a session's data are out: about 13:00 of the next trading day in Seoul."""
    return datetime.combine(next_trading_day(session), _RELEASE_HOUR, tzinfo=KST)


def portal_cross_section(rows: Any) -> pl.DataFrame:
    """Items of the service as a cross-section in the layout of `layouts.marcap`; sections of KOSDAQ are not given.

    Raises
    ------
    SourceChanged
        A field is missing or not what it should be, or a market is unknown.
    """
    text = text_frame(SOURCE, rows, ("basDt", "srtnCd", "itmsNm", "mrktCtg", *_BARS.values()))
    unknown = text["mrktCtg"].filter(~text["mrktCtg"].is_in(list(MARKET_NAMES)).fill_null(value=False))
    if len(unknown) or text["srtnCd"].null_count():
        raise SourceChanged(SOURCE, "a row has no known market or no code", found=str([*unknown][:1]))
    days = text["basDt"].str.to_date("%Y%m%d", strict=False, exact=True)
    if days.null_count():
        raise SourceChanged(SOURCE, "expected a day in 'basDt'", found=str(text["basDt"].filter(days.is_null())[0]))
    return pl.DataFrame(
        [
            days.alias("date"),
            text["srtnCd"].str.replace(r"^A(.{6})$", "${1}").alias("code"),
            text["itmsNm"].alias("name"),
            *(wholes(SOURCE, text, theirs).alias(ours) for ours, theirs in _BARS.items()),
            text["mrktCtg"].alias("market"),
            pl.Series("dept", [None] * text.height, dtype=pl.String),
        ]
    )


@dataclass(slots=True)
class DataGoKr:
    """The service. Not for use by two threads at once.

    Parameters
    ----------
    key : str
        The portal shows it twice, encoded for an address and decoded; either is taken and sent encoded once.
    """

    url: str
    key: str = field(repr=False)
    calls: CallLedger
    pace: Pace = PACE
    stop: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], datetime] = now_kst
    _client: SourceClient = field(init=False)
    _denied: SourceDenied | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if re.search(r"%[0-9A-Fa-f]{2}", self.key):  # a decoded key is base64, which has no %
            self.key = unquote(self.key)
        self._client = SourceClient(SOURCE, self.url, self.pace, self.calls, secrets=(self.key,), stop=self.stop)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Return the connections."""
        self._client.close()

    def rows(self, day: date) -> list[Any]:
        """All rows of a day; none for a holiday and for a day that is not out yet.

        Raises
        ------
        SourceDenied
            The key is refused; it is not sent again by this object.
        SourceExhausted
            By our count or by the portal's; then it is left alone until midnight.
        SourceTemporary, SourceBlocked, SourceChanged, Cancelled
            See `SourceClient.send`; changed also when the pages do not hold as many rows as they say.
        """
        rows: list[Any] = []
        total, size, page = 1, _PAGE_ROWS, 1
        while len(rows) < total:
            body = self._page(day, page, size)
            items, count = _items(body), _count(body, "totalCount")
            if page > 1 and count != total:
                raise SourceTemporary(SOURCE, f"the rows of {day} changed while they were read ({total}, then {count})")
            total = count
            if len(items) > total - len(rows) or (not items and total > len(rows)) or page > _MOST_PAGES:
                raise SourceChanged(SOURCE, f"{day} should have {total:,} rows, page {page} brings {len(items):,}")
            rows += items
            size = min(size, max(1, _count(body, "numOfRows")))
            if len(rows) < total and len(items) < size:
                raise SourceChanged(SOURCE, f"{day} should have {total:,} rows, only {len(rows):,} came")
            page += 1
        return rows

    def one_row(self, day: date) -> None:
        """Ask for a single row of a day, to see whether the key is accepted. Raises as `rows`."""
        self._page(day, 1, 1)

    def _page(self, day: date, page: int, size: int) -> dict[str, Any]:
        if self._denied is not None:
            raise self._denied
        params = {
            "serviceKey": self.key,
            "resultType": "json",
            "numOfRows": str(size),
            "pageNo": str(page),
            "basDt": f"{day:%Y%m%d}",
        }
        value = json_of(SOURCE, self._client.send("GET", _PATH, params=params, refused=self._refusal))
        try:
            header, body = value["response"]["header"], value["response"].get("body")
            code, text = str(header["resultCode"]), str(header.get("resultMsg", ""))
        except (KeyError, TypeError, AttributeError):
            raise SourceChanged(SOURCE, "expected response.header.resultCode", found=repr(value)[:80]) from None
        if code == _NO_DATA:
            return {"totalCount": 0, "numOfRows": size, "items": ""}
        if code != _NORMAL:
            raise self._error(code, text)
        if not isinstance(body, dict):
            raise SourceChanged(SOURCE, "expected response.body", found=repr(value)[:80])
        return body

    def _refusal(self, response: httpx.Response) -> SourceError | None:
        """Errors of the portal's gateway: XML with status 200, or a bare status."""
        reason = _REASON.search(response.content)
        if reason is not None:
            text = _TEXT.search(response.content)
            return self._error(reason[1].decode().zfill(2), text[1].decode() if text is not None else "")
        if response.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            return self._error("30", f"status {response.status_code}")
        if response.status_code == httpx.codes.TOO_MANY_REQUESTS and b"quota" in response.content.lower():
            return self._error("22", "status 429, quota exceeded")
        return None

    def _error(self, code: str, text: str) -> SourceError:
        said = f"the portal says {text or 'no'!r} ({code})"
        if code in _QUOTA:
            self.calls.block(SOURCE, until=midnight_after(self.clock()), reason="the portal says the quota is spent")
            return SourceExhausted(SOURCE, message=said)
        if code in _REFUSED:
            self._denied = SourceDenied(
                SOURCE,
                f"{said}. Hint: apply at data.go.kr for 금융위원회_주식시세정보; a new key works after some minutes, "
                "an expired one must be renewed there.",
            )
            return self._denied
        return SourceTemporary(SOURCE, said) if code in _PASSING else SourceChanged(SOURCE, said)


def _count(body: Mapping[str, Any], name: str) -> int:
    try:
        value = int(body[name])
    except (KeyError, TypeError, ValueError):
        raise SourceChanged(SOURCE, f"expected a number in {name!r}", found=repr(body)[:80]) from None
    if value < 0:
        raise SourceChanged(SOURCE, f"expected a number of 0 or more in {name!r}", found=str(value))
    return value


def _items(body: Mapping[str, Any]) -> list[Any]:
    """The rows of a page: `items` is "" when there are none, and `item` a single object when there is one."""
    items = body.get("items", "")
    if items in ("", None):
        return []
    found = items.get("item") if isinstance(items, dict) else None
    if isinstance(found, dict):
        return [found]
    if not isinstance(found, list):
        raise SourceChanged(SOURCE, "expected items.item", found=repr(items)[:80])
    return found


@dataclass(slots=True)
class PortalBars:
    """Bars of every listed share of a session since 2020: ``datagokr.stocks`` for ``prices_raw``, without ``dept``.

    Parameters
    ----------
    api : DataGoKr
    start : date
        First session wanted; the service has none before 2020-01-02.
    reask : int
        The newest sessions to ask again although they are known.
    """

    api: DataGoKr
    start: date = FIRST_SESSION
    reask: int = REASKED
    name: str = field(init=False, default=f"{SOURCE}.stocks")
    source: str = field(init=False, default=SOURCE)
    datasets: tuple[str, ...] = field(init=False, default=("prices_raw",))
    calls_per_key: int = field(init=False, default=1)
    _counts: RowCounts = field(init=False)
    _ahead: dict[date, list[Any]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._counts = RowCounts(SOURCE)

    def wanted(self, known: Mapping[str, str], window: Window) -> Sequence[str]:
        """See `Feed.wanted`."""
        self._ahead.clear()
        start = max(self.start, FIRST_SESSION)
        return wanted_sessions(known, window, start=start, reask=self.reask, released=released)

    def fetch(self, key: str) -> Answer:
        """See `Feed.fetch`. A session without one of the markets is not answered yet; one with fewer than 90 % of the
        rows of the session asked before is an error (for the first key an earlier session is asked too)."""
        session = session_of(key)
        ahead = self._ahead.pop(session, None)
        rows = ahead if ahead is not None else self.api.rows(session)
        if not rows:
            return Answer(state=AnswerState.NOT_YET if will_come(session, self.api.clock()) else AnswerState.EMPTY)
        section = portal_cross_section(rows)
        counts = _by_market(section)
        missing = [market for market in markets_of(session) if market not in counts]
        if missing:
            return Answer(state=AnswerState.NOT_YET, note=f"no rows of {', '.join(missing)} yet")
        if any(self._counts.needs_earlier(session, market, count) for market, count in counts.items()):
            self._ask_ahead(session)
        for market, count in counts.items():
            self._counts.check(session, market, count)
        frame, note, left_out = bars_of_session(SOURCE, session, section)
        for market, count in counts.items():
            self._counts.remember(session, market, count)
        return Answer(state=AnswerState.FINAL, frames={"prices_raw": frame}, note=note, left_out=left_out)

    def _ask_ahead(self, session: date) -> None:
        for day in earlier_trading_days(session, most=3):
            rows = self.api.rows(day) if day >= FIRST_SESSION else []
            if rows:
                self._ahead[day] = rows
                for market, count in _by_market(portal_cross_section(rows)).items():
                    self._counts.remember(day, market, count)
                return


def _by_market(section: pl.DataFrame) -> dict[str, int]:
    names = section["market"].replace_strict(MARKET_NAMES, return_dtype=pl.String)
    return dict(names.value_counts().rows())
