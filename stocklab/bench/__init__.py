"""Speed and memory of what users wait for, measured beside floors and targets."""

from stocklab.bench.figures import FIGURES, Figure, run_figures

__all__ = ["FIGURES", "Figure", "run_figures"]
