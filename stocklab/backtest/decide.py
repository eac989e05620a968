"""`decide`: what a strategy decides at a close for a book that was made elsewhere, by the kernel's own code."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar, Final

import numpy as np
from pydantic import ConfigDict

from stocklab.backtest import codes
from stocklab.backtest.ground import deciding_ground
from stocklab.backtest.layout import State
from stocklab.backtest.plan import Candidates, Plan, Values, logic_trees, plan_and_values, rule_masks
from stocklab.backtest.result import RunRequest, ShouldCancel
from stocklab.backtest.schedule import rebalances_in, unsafe_sessions
from stocklab.backtest.sleeve_book import BOOK_VERSION, SleeveBook, SleeveOrder
from stocklab.backtest.sleeve_state import SleeveState, require_fit, row_of
from stocklab.backtest.statement_facts import require_mode
from stocklab.backtest.strict_document import STRICT, from_document, to_document
from stocklab.backtest.walking import walk_on
from stocklab.errors import InputError
from stocklab.factors import FormulaSource
from stocklab.market.panel import Panel
from stocklab.strategy.document import Strategy
from stocklab.strategy.own_factors import expanded
from stocklab.types import AnyArray

__all__ = ["Candidate", "Counts", "Decision", "decide"]

_NOT_ASKED: Final = -(1 << 40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One candidate in the order of purchase; ``score`` is None without ranking."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    symbol: str
    score: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Why something was bought, or nothing.

    Attributes
    ----------
    universe : symbols of the universe at the close
    rules : entry rule -> how many of them it holds for
    entry : how many of them the entry line as a whole holds for
    candidates : of these, those with a score, after keeping the best or worst
    unknown_scores : of these, those without
    slots : free places before the purchases; None where no purchase was decided on
    cash : money new purchases could count on, in units; None where it was not asked for
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    universe: int
    rules: Mapping[str, int]
    entry: int
    candidates: int
    unknown_scores: int
    slots: int | None
    cash: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the close of ``session`` decides for ``next_session``.

    Attributes
    ----------
    orders : to be sent, in the order of decision; sales come before purchases
    refused : written down and not sent, with their reason: ``cash``, ``minimum_order``
    cancelled : live orders that a decision replaced, with the reason ``superseded``: to be taken back first
    kept : live orders that stay as they are
    unsafe : the market filter says not to be invested
    rebalancing : a rebalancing was decided
    candidates : the first ones in the order of purchase
    counts : see `Counts`
    equity, holdings, reserve : units of won at this close; ``reserve`` is the cash buffer
    book : the book after the decision; keep it, and give it to `settle` after the next session
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    session: date
    next_session: date
    orders: tuple[SleeveOrder, ...]
    refused: tuple[SleeveOrder, ...]
    cancelled: tuple[SleeveOrder, ...]
    kept: tuple[SleeveOrder, ...]
    unsafe: bool
    rebalancing: bool
    candidates: tuple[Candidate, ...]
    counts: Counts
    equity: int
    holdings: int
    reserve: int
    book: SleeveBook

    def to_document(self) -> dict[str, Any]:
        """The decision as JSON, for `from_document`."""
        return to_document(self, BOOK_VERSION)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Decision:
        """The decision of a document.

        Raises
        ------
        InputError
            Another version, a key that is missing or unknown, or a value of another type.
        """
        return from_document(cls, document, BOOK_VERSION)


def decide(
    panel: Panel,
    strategy: Strategy,
    source: FormulaSource,
    *,
    book: SleeveBook,
    next_session: date,
    first_decision: bool,
    n_candidates: int = 20,
    should_cancel: ShouldCancel | None = None,
) -> Decision:
    """Decide at the close of ``book.session`` for the session after it.

    Parameters
    ----------
    panel : bars through ``book.session`` at least; later rows are not read
    strategy : the document
    source : computes its formulas over the same panel
    book : after its session's fills (`settle`), or `SleeveBook.opened`; it may have been decided on before: the same
        book gives the same decision
    next_session : the session the orders go out in; its date rules ticks, rebalancings and months
    first_decision : the sleeve's first: a rebalancing strategy then builds its book at once
    n_candidates : how many candidates are told

    Raises
    ------
    InputError
        The book's session, or one its positions entered in, is not one of the panel; ``next_session`` does not follow
        it; the book is in other units; or the document asks for what the panel does not have.
    FormulaError
        A formula is not valid here.
    Cancelled
        ``should_cancel`` said so.
    """
    require_mode(panel, strategy)
    require_fit(panel, book)
    t = row_of(panel, book.session)
    _require_next(panel, t, next_session)
    request = RunRequest(
        strategy=strategy, start=book.session, end=book.session, initial_cash_krw=book.initial_cash_krw
    )
    plan, values = plan_and_values(panel, request, source, should_cancel=should_cancel, decide_last=True)
    first = min(t, row_of(panel, book.since), *(row_of(panel, position.entered) for position in book.positions))
    lasting = _plan_from(panel, strategy, plan, first, next_session, first_decision=first_decision)
    sleeve = SleeveState.opened(panel, strategy, book, first)
    head = sleeve.state.book[0]
    head.only_decide, head.free_places, head.free_cash = 1, _NOT_ASKED, _NOT_ASKED
    ground = deciding_ground(panel, first, t, strategy.costs.tax, next_session)
    walk_on(panel, request, lasting, ground, state=sleeve.state, sessions=(t, t + 1), should_cancel=should_cancel)
    unsafe = bool(lasting.unsafe[-1])
    return Decision(
        session=book.session,
        next_session=next_session,
        **_orders(sleeve, t),
        unsafe=unsafe,
        rebalancing=bool(lasting.schedule[-1]) and not unsafe,
        candidates=_first_candidates(panel, lasting, t, n_candidates),
        counts=_counts(strategy, lasting, values, sleeve.state, t),
        equity=int(head.equity),
        holdings=int(head.holdings),
        reserve=int(head.reserve),
        book=sleeve.book_at(t, book.claims),
    )


def _require_next(panel: Panel, t: int, next_session: date) -> None:
    day = panel.sessions[t].item()
    known = panel.sessions[t + 1].item() if t + 1 < panel.n_sessions else None
    if next_session <= day or known not in (None, next_session):
        expected = f"the session {known}" if known else f"a day after {day}"
        raise InputError(f"After {day}, {expected} is expected as the next session, found {next_session}.")


def _plan_from(
    panel: Panel, strategy: Strategy, plan: Plan, first: int, next_session: date, *, first_decision: bool
) -> Plan:
    """The plan of one session with rows from ``first`` on, as the arrays of the ground have them; only the last is
    read. Rebalancing and months are those of the next session."""
    t = plan.last - 1
    following = np.array([next_session], dtype=panel.sessions.dtype)
    sessions = np.concatenate([panel.sessions[: t + 1], following])
    target_mode = strategy.rebalancing.mode == "target"
    due = target_mode and (first_decision or rebalances_in(sessions, strategy.rebalancing, t + 1))
    found = plan.candidates
    return replace(
        plan,
        first=first,
        schedule=_below(t - first, np.array([due], dtype=np.uint8)),
        unsafe=_below(t - first, unsafe_sessions(panel, strategy.market_filter, t, t + 1, following=following)),
        candidates=Candidates(
            symbols=_below(t - first, found.symbols),
            written=_below(t - first, found.written),
            totals=_below(t - first, found.totals),
            unknown_scores=found.unknown_scores,
        ),
    )


def _below(rows: int, last: AnyArray) -> AnyArray:
    """``last`` below so many rows of zeros."""
    return np.concatenate([np.zeros((rows, *last.shape[1:]), dtype=last.dtype), last])


def _orders(sleeve: SleeveState, t: int) -> dict[str, tuple[SleeveOrder, ...]]:
    before, after = len(sleeve.book.orders), int(sleeve.state.book[0].n_orders)
    status = sleeve.state.orders["status"]

    def those(first: int, last: int, *, alive: bool) -> tuple[SleeveOrder, ...]:
        return sleeve.orders([row for row in range(first, last) if bool(status[row] == codes.OPEN) is alive], t)

    return {
        "orders": those(before, after, alive=True),
        "refused": those(before, after, alive=False),
        "cancelled": those(0, before, alive=False),
        "kept": those(0, before, alive=True),
    }


def _first_candidates(panel: Panel, plan: Plan, t: int, most: int) -> tuple[Candidate, ...]:
    symbols = plan.candidates.symbols[-1, : min(most, int(plan.candidates.written[-1]))]
    scores = plan.score.values[t, symbols] if plan.score.values.size else np.full(len(symbols), np.nan)
    return tuple(
        Candidate(symbol=panel.symbols[symbol], score=None if math.isnan(score) else float(score))
        for symbol, score in zip(symbols, scores, strict=True)
    )


def _counts(strategy: Strategy, plan: Plan, values: Values, state: State, t: int) -> Counts:
    members = plan.universe[t]
    opened = expanded(strategy)
    masks = rule_masks(logic_trees(opened)[0], opened.entry.rules)
    head = state.book[0]

    def asked(value: int) -> int | None:
        return None if value == _NOT_ASKED else int(value)

    return Counts(
        universe=int(np.count_nonzero(members)),
        rules={
            letter.replace("~", "not "): int(np.count_nonzero(members & (values[formula, "condition"][t] != 0)))
            for letter, formula in masks.items()
        },
        entry=int(np.count_nonzero(members & (plan.entry[t] != 0))),
        candidates=int(plan.candidates.totals[-1]),
        unknown_scores=plan.candidates.unknown_scores,
        slots=asked(head.free_places),
        cash=asked(head.free_cash),
    )
