"""The second factor: codes of an authenticator app (TOTP, RFC 6238) and recovery codes that stand in for it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import pyotp
from sqlalchemy import delete, func, or_, select, update

from stocklab.accounts.recording import Record, record_nothing
from stocklab.db import Database, RecoveryCodeRow, UserRow
from stocklab.db.columns import utc_now
from stocklab.errors import AccountFault
from stocklab.operations.sealing import Sealer

__all__ = ["ISSUER", "Enrolment", "SecondFactor"]

ISSUER: Final = "Stock Lab"
_STEP_SECONDS: Final = 30
_STEPS_AROUND: Final = (-1, 0, 1)
_RECOVERY_CODES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What an authenticator app needs: the secret to type, or the address to scan."""

    secret: str
    address: str


class SecondFactor:
    """Sets up, checks and removes the second factor of accounts. Secrets are stored sealed, codes as hashes."""

    def __init__(self, database: Database, sealer: Sealer, record: Record = record_nothing) -> None:
        self._database = database
        self._sealer = sealer
        self._record = record

    def begin(self, user_id: str) -> Enrolment:
        """Make a secret; it counts from `enable` on. Asking again makes another.

        Raises
        ------
        AccountFault
            There is no such account, or it has a second factor.
        """
        secret = pyotp.random_base32()
        with self._database.write() as session:
            row = session.get(UserRow, user_id)
            if row is None or row.totp_enabled_at is not None:
                raise AccountFault("second_factor_on", "The second factor is on already.")
            row.totp_secret = self._sealer.seal(secret)
            row.totp_last_step = None
            name = row.email
        return Enrolment(secret=secret, address=pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER))

    def enable(self, user_id: str, code: str, now: datetime | None = None) -> tuple[str, ...]:
        """Turn it on with a first code; returns the recovery codes, which are not kept in the clear.

        Raises
        ------
        AccountFault
            The code is not right, or `begin` was not called.
        """
        moment = utc_now() if now is None else now
        with self._database.write() as session:
            row = session.get(UserRow, user_id)
            step = None if row is None or row.totp_enabled_at is not None else self._step(row, code, moment)
            if row is None or step is None:
                raise _wrong()
            row.totp_enabled_at = moment
            row.totp_last_step = step
            session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.user_id == user_id))
            codes = tuple(_new_code() for _ in range(_RECOVERY_CODES))
            session.add_all(RecoveryCodeRow(user_id=user_id, code_hash=_code_hash(one)) for one in codes)
            self._record("second_factor.enabled", actor_id=user_id, subject=user_id, session=session)
        return codes

    def check(self, user_id: str, code: str, now: datetime | None = None) -> None:
        """Accept a code of the app, of this step or a neighbour, each once, or a recovery code, each once.

        Raises
        ------
        AccountFault
            It is not right, or was used.
        """
        moment = utc_now() if now is None else now
        with self._database.write() as session:
            row = session.get(UserRow, user_id)
            if row is None or row.totp_enabled_at is None:
                raise _wrong()
            step = self._step(row, code, moment)
            if step is not None:
                newer = or_(UserRow.totp_last_step.is_(None), UserRow.totp_last_step < step)
                taken = session.execute(
                    update(UserRow)
                    .where(UserRow.id == user_id, newer)
                    .values(totp_last_step=step)
                    .returning(UserRow.id)
                    .execution_options(synchronize_session=False)
                ).first()
            else:
                taken = session.execute(
                    update(RecoveryCodeRow)
                    .where(
                        RecoveryCodeRow.user_id == user_id,
                        RecoveryCodeRow.code_hash == _code_hash(code),
                        RecoveryCodeRow.used_at.is_(None),
                    )
                    .values(used_at=moment)
                    .returning(RecoveryCodeRow.code_hash)
                    .execution_options(synchronize_session=False)
                ).first()
                if taken is not None:
                    self._record("second_factor.recovery_used", actor_id=user_id, subject=user_id, session=session)
            if taken is None:
                raise _wrong()

    def recovery_codes_left(self, user_id: str) -> int:
        """How many recovery codes were not used."""
        unused = select(func.count()).where(RecoveryCodeRow.user_id == user_id, RecoveryCodeRow.used_at.is_(None))
        with self._database.read() as session:
            return session.scalar(unused) or 0

    def new_recovery_codes(self, user_id: str, code: str) -> tuple[str, ...]:
        """Replace the recovery codes, with a code of the app or an old one.

        Raises
        ------
        AccountFault
            The code is not right.
        """
        self.check(user_id, code)
        codes = tuple(_new_code() for _ in range(_RECOVERY_CODES))
        with self._database.write() as session:
            session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.user_id == user_id))
            session.add_all(RecoveryCodeRow(user_id=user_id, code_hash=_code_hash(one)) for one in codes)
            self._record("second_factor.new_codes", actor_id=user_id, subject=user_id, session=session)
        return codes

    def disable(self, user_id: str, code: str) -> None:
        """Turn it off, with a code.

        Raises
        ------
        AccountFault
            The code is not right.
        """
        self.check(user_id, code)
        self.drop(user_id, by=user_id)

    def drop(self, user_id: str, *, by: str | None) -> None:
        """Turn it off without a code: by an admin, for a person who lost the device and the recovery codes."""
        with self._database.write() as session:
            session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.user_id == user_id))
            session.execute(
                update(UserRow)
                .where(UserRow.id == user_id)
                .values(totp_secret=None, totp_enabled_at=None, totp_last_step=None)
            )
            self._record("second_factor.removed", actor_id=by, subject=user_id, session=session)

    def _step(self, row: UserRow, code: str, now: datetime) -> int | None:
        """The 30-second step whose code this is."""
        digits = re.sub(r"\s", "", code)
        if row.totp_secret is None or not re.fullmatch(r"[0-9]{6}", digits, re.ASCII):
            return None
        totp = pyotp.TOTP(self._sealer.open(row.totp_secret))
        current = int(now.timestamp()) // _STEP_SECONDS
        found = None
        for around in _STEPS_AROUND:  # all of them, so that the time does not tell which
            if hmac.compare_digest(totp.generate_otp(current + around), digits):
                found = current + around
        return found


def _wrong() -> AccountFault:
    return AccountFault("code_wrong", "The code is not right, or was used before.", field="code")


def _new_code() -> str:
    """80 random bits as four groups of four letters and digits."""
    text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(text[begin : begin + 4] for begin in range(0, 16, 4))


def _code_hash(code: str) -> str:
    plain = re.sub(r"[^a-z2-7]", "", code.lower())
    return hashlib.sha256(plain.encode()).hexdigest()
