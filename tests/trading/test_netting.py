"""Dividing, netting and waiting: properties, and cases worked out by hand."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stocklab.brokers.values import OrderTicket, PriceKind, Side
from stocklab.errors import InputError
from stocklab.trading import Conflict, Order, OrderState, Wish, apportion, conflict, net

UNITS = st.sampled_from([Decimal(1), Decimal("0.00000001")])
NAMES = st.text("abcdef", min_size=1, max_size=2)


@given(st.dictionaries(NAMES, st.integers(0, 10**6), min_size=1, max_size=6), st.integers(0, 10**7), UNITS)
def test_parts_are_whole_add_up_and_are_within_one_unit_of_their_share(
    weights: dict[str, int], units: int, unit: Decimal
) -> None:
    total = sum(weights.values())
    given_weights = {name: weight * unit for name, weight in weights.items()}
    if not total:
        with pytest.raises(InputError):
            apportion(units * unit, given_weights, unit)
        return
    parts = apportion(units * unit, given_weights, unit)
    assert sum(parts.values()) == units * unit
    for name, part in parts.items():
        assert abs(Fraction(part / unit) - Fraction(units * weights[name], total)) < 1
        if units <= total:
            assert part <= given_weights[name]


@given(
    st.dictionaries(NAMES, st.tuples(st.sampled_from(Side), st.integers(1, 10**6)), min_size=1, max_size=6),
    UNITS,
    st.lists(st.floats(0, 1), max_size=5),
)
def test_everybody_gets_what_was_wished_and_no_more(
    wished: dict[str, tuple[Side, int]], unit: Decimal, fills: list[float]
) -> None:
    wishes = [Wish(sleeve_id=name, side=side, quantity=count * unit) for name, (side, count) in wished.items()]
    netted = net(wishes, unit)
    got = dict.fromkeys(wished, Decimal(0))
    for crossing in netted.crossings:
        assert crossing.quantity > 0
        assert crossing.seller_id != crossing.buyer_id
        got[crossing.seller_id] -= crossing.quantity
        got[crossing.buyer_id] += crossing.quantity
    if netted.order is not None:
        sign = 1 if netted.order.side is Side.BUY else -1
        so_far: dict[str, Decimal] = {}
        left = netted.order.quantity
        for fraction in [*fills, 1.0]:
            filled = left if fraction == 1.0 else int(Fraction(fraction) * Fraction(left / unit)) * unit
            shares = netted.order.divide(filled, so_far, unit)
            assert min(shares.values(), default=unit) > 0
            so_far = {name: so_far.get(name, Decimal(0)) + shares.get(name, Decimal(0)) for name in netted.order.parts}
            left -= filled
        assert not left
        got = {name: quantity + sign * so_far.get(name, Decimal(0)) for name, quantity in got.items()}
    assert got == {name: (count if side is Side.BUY else -count) * unit for name, (side, count) in wished.items()}
    both = {side for side, _ in wished.values()}
    assert bool(netted.crossings) == (len(both) == 2)


def test_the_larger_side_gives_up_in_proportion() -> None:
    wishes = [
        Wish(sleeve_id="a", side=Side.BUY, quantity=Decimal(6)),
        Wish(sleeve_id="b", side=Side.BUY, quantity=Decimal(3)),
        Wish(sleeve_id="c", side=Side.SELL, quantity=Decimal(3)),
    ]
    netted = net(wishes, Decimal(1))
    assert netted.order is not None
    assert (netted.order.side, netted.order.quantity) == (Side.BUY, 6)
    assert netted.order.parts == {"a": 4, "b": 2}
    assert [(one.seller_id, one.buyer_id, one.quantity) for one in netted.crossings] == [("c", "a", 2), ("c", "b", 1)]


@pytest.mark.parametrize(
    ("side", "others", "expected"),
    [
        # An unknown purchase never blocks selling confirmed shares; an unknown sale blocks both sides.
        ("sell", [("buy", "unknown")], None),
        ("sell", [("buy", "ambiguous")], None),
        ("buy", [("buy", "unknown")], Conflict.PURCHASE_IN_DOUBT),
        ("buy", [("sell", "unknown")], Conflict.SALE_IN_DOUBT),
        ("sell", [("sell", "ambiguous")], Conflict.SALE_IN_DOUBT),
        # Never opposite orders in one code at once, and one at a time of a side.
        ("sell", [("buy", "open")], Conflict.OPPOSITE),
        ("sell", [("buy", "sending")], Conflict.OPPOSITE),
        ("buy", [("buy", "cancelling")], Conflict.SAME_SIDE),
        ("buy", [("buy", "filled"), ("sell", "cancelled"), ("buy", "absent"), ("sell", "intent")], None),
        ("buy", [("buy", "open"), ("sell", "unknown")], Conflict.SALE_IN_DOUBT),
    ],
)
def test_what_holds_an_order_back(side: str, others: list[tuple[str, str]], expected: Conflict | None) -> None:
    orders = [
        Order(
            order_id=f"o{place}",
            account_id="a",
            ticket=OrderTicket(
                client_order_id=f"c{place}",
                symbol="005930",
                side=Side(one),
                kind=PriceKind.MARKET,
                quantity=Decimal(1),
            ),
            state=OrderState(state),
        )
        for place, (one, state) in enumerate(others)
    ]
    assert conflict(Side(side), orders) is expected
