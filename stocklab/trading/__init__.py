"""The order path: what state an order is in, what an account holds, and what a broker's answers mean for both.

What is here is pure: no clock, network or database. Money and quantities are `Decimal`, exact.
"""

from stocklab.trading.apportion import apportion
from stocklab.trading.book import OUTSIDE, Book, Entry, EntryKind, Holding, Sleeve
from stocklab.trading.conflicts import Conflict, conflict
from stocklab.trading.flows import (
    AccountDay,
    Losses,
    MoneyWeighted,
    daily_returns,
    flow_krw,
    growth,
    losses,
    money_weighted,
    time_weighted,
)
from stocklab.trading.gap import DayGap, GapDay, LiveFill, PlannedTrade, SymbolDay, SymbolGap, day_gap
from stocklab.trading.gap_score import GapScore, GapVerdict, ScoredDay, gap_score
from stocklab.trading.live_worth import LiveWorth, Worth, live_worth, price_of
from stocklab.trading.netting import Crossing, NetOrder, Netting, Wish, net
from stocklab.trading.order import Fill, Order, Progress, advance, follow
from stocklab.trading.order_states import NEXT, OrderEvent, OrderState, next_state
from stocklab.trading.reconcile import Difference, Resolution, compare, resolve
from stocklab.trading.return_history import ReturnHistory, coins_on_sessions, join_histories, panel_history, returns_of
from stocklab.trading.risk_gate import Account, GateReason, RiskLimits, Stage, gate, stage_of
from stocklab.trading.sleeve_profit import SleeveProfit, sleeve_profits
from stocklab.trading.stress import ChangeBasis, Effect, StressLoss, beta, betas, limit_down_day, sector_shocks, stress
from stocklab.trading.stress_scenarios import BITCOIN, INDEX_OF_MARKET, SCENARIOS, Move, MoveSource, Scenario
from stocklab.trading.value_at_risk import (
    BookRisk,
    LevelRisk,
    NotCovered,
    RiskPart,
    RiskRefusal,
    RiskWindow,
    historical_risk,
    normal_risk,
    value_at_risk,
)

__all__ = [
    "BITCOIN",
    "INDEX_OF_MARKET",
    "NEXT",
    "OUTSIDE",
    "SCENARIOS",
    "Account",
    "AccountDay",
    "Book",
    "BookRisk",
    "ChangeBasis",
    "Conflict",
    "Crossing",
    "DayGap",
    "Difference",
    "Effect",
    "Entry",
    "EntryKind",
    "Fill",
    "GapDay",
    "GapScore",
    "GapVerdict",
    "GateReason",
    "Holding",
    "LevelRisk",
    "LiveFill",
    "LiveWorth",
    "Losses",
    "MoneyWeighted",
    "Move",
    "MoveSource",
    "NetOrder",
    "Netting",
    "NotCovered",
    "Order",
    "OrderEvent",
    "OrderState",
    "PlannedTrade",
    "Progress",
    "Resolution",
    "ReturnHistory",
    "RiskLimits",
    "RiskPart",
    "RiskRefusal",
    "RiskWindow",
    "Scenario",
    "ScoredDay",
    "Sleeve",
    "SleeveProfit",
    "Stage",
    "StressLoss",
    "SymbolDay",
    "SymbolGap",
    "Wish",
    "Worth",
    "advance",
    "apportion",
    "beta",
    "betas",
    "coins_on_sessions",
    "compare",
    "conflict",
    "daily_returns",
    "day_gap",
    "flow_krw",
    "follow",
    "gap_score",
    "gate",
    "growth",
    "historical_risk",
    "join_histories",
    "limit_down_day",
    "live_worth",
    "losses",
    "money_weighted",
    "net",
    "next_state",
    "normal_risk",
    "panel_history",
    "price_of",
    "resolve",
    "returns_of",
    "sector_shocks",
    "sleeve_profits",
    "stage_of",
    "stress",
    "time_weighted",
    "value_at_risk",
]
