"""What the accounts' threads share in the real process: the store's prices, sealed tokens, one pace, the duties."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from stocklab.alerts import Alerts
from stocklab.brokers.pacing import Pacer
from stocklab.brokers.values import BrokerName
from stocklab.data.store import Store
from stocklab.live.accounts import BrokerAccounts, LinkedAccount
from stocklab.live.connections import Connection, Connector, connect, connect_paper, rates_of
from stocklab.live.deciding import EngineRoom
from stocklab.live.desk import DeskParts
from stocklab.live.duties import all_duties, told_by
from stocklab.live.hands_off import held_back
from stocklab.live.instruments import Instruments
from stocklab.live.telling import Telling
from stocklab.live.token_store import SealedTokens
from stocklab.operations.sealing import open_sealer
from stocklab.sidecar.account_thread import Open

if TYPE_CHECKING:
    from stocklab.sidecar.trading_lane import TradingLane

__all__ = ["trading_parts"]


def trading_parts(lane: TradingLane) -> tuple[BrokerAccounts, Open, DeskParts]:
    """Accounts, how one is opened, and the parts of their desks."""
    sealer = open_sealer(lane.settings)
    accounts = BrokerAccounts(lane.database, sealer)
    store = Store(Path(lane.settings.home))
    instruments = Instruments(store)
    connector = Connector(
        settings=lane.settings,
        tokens=SealedTokens(lane.database, sealer),
        pacer=Pacer(rates_of(_today(lane))),
        clock=lane.clock,
        sleep=lane.stopping.wait,
    )

    def opened(account: LinkedAccount) -> Connection:
        if account.broker is BrokerName.PAPER:
            return connect_paper(
                lane.database,
                account.owner_id,
                account.id,
                coins=account.coins,
                panel=lambda: instruments.panel(coins=account.coins),
                clock=lane.clock,
            )
        keys = accounts.keys(account.id)
        return connect(connector, account.broker, mock=account.mock, keys=keys, key_id=account.id)

    settings = lane.settings
    room = EngineRoom(
        store=store,
        home=Path(settings.home),
        threads=max(1, settings.engine_threads - 1),
        factor_cache_mb=settings.factor_cache_mb,
    )
    telling = Telling(alerts=Alerts(lane.database))
    parts = DeskParts(
        database=lane.database,
        clock=lane.clock,
        look_up=instruments.get,
        closes=instruments.closes,
        duties=all_duties(lane.database, room, told_by(telling), more=(telling,)),
        tell=telling.notice,
        fence=lane.fence,
        held_back=lambda account_id: held_back(lane.database, account_id),
    )
    return accounts, opened, parts


def _today(lane: TradingLane) -> date:
    return lane.clock().date()
