"""The risk gate of an account at work: what it must know at this moment, from the book, the journal and the prices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final, Protocol

from stocklab.brokers.values import BrokerCash, OrderTicket, PriceKind, Quote, QuoteSource, Side
from stocklab.data.sources.calls import KST
from stocklab.live.instruments import Instrument
from stocklab.trading.book import Book
from stocklab.trading.journal import Kept, Origin
from stocklab.trading.risk_gate import Account, GateReason, RiskLimits, Stage, gate

__all__ = ["FROZEN", "HANDS_OFF", "LiveGate", "Prices", "Seen"]

ZERO: Final = Decimal(0)
_OF_QUOTES: Final = frozenset({GateReason.STALE_QUOTE, GateReason.NO_QUOTE})
HANDS_OFF: Final = "sold_by_hand"
"""Why something is not bought again: see `stocklab.live.hands_off`."""

FROZEN: Final = "corporate_action"
"""What happened to a symbol is not understood yet."""


class Prices(Protocol):
    """Where prices come from."""

    def get(self, symbol: str) -> Quote | None:
        """The newest price of a symbol."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the turn has seen. ``cash`` None: the broker has not said; the book's is taken, less what is ordered."""

    book: Book
    orders: Mapping[str, Kept]
    cash: BrokerCash | None


