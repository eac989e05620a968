"""The tree of a formula: small frozen nodes that know where they stand in the text."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "BinaryNode",
    "CallNode",
    "NameNode",
    "Node",
    "NumberNode",
    "UnaryNode",
    "canonical",
    "name_nodes",
    "number_text",
]

# binding strength, loosest first, as in Python
_COMPARISONS = (">", "<", ">=", "<=", "==", "!=")
_STRENGTH = dict.fromkeys(_COMPARISONS, 1) | {"|": 2, "&": 3, "+": 4, "-": 4, "*": 5, "/": 5, "**": 7}
_UNARY_STRENGTH = 6
_ATOM_STRENGTH = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """``position`` is the 0-based character where the part begins, ``length`` the characters it spans."""

    position: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberNode(Node):
    """A literal."""

    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NameNode(Node):
    """A field, item, parameter, derived input or factor."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnaryNode(Node):
    """``-`` or ``~``."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class BinaryNode(Node):
    """Arithmetic, a comparison, ``&`` or ``|``."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class CallNode(Node):
    """A function with its arguments; ``minobs`` is the one keyword."""

    function: str
    arguments: tuple[Node, ...]
    minobs: Node | None = None


def canonical(node: Node) -> str:
    """One spelling per tree: no spaces, no needless parentheses.

    >>> from stocklab.factors.parser import parse
    >>> canonical(parse("( sma( per , 20 ) ) < 10.0"))
    'sma(per,20)<10'
    """
    return _print(node)[0]


def number_text(value: float) -> str:
    """A literal as short as it can be without changing its value."""
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(value)


def _print(node: Node) -> tuple[str, int]:
    match node:
        case NumberNode(value=value):
            return number_text(value), _UNARY_STRENGTH if value < 0 else _ATOM_STRENGTH
        case NameNode(name=name):
            return name, _ATOM_STRENGTH
        case CallNode(function=function, arguments=arguments, minobs=minobs):
            parts = [_print(argument)[0] for argument in arguments]
            if minobs is not None:
                parts.append(f"minobs={_print(minobs)[0]}")
            return f"{function}({','.join(parts)})", _ATOM_STRENGTH
        case UnaryNode(operator=operator, operand=operand):
            return operator + _wrap(operand, _UNARY_STRENGTH), _UNARY_STRENGTH
        case BinaryNode(operator=operator, left=left, right=right):
            return _print_binary(operator, left, right), _STRENGTH[operator]
    raise AssertionError(f"not a formula node: {node!r}")


def _print_binary(operator: str, left: Node, right: Node) -> str:
    strength = _STRENGTH[operator]
    if operator == "**":  # right-associative, and its right side may carry a sign
        return f"{_wrap(left, _ATOM_STRENGTH)}**{_wrap(right, _UNARY_STRENGTH)}"
    left_needs = strength + 1 if operator in _COMPARISONS else strength
    return f"{_wrap(left, left_needs)}{operator}{_wrap(right, strength + 1)}"


def _wrap(node: Node, needs: int) -> str:
    text, strength = _print(node)
    return text if strength >= needs else f"({text})"


def name_nodes(node: Node) -> list[NameNode]:
    """Every name of a formula's tree, from left to right; repeated ones too."""
    match node:
        case NameNode():
            return [node]
        case UnaryNode(operand=operand):
            return name_nodes(operand)
        case BinaryNode(left=left, right=right):
            return name_nodes(left) + name_nodes(right)
        case CallNode(arguments=arguments):
            return [name for argument in arguments for name in name_nodes(argument)]
    return []
