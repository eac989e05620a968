"""Does a run use what nobody could know yet? Replay it without the future, and compare.

At sampled sessions the run is replayed on a panel that ends there (`cut_after`), and everything it had done and
decided by that close is compared with the run itself: which stocks it could buy, the rules, the scores and their order,
and the whole book with its orders, those decided at that very close included. All of it has to be the same.

What a run reads is judged, not how its inputs were made: a figure that was already in the wrong row when the data were
imported is in the same row in both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

import numpy as np

from stocklab.backtest.blocks import check_cancel
from stocklab.backtest.layout import State
from stocklab.backtest.plan import Plan, build_plan
from stocklab.backtest.result import RunRequest, ShouldCancel
from stocklab.backtest.statement_facts import require_mode
from stocklab.backtest.walking import OnPause, run_kernel
from stocklab.factors import DirectSource, FormulaSource
from stocklab.market.fundamentals import Fundamentals, StatementMode
from stocklab.market.panel import Panel
from stocklab.research.book_differences import Book, book_differences
from stocklab.research.cut_panel import cut_after
from stocklab.research.difference_marks import Mark
from stocklab.research.plan_differences import plan_differences
from stocklab.strategy.own_factors import statement_formulas

__all__ = [
    "PARTS",
    "SESSIONS",
    "Difference",
    "Engine",
    "LookAhead",
    "find_look_ahead",
    "sampled_sessions",
]

SESSIONS: Final = 8
"""Sessions at which a run is replayed, unless more are asked for."""

PARTS: Final = (
    "universe", "entry", "exit", "score", "rank", "weight", "market_filter", "schedule", "candidates",
    "order", "trade", "position", "waiting", "share_change", "claim", "cash",
)  # fmt: skip
"""What is compared, in the order in which a run makes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What a run is made with. Tests give one that peeks; everybody else takes the engine as it is."""

    source_of: Callable[[Panel], FormulaSource] = DirectSource
    plan_of: Callable[..., Plan] = build_plan
    walk: Callable[..., State] = run_kernel


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that is another without the future.

    ``cut`` is the session after which the future was cut off, ``session`` the one it is about, ``symbol`` "" where it
    is about none; ``run`` and ``replay`` say what it is in the run and without the future.
    """

    cut: date
    session: date
    part: str
    symbol: str
    run: str
    replay: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAhead:
    """The answer. ``identical`` is None where no session could be cut off: a run of a single session.

    ``sessions`` are those after which the future was cut off; ``decided`` orders had been decided by then in the last
    of them, ``decided_there`` of these at the sampled closes themselves. ``differences`` describes the first ones of
    each part and session; ``n_differences`` counts all. ``hindsight``: the run reads company reports as corrected later
    (restated mode), which is knowledge of the future by choice, whatever was found.
    """

    sessions: tuple[date, ...]
    seed: int
    decided: int
    decided_there: int
    n_differences: int
    differences: tuple[Difference, ...]
    hindsight: bool = False

    @property
    def identical(self) -> bool | None:
        """Whether every decision was the same, and nothing known later was read by choice."""
        return None if not self.sessions else self.n_differences == 0 and not self.hindsight


def find_look_ahead(
    panel: Panel,
    request: RunRequest,
    source: FormulaSource,
    *,
    sessions: int = SESSIONS,
    seed: int = 0,
    as_filed: Fundamentals | None = None,
    engine: Engine | None = None,
    on_progress: Callable[[float], None] | None = None,
    should_cancel: ShouldCancel | None = None,
) -> LookAhead:
    """Replay a run without the future at sampled sessions.

    Parameters
    ----------
    source : computes formulas over ``panel``, as for the run itself; the replays compute anew
    sessions : how many
    seed : which ones; the same seed samples the same
    as_filed : statements in strict mode, where the panel's are restated
    on_progress : told the fraction done

    Raises
    ------
    InputError, FormulaError
        As `simulate`.
    Cancelled
        ``should_cancel`` said so.
    """
    require_mode(panel, request.strategy)
    engine = engine or Engine()
    tell = on_progress or (lambda done: None)
    plan = engine.plan_of(panel, request, source, should_cancel=should_cancel)
    run = _Planned(engine=engine, panel=panel, request=request, plan=plan, should_cancel=should_cancel)
    cuts = sampled_sessions(plan, run.walk(), count=sessions, seed=seed)
    books = run.books(cuts)
    found = _Found()
    work = [plan.first + 1 + cut for cut in cuts]
    for place, cut in enumerate(cuts):
        check_cancel(should_cancel)
        tell(sum(work[:place]) / max(sum(work), 1))
        found.add(panel, cut, _replayed(run, cut_after(panel, cut, seed=seed, as_filed=as_filed), books[place]))
    tell(1.0)
    decided = books[-1].orders["decided"] if books else np.zeros(0, dtype=np.int64)
    return LookAhead(
        sessions=tuple(panel.sessions[cut].item() for cut in cuts),
        seed=seed,
        decided=len(decided),
        decided_there=int(np.isin(decided, cuts).sum()),
        n_differences=found.count,
        differences=tuple(found.described),
        hindsight=panel.fundamentals is not None
        and panel.fundamentals.mode is StatementMode.RESTATED
        and bool(statement_formulas(request.strategy)),
    )


