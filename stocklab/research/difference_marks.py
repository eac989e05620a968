"""A difference between a run and its replay, by indices, and the words for its values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

__all__ = ["KEPT", "Mark", "number_words"]

KEPT: Final = 3
"""Differences described for each part and session; the others are counted."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A difference by indices: ``count`` cells or records, of which this is one. ``symbol`` -1: about none."""

    part: str
    count: int
    session: int
    symbol: int
    run: str
    replay: str


def number_words(value: Any) -> str:
    """A value of a table or record."""
    number = value.item() if hasattr(value, "item") else value
    if isinstance(number, bool):
        return "yes" if number else "no"
    if isinstance(number, float):
        return "unknown" if np.isnan(number) else f"{number:.10g}"
    return f"{number:,}"
