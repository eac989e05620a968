"""What an owner's book could lose: value at risk, falls of the past, and simple shocks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

import numpy as np

from stocklab.live.owned_book import OwnedBook, Position
from stocklab.live.ticket_preview import LookUp
from stocklab.market.panel import Panel
from stocklab.trading.live_worth import LiveWorth, Worth
from stocklab.trading.return_history import (
    ReturnHistory,
    coins_on_sessions,
    join_histories,
    panel_history,
    returns_of,
)
from stocklab.trading.stress import StressLoss, limit_down_day, sector_shocks, stress
from stocklab.trading.stress_scenarios import BITCOIN, INDEX_OF_MARKET
from stocklab.trading.value_at_risk import BookRisk, value_at_risk
from stocklab.types import DateArray

__all__ = ["BookFigures", "figures", "worth_of"]

_ETF: Final = "ETF"
_HOME_OF_ETFS: Final = "KOSPI"
ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookFigures:
    """Risk of a book. ``limit_down`` is None where nothing held has a price limit."""

    risk: BookRisk
    scenarios: tuple[StressLoss, ...]
    sectors: tuple[StressLoss, ...]
    limit_down: StressLoss | None


def worth_of(book: OwnedBook, look_up: LookUp) -> tuple[LiveWorth, tuple[Position, ...]]:
    """Holdings by symbol over all accounts; and those whose market is unknown, which no figure can speak of.

    A holding without a price counts at cost. An ETF stands where it is listed, on KOSPI.
    """
    worth: dict[str, Decimal] = {}
    known: dict[str, tuple[str, str]] = {}
    unknown = []
    for one in book.positions:
        instrument = look_up(one.symbol)
        market = "" if instrument is None else instrument.market
        market = _HOME_OF_ETFS if market == _ETF else market
        if instrument is None or market not in INDEX_OF_MARKET:
            unknown.append(one)
            continue
        worth[one.symbol] = worth.get(one.symbol, ZERO) + one.worth_krw
        known[one.symbol] = (market, instrument.sector)
    holdings = tuple(
        Worth(symbol=symbol, market=known[symbol][0], sector=known[symbol][1], worth_krw=krw)
        for symbol, krw in sorted(worth.items())
        if krw > 0
    )
    outside = sum((one.worth_krw for one in unknown), ZERO)
    cash = sum((account.cash_krw for account in book.accounts), ZERO)
    return LiveWorth(holdings=holdings, cash_krw=cash + outside), tuple(unknown)


def figures(worth: LiveWorth, stocks: Panel | None, coins: Panel | None, day: date) -> BookFigures:
    """All figures. Without stocks the sessions are the days on which coins end; without both nothing is covered."""
    sessions = _sessions(stocks, coins)
    symbols = [one.symbol for one in worth.holdings]
    of_coins = [one.symbol for one in worth.holdings if INDEX_OF_MARKET[one.market] == BITCOIN]
    of_stocks = [symbol for symbol in symbols if symbol not in of_coins]
    history = join_histories(_history(stocks, of_stocks, sessions), _history(coins, of_coins, sessions))
    return BookFigures(
        risk=value_at_risk(worth, history),
        scenarios=stress(worth, history, _indices(stocks, coins, sessions)),
        sectors=sector_shocks(worth),
        limit_down=limit_down_day(worth, day),
    )


def _sessions(stocks: Panel | None, coins: Panel | None) -> DateArray:
    if stocks is not None:
        return stocks.sessions.astype("datetime64[D]")
    if coins is not None:
        ends: DateArray = (coins.sessions + np.timedelta64(1, "D")).astype("datetime64[D]")
        return ends
    return np.array([], dtype="datetime64[D]")


def _history(panel: Panel | None, symbols: Iterable[str], sessions: DateArray) -> ReturnHistory:
    wanted = tuple(symbols)
    if panel is not None and wanted:
        return panel_history(panel, wanted, sessions)
    return ReturnHistory(sessions=sessions, symbols=wanted, returns=np.full((len(sessions), len(wanted)), np.nan))


def _indices(stocks: Panel | None, coins: Panel | None, sessions: DateArray) -> ReturnHistory:
    closes = {}
    if stocks is not None:
        closes = {name: np.asarray(stocks.indices[name]) for name in ("KOSPI", "KOSDAQ") if name in stocks.indices}
    if coins is not None and BITCOIN in coins.indices:
        days = coins.sessions.astype("datetime64[D]")
        closes[BITCOIN] = coins_on_sessions(sessions, days, np.asarray(coins.indices[BITCOIN])[:, None])[:, 0]
    columns = [np.asarray(close, dtype=np.float64) for close in closes.values()]
    together = np.stack(columns, axis=1) if columns else np.empty((len(sessions), 0))
    returns = returns_of(together) if len(sessions) else together
    return ReturnHistory(sessions=sessions, symbols=tuple(closes), returns=returns)
