"""The services of live trading over the app database of this process."""

from __future__ import annotations

from datetime import UTC, datetime

from stocklab.live.account_board import AccountBoard
from stocklab.live.accounts import BrokerAccounts
from stocklab.live.stops_in_force import StopsInForce
from stocklab.live.switches import Switches
from stocklab.operations import Uptime, open_sealer
from stocklab.ui import cached

__all__ = ["accounts", "board", "now", "process_works", "stops", "switches", "trades_at_all"]


def accounts() -> BrokerAccounts:
    """Linking accounts and what is set for them."""
    lab = cached.lab()
    return BrokerAccounts(lab.database, open_sealer(lab.settings))


def board() -> AccountBoard:
    """How accounts are doing."""
    lab = cached.lab()
    return AccountBoard(lab.database, open_sealer(lab.settings))


def switches() -> Switches:
    """Throwing and lifting emergency stops."""
    return Switches(cached.lab().database)


def stops() -> StopsInForce:
    """Which emergency stops are on."""
    return StopsInForce(cached.lab().database)


def now() -> datetime:
    """The clock is read here, at the edge."""
    return datetime.now(UTC)


def trades_at_all() -> bool:
    """Whether this installation opens accounts and sends orders."""
    settings = cached.lab().settings
    return settings.trading == "on"


def process_works() -> bool:
    """Whether a background process works, which alone talks to brokers."""
    moment = now()
    workers = Uptime(cached.lab().database).workers("scheduler")
    return any(one.state == "working" and one.alive(moment) for one in workers)
