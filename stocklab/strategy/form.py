"""Rules of a document as lines of the condition builder, and back.

A line is a row where rows can say the formula exactly, else the formula as text: nothing is lost either way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stocklab.errors import InputError
from stocklab.strategy.document import Rule
from stocklab.strategy.rows import Row, formula_of, row_of

__all__ = ["RuleLine", "lines_of", "rules_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """One line of the builder: a ``row``, or ``text`` for a formula that is no row.

    Raises
    ------
    InputError
        Both or neither are given.
    """

    id: str
    row: Row | None = None
    text: str | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if (self.row is None) is (self.text is None):
            found = "neither" if self.row is None else "both"
            raise InputError(f"Line {self.id} is either a row or a text; found {found}.")

    @property
    def formula(self) -> str:
        """The line in the notation."""
        return formula_of(self.row) if self.row is not None else self.text or ""


def lines_of(rules: Iterable[Rule]) -> tuple[RuleLine, ...]:
    """Lines of the builder for the rules of a document."""
    lines = []
    for rule in rules:
        row = row_of(rule.formula)
        lines.append(RuleLine(id=rule.id, row=row, text=rule.formula if row is None else None, note=rule.note))
    return tuple(lines)


def rules_of(lines: Sequence[RuleLine]) -> tuple[Rule, ...]:
    """Rules of a document for lines of the builder; ``rules_of(lines_of(rules)) == rules`` up to blanks in formulas."""
    return tuple(Rule(id=line.id, formula=line.formula, note=line.note) for line in lines)
