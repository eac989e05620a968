"""Texts as the search sees them: folded, and cut into pairs of neighbouring characters (bigrams).

Korean has no blanks where a reader would look for words, and endings are glued to them, so that words are no unit to
search by. Every pair of neighbours within a word is one, and every character alone.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Collection
from typing import Final

from stocklab.operations.inserting import storable

__all__ = ["MOST_TERMS", "fold", "fts_text", "grams", "terms", "wanted_grams"]

MOST_TERMS: Final = 8
_LONGEST: Final = 80
_QUERY: Final = re.compile(r'"([^"]*)"|(\S+)')
_UNIT: Final = 1 << 16
_SIGN: Final = 1 << 31
_ACROSS: Final = 0x5A5A_5A5A


def fold(text: str) -> str:
    """The text without differences of width, composition and case, blanks drawn together.

    >>> fold("ＳＫ  하이닉스\\n삼성")
    'sk 하이닉스 삼성'
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", storable(text)).casefold())
    return " ".join(folded.split())


def grams(folded: str) -> set[int]:
    """Every character and every pair of neighbours within a word of a folded text, and for phrases every pair across a
    blank in numbers of its own; as signed 32-bit numbers.

    Two things may share a number where rare characters are in them, which costs a look at the text and no more.

    >>> sorted(grams("ab")) == sorted([ord("a"), ord("b"), ord("a") * 65536 + ord("b")])
    True
    """
    found: set[int] = set()
    before = None
    for word in folded.split():
        codes = [ord(letter) % _UNIT for letter in word]
        found.update(codes)
        if before is not None:
            found.add(_signed((before * _UNIT + codes[0]) ^ _ACROSS))
        before = codes[-1]
        found.update(_signed(first * _UNIT + second) for first, second in itertools.pairwise(codes))
    return found


def wanted_grams(term: str) -> set[int]:
    """Grams that say enough of a term: a letter that stands in one of its pairs is not asked for by itself, as the many
    texts that hold it would have to be gone through.

    >>> wanted_grams("ab c") == grams("ab c") - {ord("a"), ord("b")}
    True
    """
    letters = {ord(letter) % _UNIT for word in term.split() if len(word) > 1 for letter in word}
    alone = {ord(word) % _UNIT for word in term.split() if len(word) == 1}
    return grams(term) - (letters - alone) or grams(term)


def fts_text(numbers: Collection[int]) -> str:
    """Grams as words of ASCII, for SQLite's full-text table."""
    return " ".join(f"{number + _SIGN:08x}" for number in sorted(numbers))


def terms(query: str) -> tuple[str, ...]:
    """What must stand in a text: each word of a query, and each phrase in quotes with its blanks.

    >>> terms('저PBR "배당  성장" 주')
    ('저pbr', '배당 성장', '주')
    """
    found: list[str] = []
    for phrase, word in _QUERY.findall(fold(query[: 4 * _LONGEST]).replace("“", '"').replace("”", '"')):
        term = " ".join((phrase or word).split()).strip('"')[:_LONGEST].strip()
        if term and term not in found:
            found.append(term)
    return tuple(found[:MOST_TERMS])


def _signed(number: int) -> int:
    return number - 2 * _SIGN if number >= _SIGN else number
