"""Bugs that rival systems are known for, planted into our own code, to see that simulated days find them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from run_days import simulate
from simulated_day import Bug

from stocklab.brokers.protocol import Broker
from stocklab.brokers.values import BrokerName, BrokerOrder, OrderTicket, Receipt
from stocklab.db import Database
from stocklab.errors import OrderUnknown
from stocklab.trading import Entry, Fill
from stocklab.trading.executor import Executor, Turn
from stocklab.trading.journal import Kept

ZERO = Decimal(0)
MOST_DAYS = 500


def _resends(adapter: Broker) -> None:
    """No answer to an order: it is sent again."""
    send = adapter.send

    def again(ticket: OrderTicket) -> Receipt:
        try:
            return send(ticket)
        except OrderUnknown:
            return send(ticket)

    adapter.send = again  # type: ignore[method-assign]


class _BooksTwice(Executor):
    """A new process does not know what the one before it had booked."""

    def _follow(self, state: Any, one: Kept, row: BrokerOrder) -> bool:
        order = one.order
        if not self.__dict__.get("looked") and order.booked_quantity and not order.state.final:
            forgotten = replace(order, booked_quantity=ZERO, booked_krw=ZERO, booked_costs_krw=ZERO)
            one = replace(one, order=forgotten, booked={})
        return super()._follow(state, one, row)

    def turn(self) -> Turn:
        turn = super().turn()
        self.__dict__["looked"] = turn.looked
        return turn


class _LosesFills(Executor):
    """After a time without connection, what the broker shows is taken for what is booked."""

    def _booked(self, state: Any, kept: Kept, fill: Fill) -> tuple[Kept, tuple[Entry, ...]]:
        after, entries = super()._booked(state, kept, fill)
        return after, () if self.__dict__.get("cut") else entries

    def turn(self) -> Turn:
        turn = super().turn()
        self.__dict__["cut"] = not turn.looked
        return turn


def _keeps_token(adapter: Any) -> None:
    """A token that was refused is tried for ever; at Upbit, where each request has its own, always the same one."""
    client = adapter._client
    if hasattr(client, "_auth"):
        client._auth.refused = lambda _value: None
    elif hasattr(client, "_tokens"):
        client._tokens.refused = lambda _value, _code: None
    else:
        client._nonce = lambda: "same"


def _forgets_switch(journal: Any, number: int) -> None:
    """Whether the kill switch is thrown is known to the process alone in which it was thrown."""
    if number > 1:
        journal._scopes = lambda: ("forgotten", "too")


BUGS = {
    "resend on timeout": Bug(adapter=_resends),
    "fill booked twice": Bug(executor=_BooksTwice),
    "fill lost after reconnect": Bug(executor=_LosesFills),
    "stale token loop": Bug(adapter=_keeps_token),
    "kill switch ignored after restart": Bug(journal=_forgets_switch),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Catch:
    """On which day a bug was found, counted from 1, and by what."""

    days: int
    found: str


def days_until_caught(database: Database, name: BrokerName, bug: Bug, *, first: int = 1) -> Catch | None:
    """Simulate days from a seed on until one is not as it must be; None after `MOST_DAYS`."""
    for days in range(1, MOST_DAYS + 1):
        try:
            simulate(database, name, first + days - 1, bug=bug).run()
        except Exception as error:
            return Catch(days=days, found=str(error).split("\n")[1] if "\n" in str(error) else str(error))
    return None
