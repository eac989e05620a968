"""What a person's ticket would come to, before it is placed: its price, costs and cash, and what speaks against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import ROUND_DOWN, Decimal
from typing import Final

from sqlalchemy import select

from stocklab.brokers.values import Quote, QuoteSource, Side
from stocklab.data.sources.calls import KST
from stocklab.db import Database, LastQuoteRow
from stocklab.live.accounts import BrokerAccounts
from stocklab.live.hands_off import held_back
from stocklab.live.instruments import COINS, Instrument
from stocklab.live.live_gate import LiveGate, Seen
from stocklab.live.losses import losses_of, stage_after
from stocklab.live.tickets import ManualTicket
from stocklab.market.costs import TAX_PPB, tax_krw
from stocklab.market.upbit import COMMISSION_RATE
from stocklab.strategy.document import Costs
from stocklab.trading.book import Book
from stocklab.trading.guarding import sellable
from stocklab.trading.journal import Journal, Kept, Origin
from stocklab.trading.order import Order
from stocklab.trading.pricing import day_limits
from stocklab.trading.risk_gate import GateReason

__all__ = ["TicketPreview", "TicketPreviews"]

ZERO: Final = Decimal(0)
_OF_QUOTES: Final = frozenset({GateReason.NO_QUOTE.value, GateReason.STALE_QUOTE.value})
_COIN_DIGITS: Final = Decimal("0.00000001")
LookUp = Callable[[str], Instrument | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketPreview:
    """What is known of a ticket now; None where it is not.

    ``reasons`` speak against it now, by the risk gate's own judgement (`stocklab.trading.risk_gate.GateReason` and what
    `stocklab.live.live_gate` adds). ``price_known`` False: the last price is not one of now; the account's thread asks
    for one before it sends anything. ``cash_after_krw`` and ``sellable`` are of the sleeve.
    """

    quote: Quote | None
    lower_limit_krw: Decimal | None
    upper_limit_krw: Decimal | None
    price_krw: Decimal | None
    worth_krw: Decimal | None
    commission_krw: Decimal | None
    tax_krw: Decimal | None
    cash_after_krw: Decimal | None
    sellable: Decimal
    price_known: bool
    reasons: tuple[str, ...]


class TicketPreviews:
    """Looks ahead with what the database holds; no broker is asked."""

    def __init__(self, database: Database, accounts: BrokerAccounts) -> None:
        self._database = database
        self._accounts = accounts

    def show(self, owner_id: str, ticket: ManualTicket, now: datetime, *, look_up: LookUp) -> TicketPreview:
        """What a ticket would come to. ``look_up`` knows symbols.

        Raises
        ------
        NotLinked
            There is no such account.
        """
        account = self._accounts.get(owner_id, ticket.account_id)
        journal = Journal(self._database, owner_id, account.id)
        today = now.astimezone(KST).date()
        book, orders = Book().apply(journal.entries()), journal.orders(today)
        instrument = look_up(ticket.symbol)
        prices = _Prices(self._quotes({*book.symbols(), ticket.symbol}), instrument, today)
        quote = prices.get(ticket.symbol)
        gate = LiveGate(
            prices,
            look_up,
            clock=lambda: now,
            seen=lambda: Seen(book=book, orders={one.order.order_id: one for one in orders}, cash=None),
        )
        equity = book.cash_krw + sum((_worth_of(book, prices, symbol) for symbol in book.symbols()), ZERO)
        losses = losses_of(self._database, account.id, equity, now, today)
        gate.prepare(
            limits=account.limits,
            stage=stage_after(losses, account.limits),
            held_back=held_back(self._database, account.id),
        )
        found = list(gate(_as_kept(ticket, account.id, now)))
        if journal.switch([ticket.sleeve_id])[1]:
            found.insert(0, GateReason.KILL_SWITCH.value)
        free = sellable(ticket.sleeve_id, ticket.symbol, _held(book, ticket), orders)
        if ticket.side is Side.SELL and ticket.quantity is not None and ticket.quantity > free:
            found.append(GateReason.NOT_HELD.value)
        return _preview(
            ticket,
            quote,
            instrument,
            now,
            cash=book.sleeves[ticket.sleeve_id].cash_krw if ticket.sleeve_id in book.sleeves else ZERO,
            free=free,
            found=tuple(dict.fromkeys(found)),
        )

    def _quotes(self, symbols: set[str]) -> dict[str, Quote]:
        with self._database.read() as session:
            rows = session.scalars(select(LastQuoteRow).where(LastQuoteRow.symbol.in_(symbols)))
            return {
                row.symbol: Quote(
                    symbol=row.symbol,
                    price_krw=row.price_krw,
                    at=row.at,
                    source=QuoteSource(row.source),
                    halted=row.halted,
                )
                for row in rows
            }


class _Prices:
    """Prices the background process saw last, with the day's base where the last close tells it."""

    def __init__(self, seen: Mapping[str, Quote], instrument: Instrument | None, today: date) -> None:
        self._seen = dict(seen)
        close = None if instrument is None else instrument.close
        if instrument is None or close is None:
            return
        quote = self._seen.get(close.symbol)
        if quote is None or quote.at < close.at:
            self._seen[close.symbol] = close
        elif instrument.market != COINS and close.at.astimezone(KST).date() < today:
            self._seen[close.symbol] = replace(quote, base_price_krw=close.price_krw)

    def get(self, symbol: str) -> Quote | None:
        return self._seen.get(symbol)


