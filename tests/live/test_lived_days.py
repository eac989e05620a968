"""A strategy lived through the whole chain, day by day: decided, placed, sent, filled, booked, settled, closed.

The desk is the real one with all its duties on a real database; the broker has no protocol, and fills at the opening
prices of the demo market. Every decision must be the backtest's. STOCKLAB_LIVED_SESSIONS=60 is the long one.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from backtest.day_by_day import until
from fakes.broker_faults import Troubles
from fakes.direct_broker import DirectBroker
from fakes.exchange import KST, Exchange, Listing, Rules
from sqlalchemy import func, select

from stocklab.alerts import Alerts
from stocklab.backtest import RunRequest, simulate
from stocklab.brokers.paper.models import CashCheck, Terms
from stocklab.brokers.paper.opening import open_account
from stocklab.brokers.values import BrokerName
from stocklab.data.panel_open import open_panel
from stocklab.data.store import Store
from stocklab.db import AlertEventRow, Database, OrderRow, TradingDayRow
from stocklab.factors import DirectSource
from stocklab.live.accounts import BrokerAccounts
from stocklab.live.connections import CallCounts, Connection, connect_paper
from stocklab.live.decisions import Decisions
from stocklab.live.desk import Desk, DeskParts
from stocklab.live.duties import all_duties, told_by
from stocklab.live.instruments import Instrument
from stocklab.live.limits_document import limits_from
from stocklab.live.telling import Telling
from stocklab.live.trader_settings import TraderSettings
from stocklab.live.traders import NewTrader, StopWay, Traders, TraderState
from stocklab.market.calendar import session_hours
from stocklab.market.panel import Panel, PriceBasis
from stocklab.operations import Sealer
from stocklab.strategy import PRESETS
from stocklab.strategy.document import Strategy
from stocklab.trading.executor import Units

CAPITAL = 100_000_000
SESSIONS = int(os.environ.get("STOCKLAB_LIVED_SESSIONS", "20"))
WIDE = {
    "most_order_fraction": "1",
    "most_position_fraction": "1",
    "most_value_per_day_fraction": "10",
    "day_loss": ["0.9", "0.95", "0.99"],
    "week_loss": ["0.9", "0.95", "0.99"],
    "drawdown": ["0.9", "0.95", "0.99"],
}


def strategy() -> Strategy:
    """A preset whose fills the fake broker can make to the won: no slippage, one commission, room in cash."""
    document = PRESETS["rsi_reversal"].strategy.model_dump(mode="json")
    document["costs"] = {"commission_rate": 0.00015, "tax": 0.0, "slippage_rate": 0.0}
    document["execution"]["participation"] = 1.0
    document["sizing"] |= {"max_holdings": 8, "cash_buffer": 0.2}
    document["entry"]["rules"] = [{"id": "A", "formula": "rsi_14<42", "note": ""}]
    document["exit"]["max_holding"] = 6
    document["exit"]["stop"] = {"level": 0.05, "basis": "close"}
    document["universe"] |= {"markets": ["KOSPI", "KOSDAQ"], "top": None, "min_trading_value_krw": 3_000_000_000}
    return Strategy.model_validate(document)


class CutRoom:
    """An engine room whose market data end with the session they ended with on the day."""

    def __init__(self, whole: Panel, last: int) -> None:
        self.whole, self.last = whole, last
        self._made: tuple[int, Panel] | None = None

    def panel(self, _strategy: Strategy) -> Panel:
        if self._made is None or self._made[0] != self.last:
            self._made = (self.last, until(self.whole, self.last))
        return self._made[1]

    def newest(self, _basis: PriceBasis) -> Panel:
        return self.panel(strategy())

    def source(self, panel: Panel) -> DirectSource:
        return DirectSource(panel, threads=1)


class Life:
    """An account, a trader in it, and the market of the demo data around them."""

    def __init__(self, database: Database, panel: Panel, first: int, document: Strategy | None = None) -> None:
        self.database, self.panel, self.t = database, panel, first
        self.now = self.at(8, 30)
        self.exchange = Exchange(
            [Listing(symbol, symbol, Decimal(1), Decimal(1)) for symbol in panel.symbols],
            clock=lambda: self.now,
            cash=Decimal(CAPITAL + 50_000_000),
            rules=Rules(buy_cost=Decimal("0.00015"), sell_cost=Decimal("0.00015")),
        )
        self.broker = DirectBroker(self.exchange, Troubles())
        self.room = CutRoom(panel, first - 1)
        accounts = BrokerAccounts(database, Sealer(("a secret of at least thirty-two characters",)))
        linked = accounts.link("local", BrokerName.PAPER, mock=True, name="account", entered={})
        self.account = accounts.set_limits("local", linked.id, limits_from(WIDE))
        self.account = replace(self.account, created_at=self.now)
        self.traders = Traders(database)
        settings = TraderSettings(fraction=Decimal(0), guards=False)
        self.trader = self.traders.create(
            "local",
            NewTrader(
                account_id=linked.id,
                name="strategy",
                document=(document or strategy()).model_dump(mode="json"),
                capital_krw=CAPITAL,
                settings=settings,
            ),
        )
        telling = Telling(alerts=Alerts(database))
        parts = DeskParts(
            database=database,
            clock=lambda: self.now,
            look_up=self.look_up,
            closes=lambda _symbols: {},
            duties=all_duties(database, self.room, told_by(telling), more=(telling,)),
            tell=telling.notice,
        )
        self.desk = Desk(self.account, self.connection(), parts)

    def connection(self) -> Connection:
        return Connection(broker=self.broker, stream=None, units=Units(), counts=CallCounts())

    @property
    def day(self) -> date:
        return self.panel.sessions[self.t].item()

    def at(self, hour: int, minute: int, second: int = 0) -> datetime:
        """A time of a regular day: all of it is later where the session is (the day of the college entrance exam)."""
        late = session_hours(self.day)[0].hour - 9
        return datetime.combine(self.day, time(hour + late, minute, second), tzinfo=KST)

    def look_up(self, symbol: str) -> Instrument:
        return Instrument(symbol=symbol, name=symbol, market="KOSDAQ", sector="", close=None)

    def prices(self, name: str) -> None:
        """What the market trades at from now on: the day's ``open`` or ``close``."""
        values = self.panel.fields[f"{name}_raw"][self.t]
        before = self.panel.fields["close_raw"][self.t - 1]
        for column, symbol in enumerate(self.panel.symbols):
            listing = self.exchange.listings[symbol]
            if values[column] > 0:
                listing.price = Decimal(round(float(values[column])))
                listing.base_price = Decimal(round(float(before[column]))) if before[column] > 0 else listing.price
            listing.halted = not self.panel.fields["traded"][self.t, column]

    def cycles(self, count: int = 1, *, apart: float = 5.0) -> None:
        for _ in range(count):
            self.desk.cycle()
            self.now += timedelta(seconds=apart)

    def live_a_day(self) -> None:
        """From before the opening to after the close; then the day's bars are there."""
        self.exchange.is_open = True
        self.now = self.at(8, 50, 5)
        self.prices("open")
        self.cycles(3)
        self.now = self.at(9, 6)
        self.cycles(1)
        self.now = self.at(15, 20)
        self.prices("close")
        self.cycles(1)
        self.now = self.at(16, 10)
        self.exchange.end_day()
        self.cycles(2)
        self.room.last = self.t
        self.now = self.at(18, 30)
        self.cycles(1)
        self.t += 1


