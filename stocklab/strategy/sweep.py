"""The sweep document: a strategy, which of its numbers take which values, and how variants are drawn from them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import date
from math import prod
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints

from stocklab.errors import DocumentError, FieldFault
from stocklab.strategy.document import MOST_KRW, Model, Strategy
from stocklab.strategy.json_text import read_json
from stocklab.strategy.numbers import Number, formula_without_numbers, numbers_of, unknown_number, with_numbers
from stocklab.strategy.own_factors import expanded
from stocklab.strategy.parsing import content_hash, parse_document
from stocklab.strategy.structure import validate_structure

__all__ = [
    "MOST_VARIANTS",
    "SWEEP_VERSION",
    "Objective",
    "Parameter",
    "Requirement",
    "Sweep",
    "document_hash",
    "grid_size",
    "idea_of",
    "levels_of",
    "parse_sweep",
    "sweep_schema",
]

SWEEP_VERSION: Final = 1
MOST_VARIANTS: Final = 20_000
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
Path = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Objective = Literal[
    "cagr",
    "total_return",
    "sharpe",
    "sortino",
    "calmar",
    "max_drawdown",
    "volatility",
    "win_rate",
    "profit_factor",
    "excess_return",
    "alpha",
    "turnover",
]


class Parameter(Model):
    """One or more numbers of the strategy that take the same value, and the values they take.

    Either ``values``, or ``start`` and ``stop``. With ``step`` the values are start, start + step, ... up to stop;
    without, every number between (sampling only), whole ones where the number is whole.
    """

    paths: tuple[Path, ...] = Field(
        min_length=1, max_length=20, description="numbers of the strategy; several always take the same value"
    )
    values: tuple[int | float, ...] | None = Field(
        default=None, min_length=1, max_length=1000, description="the values themselves; null = start, stop and step"
    )
    start: int | float | None = Field(default=None, description="first value")
    stop: int | float | None = Field(default=None, description="last value, included where the steps meet it")
    step: int | float | None = Field(
        default=None, gt=0, description="distance of the values; null = every number between (sampling only)"
    )
    scale: Literal["linear", "log"] = Field(
        default="linear", description="sampling without steps: equal differences, or equal ratios, are equally likely"
    )


class Requirement(Model):
    """What a combination must meet to be run, such as a short window below a long one."""

    smaller: Path = Field(description="number of the strategy that must be the smaller one")
    larger: Path = Field(description="number of the strategy that must be the larger one")


class Sweep(Model):
    """The whole document. ``stocklab sweep --schema`` prints its JSON schema."""

    schema_version: Literal[1] = Field(default=SWEEP_VERSION, description="version of this schema")
    strategy: Strategy = Field(description="the strategy document whose numbers are varied")
    parameters: tuple[Parameter, ...] = Field(min_length=1, max_length=8, description="what is varied")
    requires: tuple[Requirement, ...] = Field(
        default=(), max_length=20, description="combinations that break one are skipped and counted"
    )
    method: Literal["grid", "random", "latin_hypercube"] = Field(
        default="grid", description="every combination, or a sample of them"
    )
    count: int | None = Field(default=None, ge=1, le=MOST_VARIANTS, description="sampling: variants drawn")
    seed: int = Field(default=0, ge=0, le=2**32 - 1, description="sampling: the same seed draws the same variants")
    start: date = Field(description="first day")
    end: date = Field(description="last day")
    initial_cash_krw: int | None = Field(
        default=None, ge=100_000, le=MOST_KRW, description="starting cash; null = the strategy's"
    )
    objective: Objective = Field(default="sharpe", description="figure by which variants are compared")

    least_trades: int = Field(
        default=30, ge=0, le=100_000, description="variants with fewer closed trades are shown, but not compared"
    )

    @property
    def cash_krw(self) -> int:
        """Starting cash of every variant."""
        return self.initial_cash_krw or self.strategy.allocation.initial_cash_krw

    @property
    def lower_is_better(self) -> bool:
        """Whether a smaller objective is the better one (a drawdown is negative, so a larger one is better)."""
        return self.objective in ("volatility", "turnover")


def parse_sweep(source: str | bytes | Mapping[str, Any]) -> Sweep:
    """Read a sweep document.

    Raises
    ------
    DocumentError
        With every fault: its path, a stable code, what was expected and found.

    >>> rule = {"id": "A", "formula": "close>sma(close,60)"}
    >>> sweep = parse_sweep({
    ...     "strategy": {"name": "x", "entry": {"rules": [rule]}}, "start": "2020-01-01", "end": "2020-12-31",
    ...     "parameters": [{"paths": ["entry.rules.A.formula#1"], "start": 20, "stop": 60, "step": 20}]})
    >>> levels_of(sweep.parameters[0], numbers_of(sweep.strategy))
    (20, 40, 60)
    """
    data, faults = read_json(source)
    if isinstance(data.get("strategy"), dict):
        try:
            data["strategy"] = parse_document(data["strategy"]).model_dump(mode="json")
        except DocumentError as error:
            inner = [
                FieldFault(path=f"strategy.{fault.path}", code=fault.code, message=fault.message)
                for fault in error.faults
            ]
            raise DocumentError((*faults, *inner)) from error
    sweep, structure = validate_structure(data, Sweep)
    if sweep is None or faults or structure:
        raise DocumentError((*faults, *structure))
    meaning = tuple(_meaning_faults(sweep))
    if meaning:
        raise DocumentError(meaning)
    return sweep


def sweep_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the document, each field with its description."""
    return {"$schema": _DIALECT, "$id": f"urn:stocklab:sweep:{SWEEP_VERSION}", **Sweep.model_json_schema()}


