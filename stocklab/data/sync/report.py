"""What a sync says of itself while it runs and when it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

__all__ = ["FeedOutcome", "FeedReport", "OnSyncProgress", "SyncProgress", "SyncReport"]


class FeedOutcome(StrEnum):
    """How a feed's part of a sync ended.

    DONE: nothing is left. LEFT: some keys wait for the next sync (a limit was asked for, or the answer is not there
    yet). The others are the names of the errors.
    """

    DONE = "done"
    LEFT = "left"
    OFF = "off"
    DENIED = "denied"
    EXHAUSTED = "exhausted"
    BLOCKED = "blocked"
    FAILED = "failed"


@dataclass(slots=True, kw_only=True)
class FeedReport:
    """One feed's part. ``wanted`` keys were to be asked; ``failed`` ones are asked again by the next sync."""

    feed: str
    source: str
    wanted: int = 0
    asked: int = 0
    final: int = 0
    empty: int = 0
    not_yet: int = 0
    failed: int = 0
    outcome: FeedOutcome = FeedOutcome.DONE
    message: str = ""

    @property
    def left(self) -> int:
        """Keys without an answer for good."""
        return self.wanted - self.final - self.empty


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncProgress:
    """Where a sync is. ``seconds_left`` is None until it can be told."""

    feed: str
    asked: int
    wanted: int
    rows: int
    seconds: float
    seconds_left: float | None
    storing: bool = False

    @property
    def fraction(self) -> float:
        """Of the keys, 0 to 1."""
        return self.asked / self.wanted if self.wanted else 1.0


OnSyncProgress = Callable[[SyncProgress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """Outcome of a sync; ``added``, ``replaced`` and ``removed`` count rows per dataset.

    ``snapshots`` were written by it, oldest first; ``snapshot_id`` is current afterwards (None: still no market data).
    """

    snapshot_id: str | None
    snapshots: tuple[str, ...]
    feeds: tuple[FeedReport, ...]
    added: dict[str, int] = field(default_factory=dict)
    replaced: dict[str, int] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)
    disagreements: int = 0
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    cancelled: bool = False

    @property
    def complete(self) -> bool:
        """Whether every feed that is on has nothing left to ask."""
        return not self.cancelled and all(one.outcome in (FeedOutcome.DONE, FeedOutcome.OFF) for one in self.feeds)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        value = asdict(self)
        value["feeds"] = [asdict(one) | {"left": one.left} for one in self.feeds]
        value["complete"] = self.complete
        return value

    def describe(self) -> str:
        """Lines for a terminal."""
        if self.snapshots:
            head = f"Snapshot {self.snapshot_id} is current ({len(self.snapshots)} written, {self.seconds:.1f} s)."
        elif self.snapshot_id is None:
            head = f"No market data yet ({self.seconds:.1f} s)."
        else:
            head = f"Nothing new: snapshot {self.snapshot_id} stays current ({self.seconds:.1f} s)."
        lines = [head]
        for one in self.feeds:
            counts = f"{one.final:,} answers, {one.empty:,} empty"
            counts += f", {one.not_yet:,} not there yet" if one.not_yet else ""
            counts += f", {one.failed:,} failed" if one.failed else ""
            counts += f", {one.left:,} left" if one.left else ""
            lines.append(
                f"  {one.feed:<26} {one.outcome.value:<10} {counts}{': ' + one.message if one.message else ''}"
            )
        for name in sorted({**self.added, **self.replaced, **self.removed}):
            parts = [f"{self.added.get(name, 0):,} rows added"]
            parts += [f"{self.replaced[name]:,} corrected"] if self.replaced.get(name) else []
            parts += [f"{self.removed[name]:,} removed"] if self.removed.get(name) else []
            lines.append(f"  {name}: {', '.join(parts)}")
        if self.disagreements:
            lines.append(f"Sources differ on {self.disagreements:,} values; the more trusted source's stand.")
        if self.cancelled:
            lines.append("Stopped on request; what was answered is stored.")
        return "\n".join([*lines, *(f"Note: {note}" for note in self.notes)])
