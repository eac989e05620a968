"""What an account holds, and whose it is: sleeves of strategies, and one for everything that is no strategy's.

Cash and holdings of the sleeves always add up to the account. Every change is made of entries, which are kept; the book
is their sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from typing import Final

from stocklab.brokers.values import Side
from stocklab.errors import InputError
from stocklab.trading.apportion import apportion
from stocklab.trading.netting import Crossing
from stocklab.trading.order import Fill

__all__ = ["OUTSIDE", "Book", "Entry", "EntryKind", "Holding", "Sleeve"]

OUTSIDE: Final = "outside"
"""The sleeve of cash and holdings that belong to no strategy."""

ZERO: Final = Decimal(0)
_WON: Final = Decimal(1)


class EntryKind(StrEnum):
    """Why cash or a holding changed.

    CASH_ELSEWHERE: deposits, withdrawals, dividends and interest as far as the broker does not name them; they are no
    return of a strategy. UNEXPLAINED: a holding that the broker shows and no trade explains (transfers, rights).
    """

    BUY = "buy"
    SELL = "sell"
    CROSSING = "crossing"
    ALLOCATION = "allocation"
    BY_HAND = "by_hand"
    CASH_ELSEWHERE = "cash_elsewhere"
    SHARE_RATIO = "share_ratio"
    UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One change of one sleeve. ``amount_krw`` of a trade is price times quantity, ``costs_krw`` what it cost; both
    are in ``cash_krw`` already, which is signed like ``quantity``: what the sleeve gains is positive."""

    kind: EntryKind
    sleeve_id: str
    cash_krw: Decimal = ZERO
    symbol: str | None = None
    quantity: Decimal = ZERO
    amount_krw: Decimal = ZERO
    costs_krw: Decimal = ZERO
    order_id: str | None = None
    fill_number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What a sleeve holds of a symbol. ``cost_krw`` is what it paid for it, costs included."""

    quantity: Decimal
    cost_krw: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Sleeve:
    """One strategy's part of an account. ``realised_krw`` is what its sales brought over their cost."""

    cash_krw: Decimal = ZERO
    holdings: Mapping[str, Holding] = field(default_factory=dict)
    realised_krw: Decimal = ZERO

    def held(self, symbol: str) -> Decimal:
        """How much of a symbol it holds."""
        found = self.holdings.get(symbol)
        return ZERO if found is None else found.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """The sleeves of one account by id. Changes give a new book and the entries that made it."""

    sleeves: Mapping[str, Sleeve] = field(default_factory=lambda: {OUTSIDE: Sleeve()})

    @property
    def cash_krw(self) -> Decimal:
        """All cash, as of trade dates."""
        return sum((sleeve.cash_krw for sleeve in self.sleeves.values()), ZERO)

    def held(self, symbol: str) -> Decimal:
        """How much of a symbol all sleeves hold."""
        return sum((sleeve.held(symbol) for sleeve in self.sleeves.values()), ZERO)

    def symbols(self) -> tuple[str, ...]:
        """Every symbol that is held, in order."""
        return tuple(sorted({symbol for sleeve in self.sleeves.values() for symbol in sleeve.holdings}))

    def apply(self, entries: Iterable[Entry]) -> Book:
        """The book with these entries. A sleeve may owe cash (costs were higher than planned), never shares.

        Raises
        ------
        InputError
            A sleeve would hold less than nothing of a symbol.
        """
        sleeves = dict(self.sleeves)
        for entry in entries:
            sleeves[entry.sleeve_id] = _changed(sleeves.get(entry.sleeve_id, Sleeve()), entry)
        return Book(sleeves=sleeves)

    def of_fill(self, fill: Fill, parts: Mapping[str, Decimal], unit: Decimal) -> tuple[Entry, ...]:
        """Entries of a fill whose quantity belongs to sleeves as ``parts`` say; amounts and costs follow it.

        ``unit`` is the smallest amount of money (1 won; 0.00000001 for coins). A fill without a quantity corrects the
        amounts of the order's sleeves in proportion to ``parts``.

        Raises
        ------
        InputError
            The parts do not add up to the fill.
        """
        if fill.quantity and sum(parts.values(), ZERO) != fill.quantity:
            raise InputError(f"Parts {dict(parts)} do not add up to the {fill.quantity} that were filled.")
        amounts, costs = _shared(fill.amount_krw, parts, unit), _shared(fill.costs_krw, parts, unit)
        buys = fill.side is Side.BUY
        kind = EntryKind.BUY if buys else EntryKind.SELL
        return tuple(
            Entry(
                kind=kind,
                sleeve_id=name,
                symbol=fill.symbol,
                quantity=ZERO if not fill.quantity else (parts[name] if buys else -parts[name]),
                cash_krw=(-amounts[name] if buys else amounts[name]) - costs[name],
                amount_krw=amounts[name],
                costs_krw=costs[name],
                order_id=fill.order_id,
                fill_number=fill.number,
            )
            for name in sorted(parts)
        )

    def of_crossing(self, crossing: Crossing, symbol: str, price_krw: Decimal) -> tuple[Entry, ...]:
        """Entries of a quantity that changes hands inside the account, at a price that was fixed before."""
        worth = crossing.quantity * price_krw
        seller = Entry(
            kind=EntryKind.CROSSING,
            sleeve_id=crossing.seller_id,
            symbol=symbol,
            quantity=-crossing.quantity,
            cash_krw=worth,
            amount_krw=worth,
        )
        buyer = replace(seller, sleeve_id=crossing.buyer_id, quantity=crossing.quantity, cash_krw=-worth)
        return seller, buyer

    def of_allocation(self, sleeve_id: str, krw: Decimal) -> tuple[Entry, ...]:
        """Entries that give cash to a sleeve, or take it back when negative.

        Raises
        ------
        InputError
            There is not that much.
        """
        giver = self.sleeves.get(OUTSIDE if krw > 0 else sleeve_id, Sleeve())
        if giver.cash_krw < abs(krw):
            raise InputError(f"Expected at most {giver.cash_krw:,} won, found {abs(krw):,}.")
        return (
            Entry(kind=EntryKind.ALLOCATION, sleeve_id=OUTSIDE, cash_krw=-krw),
            Entry(kind=EntryKind.ALLOCATION, sleeve_id=sleeve_id, cash_krw=krw),
        )

    def of_gone(
        self,
        kind: EntryKind,
        symbol: str,
        quantity: Decimal,
        cash_krw: Decimal,
        unit: Decimal,
        *,
        bound: Mapping[str, Decimal] | None = None,
    ) -> tuple[Entry, ...]:
        """Entries of a quantity that left the account by no order of ours, and what it brought.

        It is taken from what no strategy holds first, then from the strategies in proportion to what they hold beyond
        ``bound`` (what their own open sales still need), at last from that too; each gets its share of the cash.

        Raises
        ------
        InputError
            The account does not hold that much.
        """
        held = {name: sleeve.held(symbol) for name, sleeve in self.sleeves.items() if sleeve.held(symbol)}
        if quantity <= 0 or quantity > sum(held.values(), ZERO):
            raise InputError(f"{symbol}: expected more than 0 and at most {self.held(symbol)}, found {quantity}.")
        needed = {name: min((bound or {}).get(name, ZERO), amount) for name, amount in held.items()}
        free = {name: amount - needed[name] for name, amount in held.items()}
        outside = {OUTSIDE: free.pop(OUTSIDE, ZERO)}
        parts: dict[str, Decimal] = {}
        left = quantity
        for givers in (outside, free, needed):
            given = min(left, sum(givers.values(), ZERO))
            if given:
                for name, part in apportion(given, givers, unit).items():
                    parts[name] = parts.get(name, ZERO) + part
                left -= given
        parts = {name: part for name, part in parts.items() if part}
        cash = _shared(cash_krw, parts, _WON)
        return tuple(
            Entry(kind=kind, sleeve_id=name, symbol=symbol, quantity=-parts[name], cash_krw=cash[name])
            for name in sorted(parts)
        )

    def of_ratio(self, symbol: str, ratio: Decimal, unit: Decimal) -> tuple[Entry, ...]:
        """Entries of a corporate action that makes ``ratio`` shares of each one. Fractions of sleeves go, as wholes, to
        those with the largest; what the account as a whole loses in fractions is paid by the broker as cash.

        Raises
        ------
        InputError
            The ratio is not positive.
        """
        if ratio <= 0:
            raise InputError(f"Expected a positive ratio, found {ratio}.")
        held = {name: sleeve.held(symbol) for name, sleeve in self.sleeves.items() if sleeve.held(symbol)}
        if not held:
            return ()
        total = sum(held.values(), ZERO) * ratio
        after = apportion(total - total % unit, held, unit)
        return tuple(
            Entry(kind=EntryKind.SHARE_RATIO, sleeve_id=name, symbol=symbol, quantity=after[name] - held[name])
            for name in sorted(held)
            if after[name] != held[name]
        )


