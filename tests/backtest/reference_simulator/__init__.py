"""A slow, readable simulator written from docs/simulator.md; the oracle of the compiled one.

It shares no code with `stocklab.backtest` and none of the dated tables of `stocklab.market`: ticks, limits and taxes
are written down once more. The document, the panel and the values of formulas are its inputs. Won and shares are whole
numbers, rates and average prices exact fractions.
"""

from reference_simulator.clock import walk
from reference_simulator.tables import tables

__all__ = ["tables", "walk"]
