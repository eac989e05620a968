"""The book: cash and holdings of sleeves add up to the account through every kind of change."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stocklab.brokers.values import Side
from stocklab.errors import InputError
from stocklab.trading import OUTSIDE, Book, Crossing, Entry, EntryKind, Fill

WON = Decimal(1)
CODE = "005930"
SLEEVES = st.sampled_from([OUTSIDE, "a", "b"])


def deposit(krw: int) -> Entry:
    return Entry(kind=EntryKind.CASH_ELSEWHERE, sleeve_id=OUTSIDE, cash_krw=Decimal(krw))


def fill(side: Side, quantity: int, amount: int, costs: int = 0, number: int = 1) -> Fill:
    return Fill(
        order_id="o",
        number=number,
        symbol=CODE,
        side=side,
        quantity=Decimal(quantity),
        amount_krw=Decimal(amount),
        costs_krw=Decimal(costs),
    )


def test_a_life_of_two_strategies_by_hand() -> None:
    """Numbers worked out on paper: two strategies buy together, one sells to the other, a person sells, a split."""
    book = Book().apply([deposit(10_000)])
    book = book.apply(book.of_allocation("a", Decimal(6_000)))
    book = book.apply(book.of_allocation("b", Decimal(3_000)))
    assert (book.sleeves["a"].cash_krw, book.sleeves["b"].cash_krw, book.sleeves[OUTSIDE].cash_krw) == (
        6000,
        3000,
        1000,
    )
    # 9 shares for 901 won and 2 won of costs: a third is 300.33, its remainder is the smaller one, so the won goes to a
    bought = book.of_fill(fill(Side.BUY, 9, 901, 2), {"a": WON * 6, "b": WON * 3}, WON)
    book = book.apply(bought)
    a, b = book.sleeves["a"], book.sleeves["b"]
    assert (a.cash_krw, b.cash_krw) == (6_000 - 601 - 1, 3_000 - 300 - 1)
    assert (a.holdings[CODE].quantity, a.holdings[CODE].cost_krw) == (6, 602)
    # a sells 2 of its 6 to b at 150: its cost goes down by a third of 602, rounded down
    book = book.apply(book.of_crossing(Crossing(seller_id="a", buyer_id="b", quantity=WON * 2), CODE, WON * 150))
    a, b = book.sleeves["a"], book.sleeves["b"]
    assert (a.cash_krw, a.holdings[CODE].cost_krw, a.realised_krw) == (5_698, 402, 300 - 200)
    assert (b.cash_krw, b.holdings[CODE].quantity, b.holdings[CODE].cost_krw) == (2_399, 5, 601)
    # a person sells 3 of the 9 in the broker's app for 480: nothing is outside, so 4 : 5 of 3 is 1.33 : 1.67
    book = book.apply(book.of_gone(EntryKind.BY_HAND, CODE, WON * 3, Decimal(480), WON))
    assert (book.sleeves["a"].held(CODE), book.sleeves["b"].held(CODE)) == (3, 3)
    assert (book.sleeves["a"].cash_krw, book.sleeves["b"].cash_krw) == (5_698 + 160, 2_399 + 320)
    # one share becomes 2.5: 15 of them, 7.5 each; the odd one goes to the earlier name
    book = book.apply(book.of_ratio(CODE, Decimal("2.5"), WON))
    assert (book.sleeves["a"].held(CODE), book.sleeves["b"].held(CODE)) == (8, 7)
    assert book.cash_krw == 10_000 - 903 + 480


@given(
    st.lists(
        st.one_of(
            st.tuples(
                st.just("fill"), st.sampled_from(Side), SLEEVES, SLEEVES, st.integers(1, 50), st.integers(1, 999)
            ),
            st.tuples(st.just("gone"), st.integers(1, 60), st.integers(0, 9_999)),
            st.tuples(st.just("ratio"), st.integers(1, 50), st.integers(1, 20)),
            st.tuples(st.just("allocate"), st.sampled_from(["a", "b"]), st.integers(-5_000, 5_000)),
            st.tuples(st.just("cash"), st.integers(-5_000, 5_000)),
        ),
        max_size=40,
    )
)
def test_sleeves_always_add_up_and_the_entries_are_the_book(actions: list[Any]) -> None:
    book, entries = Book(), [deposit(100_000)]
    book = book.apply(entries)
    cash, held, number = Decimal(100_000), Decimal(0), 0
    for action in actions:
        try:
            match action:
                case "fill", side, one, other, quantity, costs:
                    number += 1
                    parts = {one: Decimal(quantity)} if one == other else {one: WON, other: Decimal(quantity)}
                    total, sign = sum(parts.values()), 1 if side is Side.BUY else -1
                    fresh = book.of_fill(fill(side, int(total), int(total) * 97, costs, number), parts, WON)
                    book, moved, change = book.apply(fresh), -sign * total * 97 - costs, sign * total
                case "gone", quantity, krw:
                    fresh = book.of_gone(EntryKind.BY_HAND, CODE, Decimal(quantity), Decimal(krw), WON)
                    book, moved, change = book.apply(fresh), Decimal(krw), Decimal(-quantity)
                case "ratio", up, down:
                    fresh = book.of_ratio(CODE, Decimal(up) / Decimal(down), WON)
                    book, moved = book.apply(fresh), Decimal(0)
                    change = (held * (Decimal(up) / Decimal(down))) // 1 - held
                case "allocate", name, krw:
                    fresh = book.of_allocation(name, Decimal(krw))
                    book, moved, change = book.apply(fresh), Decimal(0), Decimal(0)
                case "cash", krw:
                    fresh = (deposit(krw),)
                    book, moved, change = book.apply(fresh), Decimal(krw), Decimal(0)
        except InputError:
            continue  # more than there is: nothing was changed
        entries += fresh
        cash, held = cash + moved, held + change
        assert (book.cash_krw, book.held(CODE)) == (cash, held)
    assert Book().apply(entries) == book


def test_what_is_not_there_cannot_go() -> None:
    book = Book().apply([deposit(100)])
    with pytest.raises(InputError, match="at most 100"):
        book.of_allocation("a", Decimal(101))
    with pytest.raises(InputError, match="holds 0"):
        book.apply(book.of_fill(fill(Side.SELL, 1, 100), {"a": WON}, WON))
    with pytest.raises(InputError, match="at most 0"):
        book.of_gone(EntryKind.BY_HAND, CODE, WON, Decimal(0), WON)
    with pytest.raises(InputError, match="do not add up"):
        book.of_fill(fill(Side.BUY, 2, 100), {"a": WON}, WON)
