"""Questions asked of many results: sweeps over the numbers of a strategy, and how results differ."""

from stocklab.research.draws import draw
from stocklab.research.sweep_run import Measured, run_variants
from stocklab.research.variants import Skipped, Variant, variants_of

__all__ = ["Measured", "Skipped", "Variant", "draw", "run_variants", "variants_of"]
