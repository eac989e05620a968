"""Who speaks: the language, and what the document's own factors are called in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from stocklab.strategy.document import OwnFactor
from stocklab.strategy.labels import Language, noun, unit_of

__all__ = ["Voice"]


@dataclass(frozen=True, slots=True)
class Voice:
    """Names things in one language; ``own`` maps the id of an own factor to its name and unit."""

    language: Language
    own: Mapping[str, tuple[str, str]]

    @classmethod
    def of(cls, language: Language, own: Sequence[OwnFactor]) -> Self:
        """A voice that knows these own factors."""
        return cls(language, {factor.id: (factor.name or factor.id, factor.unit) for factor in own})

    @property
    def korean(self) -> bool:
        """Whether it speaks Korean; else English."""
        return self.language == "ko"

    def noun(self, name: str) -> str:
        """A factor, field or item as it stands inside a sentence; own factors are quoted, as people named them."""
        if name in self.own:
            title = self.own[name][0]
            return f"'{title}'" if self.korean else f'"{title}"'
        return noun(name, self.language)

    def unit(self, name: str) -> str:
        """Its unit as the catalogue writes it, "" where none."""
        return self.own[name][1] if name in self.own else unit_of(name)