def levels_of(parameter: Parameter, known: tuple[Number, ...]) -> tuple[int | float, ...] | None:
    """The values a parameter can take, in order; None where it may be any number between start and stop."""
    if parameter.values is not None:
        return tuple(_plain(value) for value in parameter.values)
    assert parameter.start is not None  # noqa: S101 (what `parse_sweep` lets through has both)
    assert parameter.stop is not None  # noqa: S101
    step = parameter.step
    if step is None:
        whole = any(number.whole for number in known if number.path in parameter.paths and not number.formula)
        window = all(float(bound).is_integer() for bound in (parameter.start, parameter.stop))
        inside = [number for number in known if number.path in parameter.paths and number.formula]
        if not whole and not (window and inside and all(number.whole for number in inside)):
            return None
        step = 1
    count = int((parameter.stop - parameter.start) / step + 1e-9) + 1
    return tuple(_plain(parameter.start + place * step) for place in range(count))


def idea_of(strategy: Strategy) -> str:
    """Hash of a strategy without its numbers: the same for every variant of one idea, however it was found.

    >>> def of(formula, most):
    ...     rules = [{"id": "A", "formula": formula}]
    ...     return idea_of(Strategy(name="x", entry={"rules": rules}, sizing={"max_holdings": most}))
    >>> of("close>sma_60", 20) == of("close > sma(close,20)", 5), of("close<sma_60", 20) == of("close>sma_60", 20)
    (True, False)
    """
    plain = expanded(strategy)
    numbers = {number.path: 1.0 for number in numbers_of(plain) if not number.formula}
    document = with_numbers(plain.model_dump(mode="json"), numbers)
    market = document["market_filter"]
    for holder in (
        *document["entry"]["rules"],
        *document["exit"]["rules"],
        *document["ranking"]["factors"],
        *([] if market is None or market["formula"] is None else [market]),
    ):
        holder["formula"] = formula_without_numbers(holder["formula"])
    return content_hash(document)


def _plain(value: float) -> int | float:
    """A whole number as such, any other with ten significant digits, so that 0.1 + 0.2 is 0.3."""
    return int(value) if float(value).is_integer() and abs(value) < 1e15 else float(f"{value:.10g}")


