"""Why work ended as it did, as far as it is still so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from stocklab.operations import SourceLine
from stocklab.operations.key_reasons import key_entered_since
from stocklab.ui.background_words import told
from stocklab.ui.text import _

__all__ = ["reason_now"]


def reason_now(message: str, at: datetime | None, sources: Sequence[SourceLine]) -> str:
    """A message of the ledger in the user's language, as plain text; where it speaks of a key that was entered since,
    it says that instead.
    """
    if at is not None and key_entered_since(message, at, sources):
        return _("It lacked a key, or the key was refused; a key was entered since. The next run uses it.")
    return told(message)
