"""Requests to modify and cancel belong to their order, however the journal shows them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from fakes.exchange import KST

from stocklab.brokers.kis.journal import JournalRow, fold
from stocklab.brokers.values import OrderRef, PlacedState

_DAY = date(2026, 11, 20)


def _row(number: str, original: str = "", **changes: object) -> JournalRow:
    quantities = {
        name: Decimal(str(changes.pop(name, default)))
        for name, default in {
            "quantity": 10,
            "filled": 0,
            "filled_krw": 0,
            "rest": 0,
            "cancelled": 0,
            "refused": 0,
        }.items()
    }
    given: dict[str, object] = {
        "ref": OrderRef(_DAY, number, "00950"),
        "original": original,
        "cancels": False,
        "symbol": "005930",
        "buys": True,
        "limit_krw": Decimal(100),
        "at": datetime(2026, 11, 20, 10, tzinfo=KST),
    }
    return JournalRow(**(given | quantities | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rows", "state", "filled"),
    [
        ([_row("1", rest=10)], PlacedState.OPEN, 0),
        ([_row("1", rest=6, filled=4)], PlacedState.OPEN, 4),
        ([_row("1", filled=10)], PlacedState.FILLED, 10),
        ([_row("1", refused=10)], PlacedState.REJECTED, 0),
        ([_row("1", refused=10, rest=10)], PlacedState.REJECTED, 0),
        # Cancelled: the order or the request says so, or both.
        ([_row("1", filled=4, cancelled=6)], PlacedState.CANCELLED, 4),
        ([_row("1", filled=4, rest=6), _row("2", "1", cancels=True, cancelled=6)], PlacedState.CANCELLED, 4),
        ([_row("1", filled=4, cancelled=6), _row("2", "1", cancels=True, cancelled=6)], PlacedState.CANCELLED, 4),
        # The request waits, or came too late, or took back only a part.
        ([_row("1", rest=10), _row("2", "1", cancels=True, rest=10)], PlacedState.OPEN, 0),
        ([_row("1", filled=10), _row("2", "1", cancels=True, refused=10)], PlacedState.FILLED, 10),
        ([_row("1", filled=4, rest=3), _row("2", "1", cancels=True, cancelled=3)], PlacedState.OPEN, 4),
        # Modified twice: what is left goes on under the newest number.
        ([_row("1", filled=2, cancelled=8), _row("2", "1", quantity=8, rest=8)], PlacedState.OPEN, 2),
        (
            [
                _row("1", filled=2, cancelled=8),
                _row("2", "1", quantity=8, filled=3, cancelled=5),
                _row("3", "2", quantity=5, filled=5),
            ],
            PlacedState.FILLED,
            10,
        ),
        (
            [_row("1", cancelled=10), _row("2", "1", filled=3), _row("3", "2", cancels=True, cancelled=7)],
            PlacedState.CANCELLED,
            3,
        ),
    ],
)
def test_a_family_is_one_order(rows: list[JournalRow], state: PlacedState, filled: int):
    for given in (rows, rows[::-1]):
        (order,) = fold(given, today=_DAY)
        assert (order.ref.number, order.state, order.filled_quantity) == ("1", state, filled)
        assert order.quantity == 10


def test_the_price_is_the_newest_and_the_money_the_sum():
    rows = [
        _row("1", filled=2, filled_krw=200, cancelled=8),
        _row("2", "1", limit_krw=Decimal(110), filled=3, filled_krw=330, rest=5),
    ]
    (order,) = fold(rows, today=_DAY)
    assert (order.limit_price_krw, order.filled_krw) == (110, 530)


def test_rows_that_come_twice_and_requests_whose_order_is_missing():
    modified = _row("7", "3", filled=2, rest=1)
    found = fold([_row("1", rest=10), _row("1", rest=10), _row("5", "4", cancels=True), modified], today=_DAY)
    assert [(one.ref.number, one.filled_quantity) for one in found] == [("1", 0), ("7", 2)]


def test_a_cancel_through_another_branch():
    request = _row("2", "1", cancels=True, cancelled=10, ref=OrderRef(_DAY, "2", "00811"))
    (order,) = fold([_row("1", rest=10), request], today=_DAY)
    assert order.state is PlacedState.CANCELLED


def test_what_yesterday_left_is_dead():
    (order,) = fold([_row("1", filled=4, rest=6)], today=date(2026, 11, 21))
    assert order.state is PlacedState.CANCELLED
