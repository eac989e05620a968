"""Korean particles, which depend on how the word before them ends when read aloud."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["ends_in_consonant", "with_particle"]

_FIRST_SYLLABLE: Final = 0xAC00
_LAST_SYLLABLE: Final = 0xD7A3
_FINALS: Final = 28
_RIEUL: Final = 8
# 영 일 이 삼 사 오 육 칠 팔 구; L 엘, M 엠, N 엔, R 알: the letters and digits whose names end in a consonant
_CONSONANT_ENDINGS: Final = frozenset("013678lmnrLMNR")
_RIEUL_ENDINGS: Final = frozenset("178lrLR")
_CLOSING_BRACKET: Final = re.compile(r"\s*\([^()]*\)\s*$")


def _last_sound(word: str) -> str:
    """Last character read aloud: brackets at the end and punctuation are skipped."""
    spoken = _CLOSING_BRACKET.sub("", word) or word
    return next((char for char in reversed(spoken) if char.isalnum() or char == "%"), "")


def ends_in_consonant(word: str) -> bool:
    """Whether the word ends in a final consonant (받침) when read.

    >>> [ends_in_consonant(word) for word in ("종가", "이동평균", "PER(주가수익비율)", "ROE", "10%", "10")]
    [False, True, True, False, False, True]
    """
    last = _last_sound(word)
    if last and _FIRST_SYLLABLE <= ord(last) <= _LAST_SYLLABLE:
        return (ord(last) - _FIRST_SYLLABLE) % _FINALS != 0
    return last in _CONSONANT_ENDINGS


def with_particle(word: str, pair: str) -> str:
    """The word with the right one of a pair such as "이/가", "은/는", "을/를", "과/와" or "으로/로".

    The form after a consonant comes first. After ㄹ, 으로 becomes 로.

    >>> with_particle("종가", "이/가"), with_particle("변동성(20일)", "은/는"), with_particle("거래량", "과/와")
    ('종가가', '변동성(20일)은', '거래량과')
    >>> with_particle("서울", "으로/로"), with_particle("시장", "으로/로")
    ('서울로', '시장으로')
    """
    after_consonant, after_vowel = pair.split("/")
    consonant = ends_in_consonant(word)
    if after_consonant == "으로" and consonant:
        last = _last_sound(word)
        syllable = _FIRST_SYLLABLE <= ord(last) <= _LAST_SYLLABLE
        rieul = (ord(last) - _FIRST_SYLLABLE) % _FINALS == _RIEUL if syllable else last in _RIEUL_ENDINGS
        consonant = not rieul
    return word + (after_consonant if consonant else after_vowel)
