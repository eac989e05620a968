"""Profit of each sleeve of a book, realised and not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from stocklab.trading.book import Book
from stocklab.trading.live_worth import price_of

__all__ = ["SleeveProfit", "sleeve_profits"]

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SleeveProfit:
    """``realised_krw`` is what sales brought over their cost, all costs taken off; ``unrealised_krw`` what holdings are
    worth over what was paid for them, the costs of selling them not taken off."""

    sleeve_id: str
    cash_krw: Decimal
    worth_krw: Decimal
    realised_krw: Decimal
    unrealised_krw: Decimal

    @property
    def equity_krw(self) -> Decimal:
        """Cash and holdings."""
        return self.cash_krw + self.worth_krw

    @property
    def profit_krw(self) -> Decimal:
        """Realised and not."""
        return self.realised_krw + self.unrealised_krw


def sleeve_profits(book: Book, prices_krw: Mapping[str, Decimal]) -> tuple[SleeveProfit, ...]:
    """Each sleeve, in the order of its name; they add up to the account.

    Raises
    ------
    InputError
        A symbol that is held has no price.
    """
    found = []
    for name, sleeve in sorted(book.sleeves.items()):
        worth = sum((held.quantity * price_of(symbol, prices_krw) for symbol, held in sleeve.holdings.items()), ZERO)
        paid = sum((held.cost_krw for held in sleeve.holdings.values()), ZERO)
        found.append(
            SleeveProfit(
                sleeve_id=name,
                cash_krw=sleeve.cash_krw,
                worth_krw=worth,
                realised_krw=sleeve.realised_krw,
                unrealised_krw=worth - paid,
            )
        )
    return tuple(found)
