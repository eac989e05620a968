"""What really happened at a broker: one account with its orders, fills, cash and holdings, behind every fake broker.

Fakes of protocols (Kiwoom, KIS, Upbit) translate to and from it. Nothing here knows a protocol, and nothing here is
known to the product. The clock is given, so that days can be simulated; the same calls give the same account.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

KST = ZoneInfo("Asia/Seoul")
ZERO = Decimal(0)


class Refused(Exception):
    """The broker says no. ``quantity`` is how many it would take, where its message names that."""

    def __init__(self, why: Why, quantity: Decimal = ZERO) -> None:
        self.why = why
        self.quantity = quantity
        super().__init__(why)


class Why(StrEnum):
    """Reasons of refusals, each with a code in every protocol."""

    NOT_OPEN_YET = "not_open_yet"
    CLOSED = "closed"
    TICK = "tick"
    BAND = "band"
    CASH = "cash"
    SELLABLE = "sellable"
    SYMBOL = "symbol"
    HALTED = "halted"
    KIND = "kind"
    TOO_SMALL = "too_small"
    TOO_LARGE = "too_large"
    NOTHING_LEFT = "nothing_left"
    NO_ORDER = "no_order"
    DUPLICATE_ID = "duplicate_id"


@dataclass(slots=True)
class Listing:
    """A symbol on the market: its last price, the price its day's limits are counted from, and what may trade."""

    symbol: str
    name: str
    price: Decimal
    base_price: Decimal
    market: str = "KOSPI"
    halted: bool = False
    depth: Decimal | None = None  # how much trades at once when an order meets the price; None without end
    spread: Decimal = ZERO  # the best ask is the price, the best bid is this much below


@dataclass(slots=True)
class Order:
    """An order as the broker knows it. A cancel of a KRX broker has a number of its own, in ``cancel_number``."""

    number: str
    day: date
    symbol: str
    buys: bool
    limit: Decimal | None
    quantity: Decimal | None  # None: a coin bought by `money`
    placed_at: datetime
    validity: str = "day"
    money: Decimal | None = None
    client_id: str | None = None
    by_hand: bool = False
    filled: Decimal = ZERO
    amount: Decimal = ZERO
    costs: Decimal = ZERO
    ended: bool = False
    refusal: Why | None = None  # taken at first, refused by the exchange later
    cancel_number: str | None = None
    cancel_asked: bool = False
    visible_at: datetime | None = None  # the journal shows it from then on; None at once

    @property
    def rest(self) -> Decimal:
        return ZERO if self.quantity is None else self.quantity - self.filled


@dataclass(frozen=True, slots=True)
class Fill:
    number: int
    order_number: str
    day: date
    symbol: str
    buys: bool
    quantity: Decimal
    price: Decimal
    costs: Decimal
    at: datetime


@dataclass(slots=True, kw_only=True)
class Rules:
    """What the market of this account demands. ``tick`` and ``band`` get a listing and a price."""

    tick: Callable[[Listing, Decimal, date], bool] = lambda _listing, _price, _day: True
    band: Callable[[Listing, date], tuple[Decimal, Decimal] | None] = lambda _listing, _day: None
    buy_cost: Decimal = Decimal("0.00015")
    sell_cost: Decimal = Decimal("0.00165")
    cost_step: Decimal = Decimal(1)
    least_krw: Decimal = ZERO
    most_krw: Decimal = Decimal(10) ** 12
    lot: Decimal = Decimal(1)
    day_ends: bool = True
    number_width: int = 7
    first_number: int = 1


@dataclass(slots=True)
class _Book:
    """Everything that a restart with yesterday's state would bring back."""

    cash: Decimal
    held: dict[str, Decimal] = field(default_factory=dict)
    cost: dict[str, Decimal] = field(default_factory=dict)  # what was paid for what is held
    orders: list[Order] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    client_ids: set[str] = field(default_factory=set)
    next_number: int = 1


