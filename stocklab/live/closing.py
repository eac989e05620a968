"""After a session: what the account and each strategy came to, and how far that strayed from the backtest.

A day is kept twice. At the close, with the last prices the account has; and for good once the official bars of the day
are there: positions at their closes, and the gap to the backtest of the same rules with the same capital. An account
that fills by daily bars has its day then alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import structlog
from sqlalchemy import select

from stocklab.data.sources.calls import KST
from stocklab.db import TradingDayRow
from stocklab.errors import StockLabError
from stocklab.live.backtest_gap import BacktestGap
from stocklab.live.desk import Desk
from stocklab.live.losses import WHOLE
from stocklab.live.traders import Trader, Traders, TraderState
from stocklab.market.calendar import is_session
from stocklab.trading.book import OUTSIDE, Book, Entry, Sleeve
from stocklab.trading.day_steps import CoinTimes, DayTimes, Step, windows
from stocklab.trading.executor import Turn
from stocklab.trading.flows import flow_krw
from stocklab.trading.gap import DayGap

__all__ = ["Closed", "Closing"]

log = structlog.get_logger(__name__)

ZERO: Final = Decimal(0)
_BACK: Final = timedelta(days=14)
_AGAIN: Final = timedelta(minutes=1)
_KNOWN: Final = (TraderState.ACTIVE, TraderState.PAUSED, TraderState.STOPPING, TraderState.STOPPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A day that was kept; ``final``: by its official closes."""

    session: date
    final: bool
    equity_krw: Decimal
    gaps: Mapping[str, DayGap]


