"""One KIS account: orders, journal, holdings, cash and quotes over REST."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

import httpx

from stocklab.brokers.kis import models, parse
from stocklab.brokers.kis.auth import KST, KisAccount, KisCredentials
from stocklab.brokers.kis.client import KisClient
from stocklab.brokers.kis.journal import fold
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
    Quote,
    Receipt,
    Rejection,
    Side,
)
from stocklab.brokers.wire import Answer
from stocklab.errors import BrokerTemporary, InputError, OrderRejected, OrderUnknown

__all__ = ["KisBroker", "kis_traits"]

_NAME: Final = BrokerName.KIS
_FEW: Final = 3
"""Up to so many prices are asked for one by one, which also tells what is halted."""


def kis_traits(*, mock: bool) -> BrokerTraits:
    """What KIS can do. It takes no order id of ours: an order in doubt is found by comparing the journal."""
    return BrokerTraits(
        name=_NAME,
        mock=mock,
        knows_client_ids=False,
        day_ends=True,
        coins=False,
        buys_by_money=False,
        rests_stops=False,
        lookup_after=tuple(timedelta(seconds=seconds) for seconds in (2, 5, 10, 20, 40)),
        absent_after=timedelta(seconds=60),
    )


class KisBroker:
    """See `Broker`."""

    def __init__(
        self,
        *,
        base_url: str,
        credentials: KisCredentials,
        account: KisAccount,
        mock: bool,
        tokens: TokenStore,
        pacer: Pacer,
        clock: Callable[[], datetime],
        sleep: Callable[[float], object] = time.sleep,
        transport: httpx.BaseTransport | None = None,
        observe: Callable[[str, float, Answer | None], None] | None = None,
        read_seconds: float | None = None,
    ) -> None:
        self.traits = kis_traits(mock=mock)
        self._account = account
        self._mock = mock
        self._clock = clock
        self._client = KisClient(
            base_url=base_url,
            credentials=credentials,
            secret_words=(account.cano,),
            mock=mock,
            tokens=tokens,
            pacer=pacer,
            clock=clock,
            sleep=sleep,
            transport=transport,
            observe=observe,
            read_seconds=read_seconds,
        )

    def check(self) -> str:
        """See `Broker.check`."""
        self._orderable()
        return self._account.masked

    def send(self, ticket: OrderTicket) -> Receipt:
        """See `Broker.send`."""
        body = self._body(ticket)
        buys = ticket.side is Side.BUY
        answer = self._client.order(models.BUY if buys else models.SELL, body)
        receipt = parse.receipt(answer, self._clock())
        if receipt is None:
            raise OrderUnknown(_NAME, "taken, but the answer names no order", code=answer.text("msg_cd"))
        return receipt

    def cancel(self, ref: OrderRef, *, symbol: str, side: Side) -> None:
        """See `Broker.cancel`. KIS takes a repeated cancel without harm: it names its order."""
        if ref.day != self._today():
            # Numbers begin again each day: this one may be another order now.
            raise OrderRejected(
                _NAME, f"order of {ref.day} cannot be cancelled later, it ended with its day", reason=Rejection.FINISHED
            )
        self._client.order(
            models.CANCEL,
            {
                **self._whose(),
                "KRX_FWDG_ORD_ORGNO": ref.branch,
                "ORGN_ODNO": ref.number,
                "ORD_DVSN": "00",
                "RVSE_CNCL_DVSN_CD": "02",
                "ORD_QTY": "0",
                "ORD_UNPR": "0",
                "QTY_ALL_ORD_YN": "Y",
                "EXCG_ID_DVSN_CD": "KRX",
            },
        )

    def day_orders(self, day: date) -> Sequence[BrokerOrder]:
        """See `Broker.day_orders`."""
        today = self._today()
        call = models.JOURNAL if day >= _months_before(today, models.JOURNAL_MONTHS) else models.OLD_JOURNAL
        params = {
            **self._whose(),
            "INQR_STRT_DT": parse.day_text(day),
            "INQR_END_DT": parse.day_text(day),
            "SLL_BUY_DVSN_CD": "00",
            "PDNO": "",
            "ORD_GNO_BRNO": "",
            "ODNO": "",
            "CCLD_DVSN": "00",
            # Oldest first: what is placed between two pages comes at the end and pushes nothing over to a page that
            # was read already.
            "INQR_DVSN": "01",
            "INQR_DVSN_1": "",
            "INQR_DVSN_3": "00",
            # A person may trade on other venues too. Mock knows KRX alone.
            "EXCG_ID_DVSN_CD": "KRX" if self._mock else "ALL",
        }
        found = [
            parse.journal_row(row) for page in self._client.pages(call, params) for row in parse.rows(page, "output1")
        ]
        return fold(found, today=today)

    def find(self, client_order_id: str) -> BrokerOrder | None:
        """KIS knows no order ids of ours.

        Raises
        ------
        InputError
        """
        raise InputError(f"kis: orders cannot be found by our id {client_order_id!r}. Hint: compare day_orders.")

    def holdings(self) -> Sequence[BrokerHolding]:
        """See `Broker.holdings`."""
        return parse.holdings(row for page in self._balance() for row in parse.rows(page, "output1"))

    def cash(self) -> BrokerCash:
        """See `Broker.cash`. What is orderable leaves debt (미수) out."""
        orderable = parse.amount(self._orderable(), "nrcvb_buy_amt")
        for page in self._balance():
            for row in parse.rows(page, "output2"):
                # The deposit after all purchases and sales so far have settled, in spite of its name ("provisional").
                return BrokerCash(total_krw=parse.amount(row, "prvs_rcdl_excc_amt"), orderable_krw=orderable)
        raise BrokerTemporary(_NAME, "balance: no sums of the account")

    def quotes(self, symbols: Iterable[str]) -> Mapping[str, Quote]:
        """See `Broker.quotes`. More than three at the live host come by thirties; nothing then says what is halted."""
        wanted = sorted(set(symbols))
        if self._mock or len(wanted) <= _FEW:
            found = {symbol: self._quote(symbol) for symbol in wanted}
            return {symbol: quote for symbol, quote in found.items() if quote is not None}
        several: dict[str, Quote] = {}
        for first in range(0, len(wanted), models.PRICES_AT_ONCE):
            several |= self._several(wanted[first : first + models.PRICES_AT_ONCE])
        return {symbol: several[symbol] for symbol in wanted if symbol in several}

    def close(self) -> None:
        """See `Broker.close`."""
        self._client.close()

    def _today(self) -> date:
        return self._clock().astimezone(KST).date()

    def _whose(self) -> dict[str, str]:
        return {"CANO": self._account.cano, "ACNT_PRDT_CD": self._account.product}

    def _body(self, ticket: OrderTicket) -> dict[str, str]:
        kind = models.order_kind(ticket.kind, ticket.validity, mock=self._mock)
        if kind is None or ticket.money_krw is not None:
            raise OrderRejected(_NAME, f"{ticket.kind} {ticket.validity} is not offered", reason=Rejection.KIND)
        return {
            **self._whose(),
            "PDNO": ticket.symbol,
            "ORD_DVSN": kind.code,
            "ORD_QTY": _whole(ticket.quantity, 10, "quantity", Rejection.SIZE),
            "ORD_UNPR": _whole(ticket.limit_price_krw or Decimal(0), 19, "price", Rejection.PRICE),
            "EXCG_ID_DVSN_CD": "KRX",
            "SLL_TYPE": "" if ticket.side is Side.BUY else "01",
            "CNDT_PRIC": "",
        }

    def _balance(self) -> Iterator[Answer]:
        return self._client.pages(
            models.BALANCE,
            {
                **self._whose(),
                "AFHR_FLPR_YN": "N",
                "OFL_YN": "",
                "INQR_DVSN": "01",  # 02, by stock, is refused since 2026-02-10
                "UNPR_DVSN": "01",
                "FUND_STTL_ICLD_YN": "N",
                "FNCG_AMT_AUTO_RDPT_YN": "N",
                "PRCS_DVSN": "00",
            },
        )

    def _orderable(self) -> parse.Row:
        """Without a stock and a price, KIS tells the amounts alone."""
        answer = self._client.question(
            models.ORDERABLE,
            {
                **self._whose(),
                "PDNO": "",
                "ORD_UNPR": "",
                "ORD_DVSN": "01",
                "CMA_EVLU_AMT_ICLD_YN": "N",
                "OVRS_ICLD_YN": "N",
            },
        )
        found = parse.rows(answer, "output")
        if not found:
            raise BrokerTemporary(_NAME, "orderable: no amounts")
        return found[0]

    def _quote(self, symbol: str) -> Quote | None:
        params = {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": symbol}
        answer = self._client.question(models.PRICE, params, refusable=True)
        # An unknown code comes as a refusal or with zeros; which of them is not sure.
        if answer.text("rt_cd") != "0":
            return None
        found = parse.rows(answer, "output")
        return parse.price(symbol, found[0], self._clock()) if found else None

    def _several(self, symbols: Sequence[str]) -> dict[str, Quote]:
        params: dict[str, str] = {}
        for place, symbol in enumerate(symbols, start=1):
            params[f"FID_COND_MRKT_DIV_CODE_{place}"] = "J"
            params[f"FID_INPUT_ISCD_{place}"] = symbol
        return parse.several_prices(parse.rows(self._client.question(models.PRICES, params), "output"), self._clock())


def _whole(value: Decimal | None, digits: int, name: str, why: Rejection) -> str:
    """A whole number as KIS wants it. Raises OrderRejected before anything is sent."""
    if value is None or value != value.to_integral_value() or len(text := f"{value:.0f}") > digits:
        raise OrderRejected(_NAME, f"{name}: expected a whole number, found {value}", reason=why)
    return text


def _months_before(day: date, months: int) -> date:
    """The same day some months earlier, or the last one that month has.

    >>> _months_before(date(2026, 5, 31), 3)
    datetime.date(2026, 2, 28)
    """
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    first = date(year, month + 1, 1)
    following = (first + timedelta(days=32)).replace(day=1)
    return first.replace(day=min(day.day, (following - timedelta(days=1)).day))
