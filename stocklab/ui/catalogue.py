"""How factors and daily fields are named, grouped and found in the user's language."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from stocklab.factors import CATALOGUE, Factor
from stocklab.strategy.labels import label, unit_of
from stocklab.ui.text import LANGUAGES, N_, Language, _, language

__all__ = [
    "CATEGORIES",
    "FIELDS",
    "TYPES",
    "UNITS",
    "category_name",
    "category_of",
    "factor_label",
    "factor_name",
    "options",
    "search",
    "unit_of",
    "usable",
]

FIELD_CATEGORY: Final = "field"
CATEGORIES: Final[Mapping[str, str]] = {
    FIELD_CATEGORY: N_("Price and volume"),
    "momentum": N_("Momentum"),
    "technical": N_("Technical"),
    "risk": N_("Risk"),
    "liquidity_flow": N_("Liquidity and flow"),
    "size": N_("Size"),
    "value": N_("Value"),
    "growth": N_("Growth"),
    "quality": N_("Quality"),
    "seasonality": N_("Seasonality"),
    "composite": N_("Composite"),
}
TYPES: Final[Mapping[str, str]] = {
    "FUNDAMENTAL": N_("Fundamental"),
    "TECHNICAL": N_("Technical"),
    "MARKET": N_("Market"),
    "COMPOSITE": N_("Composite"),
    "CUSTOM": N_("Custom"),
}
UNITS: Final[Mapping[str, str]] = {
    "%": "%",
    "x": N_("times"),
    "KRW": N_("KRW"),
    "score": N_("score"),
    "ratio": N_("ratio"),
    "days": N_("days"),
    "shares": N_("shares"),
    "count": N_("count"),
    "bool": N_("1 or 0"),
}
FIELDS: Final = ("close", "open", "high", "low", "volume", "tv", "mcap", "list_age")
"""Daily fields a row may use beside the factors."""


def category_name(category: str) -> str:
    """Name of a category in the user's language."""
    return _(CATEGORIES.get(category, category))


def factor_name(factor_id: str) -> str:
    """Name of a factor or daily field in the user's language; the id itself when it is neither."""
    return label(factor_id, language())


def factor_label(factor_id: str) -> str:
    """What a picker shows: both names and the id, so that typing any of them finds it."""
    return _labels(language()).get(factor_id, factor_id)


def usable(factor_id: str) -> bool:
    """Whether this version can compute it."""
    return factor_id in FIELDS or (factor_id in CATALOGUE)


@lru_cache(maxsize=len(LANGUAGES))
def _labels(chosen: Language) -> Mapping[str, str]:
    other: Language = "en" if chosen == "ko" else "ko"
    return {key: f"{label(key, chosen)} · {label(key, other)} · {key}" for key in (*FIELDS, *CATALOGUE)}


@lru_cache(maxsize=64)
def options(category: str | None = None) -> tuple[str, ...]:
    """Ids a rule may use, by category and catalogue order; None is all categories. Computable ones only."""
    found: list[str] = []
    for name in CATEGORIES:
        if category not in (None, name):
            continue
        if name == FIELD_CATEGORY:
            found += FIELDS
        found += [factor.id for factor in CATALOGUE.values() if factor.category == name]
    return tuple(found)


def category_of(factor_id: str) -> str:
    """Category of a factor or field."""
    factor = CATALOGUE.get(factor_id)
    return FIELD_CATEGORY if factor is None else factor.category


def search(text: str, *, category: str | None = None, kind: str | None = None) -> list[Factor]:
    """Catalogue factors whose id, names or source hold every word of ``text``, in catalogue order."""
    words = text.lower().split()
    return [
        factor
        for factor in CATALOGUE.values()
        if category in (None, factor.category)
        and kind in (None, factor.type)
        and all(word in _haystack(factor) for word in words)
    ]


def _haystack(factor: Factor) -> str:
    return f"{factor.id} {factor.name_ko} {factor.name_en} {factor.source}".lower()
