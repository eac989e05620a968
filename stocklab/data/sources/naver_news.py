"""Naver's news search: the API HUB of Naver Cloud, or the Developers Center with keys from before 2026-08 (to 2027-06).

There is no filter by day and at most 1,000 results a question, so that news are collected by asking often and stopping
at what is known. Titles and links only: article bodies are not ours to keep.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Self

import httpx

from stocklab.data.sources.calls import KST, CallLedger, now_kst
from stocklab.data.sources.http import Pace, SourceClient, json_of
from stocklab.data.sources.plain_text import plain_text, web_link
from stocklab.errors import SourceChanged, SourceDenied, SourceExhausted

__all__ = ["HUB", "LEGACY", "PACE", "Endpoint", "NaverNews", "NewsItem", "url_key"]

PACE: Final = Pace(least_gap_seconds=0.1, most_gap_seconds=0.2, budget=24_000, timeout_seconds=15.0)
_PAGE: Final = 100
_LAST: Final = 1_000  # start + display - 1 may not exceed it
_SHORT_NAME: Final = 2  # names this short mean other things too
_MARKET_WORDS: Final = re.compile(r"주가|주식|증시|코스피|코스닥|상장|종목|실적|목표가")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One of the two hosts: its name in the ledger, path and headers."""

    source: str
    path: str
    id_header: str
    secret_header: str


HUB: Final = Endpoint(
    source="naver_hub",
    path="/search/v1/news",
    id_header="X-NCP-APIGW-API-KEY-ID",
    secret_header="X-NCP-APIGW-API-KEY",  # noqa: S106 (a header's name)
)
LEGACY: Final = Endpoint(
    source="naver_legacy",
    path="/v1/search/news.json",
    id_header="X-Naver-Client-Id",
    secret_header="X-Naver-Client-Secret",  # noqa: S106 (a header's name)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsItem:
    """An article about a symbol. Only ``first_seen`` is safe in a backtest; ``published`` is what the press says.

    ``title`` is plain text of strangers. ``key`` tells articles apart (see `url_key`).
    """

    symbol: str
    key: str
    title: str
    link: str
    published: datetime
    first_seen: datetime


def url_key(link: str) -> str:
    """Key of an article: hash of the address the press gave it.

    >>> len(url_key("https://press.example/1"))
    64
    """
    return hashlib.sha256(link.encode()).hexdigest()


@dataclass(slots=True)
class NaverNews:
    """Search on one of the hosts. Not for use by two threads at once.

    Parameters
    ----------
    endpoint : Endpoint
        `HUB`, or `LEGACY` for keys of the Developers Center.
    base_url, client_id, client_secret : str
    calls : CallLedger
    """

    endpoint: Endpoint
    base_url: str
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    calls: CallLedger
    pace: Pace = PACE
    stop: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], datetime] = now_kst
    _client: SourceClient = field(init=False)

    def __post_init__(self) -> None:
        self._client = SourceClient(
            source=self.endpoint.source,
            base_url=self.base_url,
            pace=self.pace,
            calls=self.calls,
            headers={self.endpoint.id_header: self.client_id, self.endpoint.secret_header: self.client_secret},
            secrets=(self.client_id, self.client_secret),
            stop=self.stop,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Return the connections."""
        self._client.close()

    def about(
        self,
        symbol: str,
        name: str,
        *,
        aliases: Sequence[str] = (),
        is_known: Callable[[str], bool],
        since: datetime | None = None,
        most_pages: int = 10,
    ) -> list[NewsItem]:
        """Articles about a company that are not known, the newest first.

        Parameters
        ----------
        symbol, name, aliases
            Asked for is the name in quotes with a word of the market; an article counts when its title or summary
            holds the name or an alias, and with a name of two letters a word of the market too.
        is_known : key -> bool
            Paging stops at a page on which all of these articles are known.
        since : datetime, optional
            ... or at the first article from before.
        most_pages : int
            Of 100 results, at most 10.

        Raises
        ------
        SourceDenied, SourceExhausted, SourceBlocked, SourceTemporary, SourceChanged, Cancelled
            Nothing is half answered.
        """
        found: dict[str, NewsItem] = {}
        for page in range(min(most_pages, _LAST // _PAGE)):
            items = self.search(f'"{name}" 주가', start=page * _PAGE + 1)
            read = [item for raw in items if (item := self._item(symbol, raw, (name, *aliases))) is not None]
            new = [item for item in read if not is_known(item.key) and (since is None or item.published >= since)]
            found.update((item.key, item) for item in new)
            if len(items) < _PAGE or (read and not new):
                break
        return list(found.values())

    def search(self, query: str, *, start: int = 1) -> list[Mapping[str, Any]]:
        """A hundred results, the newest first, as the service gives them.

        Raises
        ------
        SourceError
            See `about`.
        """
        params = {"query": query, "display": str(_PAGE), "start": str(start), "sort": "date"}
        if self.endpoint is HUB:
            params["format"] = "json"
        source = self.endpoint.source
        response = self._client.send("GET", self.endpoint.path, params=params, refused=self._refused)
        body = json_of(source, response)
        items = body.get("items") if isinstance(body, dict) else None
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise SourceChanged(source, "expected a list of items", found=str(body)[:80])
        return items

    def _item(self, symbol: str, raw: Mapping[str, Any], names: Sequence[str]) -> NewsItem | None:
        title, summary = plain_text(raw.get("title")), plain_text(raw.get("description"), 1_000)
        link = web_link(raw.get("link")) or web_link(raw.get("originallink"))
        press = web_link(raw.get("originallink")) or link
        text = re.sub(r"\s", "", f"{title} {summary}")
        named = next((name for name in names if re.sub(r"\s", "", name) in text), None)
        if not title or link is None or press is None or named is None:
            return None
        if len(named) <= _SHORT_NAME and symbol not in text and not _MARKET_WORDS.search(text):
            return None
        try:
            published = parsedate_to_datetime(str(raw.get("pubDate")))
        except ValueError:
            return None
        if published.tzinfo is None:
            published = published.replace(tzinfo=KST)
        return NewsItem(
            symbol=symbol, key=url_key(press), title=title, link=link, published=published, first_seen=self.clock()
        )

    def _refused(self, response: httpx.Response) -> Exception | None:
        """What a status other than 200 means; None where it may be tried again or is no part of the protocol."""
        source, status = self.endpoint.source, response.status_code
        if status == httpx.codes.OK:
            return None
        code = _error_code(response)
        if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN} or code == "024":
            return SourceDenied(source, f"the key is refused (status {status}). Hint: look at the key in the settings")
        spent = code == ("400" if self.endpoint is HUB else "010")
        if status == httpx.codes.TOO_MANY_REQUESTS and spent:
            return SourceExhausted(source)
        return None


def _error_code(response: httpx.Response) -> str:
    """``errorCode`` of either host, "" where there is none."""
    try:
        body = response.json()
    except ValueError:
        return ""
    if not isinstance(body, dict):
        return ""
    inner = body.get("error")
    return str((inner if isinstance(inner, dict) else body).get("errorCode", ""))
