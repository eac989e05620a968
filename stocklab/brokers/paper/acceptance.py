"""What the paper broker refuses at the door, with the reasons of a Korean broker."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal
from typing import Final, NoReturn

from stocklab.brokers.paper.models import BILLION, CashCheck
from stocklab.brokers.paper.tape import Facts
from stocklab.brokers.values import BrokerName, OrderTicket, PriceKind, Quote, Rejection, Side, Validity
from stocklab.errors import OrderRejected
from stocklab.market.dated import in_force
from stocklab.market.ticks import tick_size
from stocklab.market.upbit import MINIMUM_ORDER_KRW, coin_tick_size

__all__ = ["Means", "bound_cash", "bound_of", "refuse", "require_fit", "require_means"]

ZERO: Final = Decimal(0)
_COIN_STEP: Final = Decimal("0.00000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What the account has free for new orders: won, and of the symbol what can be sold."""

    orderable_krw: Decimal
    sellable: Decimal


def refuse(reason: Rejection, message: str) -> NoReturn:
    """Say no for good. Raises OrderRejected."""
    raise OrderRejected(BrokerName.PAPER, message, reason=reason)


def require_fit(ticket: OrderTicket, quote: Quote, facts: Facts | None, day: date, *, coins: bool) -> None:
    """What is wrong with an order whatever the account has.

    Raises
    ------
    OrderRejected
        Kind, size, price or a halt.
    """
    _require_kind(ticket, coins=coins)
    if quote.halted:
        refuse(Rejection.HALTED, f"{ticket.symbol} is halted")
    step = _COIN_STEP if coins else Decimal(1)
    for amount in (ticket.quantity, ticket.money_krw):
        if amount is not None and amount % step:
            refuse(Rejection.SIZE, f"expected a multiple of {step}, found {amount}")
    if ticket.limit_price_krw is not None:
        _require_price(ticket.limit_price_krw, quote, facts, day, coins=coins)
    if coins:
        worth = ticket.money_krw or (ticket.quantity or ZERO) * (ticket.limit_price_krw or quote.price_krw)
        least = in_force(MINIMUM_ORDER_KRW, day, "Upbit minimum order")
        if worth < least:
            refuse(Rejection.SIZE, f"expected an order of {least} won at least, found {worth}")


def _require_kind(ticket: OrderTicket, *, coins: bool) -> None:
    if ticket.validity is not Validity.DAY:
        refuse(Rejection.KIND, "orders of paper accounts rest; IOC and FOK are not offered")
    by_money = ticket.money_krw is not None
    if by_money and not coins:
        refuse(Rejection.KIND, "stocks are bought by shares, not by money")
    if coins and ticket.side is Side.BUY and ticket.kind is PriceKind.MARKET and not by_money:
        refuse(Rejection.KIND, "coins are bought at the market by money")


def _require_price(price: Decimal, quote: Quote, facts: Facts | None, day: date, *, coins: bool) -> None:
    if coins:
        if price % coin_tick_size(price, day):
            refuse(Rejection.PRICE, f"{price} is off the tick {coin_tick_size(price, day)}")
        return
    if facts is None or not facts.raw:
        return  # adjusted prices are no prices of the market: no tick or limit can be judged
    tick = tick_size(int(price), "ETF" if facts.etf else facts.market or "KOSPI", day)
    if price % tick:
        refuse(Rejection.PRICE, f"{price} is off the tick {tick}")
    lower, upper = quote.lower_limit_krw, quote.upper_limit_krw
    if (lower is not None and price < lower) or (upper is not None and price > upper):
        refuse(Rejection.PRICE, f"{price} is outside the day's limits {lower} to {upper}")


def bound_of(ticket: OrderTicket, quote: Quote, check: CashCheck, commission_ppb: int) -> Decimal:
    """The won that a purchase binds until it ends, commission included; 0 for sales and where the fill alone asks."""
    if ticket.side is Side.SELL or check is CashCheck.AT_FILL:
        return ZERO
    upper = quote.upper_limit_krw if check is CashCheck.UPPER_LIMIT else None
    price = ticket.limit_price_krw or upper or quote.price_krw
    worth = ticket.money_krw or (ticket.quantity or ZERO) * price
    commission = (worth * commission_ppb / BILLION).quantize(_COIN_STEP, rounding=ROUND_CEILING)
    return worth + commission


def require_means(ticket: OrderTicket, bound: Decimal, means: Means) -> None:
    """Whether the account can carry an order.

    Raises
    ------
    OrderRejected
        Not enough won, or nothing that could be sold.
    """
    if ticket.side is Side.BUY:
        if bound > means.orderable_krw:
            refuse(Rejection.CASH, f"{bound} won needed, {means.orderable_krw} free")
    elif (ticket.quantity or ZERO) > means.sellable:
        refuse(Rejection.SELLABLE, f"{ticket.quantity} to be sold, {means.sellable} free")


def bound_cash(orders: Iterable[tuple[Decimal, Decimal]]) -> Decimal:
    """What open purchases still bind, from (bound, spent) of each."""
    return sum((max(bound - spent, ZERO) for bound, spent in orders), ZERO)
