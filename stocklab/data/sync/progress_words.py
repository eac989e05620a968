"""A sync's progress as one line, which the run ledger and intents keep as text, and back again for a page."""

from __future__ import annotations

import re
from typing import Final

from stocklab.data.sync.report import SyncProgress

__all__ = ["progress_words", "read_progress"]

_LINE: Final = re.compile(
    r"(?P<what>storing|[a-z0-9_.]+): (?P<asked>[\d,]+) of (?P<wanted>[\d,]+) questions, (?P<rows>[\d,]+) rows"
    r", (?P<seconds>[\d,]+) s(?:, about (?P<left>[\d,]+) s left)?"
)
_STORING: Final = "storing"


def progress_words(progress: SyncProgress) -> str:
    """For a person and for `read_progress`; seconds are whole.

    >>> progress_words(SyncProgress(feed="upbit.candles", asked=20, wanted=49, rows=61, seconds=7.2, seconds_left=10.4))
    'upbit.candles: 20 of 49 questions, 61 rows, 7 s, about 10 s left'
    """
    what = _STORING if progress.storing or not progress.feed else progress.feed
    counts = f"{progress.asked:,} of {progress.wanted:,} questions, {progress.rows:,} rows"
    line = f"{what}: {counts}, {progress.seconds:,.0f} s"
    return line if progress.seconds_left is None else f"{line}, about {max(0.0, progress.seconds_left):,.0f} s left"


def read_progress(text: str) -> SyncProgress | None:
    """What `progress_words` said; None for any other text."""
    found = _LINE.fullmatch(text.strip())
    if found is None:
        return None
    storing = found["what"] == _STORING
    return SyncProgress(
        feed="" if storing else found["what"],
        asked=_number(found["asked"]),
        wanted=_number(found["wanted"]),
        rows=_number(found["rows"]),
        seconds=float(_number(found["seconds"])),
        seconds_left=None if found["left"] is None else float(_number(found["left"])),
        storing=storing,
    )


def _number(text: str) -> int:
    return int(text.replace(",", ""))
