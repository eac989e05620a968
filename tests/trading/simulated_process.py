"""A process that can die: before and after each of its requests and transactions, and what is left is the database.

What a dead one still tries (its `finally` blocks) does not happen, as after SIGKILL.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import httpx
from fakes.broker_faults import Heard, Told, WithoutSocket
from simulated_brokers import Venue

from stocklab.brokers.protocol import Broker
from stocklab.brokers.values import OrderTicket, Receipt
from stocklab.db import Database
from stocklab.trading.journal import Draft, Journal, Kept

OWNER, ACCOUNT = "local", "account-1"


class Killed(BaseException):
    """SIGKILL, as far as one process can tell."""


class Process:
    """Alive until it is killed. ``leads``: it holds the scheduler's lock; ``sending`` is the id of the order that it
    sends now. ``at`` is asked at each place where it may be cut."""

    def __init__(self, at: Callable[[Process, str], None]) -> None:
        self.alive = True
        self.leads = True
        self.sending: str | None = None
        self._at = at

    def cut(self, place: str) -> None:
        if not self.alive:
            raise Killed(place)
        self._at(self, place)

    def kill(self, place: str) -> None:
        """Raises Killed."""
        self.alive = False
        raise Killed(place)


class Line(httpx.BaseTransport):
    """Between an adapter and its fake: where a process may die, and where requests are counted."""

    def __init__(self, process: Process, venue: Venue, seen: Callable[[Process, Heard], None]) -> None:
        self.prefix = "/v1" if venue.coins else ""
        self._process = process
        self._venue = venue
        self._seen = seen
        self._httpx = WithoutSocket(self._answer, venue.clock.sleep)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._process.cut("before request")
        try:
            return self._httpx.handle_request(request)
        finally:
            self._process.cut("after request")

    def carry(self, heard: Heard, patience: float) -> Told:
        """As `handle_request`, of a request that is no object of httpx."""
        self._process.cut("before request")
        try:
            told = self._answer(heard)
            if told.wait:
                self._venue.clock.sleep(min(told.wait, patience))
            if told.wait > patience:
                raise httpx.ReadTimeout("no answer in time")
            if told.status == 0:
                raise httpx.RemoteProtocolError("the connection was cut")
            return told
        finally:
            self._process.cut("after request")

    def _answer(self, heard: Heard) -> Told:
        self._seen(self._process, heard)
        return self._venue.fake.answer(heard)


class _Direct:
    """As much of `httpx.Client` as an adapter's `Wire` needs, without what takes most of its time: URLs and headers are
    neither parsed nor put together again."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def request(
        self, method: str, url: str, *, headers: dict[str, str], content: bytes | None, timeout: httpx.Timeout
    ) -> SimpleNamespace:
        path, _, query = url.partition("?")
        names = {"host": "fake", "user-agent": "stocklab", "accept": "application/json"}
        names |= {key.lower(): value for key, value in headers.items()}
        heard = Heard(method=method, path=self._line.prefix + path, raw_query=query, headers=names, body=content or b"")
        told = self._line.carry(heard, timeout.read)
        return SimpleNamespace(status_code=told.status, headers=told.headers, content=told.body)

    def close(self) -> None:
        pass


def shorten(adapter: Any, line: Line) -> None:
    """Leave httpx out between an adapter and its fake, which makes a day a third shorter; failures are the same."""
    adapter._client._wire._client = _Direct(line)


class Sender:
    """A broker's adapter, of which it is known which order it sends."""

    def __init__(self, broker: Broker, process: Process) -> None:
        self.traits = broker.traits
        self._broker = broker
        self._process = process
        for question in ("check", "cancel", "day_orders", "find", "holdings", "cash", "quotes", "close"):
            setattr(self, question, getattr(broker, question))

    def send(self, ticket: OrderTicket) -> Receipt:
        self._process.sending = ticket.client_order_id
        try:
            return self._broker.send(ticket)
        finally:
            self._process.sending = None


class CutJournal(Journal):
    """The journal with a place to be killed before and after each of its transactions."""

    def __init__(
        self,
        database: Database,
        process: Process,
        *,
        new_id: Callable[[], str],
        begun: Callable[[Process, Kept], None],
    ) -> None:
        super().__init__(database, OWNER, ACCOUNT, fence=lambda _session: process.leads, new_id=new_id)
        self._process = process
        self._begun = begun

    def intend(self, drafts: Sequence[Draft], now: datetime, **more: Any) -> tuple[Kept, ...]:
        return self._around("intend", lambda: super(CutJournal, self).intend(drafts, now, **more))

    def adopt(self, *args: Any) -> Kept:
        return self._around("adopt", lambda: super(CutJournal, self).adopt(*args))

    def begin(self, *args: Any) -> Kept | None:
        return self._around("begin", lambda: self._begin(*args))

    def record(self, *args: Any, **more: Any) -> Kept:
        return self._around("record", lambda: super(CutJournal, self).record(*args, **more))

    def book(self, *args: Any, **more: Any) -> None:
        self._around("book", lambda: super(CutJournal, self).book(*args, **more))

    def orders(self, *args: Any) -> tuple[Kept, ...]:
        self._process.cut("reading")
        return super().orders(*args)

    def _begin(self, *args: Any) -> Kept | None:
        kept = super().begin(*args)
        if kept is not None:
            self._begun(self._process, kept)
        return kept

    def _around(self, name: str, work: Callable[[], Any]) -> Any:
        self._process.cut(f"before {name}")
        found = work()
        self._process.cut(f"after {name}")
        return found
