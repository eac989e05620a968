"""Asking OpenDART (opendart.fss.or.kr): statuses become answers or errors, and the key stays out of every message.

Source: the developer guide of OpenDART (오픈API 개발가이드): statuses, 20,000 requests a day, 100 companies a question.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

import httpx

from stocklab.data.sources.calls import KST, CallLedger, now_kst
from stocklab.data.sources.http import Pace, SourceClient, json_of
from stocklab.errors import (
    Cancelled,
    SourceBlocked,
    SourceChanged,
    SourceDenied,
    SourceExhausted,
    SourceTemporary,
    StockLabError,
)

__all__ = ["BUDGET", "FEED_PACE", "PACE", "SOURCE", "DartClient", "Row"]

SOURCE: Final = "opendart"
BUDGET: Final = 19_000  # of the 20,000 a key normally has
# 4 requests a second at most; above about 1,000 a minute the service shuts an address out for a day
PACE: Final = Pace(least_gap_seconds=0.25, most_gap_seconds=0.4, budget=BUDGET)
FEED_PACE: Final = replace(PACE, budget=BUDGET - 1_500)  # a first fill leaves the day's disclosures what they need

Row = Mapping[str, Any]

_OK: Final = "000"
_NOTHING: Final = frozenset({"013", "014"})
_DENIED: Final = {
    "010": "the key is not registered",
    "011": "the key is suspended",
    "012": "this address may not use the key",
    "901": "the key has expired",
}
_SPENT: Final = "020"
_CLOSED: Final = "800"
_UNDEFINED: Final = "900"
_CLOSED_FOR: Final = timedelta(hours=1)
_LARGEST_FILE: Final = 512 << 20  # unpacked; the list of companies has about 30 MB
_TRIES: Final = 3


@dataclass(slots=True)
class DartClient:
    """Questions to OpenDART. Not for use by two threads at once.

    Parameters
    ----------
    client : SourceClient
        With the address and the pace.
    key : str
        Sent with every question, shown nowhere.
    clock : () -> datetime
        Asia/Seoul.
    """

    client: SourceClient
    key: str = field(repr=False)
    clock: Callable[[], datetime] = now_kst

    @property
    def calls(self) -> CallLedger:
        """Where requests are counted."""
        return self.client.calls

    def rows(self, service: str, params: Mapping[str, str]) -> list[Row] | None:
        """The ``list`` of an answer, None where there is no data (013).

        Raises
        ------
        SourceError
            As `answer`.
        """
        body = self.answer(service, params)
        if body is None:
            return None
        found = body.get("list")
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise SourceChanged(SOURCE, f"{service} answered no list of rows")
        return found

    def answer(self, service: str, params: Mapping[str, str]) -> Row | None:
        """The whole JSON answer of status 000, None where there is no data (013).

        Raises
        ------
        SourceDenied
            The key is unknown, suspended or expired, or this address may not use it.
        SourceExhausted
            The day's requests are spent; nobody asks before midnight in Seoul.
        SourceBlocked
            Maintenance: nobody asks for an hour.
        SourceTemporary, SourceChanged, Cancelled
            See `SourceClient.send`.
        """
        for attempt in range(1, _TRIES + 1):
            response = self._get(f"{service}.json", params)
            body = self._json(response)
            status = body.get("status")
            if status == _OK:
                return body
            if self._meaning(status, str(body.get("message", ""))) is None:
                return None
            self._pause(attempt)
        raise self._undefined(service)

    def file(self, service: str, params: Mapping[str, str] | None = None) -> bytes | None:
        """The only file of a ZIP answer, None where there is none (013, 014).

        Raises
        ------
        SourceError
            As `answer`; SourceChanged also for a ZIP that is cut or holds something else.
        """
        for attempt in range(1, _TRIES + 1):
            content = self._get(f"{service}.xml", params or {}).content
            if content[:2] == b"PK":
                return _unzip(service, content)
            status = re.search(rb"<status>\s*(\d+)\s*</status>", content[:2000])
            if status is None:
                raise SourceChanged(SOURCE, f"{service}: expected a ZIP", found=self._shown(content))
            if self._meaning(status[1].decode(), "") is None:
                return None
            self._pause(attempt)
        raise self._undefined(service)

    def _get(self, path: str, params: Mapping[str, str]) -> httpx.Response:
        try:
            return self.client.get(f"/api/{path}", {"crtfc_key": self.key, **params})
        except SourceChanged as error:
            raise self._without_key(error) from None

    def _json(self, response: httpx.Response) -> Row:
        try:
            body = json_of(SOURCE, response)
        except SourceChanged as error:
            self.calls.note(SOURCE, ok=False, message="not JSON")
            raise self._without_key(error) from None
        if not isinstance(body, dict) or "status" not in body:
            raise SourceChanged(SOURCE, "expected an answer with a status", found=self._shown(response.content))
        return body

    def _meaning(self, status: object, message: str) -> bool | None:
        """None: no data. True: try again. Everything else raises."""
        if status in _NOTHING:
            return None
        if status == _UNDEFINED:
            return True
        error = self._error(status, message)
        self.calls.note(SOURCE, ok=False, message=str(error))
        raise error

    def _error(self, status: object, message: str) -> StockLabError:
        now = self.clock()
        if status in _DENIED:
            return SourceDenied(
                SOURCE, f"{_DENIED[str(status)]} (status {status}). Hint: look at the key in the settings"
            )
        if status == _SPENT:
            midnight = (now + timedelta(days=1)).astimezone(KST).replace(hour=0, minute=0, second=0, microsecond=0)
            self.calls.block(SOURCE, until=midnight, reason="the day's quota is spent")
            return SourceExhausted(SOURCE)
        if status == _CLOSED:
            until = now + _CLOSED_FOR
            self.calls.block(SOURCE, until=until, reason="maintenance")
            return SourceBlocked(SOURCE, until=until, reason="maintenance")
        return SourceChanged(SOURCE, f"status {status}", found=self._shown(message.encode()))

    def _undefined(self, service: str) -> SourceTemporary:
        error = SourceTemporary(SOURCE, f"{service} answered status 900 {_TRIES} times")
        self.calls.note(SOURCE, ok=False, message=str(error))
        return error

    def _pause(self, attempt: int) -> None:
        if attempt < _TRIES:
            seconds = self.client.pace.first_wait_seconds * 2 ** (attempt - 1)
            if self.client.stop.wait(seconds):
                raise Cancelled(f"Asking {SOURCE} was stopped.")

    def _without_key(self, error: SourceChanged) -> SourceChanged:
        clean = SourceChanged(SOURCE, "")
        clean.args = (str(error).replace(self.key, "(key)"),)
        clean.found = error.found.replace(self.key, "(key)")
        return clean

    def _shown(self, content: bytes) -> str:
        return " ".join(content[:200].decode("utf-8", errors="replace").replace(self.key, "(key)").split())[:80]


def _unzip(service: str, content: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) != 1 or members[0].file_size > _LARGEST_FILE:
                raise SourceChanged(SOURCE, f"{service}: expected a ZIP with one file, found {len(members)}")
            return archive.read(members[0])
    except (zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
        raise SourceTemporary(SOURCE, f"{service}: the ZIP is cut or damaged ({type(error).__name__})") from None
