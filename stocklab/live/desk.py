"""One account at work: look at what a person or a clock wants, judge, send, follow, and say how it went.

A desk belongs to one thread. Whatever it does may be cut at any instant; the next desk goes on from the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

import structlog

from stocklab.brokers.values import BrokerName, Quote, QuoteSource
from stocklab.data.sources.calls import KST
from stocklab.db import Database
from stocklab.errors import BrokerDenied, BrokerError, InputError
from stocklab.live.accounts import LinkedAccount
from stocklab.live.connections import Connection
from stocklab.live.health import Health
from stocklab.live.instruments import Instrument
from stocklab.live.live_gate import LiveGate, Seen
from stocklab.live.losses import NOTHING_LOST, losses_of, stage_after
from stocklab.live.quote_board import QuoteBoard
from stocklab.market.calendar import is_session, session_hours
from stocklab.operations.run_ledger import UNFENCED, Fence
from stocklab.trading.book import Book
from stocklab.trading.executor import Executor, Notice, NoticeKind, Turn
from stocklab.trading.journal import Journal, Kept
from stocklab.trading.risk_gate import Stage

__all__ = ["Desk", "DeskParts", "Duty"]

log = structlog.get_logger(__name__)

ZERO = Decimal(0)


class Duty(Protocol):
    """One thing that a desk does in each cycle beside sending: it reads rows and writes intents, never to a broker."""

    def symbols(self, desk: Desk) -> Iterable[str]:
        """Symbols whose prices it needs."""
        ...

    def before(self, desk: Desk, now: datetime) -> None:
        """What comes before orders are sent."""
        ...

    def after(self, desk: Desk, turn: Turn, now: datetime) -> None:
        """What follows from what was seen."""
        ...


@dataclass(frozen=True, kw_only=True)
class DeskParts:
    """What desks share. ``tell`` hears of every notice; ``held_back`` names what may not be bought again yet."""

    database: Database
    clock: Callable[[], datetime]
    look_up: Callable[[str], Instrument | None]
    closes: Callable[[Iterable[str]], Mapping[str, Quote]]
    duties: Sequence[Duty] = ()
    fence: Fence = UNFENCED
    tell: Callable[[Desk, Notice, datetime], None] = field(default=lambda _desk, _notice, _now: None)
    held_back: Callable[[str], frozenset[str]] = field(default=lambda _account_id: frozenset())


class Desk:
    """``account`` is renewed by its thread before a cycle, so that limits and stops hold at once."""

    def __init__(self, account: LinkedAccount, connection: Connection, parts: DeskParts) -> None:
        self.account = account
        self.connection = connection
        self.parts = parts
        self.broker = connection.broker
        self.database = parts.database
        self.journal = Journal(parts.database, account.owner_id, account.id, fence=parts.fence)
        self.board = QuoteBoard(self.broker, clock=parts.clock, closes=parts.closes)
        self.by_close = connection.by_close
        self.gate = LiveGate(self.board, parts.look_up, clock=parts.clock, seen=self._seen, by_close=self.by_close)
        self.executor = Executor(
            self.broker,
            self.journal,
            clock=parts.clock,
            gate=self.gate,
            over=self._over,
            units=connection.units,
        )
        self.health = Health(parts.database, account.owner_id, account.id)
        self.losses = NOTHING_LOST
        self.orders: tuple[Kept, ...] = ()
        self.frozen: set[str] = set()
        """Symbols of which nothing is bought or sold until a person has looked, or the process begins anew."""
        self._begun = False

    @property
    def book(self) -> Book:
        """Cash and holdings of every sleeve."""
        return self.executor.book

    def today(self, now: datetime) -> date:
        """The day in Seoul."""
        return now.astimezone(KST).date()

    def is_open(self, now: datetime) -> bool:
        """Whether orders of this account may be filled now: in a session from half an hour before it opens."""
        if self.account.coins:
            return True
        local = now.astimezone(KST)
        if not _is_session(local.date()):
            return False
        opens, closes = session_hours(local.date(), expected=True)
        at = local.time().replace(tzinfo=None)
        return opens.replace(hour=opens.hour - 1) <= at <= closes

    def is_trading(self, now: datetime) -> bool:
        """Whether the market trades at this moment."""
        if self.account.coins:
            return True
        local = now.astimezone(KST)
        if not _is_session(local.date()):
            return False
        opens, closes = session_hours(local.date(), expected=True)
        return opens <= local.time().replace(tzinfo=None) <= closes

    def equity_krw(self) -> Decimal:
        """What the account is worth by the prices known; what has none counts at its cost."""
        worth = self.book.cash_krw
        for sleeve in self.book.sleeves.values():
            for symbol, holding in sleeve.holdings.items():
                quote = self.board.get(symbol)
                worth += holding.cost_krw if quote is None else holding.quantity * quote.price_krw
        return worth

    def begin(self) -> None:
        """Once: prove the keys, and settle what a dead process left.

        Raises
        ------
        BrokerDenied, BrokerTemporary
        """
        if not self._begun:
            self.executor.recover()
            shown = self.broker.check()
            if self.account.broker is not BrokerName.PAPER:
                self.health.checked(shown)
            self._begun = True

    def cycle(self) -> Turn:
        """One round. Trouble with the broker is noted and told, and ends the round early, never the thread.

        Raises
        ------
        JournalConflict
            Another process writes this account's journal.
        """
        now = self.parts.clock()
        turn = Turn()
        try:
            self.begin()
        except BrokerDenied as error:
            self.health.trouble(str(error), now, denied=True)
            self.parts.tell(self, Notice(kind=NoticeKind.DENIED, text=str(error)), now)
            return turn
        except BrokerError as error:
            self.health.trouble(str(error), now)
            self.parts.tell(self, Notice(kind=NoticeKind.UNREACHABLE, text=str(error)), now)
            return turn
        self.orders = self.journal.orders(self.today(now))
        self.board.refresh(self._symbols(), ask=self.is_open(now))
        self._weigh(now)
        for duty in self.parts.duties:
            duty.before(self, now)
        self.orders = self.journal.orders(self.today(now))
        self._prepare_gate()
        turn = self.executor.turn()
        after = self.parts.clock()
        for duty in self.parts.duties:
            duty.after(self, turn, after)
        for notice in turn.notices:
            self.parts.tell(self, notice, after)
        self.health.turned(self, turn, after)
        return turn

    def _weigh(self, now: datetime) -> None:
        try:
            self.losses = losses_of(self.database, self.account.id, self.equity_krw(), now, self.today(now))
        except InputError as error:  # the book has not seen yet where the money came from
            log.info("losses_unknown", account=self.account.id, message=str(error))

    @property
    def stage(self) -> Stage:
        """How far losses have gone."""
        return stage_after(self.losses, self.account.limits)

    def _prepare_gate(self) -> None:
        self.board.refresh(self._symbols(), ask=self.is_open(self.parts.clock()))
        self.gate.prepare(
            limits=self.account.limits,
            stage=self.stage,
            held_back=self.parts.held_back(self.account.id),
            frozen=frozenset(self.frozen),
        )

    def _seen(self) -> Seen:
        return Seen(book=self.executor.book, orders=self.executor.known, cash=self.executor.cash)

    def _symbols(self) -> set[str]:
        wanted = set(self.book.symbols())
        wanted |= {one.order.symbol for one in self.orders if not one.order.state.final}
        for duty in self.parts.duties:
            wanted |= set(duty.symbols(self))
        return wanted

    def _over(self, now: datetime) -> date:
        """The newest day whose orders cannot be filled any more: today once the session is over."""
        local = now.astimezone(KST)
        day = local.date()
        if _is_session(day):
            _, closes = session_hours(day, expected=True)
            # Half an hour later the broker's journal has the end of every order.
            if local.time().replace(tzinfo=None) >= closes.replace(hour=closes.hour + 1, minute=0):
                return day
        return date.fromordinal(day.toordinal() - 1)

    @property
    def quotes_from(self) -> QuoteSource | None:
        """Where prices come from, the worst of them."""
        return self.board.worst


def _is_session(day: date) -> bool:
    """Whether the exchange opens, as far as anybody knows: years not confirmed yet by what is expected."""
    return is_session(day, expected=True)
