"""Steps of a graph to the instruction table the compiled machine runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from stocklab.factors.graph import Graph, Step
from stocklab.factors.kernels import opcodes as op
from stocklab.types import FloatArray, IntArray

__all__ = ["NOT_FINANCIAL", "Program", "Target", "assemble"]

NOT_FINANCIAL: Final = -1
"""The source that is 1, and null for issuers of the financial sector."""

_INSTRUCTION: Final = 10
_NUMBERS: Final = 2
_FOLDED: Final = {"max": op.MAX, "min": op.MIN, "coalesce": op.COALESCE}
# strict version where the window must be whole, counting version where nulls may be left out
_WINDOWS: Final = {
    "tsum": (op.TSUM, op.TSUM_PART),
    "tmean": (op.TMEAN, op.TMEAN_PART),
    "tstd": (op.TSTD, op.TSTD_PART),
    "tmax": (op.TMAX, op.TMAX_PART),
    "tmin": (op.TMIN, op.TMIN_PART),
}
_PART: Final = {"tskew": 4, "tmeandev": 4, "targmax": 3, "targmin": 3, "tmdd": 4}
_ORDERED: Final = frozenset({"tquantile", "ttailmean", "ttopmean", "tpctrank"})
_PAIRS: Final = frozenset({"tcorr", "tbeta", "tbeta_down", "tcoskew"})
_PAIR_STATE: Final = 8
_QUARTERLY: Final = {"qlag": "lag", "qdelta": "delta", "qstreak": "streak"}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a step's values go: ``value`` keeps numbers, ``condition`` one bit each."""

    step: int
    kind: Literal["value", "condition"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What `run_lines` needs.

    ``sources`` are the steps LOAD reads (or NOT_FINANCIAL), ``values`` and ``conditions`` what STORE writes.
    """

    code: IntArray
    numbers: FloatArray
    lists: IntArray
    constants: tuple[tuple[int, float], ...]
    n_slots: int
    sources: tuple[int, ...]
    values: tuple[int, ...]
    conditions: tuple[int, ...]
    scratch_per_window: int
    scratch_lines: int


def assemble(graph: Graph, steps: Sequence[int], loaded: frozenset[int], targets: Sequence[Target]) -> Program:
    """Order the steps, give rows of work memory to their values and free each after its last use.

    Parameters
    ----------
    graph : Graph
    steps : indices to compute, ascending (an argument always has the smaller index)
    loaded : indices read instead of computed
    targets : what to write

    Returns
    -------
    Program
    """
    return _Assembler(graph, loaded, targets).run(sorted(steps))


@dataclass(slots=True)
class _Assembler:
    graph: Graph
    loaded: frozenset[int]
    targets: Sequence[Target]
    rows: list[list[int]] = field(default_factory=list)
    numbers: list[tuple[float, float]] = field(default_factory=list)
    lists: list[int] = field(default_factory=list)
    slots: dict[int, int] = field(default_factory=dict)
    free: list[int] = field(default_factory=list)
    n_slots: int = 0
    scratch: int = 0
    scratch_lines: int = 0
    constants: list[tuple[int, float]] = field(default_factory=list)
    sources: list[int] = field(default_factory=list)
    values: list[int] = field(default_factory=list)
    conditions: list[int] = field(default_factory=list)
    uses: dict[int, int] = field(default_factory=dict)

    def run(self, steps: Sequence[int]) -> Program:
        for index in steps:
            for arg in self.graph.steps[index].args:
                self.uses[arg] = self.uses.get(arg, 0) + 1
        for target in self.targets:
            self.uses[target.step] = self.uses.get(target.step, 0) + 1
        for index in steps:
            self.compute(index)
            self.store(index)
        for index in dict.fromkeys(target.step for target in self.targets):
            if index not in steps:  # wanted as it was loaded, or a plain number
                self.operand(index)
                self.store(index)
        code = np.array(self.rows, dtype=np.int64).reshape(len(self.rows), _INSTRUCTION)
        numbers = np.array(self.numbers, dtype=np.float64).reshape(len(self.rows), _NUMBERS)
        return Program(
            code=code,
            numbers=numbers,
            lists=np.array(self.lists or [0], dtype=np.int64),
            constants=tuple(self.constants),
            n_slots=max(self.n_slots, 1),
            sources=tuple(self.sources),
            values=tuple(self.values),
            conditions=tuple(self.conditions),
            scratch_per_window=self.scratch,
            scratch_lines=self.scratch_lines,
        )

    def slot(self) -> int:
        if self.free:
            return self.free.pop()
        self.n_slots += 1
        return self.n_slots - 1

    def emit(
        self,
        operation: int,
        target: int,
        operands: Sequence[int] = (),
        ints: tuple[int, int, int] = (0, 0, 0),
        *,
        numbers: tuple[float, float] = (0.0, 0.0),
        span: tuple[int, int] = (0, 0),
    ) -> None:
        places = (*operands, 0, 0, 0)[:3]
        self.rows.append([operation, target, *places, *ints, *span])
        self.numbers.append(numbers)

    def operand(self, index: int) -> int:
        """Row of a step's values; loads it or sets the constant up at its first use."""
        if index in self.slots:
            return self.slots[index]
        step = self.graph.steps[index]
        if step.op == "const":
            self.n_slots += 1  # never reused: constants are written once per worker
            self.slots[index] = self.n_slots - 1
            self.constants.append((self.slots[index], float(step.params[0])))
            return self.slots[index]
        if index not in self.loaded:
            raise AssertionError(f"step {step.op} is used before it is computed")
        self.slots[index] = self.slot()
        self.emit(op.LOAD, self.slots[index], (len(self.sources),))
        self.sources.append(index)
        return self.slots[index]

    def not_financial(self) -> int:
        """Row of the factor 1 or null; loaded once for a line and kept."""
        if NOT_FINANCIAL not in self.slots:
            self.n_slots += 1
            self.slots[NOT_FINANCIAL] = self.n_slots - 1
            self.emit(op.LOAD, self.n_slots - 1, (len(self.sources),))
            self.sources.append(NOT_FINANCIAL)
        return self.slots[NOT_FINANCIAL]

    def release(self, index: int) -> None:
        self.uses[index] -= 1
        if self.uses[index] == 0 and self.graph.steps[index].op != "const":
            self.free.append(self.slots[index])

    def store(self, index: int) -> None:
        for target in self.targets:
            if target.step != index:
                continue
            outputs = self.values if target.kind == "value" else self.conditions
            self.emit(op.STORE if target.kind == "value" else op.STORE_BIT, len(outputs), (self.slots[index],))
            outputs.append(index)
            self.release(index)

    def compute(self, index: int) -> None:
        step = self.graph.steps[index]
        operands = [self.operand(arg) for arg in step.args]
        target = self.slot()  # taken before the operands are released: a row is never read and written at once
        self.lower(step, operands, target)
        self.slots[index] = target
        for arg in step.args:
            self.release(arg)
        if not self.uses.get(index):
            self.free.append(target)

    def lower(self, step: Step, operands: list[int], target: int) -> None:
        name = _QUARTERLY.get(step.op, step.op)
        marks = [float(mark) for mark in step.params]
        if name in _FOLDED:
            self.lower_folded(_FOLDED[name], operands, target)
        elif name == "navg":
            self.emit(op.NAVG, target, span=self.listed(operands))
        elif name == "pow" and self.graph.steps[step.args[1]].params == (2.0,):
            self.emit(op.SQUARE, target, operands[:1])
        elif name in _WINDOWS or name == "tcount":
            self.lower_window(name, marks, operands, target)
        elif name in _PART:
            self.need(int(marks[0]) * _PART[name], lines=1 if name == "tmeandev" else 0)
            self.emit(op.BY_NAME[name], target, operands, (int(marks[0]), int(marks[-1]), 0))
        elif name in _ORDERED:
            self.need(int(marks[0]))
            numbers = (marks[1] if len(marks) > 2 else 0.0, 0.0)
            self.emit(op.BY_NAME[name], target, operands, (int(marks[0]), int(marks[-1]), 0), numbers=numbers)
        elif name in _PAIRS or name in ("tslope", "tr2"):
            self.lower_pair(name, marks, operands, target)
        elif name == "nofin":
            self.emit(op.MUL, target, (operands[0], self.not_financial()))
        elif name in ("tolsstd", "tolsres_ir"):
            self.lower_regression(name, marks, operands, target)
        else:
            self.lower_plain(name, marks, operands, target)

    def lower_plain(self, name: str, marks: list[float], operands: list[int], target: int) -> None:
        n = int(marks[0]) if marks and name != "psar" else 0
        k = int(marks[1]) if name == "ema" else 0
        numbers = (marks[0], marks[1]) if name == "psar" else (0.0, 0.0)
        self.emit(op.BY_NAME[name], target, operands, (n, 0, k), numbers=numbers)

    def lower_folded(self, operation: int, operands: list[int], target: int) -> None:
        current = operands[0]
        temporary = [self.slot() for _ in range(min(2, len(operands) - 2))]
        for place, operand in enumerate(operands[1:]):
            goal = target if place == len(operands) - 2 else temporary[place % 2]
            self.emit(operation, goal, (current, operand))
            current = goal
        self.free += temporary

    def lower_window(self, name: str, marks: list[float], operands: list[int], target: int) -> None:
        n, m = int(marks[0]), int(marks[-1])
        ddof = int(marks[1]) if name == "tstd" else 0
        source = operands[0]
        if name == "tcount":
            source = self.slot()
            self.emit(op.TRUTH, source, operands[:1])
            self.free.append(source)
        full, part = _WINDOWS["tsum" if name == "tcount" else name]
        self.need(4 * n)
        self.emit(full if m == n else part, target, (source,), (n, m, ddof))

    def lower_pair(self, name: str, marks: list[float], operands: list[int], target: int) -> None:
        n, m = int(marks[0]), int(marks[-1])
        self.need(_PAIR_STATE * n, lines=3 if name == "tbeta_down" else 0)
        if name in _PAIRS and name != "tcorr":  # beta(y, x): the machine's first operand is x
            operands = operands[::-1]
        if name in ("tslope", "tr2"):
            operands = [operands[0], operands[0]]
        self.emit(op.BY_NAME[name], target, operands, (n, m, 0))

    def lower_regression(self, name: str, marks: list[float], operands: list[int], target: int) -> None:
        n, m, second = int(marks[0]), int(marks[-1]), int(marks[1])
        columns = len(operands)
        size = 1 + columns + columns * (columns + 1) // 2
        self.need((n + 2) * size + columns * (columns + 3))
        near = marks[2] if name == "tolsres_ir" else 0.0
        span = self.listed(operands)
        self.emit(op.BY_NAME[name], target, (), (n, m, second), numbers=(near, 0.0), span=span)

    def listed(self, operands: Sequence[int]) -> tuple[int, int]:
        first = len(self.lists)
        self.lists += operands
        return first, len(self.lists)

    def need(self, values: int, *, lines: int = 0) -> None:
        self.scratch = max(self.scratch, values)
        self.scratch_lines = max(self.scratch_lines, lines)
