"""Orders, positions and trades, and what a fill does to them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction

from reference_simulator.bars import Bar
from reference_simulator.money import MOST_COINS, exact, part_of, whole_units
from stocklab.strategy.document import Strategy

FOREVER = 1 << 40


@dataclass(eq=False, kw_only=True)
class Order:
    """One order; ``session`` is the session it was last alive in."""

    number: int
    decided: int
    session: int
    symbol: int
    side: str
    ordered: int
    mode: str
    cause: str
    expires: int
    rule: int | None = None
    filled: int = 0
    limit: int | None = None
    status: str = "open"
    reason: str = ""
    full_exit: bool = False
    reserved: int = 0

    @property
    def left(self) -> int:
        return self.ordered - self.filled

    @property
    def is_stop(self) -> bool:
        """A stop that fired: it lives until it is filled."""
        return self.expires == FOREVER


@dataclass(eq=False, kw_only=True)
class Position:
    """Shares of one symbol. ``average`` is the mean fill price; ``high`` the highest price since the purchase."""

    symbol: int
    shares: int
    average: Fraction
    high: Fraction
    entered: int
    market: str
    last_close: int
    entered_late: int | None
    limit_fill_on: int | None = None
    exit_order: Order | None = None
    unlisted: int = 0
    refused: int = 0
    leaving: tuple[str, int | None] | None = None

    @property
    def sellable(self) -> int:
        """Shares that are listed."""
        return self.shares - self.unlisted


@dataclass(frozen=True, kw_only=True)
class Trade:
    session: int
    symbol: int
    market: str
    side: str
    shares: int
    price: int
    amount: int
    commission: int
    tax: int
    slippage: int
    cause: str
    rule: int | None
    order: int


@dataclass(frozen=True, kw_only=True)
class Paid:
    """Won received beside trades: for a fraction of a share, for rights, as a dividend; and what is withheld."""

    session: int
    symbol: int
    kind: str
    cash: int
    tax: int = 0


@dataclass(eq=False, kw_only=True)
class Claim:
    """What is due at the open of a later session: a dividend, or bonus shares of a position that list then."""

    kind: str
    symbol: int
    shares: int
    due: int
    krw: Fraction = Fraction(0)
    position: Position | None = None


@dataclass(eq=False, kw_only=True)
class Book:
    """Cash, positions and everything that was recorded. ``blocked``: proceeds no purchase may spend yet; ``noted``: rare
    events, counted so that a test can say that it saw them."""

    cash: int
    max_holdings: int
    commission: Fraction
    participation: Fraction
    flat_tax: Fraction | None
    unit: int = 1
    least_order: int = 0
    equity: int = 0
    reserve: int = 0
    blocked: int = 0
    positions: list[Position] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    alive: list[Order] = field(default_factory=list)
    records: list[Trade | Paid] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    sold_on: dict[int, int] = field(default_factory=dict)
    noted: Counter[tuple[str, str]] = field(default_factory=Counter)
    sent_in_session: set[int] = field(default_factory=set)
    """Orders no close decided: those of triggers."""

    def position(self, symbol: int) -> Position | None:
        """The position in a symbol."""
        return next((each for each in self.positions if each.symbol == symbol), None)

    def live(self) -> list[Order]:
        """Orders that are open, in the order they were decided."""
        return [order for order in self.alive if order.status == "open"]

    def add_order(self, *, session: int, symbol: int, side: str, shares: int, mode: str, cause: str, expires: int,
                  rule: int | None = None) -> Order:  # fmt: skip
        """An order for ``session``, decided at the close before."""
        order = Order(
            number=len(self.orders) + 1,
            decided=session - 1,
            session=session,
            symbol=symbol,
            side=side,
            ordered=shares,
            mode=mode,
            cause=cause,
            expires=expires,
            rule=rule,
        )
        self.orders.append(order)
        self.alive.append(order)
        return order

    def close_order(self, order: Order, status: str, reason: str) -> None:
        """End an order; what filled whole is filled, whatever ended it."""
        order.status, order.reason = ("filled", "") if order.left == 0 else (status, reason)
        position = self.position(order.symbol)
        if position is not None and position.exit_order is order:
            position.exit_order = None

    def cancel_purchases(self, symbol: int) -> None:
        """Never both sides of a symbol at once: what is to be sold is no longer bought."""
        for order in self.live():
            if order.symbol == symbol and order.side == "buy":
                self.close_order(order, "cancelled", "superseded")
                self.noted["event", "purchase ended by a sale"] += 1

    def drop(self, position: Position, t: int) -> None:
        """End a position: the last one of the list takes its place."""
        place = self.positions.index(position)
        last = self.positions.pop()
        if last is not position:
            self.positions[place] = last
        self.sold_on[position.symbol] = t

    def volume_cap(self, bar: Bar) -> int:
        """Shares one order may take of the session's volume; none where it is unknown."""
        if not bar.volume > 0:
            return 0
        volume = int(bar.volume) if self.unit == 1 else whole_units(bar.volume, self.unit)
        return part_of(volume, self.participation)

    def buy(self, order: Order, bar: Bar, t: int, intended: int) -> None:
        """Fill what the volume and the cash allow; the rest keeps its reason."""
        position = self.position(order.symbol)
        if position is None and len(self.positions) >= self.max_holdings:
            order.reason = "max_holdings"
            return
        price = min(max(intended, bar.low), bar.high)
        extra = max(intended - price, 0)
        by_volume = min(order.left, self.volume_cap(bar))
        shares = self.affordable(self.cash - self.blocked - self.reserve, price, by_volume, extra)
        if shares < order.left:
            order.reason = "cash" if shares < by_volume else "participation"
        if shares == 0:
            return
        self._record(order, bar, t, shares, price, tax=0, slippage=self.amount(shares, extra))
        order.filled += shares
        if position is None:
            self.positions.append(
                Position(
                    symbol=order.symbol,
                    shares=shares,
                    average=Fraction(price),
                    high=Fraction(price),
                    entered=t,
                    market=bar.market,
                    last_close=price,
                    entered_late=None if order.mode == "next_open" else t,
                    limit_fill_on=t if order.mode == "limit" else None,
                )
            )
            return
        held = position.shares
        position.leaving = None
        position.average = (position.average * held + price * shares) / (held + shares)
        position.shares += shares
        if order.mode == "limit":
            position.limit_fill_on = t

    def cost(self, shares: int, price: int, extra: int = 0) -> int:
        """Amount, commission, and ``extra`` a share."""
        amount = self.amount(shares, price)
        return amount + self.amount(shares, extra) + part_of(amount, self.commission)

    def amount(self, shares: int, price: int) -> int:
        """Money of shares at a price, rounded down to the unit."""
        return shares * price // self.unit

    def too_small(self, shares: int, price: int) -> bool:
        """Whether the exchange would not take the order."""
        return self.amount(shares, price) < self.least_order

    def affordable(self, budget: int, price: int, most: int, extra: int = 0) -> int:
        """Most shares, up to ``most``, that a budget pays."""
        # each of three parts is rounded down: what that forgives may buy a little more
        most = min(most, (budget + 3) * self.unit // (price + extra))
        if self.unit > 1:
            most = min(most, MOST_COINS)
        if budget <= 0 or most <= 0 or self.cost(1, price, extra) > budget:
            return 0
        least, above = 1, most + 1  # cost(least) fits; bisection on a cost that only grows
        while above - least > 1:
            middle = (least + above) // 2
            least, above = (middle, above) if self.cost(middle, price, extra) <= budget else (least, middle)
        return least

    def sell(self, order: Order, bar: Bar, t: int, intended: int) -> None:
        """Sell what the volume allows; the proceeds are blocked until the closing auction."""
        position = self.position(order.symbol)
        assert position is not None
        price = min(max(intended, bar.low), bar.high)
        wanted = min(order.left, position.sellable)
        shares = min(wanted, self.volume_cap(bar))
        if shares < wanted:
            order.reason = "participation"
        if shares == 0:
            return
        amount = self.amount(shares, price)
        rate = self.flat_tax if self.flat_tax is not None else Fraction(0) if bar.etf else bar.tax
        tax = part_of(amount, rate)
        left = amount - part_of(amount, self.commission) - tax
        slippage = min(self.amount(shares, max(price - intended, 0)), left)
        self.blocked += self._record(order, bar, t, shares, price, tax=tax, slippage=slippage)
        order.filled += shares
        position.shares -= shares
        if position.shares == 0:
            self.drop(position, t)

    def _record(self, order: Order, bar: Bar, t: int, shares: int, price: int, *, tax: int, slippage: int) -> int:
        amount = self.amount(shares, price)
        commission = part_of(amount, self.commission)
        trade = Trade(
            session=t,
            symbol=order.symbol,
            market=bar.market,
            side=order.side,
            shares=shares,
            price=price,
            amount=amount,
            commission=commission,
            tax=tax,
            slippage=slippage,
            cause=order.cause,
            rule=order.rule,
            order=order.number,
        )
        self.records.append(trade)
        change = cash_change(trade)
        self.cash += change
        return change

    def receive(self, t: int, symbol: int, kind: str, cash: int, tax: int = 0) -> None:
        """Book won that no trade brought."""
        self.records.append(Paid(session=t, symbol=symbol, kind=kind, cash=cash, tax=tax))
        self.cash += cash - tax


def cash_change(trade: Trade) -> int:
    """What a trade adds to cash."""
    return (trade.amount if trade.side == "sell" else -trade.amount) - trade.commission - trade.tax - trade.slippage


def new_book(*, initial_cash: int, strategy: Strategy, unit: int) -> Book:
    """The book before the first session; cash in units."""
    costs = strategy.costs
    return Book(
        cash=initial_cash,
        equity=initial_cash,
        unit=unit,
        max_holdings=strategy.sizing.max_holdings,
        commission=exact(costs.commission_rate),
        participation=exact(strategy.execution.participation),
        flat_tax=None if costs.tax == "dated" else exact(costs.tax),
    )
