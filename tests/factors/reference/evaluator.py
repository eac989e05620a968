"""Formulas of sections 2 to 7 over a small market: one line per symbol, one view of filings per day."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any, Final

import numpy as np

from reference.cross import CROSS, GROUPED, by_date, by_group
from reference.documents import DERIVED, FACTORS, ITEMS, PARAMETERS
from reference.elements import BINARY, COMPARE, ELEMENTWISE, finite
from reference.smoothing import SMOOTHING
from reference.statements import QUARTERLY, Filings, View
from reference.windows import BARS, WINDOWS, rolling

__all__ = ["Market", "Reference"]

Array = np.ndarray[Any, np.dtype[np.float64]]
_SERIES: Final = {"tcorr": 2, "tbeta": 2, "tbeta_down": 2, "tcoskew": 2, "obv_line": 2, "psar": 2, "cs_spread1": 3}
_ON_LINES: Final = WINDOWS | BARS | SMOOTHING
_ACCESS: Final = frozenset({"qtr", "ttm", "mrq"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """A small market as plain arrays (n_sessions, n_symbols); ``None`` of ``filings`` = no statements at all.

    ``fields`` by name; ``indices`` closes of "KOSPI" and "KOSDAQ"; ``market`` the name of the market of each cell;
    ``rf`` (n_sessions,); ``calendar`` all sessions of the exchange in the months of the panel.
    """

    sessions: list[date]
    symbols: list[str]
    fields: Mapping[str, Array]
    listed: Any
    market: Any
    indices: Mapping[str, Array]
    rf: Array
    sectors: tuple[str, ...]
    financial: tuple[bool, ...]
    calendar: list[date]
    filings: Filings


@dataclass(slots=True)
class Reference:
    """Evaluates formulas over one market; ``values`` is the entry."""

    market: Market
    universe: Any = None
    memory: dict[str, Array] = field(default_factory=dict)
    views: dict[tuple[int, int], View | None] = field(default_factory=dict)
    spells: list[tuple[View, int, list[int]]] = field(default_factory=list)  # a view, its column, its sessions

    def __post_init__(self) -> None:
        listed = self.market.listed
        self.universe = listed if self.universe is None else self.universe & listed
        filings = [self.market.filings.of(symbol) for symbol in self.market.symbols]
        for column, (first, last) in enumerate(self.lines()):
            for t in range(first, last):
                view = self.views[t, column] = self._view(filings[column], t, column)
                if view is not None and view is not self.views.get((t - 1, column)):
                    self.spells.append((view, column, []))
                if view is not None:
                    self.spells[-1][2].append(t)

    def values(self, formula: str) -> Array:
        """(n_sessions, n_symbols), null where not listed whatever the formula says."""
        found = self.daily(parsed(formula))
        return np.where(self.market.listed, finite(found), np.nan)

    # --- lines and views ----------------------------------------------------------------------------------------------

    def lines(self) -> list[tuple[int, int]]:
        """First and one past the last listed session of each symbol."""
        spans = []
        for listed in self.market.listed.T:
            rows = np.flatnonzero(listed)
            spans.append((int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 0))
        return spans

    def _view(self, filings: Filings, t: int, column: int) -> View | None:
        """Of the session, shared with the day before where no filing or share event came in between."""
        day = self.market.sessions[t]
        before = self.market.sessions[t - 1] if (t - 1, column) in self.views else date.min
        news = [row["filed_on"] for row in filings.statements] + [row["session"] for row in filings.events]
        if not any(before < each <= day for each in news):
            return self.views.get((t - 1, column))
        return filings.view(day, annual=self.market.market[t, column] == "KONEX")

    # --- numbers and element-wise parts, the same for every kind --------------------------------------------------------

    def number(self, node: ast.expr) -> float:
        match node:
            case ast.Constant(value=value):
                return float(value)
            case ast.Name(id=name):
                return PARAMETERS[name]
        return float(self.elementwise(node, self.number))

    def elementwise(self, node: ast.expr, read: Any) -> Any:
        """One operator or element-wise function over operands that ``read`` gives."""
        match node:
            case ast.BinOp(left=left, op=operator, right=right):
                return BINARY[type(operator).__name__](read(left), read(right))
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                return COMPARE[type(operator).__name__](read(left), read(right))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -read(operand)
            case ast.UnaryOp(op=ast.Invert(), operand=operand):
                return COMPARE["Eq"](read(operand), 0.0)
            case ast.Call(func=ast.Name(id=name), args=args):
                return ELEMENTWISE[name](*(read(each) for each in args))
        raise AssertionError(ast.dump(node))

    # --- kind Q: one view's quarter axis --------------------------------------------------------------------------------

    def quarterly(self, node: ast.expr, view: View, column: int) -> Array:
        key = text_of(node)
        if key not in view.memory:
            view.memory[key] = finite(self._quarterly(node, view, column)) + np.zeros(len(view.quarters))
        return view.memory[key]

    def _quarterly(self, node: ast.expr, view: View, column: int) -> Array:
        if kind(node) == "number":
            return np.full(len(view.quarters), self.number(node))
        match node:
            case ast.Name(id=name):
                values = self.quarterly(body(name), view, column)
                return np.full(len(values), np.nan) if self.silent(name, column) else values
            case ast.Call(func=ast.Name(id=name), args=[ast.Name(id=item), *back]) if name in _ACCESS:
                line = view.line(name, item)
                return QUARTERLY["qlag"](line, int(self.number(back[0]))) if back else line
            case ast.Call(func=ast.Name(id=name), args=[first, *numbers]) if name in QUARTERLY:
                return QUARTERLY[name](self.quarterly(first, view, column), *(int(self.number(n)) for n in numbers))
        return self.elementwise(node, lambda each: self.quarterly(each, view, column))

    def silent(self, name: str, column: int) -> bool:
        """A factor marked [nofin] is null for the financial sector (4.8)."""
        return name in FACTORS and "nofin" in FACTORS[name].tokens and self.market.financial[column]

    def carried(self, node: ast.expr) -> Array:
        """On each listed session the value of the newest quarter visible."""
        out = self.nothing()
        for view, column, sessions in self.spells:
            out[sessions, column] = self.quarterly(node, view, column)[-1]
        return np.where(self.market.listed, out, np.nan)

    # --- kind D ---------------------------------------------------------------------------------------------------------

    def nothing(self) -> Array:
        return np.full(self.market.listed.shape, np.nan)

    def daily(self, node: ast.expr) -> Array:
        key = text_of(node)
        if key not in self.memory:
            self.memory[key] = np.asarray(self._daily(node), dtype=float)
        return self.memory[key]

    def _daily(self, node: ast.expr) -> Any:
        if kind(node) == "number":
            return np.full(self.market.listed.shape, self.number(node))
        if kind(node) == "Q":
            return self.carried(node)
        match node:
            case ast.Name(id=name) if name in DERIVED or name in FACTORS:
                silent = [self.silent(name, column) for column in range(len(self.market.symbols))]
                return np.where(silent, np.nan, self.daily(body(name)))
            case ast.Name(id=name):
                return np.where(self.market.listed, self.field(name), np.nan)
            case ast.Call(func=ast.Name(id=name), args=args) if name in GROUPED:
                weight = self.daily(args[1]) if name == "xwmean_by" else None
                return by_group(self.daily(args[0]), weight, self.universe, self.market.sectors)
            case ast.Call(func=ast.Name(id=name), args=[first, *marks]) if name in CROSS:
                return by_date(name, self.daily(first), self.universe, [self.number(mark) for mark in marks])
            case ast.Call(func=ast.Name(id=name)) if name in _ON_LINES:
                return self.on_lines(name, node)
        return self.elementwise(node, self.daily)

    def on_lines(self, name: str, node: ast.Call) -> Array:
        """A function of a stock's own bars, its first argument(s) series, the others numbers."""
        if name in ("tolsstd", "tolsres_ir"):  # (y, n, marks..., x1, ...)
            marks = 2 if name == "tolsstd" else 3
            series, numbers = [node.args[0], *node.args[1 + marks :]], node.args[1 : 1 + marks]
        else:
            split = _SERIES.get(name, 1)
            series, numbers = node.args[:split], node.args[split:]
        tables = [self.daily(each) for each in series]
        values = [self.number(each) for each in numbers]
        minobs = int(self.number(node.keywords[0].value)) if node.keywords else None
        out = self.nothing()
        for column, (first, last) in enumerate(self.lines()):
            own = [table[first:last, column] for table in tables]
            if last > first and name in WINDOWS:
                out[first:last, column] = rolling(WINDOWS[name], own, int(values[0]), minobs, *values[1:])
            elif last > first:
                whole = [int(value) if value == int(value) and name != "psar" else value for value in values]
                out[first:last, column] = finite(_ON_LINES[name](*own, *whole))
        return out

    # --- fields (3.1, 3.2, 7) -------------------------------------------------------------------------------------------

    def field(self, name: str) -> Array:
        shape = self.market.listed.shape
        if name in self.market.fields:
            return np.asarray(self.market.fields[name], dtype=float)
        if name == "rf":
            return np.broadcast_to(self.market.rf[:, None], shape)
        if name == "mkt_close":
            return self.index_levels()
        if name == "days_since_filing":
            out = self.nothing()
            for (t, column), view in self.views.items():
                if view is not None:
                    out[t, column] = (self.market.sessions[t] - view.since).days
            return out
        if name in ("cal_month", "cal_tdom", "cal_tdleft"):
            return np.broadcast_to(self.calendar(name)[:, None], shape)
        if name in ITEMS:
            raise AssertionError(f"{name} outside ttm, mrq, qtr")
        return self.nothing()

    def index_levels(self) -> Array:
        """The index of the stock's market; after a move between markets its own level goes on with the new returns."""
        out = self.nothing()
        names = {"KOSPI": "KOSPI", "KOSDAQ": "KOSDAQ", "KONEX": "KOSDAQ"}
        for column, (first, last) in enumerate(self.lines()):
            scale, before = 1.0, None  # level over index; the bar before
            for t in range(first, last):
                index = self.market.indices.get(names.get(self.market.market[t, column], ""))
                if index is None or not self.market.listed[t, column]:
                    continue
                if before is not None and self.market.market[t, column] != self.market.market[before, column]:
                    scale = out[before, column] / index[before]
                out[t, column] = index[t] * scale
                before = t
        return out

    def calendar(self, name: str) -> Array:
        found = []
        for day in self.market.sessions:
            month = [each for each in self.market.calendar if (each.year, each.month) == (day.year, day.month)]
            place = month.index(day)
            found.append({"cal_month": day.month, "cal_tdom": place + 1, "cal_tdleft": len(month) - 1 - place}[name])
        return np.array(found, dtype=float)


