"""`decide`: what a strategy decides at a close for a book that was made elsewhere, by the kernel's own code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from stocklab.backtest.result import ShouldCancel
from stocklab.backtest.sleeve_book import SleeveBook, SleeveOrder
from stocklab.factors import FormulaSource
from stocklab.market.panel import Panel
from stocklab.strategy.document import Strategy

__all__ = ["Candidate", "Counts", "Decision", "decide"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One candidate in the order of purchase; ``score`` is None without ranking."""

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
        raise NotImplementedError

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Decision:
        """The decision of a document.

        Raises
        ------
        InputError
            Another version, a key that is missing or unknown, or a value of another type.
        """
        raise NotImplementedError


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
    raise NotImplementedError
