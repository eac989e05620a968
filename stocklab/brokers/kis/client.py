"""Requests to KIS: headers, pace, token, pages, and what an answer means for orders and for questions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlencode

import httpx

from stocklab.brokers.kis.auth import CONTENT_TYPE, KST, KisCredentials, KisTokens
from stocklab.brokers.kis.models import CODES, Meaning, Transaction, meaning, order_hours
from stocklab.brokers.pacing import Pacer
from stocklab.brokers.tokens import TokenStore
from stocklab.brokers.values import BrokerName, Rejection
from stocklab.brokers.wire import Answer, NoAnswer, Wire
from stocklab.errors import BrokerDenied, BrokerTemporary, OrderRejected, OrderUnknown, OrderUnsent

__all__ = ["KisClient"]

_NAME: Final = BrokerName.KIS
_TRIES: Final = 3
_PAUSES: Final = (1.0, 2.0)
_HOLD_SECONDS: Final = 1.1
_BUSY_SECONDS: Final = 3.0
_MOST_PAGES: Final = 500

# Refusals whose code is not in the table, by words of their text; they tell a person why and decide nothing.
_WORDS: Final = (
    (("취소할 수량", "취소 가능수량", "취소가능수량"), Rejection.FINISHED),
    (("호가단위", "상한가", "하한가", "가격제한"), Rejection.PRICE),
    (("거래정지", "매매정지", "매매불가"), Rejection.HALTED),
    (("장운영시간", "장종료", "장시작전", "영업일"), Rejection.CLOSED),
    (("주문가능금액",), Rejection.CASH),
)


class KisClient:
    """One app key at one environment. ``secret_words`` never appear in an error (the account's number);
    ``read_seconds`` of waiting for an answer in place of each call's own."""

    def __init__(
        self,
        *,
        base_url: str,
        credentials: KisCredentials,
        secret_words: tuple[str, ...],
        mock: bool,
        tokens: TokenStore,
        pacer: Pacer,
        clock: Callable[[], datetime],
        sleep: Callable[[float], object],
        transport: httpx.BaseTransport | None,
        observe: Callable[[str, float, Answer | None], None] | None,
        read_seconds: float | None,
    ) -> None:
        self._wire = Wire(base_url, transport=transport, observe=observe, clock=lambda: clock().timestamp())
        self._credentials = credentials
        self._secrets = (*secret_words, credentials.app_key, credentials.app_secret)
        self._mock = mock
        self._tokens = KisTokens(self._wire, credentials, mock=mock, store=tokens, clock=clock)
        self._pacer = pacer
        self._clock = clock
        self._bucket = f"kis:{'mock' if mock else 'live'}:{credentials.digest}"
        self._sleep = sleep
        self._read_seconds = read_seconds

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def order(self, call: Transaction, body: Mapping[str, str]) -> Answer:
        """Send an order or a cancel, once.

        Raises
        ------
        OrderRejected, OrderUnsent, OrderUnknown, BrokerDenied
            BrokerDenied only before sending.
        """
        try:
            token = self._tokens.get()
        except BrokerTemporary as error:
            raise OrderUnsent(_NAME, f"{call.name}: no access token ({error})", code=error.code) from error
        self._pacer.take(self._bucket)
        try:
            answer = self._ask(call, token, content=json.dumps(body).encode())
        except NoAnswer as failure:
            outcome = OrderUnknown if failure.sent else OrderUnsent
            raise outcome(_NAME, f"{call.name}: {failure.reason}") from failure
        code = answer.text("msg_cd")
        what = meaning(answer.status, answer.text("rt_cd"), code)
        if what is Meaning.DONE:
            self._tokens.worked()
            return answer
        if what is Meaning.REFUSED:
            self._tokens.worked()
            why = self._why(answer, code)
            raise OrderRejected(_NAME, self._said(call, answer) + self._hint(why), reason=why, code=code)
        self._note(what, token, code)
        # Codes that say "not processed" are believed as likely, which is not certain enough to send again.
        likely = what not in (Meaning.UNCLEAR, Meaning.GATEWAY)
        raise OrderUnknown(_NAME, self._said(call, answer), code=code, likely_refused=likely)

    def question(
        self, call: Transaction, params: Mapping[str, str], *, next_page: bool = False, refusable: bool = False
    ) -> Answer:
        """Ask, again if need be: three times, and once with a new token. ``refusable``: refusals are answers too.

        Raises
        ------
        BrokerTemporary, BrokerDenied
        """
        renewed = False
        tried = 0
        while True:
            token = self._tokens.get()
            self._pacer.take(self._bucket)
            what, answer, problem = self._heard(call, token, params, next_page=next_page)
            if answer is not None and (what is Meaning.DONE or (what is Meaning.REFUSED and refusable)):
                return answer
            if what is Meaning.REFUSED or (what is Meaning.TOKEN and renewed):
                raise problem
            if what is Meaning.TOKEN:
                renewed = True
                continue
            tried += 1
            if tried == _TRIES:
                raise problem
            if what in (Meaning.UNCLEAR, Meaning.GATEWAY):
                self._sleep(_PAUSES[tried - 1])

    def _heard(
        self, call: Transaction, token: str, params: Mapping[str, str], *, next_page: bool
    ) -> tuple[Meaning, Answer | None, BrokerTemporary]:
        """What one try came to, and what is to be said if it was the last one. Raises BrokerDenied."""
        try:
            answer = self._ask(call, token, params=params, next_page=next_page)
        except NoAnswer as failure:
            return Meaning.UNCLEAR, None, BrokerTemporary(_NAME, f"{call.name}: {failure.reason}")
        code = answer.text("msg_cd")
        what = meaning(answer.status, answer.text("rt_cd"), code)
        if what is Meaning.DENIED:
            raise BrokerDenied(_NAME, self._said(call, answer), code=code)
        if what in (Meaning.DONE, Meaning.REFUSED):
            self._tokens.worked()
        self._note(what, token, code, final=True)
        return what, answer, BrokerTemporary(_NAME, self._said(call, answer), code=code)

    def pages(self, call: Transaction, params: Mapping[str, str]) -> Iterator[Answer]:
        """Every page of a list, or an error.

        Raises
        ------
        BrokerTemporary, BrokerDenied
        """
        keys = ("", "")
        for page in range(_MOST_PAGES):
            asked = {**params, "CTX_AREA_FK100": keys[0], "CTX_AREA_NK100": keys[1]}
            answer = self.question(call, asked, next_page=page > 0)
            yield answer
            if answer.headers.get("tr_cont", "").strip() not in ("F", "M"):
                return
            following = (str(answer.body.get("ctx_area_fk100", "")), str(answer.body.get("ctx_area_nk100", "")))
            if following == keys:
                break
            keys = following
        raise BrokerTemporary(_NAME, f"{call.name}: the list does not end")

    def _ask(
        self,
        call: Transaction,
        token: str,
        *,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        next_page: bool = False,
    ) -> Answer:
        headers = {
            "content-type": CONTENT_TYPE,
            "authorization": f"Bearer {token}",
            "appkey": self._credentials.app_key,
            "appsecret": self._credentials.app_secret,
            "tr_id": call.id(mock=self._mock),
            "tr_cont": "N" if next_page else "",
            "custtype": "P",
        }
        return self._wire.ask(
            call.name,
            call.method,
            call.path,
            read_seconds=self._read_seconds or call.seconds,
            headers=headers,
            content=content,
            # The keys of pages are padded with blanks that must arrive.
            raw_query=urlencode(params, quote_via=quote) if params else "",
        )

    def _note(self, what: Meaning, token: str, code: str, *, final: bool = False) -> None:
        """Learn from an answer that was no success. ``final``: may say that a person must act."""
        if what is Meaning.TOKEN:
            try:
                self._tokens.refused(token, code)
            except BrokerDenied:
                if final:
                    raise
        elif what is Meaning.TOO_MANY:
            self._pacer.hold(self._bucket, _HOLD_SECONDS)
        elif what is Meaning.BUSY:
            self._pacer.hold(self._bucket, _BUSY_SECONDS)

    def _why(self, answer: Answer, code: str) -> Rejection:
        known = CODES.get(code)
        if known is not None:
            return known.why
        said = answer.text("msg1")
        return next((why for words, why in _WORDS if any(word in said for word in words)), Rejection.OTHER)

    def _hint(self, why: Rejection) -> str:
        if why is not Rejection.CLOSED:
            return ""
        hours = order_hours(self._clock().astimezone(KST).date())
        return f". Hint: orders are taken from {hours.first:%H:%M} to {hours.last:%H:%M} KST of a trading day"

    def _said(self, call: Transaction, answer: Answer) -> str:
        """What KIS said, short, and without what nobody else may read."""
        said = answer.text("msg1") or answer.text("error_description")
        for secret in self._secrets:
            said = said.replace(secret, "***")
        return f"{call.name}: HTTP {answer.status} {said[:160]}".rstrip()
