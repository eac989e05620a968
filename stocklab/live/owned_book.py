"""Everything an owner's accounts hold, stocks and coins, at the newest prices that are known; with their days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from stocklab.brokers.values import Quote, QuoteSource
from stocklab.data.sources.calls import KST
from stocklab.db import BookEntryRow, BrokerAccountRow, Database, LastQuoteRow, TraderRow, TradingDayRow
from stocklab.errors import InputError
from stocklab.live.accounts import LinkedAccount, view_of_account
from stocklab.live.losses import NOTHING_LOST, WHOLE
from stocklab.live.ticket_preview import LookUp
from stocklab.trading.book import Book, Entry, EntryKind, Holding, Sleeve
from stocklab.trading.flows import AccountDay, Losses, losses

__all__ = ["OwnedAccount", "OwnedBook", "OwnedBooks", "Position"]

ZERO: Final = Decimal(0)
_DAYS_OF_LOSSES: Final = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What one sleeve of an account holds of a symbol. ``quote`` is None where no price is known: it then counts at
    what was paid for it."""

    account_id: str
    sleeve_id: str
    symbol: str
    quantity: Decimal
    cost_krw: Decimal
    quote: Quote | None

    @property
    def average_krw(self) -> Decimal:
        """What one of it cost, costs of buying included."""
        return self.cost_krw / self.quantity

    @property
    def worth_krw(self) -> Decimal:
        """At the last price; at cost where there is none."""
        return self.cost_krw if self.quote is None else self.quantity * self.quote.price_krw

    @property
    def unrealised_krw(self) -> Decimal | None:
        """Worth over cost; None without a price."""
        return None if self.quote is None else self.worth_krw - self.cost_krw


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedAccount:
    """An account with its sleeves. ``days`` are its closes, oldest first; ``lost`` is None where the days and the
    flows contradict each other."""

    account: LinkedAccount
    sleeves: Mapping[str, Sleeve]
    positions: tuple[Position, ...]
    days: tuple[AccountDay, ...]
    lost: Losses | None

    @property
    def cash_krw(self) -> Decimal:
        """Of all sleeves."""
        return sum((sleeve.cash_krw for sleeve in self.sleeves.values()), ZERO)

    @property
    def worth_krw(self) -> Decimal:
        """Of all holdings."""
        return sum((one.worth_krw for one in self.positions), ZERO)

    @property
    def equity_krw(self) -> Decimal:
        """Cash and holdings."""
        return self.cash_krw + self.worth_krw

    @property
    def realised_krw(self) -> Decimal:
        """What sales brought over their cost."""
        return sum((sleeve.realised_krw for sleeve in self.sleeves.values()), ZERO)

    @property
    def unrealised_krw(self) -> Decimal:
        """Of the holdings that have a price."""
        return sum((one.unrealised_krw or ZERO for one in self.positions), ZERO)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedBook:
    """All accounts of an owner in won, and the names of the strategies whose sleeves they have."""

    accounts: tuple[OwnedAccount, ...]
    strategies: Mapping[str, str]

    @property
    def positions(self) -> tuple[Position, ...]:
        """Of all accounts."""
        return tuple(one for account in self.accounts for one in account.positions)

    def only(self, account_ids: Iterable[str]) -> OwnedBook:
        """The same with some accounts alone."""
        wanted = set(account_ids)
        kept = tuple(one for one in self.accounts if one.account.id in wanted)
        return OwnedBook(accounts=kept, strategies=self.strategies)


