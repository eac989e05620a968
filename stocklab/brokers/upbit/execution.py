"""One pocket at Upbit as a `Broker`."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NoReturn, TypeVar

import httpx

from stocklab.brokers.pacing import Pacer
from stocklab.brokers.upbit.auth import Pairs, UpbitCredentials
from stocklab.brokers.upbit.client import Refusal, UpbitClient
from stocklab.brokers.upbit.journal import UpbitJournal
from stocklab.brokers.upbit.models import (
    BALANCES,
    CANCEL,
    CLOSED_ROWS,
    LIVE_REST,
    OPEN,
    OPEN_ROWS,
    ORDER_KINDS,
    PLACE,
    QUANTITY_STEP,
    REJECTIONS,
    TICKERS,
    TRAITS,
    WON_PREFIX,
    Call,
)
from stocklab.brokers.upbit.parse import Garbled, cash_of, holdings_of, quote_of, receipt_of
from stocklab.brokers.values import (
    BrokerCash,
    BrokerHolding,
    BrokerName,
    BrokerOrder,
    BrokerTraits,
    OrderRef,
    OrderTicket,
    PriceKind,
    Quote,
    QuoteSource,
    Receipt,
    Rejection,
    Side,
)
from stocklab.brokers.wire import Answer
from stocklab.errors import BrokerTemporary, OrderRejected, OrderUnknown

__all__ = ["UpbitBroker", "order_pairs"]

_Read = TypeVar("_Read")
_SIDES: Final = {Side.BUY: "bid", Side.SELL: "ask"}


class UpbitBroker:
    """See `Broker`. Upbit has no test environment, so this is always real money.

    Parameters
    ----------
    pocket : str, optional
        Names the pocket in the buckets of the pacer; by default each key is taken for a pocket of its own.
    open_rows, closed_rows : int
        Rows of a page of open orders, and of a window of ended ones.
    """

    traits: BrokerTraits = TRAITS

    def __init__(
        self,
        *,
        credentials: UpbitCredentials,
        pacer: Pacer,
        clock: Callable[[], datetime],
        sleep: Callable[[float], object],
        base_url: str = LIVE_REST,
        pocket: str = "",
        nonce: Callable[[], str] = lambda: str(uuid.uuid4()),
        transport: httpx.BaseTransport | None = None,
        observe: Callable[[str, float, Answer | None], None] | None = None,
        open_rows: int = OPEN_ROWS,
        closed_rows: int = CLOSED_ROWS,
    ) -> None:
        self._masked = credentials.masked
        self._client = UpbitClient(
            base_url=base_url,
            credentials=credentials,
            pocket=pocket or credentials.key_id,
            pacer=pacer,
            clock=clock,
            sleep=sleep,
            nonce=nonce,
            transport=transport,
            observe=observe,
        )
        self._journal = UpbitJournal(
            self._client, clock=clock, sleep=sleep, open_rows=open_rows, closed_rows=closed_rows
        )

    def check(self) -> str:
        """See `Broker.check`: reads balances and one order, which takes both rights to read. There is no account
        number, so the end of the access key stands for it. The right to order shows with the first order alone."""
        self.cash()
        self._body(OPEN, [("limit", "1")])
        return self._masked

    def send(self, ticket: OrderTicket) -> Receipt:
        """See `Broker.send`."""
        answer = self._client.command(PLACE, order_pairs(ticket))
        if isinstance(answer, Refusal):
            _refuse(answer)
        try:
            return receipt_of(answer.body, ticket.client_order_id)
        except Garbled as error:
            raise OrderUnknown(BrokerName.UPBIT, f"unreadable answer: {error}") from error

    def cancel(self, ref: OrderRef, *, symbol: str, side: Side) -> None:
        """See `Broker.cancel`. Upbit answers with the order as it still is; only the journal tells how it ends."""
        answer = self._client.command(CANCEL, [("uuid", ref.number)])
        if isinstance(answer, Refusal):
            self._judge_cancel(ref, answer)
        elif answer.text("uuid") != ref.number:
            raise OrderUnknown(BrokerName.UPBIT, "unreadable answer: uuid")

    def day_orders(self, day: date) -> Sequence[BrokerOrder]:
        """See `Broker.day_orders`. Orders on markets that are not in won are left out."""
        return self._journal.day(day)

    def find(self, client_order_id: str) -> BrokerOrder | None:
        """See `Broker.find`."""
        found = self._journal.find("identifier", client_order_id)
        return found.order() if found is not None else None

    def holdings(self) -> Sequence[BrokerHolding]:
        """See `Broker.holdings`."""
        return self._read(BALANCES, holdings_of)

    def cash(self) -> BrokerCash:
        """See `Broker.cash`."""
        return self._read(BALANCES, cash_of)

    def quotes(self, symbols: Iterable[str]) -> Mapping[str, Quote]:
        """See `Broker.quotes`. All won markets are asked for: a single code that is gone would fail a list of codes."""
        wanted = frozenset(symbols)
        if not wanted:
            return {}
        rows = self._read(TICKERS, _rows, [("quote_currencies", WON_PREFIX.removesuffix("-"))])
        try:
            found = [quote_of(row, QuoteSource.REST) for row in rows if row.get("market") in wanted]
        except Garbled as error:
            raise BrokerTemporary(BrokerName.UPBIT, f"unreadable answer to {TICKERS[1]}: {error}") from error
        return {one.symbol: one for one in sorted(found, key=lambda one: one.symbol)}

    def close(self) -> None:
        """See `Broker.close`."""
        self._client.close()

    def _read(self, call: Call, reader: Callable[[Any], _Read], pairs: Pairs = ()) -> _Read:
        try:
            return reader(self._body(call, pairs))
        except Garbled as error:
            raise BrokerTemporary(BrokerName.UPBIT, f"unreadable answer to {call[1]}: {error}") from error

    def _body(self, call: Call, pairs: Pairs = ()) -> Any:
        answer = self._client.question(call, pairs)
        if isinstance(answer, Refusal):
            raise BrokerTemporary(BrokerName.UPBIT, f"{call[1]} was refused", code=answer.name)
        return answer.body

    def _judge_cancel(self, ref: OrderRef, refusal: Refusal) -> NoReturn:
        """How Upbit calls a cancel of an ended order is not documented, so the order itself is read."""
        try:
            found = self._journal.find("uuid", ref.number)
        except BrokerTemporary as error:
            raise OrderUnknown(
                BrokerName.UPBIT, "the cancel was refused and the order not read", code=refusal.name
            ) from error
        if found is None:
            raise OrderRejected(BrokerName.UPBIT, "no such order", reason=Rejection.OTHER, code=refusal.name)
        if found.final:
            raise OrderRejected(BrokerName.UPBIT, "the order has ended", reason=Rejection.FINISHED, code=refusal.name)
        raise OrderUnknown(BrokerName.UPBIT, "the cancel was refused", code=refusal.name, likely_refused=True)


def order_pairs(ticket: OrderTicket) -> Pairs:
    """The fields of an order, in the order in which they are signed and sent.

    Raises
    ------
    OrderRejected
        Upbit has no such order; nothing is sent.

    >>> order_pairs(OrderTicket(client_order_id="a-1", symbol="KRW-BTC", side=Side.BUY, kind=PriceKind.MARKET,
    ...                         quantity=None, money_krw=Decimal("10000")))
    [('market', 'KRW-BTC'), ('side', 'bid'), ('price', '10000'), ('ord_type', 'price'), ('identifier', 'a-1')]
    """
    if not ticket.symbol.startswith(WON_PREFIX):
        _reject(Rejection.SYMBOL, f"only markets in won, found {ticket.symbol}")
    by_money = ticket.kind is PriceKind.MARKET and ticket.side is Side.BUY
    if by_money and ticket.money_krw is None:
        _reject(Rejection.KIND, "a purchase at the market names an amount of won, not a quantity")
    for amount in (ticket.quantity, ticket.money_krw):
        if amount is not None and amount % QUANTITY_STEP:
            _reject(Rejection.SIZE, f"at most eight decimals, found {amount}")
    order_type, time_in_force = ORDER_KINDS[ticket.kind, ticket.validity, ticket.side]
    price = ticket.money_krw if by_money else ticket.limit_price_krw
    fields = [
        ("market", ticket.symbol),
        ("side", _SIDES[ticket.side]),
        ("volume", _plain(ticket.quantity)),
        ("price", _plain(price)),
        ("ord_type", order_type),
        ("time_in_force", time_in_force),
        ("identifier", ticket.client_order_id),
    ]
    return [(key, value) for key, value in fields if value is not None]


def _plain(amount: Decimal | None) -> str | None:
    """A number without exponent and without zeros at its end.

    >>> _plain(Decimal("1E+3")), _plain(Decimal("0.00100000"))
    ('1000', '0.001')
    """
    return None if amount is None else f"{amount.normalize():f}"


def _rows(body: Any) -> list[dict[str, Any]]:
    if not isinstance(body, list) or not all(isinstance(row, dict) for row in body):
        raise Garbled("a list")
    return body


def _refuse(refusal: Refusal) -> NoReturn:
    reason = REJECTIONS.get(refusal.name)
    if reason is None:
        # A name that is new, an id that was used before, an exchange that sheds load: whether there is an order of
        # this id is what a look-up tells for certain.
        raise OrderUnknown(
            BrokerName.UPBIT,
            f"refused by HTTP {refusal.status}",
            code=refusal.name,
            likely_refused=refusal.name != "duplicated_identifier",
        )
    raise OrderRejected(BrokerName.UPBIT, refusal.message or "refused", reason=reason, code=refusal.name)


def _reject(reason: Rejection, message: str) -> NoReturn:
    raise OrderRejected(BrokerName.UPBIT, message, reason=reason)
