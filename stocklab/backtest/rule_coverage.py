"""What a strategy reads that a panel does not have, and whether it can buy at all without it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from stocklab.factors import Definitions, expand, missing_inputs, never_known
from stocklab.market.panel import Panel, PriceBasis
from stocklab.strategy.document import Rule, SizingMethod, Strategy
from stocklab.strategy.logic import LogicTree, combine, mask_formulas, parse_logic
from stocklab.strategy.own_factors import definitions_of
from stocklab.strategy.presets import PRESETS
from stocklab.types import BoolArray, ByteArray

__all__ = ["Coverage", "Lack", "coverage", "preset_coverage", "rules_never_held"]

Part = Literal["bars", "universe", "entry", "ranking", "sizing", "exit", "market_filter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """One thing a strategy reads that is not all there.

    Attributes
    ----------
    part : where in the document
    rule : letter of the rule, "" elsewhere
    formula : what is read: a formula, or a field or index of the panel
    missing : raw fields, statement items or indices, sorted
    never : it has no value at all; False where only a part of it is missing
    """

    part: Part
    rule: str
    formula: str
    missing: tuple[str, ...]
    never: bool

    @property
    def sentence(self) -> str:
        """In English, for logs, cards and the command line."""
        lacks = f"this data lacks {', '.join(self.missing)}"
        if self.part == "bars":
            return f"The universe is of {self.formula}, and {lacks}."
        match self.part, self.never:
            case "entry", True:
                return f"Rule {self.rule} ({self.formula}) can never hold: {lacks}."
            case "exit", True:
                return f"Exit rule {self.rule} ({self.formula}) can never hold: {lacks}."
            case "ranking", True:
                return f"The ranking by {self.formula} has no value for any stock: {lacks}."
            case (("entry" | "exit"), False):
                return f"Rule {self.rule} ({self.formula}) is judged without a part of what it reads: {lacks}."
            case "ranking", False:
                return f"The ranking by {self.formula} is computed without a part of what it reads: {lacks}."
        return f"The {self.part.replace('_', ' ')} needs {self.formula}: {lacks}."

    def as_json(self) -> dict[str, Any]:
        """Plain values for a run card or the command line."""
        return {
            "part": self.part,
            "rule": self.rule,
            "formula": self.formula,
            "missing": list(self.missing),
            "never": self.never,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What is missing. ``blocking`` are the lacks for which no purchase is possible; empty = it can buy."""

    lacks: tuple[Lack, ...]
    blocking: tuple[Lack, ...]

    @property
    def can_buy(self) -> bool:
        """Whether a purchase is possible as far as the inputs go."""
        return not self.blocking

    @property
    def missing(self) -> tuple[str, ...]:
        """Every missing input once, sorted."""
        return tuple(sorted({name for lack in self.lacks for name in lack.missing}))

    def as_json(self) -> dict[str, Any]:
        """Plain values for the command line."""
        return {
            "can_run": self.can_buy,
            "missing": list(self.missing),
            "lacks": [lack.as_json() for lack in self.lacks],
        }


def coverage(strategy: Strategy, panel: Panel) -> Coverage:
    """Compare what the formulas and settings of a document read with what a panel has.

    Raises
    ------
    FormulaError
        A formula or a logic line is not valid.
    """
    own = definitions_of(strategy)
    entry = [*_rules("entry", strategy.entry.rules, panel, own)]
    needed = [*_settings(strategy, panel), *_ranking(strategy, panel, own)]
    leave = [*_rules("exit", strategy.exit.rules, panel, own)]
    blocking = [lack for lack in needed if lack.never]
    if not _can_hold(strategy, {lack.rule for lack in entry if lack.never}):
        blocking += [lack for lack in entry if lack.never]
    order = {"bars": 0, "universe": 1, "entry": 2, "ranking": 3, "sizing": 4, "exit": 5, "market_filter": 6}
    return Coverage(
        lacks=tuple(sorted([*entry, *needed, *leave], key=lambda lack: order[lack.part])),
        blocking=tuple(sorted(blocking, key=lambda lack: order[lack.part])),
    )


