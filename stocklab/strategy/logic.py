"""Logic over lettered rules: ``A and (B or not C)``, in English, Korean or symbols.

``not`` binds closest, then ``and``, then ``or``. English words and letters ignore case, ``&& || !`` are accepted,
and 아님 may also follow what it negates, as Korean puts it (``C 아님``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, Literal

import numpy as np

from stocklab.errors import FormulaError, InputError
from stocklab.types import ByteArray

__all__ = [
    "LETTERS",
    "And",
    "Letter",
    "LogicTree",
    "Not",
    "Or",
    "combine",
    "letters_of",
    "mask_formulas",
    "next_letter",
    "parse_logic",
    "unused_letters",
]

_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LETTERS: Final[tuple[str, ...]] = (*_ALPHABET, *(f"A{second}" for second in _ALPHABET))
"""Letters in the order the builder gives them out: A to Z, then AA to AZ."""

_WORDS: Final[Mapping[str, str]] = {
    "and": "and",
    "그리고": "and",
    "이고": "and",
    "및": "and",
    "&": "and",
    "&&": "and",
    "or": "or",
    "또는": "or",
    "혹은": "or",
    "이거나": "or",
    "|": "or",
    "||": "or",
    "not": "not",
    "아님": "not",
    "아닌": "not",
    "~": "not",
    "!": "not",
    "(": "(",
    ")": ")",
}
_SUFFIX_NOT: Final = frozenset({"아님"})
_KOREAN: Final = "|".join(sorted((word for word in _WORDS if "가" <= word[0] <= "힣"), key=len, reverse=True))
_TOKEN: Final = re.compile(rf"\s*(?:([A-Za-z]+|{_KOREAN}|[가-힣]+|&&?|\|\|?|[~!()])|(\S))")
_MAX_DEPTH: Final = 60


@dataclass(frozen=True, slots=True)
class Letter:
    """One rule."""

    name: str


@dataclass(frozen=True, slots=True)
class Not:
    """True where ``item`` is false."""

    item: Node


@dataclass(frozen=True, slots=True)
class And:
    """True where every item is."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True where any item is."""

    items: tuple[Node, ...]


Node = Letter | Not | And | Or


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicTree:
    """A parsed logic line. ``root`` None: there are no rules, and ``empty`` is the answer everywhere."""

    root: Node | None
    empty: bool

    @property
    def text(self) -> str:
        """Canonical English text, the fewest parentheses; "" without rules.

        >>> parse_logic("a & (b | ~c)", "ABC", "all").text
        'A and (B or not C)'
        """
        return "" if self.root is None else _text(self.root)


def parse_logic(text: str | None, letters: Sequence[str], default: Literal["all", "any"]) -> LogicTree:
    """Read a logic line.

    Parameters
    ----------
    text : the line; None or blank is the automatic one: every rule (``default`` "all") or any of them ("any")
    letters : letters of the rules there are
    default : also the answer where there are no rules: "all" is true, "any" is false

    Raises
    ------
    FormulaError
        A syntax fault, a letter without a rule, or parentheses nested too deeply; with its character.

    >>> parse_logic(None, ["A", "B"], "any").text
    'A or B'
    >>> parse_logic("A 그리고 (B 또는 C 아님)", ["A", "B", "C"], "all").text
    'A and (B or not C)'
    """
    if text is None or not text.strip():
        items = tuple(Letter(name) for name in letters)
        root: Node | None = None
        if items:
            root = items[0] if len(items) == 1 else And(items) if default == "all" else Or(items)
        return LogicTree(root=root, empty=default == "all")
    return LogicTree(root=_Parser(text, letters).parse(), empty=default == "all")


def letters_of(tree: LogicTree) -> tuple[str, ...]:
    """Letters the line uses, each once, in order of appearance."""
    return () if tree.root is None else tuple(dict.fromkeys(name for name, _ in _literals(tree.root, negated=False)))