Listener = Callable[[str, Order, "Fill | None"], None]
"""Gets ("accepted" | "refused" | "fill" | "cancelled", order, fill)."""


class Exchange:
    """One account. Every method is safe from several threads."""

    def __init__(
        self,
        listings: Iterable[Listing],
        *,
        clock: Callable[[], datetime],
        cash: Decimal = Decimal(100_000_000),
        rules: Rules | None = None,
    ) -> None:
        self.rules = rules or Rules()
        self.listings = {one.symbol: one for one in listings}
        self.clock = clock
        self.is_open = True
        self.slow_cancels = False  # cancels wait for `confirm_cancels`, so that a fill can come between
        self.journal_delay = timedelta(0)  # how late new orders appear in lists
        self.listeners: list[Listener] = []
        self.lock = threading.RLock()
        self._book = _Book(cash, next_number=self.rules.first_number)
        self._shown: tuple[_Book, datetime] | None = None
        self._saved: _Book | None = None

    # What the account truly is, for tests.

    @property
    def cash(self) -> Decimal:
        return self._book.cash

    @property
    def held(self) -> dict[str, Decimal]:
        with self.lock:
            return {symbol: amount for symbol, amount in sorted(self._book.held.items()) if amount}

    @property
    def orders(self) -> list[Order]:
        with self.lock:
            return list(self._book.orders)

    @property
    def fills(self) -> list[Fill]:
        with self.lock:
            return list(self._book.fills)

    # What lists and balances show, which may be late or of yesterday.

    def journal(self) -> list[Order]:
        """Orders as the journal shows them now."""
        with self.lock:
            now = self.clock()
            return [one for one in self._view().orders if one.visible_at is None or one.visible_at <= now]

    def shown_fills(self) -> list[Fill]:
        with self.lock:
            return list(self._view().fills)

    def shown_cash(self) -> tuple[Decimal, Decimal]:
        """Total, and free for purchases."""
        with self.lock:
            book = self._view()
            return book.cash, book.cash - self._bound_cash(book)

    def shown_holdings(self) -> list[tuple[str, Decimal, Decimal, Decimal]]:
        """Rows of (symbol, held, sellable, average cost)."""
        with self.lock:
            book = self._view()
            return [
                (symbol, held, held - _bound_held(book, symbol), book.cost.get(symbol, ZERO) / held)
                for symbol, held in sorted(book.held.items())
                if held
            ]

    def save(self) -> None:
        """Remember the state, to be shown again by `show_saved`."""
        with self.lock:
            self._saved = copy.deepcopy(self._book)

    def show_saved(self, until: datetime) -> None:
        """A restart of the broker brought the saved state back, for a while: lists and balances are stale."""
        with self.lock:
            assert self._saved is not None
            self._shown = self._saved, until

    # What the owner of the account does.

    def place(
        self,
        symbol: str,
        *,
        buys: bool,
        quantity: Decimal | None,
        limit: Decimal | None,
        money: Decimal | None = None,
        validity: str = "day",
        client_id: str | None = None,
        by_hand: bool = False,
    ) -> Order:
        """Take an order and fill what fills at once.

        Raises
        ------
        Refused
            And an order id, once named, is burnt all the same.
        """
        with self.lock:
            now = self.clock()
            if client_id is not None:
                if client_id in self._book.client_ids:
                    raise Refused(Why.DUPLICATE_ID)
                self._book.client_ids.add(client_id)
            listing = self._check(symbol, buys=buys, quantity=quantity, limit=limit, money=money)
            order = Order(
                number=self._number(),
                day=now.astimezone(KST).date(),
                symbol=symbol,
                buys=buys,
                limit=limit,
                quantity=quantity,
                placed_at=now,
                validity=validity,
                money=money,
                client_id=client_id,
                by_hand=by_hand,
                visible_at=now + self.journal_delay if self.journal_delay else None,
            )
            self._book.orders.append(order)
            self._tell("accepted", order)
            self._meet(order, listing, listing.depth)
            if (validity != "day" or limit is None) and not order.ended:
                self._end(order)
            return order

    def cancel(self, number: str, day: date | None = None) -> Order:
        """Take a request to cancel what is left; the answer does not say that it worked. Raises Refused."""
        with self.lock:
            order = self._find(number, day)
            if order.ended or order.cancel_asked:
                raise Refused(Why.NOTHING_LEFT)
            if self.rules.day_ends and not self.is_open:
                raise Refused(Why.CLOSED)
            order.cancel_asked = True
            order.cancel_number = self._number()
            if not self.slow_cancels:
                self._end(order)
            return order

    def confirm_cancels(self) -> None:
        """Carry out the cancels that wait."""
        with self.lock:
            for order in self._book.orders:
                if order.cancel_asked and not order.ended:
                    self._end(order)

    # What the market and the world do.

    def trade(self, symbol: str, price: Decimal, size: Decimal | None = None) -> None:
        """The market trades at a price; resting orders whose limit reaches it fill there, oldest first, up to size."""
        with self.lock:
            listing = self.listings[symbol]
            listing.price = price
            left = size
            for order in self._book.orders:
                if order.symbol == symbol and not order.ended and not listing.halted and self.is_open:
                    before = order.filled
                    self._meet(order, listing, left)
                    left = None if left is None else left - (order.filled - before)

    def refuse_later(self, number: str, why: Why = Why.KIND) -> None:
        """The exchange refuses what the broker had taken."""
        with self.lock:
            order = self._find(number, None)
            order.refusal, order.ended = why, True
            self._tell("refused", order)

    def by_hand(self, symbol: str, *, buys: bool, quantity: Decimal) -> Order:
        """The person trades at the market in the broker's own app."""
        return self.place(symbol, buys=buys, quantity=quantity, limit=None, by_hand=True)

    def deposit(self, krw: Decimal) -> None:
        """Money comes in, or goes out when it is negative: by transfer, as a dividend, as interest."""
        with self.lock:
            self._book.cash += krw

    def split(self, symbol: str, ratio: Decimal) -> None:
        """Each share becomes ``ratio`` shares before the open; a fraction is paid in cash at the new price."""
        with self.lock:
            listing, held = self.listings[symbol], self._book.held.get(symbol, ZERO)
            listing.price = listing.base_price = (listing.price / ratio).to_integral_value()
            whole = (held * ratio).quantize(self.rules.lot, rounding=ROUND_DOWN)
            self._book.held[symbol] = whole
            self._book.cash += ((held * ratio - whole) * listing.price).to_integral_value(ROUND_DOWN)

    def end_day(self) -> None:
        """Close: day orders die, and numbers begin again tomorrow. Prices become tomorrow's base."""
        with self.lock:
            self.is_open = False
            if not self.rules.day_ends:
                return
            for order in self._book.orders:
                if not order.ended:
                    self._end(order)
            self._book.next_number = self.rules.first_number
            for listing in self.listings.values():
                listing.base_price = listing.price

    def _check(
        self, symbol: str, *, buys: bool, quantity: Decimal | None, limit: Decimal | None, money: Decimal | None
    ) -> Listing:
        if not self.is_open:
            raise Refused(Why.CLOSED)
        listing, day = self.listings.get(symbol), self.clock().astimezone(KST).date()
        if listing is None:
            raise Refused(Why.SYMBOL)
        if listing.halted:
            raise Refused(Why.HALTED)
        band = self.rules.band(listing, day)
        if limit is not None:
            if not self.rules.tick(listing, limit, day):
                raise Refused(Why.TICK)
            if band is not None and not band[0] <= limit <= band[1]:
                raise Refused(Why.BAND)
        # A purchase without a limit is checked at the upper limit of the day.
        worst = limit or (band[1] if band is not None and buys else listing.price)
        worth = money if money is not None else quantity * worst  # type: ignore[operator]
        if worth < self.rules.least_krw:
            raise Refused(Why.TOO_SMALL)
        if worth > self.rules.most_krw:
            raise Refused(Why.TOO_LARGE)
        if buys:
            free = self._book.cash - self._bound_cash(self._book)
            if worth + self._cost(worth, buys=True) > free:
                raise Refused(
                    Why.CASH, (free / (worst * (1 + self.rules.buy_cost))).quantize(self.rules.lot, ROUND_DOWN)
                )
        else:
            free = self._book.held.get(symbol, ZERO) - _bound_held(self._book, symbol)
            if quantity is None or quantity > free:
                raise Refused(Why.SELLABLE, free)
        return listing

    def _meet(self, order: Order, listing: Listing, size: Decimal | None) -> None:
        """Fill an order at the last price as far as its limit and the size allow."""
        price = listing.price if order.buys else listing.price - listing.spread
        if order.limit is not None and (price > order.limit if order.buys else price < order.limit):
            return
        if order.quantity is None:
            assert order.money is not None
            wanted = (order.money / price).quantize(self.rules.lot, ROUND_DOWN)
        else:
            wanted = order.rest
        if order.validity == "fok" and size is not None and size < wanted:
            return
        filled = wanted if size is None else min(wanted, size)
        if filled <= 0:
            return
        cost = self._cost(filled * price, buys=order.buys)
        self._book.fills.append(
            fill := Fill(
                len(self._book.fills) + 1,
                order.number,
                order.day,
                order.symbol,
                order.buys,
                filled,
                price,
                cost,
                self.clock(),
            )
        )
        self._settle(fill)
        order.filled += filled
        order.amount += filled * price
        order.costs += cost
        self._tell("fill", order, fill)
        if order.quantity is not None and order.rest == 0:
            order.ended = True

    def _settle(self, fill: Fill) -> None:
        held, worth = self._book.held.get(fill.symbol, ZERO), fill.quantity * fill.price
        paid = self._book.cost.get(fill.symbol, ZERO)
        if fill.buys:
            self._book.cash -= worth + fill.costs
            self._book.held[fill.symbol] = held + fill.quantity
            self._book.cost[fill.symbol] = paid + worth
        else:
            self._book.cash += worth - fill.costs
            self._book.held[fill.symbol] = held - fill.quantity
            self._book.cost[fill.symbol] = paid - paid * fill.quantity / held

    def _end(self, order: Order) -> None:
        order.ended = True
        self._tell("cancelled", order)

    def _tell(self, what: str, order: Order, fill: Fill | None = None) -> None:
        for listener in self.listeners:
            listener(what, order, fill)

    def _view(self) -> _Book:
        if self._shown is not None and self.clock() >= self._shown[1]:
            self._shown = None
        return self._shown[0] if self._shown is not None else self._book

    def _cost(self, worth: Decimal, *, buys: bool) -> Decimal:
        rate = self.rules.buy_cost if buys else self.rules.sell_cost
        return (worth * rate).quantize(self.rules.cost_step, ROUND_DOWN)

    def _bound_cash(self, book: _Book) -> Decimal:
        """What open purchases bind."""
        bound = ZERO
        for order in book.orders:
            if order.buys and not order.ended:
                worth = order.rest * order.limit if order.limit is not None else ZERO
                bound += worth + self._cost(worth, buys=True)
        return bound

    def _number(self) -> str:
        number = self._book.next_number
        self._book.next_number += 1
        return str(number).zfill(self.rules.number_width)

    def _find(self, number: str, day: date | None) -> Order:
        today = day or self.clock().astimezone(KST).date()
        for order in reversed(self._book.orders):
            if order.number == number and (order.day == today or not self.rules.day_ends):
                return order
        raise Refused(Why.NO_ORDER)


def _bound_held(book: _Book, symbol: str) -> Decimal:
    """What open sales bind."""
    return sum((one.rest for one in book.orders if one.symbol == symbol and not one.buys and not one.ended), ZERO)
