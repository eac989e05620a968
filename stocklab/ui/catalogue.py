"""How factors and daily fields are named, grouped and found in the user's language."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from stocklab.factors import CATALOGUE, Factor
from stocklab.factors.naming import FACTOR_ALIASES
from stocklab.factors.status import State
from stocklab.strategy.labels import label, unit_of
from stocklab.ui import cached
from stocklab.ui.text import LANGUAGES, N_, Language, _, language

__all__ = [
    "ALIASES",
    "CATEGORIES",
    "FIELDS",
    "TYPES",
    "UNITS",
    "category_name",
    "category_of",
    "factor_label",
    "factor_labels",
    "factor_name",
    "options",
    "search",
    "unit_of",
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


def _aliases() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for alias, name in FACTOR_ALIASES.items():
        found[name] = (*found.get(name, ()), alias)
    return found


ALIASES: Final[Mapping[str, tuple[str, ...]]] = _aliases()
"""Factor or field -> the other names users type (docs/factors.md, section 13)."""


def category_name(category: str) -> str:
    """Name of a category in the user's language."""
    return _(CATEGORIES.get(category, category))


def factor_name(factor_id: str) -> str:
    """Name of a factor or daily field in the user's language; the id itself when it is neither."""
    return label(factor_id, language())


def factor_label(factor_id: str) -> str:
    """What a picker shows: both names, the id and the other names people use, so that typing any of them finds it.

    One that the current data cannot compute says so, and which inputs are missing.
    """
    return factor_labels().get(factor_id, factor_id)


def factor_labels() -> Mapping[str, str]:
    """`factor_label` of every factor and field, looked up once for a whole picker."""
    statuses = cached.factor_statuses()
    lacking = tuple((key, status.missing) for key, status in statuses.items() if status.state is State.LACKING)
    return _labels(language(), lacking)


@lru_cache(maxsize=2 * len(LANGUAGES))
def _labels(chosen: Language, lacking: tuple[tuple[str, tuple[str, ...]], ...]) -> Mapping[str, str]:
    other: Language = "en" if chosen == "ko" else "ko"
    reasons = dict(lacking)
    found = {}
    for key in (*FIELDS, *CATALOGUE):
        names = [label(key, chosen), label(key, other), key, *ALIASES.get(key, ())]
        if key in reasons:
            missing = _shortened([label(name, chosen) for name in reasons[key]])
            # after the name: a browser ranks what begins with the typed word first
            names[0] += f" ⊘ [{_('no data: {names}').format(names=missing)}]"
        found[key] = " · ".join(dict.fromkeys(names))
    return found


def _shortened(names: list[str], most: int = 2) -> str:
    """The first names, and how many more there are."""
    return ", ".join(names[:most]) + (f" +{len(names) - most}" if len(names) > most else "")


@lru_cache(maxsize=64)
def options(category: str | None = None) -> tuple[str, ...]:
    """Ids a rule may use, by category and catalogue order; None is all categories."""
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


def search(text: str, *, category: str | None = None, kind: str | None = None, unit: str | None = None) -> list[Factor]:
    """Catalogue factors whose id, names, aliases or source hold every word of ``text``, in catalogue order.

    Blanks and capitals do not count: 매출성장 finds 매출 성장.
    """
    words = text.casefold().split()
    return [
        factor
        for factor in CATALOGUE.values()
        if category in (None, factor.category)
        and kind in (None, factor.type)
        and unit in (None, factor.unit)
        and all(word in _haystacks()[factor.id] for word in words)
    ]


@lru_cache(maxsize=1)
def _haystacks() -> Mapping[str, str]:
    found = {}
    for factor in CATALOGUE.values():
        said = (factor.id, factor.name_ko, factor.name_en, *ALIASES.get(factor.id, ()), factor.source)
        text = " ".join(said).casefold()
        found[factor.id] = f"{text} {text.replace(' ', '')}"
    return found
