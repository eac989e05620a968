"""Nearest known name for one that is not known, in the notation, Korean or English."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from stocklab.factors.catalogue import CATALOGUE
from stocklab.factors.functions import FUNCTIONS
from stocklab.factors.vocabulary import DERIVED, FIELDS, ITEMS, PARAMETERS

__all__ = ["FACTOR_ALIASES", "KOREAN_FUNCTIONS", "base_names", "exact_names", "nearest", "normal"]

_LONGEST_COMPARED = 60

# docs/factors.md, section 13: every name of one of the nine functions, first the Korean one that stands for it
KOREAN_FUNCTIONS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "기본값": ("값", "현재값", "당일값", "value", "current"),
        "과거값": ("이전값", "n일전값", "과거", "past", "lag"),
        "이동평균": ("이평", "평균", "기간평균", "ma", "sma", "average"),
        "비율": ("백분위", "백분율", "퍼센타일", "percentile", "pct"),
        "순위": ("랭킹", "랭크", "등수", "rank"),
        "최고값": ("최대값", "최댓값", "기간최고", "highest"),
        "최저값": ("최소값", "최솟값", "기간최저", "lowest"),
        "변화량_기간": ("변화량", "증감", "증감량", "change", "delta"),
        "변화율_기간": ("변화율", "증감률", "증가율", "change_rate", "roc"),
    }
)

_NOTATION: Final[Mapping[str, str]] = MappingProxyType(
    {
        "과거값": "lag",
        "이동평균": "sma",
        "비율": "xpct",
        "순위": "xrank",
        "최고값": "tmax",
        "최저값": "tmin",
        "변화량_기간": "delta",
        "변화율_기간": "growth",
    }
)

FACTOR_ALIASES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "등락률": "ret_1d",
        "5일수익률": "ret_1w",
        "ret_5d": "ret_1w",
        "eps": "eps_krw",
        "bps": "bps_krw",
        "ebitda": "ebitda_krw",
        "fcf": "fcf_krw",
        "현재가": "price_level",
        "종가": "close",
        "시가": "open",
        "고가": "high",
        "저가": "low",
        "거래량": "volume",
        "거래대금": "tv",
    }
)


def normal(text: str) -> str:
    """A name as it is compared: no spaces, lower case.

    >>> normal("매출액 성장률(1년)")
    '매출액성장률(1년)'
    """
    return "".join(text.split()).casefold()


@lru_cache(maxsize=1)
def exact_names() -> Mapping[str, str]:
    """Normal form of every id, Korean and English factor name, alias and field -> the name in the notation."""
    known = {normal(name): name for name in (*PARAMETERS, *ITEMS, *DERIVED, *FIELDS)}
    known |= {normal(factor.name_en): factor.id for factor in CATALOGUE.values()}
    known |= {normal(factor.name_ko): factor.id for factor in CATALOGUE.values()}
    known |= {factor_id: factor_id for factor_id in CATALOGUE}
    return MappingProxyType({**known, **FACTOR_ALIASES})


@lru_cache(maxsize=1)
def base_names() -> Mapping[str, tuple[str, ...]]:
    """Korean factor name without its parenthesis -> the factors that share it."""
    shared: dict[str, list[str]] = {}
    for factor in CATALOGUE.values():
        shared.setdefault(normal(factor.name_ko.partition("(")[0]), []).append(factor.id)
    return MappingProxyType({name: tuple(ids) for name, ids in shared.items() if name})


def nearest(name: str, *, functions: bool, kinds: Iterable[str] = ()) -> str | None:
    """The closest known name, or None when nothing is near.

    Parameters
    ----------
    name : str
        What was written.
    functions : bool
        Look among the functions instead of among fields, items and factors.
    kinds : iterable of str
        Names to consider instead of all, when the place allows only some.
    """
    if len(name) > _LONGEST_COMPARED:
        return None
    wanted = normal(name)
    if functions:
        spoken = {
            normal(word): _NOTATION[name]
            for name, aliases in KOREAN_FUNCTIONS.items()
            if name in _NOTATION
            for word in (name, *aliases)
        }
        pool: Mapping[str, str] = spoken | {word: word for word in FUNCTIONS}
    else:
        pool = {normal(word): word for word in kinds} or exact_names()
    if wanted in pool:
        return pool[wanted]
    if not functions and wanted in base_names():
        return base_names()[wanted][0]
    close = difflib.get_close_matches(wanted, pool, n=1, cutoff=0.6)
    return pool[close[0]] if close else None
