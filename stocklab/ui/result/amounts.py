"""Values of formulas as an explanation shows them: with their name and unit, in a few digits."""

from __future__ import annotations

from collections.abc import Sequence

from stocklab.research.explain.lines import amount_text
from stocklab.strategy.document import OwnFactor
from stocklab.strategy.labels import unit_of
from stocklab.strategy.words import describe_value
from stocklab.ui import format as fmt
from stocklab.ui.text import language

__all__ = ["amount", "named_value"]


def amount(value: str | float | None) -> str:
    """A number in a few digits; text as it is, a dash where nothing is known."""
    return fmt.DASH if value is None else amount_text(value)


def named_value(formula: str, value: float | None, own: Sequence[OwnFactor] = ()) -> str:
    """A side of a comparison: what it is called and its value; a plain number is its own name."""
    number = amount(value)
    try:
        float(formula)
    except ValueError:
        unit = "%" if unit_of(formula) == "%" and value is not None else ""
        return f"{describe_value(formula, language(), own)} {number}{unit}"
    return number
