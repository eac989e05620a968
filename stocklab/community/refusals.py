"""What the community refuses, cut by what the reader can do about it."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from stocklab.errors import InputError

__all__ = ["Refusal", "RefusalCode"]


class RefusalCode(StrEnum):
    """Stable names for the words of a page."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"
    NOT_FOUND = "not_found"
    NOT_YOURS = "not_yours"
    TOO_FAST = "too_fast"
    DUPLICATE = "duplicate"
    BANNED = "banned"
    CLOSED = "closed"
    ADMINS_ONLY = "admins_only"


class Refusal(InputError):
    """Something asked of the community is refused and nothing was changed.

    ``most`` is the limit that was passed, ``wait`` how long until it is allowed again, ``until`` when a ban ends.
    """

    exit_code = 1

    def __init__(
        self,
        code: RefusalCode,
        message: str,
        *,
        most: int | None = None,
        wait: timedelta | None = None,
        until: datetime | None = None,
    ) -> None:
        self.code = code
        self.most = most
        self.wait = wait
        self.until = until
        super().__init__(message)
