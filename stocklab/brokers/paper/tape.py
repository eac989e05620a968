"""What the market shows a paper account: quotes now, and daily bars once their session is over."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final, Protocol

import numpy as np

from stocklab.brokers.paper.hours import close_of, day_of, hours_of_session
from stocklab.brokers.values import Quote, QuoteSource
from stocklab.market.limits import limit_percent, price_limits
from stocklab.market.panel import KIND_CODES, MARKET_CODES, Panel, PriceBasis

__all__ = ["BarTape", "Facts", "LiveTape", "Seen", "Tape", "facts_of", "opening_row", "over_rows"]

_MARKETS: Final = {code: name for name, code in MARKET_CODES.items()}
_CENTS: Final = Decimal("0.00000001")
_LONGEST_SILENCE: Final = 20
"""Sessions without a price, after which a symbol counts as unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A quote, and what was traded of the symbol today as far as that is known."""

    quote: Quote
    volume: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What decides ticks, limits and tax of a symbol. ``market`` is "" where unknown; ``raw``: prices are as traded, so
    that ticks and limits can be judged."""

    market: str
    etf: bool
    raw: bool


class Tape(Protocol):
    """The market's side of a paper account. ``live``: orders are filled by quotes as they are seen; else by the bar of
    their session, once it is known."""

    live: bool

    def panel(self) -> Panel | None:
        """The bars known now; None where there are none."""
        ...

    def look(self, symbols: Iterable[str], now: datetime) -> Mapping[str, Seen]:
        """Quotes; unknown symbols are left out. Raises BrokerTemporary."""
        ...


class BarTape:
    """Daily bars alone: a home without live quotes, or a replay. ``panel`` gives the newest bars there are."""

    live = False

    def __init__(self, panel: Callable[[], Panel | None]) -> None:
        self._panel = panel

    def panel(self) -> Panel | None:
        """See `Tape.panel`."""
        return self._panel()

    def look(self, symbols: Iterable[str], now: datetime) -> Mapping[str, Seen]:
        """See `Tape.look`: the last close, marked as such."""
        panel = self._panel()
        if panel is None:
            return {}
        found = {symbol: _last_close(panel, symbol, now) for symbol in sorted(set(symbols))}
        return {symbol: Seen(quote=quote) for symbol, quote in found.items() if quote is not None}


class LiveTape:
    """Quotes of a linked broker. ``panel`` gives the bars whose corporate actions are applied after each evening's
    sync; ``volumes`` what was traded of a symbol today.

    Where no quote comes, the last close stands in, which fills nothing.
    """

    live = True

    def __init__(
        self,
        quotes: Callable[[Iterable[str]], Mapping[str, Quote]],
        panel: Callable[[], Panel | None],
        *,
        volumes: Callable[[str], Decimal | None] = lambda _symbol: None,
    ) -> None:
        self._quotes = quotes
        self._volumes = volumes
        self._closes = BarTape(panel)

    def panel(self) -> Panel | None:
        """See `Tape.panel`."""
        return self._closes.panel()

    def look(self, symbols: Iterable[str], now: datetime) -> Mapping[str, Seen]:
        """See `Tape.look`."""
        wanted = sorted(set(symbols))
        if not wanted:
            return {}
        live = self._quotes(wanted)
        found = dict(self._closes.look([symbol for symbol in wanted if symbol not in live], now))
        found.update({symbol: Seen(quote=quote, volume=self._volumes(symbol)) for symbol, quote in live.items()})
        return found


def over_rows(panel: Panel, after: date, now: datetime) -> range:
    """Rows of the sessions after a day that are over by now."""
    first = int(np.searchsorted(panel.sessions, np.datetime64(after, "D"), side="right"))
    return range(first, max(first, _rows_over(panel, now)))


def opening_row(panel: Panel, after: date, now: datetime) -> int | None:
    """The row of today's session, where it is later than a day, takes orders already and is not over; None else.

    Only a replay has it: what happens before the open is public then, and is all that is taken from it.
    """
    coins = panel.basis is PriceBasis.COIN
    day, row = day_of(now, coins=coins), _rows_over(panel, now)
    if day <= after or row >= panel.n_sessions or panel.sessions[row].item() != day:
        return None
    return row if now >= hours_of_session(day, coins=coins).orders_from else None


