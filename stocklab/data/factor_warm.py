"""Fill the factor cache ahead: every catalogue factor whose inputs are there, a few at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from stocklab.data.factor_cache import CachedSource, flush
from stocklab.factors import CATALOGUE, Wanted, check, missing_inputs
from stocklab.market.panel import Panel

__all__ = ["WarmReport", "warm_factors"]

log = structlog.get_logger(__name__)

_AT_ONCE: Final = 8  # so many tables of values are in memory, and as many are being written
OnWarmProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmReport:
    """What was computed, and the inputs that the rest lacks.

    ``computed`` are ids in the order of the catalogue; ``missing`` an id's absent fields and statement items.
    """

    computed: tuple[str, ...]
    missing: Mapping[str, tuple[str, ...]]
    seconds: float


def warm_factors(
    panel: Panel,
    home: Path,
    ids: Sequence[str] | None = None,
    *,
    threads: int = 2,
    budget_mb: int = 2048,
    on_progress: OnWarmProgress | None = None,
    should_cancel: Callable[[], bool] | None = None,
) -> WarmReport:
    """Compute factors over the whole panel and leave their values on disk, in float64.

    Parameters
    ----------
    ids : factor ids or formulas, optional
        None: the catalogue.
    budget_mb : int
        As for every use of the cache: beyond it what was used longest ago is removed.
    on_progress : callable, optional
        Told how many are done, of how many.

    Raises
    ------
    FormulaError
        A formula is not valid.
    Cancelled
        ``should_cancel`` answered True; what is on disk stays.
    """
    started = time.perf_counter()
    names = tuple(CATALOGUE) if ids is None else tuple(dict.fromkeys(ids))
    missing = {name: lacking for name in names if (lacking := missing_inputs(name, panel))}
    ready = sorted((name for name in names if name not in missing), key=lambda name: check(name).cross_sectional)
    source = CachedSource(
        panel, home, threads=threads, budget_mb=budget_mb, should_cancel=should_cancel, past_page_cache=True
    )
    for first in range(0, len(ready), _AT_ONCE):
        source.compute([Wanted(name, "value") for name in ready[first : first + _AT_ONCE]])
        flush(keep=_AT_ONCE)
        if on_progress is not None:
            on_progress(min(first + _AT_ONCE, len(ready)), len(ready))
    flush()
    seconds = time.perf_counter() - started
    log.info("factors_warmed", factors=len(ready), missing=len(missing), seconds=round(seconds, 3))
    computed = frozenset(ready)
    return WarmReport(computed=tuple(name for name in names if name in computed), missing=missing, seconds=seconds)
