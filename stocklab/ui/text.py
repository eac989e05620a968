"""The user's language: English message ids, a complete Korean catalogue, and the words for every error.

Code writes ``_("Run")``; the Korean catalogue is read from its ``.po`` file at the first use, so no build step is
needed. ``N_`` marks a message that is looked up later. The language is the session's (``?lang=``), else the
``language`` setting.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Final, Literal

import streamlit as st
from babel.messages.pofile import read_po
from streamlit.runtime.scriptrunner import get_script_run_ctx

from stocklab.errors import (
    AccountFault,
    BrokenInput,
    Cancelled,
    DataError,
    DocumentError,
    FormulaError,
    InputError,
    JobError,
    JobNotFound,
    LimitReached,
    ResultNotFound,
    ResultOutdated,
    StockLabError,
    StoreError,
)
from stocklab.settings import load_settings
from stocklab.ui import format as fmt
from stocklab.ui.account_faults import ACCOUNT_FAULTS
from stocklab.ui.mark import N_
from stocklab.ui.people_faults import PEOPLE_FAULTS

__all__ = [
    "LANGUAGES",
    "LANGUAGE_KEY",
    "LOCALE",
    "N_",
    "PERIODS",
    "REMEMBERED",
    "Language",
    "_",
    "default_language",
    "fault_text",
    "for_error",
    "headline",
    "language",
    "pick",
    "settle_language",
    "speaking",
    "wait_words",
]

Language = Literal["ko", "en"]
LANGUAGES: Final[Mapping[str, str]] = {"ko": "한국어", "en": "English"}
LANGUAGE_KEY: Final = "lang"
REMEMBERED: Final = "remembered_"
LOCALE: Final = Path(__file__).parent / "locale"

_spoken: ContextVar[Language | None] = ContextVar("spoken", default=None)


@cache
def default_language() -> Language:
    """Language a new visitor sees: the ``language`` setting."""
    return load_settings().language


def language() -> Language:
    """Language of this session; outside of one, the default."""
    forced = _spoken.get()
    if forced is not None:
        return forced
    if get_script_run_ctx(suppress_warning=True) is None:
        return default_language()
    for chosen in (
        st.session_state.get(LANGUAGE_KEY),  # the switch, as it stands on this page
        st.query_params.get(LANGUAGE_KEY),
        st.session_state.get(REMEMBERED + LANGUAGE_KEY),  # the switch, as it stood on the page before
    ):
        if chosen in LANGUAGES:
            return "en" if chosen == "en" else "ko"
    return default_language()


def settle_language() -> Language:
    """Decide the language once for this run of a script, so that each word costs a lookup and no more.

    A fragment's own run does not come by here; there the session is asked for each word.
    """
    _spoken.set(None)
    chosen = language()
    _spoken.set(chosen)
    return chosen


@contextmanager
def speaking(chosen: Language) -> Iterator[None]:
    """Speak one language within the block, whatever the session says."""
    token = _spoken.set(chosen)
    try:
        yield
    finally:
        _spoken.reset(token)


@cache
def _catalogue(chosen: Language) -> Mapping[str, str]:
    file = LOCALE / chosen / "LC_MESSAGES" / "stocklab.po"
    with file.open("rb") as stream:
        messages = read_po(stream, locale=chosen)
    return {str(message.id): str(message.string) for message in messages if message.id and message.string}


def _(message: str) -> str:
    """The message in the user's language; an English id without a translation is shown as it is."""
    chosen = language()
    return message if chosen == "en" else _catalogue(chosen).get(message, message)


def pick(korean: str, english: str) -> str:
    """The one of two texts that data carries in both languages."""
    return english if language() == "en" else korean


PERIODS: Final[Mapping[str, str]] = {
    "daily": N_("Daily"),
    "weekly": N_("Weekly"),
    "monthly": N_("Monthly"),
    "quarterly": N_("Quarterly"),
    "yearly": N_("Yearly"),
}
"""How often a book is moved to its target weights: the word of the document and its message."""

_HEADLINES: Final[tuple[tuple[type[StockLabError], str], ...]] = (
    (FormulaError, N_("The formula cannot be used.")),
    (DocumentError, N_("The strategy has settings to correct.")),
    (ResultOutdated, N_("The market data or the program changed since this run. Run it again, then ask again.")),
    (InputError, N_("Something that was entered is not valid.")),
    (
        ResultNotFound,
        N_("This result is not stored here. It may have been removed to free space, or the link is wrong."),
    ),
    (BrokenInput, N_("The file was refused and nothing was changed.")),
    (StoreError, N_("The market data store cannot be read right now.")),
    (DataError, N_("Market data needed for this is missing or damaged.")),
    (JobNotFound, N_("There is no such backtest or sweep under way. Finished ones stand in the list.")),
    (JobError, N_("The job cannot be started or found.")),
    (Cancelled, N_("The work was stopped on request. Nothing was stored.")),
)


