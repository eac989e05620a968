"""What docs/factors.md and the catalogue say: items, parameters, derived inputs, factors, golden values."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["DERIVED", "FACTORS", "GOLDEN", "ITEMS", "PARAMETERS", "Row", "table"]

ROOT: Final = Path(__file__).resolve().parents[3]
_TEXT: Final = (ROOT / "docs" / "factors.md").read_text(encoding="utf-8")


def table(after: str) -> Iterator[list[str]]:
    """Cells of the first table behind a mark, its two head lines left out."""
    lines = _TEXT[_TEXT.index(after) :].splitlines()[1:]
    first = next(place for place, line in enumerate(lines) if line.startswith("|"))
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


@dataclass(frozen=True, slots=True)
class Row:
    """One factor of the catalogue."""

    id: str
    formula: str
    daily: int  # bars of the lookback, 0 = none
    quarters: int
    tokens: frozenset[str]


def _factors() -> dict[str, Row]:
    with (ROOT / "stocklab" / "factors" / "catalogue.csv").open(encoding="utf-8", newline="") as lines:
        found = {}
        for row in csv.DictReader(lines):
            needed = {part[-1]: int(part[:-1]) for part in row["lookback"].split(";")}
            tokens = frozenset(re.findall(r"\[(\w+)\]", row["notes"]))
            found[row["id"]] = Row(row["id"], row["formula"], needed.get("d", 0), needed.get("q", 0), tokens)
        return found


def _plain(cell: str) -> str:
    return cell.strip("`")


FACTORS: Final = _factors()
ITEMS: Final = {_plain(cells[0]): cells[3] for cells in table("<!-- inputs:items -->")}  # "flow" or "stock"
PARAMETERS: Final = {_plain(cells[0]): float(cells[1]) for cells in table("<!-- inputs:params -->")}
DERIVED: Final = {_plain(cells[0]): _plain(cells[2]) for cells in table("<!-- inputs:derived -->")}
GOLDEN: Final = {cells[0]: (cells[1], cells[2]) for cells in table("Check sums over 300 bars")}