class LiveGate:
    """Judges the orders of one turn. `prepare` comes before the turn; each order that passes lowers what is left.

    ``by_close``: the account fills by daily bars, so that the last close is the price it has.
    """

    def __init__(
        self,
        board: Prices,
        look_up: Callable[[str], Instrument | None],
        *,
        clock: Callable[[], datetime],
        seen: Callable[[], Seen],
        by_close: bool = False,
    ) -> None:
        self._board = board
        self._look_up = look_up
        self._clock = clock
        self._seen = seen
        self._by_close = by_close
        self._limits = RiskLimits()
        self._stage = Stage.NORMAL
        self._held_back: frozenset[str] = frozenset()
        self._frozen: frozenset[str] = frozenset()
        self._passed: list[Kept] = []
        self._book = Book()
        self._cash: BrokerCash | None = None
        self._orders: list[Kept] = []

    def prepare(
        self,
        *,
        limits: RiskLimits,
        stage: Stage,
        held_back: frozenset[str] = frozenset(),
        frozen: frozenset[str] = frozenset(),
    ) -> None:
        """What holds for a turn. ``held_back``: what a person sold by hand and has not agreed to see bought again;
        ``frozen``: what a corporate action made of them is not understood."""
        self._limits, self._stage, self._held_back, self._passed = limits, stage, held_back, []
        self._frozen = frozen

    def __call__(self, kept: Kept) -> Sequence[str]:
        """Every reason against an order."""
        ticket = kept.order.ticket
        seen = self._seen()
        self._book, self._cash, self._orders = seen.book, seen.cash, list(seen.orders.values())
        instrument = self._look_up(ticket.symbol)
        if instrument is None or not instrument.market:
            return ("unknown_symbol",)
        quote = self._quote(kept)
        found = [str(one) for one in gate(ticket, quote, self._account(kept, instrument), self._limits)]
        if ticket.symbol in self._frozen:
            found.append(FROZEN)
        if ticket.side is Side.SELL:
            # An exit does not wait for prices: the broker has its own limits.
            found = [one for one in found if one not in _OF_QUOTES]
        elif ticket.symbol in self._held_back and kept.origin is not Origin.PERSON:
            found.append(HANDS_OFF)
        if not found:
            self._passed.append(kept)
        return tuple(found)

    def _quote(self, kept: Kept) -> Quote | None:
        quote = self._board.get(kept.order.symbol)
        if quote is None:
            return None
        for_auction = bool((kept.policy or {}).get("auction"))
        if quote.source is QuoteSource.CLOSE:
            # Before the opening auction the last close is the price of the day, where nobody says another.
            if not self._by_close:
                return quote
            at_market = kept.order.ticket.kind is PriceKind.MARKET  # such an account binds no cash up to the limit
            upper = None if at_market else quote.upper_limit_krw
            return replace(quote, at=self._clock(), source=QuoteSource.REST, upper_limit_krw=upper)
        return replace(quote, at=self._clock()) if for_auction else quote

    def _account(self, kept: Kept, instrument: Instrument) -> Account:
        now, ticket = self._clock(), kept.order.ticket
        others = [one for one in self._orders if one.order.order_id != kept.order.order_id]
        worth = {symbol: self._worth(symbol) for symbol in self._book.symbols()}
        equity = self._book.cash_krw + sum(worth.values(), ZERO)
        buying = [one for one in others if one.order.side is Side.BUY and self._may_be_there(one)]
        for one in buying:
            worth[one.order.symbol] = worth.get(one.order.symbol, ZERO) + self._open_worth(one)
        today = [one for one in others if one.order.sent_at is not None and _day(one.order.sent_at) == _day(now)]
        today += [one for one in self._passed if one not in today]
        return Account(
            now=now,
            market=instrument.market,
            equity_krw=max(equity, ZERO),
            orderable_krw=self._orderable(buying),
            sellable=self._sellable(ticket.symbol, others),
            worth_krw=worth,
            sector=instrument.sector,
            sector_worth_krw=self._by_sector(worth) if instrument.sector else {},
            orders_today=len(today),
            day_value_krw=sum((self._whole_worth(one.order.ticket) for one in today), ZERO),
            recent=tuple(
                (one.order.symbol, one.order.side, one.order.ticket.quantity, one.order.sent_at or now)
                for one in today
                if one.replaces_id is None and kept.replaces_id != one.order.order_id and not _sliced(one)
            )
            if not _sliced(kept) and kept.replaces_id is None
            else (),
            stage=self._stage,
        )

    def _may_be_there(self, one: Kept) -> bool:
        """Whether an order is at the broker, may be, or is about to be."""
        state = one.order.state
        return state.at_broker or state.in_doubt or one in self._passed

    def _orderable(self, buying: Sequence[Kept]) -> Decimal:
        if self._cash is not None:
            passed = [one for one in self._passed if one.order.side is Side.BUY]
            return self._cash.orderable_krw - sum((self._open_worth(one) for one in passed), ZERO)
        return self._book.cash_krw - sum((self._open_worth(one) for one in buying), ZERO)

    def _sellable(self, symbol: str, others: Sequence[Kept]) -> Decimal:
        going = [
            one
            for one in others
            if one.order.symbol == symbol and one.order.side is Side.SELL and self._may_be_there(one)
        ]
        bound = sum(((one.order.ticket.quantity or ZERO) - one.order.booked_quantity for one in going), ZERO)
        return self._book.held(symbol) - bound

    def _worth(self, symbol: str) -> Decimal:
        quote = self._board.get(symbol)
        if quote is not None:
            return self._book.held(symbol) * quote.price_krw
        held = [sleeve.holdings.get(symbol) for sleeve in self._book.sleeves.values()]
        return sum((one.cost_krw for one in held if one is not None), ZERO)

    def _open_worth(self, one: Kept) -> Decimal:
        """What is still to be paid for a purchase."""
        return max(self._whole_worth(one.order.ticket) - one.order.booked_krw, ZERO)

    def _whole_worth(self, ticket: OrderTicket) -> Decimal:
        if ticket.money_krw is not None:
            return ticket.money_krw
        quantity = ticket.quantity or ZERO
        if ticket.kind is PriceKind.LIMIT and ticket.limit_price_krw is not None:
            return quantity * ticket.limit_price_krw
        quote = self._board.get(ticket.symbol)
        return ZERO if quote is None else quantity * quote.price_krw

    def _by_sector(self, worth: dict[str, Decimal]) -> dict[str, Decimal]:
        found: dict[str, Decimal] = {}
        for symbol, value in worth.items():
            instrument = self._look_up(symbol)
            if instrument is not None and instrument.sector:
                found[instrument.sector] = found.get(instrument.sector, ZERO) + value
        return found


def _sliced(one: Kept) -> bool:
    """Whether it is a slice of a larger order: those look alike and are not sent twice."""
    return bool((one.policy or {}).get("slice"))


def _day(moment: datetime) -> object:
    return moment.astimezone(KST).date()