def unused_letters(tree: LogicTree, letters: Sequence[str]) -> tuple[str, ...]:
    """Letters of rules the line leaves out: allowed, but worth telling the person."""
    used = frozenset(letters_of(tree))
    return tuple(name for name in letters if name not in used)


def mask_formulas(tree: LogicTree, formulas: Mapping[str, str]) -> dict[str, str]:
    """Masks :func:`combine` wants, by key: the formula of each letter, and its negation for "~" + letter.

    A rule that is unknown (null) passes neither plain nor negated; a 0/1 mask has lost the difference, so the
    negated rule is a condition of its own.

    >>> mask_formulas(parse_logic("A and not B", "AB", "all"), {"A": "close>1", "B": "rsi_14>70"})
    {'A': 'close>1', '~B': '~(rsi_14>70)'}
    """
    keys: dict[str, str] = {}
    if tree.root is not None:
        for name, negated in _literals(tree.root, negated=False):
            keys[f"~{name}" if negated else name] = f"~({formulas[name]})" if negated else formulas[name]
    return keys


def combine(tree: LogicTree, masks: Mapping[str, ByteArray], *, shape: tuple[int, ...] | None = None) -> ByteArray:
    """Evaluate the line on 0/1 masks.

    Parameters
    ----------
    tree : the parsed line
    masks : letter -> uint8, 1 = true, 0 = false or unknown; all of one shape. Where the line negates a letter, the
        mask "~" + letter of :func:`mask_formulas` is taken; without it the complement, which is true where the
        rule is unknown
    shape : wanted only for a tree without rules

    Returns
    -------
    uint8 array of that shape; a new array, the masks are left alone

    Raises
    ------
    InputError
        A mask is missing, the shapes differ, or a tree without rules has no ``shape``.

    >>> combine(parse_logic("A or B", "AB", "all"), {"A": np.array([1, 0], "u1"), "B": np.array([0, 0], "u1")})
    array([1, 0], dtype=uint8)
    """
    if tree.root is None:
        if shape is None:
            raise InputError("There are no rules to combine. Hint: pass shape= for the answer without rules.")
        return np.full(shape, tree.empty, dtype=np.uint8)
    shapes = {key: mask.shape for key, mask in masks.items()}
    if len(set(shapes.values())) > 1:
        raise InputError(f"Masks of one shape are expected, found {shapes}.")
    return _evaluate(tree.root, masks, negated=False)


def next_letter(used: Sequence[str]) -> str:
    """First letter not in use.

    Raises
    ------
    InputError
        All of them are.

    >>> next_letter(["A", "C"])
    'B'
    """
    free = next((letter for letter in LETTERS if letter not in set(used)), None)
    if free is None:
        raise InputError(f"All {len(LETTERS)} rule letters are in use. Hint: remove a rule.")
    return free


def _literals(node: Node, *, negated: bool) -> Iterator[tuple[str, bool]]:
    match node:
        case Letter(name):
            yield name, negated
        case Not(item):
            yield from _literals(item, negated=not negated)
        case And(items) | Or(items):
            for item in items:
                yield from _literals(item, negated=negated)


def _evaluate(node: Node, masks: Mapping[str, ByteArray], *, negated: bool) -> ByteArray:
    match node:
        case Letter(name):
            key = f"~{name}" if negated and f"~{name}" in masks else name
            if key not in masks:
                raise InputError(f"No mask for rule {name!r}; found {', '.join(masks) or 'none'}.")
            mask = np.array(masks[key], dtype=np.uint8)
            return mask ^ np.uint8(1) if negated and key == name else mask
        case Not(item):
            return _evaluate(item, masks, negated=not negated)
        case And(items) | Or(items):
            meets = isinstance(node, And) is not negated  # De Morgan: negation reaches the letters
            out = _evaluate(items[0], masks, negated=negated)
            for item in items[1:]:
                (np.bitwise_and if meets else np.bitwise_or)(out, _evaluate(item, masks, negated=negated), out=out)
            return out


