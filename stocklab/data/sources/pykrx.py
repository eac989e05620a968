"""Asking the KRX Data Marketplace through pykrx, which runs in a process of its own, at a person's pace.

KRX blocks who asks much, so that one process asks at a time, with 2 to 4 seconds between questions, never around the
close, at most 30 a day, and after a refusal not for a while. What must outlive the process (counts, breakers) stays in
the `CallLedger`, under "pykrx" and two names of its own: the faults of the day, and one for each refused account.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import selectors
import subprocess
import sys
import threading
import time as clock_time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Final, Self

import structlog

from stocklab.data.sources import pykrx_child
from stocklab.data.sources.calls import KST, CallLedger, now_kst
from stocklab.data.sources.http import Pace
from stocklab.errors import (
    Cancelled,
    SourceBlocked,
    SourceChanged,
    SourceDenied,
    SourceTemporary,
    StockLabError,
)

__all__ = ["FAULTS", "LOGIN_REQUESTS", "PACE", "SOURCE", "Account", "PykrxSession"]

log = structlog.get_logger(__name__)

SOURCE: Final = "pykrx"
FAULTS: Final = "pykrx.faults"
PACE: Final = Pace(least_gap_seconds=2.0, most_gap_seconds=4.0, budget=30, timeout_seconds=60.0)
LOGIN_REQUESTS: Final = 6  # two warm-ups of two pages, the log-in, and once more where the account is in use elsewhere
_QUIET: Final = (time(14, 50), time(15, 40))  # nobody asks while the session closes
_WAITS: Final = (timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=1))
_SHUT_OUT: Final = timedelta(hours=24)
_SESSION_LASTS: Final = 45 * 60.0  # pykrx would log in again by itself, uncounted, after 55 minutes
_START_SECONDS: Final = 90.0
_UNTIL_A_PERSON_ACTS: Final = timedelta(days=3650)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account of the KRX Data Marketplace."""

    user: str = field(repr=False)
    password: str = field(repr=False)

    def name(self) -> str:
        """A name in the ledger that changes with the account or its password and tells neither."""
        mark = hashlib.scrypt(self.password.encode(), salt=self.user.encode(), n=2**14, r=8, p=1, dklen=6)
        return f"{SOURCE}.login-{mark.hex()}"


class _Silent(Exception):
    """The process gave no answer in time, or ended."""


