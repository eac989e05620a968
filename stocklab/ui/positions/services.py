"""The books of owners over the app database and the market data of this process."""

from __future__ import annotations

from stocklab.caches import Group, remember
from stocklab.live.guards import Guards
from stocklab.live.instruments import Instruments
from stocklab.live.owned_book import OwnedBook, OwnedBooks
from stocklab.ui import cached
from stocklab.ui.brokers.services import now

__all__ = ["book", "guards", "instruments"]


def book(owner_id: str) -> OwnedBook:
    """All accounts of an owner as they are now."""
    return OwnedBooks(cached.lab().database).show(owner_id, now(), look_up=instruments().get)


def guards() -> Guards:
    """Stops and targets."""
    return Guards(cached.lab().database)


def instruments() -> Instruments:
    """Symbols in the newest market data."""
    store = cached.lab().store
    return _instruments(str(store.home), store.current_id())


@remember("instruments", Group.MARKET, 2, of_market=True)
def _instruments(home: str, snapshot_id: str | None) -> Instruments:
    return Instruments(cached.lab().store)