def _shared(krw: Decimal, parts: Mapping[str, Decimal], unit: Decimal) -> dict[str, Decimal]:
    """An amount by parts; what is smaller than the unit goes to the largest part."""
    rest = krw.copy_abs() % unit * (-1 if krw < 0 else 1)
    shares = apportion(krw - rest, parts, unit)
    shares[max(sorted(parts), key=lambda name: parts[name])] += rest
    return shares


def _changed(sleeve: Sleeve, entry: Entry) -> Sleeve:
    holdings, realised = dict(sleeve.holdings), sleeve.realised_krw
    if entry.symbol is not None and entry.quantity:
        before = holdings.get(entry.symbol, Holding(quantity=ZERO, cost_krw=ZERO))
        left = before.quantity + entry.quantity
        if left < 0:
            raise InputError(
                f"{entry.symbol}: {entry.sleeve_id} holds {before.quantity}, and {-entry.quantity} are to go."
            )
        cost = before.cost_krw
        if entry.kind is EntryKind.SHARE_RATIO:
            pass
        elif entry.quantity > 0:
            cost -= entry.cash_krw
        else:
            gone = cost if not left else (cost * -entry.quantity / before.quantity).quantize(_WON, ROUND_DOWN)
            cost -= gone
            realised += entry.cash_krw - gone
        if left:
            holdings[entry.symbol] = Holding(quantity=left, cost_krw=cost)
        else:
            holdings.pop(entry.symbol, None)
    elif entry.symbol is not None and entry.cash_krw:
        realised += entry.cash_krw  # a correction of an amount that was booked already
    return replace(sleeve, cash_krw=sleeve.cash_krw + entry.cash_krw, holdings=holdings, realised_krw=realised)
