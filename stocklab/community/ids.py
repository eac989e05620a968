"""Ids whose order is the order in time."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Final

__all__ = ["ID_LENGTH", "new_id"]

ID_LENGTH: Final = 32


def new_id(now: datetime) -> str:
    """32 hexadecimal digits: the millisecond, then 80 random bits. It tells nothing of who made it.

    >>> from datetime import UTC
    >>> new_id(datetime(2026, 1, 2, tzinfo=UTC))[:12]
    '019b7c010400'
    """
    return f"{int(now.timestamp() * 1000):012x}{secrets.token_hex(10)}"
