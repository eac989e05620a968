"""Strategy + panel -> arrays: everything the kernel needs, computed before the first session is walked."""
# ruff: noqa: PLR0917 (as the kernels it calls)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from stocklab.backtest.blocks import check_cancel, in_blocks
from stocklab.backtest.result import RunRequest, ShouldCancel
from stocklab.backtest.rule_coverage import Coverage, coverage, rules_never_held
from stocklab.backtest.schedule import rebalancing_decisions, unsafe_sessions
from stocklab.backtest.score import Score, build_score, rank_rows
from stocklab.backtest.select import KEEP_ALL, KEEP_BOTTOM, KEEP_TOP, order_rows
from stocklab.backtest.universe import read_only, universe_mask, unknown_flags, unknown_lists
from stocklab.errors import InputError
from stocklab.factors import FormulaSource, Wanted, check
from stocklab.market.panel import Panel
from stocklab.strategy.document import Rule, SizingMethod, Strategy
from stocklab.strategy.logic import LogicTree, combine, mask_formulas, parse_logic
from stocklab.strategy.own_factors import expanded
from stocklab.types import AnyArray, BoolArray, ByteArray, IntArray

__all__ = [
    "EMPTY_BYTES",
    "EMPTY_FLOATS",
    "KEEP_CODES",
    "WHOLE_LOGIC",
    "Candidates",
    "Plan",
    "Values",
    "build_plan",
    "deciding_sessions",
    "entry_mask",
    "logic_trees",
    "plan_and_values",
    "rank_matrix",
    "require_inputs",
    "rule_masks",
    "rule_text",
    "volatility_formula",
    "weights_of",
    "written_at_most",
]

WHOLE_LOGIC: Final = 255
"""Exit code of a logic line that is true although no single rule is (such as "not A")."""

KEEP_CODES: Final = {"all": KEEP_ALL, "top": KEEP_TOP, "bottom": KEEP_BOTTOM}
EMPTY_FLOATS: Final = np.zeros((0, 0), dtype=np.float64)
EMPTY_BYTES: Final = np.zeros((0, 0), dtype=np.uint8)


Values = Mapping[tuple[str, str], AnyArray]
"""(formula, kind) -> its matrix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """First candidates of each session of the run, in order of purchase.

    ``symbols`` (n, wanted) is filled up to ``written`` (n,); ``totals`` (n,) counts all candidates; the kernel orders a
    session in full where it walks past what is written.
    """

    symbols: IntArray
    written: IntArray
    totals: IntArray
    unknown_scores: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A strategy compiled for sessions [first, last) of a panel. Matrices are (n_sessions of the panel, n_symbols)."""

    first: int
    last: int
    universe: BoolArray
    entry: ByteArray
    score: Score
    candidates: Candidates
    weights: AnyArray
    exit_code: ByteArray
    entry_ok: ByteArray
    ranks: AnyArray
    unsafe: ByteArray
    schedule: ByteArray
    keep: int
    keep_count: int
    coverage: Coverage
    counts: Mapping[str, object]


def rule_text(logic: str | None, rules: Sequence[Rule], default: Literal["all", "any"]) -> str:
    """The logic line as shown in trades, such as "A and B"; "" without rules."""
    tree = parse_logic(logic, [rule.id for rule in rules], default)
    return tree.text if rules else ""


def build_plan(
    panel: Panel,
    request: RunRequest,
    source: FormulaSource,
    *,
    should_cancel: ShouldCancel | None = None,
    decide_last: bool = False,
) -> Plan:
    """Compile a strategy for a run; ``decide_last``: candidates of the last session too, which no run can trade.

    Raises
    ------
    InputError
        The range has no session, or the document asks for what the panel does not have.
    FormulaError
        A formula is not valid here.
    Cancelled
        ``should_cancel`` said so.
    """
    return plan_and_values(panel, request, source, should_cancel=should_cancel, decide_last=decide_last)[0]


