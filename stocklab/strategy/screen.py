"""The screen document: which stocks meet conditions on one day, what the table shows, how it is sorted.

Formulas, letters, logic and universe are those of a strategy, so a screen becomes a strategy and back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints, model_validator

from stocklab.strategy.document import (
    Entry,
    Formula,
    Model,
    RankFactor,
    Ranking,
    Rebalancing,
    Rule,
    Strategy,
    Universe,
)
from stocklab.strategy.json_text import read_json
from stocklab.strategy.meaning import PLAIN_COLUMNS
from stocklab.strategy.own_factors import expanded
from stocklab.strategy.parsing import parse_as, parse_document
from stocklab.strategy.rows import operand_formula, row_of

__all__ = [
    "PLAIN_COLUMNS",
    "SCREEN_VERSION",
    "Screen",
    "Sort",
    "parse_screen",
    "parse_screen_or_strategy",
    "screen_of",
    "screen_of_formula",
    "strategy_of",
    "values_of_conditions",
]

SCREEN_VERSION: Final = 1
MOST_COLUMNS: Final = 30


class Sort(Model):
    """Order of the table. What is unknown comes last, whichever the direction; ties go by symbol."""

    by: Formula = Field(
        description="a formula such as market_cap (shown as a column), or symbol, name, market, sector, close_krw"
    )
    direction: Literal["desc", "asc"] = Field(default="desc", description="largest first, or smallest first")


class Screen(Model):
    """The whole document: conditions over the stocks of one session, and the table of those that meet them."""

    schema_version: Literal[1] = Field(default=SCREEN_VERSION, description="version of this schema")
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)] = Field(
        default="", description="shown in lists; changes no result"
    )
    universe: Universe = Field(default=Universe(), description="which stocks are looked at, and ranked against")
    conditions: Entry = Field(default=Entry(), description="what must hold; no conditions = the whole universe")
    columns: tuple[Formula, ...] = Field(
        default=(), max_length=MOST_COLUMNS, description="values shown beside symbol, name, market, sector and close"
    )
    sort: Sort | None = Field(default=None, description="order of the table; null = by symbol")
    limit: int | None = Field(default=None, ge=1, le=5000, description="rows shown, at most; null = all")

    @model_validator(mode="after")
    def _columns_once(self) -> Screen:
        repeated = sorted({column for column in self.columns if self.columns.count(column) > 1})
        if repeated:
            raise ValueError(f"Column {repeated[0]!r} is there more than once. Hint: each may appear once.")
        return self

    @property
    def shown(self) -> tuple[str, ...]:
        """Formulas that become columns: those chosen, and the one sorted by.

        >>> Screen(columns=("per",), sort=Sort(by="market_cap")).shown
        ('per', 'market_cap')
        """
        by = () if self.sort is None or self.sort.by in PLAIN_COLUMNS else (self.sort.by,)
        return tuple(dict.fromkeys((*self.columns, *by)))


def parse_screen(source: str | bytes | Mapping[str, Any]) -> Screen:
    """Read a screen document; Korean and English names become the notation.

    Raises
    ------
    DocumentError
        With every fault: its path, a stable code, what was expected and found.

    >>> parse_screen({"columns": ["시가총액"], "sort": {"by": "PER", "direction": "asc"}}).shown
    ('market_cap', 'per')
    """
    return parse_as(Screen, source, version=SCREEN_VERSION)


def parse_screen_or_strategy(source: str | bytes | Mapping[str, Any]) -> Screen | Strategy:
    """Read a document of either kind, told apart by keys only one of them has.

    Raises
    ------
    DocumentError
        As `parse_screen` or `parse_document`.

    >>> type(parse_screen_or_strategy({"name": "x", "sizing": {}})).__name__
    'Strategy'
    """
    keys = frozenset(read_json(source)[0])
    of_screen, of_strategy = frozenset(Screen.model_fields), frozenset(Strategy.model_fields)
    if keys & (of_screen - of_strategy) or not keys & (of_strategy - of_screen):
        return parse_screen(source)
    return parse_document(source)


def screen_of_formula(formula: str, **more: Any) -> Screen:
    """A screen with one condition; ``more`` are other keys of the document.

    >>> screen_of_formula("이동평균({종가},{20일}) > 시가").conditions.rules[0].formula
    'sma(close,20)>open'
    """
    rules = [{"id": "A", "formula": formula}]
    return parse_screen({"conditions": {"rules": rules}, **more})


def screen_of(strategy: Strategy) -> Screen:
    """What a strategy looks for, as a screen: its universe, its conditions to buy, its ranking as columns.

    A screen has no own factors: what they mean stands in their place.
    """
    strategy = expanded(strategy)
    columns = dict.fromkeys(part.formula for part in strategy.ranking.factors)
    return Screen(
        name=strategy.name,
        universe=strategy.universe,
        conditions=strategy.entry,
        columns=tuple(columns)[:MOST_COLUMNS],
    )


def strategy_of(screen: Screen, name: str) -> Strategy:
    """A strategy that holds what the screen finds: looked at anew each month, equal weights, the sort as ranking.

    >>> strategy_of(screen_of_formula("per<10", sort={"by": "roe"}), "Cheap").ranking.factors[0].formula
    'roe'
    """
    factors: tuple[RankFactor, ...] = ()
    if screen.sort is not None and screen.sort.by not in PLAIN_COLUMNS:
        direction: Literal["high", "low"] = "high" if screen.sort.direction == "desc" else "low"
        factors = (RankFactor(formula=screen.sort.by, direction=direction),)
    return Strategy(
        name=name,
        universe=screen.universe,
        entry=screen.conditions,
        ranking=Ranking(factors=factors),
        rebalancing=Rebalancing(mode="target", period="monthly"),
    )


def values_of_conditions(rules: tuple[Rule, ...]) -> tuple[str, ...]:
    """Formulas whose values conditions compare, each once; a condition that is no row has none.

    >>> values_of_conditions((Rule(id="A", formula="per<10"), Rule(id="B", formula="close>sma(close,60)")))
    ('per', 'close', 'sma(close,60)')
    """
    found: dict[str, None] = {}
    for rule in rules:
        row = row_of(rule.formula)
        if row is not None:
            found[operand_formula(row.left)] = None
            if row.right is not None:
                found[operand_formula(row.right)] = None
    return tuple(found)