def sampled_sessions(plan: Plan, state: State, *, count: int, seed: int) -> tuple[int, ...]:
    """Sessions of a finished run at which to look, ascending: the first close that decided an order, closes that
    decided some, one with a trade, a rebalancing, an early one; the rest anywhere. Each has a session of the run after
    it.
    """
    generator = np.random.default_rng(seed)
    anywhere = np.arange(plan.first, plan.last - 1)
    if not anywhere.size or count < 1:
        return ()
    decided = np.unique(state.orders["decided"][: state.book[0].n_orders])
    decided = decided[decided < plan.last - 1]
    traded = np.unique(state.trades["session"][: state.book[0].n_trades])
    traded = traded[traded < plan.last - 1]
    rebalanced = plan.first + np.flatnonzero(plan.schedule[: len(anywhere)])
    early = anywhere[: max(len(anywhere) // 20, 1)]
    chosen: dict[int, None] = {}
    some = max(count // 2 - 1, 1)
    pools = (decided[:1], 1), (traded, 1), (rebalanced, 1), (early, 1), (decided, some), (anywhere, count)
    for pool, wanted in pools:
        for session in generator.permutation(pool)[:wanted]:
            if len(chosen) < count:
                chosen[int(session)] = None
    return tuple(sorted(chosen))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    """A run that is compiled and ready to be walked."""

    engine: Engine
    panel: Panel
    request: RunRequest
    plan: Plan
    should_cancel: ShouldCancel | None

    def walk(self, pauses: Sequence[int] = (), on_pause: OnPause | None = None) -> State:
        """The final state."""
        return self.engine.walk(
            self.panel, self.request, self.plan, pauses=pauses, on_pause=on_pause, should_cancel=self.should_cancel
        )

    def books(self, cuts: Sequence[int]) -> list[Book]:
        """The book after the close of each cut."""
        found: list[Book] = []

        def keep(session: int, state: State) -> None:
            found.append(Book.of(state, session))

        self.walk(cuts, keep)
        return found


def _planned_on(past: Panel, run: _Planned) -> _Planned:
    """The same run up to the last session of a cut panel, computed anew."""
    source = run.engine.source_of(past)
    if isinstance(source, DirectSource):
        source = replace(source, should_cancel=run.should_cancel)
    request = replace(run.request, end=past.sessions[-1].item())
    plan = run.engine.plan_of(past, request, source, should_cancel=run.should_cancel)
    return replace(run, panel=past, request=request, plan=plan)


@dataclass(slots=True)
class _Found:
    """Differences so far."""

    count: int = 0
    described: list[Difference] = field(default_factory=list)

    def add(self, panel: Panel, cut: int, found: Iterator[Mark]) -> None:
        for raw in found:
            self.count += raw.count
            self.described.append(
                Difference(
                    cut=panel.sessions[cut].item(),
                    session=panel.sessions[raw.session].item(),
                    part=raw.part,
                    symbol="" if raw.symbol < 0 else panel.symbols[raw.symbol],
                    run=raw.run,
                    replay=raw.replay,
                )
            )


def _replayed(run: _Planned, past: Panel, book: Book) -> Iterator[Mark]:
    """What is another on a cut panel; a generator, so that the panel is let go before the next one is made."""
    replay = _planned_on(past, run)
    (again,) = replay.books((book.session,))
    yield from plan_differences(run.panel, run.request.strategy, run.plan, replay.plan, book.session)
    yield from book_differences(book, again)