def _text(node: Node) -> str:
    match node:
        case Letter(name):
            return name
        case Not(item):
            return f"not {_text(item)}" if isinstance(item, Letter) else f"not ({_text(item)})"
        case And(items):
            return " and ".join(f"({_text(item)})" if isinstance(item, Or) else _text(item) for item in items)
        case Or(items):
            return " or ".join(_text(item) for item in items)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


class _Parser:
    """Recursive descent over one line."""

    def __init__(self, text: str, letters: Sequence[str]) -> None:
        self.text = text
        self.letters = tuple(letters)
        self.tokens = list(self._tokens())
        self.index = 0
        self.depth = 0

    def parse(self) -> Node:
        node = self._or()
        token = self._peek()
        if token is not None:
            message = "A ')' without its '('" if token.kind == ")" else f"Expected 'and' or 'or' before {token.text!r}"
            raise self._error(message, token)
        return node

    def _tokens(self) -> Iterator[_Token]:
        for match in _TOKEN.finditer(self.text.rstrip()):
            word, stray = match.group(1), match.group(2)
            start = match.start(1) if word is not None else match.start(2)
            if stray is not None:
                raise FormulaError(
                    f"Unexpected character {stray!r}; expected letters of rules, and, or, not, parentheses",
                    text=self.text,
                    position=start,
                    code="logic_syntax",
                )
            kind = _WORDS.get(word.lower())
            yield _Token(kind, word, start) if kind else self._letter(word, start)

    def _letter(self, word: str, start: int) -> _Token:
        name = word.upper()
        if name in self.letters:
            return _Token("letter", name, start)
        near = get_close_matches(word.lower(), [key for key in _WORDS if key.isalpha()], n=1, cutoff=0.6)
        known = ", ".join(self.letters) or "none"
        message = f"There is no rule {word!r}; there is: {known}"
        message += f". Did you mean {near[0]!r}?" if near else ""
        raise FormulaError(
            message,
            text=self.text,
            position=start,
            length=len(word),
            code="logic_unknown_letter",
            suggestion=near[0] if near else None,
        )

    def _or(self) -> Node:
        return self._joined("or", self._and)

    def _and(self) -> Node:
        return self._joined("and", self._not)

    def _joined(self, kind: Literal["and", "or"], part: Callable[[], Node]) -> Node:
        family = And if kind == "and" else Or
        items = [part()]
        while self._take(kind):
            items.append(part())
        flat: list[Node] = []
        for item in items:
            flat.extend(item.items if isinstance(item, family) else (item,))
        return flat[0] if len(flat) == 1 else family(tuple(flat))

    def _not(self) -> Node:
        negations = 0
        while self._take("not"):
            negations += 1
        node = self._primary()
        while (token := self._peek()) is not None and token.text in _SUFFIX_NOT:
            self.index += 1
            negations += 1
        for _ in range(negations % 2):
            node = node.item if isinstance(node, Not) else Not(node)
        return node

    def _primary(self) -> Node:
        token = self._peek()
        if token is None:
            raise FormulaError(
                "The line ends where a rule is expected",
                text=self.text,
                position=max(0, len(self.text.rstrip()) - 1),
                code="logic_syntax",
            )
        self.index += 1
        if token.kind == "letter":
            return Letter(token.text)
        if token.kind != "(":
            raise self._error(f"Expected a rule, found {token.text!r}", token)
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise self._error(f"More than {_MAX_DEPTH} parentheses inside each other", token)
        node = self._or()
        if not self._take(")"):
            raise self._error("This '(' is never closed", token)
        self.depth -= 1
        return node

    def _peek(self) -> _Token | None:
        return self.tokens[self.index] if self.index < len(self.tokens) else None

    def _take(self, kind: str) -> bool:
        token = self._peek()
        if token is None or token.kind != kind:
            return False
        self.index += 1
        return True

    def _error(self, message: str, token: _Token) -> FormulaError:
        return FormulaError(
            message, text=self.text, position=token.position, length=len(token.text), code="logic_syntax"
        )
