"""Variants of a strategy: a combination of values as a document of its own, or the reason why it is not run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from stocklab.backtest import RunRequest
from stocklab.errors import DocumentError
from stocklab.research.draws import Combination, draw
from stocklab.strategy import Strategy, parse_document
from stocklab.strategy.numbers import numbers_of, with_numbers
from stocklab.strategy.sweep import Sweep

__all__ = ["Skipped", "Variant", "strategy_with", "variants_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One combination. ``run_id`` is that of the same document as an ordinary run."""

    number: int
    values: Combination
    request: RunRequest
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A combination that is not run. ``code`` is "requirement", "document", "same" or "cannot_buy"."""

    number: int
    values: Combination
    code: str
    reason: str


def strategy_with(sweep: Sweep, values: Combination) -> Strategy:
    """The strategy of a sweep with one combination of values.

    Raises
    ------
    DocumentError
        The values make no valid document.
    """
    return parse_document(with_numbers(sweep.strategy.model_dump(mode="json"), _by_path(sweep, values)))


def variants_of(sweep: Sweep, identify: Callable[[RunRequest], str]) -> Iterator[Variant | Skipped]:
    """Every combination in order, as a variant or skipped.

    Parameters
    ----------
    identify : run id of a request, `stocklab.backtest.run_id` on the sweep's panel
    """
    base = sweep.strategy.model_dump(mode="json")
    current = {number.path: number.value for number in numbers_of(sweep.strategy)}
    seen: dict[str, int] = {}
    for number, values in enumerate(draw(sweep), start=1):
        changed = _by_path(sweep, values)
        broken = _broken_requirement(sweep, {**current, **changed})
        if broken is not None:
            yield Skipped(number=number, values=values, code="requirement", reason=broken)
            continue
        try:
            request = _request(sweep, with_numbers(base, changed))
        except DocumentError as error:
            yield Skipped(number=number, values=values, code="document", reason=str(error))
            continue
        identity = identify(request)
        if identity in seen:
            reason = f"The same strategy as number {seen[identity]}."
            yield Skipped(number=number, values=values, code="same", reason=reason)
            continue
        seen[identity] = number
        yield Variant(number=number, values=values, request=request, run_id=identity)


def _by_path(sweep: Sweep, values: Combination) -> dict[str, float]:
    return {path: value for parameter, value in zip(sweep.parameters, values, strict=True) for path in parameter.paths}


def _request(sweep: Sweep, document: dict[str, Any]) -> RunRequest:
    strategy = parse_document(document)
    return RunRequest(strategy=strategy, start=sweep.start, end=sweep.end, initial_cash_krw=sweep.cash_krw)


def _broken_requirement(sweep: Sweep, values: dict[str, float | None]) -> str | None:
    for requirement in sweep.requires:
        small, large = values[requirement.smaller], values[requirement.larger]
        if small is not None and large is not None and not small < large:
            return f"{requirement.smaller} ({small:g}) must be below {requirement.larger} ({large:g})."
    return None
