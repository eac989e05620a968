"""Opening the feeds of OpenDART and pykrx: what each needs, in the order in which their answers are of use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Self

from pydantic import SecretStr

from stocklab.data.sources import opendart
from stocklab.data.sources.calls import CallLedger, now_kst
from stocklab.data.sources.feed import Feed
from stocklab.data.sources.http import Pace, SourceClient
from stocklab.data.sources.naver_news import HUB, LEGACY, NaverNews
from stocklab.data.sources.opendart import DartClient
from stocklab.data.sources.opendart_accounts import MainAccounts
from stocklab.data.sources.opendart_companies import CorpCodes, Filings
from stocklab.data.sources.opendart_details import Dividends, Shares
from stocklab.data.sources.opendart_known import DartKnown
from stocklab.data.sources.opendart_reports import FIRST_YEAR
from stocklab.data.sources.opendart_statements import Statements
from stocklab.data.sources.pykrx import Account, PykrxSession
from stocklab.data.sources.pykrx_feeds import Flows, Foreign, Members, Short
from stocklab.errors import SourceOff
from stocklab.settings import Settings

__all__ = [
    "OPENDART_FEEDS",
    "PYKRX_FEEDS",
    "FilingFeeds",
    "filing_feeds",
    "open_dart",
    "open_naver",
    "opendart_feeds",
    "pykrx_feeds",
]

OPENDART_FEEDS: Final = (
    "opendart.corp_codes",
    "opendart.filings",
    "opendart.main_accounts",
    "opendart.statements",
    "opendart.shares",
    "opendart.dividends",
)
PYKRX_FEEDS: Final = ("pykrx.flows", "pykrx.members", "pykrx.foreign", "pykrx.short")


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingFeeds:
    """The feeds whose keys are there, the most useful first; close it, or use it in ``with``."""

    on: tuple[Feed, ...]
    off: tuple[str, ...]
    closing: tuple[Callable[[], None], ...] = field(repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Return connections and end pykrx's process."""
        for close in self.closing:
            close()


def filing_feeds(
    settings: Settings,
    calls: CallLedger,
    keys: Mapping[str, str] | None = None,
    stop: threading.Event | None = None,
    *,
    known: DartKnown | None = None,
    clock: Callable[[], datetime] = now_kst,
) -> FilingFeeds:
    """Open OpenDART and pykrx. Nothing is asked and no process started yet.

    Parameters
    ----------
    keys : setting name -> value, optional
        Wins over the settings.
    known : DartKnown, optional
        What the store holds (`DartKnown.of_snapshot`). Without it nothing but filings is asked for.
    """
    stopping = stop if stop is not None else threading.Event()
    on: list[Feed] = []
    off: list[str] = []
    closing: list[Callable[[], None]] = []
    try:
        dart = open_dart(settings, calls, keys, stopping, pace=opendart.FEED_PACE, clock=clock)
    except SourceOff:
        off += OPENDART_FEEDS
    else:
        on += opendart_feeds(dart, known if known is not None else DartKnown(), since=settings.history_from)
        closing.append(dart.client.close)
    user, password = _value(settings, keys, "krx_id"), _value(settings, keys, "krx_password")
    if user and password:
        session = PykrxSession(
            base_url=settings.krx_url,
            account=Account(user=user, password=password),
            calls=calls,
            stop=stopping,
            clock=clock,
        )
        on += pykrx_feeds(session)
        closing.append(session.close)
    else:
        off += PYKRX_FEEDS
    return FilingFeeds(on=tuple(on), off=tuple(off), closing=tuple(closing))


def opendart_feeds(dart: DartClient, known: DartKnown, *, since: date) -> tuple[Feed, ...]:
    """The feeds of one client, the most useful first.

    Parameters
    ----------
    known : DartKnown
        Shared by them: what the list of filings tells is asked for by the others.
    since : date
        First session wanted; reports go back a year before it, for figures over trailing years.
    """
    first, clock = max(since.year - 1, FIRST_YEAR), dart.clock
    return (
        CorpCodes(dart=dart, known=known, clock=clock),
        Filings(dart=dart, known=known, clock=clock),
        MainAccounts(dart=dart, known=known, since=first, clock=clock),
        Statements(dart=dart, known=known, since=first, clock=clock),
        Shares(dart=dart, known=known, since=first, clock=clock),
        Dividends(dart=dart, known=known, since=first, clock=clock),
    )


def pykrx_feeds(session: PykrxSession) -> tuple[Feed, ...]:
    """The feeds of one log-in, the most useful first."""
    clock = session.clock
    return (
        Flows(session=session, clock=clock),
        Members(session=session, clock=clock),
        Foreign(session=session, clock=clock),
        Short(session=session, clock=clock),
    )


def open_dart(
    settings: Settings,
    calls: CallLedger,
    keys: Mapping[str, str] | None = None,
    stop: threading.Event | None = None,
    *,
    pace: Pace = opendart.PACE,
    clock: Callable[[], datetime] = now_kst,
) -> DartClient:
    """A client of OpenDART, for the disclosures of the day; close its ``client``. Feeds keep to a smaller budget.

    Raises
    ------
    SourceOff
        No key is set.
    """
    key = _value(settings, keys, "opendart_key")
    if not key:
        raise SourceOff(opendart.SOURCE, "no key is set")
    client = SourceClient(
        source=opendart.SOURCE,
        base_url=settings.opendart_url,
        pace=pace,
        calls=calls,
        secrets=(key,),
        stop=stop if stop is not None else threading.Event(),
    )
    return DartClient(client=client, key=key, clock=clock)


def open_naver(
    settings: Settings,
    calls: CallLedger,
    keys: Mapping[str, str] | None = None,
    stop: threading.Event | None = None,
    *,
    clock: Callable[[], datetime] = now_kst,
) -> NaverNews:
    """The news search: the API HUB where its keys are set, else the Developers Center; ``endpoint`` says which.

    Raises
    ------
    SourceOff
        Neither has keys.
    """
    for endpoint, url, name in (
        (HUB, settings.naver_url, "naver"),
        (LEGACY, settings.naver_legacy_url, "naver_legacy"),
    ):
        client_id = _value(settings, keys, f"{name}_client_id")
        secret = _value(settings, keys, f"{name}_client_secret")
        if client_id and secret:
            return NaverNews(
                endpoint=endpoint,
                base_url=url,
                client_id=client_id,
                client_secret=secret,
                calls=calls,
                stop=stop if stop is not None else threading.Event(),
                clock=clock,
            )
    raise SourceOff(HUB.source, "no client id and secret are set")


def _value(settings: Settings, keys: Mapping[str, str] | None, name: str) -> str:
    if keys is not None and name in keys:
        return keys[name].strip()
    value = getattr(settings, name)
    return value.get_secret_value().strip() if isinstance(value, SecretStr) else ""