def _meaning_faults(sweep: Sweep) -> Iterator[FieldFault]:
    known = numbers_of(sweep.strategy)
    used: dict[str, int] = {}
    for index, parameter in enumerate(sweep.parameters):
        at = f"parameters.{index}"
        for place, path in enumerate(parameter.paths):
            fault = unknown_number(path, known, f"{at}.paths.{place}")
            if fault is not None:
                yield fault
            if path in used:
                message = f"{path!r} is varied by parameter {used[path]} already. Hint: each number once."
                yield FieldFault(path=f"{at}.paths.{place}", code="repeated_number", message=message)
            used[path] = index
        yield from _range_faults(parameter, at, grid=sweep.method == "grid")
    for index, requirement in enumerate(sweep.requires):
        for key in ("smaller", "larger"):
            fault = unknown_number(getattr(requirement, key), known, f"requires.{index}.{key}")
            if fault is not None:
                yield fault
    if sweep.start > sweep.end:
        message = f"The start {sweep.start} is after the end {sweep.end}. Hint: exchange them."
        yield FieldFault(path="start", code="range", message=message)
    if sweep.method == "grid" and not used.keys() - {number.path for number in known} and _all_ranges(sweep):
        size = grid_size(sweep)
        if size > MOST_VARIANTS:
            message = (
                f"The grid has {size:,} combinations, at most {MOST_VARIANTS:,} can be run. "
                "Hint: larger steps, or method latin_hypercube with a count."
            )
            yield FieldFault(path="parameters", code="too_many", message=message)
    if sweep.method != "grid" and sweep.count is None:
        message = f"Sampling ({sweep.method}) needs the number of variants to draw. Hint: set count, such as 200."
        yield FieldFault(path="count", code="missing", message=message)


def _range_faults(parameter: Parameter, at: str, *, grid: bool) -> Iterator[FieldFault]:
    given = (parameter.start, parameter.stop, parameter.step)
    if parameter.values is not None:
        if any(value is not None for value in given):
            message = "Expected either values or start, stop and step, found both. Hint: leave one of them out."
            yield FieldFault(path=f"{at}.values", code="contradiction", message=message)
        if len(set(parameter.values)) < len(parameter.values):
            yield FieldFault(path=f"{at}.values", code="repeated", message="A value is there twice. Hint: keep one.")
        return
    if parameter.start is None or parameter.stop is None:
        key = "start" if parameter.start is None else "stop"
        message = "Expected start and stop, or a list of values. Hint: such as start 10, stop 60, step 10."
        yield FieldFault(path=f"{at}.{key}", code="missing", message=message)
        return
    if parameter.start > parameter.stop:
        message = f"The start {parameter.start} is above the stop {parameter.stop}. Hint: exchange them."
        yield FieldFault(path=f"{at}.start", code="range", message=message)
    elif parameter.step is not None and (parameter.stop - parameter.start) / parameter.step >= MOST_VARIANTS:
        message = f"This makes more than {MOST_VARIANTS:,} values. Hint: a larger step."
        yield FieldFault(path=f"{at}.step", code="range", message=message)
    elif parameter.step is None and grid:
        message = "A grid needs the distance of the values. Hint: set step, or method random or latin_hypercube."
        yield FieldFault(path=f"{at}.step", code="missing", message=message)
    if parameter.scale == "log" and parameter.start <= 0:
        message = f"Equal ratios need numbers above 0, found start {parameter.start}. Hint: scale linear."
        yield FieldFault(path=f"{at}.scale", code="range", message=message)


def _all_ranges(sweep: Sweep) -> bool:
    return not any(list(_range_faults(parameter, "", grid=True)) for parameter in sweep.parameters)


def grid_size(sweep: Sweep) -> int:
    """Combinations of the grid, before any is skipped."""
    known = numbers_of(sweep.strategy)
    return prod(len(levels_of(parameter, known) or (0,)) for parameter in sweep.parameters)


def document_hash(sweep: Sweep) -> str:
    """SHA-256 (hex) of everything in the document."""
    text = json.dumps(sweep.model_dump(mode="json"), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