class PaperLife(Life):
    """The same on a paper account, which is filled by the bars of its sessions as the simulator fills."""

    def connection(self) -> Connection:
        open_account(
            self.database,
            "local",
            self.account.id,
            Decimal(CAPITAL + 50_000_000),
            now=self.now,
            terms=Terms(
                commission_ppb=150_000,
                slippage_ppb=1_000_000,
                participation_ppb=100_000_000,
                cash_check=CashCheck.AT_FILL,
            ),
        )
        return connect_paper(
            self.database,
            "local",
            self.account.id,
            coins=False,
            panel=lambda: until(self.panel, self.room.last),
            clock=lambda: self.now,
        )

    def live_a_day(self) -> None:
        """Orders go out before the opening; what became of them is known when the bars are there."""
        self.now = self.at(8, 50, 5)
        self.cycles(2)
        self.now = self.at(16, 10)
        self.cycles(1)
        self.room.last = self.t
        self.now = self.at(18, 30)
        self.cycles(3, apart=61)
        self.t += 1


@pytest.fixture(scope="module")
def panel(demo_home: Path) -> Panel:
    return open_panel(Store(demo_home), basis=PriceBasis.RAW)


@pytest.fixture
def life(database: Database, panel: Panel) -> Life:
    made = Life(database, panel, panel.n_sessions - SESSIONS - 1)
    made.prices("open")
    made.cycles(3)  # the cash that is there is booked
    made.traders.start("local", made.trader.id, now=made.now)
    made.cycles(1)
    return made


