"""What losses bring about beyond no entries: positions are halved, and sold at the last stage."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

import structlog

from stocklab.brokers.values import PriceKind, Side
from stocklab.live.desk import Desk
from stocklab.trading.executor import Turn
from stocklab.trading.guarding import sellable
from stocklab.trading.journal import Draft, Origin
from stocklab.trading.risk_gate import Stage

__all__ = ["LossLadder"]

log = structlog.get_logger(__name__)

ZERO: Final = Decimal(0)


@dataclass(kw_only=True, eq=False)
class LossLadder:
    """The duty of the ladder of losses: once for each stage, session and holding, also over kills.

    ``reached`` hears of a stage once a session.
    """

    reached: Callable[[Desk, Stage], None] = field(default=lambda _desk, _stage: None)
    _told: dict[str, tuple[object, Stage]] = field(default_factory=dict)

    def symbols(self, desk: Desk) -> Iterable[str]:
        """None beyond what is held."""
        del desk
        return ()

    def before(self, desk: Desk, now: datetime) -> None:
        """Sell what the stage asks for, while the market trades."""
        stage, day = desk.stage, desk.today(now)
        if stage is not Stage.NORMAL and self._told.get(desk.account.id) != (day, stage):
            self._told[desk.account.id] = (day, stage)
            log.warning("loss_stage", account=desk.account.id, stage=stage.value)
            self.reached(desk, stage)
        if stage not in (Stage.REDUCE, Stage.FLATTEN) or not desk.is_trading(now):
            return
        orders = desk.journal.orders(day)
        for kept in orders:
            if kept.order.side is Side.BUY and not kept.order.state.final and not kept.cancel_wanted:
                desk.journal.want_cancel(kept.order.order_id)
        drafts: list[Draft] = []
        unit = desk.connection.units.quantity
        for name, sleeve in sorted(desk.book.sleeves.items()):
            for symbol, holding in sorted(sleeve.holdings.items()):
                wanted = holding.quantity if stage is Stage.FLATTEN else holding.quantity / 2 // unit * unit
                quantity = min(wanted, sellable(name, symbol, holding.quantity, orders))
                if quantity > ZERO:
                    drafts.append(
                        Draft(
                            symbol=symbol,
                            side=Side.SELL,
                            kind=PriceKind.MARKET,
                            quantity=quantity,
                            parts={name: quantity},
                            origin=Origin.STOP,
                            reason=f"loss {stage.value}",
                            plan_key=f"ladder:{stage.value}:{day}:{name}:{symbol}",
                        )
                    )
        desk.journal.intend(drafts, now)

    def after(self, desk: Desk, turn: Turn, now: datetime) -> None:
        """Nothing."""
