"""A slow, readable evaluator of the formula language, written from docs/factors.md alone; the oracle of the engine.

It shares no code with `stocklab.factors`: text is read with `ast`, names and formulas come from the tables of
docs/factors.md and the rows of catalogue.csv, statements from raw filings. A null is NaN.
"""

from reference.evaluator import Market, Reference
from reference.statements import Filings

__all__ = ["Filings", "Market", "Reference"]
