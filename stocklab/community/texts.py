"""Limits of what people write, and cleaning it before it is kept."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

from stocklab.community.folding import fold
from stocklab.community.refusals import Refusal, RefusalCode
from stocklab.operations.inserting import storable

__all__ = ["BODY_LENGTH", "COMMENT_LENGTH", "MOST_TAGS", "TAG_LENGTH", "TITLE_LENGTH", "clean_tags", "clean_text"]

TITLE_LENGTH: Final = 120
BODY_LENGTH: Final = 10_000
COMMENT_LENGTH: Final = 2_000
TAG_LENGTH: Final = 30
MOST_TAGS: Final = 8


def clean_text(text: str, *, most: int, one_line: bool = False) -> str:
    """The text as it is kept: without NUL and half characters, trimmed.

    Raises
    ------
    Refusal
        EMPTY: nothing that can be read; TOO_LONG: more than ``most`` characters.
    """
    kept = storable(text).replace("\r\n", "\n")
    kept = " ".join(kept.split()) if one_line else kept.strip()
    if all(unicodedata.category(letter)[0] in "CZ" for letter in kept):  # nothing but blanks and invisible signs
        raise Refusal(RefusalCode.EMPTY, "Nothing was written.")
    if len(kept) > most:
        raise Refusal(RefusalCode.TOO_LONG, f"At most {most:,} characters, found {len(kept):,}.", most=most)
    return kept


def clean_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Tags folded, each once, without a leading #.

    Raises
    ------
    Refusal
        TOO_LONG or TOO_MANY.

    >>> clean_tags(["#배당 성장", " 배당　성장", "PER"])
    ('배당 성장', 'per')
    """
    found: list[str] = []
    for tag in tags:
        kept = fold(tag).lstrip("#").strip()
        if len(kept) > TAG_LENGTH:
            raise Refusal(RefusalCode.TOO_LONG, f"A tag has at most {TAG_LENGTH} characters.", most=TAG_LENGTH)
        if kept and kept not in found:
            found.append(kept)
    if len(found) > MOST_TAGS:
        raise Refusal(RefusalCode.TOO_MANY, f"At most {MOST_TAGS} tags, found {len(found)}.", most=MOST_TAGS)
    return tuple(found)
