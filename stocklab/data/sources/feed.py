"""The protocol between a source and the sync: keys are asked for one at a time, answers are rows of the store.

A *feed* is one kind of question a source answers, such as "all KOSPI and KOSDAQ bars of one session". Its *keys* name
the single questions. Feeds know their service; they do not know the store, the budget of other feeds, or when they run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

import polars as pl

from stocklab.types import DateArray

__all__ = ["Answer", "AnswerState", "Feed", "Window", "session_of"]


class AnswerState(StrEnum):
    """What an answer says about its key.

    FINAL: these are the rows. EMPTY: the source has none and will have none (a holiday, a company without this report).
    NOT_YET: the source will have them later; the key is asked again by the next sync.
    """

    FINAL = "final"
    EMPTY = "empty"
    NOT_YET = "not_yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a source said about one key.

    Attributes
    ----------
    state : AnswerState
    frames : dataset -> rows
        Columns and types of `stocklab.data.datasets`, complete for the key: a row that a later answer to the same key
        no longer holds is no longer true. Empty unless ``state`` is FINAL.
    note : str
        For a person, when there is something to say (rows left out, a value that could not be read).
    left_out : tuple of str
        Symbols the source named with a row that could not be taken: what is stored of them stays.
    """

    state: AnswerState
    frames: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    note: str = ""
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What a sync covers.

    Attributes
    ----------
    sessions : (n,) datetime64[D]
        Sessions that have ended by ``now``, oldest first: confirmed ones by the calendar, beyond it weekdays that may
        turn out to be holidays.
    now : datetime
        Asia/Seoul, timezone-aware.
    """

    sessions: DateArray
    now: datetime

    @property
    def today(self) -> date:
        """The day in Seoul."""
        return self.now.date()


class Feed(Protocol):
    """One kind of question. ``fetch`` may block; it is called by one thread at a time.

    Attributes
    ----------
    name : str
        Unique, lower case, stable: it is stored with what was asked ("krx_openapi.stocks").
    source : str
        Name of the service, whose budget and breaker the feed shares ("krx_openapi").
    datasets : tuple of str
        Datasets its answers may hold.
    calls_per_key : int
        Requests one key usually costs, for estimates.
    """

    name: str
    source: str
    datasets: tuple[str, ...]
    calls_per_key: int

    def wanted(self, known: Mapping[str, str], window: Window) -> Sequence[str]:
        """Keys to ask in this sync, the most useful first (as a rule the newest).

        Parameters
        ----------
        known : key -> checksum
            Keys whose answer is stored as FINAL or EMPTY. A feed whose service corrects recent days names the last few
            of them again.
        window : Window
        """
        ...

    def fetch(self, key: str) -> Answer:
        """Ask for one key.

        Raises
        ------
        SourceError
            One of its children; nothing is half answered.
        """
        ...


def session_of(key: str) -> date:
    """The session of a daily feed's key ("2026-11-26").

    >>> session_of("2026-11-26")
    datetime.date(2026, 11, 26)
    """
    return date.fromisoformat(key)
