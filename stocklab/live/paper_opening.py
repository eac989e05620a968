"""How a paper account begins: with as much play money as a person chose."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from sqlalchemy.orm import Session

from stocklab.brokers.paper.models import CashCheck, Terms
from stocklab.brokers.paper.opening import open_in
from stocklab.db.columns import utc_now
from stocklab.errors import InputError

__all__ = ["LEAST_CASH_KRW", "MOST_CASH_KRW", "USUAL_CASH_KRW", "opening_with"]

LEAST_CASH_KRW: Final = Decimal(100_000)
MOST_CASH_KRW: Final = Decimal(100_000_000_000)
USUAL_CASH_KRW: Final = Decimal(10_000_000)


def opening_with(owner_id: str, cash_krw: Decimal, *, coins: bool = False) -> Callable[[Session, str], None]:
    """What `BrokerAccounts.link` does in the transaction in which it keeps a paper account. ``coins``: it trades coins
    instead of stocks.

    Raises
    ------
    InputError
        The amount is not between the least and the most, or no whole won.
    """
    if not LEAST_CASH_KRW <= cash_krw <= MOST_CASH_KRW or cash_krw != cash_krw.to_integral_value():
        raise InputError(f"Play money: expected {LEAST_CASH_KRW:,} to {MOST_CASH_KRW:,} whole won, found {cash_krw}.")

    def opened(session: Session, account_id: str) -> None:
        """The paper broker's own rows are written here."""
        # Filled by bars, it is bounded by what is there at the fill, as a backtest is.
        terms = Terms(cash_check=CashCheck.AT_FILL)
        open_in(session, owner_id, account_id, cash_krw, now=utc_now(), coins=coins, terms=terms)

    return opened
