"""What the adapter says of an account is what is true of it, after any history."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from fakes.exchange import Refused
from fakes.kis_stage import HYNIX, NAVER, SAMSUNG, Stage, ticket
from hypothesis import given, settings
from hypothesis import strategies as st

from stocklab.brokers.values import OrderRef, PlacedState, PriceKind, Side, Validity
from stocklab.errors import OrderRejected

_SYMBOLS = (SAMSUNG, HYNIX, NAVER)
_PRICE = {SAMSUNG: 71_400, HYNIX: 200_000, NAVER: 180_000}

_STEPS = st.one_of(
    st.tuples(
        st.just("send"),
        st.sampled_from(_SYMBOLS),
        st.sampled_from(Side),
        st.integers(1, 12),
        st.sampled_from((-2, -1, 0, 1, None)),  # percent from the price; None at the market
        st.sampled_from(Validity),
    ),
    st.tuples(st.just("by_hand"), st.sampled_from(_SYMBOLS), st.booleans(), st.integers(1, 5)),
    st.tuples(st.just("trade"), st.sampled_from(_SYMBOLS), st.integers(-3, 3), st.integers(1, 8)),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
    st.tuples(st.just("confirm")),
    st.tuples(st.just("refuse"), st.integers(0, 30)),
    st.tuples(st.just("deposit"), st.integers(-10_000, 10_000)),
)


def _near(symbol: str, percent: int) -> Decimal:
    return Decimal(_PRICE[symbol] * (100 + percent) // 100)


def _do(stage: Stage, step: tuple[object, ...]) -> None:
    exchange = stage.exchange
    try:
        match step:
            case ("send", str(symbol), Side() as side, int(quantity), percent, Validity() as validity):
                if stage.mock:
                    validity = Validity.DAY
                price = None if percent is None else str(_near(symbol, int(percent)))  # type: ignore[call-overload]
                stage.broker.send(ticket(symbol, str(quantity), price, side=side, validity=validity))
            case ("by_hand", str(symbol), bool(buys), int(quantity)):
                exchange.by_hand(symbol, buys=buys, quantity=Decimal(quantity))
            case ("trade", str(symbol), int(percent), int(size)):
                exchange.trade(symbol, _near(symbol, percent), Decimal(size))
            case ("cancel", int(place)) if exchange.orders:
                order = exchange.orders[place % len(exchange.orders)]
                side = Side.BUY if order.buys else Side.SELL
                stage.broker.cancel(OrderRef(order.day, order.number, "00950"), symbol=order.symbol, side=side)
            case ("confirm",):
                exchange.confirm_cancels()
            case ("refuse", int(place)) if exchange.orders:
                order = exchange.orders[place % len(exchange.orders)]
                if not order.ended and not order.filled and not order.cancel_asked:
                    exchange.refuse_later(order.number)
            case ("deposit", int(krw)):
                exchange.deposit(Decimal(krw))
    except (OrderRejected, Refused):
        pass


def _expect(stage: Stage) -> None:
    """The broker's own view against ours, field by field."""
    found = {order.ref.number: order for order in stage.broker.day_orders(date(2026, 11, 20))}
    true = {order.number: order for order in stage.exchange.orders}
    assert list(found) == sorted(true)
    for number, order in true.items():
        ours = found[number]
        assert (ours.symbol, ours.side) == (order.symbol, Side.BUY if order.buys else Side.SELL)
        assert (ours.quantity, ours.limit_price_krw) == (order.quantity, order.limit)
        assert ours.kind == (PriceKind.MARKET if order.limit is None else PriceKind.LIMIT)
        assert (ours.filled_quantity, ours.filled_krw) == (order.filled, order.amount)
        assert ours.placed_at == order.placed_at.replace(microsecond=0)
        if order.refusal is not None:
            assert ours.state is PlacedState.REJECTED
        elif order.filled == order.quantity:
            assert ours.state is PlacedState.FILLED
        else:
            assert ours.state is (PlacedState.CANCELLED if order.ended else PlacedState.OPEN)
    held = {one.symbol: (one.quantity, one.sellable) for one in stage.broker.holdings()}
    assert held == {symbol: (amount, free) for symbol, amount, free, _ in stage.exchange.shown_holdings()}
    cash = stage.broker.cash()
    assert (cash.total_krw, cash.orderable_krw) == stage.exchange.shown_cash()


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(_STEPS, max_size=25),
    mock=st.booleans(),
    slow_cancels=st.booleans(),
    page_rows=st.sampled_from((1, 2, 3, 7)),
    depth=st.sampled_from((None, 1, 4)),
)
def test_any_history(
    steps: list[tuple[object, ...]], mock: bool, slow_cancels: bool, page_rows: int, depth: int | None
):
    stage = Stage(mock=mock, page_rows=page_rows)
    stage.exchange.slow_cancels = slow_cancels
    stage.fake.sold_out = ["000270", "999990"]
    for listing in stage.exchange.listings.values():
        listing.depth = None if depth is None else Decimal(depth)
    for step in steps:
        _do(stage, step)
    _expect(stage)
    stage.exchange.end_day()
    _expect(stage)
    assert (stage.fake.overruns, stage.fake.hasty_tokens) == (0, 0)
    assert stage.fake.count("/oauth2/tokenP") == 1


def test_a_fill_that_crosses_a_cancel():
    stage = Stage()
    stage.exchange.slow_cancels = True
    receipt = stage.broker.send(ticket())
    stage.broker.cancel(receipt.ref, symbol=SAMSUNG, side=Side.BUY)
    stage.exchange.trade(SAMSUNG, Decimal(71_200), Decimal(4))
    (order,) = stage.broker.day_orders(date(2026, 11, 20))
    assert (order.state, order.filled_quantity, order.filled_krw) == (PlacedState.OPEN, 4, 284_800)
    stage.exchange.confirm_cancels()
    (order,) = stage.broker.day_orders(date(2026, 11, 20))
    assert (order.state, order.filled_quantity) == (PlacedState.CANCELLED, 4)


def test_orders_of_another_day_are_another_days():
    stage = Stage()
    stage.broker.send(ticket())
    stage.exchange.end_day()
    stage.now = stage.now.replace(day=21)
    stage.exchange.is_open = True
    stage.broker.send(ticket(quantity="3"))
    yesterday = stage.broker.day_orders(date(2026, 11, 20))
    today = stage.broker.day_orders(date(2026, 11, 21))
    assert [(one.ref.number, one.quantity, one.state) for one in yesterday + today] == [  # type: ignore[operator]
        ("0000012345", 10, PlacedState.CANCELLED),
        ("0000012345", 3, PlacedState.OPEN),
    ]
