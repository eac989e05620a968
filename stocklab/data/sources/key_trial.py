"""Is a key accepted? One cheap question to its service, through the client, the budget and the pace of every other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Final

from stocklab.data.sources.calls import CallLedger
from stocklab.data.sources.catalogue import key_of, possible_key
from stocklab.data.sources.datagokr import DataGoKr
from stocklab.data.sources.filing_feeds import open_dart, open_naver
from stocklab.data.sources.known import KNOWN_SOURCES
from stocklab.data.sources.krx_openapi import KrxOpenApi
from stocklab.data.sources.pykrx import Account, PykrxSession
from stocklab.data.sources.whole_market import earlier_trading_days
from stocklab.errors import InputError, SourceDenied, SourceOff
from stocklab.settings import Settings

__all__ = ["Trial", "try_key"]

_SERVICE: Final = "sto/stk_bydd_trd"  # the one without which a sync has no prices
_WORD: Final = "코스피"

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a key is tried with: the settings with the keys filled in, and what every question needs."""

    settings: Settings = field(repr=False)
    keys: Mapping[str, str] = field(repr=False)
    calls: CallLedger
    stop: threading.Event
    clock: Clock

    @property
    def day(self) -> date:
        """A trading day whose data are out everywhere."""
        return earlier_trading_days(self.clock().date(), most=3)[-1]


def try_key(source: str, settings: Settings, calls: CallLedger, *, stop: threading.Event, clock: Clock) -> None:
    """Ask once. Returns when the service accepted the key; what it answered is not kept.

    Raises
    ------
    InputError
        The source is not known, or needs no key.
    SourceOff
        A key of it is not set.
    SourceDenied
        The service refuses it, with its reason; or no request could hold what is set.
    SourceError
        It could not be asked, or gave no usable answer: nothing is known of the key.
    Cancelled
        ``stop`` was set.
    """
    if source not in _TRIALS:
        raise InputError(f"{source!r} has no key to try. Expected one of {', '.join(_TRIALS)}.")
    names = next(known.keys for known in KNOWN_SOURCES if known.name == source)
    keys = {name: key_of(settings, {}, name) for name in names}
    if not all(keys.values()):
        raise SourceOff(source, "no key is set")
    if not all(possible_key(name, value) for name, value in keys.items()):
        raise SourceDenied(source, "what is set cannot be a key: it has blanks or letters that no request may hold.")
    _TRIALS[source](Trial(settings=settings, keys=keys, calls=calls, stop=stop, clock=clock))


def _krx(trial: Trial) -> None:
    url, key = trial.settings.krx_openapi_url, trial.keys["krx_openapi_key"]
    with KrxOpenApi(url, key, trial.calls, stop=trial.stop, clock=trial.clock) as api:
        api.rows(_SERVICE, trial.day)


def _portal(trial: Trial) -> None:
    url, key = trial.settings.datagokr_url, trial.keys["datagokr_key"]
    with DataGoKr(url, key, trial.calls, stop=trial.stop, clock=trial.clock) as api:
        api.one_row(trial.day)


def _dart(trial: Trial) -> None:
    dart = open_dart(trial.settings, trial.calls, trial.keys, trial.stop, clock=trial.clock)
    day = f"{trial.day:%Y%m%d}"
    with dart.client:
        dart.rows("list", {"bgn_de": day, "end_de": day, "page_no": "1", "page_count": "1"})


def _marketplace(trial: Trial) -> None:
    """Only the log-in, which is six requests of the day's thirty."""
    account = Account(user=trial.keys["krx_id"], password=trial.keys["krx_password"])
    with PykrxSession(
        base_url=trial.settings.krx_url, account=account, calls=trial.calls, stop=trial.stop, clock=trial.clock
    ) as session:
        session.log_in()


def _naver(trial: Trial) -> None:
    """The API HUB is preferred where both have keys: without its own, the Developers Center is asked."""
    others = {name: "" for name in ("naver_client_id", "naver_client_secret") if name not in trial.keys}
    with open_naver(trial.settings, trial.calls, {**others, **trial.keys}, trial.stop, clock=trial.clock) as naver:
        naver.search(_WORD)


_TRIALS: Final[Mapping[str, Callable[[Trial], None]]] = MappingProxyType(
    {
        "krx_openapi": _krx,
        "datagokr": _portal,
        "opendart": _dart,
        "pykrx": _marketplace,
        "naver_hub": _naver,
        "naver_legacy": _naver,
    }
)
