"""A close of a run, its decisions to buy made again, so that every symbol can be told why."""

from __future__ import annotations

from dataclasses import dataclass

from stocklab.backtest import codes
from stocklab.research.explain.buying import Bought, buy_candidates
from stocklab.research.explain.candidates import Candidates, candidates_at
from stocklab.research.explain.leaving import held_for
from stocklab.research.explain.money import Money
from stocklab.research.explain.order_book import Book, Lot, book_before_buying, lots_of, orders_decided
from stocklab.research.explain.rebalancing import Moved, Waited, buy_waiting, rebalance
from stocklab.research.explain.values import Purse
from stocklab.research.explain.verdicts import Code, Verdict
from stocklab.research.explain.view import Moment, RunView

__all__ = ["Close", "close_at"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """A close of the run with its decisions to buy replayed, for every symbol at once.

    ``bought`` in signal mode; ``moved`` where a rebalancing was decided, ``waited`` in target mode with ``expired``
    lots whose time was over. None of them where nothing could be bought: an unsafe market, the end of the run.
    """

    moment: Moment
    found: Candidates
    unsafe: bool
    due: bool
    final: bool
    purse: Purse
    bought: Bought | None = None
    moved: Moved | None = None
    waited: Waited | None = None
    expired: tuple[Lot, ...] = ()

    def orders(self) -> list[tuple[int, int]]:
        """(symbol, shares) of the purchases, in order."""
        source = self.bought or self.waited
        return [] if source is None else source.orders

    def why(self, column: int) -> Verdict | None:
        """What the decisions to buy say of a symbol; None where they did not come to it."""
        for source in (self.bought, self.waited, self.moved):
            if source is not None and column in source.verdicts:
                return source.verdicts[column]
        return None

    def unpaid(self, column: int) -> bool:
        """Whether a purchase was written down only because cash did not pay its first share."""
        why = self.why(column)
        return why is not None and why.code is Code.CASH

    @property
    def rest(self) -> Verdict | None:
        """The answer for candidates the decisions did not come to."""
        source = self.bought or self.moved
        return None if source is None else source.rest


def close_at(view: RunView, t: int) -> Close:
    """Walk to session ``t`` and decide its purchases again.

    Raises
    ------
    AssertionError
        The decisions found are not those of the run: a fault of the program; no explanation is given.
    """
    moment = view.moment(t)
    found = candidates_at(view, t)
    row = t - view.plan.first
    final, unsafe = t == view.plan.last - 1, bool(view.plan.unsafe[row])
    target_mode = view.strategy.rebalancing.mode == "target"
    due = target_mode and bool(view.plan.schedule[row]) and not unsafe and not final
    book = book_before_buying(moment)
    purse = _purse(view, book, places=0, countable=0)
    bought: Bought | None = None
    moved: Moved | None = None
    waited: Waited | None = None
    expired: list[Lot] = []
    if not (final or unsafe):
        money = Money(view, t, book, found.scores)
        if target_mode:
            lots, expired, moved = _lots(view, moment, money, found, due=due)
            waited = buy_waiting(money, lots)
            purse = _purse(view, book, places=waited.places, countable=waited.countable)
        else:
            bought = buy_candidates(money, found)
            purse = _purse(view, book, places=bought.places, countable=bought.countable)
    close = Close(
        moment=moment,
        found=found,
        unsafe=unsafe,
        due=due,
        final=final,
        purse=purse,
        bought=bought,
        moved=moved,
        waited=waited,
        expired=tuple(expired),
    )
    _require_same(view, close)
    return close


def _purse(view: RunView, book: Book, *, places: int, countable: int) -> Purse:
    return Purse(
        cash_krw=book.cash,
        countable_krw=countable,
        equity_krw=book.equity,
        positions=len(book.owned),
        max_holdings=view.strategy.sizing.max_holdings,
        free_places=max(places, 0),
    )


def _lots(
    view: RunView, moment: Moment, money: Money, found: Candidates, *, due: bool
) -> tuple[list[Lot], list[Lot], Moved | None]:
    """What is to be bought at a close in target mode, what waited too long, and the rebalancing where it is due."""
    if due:
        may_sell, listed = {}, {}
        for symbol, position in money.book.owned.items():
            may_sell[symbol] = held_for(view, position.entered, moment.t + 1) >= view.strategy.exit.min_holding
            listed[symbol] = bool(view.panel.fields["listed"][moment.t, symbol])
        moved = rebalance(money, found, may_sell, listed)
        return moved.lots, [], moved
    lots = lots_of(moment.ended)  # after the share changes of the session
    if moment.t > int(moment.before.book[0].waiting_until):
        return [], lots, None
    return lots, [], None


def _require_same(view: RunView, close: Close) -> None:
    """The orders replayed are those the run wrote down."""
    t = close.moment.t
    decided = orders_decided(close.moment.decided, t)
    buys = [(int(order.symbol), int(order.ordered)) for _, order in decided if order.side == codes.BUY]
    sales = [
        (int(order.symbol), int(order.ordered))
        for _, order in decided
        if order.side == codes.SELL and order.cause == codes.REBALANCE
    ]
    replayed = [] if close.moved is None else close.moved.sales
    if buys != close.orders() or sales != replayed:
        raise AssertionError(
            f"The decisions of {view.day(t)} in run {view.result.run_id} were not understood: "
            f"bought {buys} and sold {sales}, replayed {close.orders()} and {replayed}."
        )
