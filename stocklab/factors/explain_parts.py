"""The parts of a formula a reader wants to see, and for each the formula that computes it.

Names are opened down to fields, statement items and numbers; plain arithmetic is not a part of its own unless a sum
stands inside a product or the other way round. ``lag`` and ``qlag`` are not parts: what they move is, with the bars or
quarters it stands back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from stocklab.factors.catalogue import CATALOGUE
from stocklab.factors.check import check
from stocklab.factors.functions import FUNCTIONS, Family, Role
from stocklab.factors.input_info import INPUTS
from stocklab.factors.parser import parse
from stocklab.factors.syntax import BinaryNode, CallNode, NameNode, Node, NumberNode, UnaryNode, canonical
from stocklab.factors.vocabulary import DERIVED, FIELDS, PARAMETERS, Kind
from stocklab.factors.words import QUARTER_CALLS, sum_terms

__all__ = ["MOST_PARTS", "How", "Part", "parts_of"]

MOST_PARTS: Final = 400
_STREAK_SHOWN: Final = 12
_FLAT: Final = {"+": "sum", "-": "sum", "*": "product", "/": "product"}
_RUNNING: Final = frozenset({"ema", "rma", "wsum", "psar", "obv_line", "streak", "bars_since"})
_SAME_UNIT: Final = frozenset(
    {
        *(
            "sma",
            "tmean",
            "tsum",
            "tmax",
            "tmin",
            "tstd",
            "tmeandev",
            "tquantile",
            "ttailmean",
            "ttopmean",
            "ema",
            "rma",
        ),
        *("wsum", "delta", "abs", "pos", "nz", "max", "min", "clip", "coalesce", "navg", "avg2", "qdelta", "qmean"),
        *("qstd", "xwinsor", "xmedian_by", "xwmean_by", "psar"),
    }
)
_NUMBER_ROLES: Final = frozenset({Role.WINDOW, Role.WHOLE, Role.FRACTION, Role.POSITIVE})


class How(StrEnum):
    """How a part gets its value from those below it."""

    INPUT = "input"  # a field or parameter
    NUMBER = "number"
    STATEMENT = "statement"  # an item of the reports
    ALIAS = "alias"  # another name for the one part below
    SUM = "sum"
    PRODUCT = "product"
    FUNCTION = "function"  # of the values of the day or quarter
    CONDITION = "condition"
    WINDOW = "window"  # over bars
    RUNNING = "running"  # over all bars so far
    QUARTERS = "quarters"  # over fiscal quarters
    CROSS = "cross"  # over the stocks of the day
    REPEATED = "repeated"  # opened elsewhere in the tree
    CUT = "cut"  # not opened: the tree is large enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part.

    Attributes
    ----------
    how : how its value comes about
    formula : computes it, in canonical spelling, ``quarters_back`` included and ``bars_back`` not
    name : factor, derived input, field, parameter or statement item it is known by, "" where none
    definition : what the name stands for, "" where it is no factor or derived input
    function, numbers : the outermost call and its constants
    bars_back, quarters_back : how far before the day, or before the newest quarter, it stands
    unit : as in the catalogue; "" = none or not known
    over : formulas of the series a window, rank or number of quarters is formed over
    below : the parts it is made of
    """

    how: How
    formula: str
    name: str = ""
    definition: str = ""
    function: str = ""
    numbers: tuple[float, ...] = ()
    bars_back: int = 0
    quarters_back: int = 0
    unit: str = ""
    over: tuple[str, ...] = ()
    below: tuple[Part, ...] = ()


def parts_of(formula: str) -> Part:
    """The tree of a formula.

    Raises
    ------
    FormulaError
        The formula is not valid.

    >>> top = parts_of("per")
    >>> top.definition, [part.formula for part in top.below]
    ('mcap_all/pos(ttm(net_income_parent))', ['mcap_all', 'pos(ttm(net_income_parent))'])
    """
    check(formula)
    return _Opener().part(parse(formula), 0, 0)


