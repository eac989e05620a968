"""A panel as plain Python values: what one symbol's session offers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import numpy as np

from reference_simulator.market import Bands, limit_band, limit_percent, tax_rate, tick_bands
from reference_simulator.money import COIN_UNIT, whole_units
from stocklab.market.panel import KIND_CODES, MARKET_CODES, Panel, PriceBasis

MARKET_NAMES = {code: name for name, code in MARKET_CODES.items()}


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One symbol in one session; prices in won, 0 where unknown."""

    open: int
    high: int
    low: int
    close: int
    volume: float
    listed: bool
    traded: bool
    market: str
    etf: bool
    published_base: int
    base: int
    bands: Bands
    tax: Fraction
    lower_limit: int
    upper_limit: int

    @property
    def complete(self) -> bool:
        """Whether all four prices are known."""
        return self.open > 0 and self.low > 0 and self.close > 0 and self.high >= self.low


@dataclass(frozen=True, kw_only=True)
class Event:
    """``new`` shares for ``old`` at the open of a session."""

    symbol: int
    new: int
    old: int
    until: int | None = None  # bonus shares that cannot be sold before this session


@dataclass(frozen=True, kw_only=True)
class Dividend:
    """Cash for each share held at the close before, paid at the open of session ``due``."""

    symbol: int
    krw: Fraction
    due: int


class Bars:
    """Bars by session and symbol (both by place in the panel)."""

    def __init__(self, panel: Panel) -> None:
        self.raw = panel.basis is PriceBasis.RAW
        self.coins = panel.basis is PriceBasis.COIN
        self.unit = COIN_UNIT if self.coins else 1
        self.days: list[date] = [day.item() for day in panel.sessions]
        self.symbols = panel.symbols
        self.etf = [int(kind) == KIND_CODES["etf"] for kind in panel.instruments.kinds]
        self._fields = {
            name: np.asarray(panel.fields[field]).tolist()
            for name, field in zip(("open", "high", "low", "close", "volume"), panel.order_fields, strict=True)
        }
        self._listed, self._traded = panel.fields["listed"].tolist(), panel.fields["traded"].tolist()
        self._market = panel.fields["market"].tolist()
        base = panel.fields.get("base_price") if self.raw else None
        self._base = None if base is None else np.asarray(base).tolist()
        ratios = panel.fields.get("split_ratio") if self.raw else None
        self._ratios = None if ratios is None else np.asarray(ratios).tolist()
        self._bars: dict[tuple[int, int], Bar] = {}
        delisted = panel.instruments.delisted_on
        self.delisted = [None if np.isnat(day) else day.astype("datetime64[D]").item() for day in delisted]
        self.pays_last_close = [bool(pays) for pays in panel.instruments.pays_last_close]
        known = panel.entitlements
        self._unlisted = {
            (int(t), int(symbol)): int(until)
            for t, symbol, until in zip(
                known.unlisted_row, known.unlisted_symbol, known.unlisted_until, strict=True
            )
        }  # fmt: skip
        self._rights = set(zip(known.rights_row.tolist(), known.rights_symbol.tolist(), strict=True))
        self._dividends: dict[int, list[Dividend]] = {}
        columns = (known.dividend_row, known.dividend_symbol, known.dividend_units, known.dividend_paid)
        for t, symbol, units, due in zip(*(column.tolist() for column in columns), strict=True):
            dividend = Dividend(symbol=symbol, krw=Fraction(units, 10_000), due=due)
            self._dividends.setdefault(t, []).append(dividend)
        sectors = panel.instruments.sectors
        self.sectors = [name or None for name in sectors]

    def close(self, t: int, symbol: int) -> int:
        """Close in units, 0 where unknown."""
        return whole_units(self._fields["close"][t][symbol], self.unit)

    def traded(self, t: int, symbol: int) -> bool:
        """Whether the session had a trade in the symbol."""
        return self._traded[t][symbol]

    def listed(self, t: int, symbol: int) -> bool:
        """Whether the symbol was listed."""
        return self._listed[t][symbol]

    def market(self, t: int, symbol: int) -> str:
        """Market as of the session."""
        return MARKET_NAMES[self._market[t][symbol]]

    def tick_table(self, market: str, symbol: int, day: date) -> Bands:
        """Ticks of a symbol on a trade date; ETFs have their own."""
        return tick_bands("ETF" if self.etf[symbol] else market, day)

    def events(self, t: int) -> list[Event]:
        """Share changes that take effect at the open of session ``t``, by symbol."""
        if self._ratios is None:
            return []
        found = []
        for symbol, ratio in enumerate(self._ratios[t]):
            if ratio > 0 and ratio != 1.0:
                whole = simple_ratio(ratio)
                until = self._unlisted.get((t, symbol))
                found.append(Event(symbol=symbol, new=whole.numerator, old=whole.denominator, until=until))
        return found

    def with_rights(self, t: int, symbol: int) -> bool:
        """Whether holders get subscription rights at the open of ``t``."""
        return self.raw and (t, symbol) in self._rights

    def dividends(self, t: int) -> list[Dividend]:
        """Dividends without which a symbol trades from ``t`` on."""
        return self._dividends.get(t, []) if self.raw else []

    def bar(self, t: int, symbol: int) -> Bar:
        """The session of a symbol."""
        if (t, symbol) not in self._bars:
            self._bars[t, symbol] = self._make(t, symbol)
        return self._bars[t, symbol]

    def _make(self, t: int, symbol: int) -> Bar:
        prices = {
            name: whole_units(self._fields[name][t][symbol], self.unit) for name in ("open", "high", "low", "close")
        }
        market, day = self.market(t, symbol), self.days[t]
        bands = self.tick_table(market, symbol, day)
        published = whole_units(self._base[t][symbol], 1) if self._base is not None else 0
        base = published
        if base == 0 and t > 0:
            base = self.close(t - 1, symbol)
            for event in self.events(t):
                if event.symbol == symbol:
                    base = base * event.old // event.new
        lower, upper = limit_band(base, limit_percent(market, day), bands, prices["high"], prices["low"], raw=self.raw)
        return Bar(
            **prices,
            volume=self._fields["volume"][t][symbol],
            listed=self._listed[t][symbol],
            traded=self._traded[t][symbol] and self._listed[t][symbol],
            market=market,
            etf=self.etf[symbol],
            published_base=published,
            base=base,
            bands=bands,
            tax=tax_rate(market, day),
            lower_limit=lower,
            upper_limit=upper,
        )


def simple_ratio(ratio: float) -> Fraction:
    """The simplest ratio of whole numbers that the stored float32 can have meant: 0.33333334 is 1 for 3."""
    for most in (100, 10_000):
        simple = Fraction(ratio).limit_denominator(most)
        if abs(float(simple) - ratio) <= 1e-7 * ratio:
            return simple
    return Fraction(ratio).limit_denominator(1_000_000)
