"""Large orders that go out in slices: the plan is kept with its decision, so that a kill loses none of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from stocklab.brokers.values import PriceKind, Side
from stocklab.data.sources.calls import KST
from stocklab.db import DecisionRow
from stocklab.errors import InputError
from stocklab.live.decisions import Decided
from stocklab.live.desk import Desk
from stocklab.live.trader_settings import TraderSettings
from stocklab.trading.day_steps import Step, Window
from stocklab.trading.journal import Draft, Origin
from stocklab.trading.pricing import near_limit
from stocklab.trading.repricing import Cancel
from stocklab.trading.slicing import KRX_VOLUME, Send, Slicing, due_slice, slice_order

__all__ = ["SlicePlans"]

_GAP: Final = Decimal("0.01")


@dataclass(kw_only=True, eq=False)
class SlicePlans:
    """Keeps plans of slices and sends what is due of them."""

    documents: Callable[[str], Sequence[Mapping[str, Any]]]
    """The kept plans of a decision."""

    def keep(
        self,
        session: Session,
        decision_id: str,
        whole: Draft,
        *,
        settings: TraderSettings,
        steps: Sequence[Window],
        epoch: int,
    ) -> None:
        """Keep the plan of an order, in the transaction that notes that it was placed. ``epoch``: of the switches over
        it now; none of its slices is sent after a later one was thrown."""
        row = session.scalar(select(DecisionRow).where(DecisionRow.id == decision_id).with_for_update())
        if row is None:
            raise InputError("There is no such decision.")
        starts = next(one.opens for one in steps if one.step is Step.BUY_CHECK)
        ends = next(one.closes for one in steps if one.step is Step.SELL_CHECK)
        made = {
            "key": whole.plan_key,
            "symbol": whole.symbol,
            "side": whole.side.value,
            "quantity": str(whole.quantity),
            "parts": {name: str(part) for name, part in whole.parts.items()},
            "reason": whole.reason,
            "epoch": epoch,
            "starts": starts.isoformat(),
            "ends": ends.isoformat(),
            "count": settings.slices,
            "by_volume": settings.by_volume,
        }
        row.document = {**row.document, "slices": [*row.document.get("slices", []), made]}

    def send_due(self, desk: Desk, decided: Sequence[Decided], now: datetime) -> None:
        """Write the slices that are due, and end those whose time is over."""
        for one in decided:
            if not one.placed:
                continue
            for document in self.documents(one.id):
                self._send(desk, _plan(document, desk), now)

    def _send(self, desk: Desk, plan: Slicing, now: datetime) -> None:
        symbol, side = plan.whole.symbol, plan.whole.side
        quote, instrument = desk.board.get(symbol), desk.parts.look_up(symbol)
        limit = None
        if side is Side.BUY:
            if quote is None or instrument is None:
                return
            limit = near_limit(side, quote, instrument.market, now.astimezone(KST).date(), _GAP)
        key = plan.whole.plan_key or ""
        action = due_slice(plan, desk.journal.of_plan(key), now, limit_price_krw=limit)
        if isinstance(action, Send):
            desk.journal.intend([action.draft], now)
        elif isinstance(action, Cancel):
            desk.journal.want_cancel(action.order_id, to_replace=True)


def _plan(document: Mapping[str, Any], desk: Desk) -> Slicing:
    whole = Draft(
        symbol=document["symbol"],
        side=Side(document["side"]),
        kind=PriceKind.MARKET,
        quantity=Decimal(document["quantity"]),
        parts={name: Decimal(part) for name, part in document["parts"].items()},
        origin=Origin.STRATEGY,
        reason=document["reason"],
        plan_key=document["key"],
        epoch=int(document["epoch"]),
    )
    return slice_order(
        whole,
        datetime.fromisoformat(document["starts"]),
        datetime.fromisoformat(document["ends"]),
        int(document["count"]),
        unit=desk.connection.units.quantity,
        profile=KRX_VOLUME if document["by_volume"] and not desk.account.coins else None,
    )
