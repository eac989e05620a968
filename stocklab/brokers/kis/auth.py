"""KIS's keys: the access token of REST and the approval key of the socket."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from stocklab.brokers.kis.models import Meaning, meaning
from stocklab.brokers.tokens import AccessToken, TokenStore
from stocklab.brokers.values import BrokerName
from stocklab.brokers.wire import Answer, NoAnswer, Wire
from stocklab.errors import BrokerDenied, BrokerTemporary

__all__ = ["CONTENT_TYPE", "KST", "KisAccount", "KisCredentials", "KisTokens", "approval_key", "token_name"]

KST: Final = ZoneInfo("Asia/Seoul")
CONTENT_TYPE: Final = "application/json; charset=utf-8"

_NAME: Final = BrokerName.KIS
_SECONDS: Final = 10.0
_MARGIN: Final = timedelta(minutes=5)
_GAP: Final = timedelta(seconds=61)
"""Between two requests for a token. A notice says one a second, the refusal one a minute: the longer holds."""
_LONGEST_GAP: Final = timedelta(hours=1)
_IN_VAIN: Final = 4
"""Tokens refused one after another, the first being an old one, before a person must look at the keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KisCredentials:
    """App key and secret; live and mock have their own."""

    app_key: str = field(repr=False)
    app_secret: str = field(repr=False)

    @property
    def digest(self) -> str:
        """Names the key without telling it."""
        return _digest(self.app_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class KisAccount:
    """An account number in its two parts: eight digits and the product (``01`` ordinary trading)."""

    cano: str = field(repr=False)
    product: str = "01"

    @property
    def masked(self) -> str:
        """Enough for its owner to know it."""
        return f"{self.cano[:2]}****{self.cano[-2:]}-{self.product}"

    def owns(self, number: str) -> bool:
        """Whether a number of ten digits, or of eight, is this account's."""
        return number in (self.cano + self.product, self.cano)


class KisTokens:
    """The one access token of an app key.

    It lives a day; asking again within six hours brings the same one; each issue sends the owner a phone notice. So it
    is kept in the store, and after refusals it is asked for ever more seldom until a token has worked.
    """

    def __init__(
        self,
        wire: Wire,
        credentials: KisCredentials,
        *,
        mock: bool,
        store: TokenStore,
        clock: Callable[[], datetime],
    ) -> None:
        self._wire = wire
        self._credentials = credentials
        self._key_id = token_name(credentials.app_key, mock=mock)
        self._store = store
        self._clock = clock
        self._in_vain = 0

    def get(self) -> str:
        """A usable token, issued when there is none.

        Raises
        ------
        BrokerTemporary
            None could be had now; says when to ask again.
        BrokerDenied
            The keys are refused.
        """
        kept = self._store.load(self._key_id)
        now = self._clock()
        if kept is not None and kept.usable(now, _MARGIN):
            return kept.value
        asked = self._store.asked_at(self._key_id)
        # A stamp from the future (a clock that was set back) must not bar the way for ever.
        if asked is not None and asked <= now < (allowed := asked + self._gap()):
            raise BrokerTemporary(
                _NAME, f"the next access token may be asked for at {allowed.astimezone(KST):%H:%M:%S} KST"
            )
        self._store.note_asking(self._key_id, now)
        token = self._issue(now)
        self._store.save(self._key_id, token)
        return token.value

    def refused(self, value: str, code: str) -> None:
        """KIS did not take a token: it is forgotten.

        Raises
        ------
        BrokerDenied
            None of the last tokens ever worked.
        """
        self._store.forget(self._key_id, value)
        self._in_vain += 1
        if self._in_vain >= _IN_VAIN:
            raise BrokerDenied(
                _NAME, "new tokens are refused too. Hint: are the keys of the other environment?", code=code
            )

    def worked(self) -> None:
        """A token was taken."""
        self._in_vain = 0

    def _gap(self) -> timedelta:
        longer: timedelta = _GAP * 2 ** max(0, self._in_vain - 1)
        return min(_LONGEST_GAP, longer)

    def _issue(self, now: datetime) -> AccessToken:
        answer = _oauth(
            self._wire,
            "token",
            "/oauth2/tokenP",
            {
                "grant_type": "client_credentials",
                "appkey": self._credentials.app_key,
                "appsecret": self._credentials.app_secret,
            },
        )
        value = answer.text("access_token")
        if not value:
            raise BrokerTemporary(_NAME, "an answer without an access token")
        return AccessToken(value=value, issued_at=now, expires_at=_expiry(answer, now))


def approval_key(wire: Wire, credentials: KisCredentials) -> str:
    """A key for sockets, valid for about a day.

    Raises
    ------
    BrokerTemporary, BrokerDenied
    """
    answer = _oauth(
        wire,
        "approval",
        "/oauth2/Approval",
        {
            "grant_type": "client_credentials",
            "appkey": credentials.app_key,
            "secretkey": credentials.app_secret,  # not "appsecret" here
        },
    )
    key = answer.text("approval_key")
    if not key:
        raise BrokerTemporary(_NAME, "an answer without an approval key")
    return key


def _oauth(wire: Wire, name: str, path: str, body: Mapping[str, str]) -> Answer:
    try:
        answer = wire.ask(
            name,
            "POST",
            path,
            read_seconds=_SECONDS,
            headers={"content-type": CONTENT_TYPE},
            content=json.dumps(body).encode(),
        )
    except NoAnswer as failure:
        raise BrokerTemporary(_NAME, f"{name}: {failure.reason}") from failure
    code = answer.text("error_code") or answer.text("msg_cd")
    if answer.status == 200 and not code:
        return answer
    what = meaning(answer.status, "", code)
    # These paths answer 403 to wrong keys and to haste alike; the numbers for wrong keys are not sure.
    wrong = what is Meaning.DENIED or (400 <= answer.status < 500 and bool(code) and what is not Meaning.TOO_MANY)
    error = BrokerDenied if wrong else BrokerTemporary
    raise error(_NAME, f"{name}: HTTP {answer.status} {answer.text('error_description')[:120]}".strip(), code=code)


def _expiry(answer: Answer, now: datetime) -> datetime:
    """The earlier of what the text says (KST) and what the seconds say; a day where neither can be read."""
    ends = [now + timedelta(days=1)]
    seconds = answer.text("expires_in")
    if seconds.isdigit():
        ends.append(now + timedelta(seconds=int(seconds)))
    try:
        text = datetime.strptime(answer.text("access_token_token_expired"), "%Y-%m-%d %H:%M:%S").replace(tzinfo=KST)
    except ValueError:
        pass
    else:
        ends.append(text.astimezone(UTC))
    return min(ends)


def token_name(app_key: str, *, mock: bool) -> str:
    """Under which name the token of a key is kept; the key cannot be read from it."""
    return f"kis:{'mock' if mock else 'live'}:{_digest(app_key)}"


def _digest(app_key: str) -> str:
    return hashlib.sha256(app_key.encode()).hexdigest()[:16]
