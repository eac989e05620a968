"""Decided orders go into the journal when their time has come, together with the note that they did."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import ROUND_DOWN, Decimal
from typing import Final

import structlog
from sqlalchemy.orm import Session

from stocklab.brokers.values import Side
from stocklab.data.sources.calls import KST
from stocklab.live.decisions import Approval, Decided, Decisions
from stocklab.live.desk import Desk
from stocklab.live.plans import Planned, Wanted, group, plan, window_of, wishes
from stocklab.live.slicing_plans import SlicePlans
from stocklab.live.trader_settings import Timing
from stocklab.live.traders import Trader, Traders, TraderState
from stocklab.trading.book import Entry, Sleeve
from stocklab.trading.day_steps import CoinTimes, DayTimes, Step, Window, windows
from stocklab.trading.executor import Turn
from stocklab.trading.journal import Kept

__all__ = ["Placing"]

log = structlog.get_logger(__name__)

ZERO: Final = Decimal(0)
_AT_WORK: Final = (TraderState.ACTIVE, TraderState.STOPPING)


@dataclass(kw_only=True, eq=False)
class Placing:
    """The duty of sending what was decided. A plan is written once, over kills too: the note and the order are one
    transaction.
    """

    traders: Traders
    decisions: Decisions
    times: Callable[[Desk], DayTimes | CoinTimes]
    slices: SlicePlans
    _today: dict[str, tuple[date, tuple[Decided, ...]]] = field(default_factory=dict)

    def symbols(self, desk: Desk) -> Iterable[str]:
        """Symbols of orders that were decided for today."""
        _, decided = self._today.get(desk.account.id, (date.min, ()))
        orders = [one.decision for one in decided if one.decision is not None]
        return {order.symbol for decision in orders for order in (*decision.orders, *decision.kept)}

    def before(self, desk: Desk, now: datetime) -> None:
        """Write what is due."""
        day = now.astimezone(UTC if desk.account.coins else KST).date()
        steps = windows(day, self.times(desk))
        if not steps or now < steps[0].opens:
            return
        decided = self.decisions.of_day(desk.account.id, day)
        self._today[desk.account.id] = (day, decided)
        traders = {one.id: one for one in self.traders.of_account(desk.account.id, _AT_WORK)}
        wanted: list[Wanted] = []
        for one in decided:
            if one.approval is Approval.WAITING and now > _last_moment(steps):
                self.decisions.lapse(one, now)
            if one.approval.lets and one.trader_id in traders:
                wanted += self._due(traders[one.trader_id], one, steps, now)
        if wanted:
            desk.board.refresh({*desk.board.wanted, *(one.order.symbol for one in wanted)}, ask=desk.is_open(now))
        for some in group(wanted):
            self._place(desk, some, steps, now)
        self.slices.send_due(desk, decided, now)

    def after(self, desk: Desk, turn: Turn, now: datetime) -> None:
        """Nothing."""

    def _due(self, trader: Trader, decided: Decided, steps: Sequence[Window], now: datetime) -> list[Wanted]:
        decision = decided.decision
        if decision is None:
            return []
        found = wishes(trader, decided.id, decision, decided.placed)
        return [one for one in found if _is_now(window_of(one.timing, one.limit_krw is not None, steps), now)]

    def _place(self, desk: Desk, some: Sequence[Wanted], steps: Sequence[Window], now: datetime) -> None:
        instrument = desk.parts.look_up(some[0].order.symbol)
        planned = plan(
            some,
            quote=desk.board.get(some[0].order.symbol),
            market="" if instrument is None else instrument.market,
            day=steps,
            now=now.astimezone(UTC if desk.account.coins else KST),
            unit=desk.connection.units.quantity,
            affordable=lambda limit: self._affordable(desk, some, limit),
            at_market=desk.by_close,
        )
        if planned is None:
            return
        whole = planned.order
        drafts = [] if whole is None or whole.timing is Timing.SLICES else [whole.draft]
        entries = _crossed(desk, planned)

        epoch = 0 if whole is None else desk.journal.switch(whole.draft.parts)[0]

        def note(session: Session, _kept: tuple[Kept, ...]) -> None:
            for decision_id, keys in planned.placed.items():
                self.decisions.placed(session, decision_id, keys, now)
            if whole is not None and whole.timing is Timing.SLICES:
                self.slices.keep(
                    session,
                    next(iter(planned.placed)),
                    whole.draft,
                    settings=some[0].trader.settings,
                    steps=steps,
                    epoch=epoch,
                )
            desk.journal.book_in(session, entries, now)

        desk.journal.intend(drafts, now, alongside=note)
        if entries:
            desk.executor.book = desk.executor.book.apply(entries)
        log.info("placed", symbol=planned.symbol, orders=len(drafts), crossings=len(planned.crossings))

    def _affordable(self, desk: Desk, some: Sequence[Wanted], limit: Decimal) -> Decimal:
        """The most that the buying sleeves' own cash pays for at a limit, less what they keep and what their open
        purchases bind."""
        buying = {one.trader.id: one for one in some if one.side is Side.BUY}
        buyers = buying.keys()
        cash = sum(
            (desk.book.sleeves.get(name, Sleeve()).cash_krw - one.reserve_krw for name, one in buying.items()), ZERO
        )
        rate = max(Decimal(repr(one.trader.strategy.costs.commission_rate)) for one in buying.values())
        for kept in desk.journal.orders(desk.today(desk.parts.clock())):
            order = kept.order
            if order.state.final or order.side is not Side.BUY or order.ticket.limit_price_krw is None:
                continue
            mine = sum(
                (part - kept.booked.get(name, ZERO) for name, part in kept.parts.items() if name in buyers), ZERO
            )
            cash -= mine * order.ticket.limit_price_krw
        unit = desk.connection.units.quantity
        return max((cash / (limit * (1 + rate)) / unit).quantize(Decimal(1), ROUND_DOWN) * unit, ZERO)


def _crossed(desk: Desk, planned: Planned) -> tuple[Entry, ...]:
    if planned.crossing_price_krw is None:
        return ()
    price = planned.crossing_price_krw
    return tuple(entry for one in planned.crossings for entry in desk.book.of_crossing(one, planned.symbol, price))


def _is_now(window: Window, now: datetime) -> bool:
    return window.opens <= now <= window.closes


def _last_moment(steps: Sequence[Window]) -> datetime:
    return next(one.closes for one in steps if one.step is Step.CLOSE_ORDERS)
