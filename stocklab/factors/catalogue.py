"""The factor catalogue: 306 rows of package data, each a formula with its names, unit and direction."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Final

__all__ = ["CATALOGUE", "Factor"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One row of catalogue.csv; the columns are described in docs/factors.md, section 1.

    ``type`` is FUNDAMENTAL, TECHNICAL, MARKET or COMPOSITE; ``higher_is_better`` 1, -1 or 0 (no direction);
    ``tokens`` the bracketed marks that open ``notes``, such as ``nofin`` or ``xs``.
    """

    id: str
    name_ko: str
    name_en: str
    category: str
    type: str
    formula: str
    inputs: tuple[str, ...]
    lookback: str
    unit: str
    higher_is_better: int
    ta_lib: str
    source: str
    notes: str
    tokens: tuple[str, ...]

    @property
    def update_frequency(self) -> str:
        """ "daily", or "filing" where statement items enter: those move only when a report is received.

        >>> CATALOGUE["rsi_14"].update_frequency, CATALOGUE["roe"].update_frequency
        ('daily', 'filing')
        """
        return "filing" if self.notes.rpartition("PIT=")[2] == "filing" else "daily"


def _load() -> Mapping[str, Factor]:
    text = files("stocklab.factors").joinpath("catalogue.csv").read_text(encoding="utf-8")
    factors = [_factor(row) for row in csv.DictReader(text.splitlines())]
    return MappingProxyType({factor.id: factor for factor in factors})


def _factor(row: dict[str, str]) -> Factor:
    tokens = []
    rest = row["notes"]
    while rest.startswith("["):
        token, _, rest = rest[1:].partition("]")
        tokens.append(token)
        rest = rest.lstrip()
    return Factor(
        id=row["id"],
        name_ko=row["name_ko"],
        name_en=row["name_en"],
        category=row["category"],
        type=row["type"],
        formula=row["formula"],
        inputs=tuple(row["inputs"].split(";")),
        lookback=row["lookback"],
        unit=row["unit"],
        higher_is_better=int(row["higher_is_better"]),
        ta_lib=row["ta_lib"],
        source=row["source"],
        notes=row["notes"],
        tokens=tuple(tokens),
    )


CATALOGUE: Final[Mapping[str, Factor]] = _load()
