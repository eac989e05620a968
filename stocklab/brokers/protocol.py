"""What every broker's adapter does. Questions may be repeated; an order is sent once and never again by an adapter."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from stocklab.brokers.values import (
    BrokerCash,
    BrokerHolding,
    BrokerOrder,
    BrokerTraits,
    OrderRef,
    OrderTicket,
    Quote,
    Receipt,
    Side,
)

__all__ = ["Broker", "BrokerStream", "StreamEvent", "StreamKind", "Wanted"]


class Broker(Protocol):
    """One account at one broker, over REST. Not safe from several threads: an account has one owner.

    Every method raises BrokerDenied where a person must act (keys, address, rights).
    """

    traits: BrokerTraits

    def check(self) -> str:
        """Ask the cheapest question that proves keys, environment and account; the account's number, masked.

        Raises
        ------
        BrokerTemporary, BrokerDenied
        """
        ...

    def send(self, ticket: OrderTicket) -> Receipt:
        """Send an order, once, whatever the answer.

        Raises
        ------
        OrderRejected
            The broker refused it for good: there is no order.
        OrderUnsent
            Nothing left this machine: there is no order.
        OrderUnknown
            Anything else, also answers that sound like "not processed": only the journal can tell.
        """
        ...

    def cancel(self, ref: OrderRef, *, symbol: str, side: Side) -> None:
        """Ask to end what is left of an order. That it returns means that the request was taken, not that it worked.

        Raises
        ------
        OrderRejected
            Nothing is left to cancel (``Rejection.FINISHED``), or another refusal.
        OrderUnsent, OrderUnknown
            As in `send`; a cancel may be repeated.
        """
        ...

    def day_orders(self, day: date) -> Sequence[BrokerOrder]:
        """Every order of a day in Seoul by any way of trading, ended ones too; cancel requests are not orders.

        All pages or an error, never a part of the list. Orders of other days that still rest are in it.

        Raises
        ------
        BrokerTemporary
        """
        ...

    def find(self, client_order_id: str) -> BrokerOrder | None:
        """An order by our id, None when the broker has none. Only where ``traits.knows_client_ids``.

        Raises
        ------
        BrokerTemporary
        """
        ...

    def holdings(self) -> Sequence[BrokerHolding]:
        """What is held, by symbol. All pages or BrokerTemporary."""
        ...

    def cash(self) -> BrokerCash:
        """The account's money. Raises BrokerTemporary."""
        ...

    def quotes(self, symbols: Iterable[str]) -> Mapping[str, Quote]:
        """Last prices; a symbol that the broker does not know is left out. Raises BrokerTemporary."""
        ...

    def close(self) -> None:
        """Let go of connections. The token stays valid: others may share it."""
        ...


class StreamKind(StrEnum):
    """What happened on a socket."""

    UP = "up"
    """Connected, logged in and subscribed: read everything again, nothing is replayed."""
    DOWN = "down"
    EVICTED = "evicted"
    """Another session took over the key: a person must look."""
    ORDER = "order"
    """Something happened to an order: read the journal. A socket confirms and never denies."""
    QUOTE = "quote"


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEvent:
    """One event. ``symbol`` and ``order_number`` as far as it says; ``quote`` for QUOTE alone."""

    kind: StreamKind
    at: datetime
    symbol: str | None = None
    order_number: str | None = None
    quote: Quote | None = None
    reason: str = ""


Wanted = Callable[[], frozenset[str]]
"""The symbols whose prices are wanted now."""


class BrokerStream(Protocol):
    """Fills and quotes of one account. `run` belongs on a thread of its own."""

    def run(self, wanted: Wanted, emit: Callable[[StreamEvent], None], stop: threading.Event) -> None:
        """Connect, subscribe, answer heartbeats, follow ``wanted``, connect again after a growing pause, until
        ``stop``. Ends early only after EVICTED or when the keys are refused (BrokerDenied). ``emit`` must be quick."""
        ...
