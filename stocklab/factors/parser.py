"""Text of a formula to its tree. The text is data: it is scanned, parsed and bounded, never run.

A scanner goes first. It refuses every character and word outside section 2 of docs/factors.md with the place and the
reason, and bounds size and nesting, so that Python's own parser only ever sees short ASCII text made of known tokens.
"""

from __future__ import annotations

import ast
import keyword
import re
from dataclasses import dataclass
from functools import lru_cache

from stocklab.errors import FormulaError
from stocklab.factors.syntax import BinaryNode, CallNode, NameNode, Node, NumberNode, UnaryNode

__all__ = ["MAX_CHARACTERS", "MAX_DEPTH", "MAX_EXPONENT", "MAX_NODES", "parse"]

MAX_CHARACTERS = 4000
MAX_DEPTH = 60
MAX_NODES = 2000
MAX_EXPONENT = 64

_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r"|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<operator>\*\*|>=|<=|==|!=|[-+*/<>&|~(),=])"
)
_WORD = re.compile(r"\w+")
_BINARY: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.Gt: ">",
    ast.Lt: "<",
    ast.GtE: ">=",
    ast.LtE: "<=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_KEYWORDS = {
    "and": "&, with each side in parentheses: (a>1)&(b>2)",
    "or": "|, with each side in parentheses: (a>1)|(b>2)",
    "not": "~(condition)",
    "if": "where(condition,a,b)",
    "else": "where(condition,a,b)",
    "True": "1",
    "False": "0",
    "None": "a number",
}
_KEYWORDS |= {
    word: "names, numbers, operators and the functions of the formula language"
    for word in keyword.kwlist
    if word not in _KEYWORDS
}
_REFUSED = {
    '"': "Text in quotes is not part of the formula language",
    "'": "Text in quotes is not part of the formula language",
    ".": "Attributes (a.b) are not part of the formula language",
    "[": "Subscripts are not part of the formula language; the past is lag(x,n)",
    "]": "Subscripts are not part of the formula language; the past is lag(x,n)",
    "{": "Braces are only read in the Korean function form, such as 이동평균({PER},{20일})",
    "}": "Braces are only read in the Korean function form, such as 이동평균({PER},{20일})",
    "%": "The sign % is not used; factor values in percent are compared with plain numbers (roe>15)",
    "^": "The power is written **",
    "!": "Not is written ~, and not equal !=",
    "#": "Comments are not part of the formula language",
    ";": "Only one expression is allowed",
    ":": "The sign : is not part of the formula language",
    "@": "The sign @ is not part of the formula language",
    "\\": "The sign \\ is not part of the formula language",
    "\0": "The text contains a NUL character",
}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


@lru_cache(maxsize=4096)
def parse(text: str) -> Node:
    """Read a formula.

    Parameters
    ----------
    text : str
        At most 4,000 characters in the notation of docs/factors.md, section 2.

    Returns
    -------
    Node
        The tree; names are not resolved yet.

    Raises
    ------
    FormulaError
        Anything else, with the character at fault.

    >>> parse("close > 3").operator
    '>'
    """
    tokens = _scan(text)
    flat = text.translate({ord("\t"): " ", ord("\r"): " ", ord("\n"): " "})
    indent = len(flat) - len(flat.lstrip(" "))
    try:
        tree = ast.parse(flat.lstrip(" "), mode="eval", feature_version=(3, 11))
    except SyntaxError as error:
        raise _syntax_error(text, tokens, indent, error) from None
    except (RecursionError, MemoryError, ValueError, OverflowError):
        raise FormulaError(
            "The formula is nested too deeply to read.", text=text, position=0, code="too_deep"
        ) from None
    return _Reader(text, indent).read(tree.body, 1)