class OwnedBooks:
    """Reads books, in a fixed number of statements."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def show(self, owner_id: str, now: datetime, *, look_up: LookUp) -> OwnedBook:
        """All accounts that are linked or still hold something, oldest first. ``look_up`` knows last closes.

        Raises
        ------
        InputError
            The entries of an account make no book.
        """
        with self._database.read(owner_id) as session:
            accounts = [view_of_account(row) for row in session.scalars(_accounts(owner_id))]
            if not accounts:
                return OwnedBook(accounts=(), strategies={})
            entries = _entries(session, owner_id)
            books = {one.id: Book().apply(entry for _, entry in entries[one.id]) for one in accounts}
            symbols = {symbol for book in books.values() for symbol in book.symbols()}
            quotes = _quotes(session, symbols)
            days = _days(session, owner_id)
            named = select(TraderRow.id, TraderRow.name).where(TraderRow.owner_id == owner_id)
            strategies = {row.id: row.name for row in session.execute(named)}
        for symbol in symbols:
            _newer_close(quotes, symbol, look_up)
        owned = [_owned(one, books[one.id], entries[one.id], quotes, days[one.id], now) for one in accounts]
        kept = tuple(one for one in owned if one.account.linked or one.positions)
        return OwnedBook(accounts=kept, strategies=strategies)


def _accounts(owner_id: str) -> Select[BrokerAccountRow]:
    wanted = select(BrokerAccountRow).where(BrokerAccountRow.owner_id == owner_id)
    return wanted.order_by(BrokerAccountRow.created_at, BrokerAccountRow.id)


def _entries(session: Session, owner_id: str) -> Mapping[str, list[tuple[datetime, Entry]]]:
    found: dict[str, list[tuple[datetime, Entry]]] = defaultdict(list)
    wanted = select(BookEntryRow).where(BookEntryRow.owner_id == owner_id).order_by(BookEntryRow.id)
    for row in session.scalars(wanted):
        entry = Entry(
            kind=EntryKind(row.kind),
            sleeve_id=row.sleeve_id,
            symbol=row.symbol,
            quantity=row.quantity,
            cash_krw=row.cash_krw,
        )
        found[row.account_id].append((row.at, entry))
    return found


def _quotes(session: Session, symbols: Iterable[str]) -> dict[str, Quote]:
    rows = session.scalars(select(LastQuoteRow).where(LastQuoteRow.symbol.in_(sorted(symbols))))
    return {
        row.symbol: Quote(
            symbol=row.symbol,
            price_krw=row.price_krw,
            at=row.at,
            source=QuoteSource(row.source),
            halted=row.halted,
        )
        for row in rows
    }


def _days(session: Session, owner_id: str) -> Mapping[str, list[tuple[datetime, AccountDay]]]:
    wanted = (
        select(
            TradingDayRow.account_id,
            TradingDayRow.session,
            TradingDayRow.equity_krw,
            TradingDayRow.flow_krw,
            TradingDayRow.closed_at,
        )
        .where(TradingDayRow.owner_id == owner_id, TradingDayRow.sleeve_id == WHOLE)
        .order_by(TradingDayRow.session)
    )
    found: dict[str, list[tuple[datetime, AccountDay]]] = defaultdict(list)
    for row in session.execute(wanted):
        day = AccountDay(session=row.session, equity_krw=row.equity_krw, flow_krw=row.flow_krw)
        found[row.account_id].append((row.closed_at, day))
    return found


def _newer_close(quotes: dict[str, Quote], symbol: str, look_up: LookUp) -> None:
    """Take the last close of the market data where it is all there is, or newer than what was seen."""
    instrument = look_up(symbol)
    close = None if instrument is None else instrument.close
    if close is not None and (symbol not in quotes or quotes[symbol].at < close.at):
        quotes[symbol] = close


def _owned(  # noqa: PLR0917 (one account's parts)
    account: LinkedAccount,
    book: Book,
    entries: Sequence[tuple[datetime, Entry]],
    quotes: Mapping[str, Quote],
    days: Sequence[tuple[datetime, AccountDay]],
    now: datetime,
) -> OwnedAccount:
    positions = tuple(
        _position(account.id, name, symbol, holding, quotes.get(symbol))
        for name, sleeve in sorted(book.sleeves.items())
        for symbol, holding in sorted(sleeve.holdings.items())
    )
    equity = book.cash_krw + sum((one.worth_krw for one in positions), ZERO)
    today = now.astimezone(UTC if account.coins else KST).date()
    return OwnedAccount(
        account=account,
        sleeves=book.sleeves,
        positions=positions,
        days=tuple(day for _, day in days),
        lost=_lost(days, entries, equity, today),
    )


def _position(account_id: str, name: str, symbol: str, holding: Holding, quote: Quote | None) -> Position:
    return Position(
        account_id=account_id,
        sleeve_id=name,
        symbol=symbol,
        quantity=holding.quantity,
        cost_krw=holding.cost_krw,
        quote=quote,
    )


def _lost(
    days: Sequence[tuple[datetime, AccountDay]],
    entries: Sequence[tuple[datetime, Entry]],
    equity_krw: Decimal,
    today: date,
) -> Losses | None:
    """Losses at this moment, as `stocklab.live.losses.losses_of` has them."""
    known = [(closed, day) for closed, day in days if day.session < today][-_DAYS_OF_LOSSES:]
    if not known:
        return NOTHING_LOST
    last = known[-1][0]
    flow = sum((one.cash_krw for at, one in entries if at > last and one.kind is EntryKind.CASH_ELSEWHERE), ZERO)
    now = AccountDay(session=today, equity_krw=equity_krw, flow_krw=flow)
    try:
        return losses([*(day for _, day in known), now])
    except InputError:
        return None
