"""What orders must know of a symbol, from the newest snapshot: its market, its sector, its last close."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Final

import numpy as np

from stocklab.brokers.values import Quote, QuoteSource
from stocklab.data.panel_open import open_panel
from stocklab.data.sources.calls import KST
from stocklab.data.store import Store
from stocklab.errors import StockLabError
from stocklab.market.panel import KIND_CODES, MARKET_CODES, Panel, PriceBasis

__all__ = ["COINS", "Instrument", "Instruments"]

COINS: Final = "UPBIT"
_CLOSE: Final = time(15, 30)
_MARKETS: Final = {code: name for name, code in MARKET_CODES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """A symbol as orders see it. ``market`` is a key of the tick tables: "ETF" for every ETF. ``sector`` is "" where
    it is unknown; ``close`` is its last close, None where there is none.
    """

    symbol: str
    name: str
    market: str
    sector: str
    close: Quote | None


class Instruments:
    """Looks symbols up in the newest snapshot. Safe from several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._snapshot = ""
        self._panels: list[Panel] = []

    def get(self, symbol: str) -> Instrument | None:
        """A symbol; None where no snapshot knows it."""
        for panel in self._current():
            column = int(np.searchsorted(panel.symbols, symbol))
            if column < len(panel.symbols) and panel.symbols[column] == symbol:
                return _instrument(panel, column)
        if "-" in symbol:  # a coin that is traded without its candles being synced
            return Instrument(symbol=symbol, name=symbol, market=COINS, sector="", close=None)
        return None

    def panel(self, *, coins: bool) -> Panel | None:
        """The newest bars of coins, or of stocks: as traded where there are such. None without market data."""
        found = {panel.basis: panel for panel in self._current()}
        if coins:
            return found.get(PriceBasis.COIN)
        return found.get(PriceBasis.RAW) or found.get(PriceBasis.ADJUSTED)

    def name_of(self, symbol: str) -> str:
        """Its name, the symbol itself where none is known."""
        found = self.get(symbol)
        return symbol if found is None or not found.name else found.name

    def last_session(self) -> date | None:
        """The newest session of stocks; None without market data."""
        days = [panel.sessions[-1].item() for panel in self._current() if panel.basis is not PriceBasis.COIN]
        return max(days, default=None)

    def closes(self, symbols: Iterable[str]) -> Mapping[str, Quote]:
        """Last closes of those that have one."""
        found = {symbol: self.get(symbol) for symbol in symbols}
        return {symbol: one.close for symbol, one in found.items() if one is not None and one.close is not None}

    def _current(self) -> list[Panel]:
        snapshot = self._store.current()
        with self._lock:
            if snapshot is None:
                self._snapshot, self._panels = "", []
            elif snapshot.id != self._snapshot:
                self._panels = [panel for basis in PriceBasis if (panel := self._open(basis)) is not None]
                self._snapshot = snapshot.id
            return self._panels

    def _open(self, basis: PriceBasis) -> Panel | None:
        try:
            return open_panel(self._store, basis=basis)
        except StockLabError:
            return None  # this snapshot has no bars on that basis


def _instrument(panel: Panel, column: int) -> Instrument:
    kinds = panel.instruments.kinds
    market = _MARKETS.get(int(panel.fields["market"][-1, column]), "")
    if int(kinds[column]) == KIND_CODES["etf"]:
        market = "ETF"
    sector = panel.instruments.sectors[column]
    return Instrument(
        symbol=panel.symbols[column],
        name=panel.instruments.names[column],
        market=COINS if panel.basis is PriceBasis.COIN else market,
        sector=sector,
        close=_close(panel, column),
    )


def _close(panel: Panel, column: int) -> Quote | None:
    name = "close_raw" if "close_raw" in panel.fields else "close"
    value = float(panel.fields[name][-1, column])
    if math.isnan(value) or value <= 0:
        return None
    price = Decimal(str(value)) if panel.basis is PriceBasis.COIN else Decimal(round(value))
    at = datetime.combine(panel.sessions[-1].item(), _CLOSE, tzinfo=KST)
    base = None if panel.basis is PriceBasis.COIN else price
    return Quote(symbol=panel.symbols[column], price_krw=price, at=at, source=QuoteSource.CLOSE, base_price_krw=base)
