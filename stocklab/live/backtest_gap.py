"""The gap of a day between a strategy at work and its own backtest over the same sessions with the same capital."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

import numpy as np
import polars as pl
from sqlalchemy import select

from stocklab.backtest import RunRequest, simulate
from stocklab.backtest.sleeve_book import SleeveBook
from stocklab.brokers.values import Side
from stocklab.data.sources.calls import KST
from stocklab.db import BookEntryRow, TradingDayRow
from stocklab.errors import StockLabError
from stocklab.live.deciding import EngineRoom
from stocklab.live.desk import Desk
from stocklab.live.traders import Trader
from stocklab.market.panel import Panel, PriceBasis
from stocklab.trading.book import EntryKind
from stocklab.trading.gap import DayGap, GapDay, LiveFill, PlannedTrade, SymbolDay, day_gap

__all__ = ["BacktestGap", "TraderGap"]

ZERO: Final = Decimal(0)
_TRADES: Final = (EntryKind.BUY.value, EntryKind.SELL.value, EntryKind.CROSSING.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class TraderGap:
    """The gap, what the sleeve was worth before the day, and what the backtest is worth after it."""

    gap: DayGap
    equity_before_krw: Decimal
    backtest_equity_krw: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestGap:
    """Runs the backtests and reads the closes they were made with."""

    room: EngineRoom

    def has(self, desk: Desk, day: date) -> bool:
        """Whether the official bars of a day are there."""
        panel = self._any_panel(desk)
        return panel is not None and bool(np.isin(np.datetime64(day), panel.sessions))

    def closes(self, desk: Desk, day: date) -> Mapping[str, Decimal]:
        """Closes of a day of what the account holds."""
        panel = self._any_panel(desk)
        if panel is None:
            return {}
        row = int(np.searchsorted(panel.sessions, np.datetime64(day)))
        found: dict[str, Decimal] = {}
        for symbol in desk.book.symbols():
            close = _close(panel, row, symbol)
            if close is not None:
                found[symbol] = close
        return found

    def of_day(self, desk: Desk, trader: Trader, day: date, live: Mapping[str, Decimal]) -> TraderGap | None:
        """The gap of one trader on a day; None before its first orders could fill. ``live``: what it held after it.

        Raises
        ------
        StockLabError
            The backtest cannot run on the data.
        """
        if trader.book is None:
            return None
        since = SleeveBook.from_document(trader.book).since
        if day <= since:
            return None
        panel = self.room.panel(trader.strategy)
        request = RunRequest(strategy=trader.strategy, start=since, end=day, initial_cash_krw=int(trader.capital_krw))
        result = simulate(panel, request, self.room.source(panel))
        trades = result.tables["trades"].filter(pl.col("session") == day)
        held = result.tables["positions"].filter(pl.col("session") == day)
        planned = [_planned(number, row) for number, row in enumerate(trades.to_dicts())]
        fills = self._fills(desk, trader, day, planned)
        row = int(np.searchsorted(panel.sessions, np.datetime64(day)))
        after = {one["symbol"]: Decimal(str(one["shares"])) for one in held.to_dicts()}
        symbols: dict[str, SymbolDay] = {}
        traded = {one.symbol for one in planned} | {one.symbol for one in fills}
        for symbol in sorted({*after, *live, *traded}):
            prices = _two_closes(panel, row, symbol)
            if prices is None:
                continue
            symbols[symbol] = SymbolDay(
                previous_close_krw=prices[0],
                close_krw=prices[1],
                live_quantity=live.get(symbol, ZERO) - _net(fills, symbol),
                backtest_quantity=after.get(symbol, ZERO) - _net(planned, symbol),
            )
        gap = day_gap(
            GapDay(
                session=day,
                symbols=symbols,
                planned=tuple(one for one in planned if one.symbol in symbols),
                fills=tuple(one for one in fills if one.symbol in symbols),
            )
        )
        daily = result.tables["daily"].filter(pl.col("session") == day)
        return TraderGap(
            gap=gap,
            equity_before_krw=self._equity_before(desk, trader, day),
            backtest_equity_krw=Decimal(str(daily["equity_krw"][0])) if daily.height else trader.capital_krw,
        )

    def _any_panel(self, desk: Desk) -> Panel | None:
        bases = (PriceBasis.COIN,) if desk.account.coins else (PriceBasis.RAW, PriceBasis.ADJUSTED)
        for basis in bases:
            try:
                return self.room.newest(basis)
            except StockLabError:
                continue
        return None

    def _fills(self, desk: Desk, trader: Trader, day: date, planned: list[PlannedTrade]) -> list[LiveFill]:
        """What the sleeve traded in a day's session: by the day of the order, as fills by bars are booked later."""
        wanted = select(BookEntryRow).where(
            BookEntryRow.account_id == desk.account.id,
            BookEntryRow.sleeve_id == trader.id,
            BookEntryRow.kind.in_(_TRADES),
        )
        with desk.database.read() as session:
            rows = [row for row in session.scalars(wanted.order_by(BookEntryRow.id)) if row.quantity]
            session.expunge_all()
        days = {kept.order.order_id: kept.order for kept in desk.journal.orders(day)}
        by_place = {(one.symbol, one.side): one.plan_id for one in planned}
        found: list[LiveFill] = []
        for row in rows:
            order = days.get(row.order_id or "")
            ref_day = order.ref.day if order is not None and order.ref is not None else None
            own_day = row.at.astimezone(KST).date() if row.order_id is None else ref_day
            if own_day != day or row.symbol is None:
                continue
            side = Side.BUY if row.quantity > 0 else Side.SELL
            found.append(
                LiveFill(
                    symbol=row.symbol,
                    side=side,
                    quantity=abs(row.quantity),
                    amount_krw=row.amount_krw,
                    costs_krw=row.costs_krw,
                    plan_id=by_place.get((row.symbol, side)),
                )
            )
        return found

    def _equity_before(self, desk: Desk, trader: Trader, day: date) -> Decimal:
        wanted = (
            select(TradingDayRow.equity_krw)
            .where(
                TradingDayRow.account_id == desk.account.id,
                TradingDayRow.sleeve_id == trader.id,
                TradingDayRow.session < day,
            )
            .order_by(TradingDayRow.session.desc())
            .limit(1)
        )
        with desk.database.read() as session:
            found = session.scalar(wanted)
        return trader.capital_krw if found is None else found