def plan_and_values(
    panel: Panel,
    request: RunRequest,
    source: FormulaSource,
    *,
    should_cancel: ShouldCancel | None = None,
    decide_last: bool = False,
) -> tuple[Plan, Values]:
    """`build_plan`, and the matrices of the document's formulas it was compiled from.

    Raises
    ------
    InputError
        The range has no session, or the document asks for what the panel does not have.
    FormulaError
        A formula is not valid here.
    Cancelled
        ``should_cancel`` said so.
    """
    first, last = panel.span(request.start, request.end)
    covered = require_inputs(panel, request.strategy)
    strategy = expanded(request.strategy)
    check_cancel(should_cancel)
    universe = universe_mask(panel, strategy.universe, source, should_cancel=should_cancel)
    check_cancel(should_cancel)
    values = _compute(strategy, source, universe)
    check_cancel(should_cancel)
    entry = entry_mask(strategy, values, universe.shape)
    schedule = rebalancing_decisions(panel.sessions, strategy.rebalancing, first, last)
    deciding = deciding_sessions(strategy, schedule, decide_last=decide_last)
    ranked = strategy.exit.rank_below is not None
    score = build_score(
        panel,
        strategy.ranking.factors,
        [values[part.formula, "value"] for part in strategy.ranking.factors],
        universe,
        np.ones(last - first, dtype=np.bool_) if ranked else deciding,
        first,
        should_cancel=should_cancel,
    )
    candidates = _candidates(strategy, universe, entry, score, deciding, first, should_cancel)
    check_cancel(should_cancel)
    plan = Plan(
        first=first,
        last=last,
        universe=universe,
        entry=entry,
        score=score,
        candidates=candidates,
        weights=weights_of(panel, strategy, values),
        exit_code=_exit_codes(strategy, values),
        entry_ok=entry if strategy.exit.when_entry_fails else EMPTY_BYTES,
        ranks=rank_matrix(universe, score, first, last, should_cancel) if ranked else EMPTY_FLOATS,
        unsafe=unsafe_sessions(panel, strategy.market_filter, first, last),
        schedule=schedule,
        keep=KEEP_CODES[strategy.ranking.keep],
        keep_count=strategy.ranking.count,
        coverage=covered,
        counts={
            "universe_last": int(np.count_nonzero(universe[last - 1])),
            "universe_mean": float(np.count_nonzero(universe[first:last])) / (last - first),
            "unknown_flags": dict(unknown_flags(panel, strategy.universe, universe, first, last)),
            "unknown_lists": dict(unknown_lists(panel, strategy.universe, first, last)),
            "unknown_scores": candidates.unknown_scores,
            "rules_never_held": []
            if candidates.totals.any()
            else list(rules_never_held(strategy, values, universe, first, last)),
            "symbols_not_found": len(set(strategy.universe.symbols) - set(panel.symbols)),
        },
    )
    return plan, values


def deciding_sessions(strategy: Strategy, schedule: ByteArray, *, decide_last: bool = False) -> BoolArray:
    """Sessions of the run after whose close purchases are decided; ``schedule`` from `rebalancing_decisions`."""
    target_mode = strategy.rebalancing.mode == "target"
    deciding = schedule.astype(np.bool_) if target_mode else np.ones(len(schedule), dtype=np.bool_)
    deciding[-1] &= decide_last  # no session follows in which an order could fill
    return deciding


def written_at_most(strategy: Strategy, n_symbols: int) -> int:
    """Candidates of a session that a plan lists; the kernel orders a session in full where it walks past them."""
    return min(n_symbols, 2 * strategy.sizing.max_holdings + 60)


def volatility_formula(strategy: Strategy) -> str:
    """What sizing by inverse volatility divides by."""
    return f"tstd(ret(close,1),{strategy.sizing.volatility_sessions},1)"


def logic_trees(strategy: Strategy) -> tuple[LogicTree, LogicTree]:
    """The logic lines to buy and to sell."""
    entry = parse_logic(strategy.entry.logic, [rule.id for rule in strategy.entry.rules], "all")
    leave = parse_logic(strategy.exit.logic, [rule.id for rule in strategy.exit.rules], "any")
    return entry, leave


def rule_masks(tree: LogicTree, rules: Sequence[Rule]) -> Mapping[str, str]:
    """Formulas of the masks that `combine` wants for a logic line, by letter."""
    return mask_formulas(tree, {rule.id: rule.formula for rule in rules})


def _wanted(strategy: Strategy) -> list[Wanted]:
    """Every formula of the document, each once, in a fixed order."""
    entry, leave = logic_trees(strategy)
    found: dict[tuple[str, str], Wanted] = {}
    conditions = [*rule_masks(entry, strategy.entry.rules).values(), *rule_masks(leave, strategy.exit.rules).values()]
    conditions += [rule.formula for rule in strategy.exit.rules]  # which rule fired is told apart
    for formula in conditions:
        found[formula, "condition"] = Wanted(formula=formula, kind="condition")
    for part in strategy.ranking.factors:
        found[part.formula, "value"] = Wanted(formula=part.formula, kind="value")
    if strategy.sizing.method is SizingMethod.INVERSE_VOLATILITY:
        formula = volatility_formula(strategy)
        found[formula, "value"] = Wanted(formula=formula, kind="value")
    return list(found.values())


