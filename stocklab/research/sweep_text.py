"""Sweeps in the words of the command line: ranges read, numbers listed, results told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from stocklab.errors import InputError
from stocklab.research.sweep_view import Plateau, best_first
from stocklab.research.sweeping import Swept
from stocklab.strategy.document import Strategy
from stocklab.strategy.numbers import numbers_of
from stocklab.strategy.sweep import Sweep

__all__ = ["describe_numbers", "describe_sweep", "parameter_of_text", "requirement_of_text", "summary_json"]

_SHOWN: Final = 10
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


def parameter_of_text(text: str) -> dict[str, Any]:
    """A parameter from ``PATH=START:STOP[:STEP][:log]`` or ``PATH=V,V,V``; several paths with + between.

    Raises
    ------
    InputError
        It is of another form.

    >>> parameter_of_text("sizing.max_holdings=10:30:10")
    {'paths': ['sizing.max_holdings'], 'start': 10, 'stop': 30, 'step': 10}
    >>> parameter_of_text("exit.stop.level=0.05,0.1")
    {'paths': ['exit.stop.level'], 'values': [0.05, 0.1]}
    """
    paths, equals, given = text.rpartition("=")
    if not equals or not paths or not given:
        raise InputError(f"--vary: expected PATH=START:STOP:STEP or PATH=VALUE,VALUE, found {text!r}.")
    found: dict[str, Any] = {"paths": [path.strip() for path in paths.split("+")]}
    if ":" not in given:
        return found | {"values": [_number(part, text) for part in given.split(",")]}
    parts = given.split(":")
    if parts[-1] == "log":
        found["scale"] = parts.pop()
    if len(parts) not in (2, 3):
        raise InputError(f"--vary: expected START:STOP or START:STOP:STEP, found {given!r} in {text!r}.")
    return found | dict(zip(("start", "stop", "step"), (_number(part, text) for part in parts), strict=False))


def requirement_of_text(text: str) -> dict[str, str]:
    """A requirement from ``PATH<PATH``.

    Raises
    ------
    InputError
        It is of another form.
    """
    smaller, sign, larger = (part.strip() for part in text.partition("<"))
    if not sign or not smaller or not larger:
        raise InputError(f"--require: expected PATH<PATH, found {text!r}.")
    return {"smaller": smaller, "larger": larger}


def describe_numbers(strategy: Strategy) -> list[str]:
    """One line for each number of a strategy: its path, its value, the formula it stands in."""
    lines = []
    for number in numbers_of(strategy):
        value = "-" if number.value is None else f"{number.value:g}"
        lines.append(f"{number.path:<44} {value:>14}  {number.formula}".rstrip())
    return lines


def describe_sweep(sweep: Sweep, swept: Swept, table: pl.DataFrame, plateau: Plateau | None, tried: int) -> list[str]:
    """The result in a few lines: counts, the best variants, the plateau, how many variants the idea has seen."""
    lines = [
        f"{sweep.strategy.name}: {sweep.start} .. {sweep.end}, sweep {swept.id}",
        f"  {swept.computed:,} variants computed, {swept.known:,} known from before, {swept.skipped:,} skipped, "
        f"{swept.seconds:.1f} s",
    ]
    skipped = table.filter(pl.col("code") != "").group_by("code").len().sort("code")
    lines += [f"  skipped, {code}: {count:,}" for code, count in skipped.iter_rows()]
    best = best_first(sweep, table)
    paths = [parameter.paths[0] for parameter in sweep.parameters]
    if best.height:
        lines.append(f"  best by {sweep.objective}:")
    for line in best.head(_SHOWN).iter_rows(named=True):
        values = ", ".join(f"{path}={line[path]:g}" for path in paths)
        lines.append(
            f"  {line['number']:>6}  {sweep.objective} {_shown(line[sweep.objective])}, CAGR {_percent(line['cagr'])}, "
            f"MDD {_percent(line['max_drawdown'])}, n_trades {line['n_trades']:,}  {values}"
        )
    if plateau is not None:
        lines.append(
            f"  plateau: number {plateau.number}, {sweep.objective} {_shown(plateau.own)}; the median of its "
            f"{plateau.neighbours} neighbours is {_shown(plateau.median)} ({_shown(plateau.lowest)} to "
            f"{_shown(plateau.highest)}), the best of all is {_shown(plateau.best)}"
        )
    if tried > 1:
        lines.append(
            f"  {tried:,} variants of this idea were tried in all: the best of so many looks better than it is."
        )
    return lines


def summary_json(
    sweep: Sweep, swept: Swept, table: pl.DataFrame, plateau: Plateau | None, tried: int
) -> Mapping[str, Any]:
    """JSON-ready summary; ``best`` has the first lines of the table, the best first."""
    return {
        "sweep_id": swept.id,
        "computed": swept.computed,
        "known": swept.known,
        "skipped": swept.skipped,
        "seconds": swept.seconds,
        "objective": sweep.objective,
        "variants_tried": tried,
        "plateau": None if plateau is None else {name: getattr(plateau, name) for name in Plateau.__slots__},
        "best": best_first(sweep, table).head(_SHOWN).drop("code", "reason").to_dicts(),
    }


def _number(text: str, whole: str) -> int | float:
    if not _NUMBER.fullmatch(text.strip()):
        raise InputError(f"--vary: expected a number, found {text!r} in {whole!r}.")
    value = float(text)
    return int(value) if value.is_integer() else value


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f} %"
