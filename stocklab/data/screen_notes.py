"""What a reader of a screen must know beside the table: as a code with its values, and in English words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

from stocklab.factors import check, missing_inputs, never_known
from stocklab.market.panel import Panel

__all__ = ["NOTES", "Note", "notes_of", "session_note"]

NOTES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "earlier_session": "{asked} is no session of this data; the last one before it, {session}, is shown.",
        "never": "{id}: {formula} needs {inputs}, which this data does not have: this condition can never match.",
        "partly": "{id}: {formula} was judged without {inputs}, which this data does not have.",
        "unknown_everywhere": "{id}: {formula} is unknown for every stock on this day (it needs a longer history).",
        "column": "The column {formula} needs {inputs}, which this data does not have: it stays empty.",
        "unknown_flag": "Whether it is to be left out ({flag}) is not known for {count} stocks: they stay in.",
        "unknown_list": "The members of {name} are not known on this day: nobody counts as a member.",
        "estimated_value": "Traded value is estimated as close x volume in this data.",
        "sectors_of_today": "Sectors are those of today, also on earlier days.",
        "restated": "The strategy reads statements as they were corrected later: this is hindsight.",
        "market_unsafe": "The strategy's market filter is unsafe on this day: it would buy nothing.",
        "kept": "The strategy admits {kept} of the {matched} stocks that match.",
    }
)
"""English sentence of each code; the names in braces are the note's values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One remark: ``code`` is a key of `NOTES`, ``values`` fill its sentence."""

    code: str
    values: Mapping[str, str]

    @classmethod
    def make(cls, code: str, **values: object) -> Note:
        """A note whose values are shown as text."""
        return cls(code=code, values=MappingProxyType({key: str(value) for key, value in values.items()}))

    @property
    def words(self) -> str:
        """The sentence in English."""
        return NOTES[self.code].format(**self.values)


def session_note(asked: date | None, session: date) -> tuple[Note, ...]:
    """Said when another day than the one asked for is shown."""
    if asked is None or asked == session:
        return ()
    return (Note.make("earlier_session", asked=asked, session=session),)


def notes_of(
    panel: Panel,
    conditions: Sequence[tuple[str, str, bool, bool]],
    columns: Sequence[str],
    unknown_flags: Mapping[str, int],
    unknown_lists: Sequence[str],
    *,
    latest: bool,
) -> tuple[Note, ...]:
    """Notes on conditions, columns and universe.

    Parameters
    ----------
    conditions : (letter, formula, whether it can never match, whether it is unknown for every stock)
    columns : formulas shown
    unknown_flags : exclusion -> stocks for which it is unknown
    unknown_lists : names of groups whose members are unknown
    latest : whether the session is the last of the panel
    """
    found = []
    for letter, formula, never, unknown in conditions:
        inputs = ", ".join(missing_inputs(formula, panel))
        if inputs:
            found.append(Note.make("never" if never else "partly", id=letter, formula=formula, inputs=inputs))
        elif unknown:
            found.append(Note.make("unknown_everywhere", id=letter, formula=formula))
    for formula in columns:
        inputs = ", ".join(missing_inputs(formula, panel))
        if never_known(formula, panel):
            found.append(Note.make("column", formula=formula, inputs=inputs))
    found += [Note.make("unknown_flag", flag=flag, count=count) for flag, count in unknown_flags.items() if count]
    found += [Note.make("unknown_list", name=name) for name in unknown_lists]
    read = {name for formula in (*(item[1] for item in conditions), *columns) for name in check(formula).inputs}
    if panel.tv_estimated and "tv" in read:
        found.append(Note.make("estimated_value"))
    if not latest and "sector" in read:
        found.append(Note.make("sectors_of_today"))
    return tuple(found)
