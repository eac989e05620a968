"""Why a value is what it is: a formula for one stock on one day, with every number that went in.

All numbers are the engine's: each part of the formula is evaluated as a formula of its own. Parts that look at one
stock only run on that stock alone; those that rank the market run on all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from stocklab.factors.catalogue import CATALOGUE
from stocklab.factors.check import check, missing_inputs
from stocklab.factors.evaluate import FormulaSource, Wanted, evaluate
from stocklab.factors.explain_parts import How, Part, parts_of
from stocklab.factors.explain_quarters import Statement, View, amounts_of, view_on
from stocklab.factors.one_symbol import one_symbol
from stocklab.factors.some_sessions import values_on
from stocklab.market.panel import Panel
from stocklab.types import FloatArray

__all__ = ["Explanation", "MarketRows", "Point", "Rank", "ValueNode", "Window", "explain_value", "market_rows"]

MarketRows = Callable[[tuple[str, ...], int], Mapping[str, FloatArray]]
"""``rows(formulas, row)``: each formula's values for every symbol on one session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One value of a series: on a session, or at a quarter's end (None where no report tells it)."""

    on: date | None
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The bars, or quarters, that one series put in.

    ``formula`` is the series, ``known`` of ``size`` values are not null; ``points`` are the first and the last bar
    (for the highest or lowest, that bar between them), or every quarter, newest first.
    """

    formula: str
    size: int
    known: int
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """Place among the stocks of the day: 1 = largest; ``group`` is the sector where only that is looked at."""

    place: float
    count: int
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueNode:
    """A part with its value (NaN = null).

    ``missing`` names inputs the data do not have; ``financial`` says the value is null because banks, insurers and the
    like have no such figure.
    """

    part: Part
    value: float
    windows: tuple[Window, ...] = ()
    statement: Statement | None = None
    rank: Rank | None = None
    missing: tuple[str, ...] = ()
    financial: bool = False
    below: tuple[ValueNode, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A value and all that led to it.

    ``listed`` is whether the stock had a listing on the session; ``view`` what was visible of its reports, None
    where there are none, or the formula needs none.
    """

    symbol: str
    session: date
    formula: str
    value: float
    listed: bool
    view: View | None
    top: ValueNode


def market_rows(panel: Panel, source: FormulaSource | None = None) -> MarketRows:
    """Computes the values of one session anew each time; ``source`` computes what needs the history."""

    def rows(formulas: tuple[str, ...], row: int) -> Mapping[str, FloatArray]:
        found = values_on(panel, formulas, np.array([row]), source)
        return {formula: values[0] for formula, values in found.items()}

    return rows


def explain_value(formula: str, panel: Panel, symbol: str, row: int, rows: MarketRows | None = None) -> Explanation:
    """Take a value apart.

    Parameters
    ----------
    formula : a factor id or any formula
    row : session index
    rows : gives values of the whole market for cross-sectional parts; None computes them. Ranks are among all that
        is listed.

    Raises
    ------
    FormulaError
        The formula is not valid.
    InputError
        The symbol is not in the panel.
    """
    column = panel.column(symbol)
    top = parts_of(formula)
    alone = one_symbol(panel, column, check(formula).inputs)
    values = _Values(panel, alone, column, rows or market_rows(panel))
    values.load(top, row)
    node = _Assembler(alone, panel, values).node(top, row)
    known = alone.fundamentals
    return Explanation(
        symbol=symbol,
        session=panel.sessions[row].item(),
        formula=formula,
        value=node.value,
        listed=bool(alone.fields["listed"][row, 0]),
        view=None if known is None or not check(formula).items else view_on(known, row),
        top=node,
    )


def _every(part: Part) -> Iterator[Part]:
    yield part
    for inner in part.below:
        yield from _every(inner)


class _Values:
    """Values of formulas for one stock: whole series where it stands alone, single sessions where the market counts."""

    def __init__(self, panel: Panel, alone: Panel, column: int, rows: MarketRows) -> None:
        self.panel, self.alone, self.column, self.rows = panel, alone, column, rows
        self.series: dict[str, FloatArray] = {}
        self.market: dict[tuple[str, int], FloatArray] = {}

    def load(self, top: Part, row: int) -> None:
        """Evaluate all that the tree needs, each formula once."""
        own: dict[str, None] = {}
        wide: dict[int, dict[str, None]] = {}
        for part in _every(top):
            for text in (part.formula, *part.over, *_extremes(part)):
                if not check(text).cross_sectional:
                    own[text] = None
                elif text == part.formula:
                    wide.setdefault(row - part.bars_back, {})[text] = None
            if part.how is How.CROSS:
                wide.setdefault(row - part.bars_back, {}).update(dict.fromkeys((part.over[0], _place(part))))
        tables = evaluate([Wanted(text, "value") for text in own], self.alone, threads=1)
        self.series = {text: table[:, 0] for text, table in zip(own, tables, strict=True)}
        for at, texts in wide.items():
            if at >= 0:
                self.market |= {(text, at): values for text, values in self.rows(tuple(texts), at).items()}

    def at(self, formula: str, row: int) -> float:
        """One value; NaN before the first session."""
        if row < 0:
            return np.nan
        if (formula, row) in self.market:
            return float(self.market[formula, row][self.column])
        return float(self.series[formula][row])

    def whole(self, formula: str, row: int) -> FloatArray:
        """The market's values on a session."""
        return self.market[formula, row]


def _extremes(part: Part) -> tuple[str, ...]:
    """Formulas that tell on which bar the highest or lowest of a window stood."""
    finder = {"tmax": "targmax", "tmin": "targmin"}.get(part.function)
    return () if finder is None else (f"{finder}({part.over[0]},{int(part.numbers[0])})",)


def _place(part: Part) -> str:
    return f"xrank({part.over[0]},1)"


class _Assembler:
    """Joins the parts with their values."""

    def __init__(self, alone: Panel, panel: Panel, values: _Values) -> None:
        self.alone, self.panel, self.values = alone, panel, values
        listed = np.flatnonzero(alone.fields["listed"][:, 0])
        self.first_bar = int(listed[0]) if len(listed) else 0

    def node(self, part: Part, row: int) -> ValueNode:
        at = row - part.bars_back
        value = self.value(part, at)
        below = tuple(self.node(inner, row) for inner in part.below)
        if part.function in ("pos", "nz") and not part.name and below and not _differs(value, below[0].value):
            return below[0]  # it changed nothing
        financial = bool(self.alone.instruments.financial[0]) and "nofin" in _tokens(part.name)
        return ValueNode(
            part=part,
            value=value,
            windows=self.windows(part, at),
            statement=self.statement(part, at),
            rank=self.rank(part, at) if part.how is How.CROSS and at >= 0 else None,
            missing=missing_inputs(part.formula, self.alone) if np.isnan(value) and not below else (),
            financial=financial and np.isnan(value),
            below=below,
        )

    def value(self, part: Part, at: int) -> float:
        return self.values.at(part.formula, at)

    def windows(self, part: Part, at: int) -> tuple[Window, ...]:
        if at < 0 or any(check(text).cross_sectional for text in part.over):
            return ()
        match part.how:
            case How.QUARTERS if part.over:
                return (self.quarters(part, at),)
            case How.WINDOW if part.function not in ("delta", "ret"):
                size = 2 if part.function == "cs_spread1" else int(part.numbers[0])
                return tuple(self.bars(part, text, max(at - size + 1, self.first_bar), at, size) for text in part.over)
            case How.RUNNING if part.function not in ("streak", "bars_since"):
                return tuple(self.all_bars(text, at) for text in part.over)
        return ()

    def bars(self, part: Part, text: str, first: int, at: int, size: int) -> Window:
        known = int(np.count_nonzero(~np.isnan(self.values.series[text][first : at + 1])))
        rows = [first, at]
        for finder in _extremes(part):
            ago = self.values.at(finder, at)
            if not np.isnan(ago):
                rows.insert(1, at - int(ago))
        return Window(formula=text, size=size, known=known, points=self.points(text, rows))

    def all_bars(self, text: str, at: int) -> Window:
        there = np.flatnonzero(~np.isnan(self.values.series[text][: at + 1]))
        rows = [int(there[0]), at] if len(there) else [at]
        size = at + 1 - self.first_bar
        return Window(formula=text, size=size, known=len(there), points=self.points(text, rows))

    def points(self, text: str, rows: Sequence[int]) -> tuple[Point, ...]:
        kept = list(dict.fromkeys(row for row in rows if row >= 0))
        return tuple(Point(on=self.session(row), value=self.values.at(text, row)) for row in kept)

    def session(self, row: int) -> date:
        day: date = self.alone.sessions[row].item()
        return day

    def quarters(self, part: Part, at: int) -> Window:
        """Every quarter of a mean or deviation, newest first."""
        ends = self.ends(at)
        points = [
            Point(on=ends.get(part.quarters_back + place), value=self.values.at(text, at))
            for place, text in enumerate(part.over)
        ]
        known = sum(not np.isnan(point.value) for point in points)
        return Window(formula=part.over[0], size=len(points), known=known, points=tuple(points))

    def ends(self, at: int) -> dict[int, date]:
        """Quarters back -> the day that quarter ended, as far as reports tell."""
        known = self.alone.fundamentals
        view = None if known is None else view_on(known, at)
        if known is None or view is None:
            return {}
        newest = view.newest_slot
        days = known.report_end.astype("datetime64[D]")
        return {newest - int(slot): day.item() for slot, day in zip(known.report_slot, days, strict=True)}

    def statement(self, part: Part, at: int) -> Statement | None:
        known = self.alone.fundamentals
        if part.how is not How.STATEMENT or known is None or at < 0:
            return None
        view = view_on(known, at)
        if view is None:
            return None
        return amounts_of(known, view, part.function, part.name, part.quarters_back)

    def rank(self, part: Part, at: int) -> Rank:
        there = ~np.isnan(self.values.whole(part.over[0], at))
        group = ""
        if part.function.endswith("_by"):
            group = self.alone.instruments.sectors[0]
            there = there & (np.asarray(self.panel.instruments.sectors) == group)
        place = np.nan if group else self.values.at(_place(part), at)
        return Rank(place=place, count=int(np.count_nonzero(there)), group=group)


def _differs(one: float, other: float) -> bool:
    return one != other and not (np.isnan(one) and np.isnan(other))


def _tokens(name: str) -> tuple[str, ...]:
    return CATALOGUE[name].tokens if name in CATALOGUE else ()
