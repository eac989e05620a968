"""The services of strategies at work over the app database of this process."""

from __future__ import annotations

from stocklab.alerts.arrivals import test_arrived
from stocklab.backtest.decide import Decision
from stocklab.caches import Group, remember
from stocklab.live.deciding import EngineRoom
from stocklab.live.decisions import Decisions
from stocklab.live.preview import first_decision
from stocklab.live.promotion import Readiness, gate_of, readiness, rules_of_settings
from stocklab.live.trader_board import TraderBoard
from stocklab.live.traders import Traders
from stocklab.strategy import Strategy, dump, parse_document
from stocklab.ui import cached

__all__ = ["board", "decisions", "first_purchases", "ready", "traders"]


def traders() -> Traders:
    """Strategies at work, behind the gate of this installation."""
    lab = cached.lab()
    return Traders(lab.database, gate_of(rules_of_settings(lab.settings), test_arrived))


def board() -> TraderBoard:
    """What lists show of them."""
    return TraderBoard(cached.lab().database)


def decisions() -> Decisions:
    """What they decided."""
    return Decisions(cached.lab().database)


def ready(owner_id: str, trader_id: str) -> Readiness:
    """What a strategy's account asks for, and what is there."""
    lab = cached.lab()
    return readiness(lab.database, owner_id, trader_id, rules_of_settings(lab.settings), test_arrived)


def first_purchases(strategy: Strategy, capital_krw: int) -> Decision:
    """What it would buy first by the newest close. Raises as `stocklab.live.preview.first_decision`."""
    store = cached.lab().store
    return _first_purchases(str(store.home), store.current_id(), dump(strategy), capital_krw)


@remember("first_purchases", Group.SCREEN, 64, of_market=True)
def _first_purchases(home: str, snapshot_id: str | None, document: str, capital_krw: int) -> Decision:
    lab = cached.lab()
    room = EngineRoom(store=lab.store, home=lab.store.home, threads=1)
    return first_decision(room, parse_document(document), capital_krw)
