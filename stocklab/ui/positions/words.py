"""Words of prices, sleeves and guards."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from stocklab.brokers.values import Quote
from stocklab.live.guards import GuardState
from stocklab.live.owned_book import OwnedBook
from stocklab.trading.book import OUTSIDE
from stocklab.trading.guarding import GuardKind
from stocklab.trading.pricing import is_live
from stocklab.ui import format as fmt
from stocklab.ui.brokers.words import QUOTES
from stocklab.ui.system.words import ago
from stocklab.ui.text import N_, _, language

__all__ = ["KINDS", "LIVE_AGE", "STATES", "ZERO", "price", "quantity", "sleeve_name", "won"]

ZERO: Final = Decimal(0)
LIVE_AGE: Final = timedelta(seconds=30)
"""A price older than this fires no guard and is called delayed."""

KINDS: Final[Mapping[GuardKind, str]] = {
    GuardKind.STOP: N_("Stop"),
    GuardKind.TRAILING: N_("Trailing stop"),
    GuardKind.TARGET: N_("Target"),
}
STATES: Final[Mapping[GuardState, str]] = {
    GuardState.ACTIVE: N_("watching"),
    GuardState.PAUSED: N_("paused"),
    GuardState.FIRED: N_("fired"),
    GuardState.OVER: N_("over: no longer held"),
    GuardState.REMOVED: N_("removed"),
}


def sleeve_name(book: OwnedBook, sleeve_id: str) -> str:
    """Whose part of an account it is."""
    return _("No strategy") if sleeve_id == OUTSIDE else book.strategies.get(sleeve_id, sleeve_id)


def won(value: Decimal | None, *, signed: bool = False) -> str:
    """An amount, rounded for reading."""
    return fmt.krw(None if value is None else float(value), language(), signed=signed)


def quantity(value: Decimal) -> str:
    """Shares or coins, without idle zeros."""
    return f"{value.normalize():,f}"


def price(quote: Quote | None, now: datetime) -> str:
    """The last price, where it is from and how old it is; said when it is delayed."""
    if quote is None:
        return _("no price: counted at cost")
    digits = fmt.krw_exact(float(quote.price_krw), language()) if quote.price_krw >= 100 else f"{quote.price_krw:,f}"
    source = _(QUOTES[quote.source.value])
    parts = [digits, source, ago(quote.at, now)]
    if not is_live(quote, now, LIVE_AGE) and quote.source.value != "close":
        parts.append(_("delayed"))
    if quote.halted:
        parts.append(_("trading is halted"))
    return " · ".join(parts)
