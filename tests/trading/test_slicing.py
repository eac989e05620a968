"""Slices of a large order: what they add up to, whatever fills."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stocklab.brokers.values import OrderTicket, PriceKind, Side
from stocklab.errors import InputError
from stocklab.trading import Order, OrderState, apportion
from stocklab.trading.journal import Draft, Kept, Origin
from stocklab.trading.repricing import Cancel
from stocklab.trading.slicing import KRX_VOLUME, Profile, Send, due_slice, slice_order, slices

OPENS = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)  # 09:00 in Seoul
CLOSES = OPENS + timedelta(hours=6, minutes=30)


def whole(**parts: int) -> Draft:
    return Draft(
        symbol="X", side=Side.BUY, kind=PriceKind.MARKET, quantity=Decimal(sum(parts.values())), plan_key="p",
        parts={name: Decimal(part) for name, part in parts.items()},
    )  # fmt: skip


def test_even_slices_by_hand() -> None:
    plan = slice_order(whole(a=6, b=4), OPENS, OPENS + timedelta(minutes=30), 3)
    assert [one.quantity for one in slices(plan)] == [4, 3, 3]  # the unit left goes to the earlier one
    assert [one.plan_key for one in slices(plan)] == ["p/1", "p/2", "p/3"]
    assert [one.not_before for one in slices(plan)] == [OPENS + timedelta(minutes=10 * n) for n in range(3)]
    assert [one.not_after for one in slices(plan)] == [OPENS + timedelta(minutes=10 * n) for n in (1, 2, 3)]
    few = slice_order(whole(a=10), OPENS, CLOSES, 5, smallest=Decimal(3))
    assert [one.quantity for one in slices(few)] == [4, 6]  # 2+2, 2+2, and the 2 left are too few


def test_slices_by_volume_follow_the_exchanges_count() -> None:
    plan = slice_order(whole(a=1000), OPENS, CLOSES, 13, profile=KRX_VOLUME)
    found = [one.quantity for one in slices(plan)]
    assert (found[0], found[6], found[-1]) == (172, 47, 121)  # first and last half hour, and the one from 12:00
    assert sum(KRX_VOLUME.weights) == 100
    own = Profile(starts=(time(9), time(10)), weights=(Decimal(3), Decimal(1)), ends=time(11))
    half = slice_order(whole(a=100), OPENS + timedelta(minutes=30), OPENS + timedelta(hours=2), 2, profile=own)
    # 09:30-10:15 has 1.5 + 0.25, 10:15-11:00 has 0.75
    assert [one.quantity for one in slices(half)] == [70, 30]


@given(
    st.integers(1, 10_000), st.integers(1, 60), st.integers(1, 50), st.booleans(), st.floats(0, 0.49),
    st.integers(0, 9),
)  # fmt: skip
def test_slices_add_up_rise_and_are_large_enough(
    total: int, count: int, smallest: int, by_volume: bool, jitter: float, seed: int
) -> None:
    def made() -> tuple[Draft, ...]:
        profile = KRX_VOLUME if by_volume else None
        return slices(
            slice_order(
                whole(a=total, b=total // 2), OPENS, CLOSES, count, smallest=Decimal(smallest), profile=profile,
                jitter=Decimal(repr(jitter)), seed=seed,
            )
        )  # fmt: skip

    found = made()
    assert found == made()
    assert len(found) <= count
    assert sum(one.quantity or 0 for one in found) == total + total // 2
    assert sum(one.parts.get("a", 0) for one in found) == total
    assert all((one.quantity or 0) >= smallest for one in found) or len(found) == 1
    begins = [one.not_before for one in found]
    assert begins == sorted(set(begins))
    assert all(OPENS <= begin < CLOSES for begin in begins if begin is not None)


@given(st.integers(20, 500), st.integers(0, 2**32))
def test_what_a_slice_could_not_fill_is_in_the_next_and_never_twice(total: int, seed: int) -> None:
    rng = random.Random(seed)
    parts = {"a": total, "b": rng.randint(1, total)}
    plan = slice_order(whole(**parts), OPENS, OPENS + timedelta(minutes=60), 6)
    wish, sent, now = sum(parts.values()), list[Kept](), OPENS - timedelta(minutes=2)
    while now < OPENS + timedelta(minutes=70):
        now += timedelta(seconds=rng.choice([20, 90, 300]))
        if sent and not sent[-1].order.state.final:
            last = sent[-1]
            order, left = last.order, last.order.open_quantity or Decimal(0)
            took = Decimal(rng.randint(0, int(left)))
            lacks = {name: part - last.booked.get(name, Decimal(0)) for name, part in last.parts.items()}
            shares = apportion(took, lacks, Decimal(1))
            booked = {name: last.booked.get(name, Decimal(0)) + share for name, share in shares.items()}
            state = OrderState.FILLED if took == left else order.state
            if state is OrderState.CANCELLING and rng.random() < 0.6:
                state = OrderState.CANCELLED
            order = replace(order, state=state, booked_quantity=order.booked_quantity + took)
            sent[-1] = replace(last, order=order, booked=booked)
        most = rng.choice([None, Decimal(rng.randint(0, total))])
        done = due_slice(plan, sent, now, most=most)
        if isinstance(done, Cancel):
            assert done.order_id == sent[-1].order.order_id
            order = replace(sent[-1].order, state=OrderState.CANCELLING)
            sent[-1] = replace(sent[-1], order=order, cancel_wanted=True)
        elif isinstance(done, Send):
            assert all(one.order.state.final for one in sent)
            assert done.draft.plan_key not in {one.plan_key for one in sent}
            assert most is None or (done.draft.quantity or 0) <= most
            sent.append(standing(done.draft, now))
        filled = sum(one.order.booked_quantity for one in sent)
        still = sum(one.order.open_quantity or 0 for one in sent)
        planned = max([plan.cumulative[n] for n, begin in enumerate(plan.moments) if begin <= now], default=0)
        assert filled + still <= planned <= wish
        for name, part in parts.items():
            assert sum(one.booked.get(name, Decimal(0)) for one in sent) <= part


def standing(draft: Draft, now: datetime) -> Kept:
    ticket = OrderTicket(client_order_id="sl-1", symbol="X", side=draft.side, kind=draft.kind, quantity=draft.quantity)
    order = Order(order_id=str(draft.plan_key), account_id="a", ticket=ticket, state=OrderState.OPEN, sent_at=now)
    return Kept(
        order=order,
        origin=Origin.STRATEGY,
        reason="",
        parts=draft.parts,
        created_at=now,
        plan_key=draft.plan_key,
        policy=draft.policy,
    )


def test_when_everything_fills_everything_is_sent() -> None:
    plan, sent = slice_order(whole(a=100, b=7), OPENS, OPENS + timedelta(minutes=60), 4), list[Kept]()
    for minute in range(60):
        done = due_slice(plan, sent, OPENS + timedelta(minutes=minute))
        if isinstance(done, Send):
            one = standing(done.draft, OPENS)
            order = replace(one.order, state=OrderState.FILLED, booked_quantity=done.draft.quantity or Decimal(0))
            sent.append(replace(one, booked=done.draft.parts, order=order))
    assert [one.order.booked_quantity for one in sent] == [27, 27, 27, 26]
    assert [one.parts for one in sent] == [one.parts for one in slices(plan)]


def test_a_person_who_cancels_a_slice_ends_the_order() -> None:
    plan = slice_order(whole(a=100), OPENS, OPENS + timedelta(minutes=60), 4)
    first = due_slice(plan, [], OPENS)
    assert isinstance(first, Send)
    one = standing(first.draft, OPENS)
    ended = replace(one, cancel_wanted=True, order=replace(one.order, state=OrderState.CANCELLED))
    later = OPENS + timedelta(minutes=15)
    assert isinstance(due_slice(plan, [ended], later), Send)  # cancelled for the next one
    assert not isinstance(due_slice(plan, [replace(ended, policy=None)], later), Send)


def test_what_cannot_be_sliced() -> None:
    for broken in (replace(whole(a=5), plan_key=None), replace(whole(a=5), quantity=None)):
        with pytest.raises(InputError):
            slice_order(broken, OPENS, CLOSES, 2)
    for arguments in ((OPENS, OPENS, 2), (OPENS, CLOSES, 0)):
        with pytest.raises(InputError):
            slice_order(whole(a=5), *arguments)
    with pytest.raises(InputError):
        slice_order(whole(a=5), OPENS, CLOSES, 2, jitter=Decimal("0.5"))
