"""Words of an alert in both languages, made of its kind and its parameters whenever they are shown or sent."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from stocklab.alerts.kinds import AlertKind
from stocklab.alerts.sentences import SENTENCES, Said
from stocklab.alerts.word_lists import WORDS

__all__ = ["Language", "Said", "filled_in", "say", "say_many"]

Language = Literal["ko", "en"]
_MOST_LINES: Final = 20
_LONGEST_VALUE: Final = 4000


_SUMMARY: Final[Mapping[str, Said]] = {
    "ko": Said("알림 {count}건: {title}", "{text}{more}"),
    "en": Said("{count} alerts: {title}", "{text}{more}"),
}
_MORE: Final[Mapping[str, str]] = {"ko": "\n… 그 밖에 {count}건", "en": "\n… and {count} more"}


class _Filled(string.Formatter):
    """Puts values into a sentence as texts; a missing one is a dash, and no attribute or index is followed."""

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        """The value under the whole name."""
        del args
        return kwargs.get(field_name, "–"), field_name


def say(kind: AlertKind, params: Mapping[str, Any], language: Language) -> Said:
    """The words of an alert. Parameters that it lacks are shown as a dash; those it does not use are left out."""
    sentence = SENTENCES[kind][language]
    title = " ".join(filled_in(sentence.title, params, language).split())
    return Said(title[:200], filled_in(sentence.text, params, language).strip())


def filled_in(sentence: str, params: Mapping[str, Any], language: Language) -> str:
    """A sentence of ours with its parameters: codes in words, numbers with their thousands, a dash for what is missing.

    >>> filled_in("{count} of {symbol}", {"count": 1200, "symbol": "005930"}, "en")
    '1,200 of 005930'
    """
    shown = {name: _shown(name, value, language) for name, value in params.items()}
    return _Filled().vformat(sentence, (), shown)


def say_many(kind: AlertKind, all_params: Sequence[Mapping[str, Any]], language: Language) -> Said:
    """One message for a burst of alerts of a kind: a line for each, up to twenty."""
    said = [say(kind, params, language) for params in all_params]
    lines = "\n".join(f"- {one.text.splitlines()[0] if one.text else one.title}" for one in said[:_MOST_LINES])
    rest = len(said) - _MOST_LINES
    more = _MORE[language].format(count=rest) if rest > 0 else ""
    sentence = _SUMMARY[language]
    return Said(sentence.title.format(count=len(said), title=said[0].title)[:200], lines + more)


def _shown(name: str, value: Any, language: Language) -> str:
    """A parameter as a text: codes in words, numbers with their thousands."""
    if isinstance(value, str):
        known = WORDS.get(name, {}).get(value)
        return (known[language] if known is not None else value)[:_LONGEST_VALUE]
    if isinstance(value, bool):
        known = WORDS.get(name, {}).get(str(value).lower())
        return known[language] if known is not None else str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return "–" if value is None else str(value)[:_LONGEST_VALUE]
