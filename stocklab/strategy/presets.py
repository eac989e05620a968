"""Ready-made strategies from the literature, each with its source and a plain explanation.

Package data: one JSON file each in ``presets/``. Twelve need only prices and volumes; the others read company reports,
and `stocklab.backtest.preset_coverage` says which of them some data can run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from stocklab.errors import InputError
from stocklab.strategy.document import Strategy, Tags
from stocklab.strategy.labels import Language

__all__ = ["PRESETS", "Explanation", "Preset", "Source", "find_preset"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The published work a preset follows."""

    authors: str
    year: int
    title: str
    publication: str

    def __str__(self) -> str:
        return f"{self.authors} ({self.year}). {self.title}. {self.publication}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """In plain words: what it does, why it may work, when it fails, how it differs from its source."""

    what: str
    why: str
    fails: str
    differs: str

    @property
    def text(self) -> str:
        """The four parts as paragraphs."""
        return "\n\n".join((self.what, self.why, self.fails, self.differs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One ready-made strategy."""

    id: str
    name_ko: str
    name_en: str
    citation: Source
    words_ko: Explanation
    words_en: Explanation
    strategy: Strategy

    @property
    def source(self) -> str:
        """The citation as one line."""
        return str(self.citation)

    @property
    def explanation_ko(self) -> str:
        """Korean explanation as paragraphs."""
        return self.words_ko.text

    @property
    def explanation_en(self) -> str:
        """English explanation as paragraphs."""
        return self.words_en.text

    @property
    def tags(self) -> Tags:
        """Style, horizon and risk."""
        return self.strategy.tags

    def name(self, language: Language) -> str:
        """Name in a language."""
        return self.name_ko if language == "ko" else self.name_en

    def words(self, language: Language) -> Explanation:
        """Explanation in a language."""
        return self.words_ko if language == "ko" else self.words_en

    def as_json(self) -> dict[str, Any]:
        """Plain values, as the package data has them."""

        def words(part: Explanation) -> dict[str, str]:
            return {"what": part.what, "why": part.why, "fails": part.fails, "differs": part.differs}

        source = self.citation
        return {
            "id": self.id,
            "name_ko": self.name_ko,
            "name_en": self.name_en,
            "source": {
                "authors": source.authors,
                "year": source.year,
                "title": source.title,
                "publication": source.publication,
            },
            "words_ko": words(self.words_ko),
            "words_en": words(self.words_en),
            "strategy": self.strategy.model_dump(mode="json"),
        }


def _load() -> Mapping[str, Preset]:
    folder = files("stocklab.strategy").joinpath("presets")
    found = [json.loads(file.read_text(encoding="utf-8")) for file in folder.iterdir() if file.name.endswith(".json")]
    presets = {data["id"]: _preset(data) for data in sorted(found, key=lambda data: str(data["name_en"]))}
    return MappingProxyType(presets)


def _preset(data: dict[str, Any]) -> Preset:
    return Preset(
        id=data["id"],
        name_ko=data["name_ko"],
        name_en=data["name_en"],
        citation=Source(**data["source"]),
        words_ko=Explanation(**data["words_ko"]),
        words_en=Explanation(**data["words_en"]),
        strategy=Strategy.model_validate_json(json.dumps(data["strategy"]), strict=True),
    )


PRESETS: Final[Mapping[str, Preset]] = _load()
"""Presets by id, in the order of their English names."""


def find_preset(preset_id: str) -> Preset:
    """The preset of an id.

    Raises
    ------
    InputError
        There is none; the nearest is named.
    """
    if preset_id in PRESETS:
        return PRESETS[preset_id]
    near = get_close_matches(preset_id.lower(), PRESETS, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(PRESETS)}."
    raise InputError(f"No preset is called {preset_id!r}. Hint: {hint}")