@dataclass(kw_only=True, eq=False)
class Closing:
    """The duty of the close. ``closed`` hears of each day that was kept."""

    traders: Traders
    gap: BacktestGap
    times: Callable[[Desk], DayTimes | CoinTimes]
    closed: Callable[[Desk, Closed, datetime], None] = field(default=lambda _desk, _closed, _now: None)
    _next: dict[str, datetime] = field(default_factory=dict)

    def symbols(self, desk: Desk) -> Iterable[str]:
        """None beyond what is held."""
        del desk
        return ()

    def before(self, desk: Desk, now: datetime) -> None:
        """Nothing: it follows what was seen."""

    def after(self, desk: Desk, turn: Turn, now: datetime) -> None:
        """Keep the days that can be kept now."""
        if not turn.looked or now < self._next.get(desk.account.id, now):
            return
        self._next[desk.account.id] = now + _AGAIN
        today = now.astimezone(UTC if desk.account.coins else KST).date()
        kept = self._kept(desk, today - _BACK)
        for day in self._days(desk, today):
            document = kept.get(day)
            if document is None and not desk.by_close and self._value_is_due(desk, day, now):
                self._keep(desk, day, now, closes=None)
            elif (document is None or not document.get("final")) and self._bars_are_there(desk, day, now):
                self._keep(desk, day, now, closes=self.gap.closes(desk, day))

    def _days(self, desk: Desk, today: date) -> list[date]:
        """Days since the account was linked that may have to be kept, oldest first."""
        begun = desk.account.created_at.astimezone(KST).date()
        days = [today - _BACK + timedelta(days=number) for number in range(_BACK.days + 1)]
        return [day for day in days if day >= begun and (desk.account.coins or is_session(day, expected=True))]

    def _value_is_due(self, desk: Desk, day: date, now: datetime) -> bool:
        value = next((one for one in windows(day, self.times(desk)) if one.step is Step.VALUE), None)
        return value is not None and value.opens <= now <= value.closes

    def _bars_are_there(self, desk: Desk, day: date, now: datetime) -> bool:
        value = next((one for one in windows(day, self.times(desk)) if one.step is Step.VALUE), None)
        return value is not None and now >= value.opens and self.gap.has(desk, day)

    def _kept(self, desk: Desk, since: date) -> dict[date, dict[str, Any]]:
        wanted = select(TradingDayRow.session, TradingDayRow.document).where(
            TradingDayRow.account_id == desk.account.id,
            TradingDayRow.sleeve_id == WHOLE,
            TradingDayRow.session >= since,
        )
        with desk.database.read() as session:
            return {row.session: row.document for row in session.execute(wanted)}

    def _keep(self, desk: Desk, day: date, now: datetime, *, closes: Mapping[str, Decimal] | None) -> None:
        book, entries = self._book_of(desk, day, now)
        prices = {symbol: self._price(desk, symbol, closes) for symbol in book.symbols()}
        if closes is not None and any(symbol not in closes for symbol in book.symbols()):
            log.info("closes_lack", account=desk.account.id, session=day.isoformat())
        known = {trader.id: trader for trader in self.traders.of_account(desk.account.id, _KNOWN)}
        gaps: dict[str, DayGap] = {}
        rows = [self._row(desk, WHOLE, day, book, prices, entries, now, final=closes is not None)]
        for name in sorted(book.sleeves):
            if name == OUTSIDE:
                continue
            row = self._row(desk, name, day, book, prices, entries, now, final=closes is not None)
            trader = known.get(name)
            if trader is not None and closes is not None:
                self._add_gap(desk, trader, row, gaps)
            rows.append(row)
        with desk.database.write() as session:
            for row in rows:
                session.merge(row)
        equity = rows[0].equity_krw
        log.info("day_closed", account=desk.account.id, session=day.isoformat(), final=closes is not None)
        self.closed(desk, Closed(session=day, final=closes is not None, equity_krw=equity, gaps=gaps), now)

    def _book_of(self, desk: Desk, day: date, now: datetime) -> tuple[Book, tuple[Entry, ...]]:
        """The book after a day, and the entries since the day kept before it."""
        zone = UTC if desk.account.coins else KST
        end = datetime.combine(day + timedelta(days=1), datetime.min.time(), tzinfo=zone)
        until = now if desk.by_close or now < end else end
        wanted = (
            select(TradingDayRow.closed_at)
            .where(
                TradingDayRow.account_id == desk.account.id,
                TradingDayRow.sleeve_id == WHOLE,
                TradingDayRow.session < day,
            )
            .order_by(TradingDayRow.session.desc())
            .limit(1)
        )
        with desk.database.read() as session:
            before = session.scalar(wanted)
        return Book().apply(desk.journal.entries(until=until)), desk.journal.entries(after=before, until=until)

    def _price(self, desk: Desk, symbol: str, closes: Mapping[str, Decimal] | None) -> Decimal:
        if closes is not None and symbol in closes:
            return closes[symbol]
        quote = desk.board.get(symbol)
        if quote is not None:
            return quote.price_krw
        held = [sleeve.holdings[symbol] for sleeve in desk.book.sleeves.values() if symbol in sleeve.holdings]
        quantity = sum((one.quantity for one in held), ZERO)
        return sum((one.cost_krw for one in held), ZERO) / quantity if quantity else ZERO

    def _row(  # noqa: PLR0917 (one row's worth)
        self,
        desk: Desk,
        name: str,
        day: date,
        book: Book,
        prices: Mapping[str, Decimal],
        entries: tuple[Entry, ...],
        now: datetime,
        *,
        final: bool,
    ) -> TradingDayRow:
        whole = name == WHOLE
        sleeves = list(book.sleeves.values()) if whole else [book.sleeves.get(name, Sleeve())]
        cash = sum((one.cash_krw for one in sleeves), ZERO)
        quantities: dict[str, Decimal] = {}
        for sleeve in sleeves:
            for symbol, holding in sleeve.holdings.items():
                quantities[symbol] = quantities.get(symbol, ZERO) + holding.quantity
        worth = sum((quantity * prices[symbol] for symbol, quantity in quantities.items()), ZERO)
        flow = flow_krw(entries, _with_all(prices, entries), None if whole else name)
        return TradingDayRow(
            account_id=desk.account.id,
            owner_id=desk.account.owner_id,
            sleeve_id=name,
            session=day,
            equity_krw=cash + worth,
            cash_krw=cash,
            flow_krw=flow,
            closed_at=now,
            document={
                "final": final,
                "positions": {
                    symbol: [str(quantity), str(prices[symbol])] for symbol, quantity in sorted(quantities.items())
                },
                "realised_krw": str(sum((one.realised_krw for one in sleeves), ZERO)),
            },
        )

    def _add_gap(self, desk: Desk, trader: Trader, row: TradingDayRow, gaps: dict[str, DayGap]) -> None:
        try:
            held = {symbol: Decimal(one[0]) for symbol, one in row.document["positions"].items()}
            found = self.gap.of_day(desk, trader, row.session, held)
        except StockLabError as error:
            log.warning("gap_fails", trader=trader.id, session=row.session.isoformat(), message=str(error))
            row.document = {**row.document, "gap_why": str(error)}
            return
        if found is None:
            return
        gaps[trader.id] = found.gap
        row.document = {
            **row.document,
            "equity_before_krw": str(found.equity_before_krw),
            "backtest_equity_krw": str(found.backtest_equity_krw),
            "gap_krw": str(found.gap.total_krw),
            "gap": {
                "price": str(found.gap.price_krw),
                "timing": str(found.gap.timing_krw),
                "missed": str(found.gap.missed_krw),
                "cost": str(found.gap.cost_krw),
            },
        }


def _with_all(prices: Mapping[str, Decimal], entries: Iterable[Entry]) -> Mapping[str, Decimal]:
    """Prices with those of what came and is gone again; what has none came for nothing."""
    symbols = {entry.symbol for entry in entries if entry.symbol is not None}
    return {**dict.fromkeys(symbols, Decimal(1)), **prices}
