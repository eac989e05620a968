"""Events on holdings: Samsung's split of 2018 by hand, a rights issue, and one that nobody knows."""

from __future__ import annotations

from decimal import Decimal

import pytest

from stocklab.errors import InputError
from stocklab.trading import Book, Holding, Sleeve
from stocklab.trading.guarding import Guard, GuardKind
from stocklab.trading.ratios import ActionState, base_change, rescale

D = Decimal
BOOK = Book(
    sleeves={
        "a": Sleeve(holdings={"005930": Holding(quantity=D(3), cost_krw=D(7_800_000))}),
        "b": Sleeve(holdings={"005930": Holding(quantity=D(2), cost_krw=D(5_000_000)), "X": Holding(quantity=D(1), cost_krw=D(9))}),
    }
)  # fmt: skip
STOP = Guard(guard_id="1", sleeve_id="a", symbol="005930", kind=GuardKind.STOP, level_krw=D(2_500_000))
TRAILING = Guard(
    guard_id="2", sleeve_id="b", symbol="005930", kind=GuardKind.TRAILING, fraction=D("0.1"), high_krw=D(2_700_000)
)
OTHER = Guard(guard_id="3", sleeve_id="b", symbol="X", kind=GuardKind.STOP, level_krw=D(5))


def test_a_split_rescales_shares_and_levels_and_leaves_costs() -> None:
    # 2018-05-04, recorded: base 53,000 after a close of 2,650,000
    change = base_change("005930", D(2_650_000), D(53_000))
    assert change is not None
    found = rescale(BOOK, [STOP, TRAILING, OTHER], change, D(50))
    after = BOOK.apply(found.entries)
    assert found.state is ActionState.RESCALED
    assert [after.sleeves[name].holdings["005930"].quantity for name in "ab"] == [150, 100]
    assert after.sleeves["a"].holdings["005930"].cost_krw == 7_800_000
    assert [(one.guard_id, one.level_krw, one.high_krw, one.fraction) for one in found.guards] == [
        ("1", 50_000, None, None),
        ("2", None, 54_000, D("0.1")),
    ]


def test_a_consolidation_keeps_whole_shares() -> None:
    change = base_change("005930", D(1_000), D(2_000))
    assert change is not None
    after = BOOK.apply(rescale(BOOK, [], change, D("0.5")).entries)
    assert after.held("005930") == 2  # of 2.5; the broker pays the half in cash
    assert [after.sleeves[name].held("005930") for name in "ab"] == [1, 1]


def test_a_rights_issue_lowers_levels_alone() -> None:
    change = base_change("005930", D(3_040), D(2_995))
    assert change is not None
    found = rescale(BOOK, [STOP], change, D(1))
    assert (found.state, found.entries) == (ActionState.RESCALED, ())
    assert found.guards[0].level_krw == D("2462993.42105263")  # 2,500,000 x 2,995 / 3,040


def test_what_nobody_knows_is_frozen_and_what_is_not_held_is_nothing() -> None:
    change = base_change("005930", D(1_000), D(900))
    assert change is not None
    frozen = rescale(BOOK, [STOP], change, None)
    assert (frozen.state, frozen.entries, frozen.guards) == (ActionState.FROZEN, (), ())
    elsewhere = base_change("Y", D(1_000), D(900))
    assert elsewhere is not None
    assert rescale(BOOK, [STOP], elsewhere, None).state is ActionState.UNCHANGED
    assert base_change("X", D(1_000), D(1_000)) is None
    assert base_change("X", D(1_000), None) is None
    with pytest.raises(InputError):
        base_change("X", D(0), D(1))
    with pytest.raises(InputError):
        rescale(BOOK, [], change, D(0))
