"""The services of orders over the app database of this process."""

from __future__ import annotations

from stocklab.live.hands_off import HandsOff
from stocklab.live.instruments import Instruments
from stocklab.live.order_list import OrderLists
from stocklab.live.order_wishes import OrderWishes
from stocklab.live.ticket_preview import TicketPreviews
from stocklab.live.tickets import Tickets
from stocklab.live.traders import Traders
from stocklab.ui import cached
from stocklab.ui.brokers.services import accounts

__all__ = ["hands_off", "instruments", "lists", "previews", "tickets", "traders", "wishes"]

_instruments: dict[int, Instruments] = {}


def lists() -> OrderLists:
    """Reading orders."""
    return OrderLists(cached.lab().database)


def wishes() -> OrderWishes:
    """Wishes about orders that are written."""
    return OrderWishes(cached.lab().database)


def tickets() -> Tickets:
    """Writing orders by hand, and cancelling one."""
    return Tickets(cached.lab().database, accounts())


def previews() -> TicketPreviews:
    """What a ticket would come to."""
    return TicketPreviews(cached.lab().database, accounts())


def hands_off() -> HandsOff:
    """What was sold by hand."""
    return HandsOff(cached.lab().database)


def traders() -> Traders:
    """Strategies at work, to choose from."""
    return Traders(cached.lab().database)


def instruments() -> Instruments:
    """Symbols of the newest snapshot; what was opened stays open as long as the store is the same."""
    store = cached.lab().store
    known = _instruments.get(id(store))
    if known is None:
        _instruments.clear()
        known = _instruments[id(store)] = Instruments(store)
    return known
