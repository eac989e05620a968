"""The right to begin with real money: given by the promotion gate after a passed check, a code and a typed sentence.

`stocklab.live.promotion` alone makes one. What starts a strategy on a live account, or sends an order of a person
there, asks for it, and it is worth minutes only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from stocklab.errors import InputError

__all__ = ["LASTS", "Permission", "require_permission"]

LASTS: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """``subject`` is what it is for: a trader's id, or the id of an account for orders of a person."""

    owner_id: str
    account_id: str
    subject: str
    given_at: datetime


def require_permission(
    permission: Permission | None, *, owner_id: str, account_id: str, subject: str, now: datetime
) -> None:
    """Refuse without a permission that is for this and of now.

    Raises
    ------
    InputError
        There is none, it is for something else, or too old.
    """
    if (
        permission is None
        or (permission.owner_id, permission.account_id, permission.subject) != (owner_id, account_id, subject)
        or not timedelta(0) <= now - permission.given_at <= LASTS
    ):
        raise InputError(
            "Real money needs a passed gate, a code of the second factor and the typed sentence, minutes ago at most. "
            "Hint: confirm again."
        )
