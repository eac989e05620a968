"""An account at Kiwoom over REST."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

import httpx

from stocklab.brokers.kiwoom import parse
from stocklab.brokers.kiwoom.auth import KiwoomKeys
from stocklab.brokers.kiwoom.client import KiwoomClient, RefusedQuestion
from stocklab.brokers.kiwoom.folding import fold
from stocklab.brokers.kiwoom.models import (
    CLOSE_SETTLED,
    CODES_PER_QUESTION,
    KST,
    ORDER_TRS,
    REFUSALS,
    Leg,
    order_kind,
)
from stocklab.brokers.pacing import Pacer
from stocklab.brokers.tokens import TokenStore
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
    Receipt,
    Rejection,
    Side,
)
from stocklab.brokers.wire import Answer
from stocklab.errors import BrokerDenied, BrokerTemporary, InputError, OrderRejected

__all__ = ["KiwoomBroker"]

_Row = TypeVar("_Row")
_SECONDS: Final = (2, 5, 10, 20)
_ABSENT_SECONDS: Final = 60  # a rule of thumb: how late an order may appear is not documented


class KiwoomBroker:
    """One account, live or mock; see `stocklab.brokers.protocol.Broker`.

    Parameters
    ----------
    account
        Its number of 10 digits, where known: `check` refuses another one. Requests never carry it.
    pacer
        Knows `stocklab.brokers.kiwoom.models.RATES`.
    clock
        Gives aware moments.
    """

    def __init__(
        self,
        *,
        base_url: str,
        keys: KiwoomKeys,
        mock: bool,
        tokens: TokenStore,
        pacer: Pacer,
        clock: Callable[[], datetime],
        sleep: Callable[[float], object],
        account: str = "",
        transport: httpx.BaseTransport | None = None,
        observe: Callable[[str, float, Answer | None], None] | None = None,
        query_seconds: float = 10.0,
        order_seconds: float = 15.0,
    ) -> None:
        self.traits = BrokerTraits(
            name=BrokerName.KIWOOM,
            mock=mock,
            knows_client_ids=False,
            day_ends=True,
            coins=False,
            buys_by_money=False,
            # Its stop kind (28) has no proof of how it rests in the journal, so stops are ours.
            rests_stops=False,
            lookup_after=tuple(timedelta(seconds=seconds) for seconds in _SECONDS),
            absent_after=timedelta(seconds=_ABSENT_SECONDS),
        )
        self._account = account
        self._clock = clock
        self._client = KiwoomClient(
            base_url,
            keys,
            mock=mock,
            tokens=tokens,
            pacer=pacer,
            clock=clock,
            sleep=sleep,
            query_seconds=query_seconds,
            order_seconds=order_seconds,
            transport=transport,
            observe=observe,
        )
        # What a cancel must name where a person changed the order by hand, from the last reading of the journal.
        self._latest: dict[OrderRef, tuple[str, str]] = {}

    def check(self) -> str:
        """See `Broker.check`."""
        pages = self._asked("ka00001", {})
        number = pages[0].get("acctNo") if pages else None
        if not isinstance(number, str) or len(number.strip()) < 4:
            raise BrokerTemporary(BrokerName.KIWOOM, "an answer without the account's number")
        number = number.strip()
        if self._account and number != self._account.replace("-", "").strip():
            raise BrokerDenied(
                BrokerName.KIWOOM, f"the keys belong to another account than the one given, {_masked(number)}"
            )
        return _masked(number)

    def send(self, ticket: OrderTicket) -> Receipt:
        """See `Broker.send`. BrokerDenied: no token can be had, and nothing was sent."""
        day = self._today()
        body = self._order_body(ticket, day)
        number = self._client.order(ORDER_TRS[ticket.side], body)
        return Receipt(ref=OrderRef(day, number), accepted_at=self._clock())

    def cancel(self, ref: OrderRef, *, symbol: str, side: Side) -> None:
        """See `Broker.cancel`."""
        if ref.day != self._today():
            # Numbers begin again every day: it would end an order of today.
            raise OrderRejected(BrokerName.KIWOOM, "an order of another day is over", reason=Rejection.FINISHED)
        number, venue = self._latest.get(ref, (ref.number, "KRX"))
        self._client.order("kt10003", {"dmst_stex_tp": venue, "orig_ord_no": number, "stk_cd": symbol, "cncl_qty": "0"})

    def day_orders(self, day: date) -> Sequence[BrokerOrder]:
        """See `Broker.day_orders`. Days before today have the journal alone, so their amounts come from averages."""
        journal = self._rows(
            "kt00007",
            {
                "ord_dt": f"{day:%Y%m%d}",
                "qry_tp": "1",
                "stk_bond_tp": "0",
                "sell_tp": "0",
                "stk_cd": "",
                "fr_ord_no": "",
                "dmst_stex_tp": "%",
            },
            "acnt_ord_cntr_prps_dtl",
            parse.journal_leg,
        )
        today = day == self._today()
        # This order of reading matters: see `fold`.
        still_open = self._open() if today else []
        fills = self._fills() if today else []
        folded = fold(day, journal, still_open, fills, only_open_rest=not today or self._after_close())
        if today:
            self._latest = {OrderRef(day, root): latest for root, latest in folded.latest.items()}
        return folded.orders

    def find(self, client_order_id: str) -> BrokerOrder | None:
        """Raises InputError: Kiwoom keeps no id of ours (``traits.knows_client_ids`` is False)."""
        raise InputError("Kiwoom knows no order ids of ours. Hint: look in day_orders.")

    def holdings(self) -> Sequence[BrokerHolding]:
        """See `Broker.holdings`."""
        rows = self._rows(
            "kt00018", {"qry_tp": "1", "dmst_stex_tp": "KRX"}, "acnt_evlt_remn_indv_tot", parse.holding_of
        )
        return sorted((row for row in rows if row is not None), key=lambda holding: holding.symbol)

    def cash(self) -> BrokerCash:
        """See `Broker.cash`."""
        pages = self._asked("kt00001", {"qry_tp": "3"})
        try:
            return parse.cash_of(pages[0] if pages else {})
        except parse.Unreadable as error:
            raise BrokerTemporary(BrokerName.KIWOOM, f"kt00001 cannot be read: {error}") from error

    def quotes(self, symbols: Iterable[str]) -> Mapping[str, Quote]:
        """See `Broker.quotes`. ``halted`` is never set: this answer does not say it."""
        wanted = sorted(set(symbols))
        found: dict[str, Quote] = {}
        for start in range(0, len(wanted), CODES_PER_QUESTION):
            found |= self._quotes(wanted[start : start + CODES_PER_QUESTION])
        return {symbol: found[symbol] for symbol in wanted if symbol in found}

    def close(self) -> None:
        """See `Broker.close`."""
        self._client.close()

    def _order_body(self, ticket: OrderTicket, day: date) -> dict[str, str]:
        kind = order_kind(ticket.kind, ticket.validity, day, mock=self.traits.mock)
        quantity, limit = ticket.quantity, ticket.limit_price_krw
        if kind is None or quantity is None:
            raise OrderRejected(BrokerName.KIWOOM, "this kind of order is not offered", reason=Rejection.KIND)
        if quantity != quantity.to_integral_value():
            raise OrderRejected(BrokerName.KIWOOM, "expected whole shares", reason=Rejection.SIZE)
        if limit is not None and limit != limit.to_integral_value():
            raise OrderRejected(BrokerName.KIWOOM, "expected a price in whole won", reason=Rejection.PRICE)
        if len(ticket.symbol) != 6 or not ticket.symbol.isascii() or not ticket.symbol.isalnum():
            raise OrderRejected(BrokerName.KIWOOM, "expected a code of 6 characters", reason=Rejection.SYMBOL)
        return {
            "dmst_stex_tp": "KRX",
            "stk_cd": ticket.symbol,
            "ord_qty": _plain(quantity),
            "ord_uv": _plain(limit) if ticket.kind is PriceKind.LIMIT and limit is not None else "",
            "trde_tp": kind,
            "cond_uv": "",
        }

    def _open(self) -> list[Leg]:
        return self._rows(
            "ka10075", {"all_stk_tp": "0", "trde_tp": "0", "stk_cd": "", "stex_tp": "0"}, "oso", parse.open_leg
        )

    def _fills(self) -> list[Leg]:
        return self._rows(
            "ka10076",
            {"stk_cd": "", "qry_tp": "0", "sell_tp": "0", "ord_no": "", "stex_tp": "0"},
            "cntr",
            parse.fill_leg,
        )

    def _quotes(self, symbols: Sequence[str]) -> dict[str, Quote]:
        """Whether one unknown code spoils the answer is not documented: then halves are asked, down to that code."""
        try:
            pages = self._client.question("ka10095", {"stk_cd": "|".join(symbols)})
        except RefusedQuestion as error:
            if REFUSALS.get(error.code) is not Rejection.SYMBOL:
                raise BrokerTemporary(BrokerName.KIWOOM, "ka10095 was refused", code=error.code) from error
            if len(symbols) == 1:
                return {}
            middle = len(symbols) // 2
            return self._quotes(symbols[:middle]) | self._quotes(symbols[middle:])
        now = self._clock()
        quotes = self._parsed("ka10095", pages, "atn_stk_infr", lambda row: parse.quote_of(row, now))
        return {quote.symbol: quote for quote in quotes if quote is not None}

    def _rows(
        self, api_id: str, body: Mapping[str, str], key: str, read: Callable[[Mapping[str, Any]], _Row]
    ) -> list[_Row]:
        return self._parsed(api_id, self._asked(api_id, body), key, read)

    @staticmethod
    def _parsed(
        api_id: str, pages: Sequence[Mapping[str, Any]], key: str, read: Callable[[Mapping[str, Any]], _Row]
    ) -> list[_Row]:
        try:
            return [read(row) for page in pages for row in parse.rows_of(page, key)]
        except parse.Unreadable as error:
            raise BrokerTemporary(BrokerName.KIWOOM, f"{api_id} cannot be read: {error}") from error

    def _asked(self, api_id: str, body: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
        try:
            return self._client.question(api_id, body)
        except RefusedQuestion as error:
            raise BrokerTemporary(BrokerName.KIWOOM, f"{api_id} was refused", code=error.code) from error

    def _today(self) -> date:
        return self._clock().astimezone(KST).date()

    def _after_close(self) -> bool:
        now = self._clock().astimezone(KST)
        settled = next(at for since, at in reversed(CLOSE_SETTLED) if since <= now.date())
        return now.time() >= settled


def _plain(value: Decimal) -> str:
    return f"{int(value)}"


def _masked(number: str) -> str:
    return number[:2] + "*" * (len(number) - 4) + number[-2:]