def _planned(number: int, row: dict[str, Any]) -> PlannedTrade:
    costs = sum((Decimal(str(row[name])) for name in ("commission_krw", "tax_krw")), ZERO)
    return PlannedTrade(
        plan_id=str(number),
        symbol=row["symbol"],
        side=Side(row["side"]),
        quantity=Decimal(str(row["shares"])),
        price_krw=Decimal(str(row["amount_krw"])) / Decimal(str(row["shares"]))
        if Decimal(str(row["amount_krw"])) % Decimal(str(row["shares"])) == 0
        else Decimal(str(row["price_krw"])),
        costs_krw=costs,
    )


def _net(trades: Sequence[PlannedTrade | LiveFill], symbol: str) -> Decimal:
    mine = (one for one in trades if one.symbol == symbol)
    return sum((one.quantity if one.side is Side.BUY else -one.quantity for one in mine), ZERO)


def _close(panel: Panel, row: int, symbol: str) -> Decimal | None:
    column = int(np.searchsorted(panel.symbols, symbol))
    if column >= len(panel.symbols) or panel.symbols[column] != symbol or not 0 <= row < panel.n_sessions:
        return None
    name = "close_raw" if "close_raw" in panel.fields else "close"
    value = float(panel.fields[name][row, column])
    if not value > 0:
        return None
    return Decimal(str(value)) if panel.basis is PriceBasis.COIN else Decimal(round(value))


def _two_closes(panel: Panel, row: int, symbol: str) -> tuple[Decimal, Decimal] | None:
    """Close before (the day's base price where it is published) and close of a session."""
    close, before = _close(panel, row, symbol), _close(panel, row - 1, symbol)
    if close is None:
        return None
    if "base_price" in panel.fields:
        column = int(np.searchsorted(panel.symbols, symbol))
        base = float(panel.fields["base_price"][row, column])
        if base > 0:
            before = Decimal(round(base))
    return (before if before is not None else close), close
