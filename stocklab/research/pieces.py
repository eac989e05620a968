"""What variants share: universes, conditions, values, scores, each made once and kept within bounds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from stocklab.backtest.blocks import in_blocks
from stocklab.backtest.ground import Ground, bars_by_symbol, ground_of
from stocklab.backtest.plan import (
    EMPTY_FLOATS,
    deciding_sessions,
    logic_trees,
    rank_matrix,
    rule_masks,
    volatility_formula,
    weights_of,
)
from stocklab.backtest.result import RunRequest, ShouldCancel
from stocklab.backtest.schedule import rebalancing_decisions, unsafe_sessions
from stocklab.backtest.score import Score, build_score, score_parts, weigh_parts
from stocklab.backtest.universe import universe_mask
from stocklab.factors import FormulaSource, Wanted, check
from stocklab.market.panel import Panel
from stocklab.research.conditions import packed_conditions
from stocklab.research.packed import Packed, empty_packed, order_by_score, pack_known, pack_rows
from stocklab.research.shelf import Shelf
from stocklab.strategy.document import SizingMethod, Strategy
from stocklab.types import AnyArray, BoolArray, ByteArray, FloatArray

__all__ = ["ConditionKey", "Keys", "Members", "Order", "Pieces", "keys_of"]

_LEAST_SHARING: Final = 24
"""From so many variants on, ordering a whole universe once is less work than ordering candidates for each."""

_MOST_PARTS: Final = 6
"""Transformed parts of a score kept at once."""

_NO_ORDER: Final = np.zeros((2, 0, 0), dtype=np.int16)

ConditionKey = tuple[str, str]
"""(universe, formula); the universe is "" for what looks at single symbols."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What a variant is made of, as keys; variants with equal ones share the piece.

    ``parts`` is the score without its weights, () where it has none or too many to keep;
    ``entry`` and ``exit`` map letters of the logic lines to conditions, ``exit_rules`` are the rules in order.
    """

    universe: str
    schedule: str
    score: tuple[object, ...]
    parts: tuple[object, ...]
    entry: tuple[tuple[str, ConditionKey], ...]
    entry_logic: str
    exit: tuple[tuple[str, ConditionKey], ...]
    exit_logic: str
    exit_rules: tuple[ConditionKey, ...]

    @property
    def conditions(self) -> frozenset[ConditionKey]:
        """Every condition it needs."""
        return frozenset(key for _, key in (*self.entry, *self.exit)) | frozenset(self.exit_rules)

    @property
    def order(self) -> tuple[str, ...]:
        """Variants sorted by it stand beside those they share the most with."""
        return (self.universe, self.schedule, *(repr(part) for part in (self.score, self.exit, self.entry)))

    @property
    def order_key(self) -> tuple[object, ...]:
        """What decides the order of purchase of a universe."""
        return (self.universe, self.schedule, self.score)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """``rows`` of `order_by_score`, and the members that have a score; without rows, all members."""

    rows: AnyArray
    known: Packed


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """A universe as bytes and packed."""

    mask: BoolArray
    packed: Packed


def keys_of(strategy: Strategy) -> Keys:
    """Keys of a strategy whose own factors are expanded."""
    universe = strategy.universe.model_dump_json()
    entry, leave = logic_trees(strategy)

    def condition(formula: str) -> ConditionKey:
        return (universe if check(formula).cross_sectional else "", formula)

    def masks(items: Mapping[str, str]) -> tuple[tuple[str, ConditionKey], ...]:
        return tuple((letter, condition(formula)) for letter, formula in items.items())

    schedule = strategy.rebalancing.model_dump_json(exclude={"drift_band"})
    parts = strategy.ranking.factors
    plain = len(parts) == 1 and parts[0].neutralize == "none"
    across = any(check(part.formula).cross_sectional for part in parts)
    ranked = strategy.exit.rank_below is not None
    score: tuple[object, ...] = tuple(
        (check(part.formula).fingerprint, part.direction)
        if plain
        else (check(part.formula).fingerprint, *(value for key, value in part if key != "formula"))
        for part in parts
    )
    if parts and (not plain or across):
        score = (universe, "" if plain else schedule, ranked and not plain, score)
    unweighted: tuple[object, ...] = ()
    if 1 < len(parts) <= _MOST_PARTS:
        same = ("transform", "neutralize", "winsorize")
        unweighted = (
            *(universe, schedule, ranked),
            *((check(part.formula).fingerprint, *(getattr(part, key) for key in same)) for part in parts),
        )
    return Keys(
        universe=universe,
        schedule=schedule,
        score=score,
        parts=unweighted,
        entry=masks(rule_masks(entry, strategy.entry.rules)),
        entry_logic=entry.text,
        exit=masks(rule_masks(leave, strategy.exit.rules)) if strategy.exit.rules else (),
        exit_logic=leave.text,
        exit_rules=tuple(condition(rule.formula) for rule in strategy.exit.rules),
    )


class Pieces:
    """Shared pieces over the sessions of a ``span`` of a panel; may be asked from several threads.

    ``sharing`` counts variants by `Keys.order_key` and by `Keys.parts`.
    Conditions are made ahead by `prepare`, everything else when it is first asked for.
    """

    def __init__(
        self,
        panel: Panel,
        span: tuple[int, int],
        source: FormulaSource,
        sharing: Counter[object],
        should_cancel: ShouldCancel | None,
    ) -> None:
        self.panel = panel
        self.first, self.last = span
        self._sharing = sharing
        self._source = source
        self._should_cancel = should_cancel
        self._conditions: dict[ConditionKey, Packed] = {}
        self._universes: Shelf[Members] = Shelf(4)
        self._values: Shelf[AnyArray] = Shelf(6)
        self._scores: Shelf[Score] = Shelf(3)
        self._ranks: Shelf[AnyArray] = Shelf(2)
        self._parts: Shelf[tuple[FloatArray, ...]] = Shelf(1)
        self._orders: Shelf[Order] = Shelf(2)
        self._schedules: Shelf[tuple[ByteArray, BoolArray]] = Shelf(64)
        self._unsafe: Shelf[ByteArray] = Shelf(256)
        self._grounds: Shelf[Ground] = Shelf(32)
        self._turned: Shelf[tuple[AnyArray, ...]] = Shelf(1)

    def prepare(self, wanted: Iterable[ConditionKey], strategies: Mapping[str, Strategy]) -> None:
        """Make the conditions wanted and let all others go; ``strategies`` has one of each universe."""
        needed = set(wanted)
        self._conditions = {key: mask for key, mask in self._conditions.items() if key in needed}
        missing: dict[str, list[str]] = {}
        for universe, formula in sorted(needed - self._conditions.keys()):
            missing.setdefault(universe, []).append(formula)
        for universe, formulas in missing.items():
            members = self.members(universe, strategies[universe]).mask if universe else None
            for formula, mask in packed_conditions(formulas, self._source, members, should_cancel=self._should_cancel):
                self._conditions[universe, formula] = mask

    def condition(self, key: ConditionKey) -> Packed:
        """A condition that was prepared."""
        return self._conditions[key]

    def members(self, key: str, strategy: Strategy) -> Members:
        """The universe of a strategy."""

        def make() -> Members:
            mask = universe_mask(self.panel, strategy.universe, self._source, should_cancel=self._should_cancel)
            packed = empty_packed(*mask.shape)
            in_blocks(0, len(mask), lambda first, last: pack_rows(first, last, mask, packed))
            return Members(mask=mask, packed=packed)

        return self._universes.get(key, make)

    def value(self, formula: str, universe: str, strategy: Strategy) -> AnyArray:
        """Values of a formula for every session and symbol."""
        checked = check(formula)
        across = checked.cross_sectional
        members = self.members(universe, strategy).mask if across else None

        def make() -> AnyArray:
            (values,) = self._source.compute([Wanted(formula, "value")], members)
            return values

        return self._values.get((checked.fingerprint, universe if across else ""), make)

    def schedule(self, key: str, strategy: Strategy) -> tuple[ByteArray, BoolArray]:
        """Rebalancing decisions, and the sessions that decide purchases."""

        def make() -> tuple[ByteArray, BoolArray]:
            due = rebalancing_decisions(self.panel.sessions, strategy.rebalancing, self.first, self.last)
            return due, deciding_sessions(strategy, due)

        return self._schedules.get(key, make)

    def score(self, keys: Keys, strategy: Strategy) -> Score:
        """The score of ranking."""

        factors = strategy.ranking.factors
        ranked = strategy.exit.rank_below is not None

        def inputs() -> tuple[Any, ...]:
            deciding = self.schedule(keys.schedule, strategy)[1]
            values = [self.value(part.formula, keys.universe, strategy) for part in factors]
            wanted = np.ones(self.last - self.first, dtype=np.bool_) if ranked else deciding
            return values, self.members(keys.universe, strategy).mask, wanted, self.first

        def parts() -> tuple[FloatArray, ...]:
            return score_parts(self.panel, factors, *inputs(), should_cancel=self._should_cancel)

        def make() -> Score:
            if not keys.parts or self._sharing[keys.parts] < 2 * self._sharing[keys.order_key]:
                return build_score(self.panel, factors, *inputs(), should_cancel=self._should_cancel)
            *_, wanted, first = inputs()
            made = self._parts.get(keys.parts, parts)
            return weigh_parts(made, factors, wanted, first, should_cancel=self._should_cancel)

        return self._scores.get(keys.score, make)

    def order(self, keys: Keys, strategy: Strategy) -> Order:
        """The whole universe in order of purchase; ``rows`` (2, 0, 0) where too few variants share it to gain by it."""
        members = self.members(keys.universe, strategy)
        if not strategy.ranking.factors or self._sharing[keys.order_key] < _LEAST_SHARING:
            return Order(rows=_NO_ORDER, known=members.packed)

        def make() -> Order:
            score, deciding = self.score(keys, strategy), self.schedule(keys.schedule, strategy)[1]
            shape = (self.panel.n_sessions, self.panel.n_symbols)
            rows = np.zeros((2, shape[0], shape[1] + 1), dtype=np.int16)
            known = empty_packed(*shape)

            def work(first: int, last: int) -> None:
                deciding_here = deciding[first - self.first : last - self.first]
                order_by_score(first, last, deciding_here, members.mask, score.values, score.sign, rows)
                pack_known(first, last, score.values, known)
                known[first:last] &= members.packed[first:last]

            in_blocks(self.first, self.last, work, should_cancel=self._should_cancel)
            return Order(rows=rows, known=known)

        return self._orders.get(keys.order_key, make)

    def ranks(self, keys: Keys, strategy: Strategy) -> AnyArray:
        """Places by score, (0, 0) where no rule asks for them."""
        if strategy.exit.rank_below is None:
            return EMPTY_FLOATS
        universe, score = self.members(keys.universe, strategy).mask, self.score(keys, strategy)
        return self._ranks.get(
            (keys.universe, keys.score),
            lambda: rank_matrix(universe, score, self.first, self.last, self._should_cancel),
        )

    def weights(self, keys: Keys, strategy: Strategy) -> AnyArray:
        """What sizing weighs by."""
        values = {}
        if strategy.sizing.method is SizingMethod.INVERSE_VOLATILITY:
            formula = volatility_formula(strategy)
            values[formula, "value"] = self.value(formula, keys.universe, strategy)
        return weights_of(self.panel, strategy, values)

    def unsafe(self, strategy: Strategy) -> ByteArray:
        """Sessions after which the market is judged unsafe."""
        key = "" if strategy.market_filter is None else strategy.market_filter.model_dump_json()
        return self._unsafe.get(key, lambda: unsafe_sessions(self.panel, strategy.market_filter, self.first, self.last))

    def _bars(self) -> tuple[AnyArray, ...]:
        return self._turned.get("bars", lambda: bars_by_symbol(self.panel))

    def ground(self, request: RunRequest) -> Ground:
        """The kernel's arguments that do not depend on rules."""
        tax = request.strategy.costs.tax
        return self._grounds.get(tax, lambda: ground_of(self.panel, self.first, self.last, tax, bars=self._bars()))
