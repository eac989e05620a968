"""Leave to trade with one's own money: what a person proved just now, as a page hands it on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from stocklab.errors import InputError
from stocklab.live.accounts import AccountKind, LinkedAccount

__all__ = ["LEAVE_LASTS", "Permission", "PermissionNeeded", "require_permission"]

LEAVE_LASTS: Final = timedelta(minutes=5)


class PermissionNeeded(InputError):
    """An account with real money: the second step and the typed name of the account come first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """That a second step was passed at a moment, and what was typed as the confirmation."""

    owner_id: str
    typed: str
    second_step_at: datetime | None


def require_permission(account: LinkedAccount, permission: Permission | None, now: datetime) -> None:
    """Refuse what is to be done with real money without leave; paper and mock accounts need none.

    Raises
    ------
    PermissionNeeded
        There is none, it is somebody else's or too old, or what was typed is not the account's name.
    """
    if account.kind is not AccountKind.LIVE:
        return
    if permission is None or permission.second_step_at is None or permission.owner_id != account.owner_id:
        raise PermissionNeeded("This account trades with real money. Hint: pass the second step and type its name.")
    if not timedelta(0) <= now - permission.second_step_at <= LEAVE_LASTS:
        raise PermissionNeeded("The second step was passed too long ago. Hint: pass it again.")
    if permission.typed.strip() != account.name:
        raise PermissionNeeded(f"Expected the name of the account, {account.name!r}, typed as it is.")
