"""How an order meets a quote: the simulator's rules, as far as one price with its spread can say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from stocklab.backtest.money import affordable, amount_of, cost_of, quantity_for
from stocklab.brokers.paper.hours import Hours
from stocklab.brokers.paper.ledger import Ledger, Trade, end, from_units, to_units
from stocklab.brokers.paper.models import BILLION, Phase
from stocklab.brokers.paper.tape import Facts, Seen
from stocklab.brokers.values import Quote, QuoteSource, Side
from stocklab.db import PaperOrderRow
from stocklab.market.costs import tax_ppb
from stocklab.market.panel import COIN_UNIT
from stocklab.market.ticks import tick_size
from stocklab.market.upbit import coin_tick_size

__all__ = ["Look", "fill_at", "price_at"]

ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What is seen of an order's symbol at a moment, with the hours of the order's session."""

    seen: Seen
    facts: Facts | None
    hours: Hours
    coins: bool
    at: datetime


def fill_at(ledger: Ledger, order: PaperOrderRow, look: Look) -> bool:
    """Fill what a quote fills of an order; whether anything changed."""
    price = price_at(order, look)
    met = _meets(order, look)
    changed = met and not order.seen
    order.seen = order.seen or met
    if price is None:
        return changed
    trade = _trade_of(ledger, order, price, look)
    if trade is None:
        return changed
    ledger.trade(order, trade, day=order.day, at=look.at)
    ledger.hold(order, trade, day=order.day)
    if order.money_krw is not None or order.filled_quantity == order.quantity:
        end(order, look.at)
    return True


def price_at(order: PaperOrderRow, look: Look) -> Decimal | None:
    """The price at which an order is filled by a quote; None where it is not.

    An auction has one price, without a spread. Inside the session a market order takes the other side of the book, or
    where none is known the last price and a tick; a limit order does so when it comes and is better, and later waits
    until the price passes its limit.
    """
    quote = look.seen.quote
    if quote.halted or not _meets(order, look):
        return None
    buys = order.side == Side.BUY
    auction = not look.coins and not order.seen and order.phase != Phase.INSIDE
    take = quote.price_krw if auction else _other_side(order, look)
    edge = quote.upper_limit_krw if buys else quote.lower_limit_krw
    if edge is not None and (take >= edge if buys else take <= edge):
        return None
    limit = order.limit_price_krw
    if limit is None:
        return take
    if not order.seen and (_beyond(take, limit, buys=buys) or (not auction and take == limit)):
        return take
    if order.seen and _passed(order, quote, limit, buys=buys):
        return limit
    return None


def _meets(order: PaperOrderRow, look: Look) -> bool:
    """Whether a quote is of the market that the order waits for."""
    quote = look.seen.quote
    if quote.source is QuoteSource.CLOSE:
        return False
    if look.coins or order.phase == Phase.INSIDE:
        return True
    return quote.at >= (look.hours.opens if order.phase == Phase.OPEN else look.hours.closes)


def _other_side(order: PaperOrderRow, look: Look) -> Decimal:
    quote, buys = look.seen.quote, order.side == Side.BUY
    known = quote.ask_krw if buys else quote.bid_krw
    if known is not None:
        return known
    if look.coins:
        tick = coin_tick_size(quote.price_krw, order.day)
    else:
        tick = Decimal(tick_size(int(quote.price_krw), "ETF" if _is_etf(look) else _market(look), order.day))
    return quote.price_krw + tick if buys else max(quote.price_krw - tick, tick)


def _beyond(price: Decimal, limit: Decimal, *, buys: bool) -> bool:
    return price < limit if buys else price > limit


def _passed(order: PaperOrderRow, quote: Quote, limit: Decimal, *, buys: bool) -> bool:
    """The market went through the limit since the order rests: by a trade after it came, or by the book."""
    side = quote.ask_krw if buys else quote.bid_krw
    by_book = side is not None and _beyond(side, limit, buys=buys)
    return by_book or (quote.at > order.placed_at and _beyond(quote.price_krw, limit, buys=buys))


def _trade_of(ledger: Ledger, order: PaperOrderRow, price: Decimal, look: Look) -> Trade | None:
    """As much as the rest of the order, the part of the day's volume, and cash or holding allow."""
    unit = COIN_UNIT if look.coins else 1
    account, each, tax_rate = ledger.account, to_units(price, unit), 0
    most = _most(order, each, unit, account.participation_ppb, look.seen.volume)
    if order.side == Side.BUY:
        cash = to_units(account.cash_krw, unit)
        quantity = affordable(cash, each, 0, account.commission_ppb, most, unit)
    else:
        held = ledger.holdings().get(order.symbol)
        sellable = ZERO if held is None else held.quantity - held.unlisted
        quantity = min(most, to_units(sellable, unit))
        tax_rate = 0 if look.coins or _is_etf(look) else tax_ppb(_market(look), order.day)
    if quantity <= 0:
        order.reason = "participation" if most <= 0 else "cash" if order.side == Side.BUY else "position_closed"
        return None
    amount = amount_of(quantity, each, unit)
    return Trade(
        quantity=from_units(quantity, unit),
        price_krw=price,
        amount_krw=from_units(amount, unit),
        commission_krw=from_units(cost_of(amount, account.commission_ppb), unit),
        tax_krw=from_units(cost_of(amount, tax_rate), unit),
    )


def _most(order: PaperOrderRow, price: int, unit: int, participation_ppb: int, volume: Decimal | None) -> int:
    """What is left of an order, within its part of what was traded today where that is known."""
    if order.quantity is None:
        left = quantity_for(to_units(order.money_krw or ZERO, unit), price, unit)
    else:
        left = to_units(order.quantity - order.filled_quantity, unit)
    if volume is None:
        return left
    cap = to_units(volume * participation_ppb / BILLION, unit)
    return max(min(left, cap - to_units(order.filled_quantity, unit)), 0)


def _is_etf(look: Look) -> bool:
    return look.facts is not None and look.facts.etf


def _market(look: Look) -> str:
    return (look.facts.market if look.facts is not None else "") or "KOSPI"