def preset_coverage(panel: Panel) -> Mapping[str, Coverage]:
    """`coverage` of every preset, by id."""
    return {key: coverage(preset.strategy, panel) for key, preset in PRESETS.items()}


def rules_never_held(
    strategy: Strategy, masks: Mapping[tuple[str, str], ByteArray], members: BoolArray, first: int, last: int
) -> tuple[str, ...]:
    """Letters of the buy rules that held for no member of the universe on any session of [first, last).

    Parameters
    ----------
    masks : (formula, "condition") -> (n_sessions, n_symbols) uint8
    members : (n_sessions, n_symbols) bool

    A letter that the logic line negates is judged as negated.
    """
    found = []
    for key, formula in _masks(strategy).items():
        held = masks[formula, "condition"][first:last].astype(np.bool_) & members[first:last]
        if not held.any():
            found.append(key.replace("~", "not "))
    return tuple(found)


def _lack(part: Part, formula: str, panel: Panel, own: Definitions, rule: str = "") -> Iterator[Lack]:
    plain = expand(formula, own)
    missing = missing_inputs(plain, panel)
    if missing:
        yield Lack(part=part, rule=rule, formula=formula, missing=missing, never=never_known(plain, panel))


def _rules(part: Part, rules: Sequence[Rule], panel: Panel, own: Definitions) -> Iterator[Lack]:
    for rule in rules:
        yield from _lack(part, rule.formula, panel, own, rule.id)


def _ranking(strategy: Strategy, panel: Panel, own: Definitions) -> Iterator[Lack]:
    for factor in strategy.ranking.factors:
        yield from _lack("ranking", factor.formula, panel, own)
    kinds = {factor.neutralize for factor in strategy.ranking.factors}
    if "sector_size" in kinds:
        yield from _field("ranking", "mcap", panel)
    if kinds & {"sector", "sector_size"}:
        yield from _field("ranking", "sector", panel)


def _settings(strategy: Strategy, panel: Panel) -> Iterator[Lack]:
    """Bars, fields and indices that settings outside of rules and ranking read."""
    coins = strategy.universe.of_coins
    if coins != (panel.basis is PriceBasis.COIN):
        kind = "coins" if coins else "stocks"
        yield Lack(part="bars", rule="", formula=kind, missing=(kind,), never=True)
    top, sizing, market = strategy.universe.top, strategy.sizing, strategy.market_filter
    if top is not None and top.by == "market_cap":
        yield from _field("universe", "mcap", panel)
    if sizing.method is SizingMethod.MARKET_CAP:
        yield from _field("sizing", "mcap", panel)
    if sizing.max_sector_weight < 1.0:
        yield from _field("sizing", "sector", panel)
    if market is not None and market.formula is not None and market.index not in panel.indices:
        yield Lack(part="market_filter", rule="", formula=market.index, missing=(market.index,), never=True)


def _field(part: Part, name: str, panel: Panel) -> Iterator[Lack]:
    missing = name not in panel.fields if name == "mcap" else not any(panel.instruments.sectors)
    if missing:
        yield Lack(part=part, rule="", formula=name, missing=(name,), never=True)


def _tree(strategy: Strategy) -> LogicTree:
    return parse_logic(strategy.entry.logic, [rule.id for rule in strategy.entry.rules], "all")


def _masks(strategy: Strategy) -> Mapping[str, str]:
    return mask_formulas(_tree(strategy), {rule.id: rule.formula for rule in strategy.entry.rules})


def _can_hold(strategy: Strategy, never: set[str]) -> bool:
    """Whether the entry logic can be true while these letters hold neither plain nor negated."""
    masks = {key: np.array([key.removeprefix("~") not in never], dtype=np.uint8) for key in _masks(strategy)}
    return bool(combine(_tree(strategy), masks, shape=(1,))[0])
