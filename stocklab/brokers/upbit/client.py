"""Requests to Upbit: signed, paced, and their failures sorted by what may follow."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import httpx

from stocklab.brokers.pacing import Pacer
from stocklab.brokers.upbit.auth import Pairs, UpbitCredentials, bearer, encoded_query
from stocklab.brokers.upbit.models import DENIED, NONCE_USED, Call, Group, ban_seconds
from stocklab.brokers.upbit.parse import error_of
from stocklab.brokers.values import BrokerName
from stocklab.brokers.wire import Answer, NoAnswer, Wire
from stocklab.errors import BrokerDenied, BrokerTemporary, OrderUnknown, OrderUnsent

__all__ = ["Refusal", "UpbitClient"]

READ_SECONDS: Final = 10.0
TRIES: Final = 3
_PAUSES: Final = (0.5, 1.0)
_TOO_MANY: Final = 429
_BLOCKED: Final = 418
_UNAUTHORIZED: Final = 401
_SECOND: Final = re.compile(r"\bsec=(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An error that came as JSON: what a caller has to judge."""

    status: int
    name: str
    message: str


class UpbitClient:
    """Signs and sends. Not safe from several threads.

    Buckets are ``upbit:<group>:<pocket>``, those of quotations ``upbit:ticker:``. Keys of one pocket share its limits,
    so whoever has several gives them the same ``pocket``.
    """

    def __init__(
        self,
        *,
        base_url: str,
        credentials: UpbitCredentials,
        pocket: str,
        pacer: Pacer,
        clock: Callable[[], datetime],
        sleep: Callable[[float], object],
        nonce: Callable[[], str],
        transport: httpx.BaseTransport | None,
        observe: Callable[[str, float, Answer | None], None] | None,
    ) -> None:
        self._credentials = credentials
        self._pocket = pocket
        self._pacer = pacer
        self._clock = clock
        self._sleep = sleep
        self._nonce = nonce
        self._blocked: dict[bool, datetime] = {}  # by whether quotations are meant: those are counted by address
        self._wire = Wire(base_url, transport=transport, observe=observe, clock=lambda: clock().timestamp())

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def question(self, call: Call, pairs: Pairs = ()) -> Answer | Refusal:
        """Ask, again where that may help: a bounded number of times.

        Returns
        -------
        Answer or Refusal
            A refusal is an error of the question itself (4xx), not of keys, pace or service.

        Raises
        ------
        BrokerTemporary
            No usable answer, or requests are blocked for now.
        BrokerDenied
        """
        reason = ""
        for attempt in range(TRIES):
            until = self._blocked_until(call)
            if until is not None:
                raise BrokerTemporary(BrokerName.UPBIT, f"blocked for too many requests until {until:%H:%M:%S}")
            try:
                answer = self._once(call, pairs)
            except NoAnswer as failure:
                reason = self._held(call, failure.status, failure.text) or failure.reason
                if failure.status not in {_TOO_MANY, _BLOCKED} and attempt < len(_PAUSES):
                    self._sleep(_PAUSES[attempt])
                continue
            if answer.status < 300:
                return answer
            refusal = _refusal(answer)
            reason = f"{refusal.name} (HTTP {answer.status})"
            if self._held(call, answer.status, refusal.message) or refusal.name == NONCE_USED:
                continue
            if refusal.name in DENIED or answer.status == _UNAUTHORIZED:
                raise BrokerDenied(BrokerName.UPBIT, "keys, address or rights are refused", code=refusal.name)
            if answer.status < 500:
                return refusal
            if attempt < len(_PAUSES):
                self._sleep(_PAUSES[attempt])
        raise BrokerTemporary(BrokerName.UPBIT, f"no usable answer to {call[1]} in {TRIES} tries: {reason}")

    def command(self, call: Call, pairs: Pairs) -> Answer | Refusal:
        """Ask for a change, once. POST sends the pairs as a JSON body, DELETE as a query.

        Returns
        -------
        Answer or Refusal
            A refusal names a reason that concerns this request.

        Raises
        ------
        OrderUnsent
        OrderUnknown
            ``likely_refused`` where it was turned away before the exchange looked at it.
        """
        until = self._blocked_until(call)
        if until is not None:
            raise OrderUnsent(BrokerName.UPBIT, f"blocked for too many requests until {until:%H:%M:%S}")
        try:
            answer = self._once(call, pairs)
        except NoAnswer as failure:
            if not failure.sent:
                raise OrderUnsent(BrokerName.UPBIT, failure.reason) from failure
            turned_away = self._held(call, failure.status, failure.text)
            raise OrderUnknown(
                BrokerName.UPBIT, turned_away or failure.reason, likely_refused=bool(turned_away)
            ) from failure
        if answer.status < 300:
            return answer
        refusal = _refusal(answer)
        turned_away = self._held(call, answer.status, refusal.message)
        if turned_away or answer.status == _UNAUTHORIZED or refusal.name in DENIED or refusal.name == NONCE_USED:
            raise OrderUnknown(
                BrokerName.UPBIT, turned_away or f"HTTP {answer.status}", code=refusal.name, likely_refused=True
            )
        if not 400 <= answer.status < 500:
            raise OrderUnknown(BrokerName.UPBIT, f"HTTP {answer.status}", code=refusal.name)
        return refusal

    def _once(self, call: Call, pairs: Pairs) -> Answer:
        method, path, group = call
        bucket = self._bucket(call)
        self._pacer.take(bucket)
        headers: dict[str, str] = {}
        if group is not Group.TICKER:
            headers["Authorization"] = bearer(self._credentials, pairs, self._nonce())
        content = None
        if method == "POST":
            headers["Content-Type"] = "application/json; charset=utf-8"
            content = json.dumps(dict(pairs), separators=(",", ":"), ensure_ascii=False).encode()
        answer = self._wire.ask(
            path,
            method,
            path,
            read_seconds=READ_SECONDS,
            headers=headers,
            content=content,
            raw_query="" if method == "POST" else encoded_query(pairs),
        )
        self._heed(bucket, answer.headers)
        return answer

    def _heed(self, bucket: str, headers: Mapping[str, str]) -> None:
        """Other keys of the pocket draw on the same second: where nothing is left in it, the next one is waited for."""
        left = _SECOND.search(headers.get("remaining-req", ""))
        if left is not None and int(left[1]) == 0:
            self._pacer.hold(bucket, 1.0)

    def _held(self, call: Call, status: int | None, text: str) -> str:
        """What "too many" means for the next requests; empty where it was something else."""
        if status == _TOO_MANY:
            self._pacer.hold(self._bucket(call), 1.0)
            return "too many requests"
        if status == _BLOCKED:
            until = self._clock() + timedelta(seconds=ban_seconds(text))
            self._blocked[call[2] is Group.TICKER] = until
            return f"blocked for too many requests until {until:%H:%M:%S}"
        return ""

    def _blocked_until(self, call: Call) -> datetime | None:
        until = self._blocked.get(call[2] is Group.TICKER)
        return until if until is not None and self._clock() < until else None

    def _bucket(self, call: Call) -> str:
        group = call[2]
        return f"{BrokerName.UPBIT}:{group}:{'' if group is Group.TICKER else self._pocket}"


def _refusal(answer: Answer) -> Refusal:
    name, message = error_of(answer.body)
    return Refusal(status=answer.status, name=name, message=message)