def facts_of(panel: Panel, symbol: str, now: datetime) -> Facts | None:
    """What is known of a symbol; None where it is not listed as far as the bars tell."""
    place = _last_known(panel, symbol, now)
    if place is None:
        return None
    row, column = place
    return Facts(
        market=_MARKETS[int(panel.fields["market"][row, column])],
        etf=int(panel.instruments.kinds[column]) == KIND_CODES["etf"],
        raw=panel.basis is not PriceBasis.ADJUSTED,
    )


def _last_known(panel: Panel, symbol: str, now: datetime) -> tuple[int, int] | None:
    """Row and column of a symbol's last close; None where it was delisted, or has had none for long."""
    column, last = _column(panel, symbol), _rows_over(panel, now)
    if column is None:
        return None
    gone = panel.instruments.delisted_on[column]
    if not np.isnat(gone) and gone <= np.datetime64(day_of(now, coins=panel.basis is PriceBasis.COIN), "D"):
        return None
    rows = slice(max(last - _LONGEST_SILENCE, 0), last)
    known = panel.fields["listed"][rows, column] & (panel.fields[panel.order_fields[3]][rows, column] > 0)
    found = np.flatnonzero(known)
    return (rows.start + int(found[-1]), column) if len(found) else None


def _last_close(panel: Panel, symbol: str, now: datetime) -> Quote | None:
    facts, place = facts_of(panel, symbol, now), _last_known(panel, symbol, now)
    if facts is None or place is None:
        return None
    coins = panel.basis is PriceBasis.COIN
    row, column = place
    price = _exact(float(panel.fields[panel.order_fields[3]][row, column]), coins=coins)
    day = day_of(now, coins=coins)
    base = _base_of(panel, day, column, price)
    lower, upper = _band(base, facts, day)
    return Quote(
        symbol=symbol,
        price_krw=price,
        at=close_of(panel.sessions[row].item(), coins=coins),
        source=QuoteSource.CLOSE,
        base_price_krw=None if coins else base,
        upper_limit_krw=upper,
        lower_limit_krw=lower,
    )


def _base_of(panel: Panel, day: date, column: int, price: Decimal) -> Decimal:
    """KRX's base price of a day, which is public before it opens; where the bars do not have it the last close, scaled
    by a share change of that morning."""
    row = int(np.searchsorted(panel.sessions, np.datetime64(day, "D")))
    if row >= panel.n_sessions or panel.sessions[row].item() != day or panel.basis is not PriceBasis.RAW:
        return price
    published = panel.fields["base_price"][row, column] if "base_price" in panel.fields else 0.0
    if published > 0:
        return Decimal(round(float(published)))
    ratio = float(panel.fields["split_ratio"][row, column]) if "split_ratio" in panel.fields else 1.0
    exact = Fraction(ratio).limit_denominator(10_000) if ratio > 0 else Fraction(1)
    return Decimal(int(price * exact.denominator) // exact.numerator)


def _band(base: Decimal, facts: Facts, day: date) -> tuple[Decimal | None, Decimal | None]:
    market = facts.market or "KOSPI"
    if not facts.raw or base <= 0 or limit_percent(market, day) == 0:
        return None, None
    lower, upper = price_limits(int(base), market, day, ticks="ETF" if facts.etf else "")
    return Decimal(lower), Decimal(upper)


def _rows_over(panel: Panel, now: datetime) -> int:
    """How many rows are of sessions that are over."""
    coins = panel.basis is PriceBasis.COIN
    day = day_of(now, coins=coins)
    rows = int(np.searchsorted(panel.sessions, np.datetime64(day, "D"), side="right"))
    if rows and panel.sessions[rows - 1].item() == day and now < close_of(day, coins=coins):
        return rows - 1
    return rows


def _column(panel: Panel, symbol: str) -> int | None:
    position = bisect_left(panel.symbols, symbol)
    return position if position < panel.n_symbols and panel.symbols[position] == symbol else None


def _exact(price: float, *, coins: bool) -> Decimal:
    """A price of the panel as what it stands for: whole won, of coins eight decimals."""
    return Decimal(repr(price)).quantize(_CENTS if coins else Decimal(1))
