"""Kiwoom's keys and the access token: one for each app key, kept in a store, renewed ten minutes before its end."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from stocklab.brokers.kiwoom.models import ISSUE_GAP, KST, PATHS, TOKEN_MARGIN, Meaning, account_bucket, meaning_of
from stocklab.brokers.kiwoom.parse import Unreadable, inner_code, moment
from stocklab.brokers.pacing import Pacer
from stocklab.brokers.tokens import AccessToken, TokenStore
from stocklab.brokers.values import BrokerName
from stocklab.brokers.wire import Answer, NoAnswer, Wire
from stocklab.errors import BrokerDenied, BrokerTemporary

__all__ = ["KiwoomAuth", "KiwoomKeys", "return_code_of", "token_name"]

_READ_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KiwoomKeys:
    """Keys of one account at one of the two servers. The account itself is bound to them."""

    app_key: str = field(repr=False)
    secret_key: str = field(repr=False)


def return_code_of(answer: Answer) -> int | None:
    """``return_code`` of an answer; None where it is missing or no integer, which is never a success."""
    code = answer.body.get("return_code") if isinstance(answer.body, dict) else None
    return code if isinstance(code, int) and not isinstance(code, bool) else None


class KiwoomAuth:
    """Gives a usable token, and issues one no more often than `ISSUE_GAP`, also across processes."""

    def __init__(
        self,
        wire: Wire,
        keys: KiwoomKeys,
        *,
        mock: bool,
        tokens: TokenStore,
        pacer: Pacer,
        clock: Callable[[], datetime],
    ) -> None:
        self._wire = wire
        self._keys = keys
        self._mock = mock
        self._tokens = tokens
        self._pacer = pacer
        self._clock = clock
        self.key_id = token_name(keys.app_key, mock=mock)

    def token(self) -> str:
        """The kept token, or a new one.

        Raises
        ------
        BrokerTemporary
            None may be issued yet, or the answer was of no use.
        BrokerDenied
            Keys, address or server are wrong.
        """
        kept = self._tokens.load(self.key_id)
        if kept is not None and kept.usable(self._clock(), TOKEN_MARGIN):
            return kept.value
        return self._issue()

    def refused(self, value: str) -> None:
        """The broker refused this token; one that another owner saved meanwhile stays."""
        self._tokens.forget(self.key_id, value)

    def _issue(self) -> str:
        now = self._clock()
        asked = self._tokens.asked_at(self.key_id)
        if asked is not None and abs(now - asked) < ISSUE_GAP:
            allowed = (asked + ISSUE_GAP).astimezone(KST)
            raise BrokerTemporary(BrokerName.KIWOOM, f"the next token may be asked for at {allowed:%H:%M:%S} KST")
        self._pacer.take(account_bucket(self.key_id, mock=self._mock))
        now = self._clock()  # after waiting for the pace
        self._tokens.note_asking(self.key_id, now)
        content = {
            "grant_type": "client_credentials",
            "appkey": self._keys.app_key,
            "secretkey": self._keys.secret_key,
        }
        try:
            answer = self._wire.ask(
                "au10001",
                "POST",
                PATHS["au10001"],
                read_seconds=_READ_SECONDS,
                headers={"Content-Type": "application/json;charset=UTF-8"},
                content=json.dumps(content).encode(),
            )
        except NoAnswer as error:
            raise BrokerTemporary(BrokerName.KIWOOM, f"no token: {error.reason}") from error
        token = self._read(answer, now)
        self._tokens.save(self.key_id, token)
        return token.value

    def _read(self, answer: Answer, now: datetime) -> AccessToken:
        code = return_code_of(answer)
        if answer.status != 200 or code != 0:
            inner = inner_code(answer.text("return_msg"))
            meaning = meaning_of(answer.status, code or 0, inner)
            if meaning in (Meaning.DENIED, Meaning.BUG):
                raise BrokerDenied(BrokerName.KIWOOM, "the keys, this address or this server are refused", code=inner)
            raise BrokerTemporary(BrokerName.KIWOOM, f"no token: HTTP {answer.status}", code=inner)
        try:
            expires = moment(answer.text("expires_dt"))
        except Unreadable as error:
            raise BrokerTemporary(BrokerName.KIWOOM, "a token without its end") from error
        value = answer.text("token")
        if not value:
            raise BrokerTemporary(BrokerName.KIWOOM, "an answer without a token")
        return AccessToken(value=value, issued_at=now, expires_at=expires)


def token_name(app_key: str, *, mock: bool) -> str:
    """Under which name the token of a key is kept; the key cannot be read from it."""
    digest = hashlib.sha256(app_key.encode()).hexdigest()[:16]
    return f"kiwoom-{'mock' if mock else 'live'}-{digest}"
