"""Work done before anybody asks: factors of saved strategies, and the results of presets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import structlog

from stocklab.backtest import RunRequest, ShouldCancel
from stocklab.backtest.plan import build_plan
from stocklab.data.engine import run_on_panel
from stocklab.data.factor_cache import CachedSource, flush
from stocklab.data.panel_open import basis_for, open_panel
from stocklab.data.results import ResultStore
from stocklab.data.store import Store
from stocklab.errors import Cancelled, StockLabError
from stocklab.market.panel import Panel
from stocklab.portfolios.orders import BacktestOrder
from stocklab.portfolios.strategies import SavedStrategy
from stocklab.strategy import PRESETS
from stocklab.strategy.document import Strategy
from stocklab.strategy.presets import Preset

__all__ = ["Ahead", "run_presets_ahead", "usual_range", "usual_request", "warm_saved"]

log = structlog.get_logger(__name__)

USUAL_YEARS = 10
OnAhead = Callable[[float, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """How many of the strategies are ready now, and why the others are not, by name."""

    ready: int
    refused: Mapping[str, str]

    def describe(self, what: str) -> str:
        """One line.

        >>> Ahead(ready=3, refused={}).describe("presets ready")
        '3 presets ready.'
        """
        return f"{self.ready} {what}" + (f", {len(self.refused)} cannot run on these data." if self.refused else ".")


def usual_range(first: date, last: date) -> tuple[date, date]:
    """The range a run has unless somebody chooses: the last ten years of the data.

    >>> usual_range(date(2010, 1, 4), date(2024, 2, 29))
    (datetime.date(2014, 2, 28), datetime.date(2024, 2, 29))
    """
    return max(first, last.replace(year=last.year - USUAL_YEARS, day=min(last.day, 28))), last


def usual_request(strategy: Strategy, panel: Panel) -> RunRequest:
    """The run the builder starts when nothing was changed, so that its result has the same id."""
    start, end = usual_range(panel.sessions[0].item(), panel.sessions[-1].item())
    order = BacktestOrder(
        document=strategy.model_dump(mode="json"),
        start=start,
        end=end,
        initial_cash_krw=strategy.allocation.initial_cash_krw,
    )
    return order.request()


def warm_saved(
    store: Store,
    saved: Iterable[SavedStrategy],
    *,
    threads: int,
    factor_cache_mb: int,
    on_progress: OnAhead,
    should_cancel: ShouldCancel,
) -> Ahead:
    """Compute what saved strategies read, as their run would, and leave it in the factor cache.

    Raises
    ------
    Cancelled
        ``should_cancel`` said so; what is on disk stays.
    """

    def warm(strategy: Strategy) -> None:
        panel = _panel(store, strategy)
        source = CachedSource(
            panel, store.home, threads=threads, budget_mb=factor_cache_mb, should_cancel=should_cancel
        )
        build_plan(panel, usual_request(strategy, panel), source, should_cancel=should_cancel)
        flush()

    wanted = {one.fingerprint: one for one in saved}
    works = {f"{one.name} ({one.id})": (lambda one=one: warm(one.strategy())) for one in wanted.values()}
    return _each(works, on_progress, should_cancel)


def run_presets_ahead(
    store: Store,
    results: ResultStore,
    *,
    threads: int,
    factor_cache_mb: int,
    on_progress: OnAhead,
    should_cancel: ShouldCancel,
    presets: Mapping[str, Preset] = PRESETS,
) -> Ahead:
    """Run every preset the data allow over the usual range; one that is stored already costs nothing.

    Raises
    ------
    Cancelled
        ``should_cancel`` said so; finished results stay.
    """

    def run(strategy: Strategy) -> None:
        panel = _panel(store, strategy)
        run_on_panel(
            panel,
            results,
            usual_request(strategy, panel),
            home=store.home,
            threads=threads,
            should_cancel=should_cancel,
            factor_cache_mb=factor_cache_mb,
        )

    works = {key: (lambda preset=preset: run(preset.strategy)) for key, preset in presets.items()}
    return _each(works, on_progress, should_cancel)


def _panel(store: Store, strategy: Strategy) -> Panel:
    """The panel a run over the usual range is computed on."""
    basis = basis_for(strategy.universe, None)
    whole = open_panel(store, basis=basis, statements=strategy.statements)
    start, end = usual_range(whole.sessions[0].item(), whole.sessions[-1].item())
    return open_panel(store, basis=basis, start=start, end=end, statements=strategy.statements)


def _each(works: Mapping[str, Callable[[], None]], on_progress: OnAhead, should_cancel: ShouldCancel) -> Ahead:
    refused: dict[str, str] = {}
    for place, (name, work) in enumerate(works.items()):
        if should_cancel():
            raise Cancelled("Work ahead was stopped.")
        on_progress(place / len(works), name)
        try:
            work()
        except Cancelled:
            raise
        except StockLabError as error:  # one strategy that the data cannot run holds nobody up
            refused[name] = str(error)
    log.info("ahead", ready=len(works) - len(refused), refused=len(refused))
    return Ahead(ready=len(works) - len(refused), refused=refused)
