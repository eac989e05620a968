"""KRX Open API: one day of one service per request, with the user's own key, each service approved on its own.

The rows' meaning is the business of `krx_rows`; what is asked and when, of `krx_feeds`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Self

import httpx

from stocklab.data.sources.calls import CallLedger, midnight_after, now_kst
from stocklab.data.sources.http import Pace, SourceClient, json_of
from stocklab.errors import SourceChanged, SourceDenied, SourceError, SourceExhausted

__all__ = ["FIRST_SESSION", "PACE", "SERVICES", "SOURCE", "KrxOpenApi"]

SOURCE: Final = "krx_openapi"
FIRST_SESSION: Final = date(2010, 1, 4)
PACE: Final = Pace(least_gap_seconds=0.3, most_gap_seconds=0.5, budget=9_500)  # the terms allow 10,000 a day

SERVICES: Final = {
    "sto/stk_bydd_trd": "유가증권 일별매매정보",
    "sto/ksq_bydd_trd": "코스닥 일별매매정보",
    "sto/knx_bydd_trd": "코넥스 일별매매정보",
    "sto/stk_isu_base_info": "유가증권 종목기본정보",
    "sto/ksq_isu_base_info": "코스닥 종목기본정보",
    "sto/knx_isu_base_info": "코넥스 종목기본정보",
    "idx/kospi_dd_trd": "KOSPI 시리즈 일별시세정보",
    "idx/kosdaq_dd_trd": "KOSDAQ 시리즈 일별시세정보",
    "etp/etf_bydd_trd": "ETF 일별매매정보",
}
"""Services in use, by the name a person applies for at openapi.krx.co.kr."""

_DENIED: Final = frozenset({"401", "403"})
_QUOTA_WORDS: Final = ("limit", "exceed", "quota", "초과", "한도")
_BLOCK: Final = "OutBlock_1"


@dataclass(slots=True)
class KrxOpenApi:
    """The service. Not for use by two threads at once.

    Parameters
    ----------
    url, key, calls, stop
        See `SourceClient`; the key goes into a header, never into an address.
    clock : callable
        The time in Seoul.
    """

    url: str
    key: str = field(repr=False)
    calls: CallLedger
    pace: Pace = PACE
    stop: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], datetime] = now_kst
    _client: SourceClient = field(init=False)
    _denied: dict[str, SourceDenied] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._client = SourceClient(
            SOURCE, self.url, self.pace, self.calls, headers={"AUTH_KEY": self.key}, secrets=(self.key,), stop=self.stop
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Return the connections."""
        self._client.close()

    def rows(self, service: str, day: date) -> list[Any]:
        """The rows a service has for a day; none for a holiday and for a day that is not out yet.

        Raises
        ------
        SourceDenied
            The key is not approved for the service. It is not asked again by this object.
        SourceExhausted
            By our count or by the service's; then it is left alone until midnight.
        SourceTemporary, SourceBlocked, SourceChanged, Cancelled
            See `SourceClient.send`.
        """
        if service in self._denied:
            raise self._denied[service]

        def refused(response: httpx.Response) -> SourceError | None:
            return self._refusal(service, str(response.status_code), _message(response))

        response = self._client.send("GET", f"/svc/apis/{service}", params={"basDd": f"{day:%Y%m%d}"}, refused=refused)
        value = json_of(SOURCE, response)
        if isinstance(value, dict) and isinstance(value.get(_BLOCK), list):
            return list(value[_BLOCK])
        raise SourceChanged(SOURCE, f"{service} answered without {_BLOCK}", found=json.dumps(value)[:80])

    def _refusal(self, service: str, status: str, message: dict[str, Any]) -> SourceError | None:
        """What an answer refuses, if it does; the code is in the body of some answers with status 200."""
        code, text = str(message.get("respCode", status)), str(message.get("respMsg", ""))
        if not status.startswith("5") and any(word in text.lower() for word in _QUOTA_WORDS):
            until = midnight_after(self.clock())
            self.calls.block(SOURCE, until=until, reason="the service says that the day's quota is spent")
            return SourceExhausted(SOURCE, message=f"the service says {text!r}")
        if code in _DENIED or status in _DENIED:
            denied = SourceDenied(
                SOURCE,
                f"the key is not approved for the service {SERVICES.get(service, service)!r} ({service}). "
                "Hint: apply for it at openapi.krx.co.kr (each service needs its own approval), or check the key, "
                "which is valid for a year.",
            )
            self._denied[service] = denied
            return denied
        return None


def _message(response: httpx.Response) -> dict[str, Any]:
    """The error object of an answer, {} when it is anything else; rows are not parsed here."""
    if len(response.content) > 2_000:
        return {}
    try:
        value = json.loads(response.content)
    except (UnicodeDecodeError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) and _BLOCK not in value else {}
