"""Requests to Kiwoom: headers, pace, token, pages, and what each kind of answer means."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import httpx

from stocklab.brokers.kiwoom.auth import KiwoomAuth, KiwoomKeys, return_code_of
from stocklab.brokers.kiwoom.models import (
    PATHS,
    REFUSALS,
    Meaning,
    account_bucket,
    meaning_of,
    tr_bucket,
)
from stocklab.brokers.kiwoom.parse import inner_code
from stocklab.brokers.pacing import Pacer
from stocklab.brokers.tokens import TokenStore
from stocklab.brokers.values import BrokerName, Rejection
from stocklab.brokers.wire import Answer, NoAnswer, Wire
from stocklab.errors import BrokerDenied, BrokerTemporary, OrderRejected, OrderUnknown, OrderUnsent

__all__ = ["KiwoomClient", "RefusedQuestion"]

_TRIES: Final = 3
_PAUSE_SECONDS: Final = 0.5
_HOLD_SECONDS: Final = 1.0
_MOST_PAGES: Final = 500


class RefusedQuestion(Exception):
    """A question was refused for good, as one about a symbol that does not exist."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class KiwoomClient:
    """One app key at one server."""

    def __init__(
        self,
        base_url: str,
        keys: KiwoomKeys,
        *,
        mock: bool,
        tokens: TokenStore,
        pacer: Pacer,
        clock: Callable[[], datetime],
        sleep: Callable[[float], object],
        query_seconds: float,
        order_seconds: float,
        transport: httpx.BaseTransport | None = None,
        observe: Callable[[str, float, Answer | None], None] | None = None,
    ) -> None:
        self._wire = Wire(base_url, transport=transport, observe=observe, clock=lambda: clock().timestamp())
        self._auth = KiwoomAuth(self._wire, keys, mock=mock, tokens=tokens, pacer=pacer, clock=clock)
        self._mock = mock
        self._pacer = pacer
        self._sleep = sleep
        self._query_seconds = query_seconds
        self._order_seconds = order_seconds

    def question(self, api_id: str, body: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
        """Bodies of all pages of an answer; none where Kiwoom says "no rows" as an error.

        Raises
        ------
        BrokerTemporary, BrokerDenied, RefusedQuestion
        """
        pages: list[Mapping[str, Any]] = []
        seen: set[str] = set()
        next_key = ""
        for _ in range(_MOST_PAGES):
            answer = self._page(api_id, body, next_key)
            if answer is None:
                return pages
            pages.append(answer.body)
            if answer.headers.get("cont-yn", "").strip().upper() != "Y":
                return pages
            next_key = answer.headers.get("next-key", "").strip()
            if not next_key or next_key in seen:
                break
            seen.add(next_key)
        raise BrokerTemporary(BrokerName.KIWOOM, f"{api_id}: its pages have no end")

    def order(self, api_id: str, body: Mapping[str, str]) -> str:
        """Send an order or a request to cancel one, once; its number.

        Raises
        ------
        OrderUnsent, OrderRejected, OrderUnknown
        BrokerDenied
            No token can be had: nothing was sent.
        """
        try:
            token = self._auth.token()
        except BrokerTemporary as error:
            raise OrderUnsent(BrokerName.KIWOOM, f"no token to send with: {error}", code=error.code) from error
        try:
            answer = self._ask(api_id, body, token, "", self._order_seconds)
        except NoAnswer as error:
            if not error.sent:
                raise OrderUnsent(BrokerName.KIWOOM, error.reason) from error
            raise OrderUnknown(BrokerName.KIWOOM, error.reason, likely_refused=error.status == 429) from error
        return self._number(api_id, answer, token)

    def close(self) -> None:
        """Close the connections; the token stays valid."""
        self._wire.close()

    def _number(self, api_id: str, answer: Answer, token: str) -> str:
        code, number = return_code_of(answer), answer.text("ord_no")
        if answer.status == 200 and code == 0 and number.strip("0"):
            return number
        inner = inner_code(answer.text("return_msg"))
        meaning = meaning_of(answer.status, code or 0, inner)
        if meaning is Meaning.REFUSED and code and not number:
            raise OrderRejected(
                BrokerName.KIWOOM, "order refused", reason=REFUSALS.get(inner, Rejection.OTHER), code=inner
            )
        if meaning is Meaning.TOKEN:
            self._auth.refused(token)
        if meaning is Meaning.TOO_MANY:
            self._hold(api_id)
        # Whatever sounds like "not processed" is an inference from its wording, so the journal has the last word.
        refused = not number and meaning in (Meaning.TOKEN, Meaning.TOO_MANY, Meaning.BUG, Meaning.DENIED)
        raise OrderUnknown(
            BrokerName.KIWOOM, f"HTTP {answer.status} without a number", code=inner, likely_refused=refused
        )

    def _page(self, api_id: str, body: Mapping[str, str], next_key: str) -> Answer | None:
        """One page, with the few repeats that a question may have; None for "no rows"."""
        last, inner, issued_again = "", "", False
        tries = 0
        while tries < _TRIES:
            token = self._auth.token()
            try:
                answer = self._ask(api_id, body, token, next_key, self._query_seconds)
            except NoAnswer as error:
                last, inner, tries = error.reason, "", tries + 1
                if tries < _TRIES:
                    self._sleep(_PAUSE_SECONDS * tries)
                continue
            code = return_code_of(answer)
            if answer.status == 200 and code == 0:
                return answer
            inner = inner_code(answer.text("return_msg"))
            meaning = meaning_of(answer.status, code or 0, inner)
            last = f"HTTP {answer.status}"
            if meaning is Meaning.EMPTY:
                return None
            if meaning is Meaning.TOKEN:
                self._auth.refused(token)
                if issued_again:
                    break
                issued_again = True
                continue
            self._stop_where_final(api_id, meaning, inner)
            tries += 1
            if meaning is Meaning.TOO_MANY:
                self._hold(api_id)
            elif tries < _TRIES:
                self._sleep(_PAUSE_SECONDS * tries)
        raise BrokerTemporary(BrokerName.KIWOOM, f"{api_id}: no usable answer, last {last}", code=inner)

    @staticmethod
    def _stop_where_final(api_id: str, meaning: Meaning, inner: str) -> None:
        if meaning is Meaning.DENIED:
            raise BrokerDenied(BrokerName.KIWOOM, "the keys, this address or this server are refused", code=inner)
        if meaning is Meaning.BUG:
            raise BrokerDenied(
                BrokerName.KIWOOM, f"{api_id} is not answered in this form. Hint: a newer version may know", code=inner
            )
        if meaning is Meaning.REFUSED:
            raise RefusedQuestion(inner)

    def _hold(self, api_id: str) -> None:
        self._pacer.hold(tr_bucket(self._auth.key_id, api_id, mock=self._mock), _HOLD_SECONDS)

    def _ask(self, api_id: str, body: Mapping[str, str], token: str, next_key: str, read_seconds: float) -> Answer:
        key_id = self._auth.key_id
        self._pacer.take(account_bucket(key_id, mock=self._mock), tr_bucket(key_id, api_id, mock=self._mock))
        headers = {
            "Content-Type": "application/json;charset=UTF-8",
            "api-id": api_id,
            "authorization": f"Bearer {token}",
        }
        if next_key:
            headers |= {"cont-yn": "Y", "next-key": next_key}
        return self._wire.ask(
            api_id,
            "POST",
            PATHS[api_id],
            read_seconds=read_seconds,
            headers=headers,
            content=json.dumps(body, ensure_ascii=False).encode(),
        )
