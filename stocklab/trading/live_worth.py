"""What several accounts hold together, in won: stocks and coins in one book."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from stocklab.errors import InputError
from stocklab.trading.book import Book

__all__ = ["LiveWorth", "Worth", "live_worth", "price_of"]

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """One symbol in all accounts. ``market`` as in ``MARKET_CODES``; ``sector`` is "" where unknown.

    Raises
    ------
    InputError
        It is worth nothing or less.
    """

    symbol: str
    market: str
    worth_krw: Decimal
    sector: str = ""

    def __post_init__(self) -> None:
        if self.worth_krw <= 0:
            raise InputError(f"{self.symbol}: expected a worth above 0 won, found {self.worth_krw}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveWorth:
    """Holdings by symbol, in order, and the cash of all accounts (negative where a sleeve owes)."""

    holdings: tuple[Worth, ...]
    cash_krw: Decimal = ZERO

    @property
    def holdings_krw(self) -> Decimal:
        """All holdings."""
        return sum((holding.worth_krw for holding in self.holdings), ZERO)

    @property
    def equity_krw(self) -> Decimal:
        """Holdings and cash."""
        return self.holdings_krw + self.cash_krw


def price_of(symbol: str, prices_krw: Mapping[str, Decimal]) -> Decimal:
    """The price of something held.

    Raises
    ------
    InputError
        There is none, or it is negative: a holding without a price is never counted as nothing.
    """
    price = prices_krw.get(symbol)
    if price is None or price < 0:
        raise InputError(f"{symbol}: expected a price, found {price}. Hint: value it at its last known close.")
    return price


def live_worth(
    books: Iterable[Book],
    prices_krw: Mapping[str, Decimal],
    markets: Mapping[str, str],
    sectors: Mapping[str, str] | None = None,
) -> LiveWorth:
    """Add up accounts at these prices. A symbol held in two accounts is one holding; one at price 0 is left out.

    Raises
    ------
    InputError
        A symbol that is held has no price or no market.
    """
    cash, held = ZERO, dict[str, Decimal]()
    for book in books:
        cash += book.cash_krw
        for symbol in book.symbols():
            held[symbol] = held.get(symbol, ZERO) + book.held(symbol)
    unknown = sorted(held.keys() - markets.keys())
    if unknown:
        raise InputError(f"Expected the market of every holding, found none of {', '.join(unknown)}.")
    worth = {symbol: quantity * price_of(symbol, prices_krw) for symbol, quantity in sorted(held.items())}
    return LiveWorth(
        holdings=tuple(
            Worth(symbol=symbol, market=markets[symbol], worth_krw=krw, sector=(sectors or {}).get(symbol, ""))
            for symbol, krw in worth.items()
            if krw
        ),
        cash_krw=cash,
    )
