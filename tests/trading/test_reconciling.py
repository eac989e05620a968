"""Orders in doubt are resolved by proof alone: random accounts in which the truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from fakes.direct_broker import TRAITS
from hypothesis import given, settings
from hypothesis import strategies as st

from stocklab.brokers.values import (
    BrokerCash,
    BrokerHolding,
    BrokerOrder,
    BrokerTraits,
    OrderRef,
    OrderTicket,
    PlacedState,
    PriceKind,
    Side,
)
from stocklab.trading import OUTSIDE, Book, Entry, EntryKind, Order, OrderEvent, OrderState, compare, resolve

SENT = datetime(2026, 11, 20, 1, 0, 0, 900_000, tzinfo=UTC)
DAY = SENT.date()
WITH_IDS = replace(TRAITS, knows_client_ids=True, absent_after=timedelta(seconds=15))


def in_doubt(state: OrderState = OrderState.UNKNOWN, known: Sequence[str] = ("1", "2")) -> Order:
    ticket = OrderTicket(
        client_order_id="sl-1",
        symbol="005930",
        side=Side.BUY,
        kind=PriceKind.LIMIT,
        quantity=Decimal(10),
        limit_price_krw=Decimal(71_300),
    )
    return Order(order_id="o", account_id="a", ticket=ticket, state=state, sent_at=SENT, known_numbers=frozenset(known))


def row(number: str, **changes: Any) -> BrokerOrder:
    """A row with the terms of the order, taken in the second in which it was sent."""
    found = BrokerOrder(
        ref=OrderRef(DAY, number),
        symbol="005930",
        side=Side.BUY,
        kind=PriceKind.LIMIT,
        quantity=Decimal(10),
        limit_price_krw=Decimal(71_300),
        filled_quantity=Decimal(0),
        filled_krw=Decimal(0),
        state=PlacedState.OPEN,
        placed_at=SENT.replace(microsecond=0),
    )
    return replace(found, **changes)


BEFORE = [row("1", symbol="000660"), row("2", placed_at=SENT - timedelta(minutes=5))]


def look(
    journal: Sequence[BrokerOrder],
    *,
    order: Order | None = None,
    after: float = 3,
    misses: int = 0,
    taken: Sequence[OrderRef] = (),
    traits: BrokerTraits = TRAITS,
    proof: Sequence[str] = ("1", "2"),
) -> tuple[OrderEvent | None, str | None, int]:
    found = resolve(
        order or in_doubt(),
        journal,
        taken=taken,
        proof=proof,
        misses=misses,
        now=SENT + timedelta(seconds=after),
        traits=traits,
    )
    return found.event, None if found.row is None else found.row.ref.number, found.misses


def test_the_one_row_that_can_be_it_is_it() -> None:
    assert look([*BEFORE, row("3")]) == (OrderEvent.FOUND, "3", 0)
    assert look([*BEFORE, row("3", state=PlacedState.CANCELLED)]) == (OrderEvent.FOUND, "3", 0)
    assert look([*BEFORE, row("3"), row("4")], taken=[OrderRef(DAY, "3")]) == (OrderEvent.FOUND, "4", 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"symbol": "000660"},
        {"side": Side.SELL},
        {"quantity": Decimal(9)},
        {"limit_price_krw": Decimal(71_400)},
        {"kind": PriceKind.MARKET, "limit_price_krw": None},
        {"placed_at": SENT - timedelta(seconds=4)},
        {"ref": OrderRef(DAY, "2")},
    ],
)
def test_a_row_of_other_terms_is_another_order(changes: dict[str, Any]) -> None:
    assert look([BEFORE[0], BEFORE[1], row("3", **changes)])[0] is None


def test_two_rows_that_can_be_it_are_for_a_person_and_said_once() -> None:
    assert look([*BEFORE, row("3"), row("4")]) == (OrderEvent.CANNOT_TELL, None, 0)
    assert look([*BEFORE, row("3"), row("4")], order=in_doubt(OrderState.AMBIGUOUS)) == (None, None, 0)


def test_not_there_means_something_after_a_minute_and_three_readings() -> None:
    assert look(BEFORE, after=3) == (None, None, 1)
    assert look(BEFORE, after=30, misses=5) == (None, None, 6)
    assert look(BEFORE, after=61, misses=1) == (None, None, 2)
    assert look(BEFORE, after=61, misses=2) == (OrderEvent.NOT_FOUND, None, 3)


def test_a_journal_that_may_be_of_yesterday_proves_nothing() -> None:
    assert look([], after=3) == (None, None, 0)
    assert look(BEFORE[:1], after=59, misses=9) == (None, None, 9)
    assert look([], after=600, misses=9) == (OrderEvent.CANNOT_TELL, None, 9)
    assert look([], after=600, misses=9, proof=()) == (OrderEvent.CANNOT_TELL, None, 9)
    # Another order was taken since and is shown: now the journal is known to be of now.
    stuck = in_doubt(OrderState.AMBIGUOUS, known=())
    assert look([row("5", symbol="000660")], order=stuck, after=600, misses=2, proof=("5",)) == (
        OrderEvent.NOT_FOUND,
        None,
        3,
    )


def test_an_absent_order_that_turns_up_is_found() -> None:
    assert look([*BEFORE, row("3")], order=in_doubt(OrderState.ABSENT), after=900)[0] is OrderEvent.FOUND
    assert look(BEFORE, order=in_doubt(OrderState.ABSENT), after=900, misses=7) == (None, None, 7)


def test_with_our_own_ids_only_they_count() -> None:
    journal = [row("u-1", client_order_id="sl-2"), row("u-2", client_order_id="sl-1", quantity=Decimal(10))]
    assert look(journal, traits=WITH_IDS, proof=()) == (OrderEvent.FOUND, "u-2", 0)
    assert look(journal[:1], traits=WITH_IDS, proof=(), after=14, misses=8) == (None, None, 9)
    assert look(journal[:1], traits=WITH_IDS, proof=(), after=16, misses=8) == (OrderEvent.NOT_FOUND, None, 9)


@settings(max_examples=300, deadline=None)
@given(
    accepted=st.booleans(),
    others=st.lists(st.tuples(st.sampled_from(["005930", "000660"]), st.integers(9, 11), st.booleans()), max_size=6),
    delay=st.integers(0, 50),
    stale=st.lists(st.booleans(), min_size=30, max_size=30),
)
def test_whatever_is_decided_is_true(
    accepted: bool, others: list[tuple[str, int, bool]], delay: int, stale: list[bool]
) -> None:
    """Rows appear up to 50 s late, some readings are of yesterday, other orders come in. Never the wrong answer."""
    truth = [
        row(f"{place + 10}", symbol=code, quantity=Decimal(quantity))
        for place, (code, quantity, _) in enumerate(others)
    ]
    ours = [f"{place + 10}" for place, (_, _, own) in enumerate(others) if own]  # known to us by their receipts
    order, misses = in_doubt(), 0
    same_terms = [one for one in truth if one.ref.number not in ours and (one.symbol, one.quantity) == ("005930", 10)]
    for reading, is_stale in enumerate(stale):
        after = 2 + 4 * reading
        shown = [] if is_stale else [*BEFORE, *truth, *([row("3")] if accepted and after >= delay else [])]
        found = resolve(
            order,
            shown,
            taken=[OrderRef(DAY, number) for number in ours],
            proof=["1", "2", *ours],
            misses=misses,
            now=SENT + timedelta(seconds=after),
            traits=TRAITS,
        )
        misses = found.misses
        if found.event is OrderEvent.FOUND:
            assert found.row is not None
            # A stranger's order with the very same terms is indistinguishable: one reason to keep accounts separate.
            assert found.row.ref.number == "3" if accepted and not same_terms else found.row in [*same_terms, row("3")]
            return
        if found.event is OrderEvent.NOT_FOUND:
            assert not accepted
            return
        if found.event is OrderEvent.CANNOT_TELL:
            order = replace(order, state=OrderState.AMBIGUOUS)


def test_differences_are_named_by_symbol_and_cash_comes_last() -> None:
    book = Book().apply(
        [
            Entry(kind=EntryKind.CASH_ELSEWHERE, sleeve_id=OUTSIDE, cash_krw=Decimal(1_000)),
            Entry(kind=EntryKind.UNEXPLAINED, sleeve_id="a", symbol="005930", quantity=Decimal(5)),
            Entry(kind=EntryKind.UNEXPLAINED, sleeve_id="b", symbol="000660", quantity=Decimal(2)),
        ]
    )
    holdings = [
        BrokerHolding(symbol=code, quantity=Decimal(quantity), sellable=Decimal(0))
        for code, quantity in (("005930", 4), ("000660", 2), ("035420", 1))
    ]
    cash = BrokerCash(total_krw=Decimal(1_100), orderable_krw=Decimal(0))
    found = compare(book, holdings, cash)
    assert [(one.symbol, one.more) for one in found] == [("005930", -1), ("035420", 1), (None, 100)]
    assert compare(book, holdings[:2], None)[0].symbol == "005930"
