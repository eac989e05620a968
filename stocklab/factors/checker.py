"""Names to meanings, kinds to rules: turns a formula's tree into steps of a graph, or points at the fault."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from stocklab.errors import FormulaError
from stocklab.factors.catalogue import CATALOGUE
from stocklab.factors.functions import FUNCTIONS, Argument, Family, Function, Role
from stocklab.factors.graph import Graph
from stocklab.factors.naming import nearest
from stocklab.factors.parser import MAX_EXPONENT, parse
from stocklab.factors.syntax import BinaryNode, CallNode, NameNode, Node, NumberNode, UnaryNode
from stocklab.factors.vocabulary import DERIVED, FIELDS, ITEMS, PARAMETERS, Kind

__all__ = ["MAX_STEPS", "MAX_WINDOW", "build", "build_daily"]

MAX_WINDOW: Final = 2520
MAX_QUARTERS: Final = 80
MAX_STEPS: Final = 20_000

_BINARY: Final = {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "div",
    "**": "pow",
    ">": "gt",
    "<": "lt",
    ">=": "ge",
    "<=": "le",
    "==": "eq",
    "!=": "ne",
    "&": "and",
    "|": "or",
}
_SAME_STEP: Final = {"sma": "tmean"}
_KIND_WORDS: Final = {
    Kind.NUMBER: "a number",
    Kind.DAILY: "a daily value",
    Kind.QUARTERLY: "a quarterly value",
    Kind.ITEM: "a statement item",
    Kind.GROUP: "a group",
}
_NUMBER_ROLES: Final = frozenset({Role.WINDOW, Role.WHOLE, Role.FRACTION, Role.POSITIVE})


def build(graph: Graph, text: str) -> int:
    """Add a formula to the graph.

    Returns
    -------
    int
        Its step. Kind number, daily or quarterly.

    Raises
    ------
    FormulaError
        The text does not parse, a name or function is unknown, or arguments do not fit.
    """
    return _Builder(graph, text, ()).formula()


def build_daily(graph: Graph, text: str) -> int:
    """`build`; a quarterly formula is carried to days.

    Raises
    ------
    FormulaError
        As `build`.
    """
    index = build(graph, text)
    return graph.add("carry", (index,)) if graph.steps[index].kind is Kind.QUARTERLY else index


class _Builder:
    """Builds one text. ``path`` names the factors being expanded, so that a cycle is found."""

    def __init__(self, graph: Graph, text: str, path: tuple[str, ...]) -> None:
        self.graph = graph
        self.text = text
        self.path = path

    def formula(self) -> int:
        tree = self.tree()
        index = self.visit(tree)
        kind = self.graph.steps[index].kind
        if kind is Kind.ITEM:
            raise self.fault(tree, "A statement item needs ttm(), mrq() or qtr() around it.", "kind")
        if kind is Kind.GROUP:
            raise self.fault(tree, "A group is used only as the last argument of xmedian_by or xwmean_by.", "kind")
        return index

    def tree(self) -> Node:
        try:
            return parse(self.text)
        except FormulaError as error:
            if error.code != "unknown_name":
                raise
            # a Korean word: the scanner stops there, the names are known here
            end = error.position + error.length
            span = NameNode(position=error.position, length=error.length, name=self.text[error.position : end])
            called = self.text[end:].lstrip().startswith("(")
            raise self.fault(span, error.reason, error.code, nearest(span.name, functions=called)) from None

    def fault(self, node: Node, message: str, code: str, suggestion: str | None = None) -> FormulaError:
        hint = f" Hint: did you mean {suggestion!r}?" if suggestion else ""
        return FormulaError(
            message + hint,
            text=self.text,
            position=node.position,
            length=node.length,
            code=code,
            suggestion=suggestion,
        )

    def visit(self, node: Node) -> int:
        if len(self.graph.steps) > MAX_STEPS:
            raise self.fault(node, f"The formula expands to more than {MAX_STEPS} steps.", "too_many")
        match node:
            case NumberNode(value=value):
                return self.graph.add("const", (), (value,), Kind.NUMBER)
            case NameNode():
                return self.name(node)
            case UnaryNode(operator=operator, operand=operand):
                return self.elementwise("neg" if operator == "-" else "not", node, (operand,))
            case BinaryNode(operator=operator, left=left, right=right):
                return self.elementwise(_BINARY[operator], node, (left, right))
            case CallNode():
                return self.call(node)
        raise AssertionError(f"not a formula node: {node!r}")

    def check_exponent(self, node: Node, index: int) -> None:
        step = self.graph.steps[index]
        if step.kind is Kind.NUMBER and not abs(float(step.params[0])) <= MAX_EXPONENT:
            raise self.fault(node, f"An exponent lies between -{MAX_EXPONENT} and {MAX_EXPONENT}.", "number")

    def name(self, node: NameNode) -> int:
        name = node.name
        if name in FIELDS:
            return self.graph.add("field", (), (name,), FIELDS[name].kind)
        if name in ITEMS:
            return self.graph.add("item", (), (name,), Kind.ITEM)
        if name in PARAMETERS:
            return self.graph.add("const", (), (PARAMETERS[name].default,), Kind.NUMBER)
        formula = DERIVED[name].formula if name in DERIVED else CATALOGUE[name].formula if name in CATALOGUE else None
        if formula is not None:
            return self.expand(node, formula)
        if name in FUNCTIONS:
            message = f"{name!r} is a function: write {FUNCTIONS[name].signature}."
            raise self.fault(node, message, "unknown_name")
        raise self.fault(node, f"Unknown name {name!r}.", "unknown_name", nearest(name, functions=False))

    def expand(self, node: NameNode, formula: str) -> int:
        if node.name not in self.graph.names:
            if node.name in self.path:
                chain = " > ".join((*self.path, node.name))
                raise self.fault(node, f"The definitions go round in a circle: {chain}.", "cycle")
            inner = _Builder(self.graph, formula, (*self.path, node.name)).formula()
            if node.name in CATALOGUE and "nofin" in CATALOGUE[node.name].tokens:
                inner = self.graph.add("nofin", (inner,), (), self.graph.steps[inner].kind)
            self.graph.names[node.name] = inner
        return self.graph.names[node.name]

    def elementwise(self, op: str, node: Node, arguments: Sequence[Node]) -> int:
        built = [self.visit(argument) for argument in arguments]
        kinds = []
        for argument, index in zip(arguments, built, strict=True):
            kind = self.graph.steps[index].kind
            if kind in (Kind.ITEM, Kind.GROUP):
                raise self.wrong_kind(argument, kind, "a daily or quarterly value or a number", index)
            kinds.append(kind)
        if op == "pow":
            self.check_exponent(arguments[1], built[1])
        if Kind.DAILY in kinds:
            return self.graph.add(op, [self.carried(index) for index in built], (), Kind.DAILY)
        return self.graph.add(op, built, (), Kind.QUARTERLY if Kind.QUARTERLY in kinds else Kind.NUMBER)

    def carried(self, index: int) -> int:
        """A quarterly step as days see it; any other step unchanged."""
        if self.graph.steps[index].kind is Kind.QUARTERLY:
            return self.graph.add("carry", (index,))
        return index

    def wrong_kind(self, node: Node, found: Kind, expected: str, index: int) -> FormulaError:
        hint = ""
        if found is Kind.ITEM:
            name = str(self.graph.steps[index].params[0])
            hint = f" Hint: {'ttm' if ITEMS[name].flow else 'mrq'}({name})."
        return self.fault(node, f"Expected {expected}, found {_KIND_WORDS[found]}.{hint}", "kind")

    def call(self, node: CallNode) -> int:
        function = FUNCTIONS.get(node.function)
        if function is None:
            span = NameNode(position=node.position, length=len(node.function), name=node.function)
            suggestion = nearest(node.function, functions=True)
            raise self.fault(span, f"Unknown function {node.function!r}.", "unknown_function", suggestion)
        self.check_arity(node, function)
        if function.family is Family.ELEMENTWISE:
            return self.elementwise(function.name, node, node.arguments)
        places = self.places(node, function)
        args: list[int] = []
        params: list[float] = []
        for place, argument in places:
            index = self.visit(argument)
            if place.role in _NUMBER_ROLES:
                params.append(self.number(place, argument, index, quarters=function.family is Family.STATEMENT))
            else:
                args.append(self.operand(place, argument, index))
        params += [place.default for place in function.arguments[len(places) :] if place.default is not None]
        self.check_numbers(node, function, params)
        if function.minobs:
            params.append(self.minobs(node, int(params[0])))
        if function.family is Family.STATEMENT:
            return self.quarters(function.name, args[0], params)
        return self.graph.add(_SAME_STEP.get(function.name, function.name), args, params, Kind.DAILY)

    def quarters(self, name: str, arg: int, params: Sequence[float]) -> int:
        """A function of the quarter axis; k quarters back is one step, whatever is moved."""
        kind = Kind.QUARTERLY
        if name == "avg2":
            year_ago = self.graph.add("qlag", (arg,), (4.0,), kind)
            two = self.graph.add("const", (), (2.0,), Kind.NUMBER)
            return self.graph.add("div", (self.graph.add("add", (arg, year_ago), (), kind), two), (), kind)
        if name in ("qtr", "ttm", "mrq"):
            arg, name = self.graph.add(name, (arg,), (), kind), "qlag"
        if name == "qlag" and params[0] == 0:
            return arg
        return self.graph.add(name, (arg,), params, kind)

    def check_arity(self, node: CallNode, function: Function) -> None:
        given = len(node.arguments)
        if not function.required <= given <= function.most:
            expected = (
                f"{function.required}"
                if function.required == function.most
                else f"{function.required} to {function.most}"
            )
            raise self.fault(node, f"{function.signature} takes {expected} arguments, found {given}.", "arity")
        if node.minobs is not None and not function.minobs:
            raise self.fault(node.minobs, f"{function.name} has no minobs: {function.signature}.", "keyword")

    def places(self, node: CallNode, function: Function) -> list[tuple[Argument, Node]]:
        signature = list(function.arguments)
        signature += [signature[-1]] * (len(node.arguments) - len(signature))
        return list(zip(signature, node.arguments, strict=False))

    def operand(self, place: Argument, node: Node, index: int) -> int:
        step = self.graph.steps[index]
        match place.role:
            case Role.DAILY:
                if step.kind not in (Kind.DAILY, Kind.QUARTERLY):
                    raise self.wrong_kind(node, step.kind, "a daily value", index)
                return self.carried(index)
            case Role.QUARTERLY:
                if step.kind is not Kind.QUARTERLY:
                    raise self.wrong_kind(node, step.kind, "a quarterly value", index)
            case Role.FLOW | Role.STOCK:
                self.check_item(place, node, index)
            case Role.GROUP:
                if step.kind is not Kind.GROUP:
                    raise self.wrong_kind(node, step.kind, "a group: sector", index)
        return index

    def check_item(self, place: Argument, node: Node, index: int) -> None:
        step = self.graph.steps[index]
        flow = place.role is Role.FLOW
        if step.kind is not Kind.ITEM:
            raise self.fault(node, f"Expected a statement item, found {_KIND_WORDS[step.kind]}.", "kind")
        item = ITEMS[str(step.params[0])]
        if item.flow != flow:
            right = f"mrq({item.name})" if flow else f"ttm({item.name}) or qtr({item.name})"
            what = "a balance at quarter end" if flow else "an amount per quarter"
            raise self.fault(node, f"{item.name} is {what}: write {right}.", "kind")

    def number(self, place: Argument, node: Node, index: int, *, quarters: bool) -> float:
        step = self.graph.steps[index]
        if step.kind is not Kind.NUMBER:
            raise self.wrong_kind(node, step.kind, f"a number for {place.name}", index)
        value = float(step.params[0])
        most = MAX_QUARTERS if quarters else MAX_WINDOW
        match place.role:
            case Role.WINDOW if not (value.is_integer() and 1 <= value <= most):
                raise self.fault(node, f"{place.name} is a whole number from 1 to {most}.", "window")
            case Role.WHOLE if not (value.is_integer() and 0 <= value <= most):
                raise self.fault(node, f"{place.name} is a whole number from 0 to {most}.", "window")
            case Role.FRACTION if not 0 <= value <= 1:
                raise self.fault(node, f"{place.name} lies between 0 and 1.", "number")
            case Role.POSITIVE if not (value > 0 and math.isfinite(value)):
                raise self.fault(node, f"{place.name} is a positive number.", "number")
        return value

    def check_numbers(self, node: CallNode, function: Function, params: Sequence[float]) -> None:
        match function.name:
            case "tstd" | "tolsstd" if params[1] >= params[0]:
                raise self.fault(node, "ddof is smaller than n.", "number")
            case "ttopmean" if params[1] > params[0]:
                raise self.fault(node, "k is at most n.", "number")
            case "tolsres_ir" if not params[2] < params[1] <= params[0]:
                raise self.fault(node, "near is smaller than far, and far at most n.", "number")
            case "psar" if params[0] > params[1]:
                raise self.fault(node, "The step a is at most m.", "number")
            case "xrank" if params[0] > 1:
                raise self.fault(node, "The second argument of xrank is 0 (smallest first) or 1.", "number")
            case "xwinsor" if params[0] > params[1]:
                raise self.fault(node, "a is at most b.", "number")

    def minobs(self, node: CallNode, window: int) -> float:
        if node.minobs is None:
            return float(window)
        place = Argument("minobs", Role.WINDOW)
        value = self.number(place, node.minobs, self.visit(node.minobs), quarters=False)
        if value > window:
            raise self.fault(node.minobs, f"minobs is at most the window, {window}.", "window")
        return value