_SAID_WHOLE: Final = (
    *(AccountFault, Cancelled, JobNotFound, LimitReached, ResultNotFound, ResultOutdated),
    *(kind for kind, _message in PEOPLE_FAULTS),
)
"""Errors whose sentence in the user's language says all there is."""

_FAULTS: Final[Mapping[str, str]] = {
    "unknown_name": N_("This name is not known."),
    "unknown_function": N_("This function is not known."),
    "unknown_key": N_("This setting is not known."),
    "unknown_version": N_("This version of the document is not known."),
    "missing_input": N_("The loaded data lack what this needs."),
    "missing": N_("This setting is required."),
    "empty": N_("Nothing was entered."),
    "incomplete": N_("The formula stops in the middle."),
    "parenthesis": N_("The parentheses do not match."),
    "character": N_("This character does not belong here."),
    "number": N_("This number cannot be used here."),
    "arity": N_("The function takes another number of arguments."),
    "keyword": N_("The function has no such argument."),
    "window": N_("This length is not possible."),
    "kind": N_("Another kind of value is needed here."),
    "chained": N_("Join two comparisons with &."),
    "forbidden": N_("This is not part of the formula language."),
    "syntax": N_("This cannot be read as a formula."),
    "too_deep": N_("This is nested too deeply."),
    "too_long": N_("This is too long."),
    "too_many": N_("These are too many."),
    "not_condition": N_("A condition is needed here, such as a comparison; this is a value."),
    "logic_syntax": N_("This cannot be read as logic."),
    "logic_unknown_letter": N_("The logic names a condition that does not exist."),
    "needs_ranking": N_("This needs a ranking."),
    "needs_entry_rules": N_("This needs conditions to buy."),
    "repeated_letter": N_("This letter is used more than once."),
    "repeated_month": N_("This month is used more than once."),
    "repeated_key": N_("This setting is there twice."),
    "range": N_("This value is out of range."),
    "choice": N_("This is not one of the choices."),
    "type": N_("Another type of value is needed."),
    "length": N_("This has the wrong length."),
    "pattern": N_("This has the wrong form."),
    "json": N_("This is not valid JSON."),
    "cycle": N_("This is defined by itself."),
    "own_factor_order": N_("An own factor can use only those above it."),
    "own_factor_fault": N_("An own factor used here has a fault of its own."),
    "name_taken": N_("This name already means something in the formula language."),
    "repeated_name": N_("This name is used more than once."),
    "market_inputs": N_("A market filter knows only the close of the index."),
    "ambiguous": N_("Several factors have this name."),
}


def fault_text(code: str, message: str) -> str:
    """A fault in the user's language: what its code means, then, as the program says it, what exactly was found."""
    if language() == "en" or code not in _FAULTS:
        return message
    return f"{_(_FAULTS[code])} ({message})"


def wait_words(wait: timedelta) -> str:
    """A time to wait, rounded up, in the largest two units that say something."""
    seconds = max(1, math.ceil(wait.total_seconds()))
    if seconds < 60:
        return _("{seconds} seconds").format(seconds=seconds)
    minutes = -(-seconds // 60)
    if minutes < 60:
        return _("{minutes} minutes").format(minutes=minutes)
    return _("{hours} hours {minutes} minutes").format(hours=minutes // 60, minutes=minutes % 60)


def headline(error: StockLabError) -> str:
    """One sentence in the user's language for the class of an error, or for what exactly was wrong with an account."""
    if isinstance(error, LimitReached):
        return _("This was done too often. Try again in {wait}.").format(wait=wait_words(error.wait))
    if isinstance(error, AccountFault) and error.code in ACCOUNT_FAULTS:
        values = {name: fmt.moment(value) if name == "until" else value for name, value in error.values.items()}
        return _(ACCOUNT_FAULTS[error.code]).format(**values)
    for kind, message in (*PEOPLE_FAULTS, *_HEADLINES):
        if isinstance(error, kind):
            return _(message)
    return _("Something outside failed.")


def for_error(error: StockLabError) -> str:
    """Markdown for an error: the sentence of its class, then what exactly was found.

    A formula shows the text with a caret under the fault; a document lists every fault with its field.
    """
    lines = [f"**{headline(error)}**"]
    if isinstance(error, FormulaError):
        lines += [fault_text(error.code, error.reason), f"```text\n{error.pointer()}\n```"]
    elif isinstance(error, DocumentError):
        lines.append("\n".join(f"- `{one.path or '·'}` {fault_text(one.code, one.message)}" for one in error.faults))
    elif not isinstance(error, _SAID_WHOLE):
        lines.append(str(error))
    return "\n\n".join(lines)
