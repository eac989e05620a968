"""What to compute in which order: the quarters, then passes along the sessions and across the symbols by turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from stocklab.factors.functions import FUNCTIONS, Family
from stocklab.factors.graph import Graph
from stocklab.factors.program import Program, Target, assemble
from stocklab.factors.vocabulary import Kind

__all__ = ["LineStage", "Plan", "QuarterStage", "plan_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineStage:
    """Steps that need no other symbol. ``columns``: a line is a symbol's history; ``rows``: a session."""

    orientation: Literal["columns", "rows"]
    program: Program


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarterStage:
    """Steps of the quarter axis. ``carried[i]`` is the step that takes the program's value i to days.

    ``quarters`` is how many a line needs; None = as many as there are.
    """

    program: Program
    carried: tuple[int, ...]
    quarters: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``quarters`` runs first; ``stages[k]`` after ``crosses[k]``, the cross-sectional steps of level k (none at 0).

    ``last_use`` is the level after which a step's whole-market values are no longer read.
    """

    quarters: QuarterStage | None
    stages: tuple[LineStage | None, ...]
    crosses: tuple[tuple[int, ...], ...]
    last_use: dict[int, int]


def plan_of(graph: Graph, wanted: Sequence[Target]) -> Plan:
    """Split the steps by level: a step's level is the number of cross-sectional operators below it."""
    reached = _reachable(graph, [target.step for target in wanted])
    used = tuple(index for index in reached if graph.steps[index].kind not in (Kind.QUARTERLY, Kind.ITEM))
    level: dict[int, int] = {}
    for index in used:
        step = graph.steps[index]
        below = 0 if step.op == "carry" else max((level[arg] for arg in step.args), default=0)
        level[index] = below + 1 if _is_cross(graph, index) else below
    last_use = _last_uses(graph, used, level, wanted)
    stages, crosses = [], []
    for current in range(max((level[index] for index in used), default=0) + 1):
        crosses.append(tuple(index for index in used if level[index] == current and _is_cross(graph, index)))
        stages.append(_stage(graph, used, level, current, wanted))
    return Plan(quarters=_quarters(graph, reached), stages=tuple(stages), crosses=tuple(crosses), last_use=last_use)


def _quarters(graph: Graph, reached: Sequence[int]) -> QuarterStage | None:
    """Everything between statement items and the days; items of one number are read, the rest is computed."""
    carried = [index for index in reached if graph.steps[index].op == "carry"]
    if not carried:
        return None
    quarterly = [index for index in reached if graph.steps[index].kind is Kind.QUARTERLY]
    read = frozenset(index for index in quarterly if graph.steps[index].op in ("ttm", "qtr", "mrq"))
    targets = [Target(graph.steps[index].args[0], "value") for index in carried]
    program = assemble(graph, [index for index in quarterly if index not in read], read, targets)
    place = {graph.steps[index].args[0]: index for index in carried}
    unbounded = any(graph.steps[index].op == "qstreak" for index in quarterly)
    return QuarterStage(
        program=program,
        carried=tuple(place[index] for index in program.values),
        quarters=None if unbounded else max(graph.steps[target.step].quarters for target in targets),
    )


def _reachable(graph: Graph, wanted: Sequence[int]) -> tuple[int, ...]:
    seen: set[int] = set()
    stack = list(wanted)
    while stack:
        index = stack.pop()
        if index not in seen:
            seen.add(index)
            stack += graph.steps[index].args
    return tuple(sorted(seen))


def _is_cross(graph: Graph, index: int) -> bool:
    function = FUNCTIONS.get(graph.steps[index].op)
    return function is not None and function.family is Family.CROSS


def _is_input(graph: Graph, index: int) -> bool:
    return graph.steps[index].op in ("field", "const", "carry")


def _last_uses(graph: Graph, used: Sequence[int], level: dict[int, int], wanted: Sequence[Target]) -> dict[int, int]:
    last = {index: level[index] for index in used}
    for index in used:
        for arg in () if graph.steps[index].op == "carry" else graph.steps[index].args:
            last[arg] = max(last[arg], level[index])
    for target in wanted:
        last[target.step] = len(used)
    return last


def _stage(
    graph: Graph, used: Sequence[int], level: dict[int, int], current: int, wanted: Sequence[Target]
) -> LineStage | None:
    here = [
        index
        for index in used
        if level[index] == current and not _is_cross(graph, index) and not _is_input(graph, index)
    ]
    targets = [target for target in wanted if level[target.step] == current]
    if current > 0:  # a cross-sectional result is its own table already
        targets = [t for t in targets if t.kind == "condition" or not _is_cross(graph, t.step)]
    targets += [Target(index, "value") for index in _handed_on(graph, used, level, current)]
    targets = list(dict.fromkeys(targets))
    if not targets:
        return None
    inside = frozenset(here)
    loaded = {arg for index in here for arg in graph.steps[index].args} | {target.step for target in targets}
    program = assemble(graph, _needed(graph, here, targets), frozenset(loaded - inside), targets)
    moving = any(FUNCTIONS[graph.steps[i].op].family is Family.DAILY for i in here if graph.steps[i].op in FUNCTIONS)
    # a symbol's market index and its reports are followed along its history
    followed = any(
        graph.steps[i].op == "carry" or graph.steps[i].params == ("mkt_close",) for i in program.sources if i >= 0
    )
    return LineStage(orientation="columns" if moving or followed else "rows", program=program)


def _handed_on(graph: Graph, used: Sequence[int], level: dict[int, int], current: int) -> list[int]:
    """Steps of this level that a later pass reads: what is ranked, and values used at a higher level."""
    handed = []
    for index in used:
        for arg in () if graph.steps[index].op == "carry" else graph.steps[index].args:
            later = level[index] > current
            grouped = graph.steps[arg].op == "field" and graph.steps[arg].params[0] == "sector"
            if level[arg] != current or not later or grouped or graph.steps[arg].op == "const":
                continue
            table = _is_cross(graph, arg)  # stays a table, nothing to store
            if not table and (_is_cross(graph, index) or graph.steps[arg].op not in ("field", "carry")):
                handed.append(arg)
    return list(dict.fromkeys(handed))


def _needed(graph: Graph, here: Sequence[int], targets: Sequence[Target]) -> list[int]:
    inside = set(here)
    seen: set[int] = set()
    stack = [target.step for target in targets if target.step in inside]
    while stack:
        index = stack.pop()
        if index not in seen:
            seen.add(index)
            stack += [arg for arg in graph.steps[index].args if arg in inside]
    return sorted(seen)