@dataclass(slots=True)
class PykrxSession:
    """One log-in and the questions asked with it. ``table`` may be called from several threads; one asks at a time.

    Parameters
    ----------
    base_url : str
        https://data.krx.co.kr, or where tests point it.
    account : Account
    calls : CallLedger
    stop : threading.Event, optional
        Set by whoever wants the work to end.
    """

    base_url: str
    account: Account
    calls: CallLedger
    pace: Pace = PACE
    stop: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], datetime] = now_kst
    _child: _Child | None = None
    _logged_in: float = 0.0
    _next: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _random: random.Random = field(default_factory=random.Random)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def log_in(self) -> None:
        """Log in now, unless that is done, to see whether the account is accepted. Raises as `table`."""
        with self._lock:
            self._ready()
            self.calls.note(SOURCE, ok=True)

    def table(self, name: str, **arguments: str | int) -> list[Mapping[str, str | None]]:
        """Rows of one table as KRX sent them: text with commas, "-" or nothing where there is no number.

        Raises
        ------
        SourceExhausted, SourceBlocked
            The day's requests are spent, a breaker is open, or the session is about to close. Nothing was asked.
        SourceDenied
            The account was refused, now or before; it is not tried again until it is changed.
        SourceTemporary, SourceChanged
            No answer, or one without data; the breaker is open now.
        Cancelled
            ``stop`` was set.
        """
        with self._lock:
            self._ready()
            self._count(1)
            answer = self._ask({"do": "table", "table": name, "arguments": arguments})
            rows = answer.get("rows")
            if not isinstance(rows, list):
                raise SourceChanged(SOURCE, f"table {name} has no rows")
            self.calls.note(SOURCE, ok=True)
            log.debug("source_asked", source=SOURCE, table=name, rows=len(rows))
            return rows

    def _ready(self) -> None:
        self._keep_quiet()
        if self._child is not None and clock_time.monotonic() - self._logged_in > _SESSION_LASTS:
            self._end()
        if self._child is None:
            self._log_in()

    def _keep_quiet(self) -> None:
        now = self.clock().astimezone(KST)
        begin, end = _QUIET
        if begin <= now.time() < end and now.weekday() < 5:
            until = now.replace(hour=end.hour, minute=end.minute, second=0, microsecond=0)
            raise SourceBlocked(SOURCE, until=until, reason="not asked while the session closes")

    def _log_in(self) -> None:
        try:
            self.calls.take(self.account.name(), budget=None)
        except SourceBlocked:
            raise self._refused_account() from None
        self._count(LOGIN_REQUESTS)
        try:
            self._child = _Child.start(self.base_url, self.account, self.pace.timeout_seconds)
        except OSError as error:
            raise SourceTemporary(SOURCE, f"the process could not be started ({error.strerror})") from error
        try:
            self._ask({}, seconds=_START_SECONDS)
            self._ask({"do": "login"})
        except BaseException:
            self._end()
            raise
        self._logged_in = clock_time.monotonic()

    def _count(self, requests: int) -> None:
        """Count requests before they are sent, then wait until they may be."""
        for _ in range(requests):
            self.calls.take(SOURCE, budget=self.pace.budget)
        wait = self._next - clock_time.monotonic()
        if self.stop.wait(wait) if wait > 0 else self.stop.is_set():
            raise Cancelled(f"Asking {SOURCE} was stopped.")
        self._keep_quiet()  # the wait may have led into the close

    def _ask(self, request: Mapping[str, Any], *, seconds: float | None = None) -> Mapping[str, Any]:
        if self._child is None:
            raise SourceTemporary(SOURCE, "the process ended")
        try:
            answer = self._child.ask(request, seconds or self.pace.timeout_seconds, self.stop)
        except _Silent:
            answer = {"fault": pykrx_child.TIMEOUT, "detail": "no answer from the process"}
        finally:
            gap = self._random.uniform(self.pace.least_gap_seconds, self.pace.most_gap_seconds)
            self._next = clock_time.monotonic() + gap
        fault = answer.get("fault")
        if fault is None:
            return answer
        self._end()  # a session that failed once may hold half-filled tables
        error = self._fault(str(fault), str(answer.get("detail", "")))
        self.calls.note(SOURCE, ok=False, message=str(error))
        raise error

    def _fault(self, fault: str, detail: str) -> StockLabError:
        now = self.clock()
        if fault == pykrx_child.LOGIN:
            self.calls.block(self.account.name(), until=now + _UNTIL_A_PERSON_ACTS, reason=f"refused ({detail})")
            return self._refused_account(detail)
        if fault == pykrx_child.BLOCKED:
            until = now + _SHUT_OUT
            self.calls.block(SOURCE, until=until, reason="KRX shuts this address out")
            return SourceBlocked(SOURCE, until=until, reason="KRX shuts this address out")
        self.calls.take(FAULTS, budget=None)
        number = self.calls.taken(FAULTS)
        until = now + _WAITS[min(number, len(_WAITS)) - 1]
        reason = f"{fault} ({detail})"
        self.calls.block(SOURCE, until=until, reason=reason)
        told = f"{reason}; not asked again before {until:%H:%M}"
        return SourceChanged(SOURCE, told) if fault == pykrx_child.BROKEN else SourceTemporary(SOURCE, told)

    def _refused_account(self, detail: str = "") -> SourceDenied:
        why = {"CD010": "its password must be changed at KRX"}.get(detail, "the log-in was refused")
        return SourceDenied(
            SOURCE,
            f"{why}; it is not tried again by itself. Hint: try the account at KRX, then enter it in the settings",
        )

    def _end(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None


class _Child:
    """The process, and its pipes."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.rest = b""

    @classmethod
    def start(cls, base_url: str, account: Account, seconds: float) -> _Child:
        """Start it. The account reaches its environment only; no other secret of ours does."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("STOCKLAB_", "KRX_"))}
        environment = {
            **own,
            "MPLBACKEND": "Agg",
            "KRX_BASE": base_url,
            "KRX_ID": account.user,
            "KRX_PW": account.password,
            "KRX_SECONDS": str(seconds / 3),
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        }
        process = subprocess.Popen(
            [sys.executable, "-P", pykrx_child.__file__],  # as a file: the package would cost it seconds
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        return cls(process)

    def ask(self, request: Mapping[str, Any], seconds: float, stop: threading.Event) -> Mapping[str, Any]:
        """Send a line, unless it is empty, and wait for one.

        Raises
        ------
        _Silent
            None came in time.
        Cancelled
            ``stop`` was set meanwhile.
        """
        assert self.process.stdin is not None  # noqa: S101 (opened above)
        if request:
            try:
                self.process.stdin.write(json.dumps(request).encode() + b"\n")
                self.process.stdin.flush()
            except OSError:
                raise _Silent from None
        return self._line(clock_time.monotonic() + seconds, stop)

    def _line(self, deadline: float, stop: threading.Event) -> Mapping[str, Any]:
        assert self.process.stdout is not None  # noqa: S101
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in self.rest:
                if stop.is_set():
                    raise Cancelled(f"Asking {SOURCE} was stopped.")
                left = deadline - clock_time.monotonic()
                if left <= 0:
                    raise _Silent
                if selector.select(min(left, 0.2)):
                    read = os.read(self.process.stdout.fileno(), 1 << 16)
                    if not read:
                        raise _Silent
                    self.rest += read
        line, _, self.rest = self.rest.partition(b"\n")
        answer = json.loads(line)
        return answer if isinstance(answer, dict) else {}

    def end(self) -> None:
        """Kill it: it holds nothing that could be lost."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    log.debug("pipe_closed", source=SOURCE)
