"""Whether an owner's alerts are known to arrive: asked before a strategy may trade real money."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from stocklab.db import AlertChannelRow

__all__ = ["test_arrived"]


def test_arrived(session: Session, owner_id: str) -> datetime | None:
    """When something last arrived at a channel of the owner that is on and was tested; None where none ever did.

    A test that failed counts for nothing, and takes back what an older one showed, until something arrives again.
    """
    wanted = select(func.max(AlertChannelRow.last_ok_at)).where(
        AlertChannelRow.owner_id == owner_id,
        AlertChannelRow.active,
        AlertChannelRow.sealed.is_not(None),
        AlertChannelRow.tested_at.is_not(None),
        AlertChannelRow.last_ok_at >= AlertChannelRow.tested_at,
    )
    return session.scalar(wanted)
