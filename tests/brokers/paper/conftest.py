"""Makes the random markets of the simulator's tests importable."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).parents[2]
for folder in (TESTS, TESTS / "backtest", Path(__file__).parent):
    sys.path.insert(0, str(folder))