def _scan(text: str) -> list[_Token]:
    if len(text) > MAX_CHARACTERS:
        raise FormulaError(
            f"A formula has at most {MAX_CHARACTERS} characters; this one has {len(text)}.",
            text=text,
            position=MAX_CHARACTERS,
            code="too_long",
        )
    tokens: list[_Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _refused(text, position)
        kind = match.lastgroup or ""
        if kind != "space":
            token = _Token(kind, match.group(), position)
            _check_token(text, token, match.end())
            tokens.append(token)
        position = match.end()
    if not tokens:
        raise FormulaError("The formula is empty.", text=text, position=0, code="empty")
    _check_size(text, tokens)
    return tokens


def _check_token(text: str, token: _Token, end: int) -> None:
    following = text[end : end + 1]
    if token.kind == "name" and following and not following.isascii() and following.isalnum():
        raise _refused(text, token.position)
    if token.kind == "number" and following and (following.isalnum() or following in "._"):
        raise FormulaError(
            f"A number ends where {following!r} begins; expected digits, at most one point, and an operator after it.",
            text=text,
            position=token.position,
            length=end - token.position + 1,
            code="number",
        )
    if token.kind == "name" and token.text in _KEYWORDS:
        raise FormulaError(
            f"{token.text!r} is not part of the formula language. Hint: use {_KEYWORDS[token.text]}.",
            text=text,
            position=token.position,
            length=len(token.text),
            code="forbidden",
        )


def _check_size(text: str, tokens: list[_Token]) -> None:
    depth = run = 0
    for token in tokens:
        depth += (token.text == "(") - (token.text == ")")
        run = run + 1 if token.text in "+-~" else 0
        if depth > MAX_DEPTH or run > MAX_DEPTH:
            raise FormulaError(
                f"The formula is nested more than {MAX_DEPTH} levels deep.",
                text=text,
                position=token.position,
                code="too_deep",
            )
    if len(tokens) > 2 * MAX_NODES:
        raise _too_many(text, tokens[2 * MAX_NODES].position)


def _refused(text: str, position: int) -> FormulaError:
    character = text[position]
    if character.isalpha() or character == "_":
        word = _WORD.match(text, position)
        length = len(word.group()) if word else 1
        name = text[position : position + length]
        if _is_korean(name):
            return FormulaError(
                f"Unknown name {name!r}.", text=text, position=position, length=length, code="unknown_name"
            )
        return FormulaError(
            f"The name {name!r} has letters outside a-z; names use a-z, 0-9 and _.",
            text=text,
            position=position,
            length=length,
            code="character",
        )
    reason = _REFUSED.get(character)
    if reason is None:
        return FormulaError(
            f"The character {character!r} (U+{ord(character):04X}) is not part of the formula language.",
            text=text,
            position=position,
            code="character",
        )
    return FormulaError(f"{reason}.", text=text, position=position, code="forbidden")


def _is_korean(word: str) -> bool:
    return all(
        "\uac00" <= letter <= "\ud7a3" or (letter.isascii() and (letter.isalnum() or letter == "_")) for letter in word
    )


def _syntax_error(text: str, tokens: list[_Token], indent: int, error: SyntaxError) -> FormulaError:
    opened = [token for token in tokens if token.text == "("]
    closed = sum(token.text == ")" for token in tokens)
    if len(opened) > closed:
        return FormulaError(
            "A parenthesis is opened and never closed.", text=text, position=_unclosed(tokens), code="parenthesis"
        )
    if closed > len(opened):
        return FormulaError(
            "A parenthesis is closed that was never opened.", text=text, position=_unopened(tokens), code="parenthesis"
        )
    position = min(max((error.offset or 1) - 1 + indent, 0), max(len(text) - 1, 0))
    last = tokens[-1]
    if last.kind == "operator" and last.text not in ")":
        return FormulaError(
            f"The formula ends after {last.text!r}; a value is missing.",
            text=text,
            position=last.position,
            length=len(last.text),
            code="incomplete",
        )
    found = next((token for token in tokens if token.position + len(token.text) > position), last)
    if found.text == "=":
        return FormulaError("Equal is written ==.", text=text, position=found.position, code="syntax", suggestion="==")
    return FormulaError(
        f"The formula cannot be read at {found.text!r}; an operator or a value is missing around it.",
        text=text,
        position=found.position,
        length=len(found.text),
        code="syntax",
    )


def _unclosed(tokens: list[_Token]) -> int:
    stack: list[int] = []
    for token in tokens:
        if token.text == "(":
            stack.append(token.position)
        elif token.text == ")" and stack:
            stack.pop()
    return stack[-1]


def _unopened(tokens: list[_Token]) -> int:
    depth = 0
    for token in tokens:
        depth += (token.text == "(") - (token.text == ")")
        if depth < 0:
            return token.position
    return tokens[-1].position


def _too_many(text: str, position: int) -> FormulaError:
    return FormulaError(
        f"A formula has at most {MAX_NODES} parts; this one has more.", text=text, position=position, code="too_many"
    )


class _Reader:
    """Walks Python's tree once, counting and bounding, and builds ours."""

    def __init__(self, text: str, indent: int) -> None:
        self.text = text
        self.indent = indent
        self.count = 0

    def read(self, node: ast.expr, depth: int) -> Node:
        self.count += 1
        position, length = self._place(node)
        if depth > MAX_DEPTH:
            raise FormulaError(
                f"The formula is nested more than {MAX_DEPTH} levels deep.",
                text=self.text,
                position=position,
                length=length,
                code="too_deep",
            )
        if self.count > MAX_NODES:
            raise _too_many(self.text, position)
        match node:
            case ast.Constant():
                return self._number(node, position, length)
            case ast.Name(id=name):
                return NameNode(position=position, length=length, name=name)
            case ast.UnaryOp(op=operation, operand=operand):
                return self._unary(operation, self.read(operand, depth + 1), position, length)
            case ast.BinOp(left=left, op=operator, right=right):
                return self._binary(node, (operator, left, right), depth)
            case ast.Compare(left=left, ops=operators, comparators=comparators):
                if len(operators) > 1:
                    raise self._chained(comparators[0])
                return self._binary(node, (operators[0], left, comparators[0]), depth)
            case ast.Call():
                return self._call(node, depth, position, length)
        raise FormulaError(
            "This is not part of the formula language; expected names, numbers, operators and function calls.",
            text=self.text,
            position=position,
            length=length,
            code="forbidden",
        )

    def _place(self, node: ast.expr | ast.keyword) -> tuple[int, int]:
        # the scanner let only ASCII through, so Python's byte offsets are characters
        end = node.end_col_offset if node.end_col_offset is not None else node.col_offset + 1
        return node.col_offset + self.indent, max(1, end - node.col_offset)

    def _number(self, node: ast.Constant, position: int, length: int) -> Node:
        try:
            value = float(node.value)  # type: ignore[arg-type]
        except (OverflowError, TypeError, ValueError):
            value = float("inf")
        if value in (float("inf"), float("-inf")):
            raise FormulaError(
                "This number is too large.", text=self.text, position=position, length=length, code="number"
            )
        return NumberNode(position=position, length=length, value=value)

    def _unary(self, operation: ast.unaryop, operand: Node, position: int, length: int) -> Node:
        match operation:
            case ast.USub():
                if isinstance(operand, NumberNode):
                    return NumberNode(position=position, length=length, value=-operand.value)
                return UnaryNode(position=position, length=length, operator="-", operand=operand)
            case ast.Invert():
                return UnaryNode(position=position, length=length, operator="~", operand=operand)
        raise FormulaError(
            "A plus sign stands between two values only.", text=self.text, position=position, code="forbidden"
        )

    def _binary(self, node: ast.expr, parts: tuple[ast.AST, ast.expr, ast.expr], depth: int) -> Node:
        operator, left, right = parts
        position, length = self._place(node)
        sign = _BINARY.get(type(operator))
        if sign is None:
            raise FormulaError(
                "This operator is not part of the formula language; allowed are + - * / ** > < >= <= == != & |.",
                text=self.text,
                position=position,
                length=length,
                code="forbidden",
            )
        built = BinaryNode(
            position=position,
            length=length,
            operator=sign,
            left=self.read(left, depth + 1),
            right=self.read(right, depth + 1),
        )
        if sign == "**" and isinstance(built.right, NumberNode) and abs(built.right.value) > MAX_EXPONENT:
            raise FormulaError(
                f"An exponent lies between -{MAX_EXPONENT} and {MAX_EXPONENT}.",
                text=self.text,
                position=built.right.position,
                length=built.right.length,
                code="number",
            )
        return built

    def _chained(self, comparator: ast.expr) -> FormulaError:
        position, length = self._place(comparator)
        return FormulaError(
            "One comparison per expression. Hint: put each in parentheses and join them with & or |, "
            "such as (close>open)&(open>low).",
            text=self.text,
            position=position,
            length=length,
            code="chained",
        )

    def _call(self, node: ast.Call, depth: int, position: int, length: int) -> Node:
        if not isinstance(node.func, ast.Name):
            raise FormulaError(
                "Only a function name can stand before a parenthesis; an operator may be missing.",
                text=self.text,
                position=position,
                length=length,
                code="forbidden",
            )
        minobs: Node | None = None
        for given in node.keywords:
            place, span = self._place(given)
            if given.arg != "minobs" or minobs is not None:
                raise FormulaError(
                    f"The only keyword is minobs, once; found {given.arg or '**'!r}.",
                    text=self.text,
                    position=place,
                    length=span,
                    code="keyword",
                )
            minobs = self.read(given.value, depth + 1)
        arguments = tuple(self.read(argument, depth + 1) for argument in node.args)
        return CallNode(position=position, length=length, function=node.func.id, arguments=arguments, minobs=minobs)
