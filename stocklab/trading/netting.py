"""Several strategies in one account: opposite wishes meet inside, and one order goes out.

What each strategy gets of that order is fixed before it is sent: its part, and the rule by which fills are divided.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from stocklab.brokers.values import Side
from stocklab.errors import InputError
from stocklab.trading.apportion import apportion

__all__ = ["Crossing", "NetOrder", "Netting", "Wish", "net"]

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What one strategy's sleeve wants to trade of one symbol now."""

    sleeve_id: str
    side: Side
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A quantity that changes hands inside the account, without an order and without costs."""

    seller_id: str
    buyer_id: str
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class NetOrder:
    """What goes out, and whose it is: ``parts`` add up to ``quantity``."""

    side: Side
    quantity: Decimal
    parts: Mapping[str, Decimal]

    def divide(self, filled: Decimal, so_far: Mapping[str, Decimal], unit: Decimal) -> dict[str, Decimal]:
        """Who gets how much of a new fill: in proportion to what each still lacks. Nobody ever gives back.

        Raises
        ------
        InputError
            More was filled than all of them lack.
        """
        lacking = {name: part - so_far.get(name, ZERO) for name, part in self.parts.items()}
        if filled > sum(lacking.values(), ZERO):
            raise InputError(f"{filled} filled, and only {sum(lacking.values(), ZERO)} are lacking.")
        if not filled:
            return {}
        return {name: share for name, share in apportion(filled, lacking, unit).items() if share}


@dataclass(frozen=True, slots=True, kw_only=True)
class Netting:
    """Wishes, netted: ``order`` is None when they meet exactly."""

    crossings: tuple[Crossing, ...]
    order: NetOrder | None


def net(wishes: Iterable[Wish], unit: Decimal) -> Netting:
    """Let opposite wishes for one symbol meet; what is left on the larger side is the order.

    The larger side gives up what meets in proportion to its wishes, so that nobody is served first.

    Raises
    ------
    InputError
        A quantity is not a positive multiple of the unit, or a sleeve wishes twice.
    """
    sides: dict[Side, dict[str, Decimal]] = {Side.BUY: {}, Side.SELL: {}}
    for wish in wishes:
        if wish.quantity <= 0 or wish.quantity % unit:
            raise InputError(f"Expected a positive multiple of {unit}, found {wish.quantity}.")
        if any(wish.sleeve_id in side for side in sides.values()):
            raise InputError(f"Sleeve {wish.sleeve_id} wishes twice for one symbol.")
        sides[wish.side][wish.sleeve_id] = wish.quantity
    bought, sold = (sum(sides[side].values(), ZERO) for side in (Side.BUY, Side.SELL))
    meeting = min(bought, sold)
    if not meeting:
        return Netting(crossings=(), order=_order(sides, bought, sold, {}))
    larger = Side.BUY if bought >= sold else Side.SELL
    met = apportion(meeting, sides[larger], unit)
    buyers, sellers = (met, sides[Side.SELL]) if larger is Side.BUY else (sides[Side.BUY], met)
    return Netting(crossings=tuple(_pair(sellers, buyers)), order=_order(sides, bought, sold, met))


def _order(
    sides: Mapping[Side, Mapping[str, Decimal]], bought: Decimal, sold: Decimal, met: Mapping[str, Decimal]
) -> NetOrder | None:
    if bought == sold:
        return None
    side = Side.BUY if bought > sold else Side.SELL
    parts = {name: wished - met.get(name, ZERO) for name, wished in sorted(sides[side].items())}
    return NetOrder(side=side, quantity=abs(bought - sold), parts={name: part for name, part in parts.items() if part})


def _pair(sellers: Mapping[str, Decimal], buyers: Mapping[str, Decimal]) -> Iterable[Crossing]:
    """Match sellers with buyers in the order of their names."""
    lacking = dict(sorted(buyers.items()))
    for seller, offered in sorted(sellers.items()):
        left = offered
        for buyer, wanted in lacking.items():
            quantity = min(left, wanted)
            if quantity:
                yield Crossing(seller_id=seller, buyer_id=buyer, quantity=quantity)
                left -= quantity
                lacking[buyer] -= quantity