def _preview(
    ticket: ManualTicket,
    quote: Quote | None,
    instrument: Instrument | None,
    now: datetime,
    *,
    cash: Decimal,
    free: Decimal,
    found: tuple[str, ...],
) -> TicketPreview:
    market = "" if instrument is None else instrument.market
    day = now.astimezone(UTC if market == COINS else KST).date()
    limits = None if quote is None or not market else day_limits(quote, market, day)
    price = ticket.limit_price_krw or (None if quote is None else quote.price_krw)
    worth = ticket.money_krw
    if worth is None and price is not None and ticket.quantity is not None:
        worth = price * ticket.quantity
    commission = tax = after = None
    if worth is not None and market:
        commission, tax = _costs(worth, ticket.side, market, day)
        after = cash + (worth if ticket.side is Side.SELL else -worth) - commission - tax
    return TicketPreview(
        quote=quote,
        lower_limit_krw=None if limits is None else limits[0],
        upper_limit_krw=None if limits is None else limits[1],
        price_krw=price,
        worth_krw=worth,
        commission_krw=commission,
        tax_krw=tax,
        cash_after_krw=after,
        sellable=free,
        price_known=not _OF_QUOTES & set(found),
        reasons=tuple(one for one in found if one not in _OF_QUOTES),
    )


def _costs(worth: Decimal, side: Side, market: str, day: date) -> tuple[Decimal, Decimal]:
    """Commission by the usual rate, and the tax of a sale on its day; ETFs and coins pay none."""
    if market == COINS:
        return (worth * Decimal(repr(COMMISSION_RATE))).quantize(_COIN_DIGITS, ROUND_DOWN), ZERO
    commission = (worth * Decimal(repr(Costs().commission_rate))).quantize(Decimal(1), ROUND_DOWN)
    taxed = side is Side.SELL and market in TAX_PPB
    return commission, Decimal(tax_krw(market, day, int(worth))) if taxed else ZERO


def _as_kept(ticket: ManualTicket, account_id: str, now: datetime) -> Kept:
    draft = ticket.draft()
    return Kept(
        order=Order(order_id="preview", account_id=account_id, ticket=ticket.order()),
        origin=Origin.PERSON,
        reason="",
        parts=draft.parts,
        created_at=now,
    )


def _held(book: Book, ticket: ManualTicket) -> Decimal:
    sleeve = book.sleeves.get(ticket.sleeve_id)
    return ZERO if sleeve is None else sleeve.held(ticket.symbol)


def _worth_of(book: Book, prices: _Prices, symbol: str) -> Decimal:
    """What is held of a symbol at the last price, or at its cost."""
    quote = prices.get(symbol)
    if quote is not None:
        return book.held(symbol) * quote.price_krw
    held = [sleeve.holdings.get(symbol) for sleeve in book.sleeves.values()]
    return sum((one.cost_krw for one in held if one is not None), ZERO)
