"""Every source: which keys it needs and how its feeds are opened.

A new source is one function that opens it and one row of `SOURCES`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Self

from pydantic import SecretStr

from stocklab.data.snapshot import Snapshot
from stocklab.data.sources import datagokr, krx_feeds, krx_openapi, opendart, upbit
from stocklab.data.sources.calls import CallLedger, now_kst
from stocklab.data.sources.feed import Feed
from stocklab.data.sources.filing_feeds import OPENDART_FEEDS, PYKRX_FEEDS, open_dart, opendart_feeds, pykrx_feeds
from stocklab.data.sources.opendart_known import DartKnown
from stocklab.data.sources.pykrx import Account, PykrxSession
from stocklab.data.store import Store
from stocklab.settings import Settings

__all__ = [
    "SOURCES",
    "FeedOff",
    "Feeds",
    "OffReason",
    "Opened",
    "Opening",
    "SourceSpec",
    "key_of",
    "open_feeds",
    "possible_key",
]


class OffReason(StrEnum):
    """Why a feed is off. NO_KEY: a key is not set. SWITCHED_OFF: a setting that is off by default. BAD_KEY: what is set
    cannot be a key (blanks or letters inside that no address or header may hold)."""

    NO_KEY = "no_key"
    SWITCHED_OFF = "switched_off"
    BAD_KEY = "bad_key"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedOff:
    """A feed that is not in use; ``settings`` names the settings at fault, such as krx_openapi_key."""

    name: str
    source: str
    reason: OffReason
    settings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a source is opened with; ``keys`` holds a value for each key of its row, ``store`` what is known already."""

    settings: Settings
    keys: Mapping[str, str] = field(repr=False)
    calls: CallLedger
    stop: threading.Event
    clock: Callable[[], datetime]
    store: Store | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The feeds of a source, and what returns its connections."""

    feeds: tuple[Feed, ...]
    close: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSpec:
    """One source: the settings that must hold its keys, and the names of its feeds, the most useful first.

    ``switch`` is the setting that must be true, "" when the keys alone decide.
    """

    source: str
    keys: tuple[str, ...]
    feeds: tuple[str, ...]
    open: Callable[[Opening], Opened]
    switch: str = ""


def _open_krx(given: Opening) -> Opened:
    api = krx_openapi.KrxOpenApi(
        given.settings.krx_openapi_url,
        given.keys["krx_openapi_key"],
        given.calls,
        stop=given.stop,
        clock=given.clock,
    )
    return Opened(
        feeds=krx_feeds.krx_feeds(api, start=given.settings.history_from, markets=given.settings.krx_markets),
        close=api.close,
    )


def _open_datagokr(given: Opening) -> Opened:
    api = datagokr.DataGoKr(
        given.settings.datagokr_url, given.keys["datagokr_key"], given.calls, stop=given.stop, clock=given.clock
    )
    return Opened(feeds=(datagokr.PortalBars(api, start=given.settings.history_from),), close=api.close)


def _open_opendart(given: Opening) -> Opened:
    dart = open_dart(given.settings, given.calls, given.keys, given.stop, pace=opendart.FEED_PACE, clock=given.clock)
    known = DartKnown.of_snapshot(_market(given.store))
    return Opened(feeds=opendart_feeds(dart, known, since=given.settings.history_from), close=dart.client.close)


def _open_pykrx(given: Opening) -> Opened:
    session = PykrxSession(
        base_url=given.settings.krx_url,
        account=Account(user=given.keys["krx_id"], password=given.keys["krx_password"]),
        calls=given.calls,
        stop=given.stop,
        clock=given.clock,
    )
    return Opened(feeds=pykrx_feeds(session), close=session.close)


def _market(store: Store | None) -> Snapshot | None:
    """The current snapshot; none of a demo market, whose companies do not exist."""
    snapshot = store.current() if store is not None else None
    return snapshot if snapshot is not None and not snapshot.synthetic else None


def _open_upbit(given: Opening) -> Opened:
    api = upbit.Upbit(given.settings.upbit_url, given.calls, stop=given.stop, clock=given.clock)
    return Opened(feeds=upbit.upbit_feeds(api, start=given.settings.history_from), close=api.close)


SOURCES: Final = (
    SourceSpec(
        source=krx_openapi.SOURCE,
        keys=("krx_openapi_key",),
        feeds=("krx_openapi.stocks", "krx_openapi.indices", "krx_openapi.etfs", "krx_openapi.instruments"),
        open=_open_krx,
    ),
    SourceSpec(source=datagokr.SOURCE, keys=("datagokr_key",), feeds=("datagokr.stocks",), open=_open_datagokr),
    SourceSpec(source=opendart.SOURCE, keys=("opendart_key",), feeds=OPENDART_FEEDS, open=_open_opendart),
    SourceSpec(source="pykrx", keys=("krx_id", "krx_password"), feeds=PYKRX_FEEDS, open=_open_pykrx),
    SourceSpec(
        source=upbit.SOURCE, keys=(), feeds=("upbit.markets", "upbit.candles"), open=_open_upbit, switch="sync_coins"
    ),
)
"""Sources in the order of trust for what several of them have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeds:
    """The feeds in use, in the order of `SOURCES`, and those that are off. Close it, or use it in ``with``."""

    on: tuple[Feed, ...]
    off: tuple[FeedOff, ...]
    opened: tuple[Opened, ...] = field(repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Return the connections of every source."""
        for one in self.opened:
            one.close()


def open_feeds(
    settings: Settings,
    calls: CallLedger,
    *,
    keys: Mapping[str, str] | None = None,
    stop: threading.Event | None = None,
    clock: Callable[[], datetime] = now_kst,
    store: Store | None = None,
) -> Feeds:
    """Open every source whose keys are there. Nothing is asked yet.

    Parameters
    ----------
    keys : setting name -> key, optional
        Wins over the settings, also by an empty value, which switches the source off.
    stop : threading.Event, optional
        Ends every wait of every feed.
    clock : callable
        The time in Seoul.
    store : Store, optional
        Whose companies OpenDART is asked for.
    """
    on: list[Feed] = []
    off: list[FeedOff] = []
    opened: list[Opened] = []
    stopping = stop if stop is not None else threading.Event()
    for spec in SOURCES:
        if spec.switch and not getattr(settings, spec.switch):
            reason, wanted = OffReason.SWITCHED_OFF, (spec.switch,)
            off += [FeedOff(name=name, source=spec.source, reason=reason, settings=wanted) for name in spec.feeds]
            continue
        values = {name: key_of(settings, keys or {}, name) for name in spec.keys}
        missing = tuple(name for name, value in values.items() if not value)
        bad = tuple(name for name, value in values.items() if value and not possible_key(name, value))
        if missing or bad:
            reason = OffReason.NO_KEY if missing else OffReason.BAD_KEY
            off += [
                FeedOff(name=name, source=spec.source, reason=reason, settings=missing or bad) for name in spec.feeds
            ]
            continue
        one = spec.open(Opening(settings=settings, keys=values, calls=calls, stop=stopping, clock=clock, store=store))
        opened.append(one)
        on += one.feeds
    return Feeds(on=tuple(on), off=tuple(off), opened=tuple(opened))


def key_of(settings: Settings, keys: Mapping[str, str], name: str) -> str:
    """A key as it is sent: from ``keys`` where it is there, else from the settings; "" where none is set."""
    if name in keys:
        return keys[name].strip()
    value = getattr(settings, name)
    return value.get_secret_value().strip() if isinstance(value, SecretStr) else str(value or "").strip()


def possible_key(name: str, key: str) -> bool:
    """Whether an address or a header could hold it; a password is sent in a form, which holds any text."""
    return key.isprintable() and (name == "krx_password" or (key.isascii() and " " not in key))
