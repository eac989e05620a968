"""Words of strategies at work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stocklab.live.decisions import Approval
from stocklab.live.promotion import Check
from stocklab.live.trader_settings import Timing
from stocklab.live.traders import StopWay, TraderState
from stocklab.trading.pricing import LastResort
from stocklab.ui.text import N_

__all__ = ["APPROVALS", "CHECKS", "GAPS", "LAST_RESORTS", "LOOKS", "STATES", "STOPS", "TIMINGS"]

STATES: Final[Mapping[TraderState, str]] = {
    TraderState.DRAFT: N_("Not started"),
    TraderState.STARTING: N_("Starting"),
    TraderState.ACTIVE: N_("At work"),
    TraderState.PAUSED: N_("Paused"),
    TraderState.STOPPING: N_("Stopping"),
    TraderState.STOPPED: N_("Stopped"),
}
LOOKS: Final[Mapping[TraderState, tuple[str, str]]] = {
    TraderState.DRAFT: ("edit", "gray"),
    TraderState.STARTING: ("hourglass_empty", "blue"),
    TraderState.ACTIVE: ("play_circle", "green"),
    TraderState.PAUSED: ("pause_circle", "orange"),
    TraderState.STOPPING: ("stop_circle", "orange"),
    TraderState.STOPPED: ("check_circle", "gray"),
}
"""Icon and colour of a state."""

TIMINGS: Final[Mapping[Timing, str]] = {
    Timing.STRATEGY: N_("As the strategy says"),
    Timing.OPEN: N_("Opening auction"),
    Timing.CHECK: N_("Morning check (09:05), near the price"),
    Timing.LATE_CHECK: N_("Afternoon check (14:50), near the price"),
    Timing.CLOSE: N_("Closing auction"),
    Timing.SLICES: N_("In slices over the day"),
}
LAST_RESORTS: Final[Mapping[LastResort, str]] = {
    LastResort.LEAVE: N_("stays as it is until the day ends"),
    LastResort.CANCEL: N_("is cancelled"),
    LastResort.MARKET: N_("is traded at the market price"),
}
STOPS: Final[Mapping[StopWay, tuple[str, str]]] = {
    StopWay.KEEP: (
        N_("Keep the holdings"),
        N_("Open orders are cancelled and it is over. Holdings stay in the account; nothing watches their stops."),
    ),
    StopWay.NO_ENTRIES: (
        N_("No new purchases"),
        N_("It buys nothing more. Its own rules and stops sell what it holds; it is over when nothing is left."),
    ),
    StopWay.LIQUIDATE: (
        N_("Sell everything"),
        N_("Everything it holds is sold at the market price, at once or when the market opens. Then it is over."),
    ),
}
CHECKS: Final[Mapping[Check, str]] = {
    Check.DAYS: N_("Trading days with the same rules"),
    Check.TRADES: N_("Fills in those days"),
    Check.GAP: N_("Mean daily gap to the backtest (basis points)"),
    Check.SECOND_FACTOR: N_("Second step of log-in is on"),
    Check.ALERT_TESTED: N_("A test alert arrived"),
}
APPROVALS: Final[Mapping[Approval, str]] = {
    Approval.NOT_NEEDED: N_("sent without asking"),
    Approval.WAITING: N_("waits for your answer"),
    Approval.APPROVED: N_("approved"),
    Approval.DECLINED: N_("declined"),
    Approval.LAPSED: N_("lapsed: nobody answered in time"),
}
GAPS: Final[Mapping[str, str]] = {
    "price": N_("Price"),
    "timing": N_("Timing"),
    "missed": N_("Missed"),
    "cost": N_("Cost"),
}