# --- text and kinds (2.1) ---------------------------------------------------------------------------------------------


@cache
def parsed(formula: str) -> ast.expr:
    return ast.parse(formula.strip(), mode="eval").body


def body(name: str) -> ast.expr:
    """The formula behind a derived input or a factor."""
    return parsed(DERIVED[name] if name in DERIVED else FACTORS[name].formula)


@cache
def text_of(node: ast.expr) -> str:
    """One text for equal trees."""
    return ast.unparse(node)


@cache
def kind(node: ast.expr) -> str:
    """D, Q, G or number."""
    match node:
        case ast.Constant():
            return "number"
        case ast.Name(id=name):
            if name in DERIVED or name in FACTORS:
                return kind(body(name))
            return "number" if name in PARAMETERS else "G" if name == "sector" else "D"
        case ast.Call(func=ast.Name(id=name)) if name in _ACCESS or name in QUARTERLY:
            return "Q"
        case ast.Call(func=ast.Name(id=name), args=args):
            return widest(*args) if name in ELEMENTWISE else "D"
        case ast.BinOp(left=left, right=right):
            return widest(left, right)
        case ast.Compare(left=left, comparators=[right]):
            return widest(left, right)
        case ast.UnaryOp(operand=operand):
            return kind(operand)
    raise AssertionError(ast.dump(node))


def widest(*nodes: ast.expr) -> str:
    kinds = {kind(node) for node in nodes}
    return "D" if "D" in kinds else "Q" if "Q" in kinds else "number"