def _moved(node: Node, quarters: int) -> str:
    """The formula of a node some quarters back."""
    text = canonical(node)
    if not quarters or check(text).kind is not Kind.QUARTERLY:
        return text
    if isinstance(node, CallNode) and node.function in QUARTER_CALLS:
        return f"{node.function}({canonical(node.arguments[0])},{_constant(node.arguments[1:]) + quarters})"
    return f"qlag({text},{quarters})"


def _constant(nodes: tuple[Node, ...]) -> int:
    return int(_value(nodes[0])) if nodes else 0


def _value(node: Node) -> float:
    match node:
        case NumberNode(value=value):
            return value
        case UnaryNode(operator="-", operand=operand):
            return -_value(operand)
        case NameNode(name=name) if name in PARAMETERS:
            return PARAMETERS[name].default
    return float("nan")


def _plain_number(node: Node) -> bool:
    """Whether a node is only written numbers."""
    match node:
        case NumberNode():
            return True
        case UnaryNode(operand=operand):
            return _plain_number(operand)
        case BinaryNode(left=left, right=right):
            return _plain_number(left) and _plain_number(right)
        case CallNode(arguments=arguments):
            return all(_plain_number(argument) for argument in arguments)
    return False


def _chain(node: Node) -> list[Node]:
    """Terms of a sum, or factors of a product."""
    if isinstance(node, BinaryNode) and _FLAT.get(node.operator) == "product":
        return [*_factors(node.left), *_factors(node.right)]
    return [term for _negative, term in sum_terms(node)]


def _factors(node: Node) -> list[Node]:
    if isinstance(node, BinaryNode) and _FLAT.get(node.operator) == "product":
        return [*_factors(node.left), *_factors(node.right)]
    return [node]


