"""Logging in: the password, then the second factor, both within limits that outlive the process."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select

from stocklab.accounts.names import folded
from stocklab.accounts.passwords import matches
from stocklab.accounts.recording import Record, record_nothing
from stocklab.accounts.second_factor import SecondFactor
from stocklab.accounts.user import Standing, User, user_of
from stocklab.db import Database, UserRow
from stocklab.db.columns import utc_now
from stocklab.errors import AccountFault, LimitReached, SettingsError
from stocklab.operations.rate_limits import RateLimits
from stocklab.operations.sealing import Sealer

__all__ = ["Limit", "LogIn", "hashed", "network_of", "spend_all"]

_QUARTER: Final = timedelta(minutes=15)
_HALF_WAY: Final = timedelta(minutes=10)
_DEVICE: Final = timedelta(days=365)
_TRIES: Final = 10
_TRIES_ADDRESS: Final = 60
_TRIES_ACCOUNT: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most so many of a subject in a time."""

    subject: str
    most: int
    per: timedelta = _QUARTER


class LogIn:
    """Checks who a person is.

    An account is limited by the address that tries and, against many addresses at once, as a whole. Somebody who logged
    in from a browser before has a known device there and a limit of its own, so nobody can keep a person out.
    """

    def __init__(
        self,
        database: Database,
        second_factor: SecondFactor,
        limits: RateLimits,
        sealer: Sealer,
        record: Record = record_nothing,
    ) -> None:
        self._database = database
        self._second_factor = second_factor
        self._limits = limits
        self._sealer = sealer
        self._record = record

    def password(self, email: str, password: str, *, address: str, device: str = "") -> User:
        """The account whose e-mail and password these are. A name nobody has takes as long and answers the same.

        Raises
        ------
        LimitReached
            Too many tries.
        AccountFault
            E-mail or password is wrong; or, where both are right, the account is switched off or banned.
        """
        key = folded(email)[:254]
        with self._database.read() as session:
            row = session.scalar(select(UserRow).where(UserRow.email_key == key))
        user_id = None if row is None else row.id
        spent = self._spend("login", user_id, key, address, device)
        if not matches(password, None if row is None else row.password_hash) or row is None:
            self._record("login.refused", actor_id=user_id, details={"address": address})
            raise AccountFault("login_wrong", "E-mail or password is not right.")
        self._give_back(spent)
        user = user_of(row)
        _let_in(user)
        return user

    def second(self, user_id: str, code: str, *, address: str, device: str = "") -> User:
        """The account, if the code is right.

        Raises
        ------
        LimitReached
            Too many tries.
        AccountFault
            The code is not right, or the account is switched off or banned.
        """
        spent = self._spend("second", user_id, user_id, address, device)
        try:
            self._second_factor.check(user_id, code)
        except AccountFault:
            self._record("login.code_refused", actor_id=user_id, details={"address": address})
            raise
        self._give_back(spent)
        with self._database.read() as session:
            user = user_of(session.get_one(UserRow, user_id))
        _let_in(user)
        return user

    def half_way(self, user: User) -> str:
        """A sealed note that the password was right; good for ten minutes and for nothing but the second step."""
        return self._note("half-way", user.id, password=self._password_mark(user.id))

    def open_half_way(self, note: str) -> str:
        """The account id in a note of `half_way`.

        Raises
        ------
        AccountFault
            It is not one, it is old, or the password was changed since.
        """
        found = self._read_note("half-way", note, _HALF_WAY)
        if found is None or found["password"] != self._password_mark(found["user"]):
            raise AccountFault("half_way_over", "Enter e-mail and password again.")
        return str(found["user"])

    def device(self, user_id: str) -> str:
        """A sealed note that this account logged in from this browser. It opens nothing."""
        return self._note("device", user_id, number=secrets.token_hex(8))

    def _spend(self, kind: str, user_id: str | None, name: str, address: str, device: str) -> tuple[Limit, ...]:
        known = self._read_note("device", device, _DEVICE) if device else None
        if known is not None and user_id is not None and known["user"] == user_id:
            limits: tuple[Limit, ...] = (Limit(subject=f"{kind}-device:{known['number']}", most=_TRIES),)
        else:
            network = hashed(network_of(address))
            who = hashed(name)
            limits = (
                Limit(subject=f"{kind}-address:{network}", most=_TRIES_ADDRESS),
                Limit(subject=f"{kind}:{who}:{network}", most=_TRIES),
                Limit(subject=f"{kind}-account:{who}", most=_TRIES_ACCOUNT, per=4 * _QUARTER),
            )
        spend_all(self._limits, limits)
        return limits

    def _give_back(self, spent: tuple[Limit, ...]) -> None:
        for limit in spent:
            self._limits.give_back(limit.subject, per=limit.per)

    def _password_mark(self, user_id: str) -> str:
        with self._database.read() as session:
            row = session.get(UserRow, user_id)
            changed = None if row is None else row.password_changed_at
        return "" if changed is None else changed.isoformat()

    def _note(self, kind: str, user_id: str, **more: str) -> str:
        content = {"kind": kind, "user": user_id, "at": utc_now().isoformat(), **more}
        return self._sealer.seal(json.dumps(content))

    def _read_note(self, kind: str, note: str, lifetime: timedelta) -> dict[str, Any] | None:
        try:
            content: dict[str, Any] = json.loads(self._sealer.open(note))
        except (SettingsError, UnicodeError, ValueError):
            return None
        at = content.get("at") if isinstance(content, dict) else None
        if not isinstance(at, str) or content.get("kind") != kind:
            return None
        age = datetime.now(UTC) - datetime.fromisoformat(at)
        return content if timedelta(0) <= age <= lifetime else None


def spend_all(limits: RateLimits, wanted: tuple[Limit, ...]) -> None:
    """Count one against each limit.

    Raises
    ------
    LimitReached
        One of them is spent; those before it were given back.
    """
    for position, limit in enumerate(wanted):
        spent = limits.spend(limit.subject, most=limit.most, per=limit.per)
        if not spent.allowed:
            for earlier in wanted[:position]:
                limits.give_back(earlier.subject, per=earlier.per)
            raise LimitReached(spent.wait)


def network_of(address: str) -> str:
    """What of an address is counted: IPv6 by its /64, which one household has.

    >>> network_of("2001:db8:1:2:3:4:5:6"), network_of("203.0.113.9"), network_of("?")
    ('2001:db8:1:2::', '203.0.113.9', '?')
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        if mapped is not None:
            return str(mapped)
        return str(ipaddress.IPv6Network((parsed, 64), strict=False).network_address)
    return str(parsed)


def hashed(text: str) -> str:
    """A short stand-in for what strangers type, for the name of a limit."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def _let_in(user: User) -> None:
    standing = user.standing(utc_now())
    if standing is Standing.OFF:
        raise AccountFault("account_off", "This account is switched off. Hint: ask the people who run this.")
    if standing is Standing.BANNED and user.banned_until is not None:
        until = user.banned_until.isoformat()
        raise AccountFault("account_banned", f"This account is closed until {until}.", until=until)
