"""Names users give to formulas of their own: put in place before anything is computed.

The engine, its caches and fingerprints only ever see the plain notation. Limits are counted before text is built, so
that names that double what they name cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Final

from stocklab.errors import FormulaError
from stocklab.factors.check import Checked, check
from stocklab.factors.functions import FUNCTIONS
from stocklab.factors.naming import KOREAN_FUNCTIONS, exact_names, normal
from stocklab.factors.parser import MAX_CHARACTERS, MAX_DEPTH, MAX_NODES, parse
from stocklab.factors.syntax import BinaryNode, CallNode, NameNode, Node, UnaryNode, canonical
from stocklab.factors.vocabulary import Kind

__all__ = ["NO_DEFINITIONS", "Definition", "Definitions", "check_with", "expand", "is_taken"]

_CLOSE: Final = 0.7
_LONGEST_COMPARED: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A name for a formula. ``title`` is what people call it; formulas may use either."""

    id: str
    formula: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class _Body:
    tree: Node
    nodes: int
    depth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Definitions:
    """Names that formulas may use beside those of the language.

    Attributes
    ----------
    bodies : id -> its formula in plain notation
    refused : id -> (code, why) for names that exist and cannot be used here
    names : how people may write it, in normal form -> id
    """

    bodies: Mapping[str, _Body] = field(default_factory=dict)
    refused: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def adding(self, definition: Definition) -> Definitions:
        """With one name more; its formula may use the names that are there already.

        Raises
        ------
        FormulaError
            The formula is not valid, or gives no value of each stock (a number, a group, a statement item).

        >>> cheap = NO_DEFINITIONS.adding(Definition(id="cheap", formula="1/pos(per)"))
        >>> expand("xpct(cheap)>0.9", cheap)
        'xpct(1/pos(per))>0.9'
        """
        checked = check_with(definition.formula, self)
        if checked.kind is Kind.NUMBER:
            raise FormulaError(
                "This is one number, the same for every stock and day. Hint: a factor needs a field, a statement item "
                "or another factor; write a plain number where it is used.",
                text=definition.formula,
                position=0,
                length=len(definition.formula),
                code="kind",
            )
        tree = parse(expand(definition.formula, self))
        return replace(
            self._named(definition),
            bodies={**self.bodies, definition.id: _Body(tree, *_size(tree))},
            refused={name: why for name, why in self.refused.items() if name != definition.id},
        )

    def refusing(self, definition: Definition, code: str, why: str) -> Definitions:
        """With a name whose use is a fault, told by ``code`` and ``why``."""
        return replace(self._named(definition), refused={**self.refused, definition.id: (code, why)})

    def nearest(self, name: str) -> str | None:
        """The id closest to what was written; None when none is near."""
        wanted = normal(name)
        if len(wanted) > _LONGEST_COMPARED:
            return None
        close = get_close_matches(wanted, list(self.names), n=1, cutoff=_CLOSE)
        return self.names[close[0]] if close else None

    def _named(self, definition: Definition) -> Definitions:
        written = {normal(definition.id): definition.id}
        title = normal(definition.title)
        if title[:1].isalpha():  # what begins like a number or a sign cannot be told from one
            written[title] = definition.id
        return replace(self, names={**written, **self.names})


NO_DEFINITIONS: Final = Definitions()


def is_taken(name: str) -> bool:
    """Whether a name means something in the language already: a factor, field, item, parameter or function.

    >>> [is_taken(name) for name in ("roe", "ROE(자기자본이익률)", "my_roe", "sma", "이동평균")]
    [True, True, False, True, True]
    """
    wanted = normal(name)
    functions = {normal(word) for korean, aliases in KOREAN_FUNCTIONS.items() for word in (korean, *aliases)}
    return wanted in exact_names() or wanted in FUNCTIONS or wanted in functions or wanted == "minobs"


def expand(formula: str, definitions: Definitions) -> str:
    """The formula in plain notation: names of ``definitions`` give way to what they mean.

    A formula that uses none is returned as it is; another in its canonical spelling.

    Raises
    ------
    FormulaError
        It cannot be read, uses a name that is refused, or becomes too large; pointing into the text given.
    """
    tree = parse(formula)
    used = [name for name in _names(tree) if name.name in definitions.bodies or name.name in definitions.refused]
    if not used:
        return formula
    for name in used:
        if name.name in definitions.refused:
            code, why = definitions.refused[name.name]
            raise _fault(formula, name, why, code)
    _bound(formula, tree, definitions)
    text = canonical(_put_in(tree, definitions))
    if len(text) > MAX_CHARACTERS:
        why = f"With {used[-1].name!r} in its place the formula has {len(text)} characters; at most {MAX_CHARACTERS}."
        raise _fault(formula, used[-1], why, "too_long")
    return text


