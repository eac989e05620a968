"""A person's wish to try the key of a source: asked, put into a line by who tries, and read back for the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from stocklab.db import IntentState
from stocklab.operations.intents import Intent, Intents
from stocklab.operations.source_board import SourceLine
from stocklab.operations.uptime import Worker

__all__ = ["KEY_INTENT", "KeyTrial", "KeyVerdict", "ask_trial", "key_trials", "verdict_line"]

KEY_INTENT: Final = "try_key"
_LOOKED_THROUGH: Final = 200


class KeyVerdict(StrEnum):
    """What a trial said. UNASKED: the service could not be asked or gave no usable answer, so that nothing is known."""

    WORKS = "works"
    REFUSED = "refused"
    UNASKED = "unasked"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTrial:
    """The newest trial of the keys that are set now. ``verdict`` is None while it waits or runs.

    ``at`` is when it ended, began or was asked for, whichever is known and last; ``reason`` is the service's, or why it
    was not asked.
    """

    intent: Intent
    verdict: KeyVerdict | None
    reason: str
    at: datetime

    @property
    def waits(self) -> bool:
        """Whether nobody took it yet."""
        return self.intent.state is IntentState.WAITING


def verdict_line(verdict: KeyVerdict, reason: str = "") -> str:
    """A verdict in a line, as the intent keeps it.

    >>> verdict_line(KeyVerdict.REFUSED, "opendart: the key is not registered")
    'refused: opendart: the key is not registered'
    """
    return f"{verdict}: {reason}" if reason else str(verdict)


def ask_trial(intents: Intents, owner_id: str, source: str, *, now: datetime | None = None) -> Intent:
    """Ask for a trial of what is set now; one of this person that still waits, for what was set before, is cancelled.

    Raises
    ------
    JobError
        Too many wishes wait.
    """
    document = {"source": source}
    for one in intents.list(owner_id, live=True):
        if one.kind == KEY_INTENT and one.document == document and one.state is IntentState.WAITING:
            intents.cancel(owner_id, one.id, now=now)
    return intents.ask(owner_id, KEY_INTENT, document, now=now)


def key_trials(intents: Intents, sources: Iterable[SourceLine], leader: Worker | None) -> Mapping[str, KeyTrial]:
    """The newest trial by source, where it speaks of the keys that are set now.

    One asked for before a key was entered says nothing of it. Keys of the environment are read when a process begins:
    of them a trial counts while the scheduler that made it works.

    Parameters
    ----------
    leader : Worker, optional
        The scheduler that works now.
    """
    newest: dict[str, Intent] = {}
    for one in intents.list(limit=_LOOKED_THROUGH):
        if one.kind == KEY_INTENT and one.state is not IntentState.CANCELLED:
            newest.setdefault(str(one.document.get("source", "")), one)
    found = {}
    for line in sources:
        intent = newest.get(line.source.name)
        if intent is not None and line.on and _speaks_of(intent, line, leader):
            found[line.source.name] = _trial(intent)
    return found


def _speaks_of(intent: Intent, line: SourceLine, leader: Worker | None) -> bool:
    changed = line.keys_since
    if changed is not None and intent.created_at < changed:
        return False
    if intent.state.live or all(key.held == "stored" for key in line.keys):
        return True
    return leader is not None and intent.created_at >= leader.started_at


def _trial(intent: Intent) -> KeyTrial:
    at = intent.finished_at or intent.taken_at or intent.created_at
    if intent.state.live:
        return KeyTrial(intent=intent, verdict=None, reason="", at=at)
    word, _colon, reason = intent.message.partition(": ")
    if intent.state is IntentState.DONE and word in set(KeyVerdict):
        return KeyTrial(intent=intent, verdict=KeyVerdict(word), reason=reason, at=at)
    return KeyTrial(intent=intent, verdict=KeyVerdict.UNASKED, reason=intent.message, at=at)
