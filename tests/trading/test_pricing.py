"""Limits near a price by hand, and what re-pricing may never do, whatever happens between."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stocklab.brokers.values import OrderTicket, PriceKind, Quote, QuoteSource, Side
from stocklab.errors import InputError
from stocklab.market.limits import price_limits
from stocklab.market.ticks import tick_size
from stocklab.trading import Order, OrderState, apportion
from stocklab.trading.journal import Draft, Kept, Origin
from stocklab.trading.pricing import LastResort, RepricePolicy, Venue, near_limit, policy_of
from stocklab.trading.repricing import Cancel, Replace, reprice

NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
DAY = date(2026, 11, 20)
KOSPI = Venue(market="KOSPI")


def quote(price: str | int, base: int | None = None, at: datetime = NOW, **more: object) -> Quote:
    known = Quote(symbol="X", price_krw=Decimal(price), at=at, source=QuoteSource.SOCKET)
    return replace(known, base_price_krw=None if base is None else Decimal(base), **more)


@pytest.mark.parametrize(
    ("side", "price", "base", "market", "fraction", "expected"),
    [
        ("buy", 71_400, 70_900, "KOSPI", "0.01", "72100"),  # 72,114 on the tick of 100
        ("sell", 71_400, 70_900, "KOSPI", "0.01", "70700"),  # 70,686 -> 70,700: not below what was asked for
        ("buy", 71_400, None, "KOSPI", "-0.01", "70600"),
        ("buy", 92_000, 70_900, "KOSPI", "0.01", "92100"),  # the upper limit of the day
        ("sell", 49_800, 70_900, "KOSPI", "0.01", "49700"),  # the lower one
        ("buy", 1_995, None, "KOSDAQ", "0.005", "2000"),  # 2,004.975: from 2,000 on the tick is 5
        ("buy", 12_345, None, "ETF", "0.001", "12355"),  # 12,357.3
        ("sell", 12_345, 9_500, "ETF", "0.001", "12335"),
        ("buy", 12_345, 9_500, "ETF", "0.001", "12350"),  # 9,500 + 2,850
        ("buy", "150", None, "UPBIT", "0.01", "151"),
        ("sell", "0.00001234", None, "UPBIT", "0.01", "0.0000123"),
        ("sell", "1", None, "KOSPI", "0.5", "1"),
    ],
)
def test_a_limit_near_the_price(
    side: str, price: str | int, base: int | None, market: str, fraction: str, expected: str
) -> None:
    assert near_limit(Side(side), quote(price, base), market, DAY, Decimal(fraction)) == Decimal(expected)


def test_the_brokers_own_limits_come_first() -> None:
    known = quote(100_000, 90_000, upper_limit_krw=Decimal(100_500), lower_limit_krw=Decimal(80_000))
    assert near_limit(Side.BUY, known, "KOSPI", DAY, Decimal("0.03")) == 100_500


@given(st.integers(100, 900_000), st.floats(-0.29, 0.29), st.sampled_from(Side), st.floats(-0.2, 0.2))
def test_a_limit_is_legal_and_never_worse_than_asked_for(base: int, move: float, side: Side, fraction: float) -> None:
    base = base // tick_size(base, "KOSPI", DAY) * tick_size(base, "KOSPI", DAY)
    low, high = price_limits(base, "KOSPI", DAY)
    price = min(max(int(base * (1 + move)), low), high)
    price = price // tick_size(price, "KOSPI", DAY) * tick_size(price, "KOSPI", DAY)
    part = Decimal(repr(fraction))
    limit = near_limit(side, quote(price, base), "KOSPI", DAY, part)
    assert limit % tick_size(int(limit), "KOSPI", DAY) == 0
    assert low <= limit <= high
    asked = price * (1 + part if side is Side.BUY else 1 - part)
    if low <= asked <= high:
        assert limit <= asked if side is Side.BUY else limit >= asked


POLICIES = st.builds(
    RepricePolicy,
    fraction=st.sampled_from([Decimal("0.01"), Decimal("-0.01"), Decimal(0), Decimal("0.2")]),
    most=st.integers(0, 4),
    every=st.sampled_from([timedelta(seconds=1), timedelta(seconds=5)]),
    until=st.sampled_from([None, NOW + timedelta(seconds=25)]),
    last_resort=st.sampled_from(LastResort),
    most_gap=st.sampled_from([Decimal("0.05"), Decimal("0.02")]),
    worst_krw=st.sampled_from([None, Decimal(10_300)]),
)


@given(POLICIES)
def test_a_policy_survives_its_document(policy: RepricePolicy) -> None:
    document = policy.document()
    assert RepricePolicy.of(document) == policy_of({**document, "slice": True}) == policy
    assert policy_of(None) is policy_of({"auction": True}) is None
    for broken in ({**document, "more": 1}, {**document, "most": "3"}, {**document, "fraction": "x"}, {}):
        with pytest.raises(InputError):
            RepricePolicy.of(broken)


def kept_of(draft: Draft, number: int, sent_at: datetime) -> Kept:
    ticket = OrderTicket(
        client_order_id=f"sl-{number}",
        symbol=draft.symbol,
        side=draft.side,
        kind=draft.kind,
        quantity=draft.quantity,
        limit_price_krw=draft.limit_price_krw,
    )
    order = Order(order_id=str(number), account_id="a", ticket=ticket, state=OrderState.OPEN, sent_at=sent_at)
    return Kept(
        order=order,
        origin=draft.origin,
        reason="",
        parts=draft.parts,
        epoch=draft.epoch or 0,
        created_at=sent_at,
        plan_key=draft.plan_key,
        replaces_id=draft.replaces_id,
        policy=draft.policy,
    )


def filled(kept: Kept, quantity: Decimal) -> Kept:
    lacks = {name: part - kept.booked.get(name, Decimal(0)) for name, part in kept.parts.items()}
    shares = apportion(quantity, lacks, Decimal(1))
    booked = {name: kept.booked.get(name, Decimal(0)) + share for name, share in shares.items()}
    return replace(
        kept, booked=booked, order=replace(kept.order, booked_quantity=kept.order.booked_quantity + quantity)
    )


@given(POLICIES, st.sampled_from(Side), st.integers(0, 2**32))
def test_replacements_never_come_to_more_than_the_wish(policy: RepricePolicy, side: Side, seed: int) -> None:
    """Fills before and while a cancel is under way, prices that jump, stop or are halted."""
    rng = random.Random(seed)
    wish = {"a": Decimal(rng.randint(1, 30)), "b": Decimal(rng.randint(1, 30))}
    total = sum(wish.values(), Decimal(0))
    first = Draft(
        symbol="X", side=side, kind=PriceKind.LIMIT, quantity=total, parts=wish, plan_key="plan#x",
        limit_price_krw=Decimal(10_000), origin=Origin.STRATEGY, policy=policy.document(), epoch=7,
    )  # fmt: skip
    chain, now, price = [kept_of(first, 1, NOW)], NOW, 10_000
    for _ in range(60):
        now += timedelta(seconds=rng.randint(1, 4))
        price = min(max(price + rng.choice([-100, -10, 0, 10, 100]), 7_000), 13_000)
        shown = quote(price, 10_000, at=now - timedelta(seconds=rng.choice([0, 0, 0, 40])), halted=rng.random() < 0.1)
        last = chain[-1]
        left = total - sum((one.order.booked_quantity for one in chain), Decimal(0))
        if last.order.state in (OrderState.OPEN, OrderState.CANCELLING) and rng.random() < 0.3:
            last = filled(last, Decimal(rng.randint(0, int(last.order.open_quantity or 0))))
            if not last.order.open_quantity:
                last = replace(last, order=replace(last.order, state=OrderState.FILLED))
        elif last.order.state is OrderState.CANCELLING and rng.random() < 0.5:
            last = replace(last, order=replace(last.order, state=OrderState.CANCELLED))
        chain[-1] = last
        done = reprice(last, policy, shown, now, venue=KOSPI)
        if isinstance(done, Cancel):
            assert last.order.state is OrderState.OPEN
            chain[-1] = replace(last, cancel_wanted=True, order=replace(last.order, state=OrderState.CANCELLING))
        elif isinstance(done, Replace):
            draft = done.draft
            assert last.order.state is OrderState.CANCELLED
            assert draft.quantity == left == sum(draft.parts.values())
            assert draft.plan_key == f"plan#x#{len(chain) + 1}"
            assert (draft.replaces_id, draft.epoch, draft.side) == (last.order.order_id, 7, side)
            check_price(draft, price, policy, may_be_market=policy.last_resort is LastResort.MARKET)
            chain.append(kept_of(draft, len(chain) + 1, now))
    assert len(chain) - 1 <= policy.most
    sent = sum((one.order.ticket.quantity or Decimal(0) for one in chain), Decimal(0))
    ended = [one for one in chain if one.order.state is OrderState.CANCELLED]
    unfilled = sum(((one.order.ticket.quantity or 0) - one.order.booked_quantity for one in ended), Decimal(0))
    assert sent - unfilled <= total
    assert sum(one.order.state in (OrderState.OPEN, OrderState.CANCELLING) for one in chain) <= 1


def check_price(draft: Draft, price: int, policy: RepricePolicy, *, may_be_market: bool) -> None:
    limit = draft.limit_price_krw
    if limit is None:
        assert may_be_market
        assert policy.worst_krw is None
        return
    sign = 1 if draft.side is Side.BUY else -1
    assert limit % tick_size(int(limit), "KOSPI", DAY) == 0
    assert 7_000 <= limit <= 13_000
    assert sign * (limit - price) <= price * policy.most_gap
    if policy.worst_krw is not None:
        assert sign * (limit - policy.worst_krw) <= 0


def open_order(policy: RepricePolicy, **more: object) -> Kept:
    draft = Draft(
        symbol="X", side=Side.BUY, kind=PriceKind.LIMIT, quantity=Decimal(10), parts={"a": Decimal(10)},
        limit_price_krw=Decimal(10_100), policy=policy.document(), plan_key="p",
    )  # fmt: skip
    return replace(kept_of(draft, 1, NOW), **more)


def test_each_way_an_order_can_end_but_one_ends_it_for_good() -> None:
    policy, later = RepricePolicy(), NOW + timedelta(seconds=5)
    shown = quote(10_500, 10_000, at=later)
    standing = open_order(policy)
    assert not isinstance(reprice(standing, policy, shown, NOW + timedelta(seconds=4), venue=KOSPI), Cancel)
    assert reprice(standing, policy, shown, later, venue=KOSPI) == Cancel("1", "10600 instead of 10100")
    ended = replace(standing, order=replace(standing.order, state=OrderState.CANCELLED))
    replaced = reprice(replace(ended, cancel_wanted=True), policy, shown, later, venue=KOSPI)
    assert isinstance(replaced, Replace)
    assert (replaced.draft.limit_price_krw, replaced.draft.plan_key) == (10_600, "p#2")
    for stays in (
        ended,  # the broker, the kill switch or a person in the broker's app ended it
        replace(ended, cancel_wanted=True, policy=None),  # a person did
        replace(ended, cancel_wanted=True, order=replace(ended.order, state=OrderState.EXPIRED)),
        replace(ended, cancel_wanted=True, order=replace(ended.order, state=OrderState.UNKNOWN)),
    ):
        assert not isinstance(reprice(stays, policy, shown, later, venue=KOSPI), Replace)


def test_a_rest_below_the_smallest_order_of_coins_is_left() -> None:
    coins = Venue(market="UPBIT", unit=Decimal("0.00000001"), buys_by_money=True)
    policy = RepricePolicy(most=1, last_resort=LastResort.MARKET)
    kept = open_order(policy, cancel_wanted=True)
    kept = replace(kept, order=replace(kept.order, state=OrderState.CANCELLED))
    assert not isinstance(reprice(kept, policy, quote(499), NOW, venue=coins), Replace)  # 4,990 won
    done = reprice(kept, policy, quote(505), NOW, venue=coins)
    assert isinstance(done, Replace)
    assert done.draft.limit_price_krw == 530  # no purchase of a quantity at the market: 530.25 at most
