"""A formula as LaTeX, the way people write it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from stocklab.factors.functions import FUNCTIONS, Family, Role
from stocklab.factors.parser import parse
from stocklab.factors.syntax import BinaryNode, CallNode, NameNode, Node, NumberNode, UnaryNode, canonical, number_text
from stocklab.factors.words import QUARTER_CALLS, Language, sum_terms

__all__ = ["latex"]

NameOf = Callable[[str], str]
_LINE: Final = 46  # visible letters after which a sum goes on in the next line
_SPECIAL: Final = {letter: f"\\{letter}" for letter in "%&_#${}"} | {"\\": "/", "~": "-", "^": ""}
_SIGNS: Final = {
    ">": ">",
    "<": "<",
    ">=": r"\ge",
    "<=": r"\le",
    "==": "=",
    "!=": r"\ne",
    "&": r"\wedge",
    "|": r"\vee",
    "+": "+",
    "-": "-",
    "*": r"\times",
}
_STRENGTH: Final = {">": 1, "<": 1, ">=": 1, "<=": 1, "==": 1, "!=": 1, "|": 2, "&": 3, "+": 4, "-": 4, "*": 5, "/": 8}
_ATOM: Final = 9


def latex(formula: str, name_of: NameOf, language: Language) -> str:
    r"""A formula as people write it, for a typesetter of LaTeX; names come from ``name_of``.

    A long sum is set in several lines. Nulls are as in the notation: ``x^{+}`` is ``pos(x)``.

    Raises
    ------
    FormulaError
        Not a formula.

    >>> latex("mcap_all/pos(ttm(net_income_parent))", str, "en")
    '\\dfrac{\\text{mcap\\_all}}{\\text{net\\_income\\_parent}_{\\text{TTM}}^{+}}'
    """
    tree = parse(formula)
    printer = _Printer(name_of, language)
    terms = sum_terms(tree)
    if len(terms) < 2 or len(canonical(tree)) <= _LINE:
        return printer.show(tree)
    shown = [("-" if negative else "+", printer.held(node, 5)) for negative, node in terms]
    first, *rest = shown
    lines = [first[1], *(f"{sign} {text}" for sign, text in rest)]
    return "\\begin{aligned}" + " \\\\[4pt] ".join(f"& {line}" for line in lines) + "\\end{aligned}"


class _Printer:
    """Prints one tree."""

    def __init__(self, name_of: NameOf, language: Language) -> None:
        self.name_of = name_of
        self.language = language

    def text(self, words: str) -> str:
        return "\\text{" + "".join(_SPECIAL.get(letter, letter) for letter in words) + "}"

    def show(self, node: Node) -> str:
        return self.part(node)[0]

    def held(self, node: Node, needs: int) -> str:
        text, strength = self.part(node)
        return text if strength >= needs else f"\\left({text}\\right)"

    def part(self, node: Node) -> tuple[str, int]:
        match node:
            case NumberNode(value=value):
                return number_text(value), _ATOM if value >= 0 else 6
            case NameNode(name=name):
                return self.text(self.name_of(name)), _ATOM
            case UnaryNode(operator="-", operand=operand):
                return f"-{self.held(operand, 6)}", 6
            case UnaryNode(operand=operand):
                return rf"\neg {self.held(operand, _ATOM)}", 6
            case BinaryNode(operator="/", left=left, right=right):
                return rf"\dfrac{{{self.show(left)}}}{{{self.show(right)}}}", _STRENGTH["/"]
            case BinaryNode(operator="**", left=left, right=right):
                return f"{{{self.held(left, _ATOM)}}}^{{{self.show(right)}}}", 7
            case BinaryNode(operator=operator, left=left, right=right):
                strength = _STRENGTH[operator]
                sides = self.held(left, strength), self.held(right, strength + (operator not in {"+", "*"}))
                return f"{sides[0]} {_SIGNS[operator]} {sides[1]}", strength
            case CallNode():
                return self.call(node)
        raise AssertionError(f"not a formula node: {node!r}")

    def call(self, node: CallNode) -> tuple[str, int]:
        special = self.element(node) or self.shifted(node)
        if special is not None:
            return special
        numbers: list[str] = []
        values: list[str] = []
        roles = FUNCTIONS[node.function].arguments
        for place, argument in enumerate(node.arguments):
            role = roles[min(place, len(roles) - 1)].role
            plain = role in (Role.WINDOW, Role.WHOLE, Role.FRACTION, Role.POSITIVE)
            (numbers if plain else values).append(self.show(argument))
        below = f"_{{{','.join(numbers)}}}" if numbers else ""
        inside = r",\; ".join(values)
        return rf"\operatorname{{{self.plain(node.function)}}}{below}\left({inside}\right)", _ATOM

    def plain(self, function: str) -> str:
        return function.replace("_", r"\_")

    def element(self, node: CallNode) -> tuple[str, int] | None:
        """Functions that have a sign of their own."""
        inner = node.arguments
        match node.function:
            case "abs":
                return rf"\left|{self.show(inner[0])}\right|", _ATOM
            case "sqrt":
                return rf"\sqrt{{{self.show(inner[0])}}}", _ATOM
            case "log":
                return rf"\ln\left({self.show(inner[0])}\right)", _ATOM
            case "exp":
                return f"e^{{{self.show(inner[0])}}}", _ATOM
            case "pos":
                return f"{self.held(inner[0], _ATOM)}^{{+}}", _ATOM
            case "max" | "min":
                listed = r",\; ".join(self.show(argument) for argument in inner)
                return rf"\{node.function}\left({listed}\right)", _ATOM
            case "avg2":
                return rf"\overline{{{self.show(inner[0])}}}", _ATOM
            case "where":
                condition, yes, no = (self.show(argument) for argument in inner)
                other = self.text("아니면" if self.language == "ko" else "otherwise")
                return rf"\begin{{cases}} {yes} & {condition} \\ {no} & {other} \end{{cases}}", _ATOM
        return None

    def shifted(self, node: CallNode) -> tuple[str, int] | None:
        """Functions that move along the days or the quarters."""
        if node.function not in (*QUARTER_CALLS, "lag", "qlag", "delta", "qdelta"):
            return None
        inner = self.held(node.arguments[0], _ATOM)
        back = self.show(node.arguments[1]) if len(node.arguments) == 2 else "0"
        quarters = FUNCTIONS[node.function].family is Family.STATEMENT
        match node.function:
            case "delta" | "qdelta":
                return rf"\Delta_{{{back}{'Q' if quarters else ''}}} {inner}", 6
            case "lag":
                return f"{{{inner}}}_{{t-{back}}}", _ATOM
            case "qlag":
                return f"{{{inner}}}_{{-{back}Q}}", _ATOM
        korean = {"ttm": "TTM", "mrq": "분기말", "qtr": "분기"}
        below = self.text(korean[node.function] if self.language == "ko" else node.function.upper())
        return f"{inner}_{{{below}{'' if back == '0' else f',-{back}Q'}}}", _ATOM
