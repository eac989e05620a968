"""Risk figures of a book, kept while the book and the market data stay the same."""

from __future__ import annotations

from datetime import date

from stocklab.caches import Group, remember
from stocklab.errors import StockLabError
from stocklab.live.book_risk import BookFigures, figures
from stocklab.market.panel import Panel, PriceBasis
from stocklab.trading.live_worth import LiveWorth
from stocklab.ui import cached

__all__ = ["measured"]


def measured(worth: LiveWorth) -> BookFigures:
    """All figures of a book, as of today's market data."""
    store = cached.lab().store
    return _measured(str(store.home), store.current_id(), worth, cached.today())


@remember("book_risk", Group.SCREEN, 32, of_market=True)
def _measured(home: str, snapshot_id: str | None, worth: LiveWorth, day: date) -> BookFigures:
    return figures(worth, _panel(None), _panel(PriceBasis.COIN), day)


def _panel(basis: PriceBasis | None) -> Panel | None:
    try:
        return cached.lab().panel(basis)
    except StockLabError:
        return None  # this home has no bars on that basis