class _Opener:
    """Opens one formula; a name is opened once for each place in time."""

    def __init__(self) -> None:
        self.opened: set[tuple[str, int, int]] = set()
        self.count = 0

    def part(self, node: Node, bars: int, quarters: int) -> Part:
        self.count += 1
        match node:
            case NameNode(name=name):
                return self.name(node, name, bars, quarters)
            case CallNode():
                return self.call(node, bars, quarters)
            case UnaryNode(operator="-", operand=operand):
                return self.made(How.SUM, node, [operand], bars, quarters)
            case UnaryNode(operand=operand):
                return self.made(How.CONDITION, node, [operand], bars, quarters)
            case BinaryNode(operator="**", left=left, right=right):
                return self.made(How.FUNCTION, node, [left, right], bars, quarters)
            case BinaryNode(operator=operator, left=left, right=right):
                if operator in _FLAT:
                    return self.made(How(_FLAT[operator]), node, _chain(node), bars, quarters)
                return self.made(How.CONDITION, node, [left, right], bars, quarters)
        return Part(how=How.NUMBER, formula=canonical(node))

    def made(self, how: How, node: Node, inner: list[Node], bars: int, quarters: int) -> Part:
        below = self.all(inner, bars, quarters)
        units = {part.unit for part in below}
        same = how is How.SUM and len(units) == 1
        return Part(
            how=how,
            formula=_moved(node, quarters),
            bars_back=bars,
            quarters_back=quarters,
            unit=units.pop() if same else "bool" if how is How.CONDITION else "",
            below=below,
        )

    def all(self, nodes: list[Node], bars: int, quarters: int) -> tuple[Part, ...]:
        return tuple(self.part(node, bars, quarters) for node in nodes if not _plain_number(node))

    def name(self, node: NameNode, name: str, bars: int, quarters: int) -> Part:
        formula = _moved(node, quarters)
        if name in FIELDS or name in PARAMETERS:
            return Part(how=How.INPUT, formula=formula, name=name, bars_back=bars, unit=INPUTS[name].unit)
        factor = CATALOGUE.get(name)
        definition = DERIVED[name].formula if factor is None else factor.formula
        outer = Part(
            how=How.REPEATED,
            formula=formula,
            name=name,
            definition=definition,
            bars_back=bars,
            quarters_back=quarters if check(formula).kind is Kind.QUARTERLY else 0,
            unit=INPUTS[name].unit if factor is None else factor.unit,
        )
        if (name, bars, quarters) in self.opened:
            return outer
        if self.count > MOST_PARTS:
            return replace(outer, how=How.CUT)
        self.opened.add((name, bars, quarters))
        inner = self.part(parse(definition), bars, quarters)
        if inner.name or (inner.bars_back, inner.quarters_back) != (bars, outer.quarters_back):
            return replace(outer, how=How.ALIAS, below=(inner,))
        return replace(
            outer,
            how=inner.how,
            function=inner.function,
            numbers=inner.numbers,
            over=inner.over,
            below=inner.below,
        )

    def call(self, node: CallNode, bars: int, quarters: int) -> Part:
        function = FUNCTIONS[node.function]
        if node.function in QUARTER_CALLS:
            return self.statement(node, bars, quarters)
        if node.function == "lag":
            return self.part(node.arguments[0], bars + _constant(node.arguments[1:]), quarters)
        if node.function == "qlag":
            return self.part(node.arguments[0], bars, quarters + _constant(node.arguments[1:]))
        values, numbers = self.sorted_arguments(node)
        if function.family is Family.STATEMENT:
            return self.quarters(node, values[0], numbers, bars, quarters)
        if function.family is Family.ELEMENTWISE:
            found = self.made(How.FUNCTION, node, list(node.arguments), bars, quarters)
            return replace(found, function=node.function, unit=_unit(node.function, found.below))
        below: tuple[Part, ...]
        if node.function in ("delta", "ret"):
            below = (self.part(values[0], bars, quarters), self.part(values[0], bars + int(numbers[0]), quarters))
        else:
            below = self.all(values, bars, quarters)
        cross = function.family is Family.CROSS
        return Part(
            how=How.CROSS if cross else How.RUNNING if node.function in _RUNNING else How.WINDOW,
            formula=canonical(node),
            function=node.function,
            numbers=numbers,
            bars_back=bars,
            unit=_unit(node.function, below),
            over=tuple(canonical(value) for value in values),
            below=below,
        )

    def sorted_arguments(self, node: CallNode) -> tuple[list[Node], tuple[float, ...]]:
        """The arguments that are values, and those that are constants; a group is neither."""
        places = FUNCTIONS[node.function].arguments
        values, numbers = [], []
        for position, argument in enumerate(node.arguments):
            role = places[min(position, len(places) - 1)].role
            if role in _NUMBER_ROLES:
                numbers.append(_value(argument))
            elif role is not Role.GROUP:
                values.append(argument)
        return values, tuple(numbers)

    def statement(self, node: CallNode, bars: int, quarters: int) -> Part:
        item = canonical(node.arguments[0])
        return Part(
            how=How.STATEMENT,
            formula=_moved(node, quarters),
            name=item,
            function=node.function,
            bars_back=bars,
            quarters_back=_constant(node.arguments[1:]) + quarters,
            unit=INPUTS[item].unit,
        )

    def quarters(self, node: CallNode, value: Node, numbers: tuple[float, ...], bars: int, quarters: int) -> Part:
        """qdelta and avg2 show both quarters, qmean, qstd and qstreak list theirs."""
        back = {"qdelta": int(numbers[0]) if numbers else 0, "avg2": 4}.get(node.function)
        below = [self.part(value, bars, quarters)]
        over: tuple[str, ...] = ()
        if back is not None:
            below.append(self.part(value, bars, quarters + back))
        else:
            count = int(numbers[0]) if numbers else _STREAK_SHOWN
            over = tuple(_moved(value, quarters + place) for place in range(count))
        return Part(
            how=How.QUARTERS,
            formula=_moved(node, quarters),
            function=node.function,
            numbers=numbers,
            bars_back=bars,
            quarters_back=quarters,
            unit=_unit(node.function, tuple(below)),
            over=over,
            below=tuple(below),
        )


def _unit(function: str, below: tuple[Part, ...]) -> str:
    units = {part.unit for part in below}
    if function in _SAME_UNIT and len(units) == 1:
        return units.pop()
    return {"growth": "%", "cagr": "%", "xrank": "rank", "streak": "days", "bars_since": "days"}.get(function, "")
