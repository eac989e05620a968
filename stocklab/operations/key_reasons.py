"""Reasons that are over: what work said of a key that was entered since."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from stocklab.operations.source_board import SourceLine

__all__ = ["key_entered_since"]

_WANTING: Final = re.compile(
    r"none is set up|no key is set|no client id and secret are set|neither \w+ nor \w+ has a key"
)
_REFUSED: Final = re.compile(
    r"\bdenied\b|the key is (?:refused|not approved|not registered|suspended)|the key has expired"
    r"|this address may not use the key|the log-in was refused|its password must be changed|cannot be a key"
)
_FEED: Final = re.compile(r"\b([a-z_]+)\.[a-z_]+ (?:denied|failed|blocked|exhausted|left)\b")


def key_entered_since(message: str, at: datetime, sources: Sequence[SourceLine]) -> bool:
    """Whether a message, written at that moment, says that a key is missing or refused and no longer speaks of what is
    set now: the source it names has its keys, or others than it had. Where it names none, any source that needs keys.

    Parameters
    ----------
    message : str
        As the ledger or an intent has it, in English.
    """
    named = _named(message, sources)
    if _WANTING.search(message):
        return any(line.on for line in named)
    if not _REFUSED.search(message):
        return False
    return bool(named) and all(line.keys_since is not None and at < line.keys_since for line in named)


def _named(message: str, sources: Sequence[SourceLine]) -> list[SourceLine]:
    keyed = [line for line in sources if line.source.keys]
    feeds = set(_FEED.findall(message))
    found = [line for line in keyed if line.source.name in (feeds or {message.partition(":")[0]})]
    return found or ([] if feeds else keyed)