def check_with(formula: str, definitions: Definitions) -> Checked:
    """`check` of the expanded formula; a fault points at the character of the text given.

    Raises
    ------
    FormulaError
        As `check` and `expand`.

    >>> mine = NO_DEFINITIONS.adding(Definition(id="gap", formula="close/sma(close,20)-1"))
    >>> check_with("gap>0.1", mine).canonical
    'close/sma(close,20)-1>0.1'
    """
    try:
        tree = parse(formula)
    except FormulaError:
        tree = None  # `check` says why, and what may have been meant
    plain = formula if tree is None else expand(formula, definitions)
    try:
        return check(plain)
    except FormulaError as error:
        told = error if tree is None or plain == formula else _pointed(error, formula, tree)
        raise _suggested(told, definitions) from None


def _names(node: Node) -> Iterator[NameNode]:
    if isinstance(node, NameNode):
        yield node
    for child in _children(node):
        yield from _names(child)


def _children(node: Node) -> Sequence[Node]:
    match node:
        case UnaryNode(operand=operand):
            return (operand,)
        case BinaryNode(left=left, right=right):
            return (left, right)
        case CallNode(arguments=arguments, minobs=minobs):
            return arguments if minobs is None else (*arguments, minobs)
    return ()


def _size(node: Node) -> tuple[int, int]:
    """Nodes and depth of a tree."""
    sizes = [_size(child) for child in _children(node)]
    return 1 + sum(nodes for nodes, _ in sizes), 1 + max((depth for _, depth in sizes), default=0)


def _bound(formula: str, tree: Node, definitions: Definitions) -> None:
    """Refuse what would become too large, at the name that makes it so."""
    total = 0

    def count(node: Node, depth: int) -> None:
        nonlocal total
        body = definitions.bodies.get(node.name) if isinstance(node, NameNode) else None
        total += 1 if body is None else body.nodes
        below = depth if body is None else depth - 1 + body.depth
        if total > MAX_NODES:
            raise _fault(
                formula, node, f"With this name in its place the formula has over {MAX_NODES} parts.", "too_many"
            )
        if below > MAX_DEPTH:
            why = f"With this name in its place the formula is nested more than {MAX_DEPTH} levels deep."
            raise _fault(formula, node, why, "too_deep")
        for child in _children(node):
            count(child, depth + 1)

    count(tree, 1)


def _put_in(node: Node, definitions: Definitions) -> Node:
    match node:
        case NameNode(name=name) if name in definitions.bodies:
            return definitions.bodies[name].tree
        case UnaryNode(operand=operand):
            return replace(node, operand=_put_in(operand, definitions))
        case BinaryNode(left=left, right=right):
            return replace(node, left=_put_in(left, definitions), right=_put_in(right, definitions))
        case CallNode(arguments=arguments, minobs=minobs):
            inner = tuple(_put_in(argument, definitions) for argument in arguments)
            return replace(node, arguments=inner, minobs=None if minobs is None else _put_in(minobs, definitions))
    return node


def _pointed(error: FormulaError, formula: str, tree: Node) -> FormulaError:
    """A fault of the expanded text, shown in the text it came from."""
    try:
        expanded = parse(error.text)
    except FormulaError:
        return _fault(formula, tree, error.reason, error.code, error.suggestion)
    place = _counterpart(tree, expanded, error.position, error.length)
    if isinstance(place, CallNode) and error.length == len(place.function):
        place = replace(place, length=error.length)  # the fault is the function, not the call
    return _fault(formula, place, error.reason, error.code, error.suggestion)


def _counterpart(node: Node, expanded: Node, position: int, length: int) -> Node:
    """The part of the text given that stands for a span of the expanded text; a name stands for all it means."""
    if (expanded.position, expanded.length) == (position, length):
        return node
    for child, grown in zip(_children(node), _children(expanded), strict=False):
        if grown.position <= position < grown.position + grown.length:
            return _counterpart(child, grown, position, length)
    return node


def _suggested(error: FormulaError, definitions: Definitions) -> FormulaError:
    """An unknown name is rather a slip in one of the user's own, where one is near."""
    if error.code != "unknown_name":
        return error
    near = definitions.nearest(error.text[error.position : error.position + error.length])
    if near is None:
        return error
    reason = error.reason.partition(" Hint: ")[0] + f" Hint: did you mean {near!r}?"
    return FormulaError(
        reason, text=error.text, position=error.position, length=error.length, code=error.code, suggestion=near
    )


def _fault(formula: str, node: Node, why: str, code: str, suggestion: str | None = None) -> FormulaError:
    return FormulaError(why, text=formula, position=node.position, length=node.length, code=code, suggestion=suggestion)
