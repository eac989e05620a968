"""Prices of one account's symbols: from its socket, else by asking, else the last close, and always which of these."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

import structlog

from stocklab.brokers.protocol import Broker
from stocklab.brokers.values import Quote, QuoteSource
from stocklab.errors import BrokerError

__all__ = ["QuoteBoard"]

log = structlog.get_logger(__name__)

_FRESH: Final = timedelta(seconds=5)
_RANK: Final = {QuoteSource.SOCKET: 0, QuoteSource.REST: 1, QuoteSource.CLOSE: 2}


class QuoteBoard:
    """Keeps the newest price of each symbol. `put` comes from the socket's thread, everything else from the account's.

    ``closes`` gives last closes; what comes from them is marked CLOSE, and nothing is bought on it.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        clock: Callable[[], datetime],
        closes: Callable[[Iterable[str]], Mapping[str, Quote]],
    ) -> None:
        self._broker = broker
        self._clock = clock
        self._closes = closes
        self._lock = threading.Lock()
        self._known: dict[str, tuple[Quote, datetime]] = {}
        self._wanted: frozenset[str] = frozenset()
        self.trouble = ""

    @property
    def wanted(self) -> frozenset[str]:
        """The symbols asked for last, for the socket."""
        return self._wanted

    def put(self, quote: Quote) -> None:
        """A price of the socket. One that is older than what is known changes nothing."""
        with self._lock:
            known = self._known.get(quote.symbol)
            if known is None or known[0].at <= quote.at or known[0].source is QuoteSource.CLOSE:
                before = None if known is None else known[0]
                self._known[quote.symbol] = (_completed(quote, before), self._clock())

    def get(self, symbol: str) -> Quote | None:
        """The newest price of a symbol."""
        with self._lock:
            known = self._known.get(symbol)
            return None if known is None else known[0]

    def all(self) -> Mapping[str, Quote]:
        """The newest price of every wanted symbol that has one."""
        with self._lock:
            return {symbol: self._known[symbol][0] for symbol in sorted(self._wanted) if symbol in self._known}

    @property
    def worst(self) -> QuoteSource | None:
        """Where the least fresh price of a wanted symbol comes from; None where none is wanted."""
        found = [quote.source for quote in self.all().values()]
        if len(found) < len(self._wanted):
            return QuoteSource.CLOSE
        return max(found, key=_RANK.__getitem__) if found else None

    def refresh(self, symbols: Iterable[str], *, ask: bool = True) -> None:
        """Have a price for each of these: ask the broker for those that were not heard of lately, unless not to."""
        self._wanted = frozenset(symbols)
        now = self._clock()
        with self._lock:
            old = sorted(
                symbol for symbol in self._wanted if symbol not in self._known or now - self._known[symbol][1] > _FRESH
            )
        if old and ask:
            self._ask(old, now)
        with self._lock:
            lacking = sorted(self._wanted - self._known.keys())
        for quote in self._closes(lacking).values() if lacking else ():
            with self._lock:
                self._known[quote.symbol] = (quote, now)

    def _ask(self, symbols: list[str], now: datetime) -> None:
        try:
            found = self._broker.quotes(symbols)
        except BrokerError as error:
            if not self.trouble:
                log.warning("quotes_fail", message=str(error))
            self.trouble = str(error)
            self._let_go(symbols)
            return
        self.trouble = ""
        with self._lock:
            for symbol, quote in found.items():
                known = self._known.get(symbol)
                if known is None or known[0].source is not QuoteSource.SOCKET or quote.at >= known[0].at:
                    self._known[symbol] = (quote, now)

    def _let_go(self, symbols: list[str]) -> None:
        """What cannot be asked for is as old as its last close, and says so."""
        closes = self._closes(symbols)
        with self._lock:
            for symbol in symbols:
                if symbol in closes and symbol not in self._known:
                    self._known[symbol] = (closes[symbol], self._clock())


def _completed(quote: Quote, before: Quote | None) -> Quote:
    """A socket's price with the day's limits that asking brought."""
    if before is None or before.at.date() != quote.at.date() or quote.base_price_krw is not None:
        return quote
    return Quote(
        symbol=quote.symbol,
        price_krw=quote.price_krw,
        at=quote.at,
        source=quote.source,
        bid_krw=quote.bid_krw,
        ask_krw=quote.ask_krw,
        base_price_krw=before.base_price_krw,
        upper_limit_krw=quote.upper_limit_krw or before.upper_limit_krw,
        lower_limit_krw=quote.lower_limit_krw or before.lower_limit_krw,
        halted=quote.halted or before.halted,
    )
