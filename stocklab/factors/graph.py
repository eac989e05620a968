"""Formulas as one graph of shared steps: equal subexpressions are one step, each with a digest of all below it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from stocklab.factors.functions import FUNCTIONS, Family
from stocklab.factors.vocabulary import Kind

__all__ = ["GRAMMAR_VERSION", "Graph", "Step", "fold"]

GRAMMAR_VERSION: Final = "2"  # part of every digest: raise it when a function's meaning changes


@dataclass(frozen=True, slots=True)
class Step:
    """One operation. ``args`` are earlier steps; ``params`` constants, or the name of a field or item.

    ``lookback`` counts sessions and ``quarters`` fiscal quarters that one value needs.
    """

    op: str
    args: tuple[int, ...]
    params: tuple[float | str, ...]
    kind: Kind
    digest: str
    lookback: int
    quarters: int
    fields: frozenset[str]
    items: frozenset[str]
    cross: bool
    recursive: bool


# bars a step needs beyond those of its arguments
_EXTRA: Final[dict[str, Callable[[Sequence[float]], float]]] = {
    "lag": lambda params: params[0],
    "delta": lambda params: params[0],
    "ret": lambda params: params[0],
    "ema": lambda params: params[0] + params[1] - 1,
    "rma": lambda params: params[0] - 1,
    "wsum": lambda params: params[0] - 1,
    "psar": lambda params: 1,
    "cs_spread1": lambda params: 1,
}
_RECURSIVE: Final = frozenset({"ema", "rma", "wsum", "psar", "obv_line", "streak", "bars_since"})


@dataclass(slots=True)
class Graph:
    """Grows by `add`; a step that exists already is returned, not repeated."""

    steps: list[Step] = field(default_factory=list)
    known: dict[tuple[str, tuple[int, ...], tuple[float | str, ...]], int] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)

    def add(
        self, op: str, args: Sequence[int] = (), params: Sequence[float | str] = (), kind: Kind = Kind.DAILY
    ) -> int:
        """Index of the step ``op(args, params)``; numbers of numbers become a constant at once."""
        children = [self.steps[arg] for arg in args]
        if kind is Kind.NUMBER and op != "const":
            value = fold(op, [float(child.params[0]) for child in children])
            return self.add("const", (), (value,), Kind.NUMBER)
        marks = tuple(math.inf if isinstance(mark, float) and math.isnan(mark) else mark for mark in params)
        key = (op, tuple(args), marks)
        if key in self.known:
            return self.known[key]
        self.steps.append(self._step(op, tuple(args), tuple(params), kind, children))
        self.known[key] = len(self.steps) - 1
        return self.known[key]

    def _step(
        self, op: str, args: tuple[int, ...], params: tuple[float | str, ...], kind: Kind, children: list[Step]
    ) -> Step:
        text = "|".join((GRAMMAR_VERSION, op, repr(params), *(child.digest for child in children)))
        function = FUNCTIONS.get(op)
        name = str(params[0]) if op in ("field", "item") else ""
        return Step(
            op=op,
            args=args,
            params=params,
            kind=kind,
            digest=hashlib.sha256(text.encode()).hexdigest(),
            lookback=max((child.lookback for child in children), default=1) + _extra(op, params),
            quarters=max((child.quarters for child in children), default=0) + _more_quarters(op, params),
            fields=frozenset((name,) if op == "field" else ()).union(*(child.fields for child in children)),
            items=frozenset((name,) if op == "item" else ()).union(*(child.items for child in children)),
            cross=(function is not None and function.family is Family.CROSS) or any(child.cross for child in children),
            recursive=(op in _RECURSIVE and kind is not Kind.QUARTERLY) or any(child.recursive for child in children),
        )

    def constant(self, index: int) -> float:
        """Value of a step of kind number."""
        return float(self.steps[index].params[0])


def _more_quarters(op: str, params: tuple[float | str, ...]) -> int:
    """Fiscal quarters a step needs beyond those of its argument."""
    match op:
        case "ttm":
            return 4
        case "qtr" | "mrq":
            return 1
        case "qlag" | "qdelta":
            return int(params[0])
        case "qmean" | "qstd":
            return int(params[0]) - 1
    return 0


def _extra(op: str, params: tuple[float | str, ...]) -> int:
    function = FUNCTIONS.get(op)
    if function is None or function.family is not Family.DAILY:
        return 0
    numbers = [float(mark) for mark in params]
    if op in _EXTRA:
        return int(_EXTRA[op](numbers))
    return int(numbers[0]) - 1 if function.minobs else 0


def fold(op: str, values: Sequence[float]) -> float:
    """An elementwise operation on plain numbers with the null algebra of section 2.2 (NaN = null)."""
    special = _fold_null(op, values)
    if special is not None:
        return special
    if any(math.isnan(value) for value in values):
        return math.nan
    try:
        result = _FOLD[op](*values)
    except (ZeroDivisionError, ValueError, OverflowError):
        return math.nan
    if isinstance(result, complex) or math.isinf(result):
        return math.nan
    return float(result)


def _fold_null(op: str, values: Sequence[float]) -> float | None:
    present = [value for value in values if not math.isnan(value)]
    match op:
        case "nz":
            return present[0] if present else 0.0
        case "coalesce":
            return present[0] if present else math.nan
        case "navg":
            return sum(present) / len(present) if present and 2 * len(present) >= len(values) else math.nan
        case "where":
            return math.nan if math.isnan(values[0]) else values[1] if values[0] != 0 else values[2]
    return None


_FOLD: Final[dict[str, Callable[..., float]]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "pow": lambda a, b: a**b,
    "neg": lambda a: -a,
    "gt": lambda a, b: a > b,
    "lt": lambda a, b: a < b,
    "ge": lambda a, b: a >= b,
    "le": lambda a, b: a <= b,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "and": lambda a, b: a != 0 and b != 0,
    "or": lambda a, b: a != 0 or b != 0,
    "not": lambda a: a == 0,
    "abs": abs,
    "sign": lambda a: (a > 0) - (a < 0),
    "log": math.log,
    "exp": math.exp,
    "sqrt": math.sqrt,
    "max": max,
    "min": min,
    "clip": lambda x, low, high: min(max(x, low), high),
    "pos": lambda x: x if x > 0 else math.nan,
    "growth": lambda a, b: 100 * (a / b - 1) if b > 0 else math.nan,
    "cagr": lambda a, b, y: 100 * ((a / b) ** (1 / y) - 1) if a > 0 and b > 0 else math.nan,
}