def require_inputs(panel: Panel, strategy: Strategy) -> Coverage:
    """What the panel lacks for this document.

    Raises
    ------
    InputError
        Nothing could ever be bought, or a setting asks for what the panel does not have.
    """
    if strategy.exit.rank_below is not None and not strategy.ranking.factors:
        raise InputError("`exit.rank_below` needs a ranking. Hint: add a part to `ranking.factors`.")
    if strategy.sizing.method is SizingMethod.MARKET_CAP and "mcap" not in panel.fields:
        raise InputError("Sizing by market cap needs market caps, which this snapshot lacks. Hint: size equally.")
    if strategy.sizing.max_sector_weight < 1.0 and not any(panel.instruments.sectors):
        raise InputError("A cap on sectors needs sectors, which this snapshot lacks. Hint: `max_sector_weight` 1.")
    found = coverage(strategy, panel)
    if not found.can_buy:
        reasons = " ".join(lack.sentence for lack in found.blocking)
        raise InputError(f"This strategy can never buy on this data. {reasons} Hint: import what is missing.")
    return found


def _compute(strategy: Strategy, source: FormulaSource, universe: BoolArray) -> Values:
    """One call for what looks at single symbols, one for what ranks across the universe."""
    wanted = _wanted(strategy)
    alone = [item for item in wanted if not check(item.formula).cross_sectional]
    across = [item for item in wanted if check(item.formula).cross_sectional]
    values: dict[tuple[str, str], AnyArray] = {}
    for group, members in ((alone, None), (across, universe)):
        if group:
            computed = source.compute(group, members)
            values.update({(item.formula, item.kind): array for item, array in zip(group, computed, strict=True)})
    return values


def entry_mask(strategy: Strategy, values: Values, shape: tuple[int, ...]) -> ByteArray:
    """The entry logic as (n_sessions, n_symbols) uint8; all true without rules."""
    tree, _ = logic_trees(strategy)
    masks = {letter: values[formula, "condition"] for letter, formula in rule_masks(tree, strategy.entry.rules).items()}
    return np.ascontiguousarray(combine(tree, masks, shape=shape))


def _exit_codes(strategy: Strategy, values: Values) -> ByteArray:
    """0 where no exit rule holds, else 1 + the first rule that does; `WHOLE_LOGIC` where only the line as a whole."""
    rules = strategy.exit.rules
    if not rules:
        return EMPTY_BYTES
    _, tree = logic_trees(strategy)
    masks = {letter: values[formula, "condition"] for letter, formula in rule_masks(tree, rules).items()}
    holds = combine(tree, masks)
    codes = np.where(holds != 0, np.uint8(WHOLE_LOGIC), np.uint8(0))
    for place in range(len(rules) - 1, -1, -1):
        codes[(holds != 0) & (values[rules[place].formula, "condition"] != 0)] = place + 1
    return np.ascontiguousarray(codes)


def weights_of(panel: Panel, strategy: Strategy, values: Values) -> AnyArray:
    """What the sizing weighs by, (n_sessions, n_symbols); (0, 0) where it needs nothing of the kind."""
    if strategy.sizing.method is SizingMethod.MARKET_CAP:
        return read_only(panel.fields["mcap"])
    if strategy.sizing.method is SizingMethod.INVERSE_VOLATILITY:
        return read_only(values[volatility_formula(strategy), "value"])
    return read_only(EMPTY_FLOATS)


def rank_matrix(
    universe: BoolArray, score: Score, first: int, last: int, should_cancel: ShouldCancel | None
) -> AnyArray:
    """Place by score of each symbol of the universe on sessions [first, last), 1 = best, NaN without one."""
    ranks = np.empty(universe.shape, dtype=np.float64)  # rows outside the run are never read

    def work(start: int, stop: int) -> None:
        rank_rows(start, stop, universe, score.values, score.sign, ranks)

    in_blocks(first, last, work, should_cancel=should_cancel)
    return ranks


def _candidates(
    strategy: Strategy,
    universe: BoolArray,
    entry: ByteArray,
    score: Score,
    deciding: BoolArray,
    first: int,
    should_cancel: ShouldCancel | None,
) -> Candidates:
    n = len(deciding)
    wanted = written_at_most(strategy, universe.shape[1])
    symbols = np.zeros((n, wanted), dtype=np.int64)
    written, totals, unknown = (np.zeros(n, dtype=np.int64) for _ in range(3))

    def work(start: int, stop: int) -> None:
        rows = slice(start - first, stop - first)
        order_rows(
            start,
            stop,
            deciding[rows],
            universe,
            entry,
            score.values,
            score.sign,
            KEEP_CODES[strategy.ranking.keep],
            strategy.ranking.count,
            wanted,
            symbols[rows],
            written[rows],
            totals[rows],
            unknown[rows],
        )

    in_blocks(first, first + n, work, should_cancel=should_cancel)
    return Candidates(symbols=symbols, written=written, totals=totals, unknown_scores=int(unknown.sum()))
