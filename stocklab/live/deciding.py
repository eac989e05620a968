"""Before a session, every strategy at work decides: by the newest close, with the simulator's own code."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

import structlog

from stocklab.backtest.decide import decide
from stocklab.backtest.sleeve_book import SleeveBook
from stocklab.data.factor_cache import CachedSource
from stocklab.data.panel_open import basis_for, open_panel
from stocklab.data.sources.calls import KST
from stocklab.data.store import Store
from stocklab.errors import StockLabError
from stocklab.live.accounts import AccountKind
from stocklab.live.decisions import Decisions, book_of
from stocklab.live.desk import Desk
from stocklab.live.settling import Happened, aligned, settled_to, what_happened
from stocklab.live.traders import Trader, Traders, TraderState
from stocklab.market.calendar import previous_session
from stocklab.market.panel import Panel, PriceBasis
from stocklab.strategy.document import Strategy
from stocklab.trading.book import Sleeve
from stocklab.trading.day_steps import CoinTimes, DayTimes, Step, windows
from stocklab.trading.executor import Turn

__all__ = ["Deciding", "EngineRoom"]

log = structlog.get_logger(__name__)

ZERO: Final = Decimal(0)
_DECIDES: Final = (TraderState.ACTIVE, TraderState.STOPPING)
_RETRY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRoom:
    """Where panels and factors come from."""

    store: Store
    home: Path
    threads: int = 2
    factor_cache_mb: int = 2048

    def panel(self, strategy: Strategy) -> Panel:
        """The newest panel a strategy is decided on. Raises DataError where there is none."""
        return open_panel(self.store, basis=basis_for(strategy.universe, None), statements=strategy.statements)

    def newest(self, basis: PriceBasis) -> Panel:
        """The newest panel on a price basis. Raises DataError where there is none."""
        return open_panel(self.store, basis=basis)

    def source(self, panel: Panel) -> CachedSource:
        """Computes its formulas."""
        return CachedSource(panel, self.home, threads=self.threads, budget_mb=self.factor_cache_mb)


@dataclass(kw_only=True, eq=False)
class Deciding:
    """The duty of deciding: once for each trader and session, as soon as the data are there.

    ``missed`` is told where the time to decide is over and nothing could be decided.
    """

    room: EngineRoom
    traders: Traders
    decisions: Decisions
    times: Callable[[Desk], DayTimes | CoinTimes]
    missed: Callable[[Desk, Trader, date, str], None] = field(default=lambda _desk, _trader, _day, _why: None)
    _done: set[tuple[str, date]] = field(default_factory=set)
    _again: dict[str, datetime] = field(default_factory=dict)

    def symbols(self, desk: Desk) -> Iterable[str]:
        """None: decisions are made on closes."""
        del desk
        return ()

    def before(self, desk: Desk, now: datetime) -> None:
        """Decide what is due."""
        day = now.astimezone(UTC if desk.account.coins else KST).date()
        prepare = next((one for one in windows(day, self.times(desk)) if one.step is Step.PREPARE), None)
        if prepare is None or now < prepare.opens:
            return
        for trader in self.traders.of_account(desk.account.id, _DECIDES):
            if (trader.id, day) in self._done or (trader.started_at or now) > prepare.closes:
                continue
            if now > prepare.closes:
                self._give_up(desk, trader, day, now)
            elif self._again.get(trader.id, now) <= now:
                self._decide(desk, trader, day, now)

    def after(self, desk: Desk, turn: Turn, now: datetime) -> None:
        """Nothing."""

    def _decide(self, desk: Desk, trader: Trader, day: date, now: datetime) -> None:
        if any(one.trader_id == trader.id for one in self.decisions.of_day(desk.account.id, day)):
            self._done.add((trader.id, day))
            return
        try:
            panel = self.room.panel(trader.strategy)
            if panel.synthetic and desk.account.kind is AccountKind.LIVE:
                raise _NotYet("the market data are the demo market's, and real money is not traded on them")
            wanted, last = _close_before(day, coins=desk.account.coins), panel.sessions[-1].item()
            if last != wanted:
                raise _NotYet(f"the market data end on {last}, and {wanted} is needed")
            book = self._book(desk, trader, panel, last)
            decision = decide(
                panel,
                trader.strategy,
                self.room.source(panel),
                book=book,
                next_session=day,
                first_decision=trader.book is None,
            )
        except _NotYet as error:
            self._wait(trader, str(error), now)
            return
        except StockLabError as error:
            log.warning("decision_fails", trader=trader.id, message=str(error))
            self._wait(trader, str(error), now)
            return
        kept = self.decisions.keep(trader, day, decision, snapshot=panel.snapshot_id, now=now)
        if kept is not None:
            self._done.add((trader.id, day))
            log.info(
                "decided",
                trader=trader.id,
                session=day.isoformat(),
                orders=len(decision.orders),
                refused=len(decision.refused),
            )

    def _book(self, desk: Desk, trader: Trader, panel: Panel, last: date) -> SleeveBook:
        """The sleeve's book after the newest close, with what the account really holds."""
        unit = panel.unit
        sleeve = desk.book.sleeves.get(trader.id, Sleeve())
        cash = int(sleeve.cash_krw * unit)
        book = book_of(trader)
        if book is None:
            return SleeveBook.opened(last, int(trader.capital_krw), unit=unit)
        happened: dict[date, Happened] = {}
        for session in (one.item() for one in panel.sessions):
            if book.session < session <= last:
                decided = next(
                    (one for one in self.decisions.of_day(desk.account.id, session) if one.trader_id == trader.id),
                    None,
                )
                happened[session] = what_happened(
                    desk.database, desk.journal, trader.id, decided=decided, session_day=session, unit=unit
                )
        settled = settled_to(panel, trader.strategy, book, last, happened, cash=cash)
        book, differing = aligned(settled, sleeve)
        if differing:
            log.warning("sleeve_differs", trader=trader.id, symbols=list(differing))
        return book

    def _wait(self, trader: Trader, why: str, now: datetime) -> None:
        self.traders.note(trader, why)
        self._again[trader.id] = now + _RETRY

    def _give_up(self, desk: Desk, trader: Trader, day: date, now: datetime) -> None:
        self._done.add((trader.id, day))
        if any(one.trader_id == trader.id for one in self.decisions.of_day(desk.account.id, day)):
            return
        why = trader.reason or "the program did not run while it was time to decide"
        self.decisions.keep_none(trader, day, why, now)
        self.missed(desk, trader, day, why)


class _NotYet(Exception):
    """The data of the close before are not there; they may come."""


def _close_before(day: date, *, coins: bool) -> date:
    return day - timedelta(days=1) if coins else previous_session(day, expected=True)
