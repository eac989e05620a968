"""Run a screen on one session: every condition over every stock, from the values a backtest would use.

Formulas are computed over the whole history, as a backtest computes them, so that a day's hits are the same bits; the
factor cache makes the next screen, and the backtest, cheap. Then one row is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl

from stocklab.backtest import matches
from stocklab.backtest.schedule import unsafe_sessions
from stocklab.backtest.universe import universe_mask, unknown_flags, unknown_lists
from stocklab.data.screen_notes import Note, notes_of, session_note
from stocklab.errors import InputError
from stocklab.factors import FormulaSource, Wanted, missing_inputs, never_known
from stocklab.market.panel import MARKET_CODES, Panel
from stocklab.strategy.document import ExitRules, Rule, Sizing, StatementMode, Strategy
from stocklab.strategy.logic import combine, parse_logic
from stocklab.strategy.own_factors import expanded
from stocklab.strategy.screen import Screen, Sort, screen_of, values_of_conditions
from stocklab.types import AnyArray, BoolArray

__all__ = ["ConditionCount", "Judgement", "ScreenResult", "explain", "run_screen", "session_row", "strategy_hits"]

SCORE: Final = "score"
_MARKETS: Final = {code: name or None for name, code in MARKET_CODES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionCount:
    """How one condition fared among the stocks of the universe; the three counts add up to it.

    ``missing`` names the inputs the data do not have; ``never``: without them it can match nothing at all.
    """

    id: str
    formula: str
    true: int
    false: int
    unknown: int
    missing: tuple[str, ...]
    never: bool

    @property
    def unjudged(self) -> bool:
        """Whether there are stocks and the condition is unknown for each."""
        return self.unknown > 0 and self.true == 0 and self.false == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenResult:
    """The answer of a screen.

    Attributes
    ----------
    session : the day judged: the last session on or before ``asked`` (None = the last of the data)
    universe : stocks that were looked at
    matched : stocks that meet the logic, before the limit
    conditions : counts by condition
    logic : the logic line, "" without conditions
    columns : formulas shown, in order
    rows : the table, sorted and limited: ``symbol name market sector close_krw``, the columns (float64, null =
        unknown), ``score`` for a strategy with a ranking, then one Boolean per condition (null = unknown)
    truth : every stock listed on the day: ``symbol name in_universe matched`` and one Boolean per condition
    notes : what a reader must know
    """

    session: date
    asked: date | None
    universe: int
    matched: int
    conditions: tuple[ConditionCount, ...]
    logic: str
    columns: tuple[str, ...]
    rows: pl.DataFrame
    truth: pl.DataFrame
    notes: tuple[Note, ...]

    @property
    def all_must_hold(self) -> bool:
        """Whether the logic is simply every condition."""
        return self.logic == " and ".join(one.id for one in self.conditions)

    def relaxed(self) -> dict[str, int]:
        """How many stocks would match without one of the conditions, by its letter; empty unless all must hold."""
        letters = [one.id for one in self.conditions]
        if len(letters) < 2 or not self.all_must_hold:
            return {}
        members = self.truth.filter("in_universe")
        return {
            letter: members.filter(pl.all_horizontal(other for other in letters if other != letter)).height
            for letter in letters
        }

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form; unknown values are null."""
        letters = [condition.id for condition in self.conditions]
        return {
            "session": self.session.isoformat(),
            "asked": None if self.asked is None else self.asked.isoformat(),
            "universe": self.universe,
            "matched": self.matched,
            "logic": self.logic,
            "conditions": [
                {
                    "id": condition.id,
                    "formula": condition.formula,
                    "true": condition.true,
                    "false": condition.false,
                    "unknown": condition.unknown,
                    "missing": list(condition.missing),
                    "never": condition.never,
                }
                for condition in self.conditions
            ],
            "columns": list(self.columns),
            "rows": [
                {key: value for key, value in row.items() if key not in letters}
                | {"conditions": {letter: row[letter] for letter in letters}}
                for row in self.rows.iter_rows(named=True)
            ],
            "notes": [note.words for note in self.notes],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One condition for one stock: its truth (None = unknown) and the values compared, as (formula, value or None)."""

    id: str
    formula: str
    holds: bool | None
    values: tuple[tuple[str, float | None], ...]


def session_row(panel: Panel, on: date | None) -> int:
    """Row of the last session on or before a day; None is the last of the panel.

    Raises
    ------
    InputError
        The data begin later.
    """
    if on is None:
        return panel.n_sessions - 1
    row = int(np.searchsorted(panel.sessions, np.datetime64(on, "D"), side="right")) - 1
    if row < 0:
        raise InputError(f"No session on or before {on}; the data begin on {panel.sessions[0]}. Hint: a later date.")
    return row


def run_screen(panel: Panel, screen: Screen, source: FormulaSource, *, on: date | None = None) -> ScreenResult:
    """Which stocks meet a screen's conditions at the close of one session.

    Parameters
    ----------
    source : computes formulas over the whole panel; a `CachedSource` shares its values with backtests
    on : the last session on or before this day is judged; None: the last session

    Raises
    ------
    InputError
        The data begin after ``on``, or the universe asks for what the panel does not have.
    FormulaError
        A formula is not valid.
    """
    t = session_row(panel, on)
    universe = universe_mask(panel, screen.universe, source)
    judged = _judge(panel, screen, source, universe, t)
    session = panel.sessions[t].item()
    notes = (
        *session_note(on, session),
        *notes_of(
            panel,
            [(count.id, count.formula, count.never, count.unjudged) for count in judged.counts],
            screen.shown,
            unknown_flags(panel, screen.universe, universe, t, t + 1),
            sorted(unknown_lists(panel, screen.universe, t, t + 1)),
            latest=t == panel.n_sessions - 1,
        ),
    )
    rows = _sorted(_table(panel, screen, judged, t), screen.sort)
    return ScreenResult(
        session=session,
        asked=on,
        universe=int(np.count_nonzero(universe[t])),
        matched=rows.height,
        conditions=judged.counts,
        logic=judged.logic,
        columns=screen.shown,
        rows=rows if screen.limit is None else rows.head(screen.limit),
        truth=_truth(panel, judged, universe[t], t),
        notes=notes,
    )


def strategy_hits(
    panel: Panel,
    strategy: Strategy,
    source: FormulaSource,
    *,
    on: date | None = None,
    columns: Sequence[str] = (),
    limit: int | None = None,
) -> ScreenResult:
    """The stocks a strategy would buy after one session's close, in its order of purchase, with their score.

    The market filter and what is already held are not applied; a filter that is unsafe on the day is a note.

    Parameters
    ----------
    columns : formulas shown beside those of the ranking
    limit : rows shown, at most

    The others are those of `run_screen`.

    Raises
    ------
    InputError, FormulaError
        As `run_screen`.
    """
    strategy = expanded(strategy)
    screen = screen_of(strategy)
    screen = screen.model_copy(update={"columns": tuple(dict.fromkeys((*screen.columns, *columns)))})
    found = run_screen(panel, screen, source, on=on)
    t = session_row(panel, on)
    notes = list(found.notes)
    if strategy.statements is StatementMode.RESTATED:
        notes.append(Note.make("restated"))
    if strategy.market_filter is not None and unsafe_sessions(panel, strategy.market_filter, t, t + 1)[0]:
        notes.append(Note.make("market_unsafe"))
    rows = found.rows
    ranking = [part.formula for part in strategy.ranking.factors]
    if ranking and rows.height and not any(never_known(formula, panel) for formula in ranking):
        buying = strategy.model_copy(update={"exit": ExitRules(), "sizing": Sizing(), "market_filter": None})
        rows = _in_order_of_purchase(rows, matches(panel, buying, source, t), found)
        if rows.height < found.matched:
            notes.append(Note.make("kept", kept=rows.height, matched=found.matched))
    return ScreenResult(
        session=found.session,
        asked=on,
        universe=found.universe,
        matched=rows.height,
        conditions=found.conditions,
        logic=found.logic,
        columns=found.columns,
        rows=rows if limit is None else rows.head(limit),
        truth=found.truth,
        notes=tuple(notes),
    )


def explain(
    panel: Panel, screen: Screen, source: FormulaSource, symbol: str, *, on: date | None = None
) -> tuple[Judgement, ...]:
    """Why one stock is in a screen or not: each condition with the values it compares.

    Raises
    ------
    InputError
        The symbol is not in the panel, or as `run_screen`.
    """
    t, column = session_row(panel, on), panel.column(symbol)
    universe = universe_mask(panel, screen.universe, source)
    judged = _judge(panel, screen, source, universe, t)
    operands = {rule.id: values_of_conditions((rule,)) for rule in screen.conditions.rules}
    formulas = list(dict.fromkeys(formula for found in operands.values() for formula in found))
    rows = _rows_of(source, [Wanted(formula, "value") for formula in formulas], universe, t)
    values = {formula: _known(float(row[column])) for formula, row in zip(formulas, rows, strict=True)}
    return tuple(
        Judgement(
            id=rule.id,
            formula=rule.formula,
            holds=_truth_of(judged.holds[rule.id][column], judged.fails[rule.id][column]),
            values=tuple((formula, values[formula]) for formula in operands[rule.id]),
        )
        for rule in screen.conditions.rules
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """Conditions on one session; ``holds`` and ``fails`` by letter and ``matched`` are (n_symbols,) bool."""

    holds: dict[str, BoolArray]
    fails: dict[str, BoolArray]
    values: dict[str, AnyArray]
    matched: BoolArray
    counts: tuple[ConditionCount, ...]
    logic: str


def _judge(panel: Panel, screen: Screen, source: FormulaSource, universe: BoolArray, t: int) -> _Judged:
    """Everything the screen asks for in one computation, so that shared steps are computed once."""
    rules = screen.conditions.rules
    wanted = [Wanted(rule.formula, "condition") for rule in rules]
    wanted += [Wanted(f"~({rule.formula})", "condition") for rule in rules]  # false and unknown are told apart
    wanted += [Wanted(formula, "value") for formula in screen.shown]
    rows = _rows_of(source, wanted, universe, t)
    n = len(rules)
    holds = {rule.id: rows[place] != 0 for place, rule in enumerate(rules)}
    fails = {rule.id: rows[n + place] != 0 for place, rule in enumerate(rules)}
    tree = parse_logic(screen.conditions.logic, [rule.id for rule in rules], "all")
    masks = {letter: mask.astype(np.uint8) for letter, mask in holds.items()}
    masks |= {f"~{letter}": mask.astype(np.uint8) for letter, mask in fails.items()}
    members = universe[t]
    met = combine(tree, masks, shape=members.shape) != 0
    return _Judged(
        holds=holds,
        fails=fails,
        values=dict(zip(screen.shown, rows[2 * n :], strict=True)),
        matched=met & members,
        counts=tuple(_count(panel, rule, holds[rule.id], fails[rule.id], members) for rule in rules),
        logic=tree.text,
    )


def _rows_of(source: FormulaSource, wanted: Sequence[Wanted], universe: BoolArray, t: int) -> list[AnyArray]:
    return [np.array(values[t]) for values in source.compute(wanted, universe)] if wanted else []


def _count(panel: Panel, rule: Rule, holds: BoolArray, fails: BoolArray, members: BoolArray) -> ConditionCount:
    true, false = (int(np.count_nonzero(mask & members)) for mask in (holds, fails))
    return ConditionCount(
        id=rule.id,
        formula=rule.formula,
        true=true,
        false=false,
        unknown=int(np.count_nonzero(members)) - true - false,
        missing=missing_inputs(rule.formula, panel),
        never=never_known(rule.formula, panel),
    )


def _table(panel: Panel, screen: Screen, judged: _Judged, t: int) -> pl.DataFrame:
    """The stocks that match, in order of symbol."""
    at = np.flatnonzero(judged.matched)
    known, fields = panel.instruments, panel.fields
    columns = {
        "symbol": pl.Series([panel.symbols[s] for s in at], dtype=pl.String),
        "name": pl.Series([known.names[s] or None for s in at], dtype=pl.String),
        "market": pl.Series([_MARKETS[int(code)] for code in fields["market"][t][at]], dtype=pl.String),
        "sector": pl.Series([known.sectors[s] or None for s in at], dtype=pl.String),
        "close_krw": _numbers(fields[panel.order_fields[3]][t][at]),
    }
    columns |= {formula: _numbers(judged.values[formula][at]) for formula in screen.shown}
    return pl.DataFrame(columns | _letters(judged, at))


def _truth(panel: Panel, judged: _Judged, members: BoolArray, t: int) -> pl.DataFrame:
    at = np.flatnonzero(panel.fields["listed"][t])
    columns = {
        "symbol": pl.Series([panel.symbols[s] for s in at], dtype=pl.String),
        "name": pl.Series([panel.instruments.names[s] or None for s in at], dtype=pl.String),
        "in_universe": pl.Series(members[at], dtype=pl.Boolean),
        "matched": pl.Series(judged.matched[at], dtype=pl.Boolean),
    }
    return pl.DataFrame(columns | _letters(judged, at))


def _letters(judged: _Judged, at: AnyArray) -> dict[str, pl.Series]:
    return {
        letter: pl.Series(
            [_truth_of(held, failed) for held, failed in zip(holds[at], judged.fails[letter][at], strict=True)],
            dtype=pl.Boolean,
        )
        for letter, holds in judged.holds.items()
    }


def _truth_of(holds: np.bool_, fails: np.bool_) -> bool | None:
    return True if holds else False if fails else None


def _numbers(values: AnyArray) -> pl.Series:
    return pl.Series(values.astype(np.float64)).fill_nan(None)


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _sorted(rows: pl.DataFrame, sort: Sort | None) -> pl.DataFrame:
    if sort is None:
        return rows
    return rows.sort(sort.by, "symbol", descending=[sort.direction == "desc", False], nulls_last=True)


def _in_order_of_purchase(rows: pl.DataFrame, order: Sequence[tuple[str, float]], found: ScreenResult) -> pl.DataFrame:
    scores = pl.DataFrame(
        {"symbol": [symbol for symbol, _ in order], SCORE: [_known(score) for _, score in order]},
        schema={"symbol": pl.String, SCORE: pl.Float64},
    )
    letters = [condition.id for condition in found.conditions]
    joined = scores.join(rows, on="symbol", how="left", maintain_order="left")
    plain = [name for name in rows.columns if name not in letters]
    return joined.select(*plain, SCORE, *letters)
