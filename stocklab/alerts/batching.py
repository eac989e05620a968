"""Which delivery of a channel goes next, and which wait a moment to be told as one: pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

__all__ = ["BURST", "MINUTE", "Choice", "Waiting", "choose"]

BURST: Final = 5
"""Messages of one kind that a channel gets within a minute; what comes beyond is told in one."""

MINUTE: Final = timedelta(minutes=1)
_TEST: Final = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A delivery that is not over, as the outbox keeps it."""

    id: int
    delivery_id: str
    kind: str
    attempts: int
    next_at: datetime
    held: bool
    within: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """``take``: what one message tells, in order; nothing when all must wait. ``hold``: until when others wait."""

    take: tuple[Waiting, ...] = ()
    hold: Mapping[int, datetime] = field(default_factory=dict)


def choose(waiting: Sequence[Waiting], told: Mapping[str, Sequence[datetime]], now: datetime) -> Choice:
    """The next message of a channel.

    Deliveries keep their order: one that waits for its next attempt, or is on its way, holds those behind it. Two do
    not stand in the row: a test, which a person waits for, and what is held back of a burst.

    Parameters
    ----------
    waiting
        The open deliveries of the channel in their order.
    told
        By kind, when messages went to the channel within the last minute.
    """
    hold: dict[int, datetime] = {}
    until: dict[str, datetime] = {}
    for one in waiting:
        if one.kind == _TEST and one.next_at <= now:
            return Choice(take=(one,))
    for one in waiting:
        if one.kind == _TEST:
            continue
        if one.kind in until:
            hold[one.id] = until[one.kind]
        elif one.next_at > now and one.held:
            until[one.kind] = one.next_at
        elif one.next_at > now:
            break
        elif one.within is not None:
            return Choice(take=tuple(other for other in waiting if other.within == one.within), hold=hold)
        elif one.held:
            return Choice(take=_together(waiting, one), hold=hold)
        elif one.attempts == 0 and len(told.get(one.kind, ())) >= BURST:
            until[one.kind] = hold[one.id] = min(told[one.kind]) + MINUTE
        else:
            return Choice(take=(one,), hold=hold)
    return Choice(hold=hold)


def _together(waiting: Sequence[Waiting], first: Waiting) -> tuple[Waiting, ...]:
    """All of a kind that were never sent: one that was keeps its own message, under the id the receiver may know."""
    return tuple(one for one in waiting if one.kind == first.kind and one.attempts == 0 and one.within is None)
