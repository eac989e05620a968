"""Names Korean users type (docs/factors.md, section 13) to the notation, which alone is stored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from stocklab.errors import FormulaError
from stocklab.factors.definitions import NO_DEFINITIONS, Definitions, check_with
from stocklab.factors.functions import FUNCTIONS
from stocklab.factors.naming import KOREAN_FUNCTIONS, base_names, exact_names, nearest, normal
from stocklab.factors.parser import MAX_CHARACTERS, MAX_DEPTH, parse
from stocklab.factors.syntax import canonical

__all__ = ["translate"]

_SESSIONS: Final[Mapping[str, int]] = MappingProxyType({"": 1, "일": 1, "주": 5, "개월": 21, "달": 21, "년": 252})
_LENGTH = re.compile(r"([0-9]+)(일|주|개월|달|년|분기|)")
_AGO = re.compile(r"([0-9]+)일전값")
_DESCENDING: Final = frozenset({"내림차순", "높은순", "큰순", "desc"})
_ASCENDING: Final = frozenset({"오름차순", "낮은순", "작은순", "asc"})
_LENGTH_FORMS: Final[Mapping[str, tuple[str, str | None]]] = MappingProxyType(
    {
        "과거값": ("lag({f},{n})", "qlag({f},{n})"),
        "이동평균": ("sma({f},{n})", "qmean({f},{n})"),
        "최고값": ("tmax({f},{n})", None),
        "최저값": ("tmin({f},{n})", None),
        "변화량_기간": ("delta({f},{n})", "qdelta({f},{n})"),
        "변화율_기간": ("growth({f},lag({f},{n}))", "growth({f},qlag({f},{n}))"),
    }
)
_DIRECTION_FORMS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {"비율": ("(100*(1-xpct({f})))", "(100*xpct({f}))"), "순위": ("xrank({f},1)", "xrank({f})")}
)
_OPERATORS: Final = ("**", ">=", "<=", "==", "!=", "+", "-", "*", "/", "<", ">", "&", "|", "~", ",", "(", ")", "=")
_NUMBER = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[^\W0-9]\w*|[0-9]+[^\W0-9_]\w*")


def translate(text: str, definitions: Definitions = NO_DEFINITIONS) -> str:
    """A formula in the notation, from the function form Koreans know or a plain factor name.

    Parameters
    ----------
    text : str
        Such as ``이동평균({PER},{20일}) < 10``; what is notation already passes unchanged.
    definitions : Definitions
        The user's own names, read like those of factors; they stay in the text.

    Raises
    ------
    FormulaError
        As `check`; code ``ambiguous``: several factors match a name (all are listed).

    >>> translate("이동평균({PER},{20일}) < 10")
    'sma(per,20)<10'
    """
    try:
        check_with(text, definitions)
    except FormulaError as error:
        if error.code in ("too_long", "empty"):
            raise
        return _translated(text, error, definitions)
    return text


def _translated(text: str, first: FormulaError, definitions: Definitions) -> str:
    _refuse_strange(text, definitions)
    reader = _Reader(text, definitions)
    written = reader.expression(0, len(text), 0)
    try:
        check_with(written, definitions)
    except FormulaError as error:
        if not reader.changed:
            raise first from None
        raise FormulaError(
            f"{error.reason} (read as {written})", text=text, position=0, length=len(text), code=error.code
        ) from None
    return canonical(parse(written))


@lru_cache(maxsize=1)
def _known_characters() -> frozenset[str]:
    return frozenset("".join((*exact_names(), *base_names()))) | {"{", "}", "_"}


def _refuse_strange(text: str, definitions: Definitions) -> None:
    """Only plain letters, Hangul and what stands in factor names: look-alike letters are not folded together."""
    own = frozenset("".join(definitions.names))
    for position, character in enumerate(text):
        plain = character.isascii() and (character.isprintable() or character in "\t\r\n")
        if not plain and not "\uac00" <= character <= "\ud7a3" and character not in _known_characters() | own:
            raise FormulaError(
                f"The character {character!r} (U+{ord(character):04X}) is not part of the formula language.",
                text=text,
                position=position,
                code="character",
            )


@lru_cache(maxsize=1)
def _function_names() -> Mapping[str, str]:
    names = {normal(alias): name for name, aliases in KOREAN_FUNCTIONS.items() for alias in aliases}
    return MappingProxyType(names | {name: name for name in KOREAN_FUNCTIONS})


@lru_cache(maxsize=1)
def _longest_name() -> int:
    return max(len(name) for name in (*exact_names(), *base_names()))


@dataclass(slots=True)
class _Reader:
    """Copies notation as it stands and replaces names and calls."""

    text: str
    definitions: Definitions
    changed: bool = False

    def fault(self, position: int, length: int, message: str, code: str, near: str | None = None) -> FormulaError:
        hint = f" Hint: did you mean {near!r}?" if near else ""
        return FormulaError(
            message + hint, text=self.text, position=position, length=max(length, 1), code=code, suggestion=near
        )

    def expression(self, start: int, end: int, depth: int) -> str:
        if depth > MAX_DEPTH:
            raise self.fault(start, 1, f"The formula is nested more than {MAX_DEPTH} levels deep.", "too_deep")
        written: list[str] = []
        position = start
        while position < end:
            character = self.text[position]
            if character.isspace():
                position += 1
                continue
            part, position = self.part(position, end, depth)
            written.append(part)
        joined = " ".join(written)
        if len(joined) > 2 * MAX_CHARACTERS:
            raise self.fault(start, 1, "The formula becomes too long.", "too_long")
        return joined

    def part(self, position: int, end: int, depth: int) -> tuple[str, int]:
        if self.text[position] == "{":
            close = self.closing_brace(position, end)
            self.changed = True
            return self.factor(position + 1, close), close + 1
        called = self.call(position, end, depth)
        if called is not None:
            return called
        name_end = self.longest_name(position, end)
        if name_end is not None:
            return self.factor(position, name_end), name_end
        number = _NUMBER.match(self.text, position, end)
        word = _WORD.match(self.text, position, end)
        if word is not None and (number is None or word.end() > number.end()):
            return self.unknown(position, word.end())
        if number is not None:
            return number.group(), number.end()
        for sign in _OPERATORS:
            if self.text.startswith(sign, position):
                return sign, position + len(sign)
        raise self.fault(
            position, 1, f"The character {self.text[position]!r} is not part of the formula language.", "character"
        )

    def unknown(self, position: int, end: int) -> tuple[str, int]:
        word = self.text[position:end]
        after = self.text[end:].lstrip()
        if after.startswith("("):
            if word in FUNCTIONS:
                return word, end
            raise self.fault(
                position,
                end - position,
                f"Unknown function {word!r}.",
                "unknown_function",
                nearest(word, functions=True),
            )
        if word == "minobs":
            return word, end
        return self.factor(position, end), end

    def closing_brace(self, position: int, end: int) -> int:
        close = self.text.find("}", position, end)
        if close < 0:
            raise self.fault(position, 1, "A brace is opened and never closed.", "parenthesis")
        return close

    def factor(self, start: int, end: int) -> str:
        """The name in the notation of what stands between two places."""
        name = normal(self.text[start:end])
        known = self.definitions.names.get(name) or exact_names().get(name)
        if known is not None:
            self.changed |= self.text[start:end] != known
            return known
        sharing = base_names().get(name, ())
        if len(sharing) == 1:
            self.changed = True
            return sharing[0]
        shown = self.text[start:end].strip()
        if sharing:
            raise self.fault(
                start, end - start, f"Several factors are called {shown!r}: {', '.join(sharing)}.", "ambiguous"
            )
        near = self.definitions.nearest(shown) or nearest(shown, functions=False)
        raise self.fault(start, end - start, f"Unknown factor {shown!r}.", "unknown_name", near)

    def longest_name(self, position: int, end: int) -> int | None:
        """Where the longest factor name that begins here ends; names may hold spaces, signs and parentheses."""
        found: int | None = None
        key = ""
        for place in range(position, end):
            if self.text[place].isspace():
                continue
            key += self.text[place].casefold()
            if len(key) > max(_longest_name(), *map(len, self.definitions.names), 0):
                break
            known = key in self.definitions.names or key in exact_names() or key in base_names()
            if known and self.ends_word(place, end):
                found = place + 1
        return found

    def ends_word(self, place: int, end: int) -> bool:
        def wordy(character: str) -> bool:
            return character.isalnum() or character == "_"

        return place + 1 >= end or not (wordy(self.text[place]) and wordy(self.text[place + 1]))

    def call(self, position: int, end: int, depth: int) -> tuple[str, int] | None:
        """One of the nine functions, with its arguments translated; None when none stands here."""
        word = _WORD.match(self.text, position, end)
        if word is None:
            return None
        after = len(self.text[: word.end()]) + len(self.text[word.end() :]) - len(self.text[word.end() :].lstrip())
        if after >= end or self.text[after] != "(":
            return None
        ago = _AGO.fullmatch(word.group())
        name = "과거값" if ago else _function_names().get(normal(word.group()))
        longer = self.longest_name(position, end)
        if name is None or (longer is not None and longer > word.end()):
            return None
        arguments, close = self.arguments(after, end)
        if word.group() in FUNCTIONS and self.is_notation(arguments):
            return word.group(), word.end()
        if ago and len(arguments) == 1:
            factor = f"({self.expression(*arguments[0], depth + 1)})"
            self.changed = True
            return f"lag({factor},{ago.group(1)})", close + 1
        self.changed = True
        return self.written(name, (position, close + 1), arguments, depth), close + 1

    def is_notation(self, arguments: list[tuple[int, int]]) -> bool:
        """sma, lag and delta are our own names too: with anything but a length of days they are read as such."""
        return len(arguments) != 2 or not _LENGTH.fullmatch(self.argument_text(arguments[1]))

    def arguments(self, opened: int, end: int) -> tuple[list[tuple[int, int]], int]:
        """Spans between the commas of this parenthesis, and where it closes."""
        depth = 0
        braced = False
        spans = []
        start = opened + 1
        for place in range(opened, end):
            character = self.text[place]
            braced = character == "{" or (braced and character != "}")
            depth += 0 if braced else (character == "(") - (character == ")")
            if not braced and ((character == "," and depth == 1) or depth == 0):
                spans.append((start, place))
                start = place + 1
            if depth == 0:
                return spans, place
        raise self.fault(opened, 1, "A parenthesis is opened and never closed.", "parenthesis")

    def written(self, name: str, whole: tuple[int, int], arguments: list[tuple[int, int]], depth: int) -> str:
        most = 1 if name == "기본값" else 2
        fewest = 2 if name in _LENGTH_FORMS else 1
        if not fewest <= len(arguments) <= most:
            asked = {"기본값": "a factor", "비율": "a factor and a direction", "순위": "a factor and a direction"}
            expected = asked.get(name, "a factor and a length such as 20일")
            raise self.fault(whole[0], whole[1] - whole[0], f"{name} takes {expected}.", "arity")
        factor = self.expression(*arguments[0], depth + 1)
        if not factor:
            raise self.fault(arguments[0][0], 1, f"{name} needs a factor.", "arity")
        factor = factor if factor.isidentifier() else f"({factor})"
        if name == "기본값":
            return factor
        if name in _DIRECTION_FORMS:
            return _DIRECTION_FORMS[name][self.direction(arguments[1:])].format(f=factor)
        amount, quarters = self.length(arguments[1])
        daily, quarterly = _LENGTH_FORMS[name]
        if not quarters:
            return daily.format(f=factor, n=amount)
        if quarterly is None:
            raise self.fault(arguments[1][0], 1, f"{name} counts trading days, not 분기.", "window")
        return quarterly.format(f=factor, n=amount)

    def argument_text(self, span: tuple[int, int]) -> str:
        return normal(self.text[slice(*span)].strip().removeprefix("{").removesuffix("}"))

    def direction(self, spans: list[tuple[int, int]]) -> int:
        """0 = descending, the default; 1 = ascending."""
        if not spans or not self.argument_text(spans[0]):
            return 0
        asked = self.argument_text(spans[0])
        if asked in _DESCENDING or asked in _ASCENDING:
            return int(asked in _ASCENDING)
        start, end = spans[0]
        raise self.fault(start, end - start, "A direction is 내림차순 (desc) or 오름차순 (asc).", "direction")

    def length(self, span: tuple[int, int]) -> tuple[int, bool]:
        """Number of sessions, or of quarters with True."""
        match = _LENGTH.fullmatch(self.argument_text(span))
        if match is None or int(match.group(1)) < 1:
            raise self.fault(
                span[0],
                span[1] - span[0],
                "A length is a whole number from 1 with 일, 주, 개월, 달, 년 or 분기, such as 20일.",
                "window",
            )
        if match.group(2) == "분기":
            return int(match.group(1)), True
        return int(match.group(1)) * _SESSIONS[match.group(2)], False