def test_every_session_is_decided_as_the_backtest_decides(life: Life, panel: Panel) -> None:
    first = life.t - 1
    request = RunRequest(
        strategy=strategy(),
        start=panel.sessions[first].item(),
        end=panel.sessions[-1].item(),
        initial_cash_krw=CAPITAL,
    )
    result = simulate(panel, request, DirectSource(panel, threads=1))
    orders = result.tables["orders"]
    days = SESSIONS if life.database.backend == "sqlite" else 12
    for _ in range(days):
        day = life.day
        life.live_a_day()
        (made,) = Decisions(life.database).of_day(life.account.id, day)
        assert made.decision is not None, made.why
        decided = {(one.symbol, one.side.value, one.shares) for one in (*made.decision.orders, *made.decision.refused)}
        expected = orders.filter(pl.col("session") == day, pl.col("decided") == made.data_session)
        assert decided == set(expected.select("symbol", "side", "shares_ordered").iter_rows()), day
    with life.database.read() as session:
        last = session.scalars(
            select(TradingDayRow)
            .where(TradingDayRow.sleeve_id == life.trader.id)
            .order_by(TradingDayRow.session.desc())
        ).first()
        states = set(session.scalars(select(OrderRow.state)))
        told = session.scalar(select(func.count()).where(AlertEventRow.kind == "fill"))
    assert last is not None
    daily = result.tables["daily"].filter(pl.col("session") == last.session)
    assert last.equity_krw == Decimal(daily["equity_krw"][0])
    assert last.cash_krw == Decimal(daily["cash_krw"][0])
    assert last.document["gap_krw"] == "0"
    assert states == {"filled"}
    traded = result.tables["trades"].filter(pl.col("session") <= last.session)
    assert told == traded.height > days / 2


def test_on_paper_it_comes_to_what_the_backtest_comes_to(database: Database, panel: Panel) -> None:
    """With slippage, dated taxes and a cap on the share of the volume: the paper broker fills by the same rules.

    Cash never binds here: the broker knows the account's, not what of it is the strategy's.
    """
    document = strategy().model_dump(mode="json")
    document["costs"] = {"commission_rate": 0.00015, "tax": "dated", "slippage_rate": 0.001}
    document["execution"]["participation"] = 0.1
    document["universe"] |= {"min_trading_value_krw": 0}
    document["sizing"] |= {"method": "fixed_weight", "weight": 0.08}
    chosen = Strategy.model_validate(document)
    days = SESSIONS if database.backend == "sqlite" else 8
    life = PaperLife(database, panel, panel.n_sessions - SESSIONS - 1, chosen)
    first = life.t - 1
    life.cycles(3)
    life.traders.start("local", life.trader.id, now=life.now)
    life.cycles(1)
    for _ in range(days):
        life.live_a_day()
    request = RunRequest(
        strategy=chosen,
        start=panel.sessions[first].item(),
        end=panel.sessions[life.t - 1].item(),
        initial_cash_krw=CAPITAL,
    )
    result = simulate(panel, request, DirectSource(panel, threads=1))
    with database.read() as session:
        rows = session.scalars(select(TradingDayRow).where(TradingDayRow.sleeve_id == life.trader.id)).all()
    ours = {row.session: (row.equity_krw, row.cash_krw) for row in rows}
    daily = result.tables["daily"].select("session", "equity_krw", "cash_krw")
    theirs = {day: (Decimal(equity), Decimal(cash)) for day, equity, cash in daily.iter_rows() if day in ours}
    assert len(ours) == days
    assert ours == theirs
    assert result.tables["trades"].height > days / 2


def test_real_money_is_not_traded_on_the_demo_market(life: Life) -> None:
    life.desk.account = replace(life.desk.account, broker=BrokerName.KIWOOM, mock=False)
    life.live_a_day()
    (made,) = Decisions(life.database).of_day(life.account.id, life.panel.sessions[life.t - 1].item()) or [None]
    assert made is None or made.decision is None
    assert not life.exchange.orders
    assert "demo market" in life.traders.get("local", life.trader.id).reason


def test_stopping_sells_and_gives_back_what_it_had(life: Life) -> None:
    for _ in range(12):
        life.live_a_day()
    held = life.desk.book.sleeves[life.trader.id].holdings
    assert held
    life.traders.stop("local", life.trader.id, StopWay.LIQUIDATE)
    life.live_a_day()
    life.live_a_day()
    ended = life.traders.get("local", life.trader.id)
    assert ended.state is TraderState.STOPPED
    sleeve = life.desk.book.sleeves[life.trader.id]
    assert not sleeve.holdings
    assert not sleeve.cash_krw
    assert life.desk.book.cash_krw == life.exchange.cash
    assert life.exchange.held == {}
