"""Stops, targets and corporate actions over what an account holds, and prices of orders that are not filled."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

import structlog

from stocklab.brokers.values import Quote
from stocklab.data.sources.calls import KST
from stocklab.live.desk import Desk
from stocklab.live.guard_watch import GuardWatch
from stocklab.live.guards import Guards
from stocklab.live.traders import Trader, Traders
from stocklab.trading.book import Holding, Sleeve
from stocklab.trading.day_steps import CoinTimes, DayTimes, Step, windows
from stocklab.trading.executor import Turn
from stocklab.trading.guarding import Guard, Verdict, exit_draft, judge, sellable, send_again, worst
from stocklab.trading.journal import Journal, Kept
from stocklab.trading.order_states import OrderState
from stocklab.trading.pricing import Venue, policy_of
from stocklab.trading.ratios import ActionState, BaseChange, base_change, rescale
from stocklab.trading.repricing import Cancel, Replace, reprice

__all__ = ["Guarding", "Repricing", "Rescaling"]

log = structlog.get_logger(__name__)

ZERO: Final = Decimal(0)
_NEAR: Final = Decimal("0.05")


def _venue(desk: Desk, symbol: str) -> Venue | None:
    instrument = desk.parts.look_up(symbol)
    if instrument is None or not instrument.market:
        return None
    return Venue(
        market=instrument.market,
        unit=desk.connection.units.quantity,
        buys_by_money=desk.broker.traits.buys_by_money,
        quote_age=desk.account.limits.quote_age,
    )


def _held(desk: Desk, guard: Guard) -> Holding | None:
    return desk.book.sleeves.get(guard.sleeve_id, Sleeve()).holdings.get(guard.symbol)


@dataclass(kw_only=True, eq=False)
class Guarding:
    """The duty of stops and targets: each that fires sends one order, and none over a price that is not of now.

    ``fired`` hears of each; ``warned`` of each that cannot do its work, once until that changes.
    """

    guards: Guards
    traders: Traders
    times: Callable[[Desk], DayTimes | CoinTimes]
    fired: Callable[[Desk, Verdict, Quote], None] = field(default=lambda _desk, _verdict, _quote: None)
    warned: Callable[[Desk, Verdict], None] = field(default=lambda _desk, _verdict: None)
    _watches: dict[str, tuple[Journal, GuardWatch]] = field(default_factory=dict)
    _warned: dict[str, str | None] = field(default_factory=dict)
    _followed: set[tuple[str, str]] = field(default_factory=set)

    def symbols(self, desk: Desk) -> Iterable[str]:
        """Symbols that are watched."""
        return self._watch(desk).symbols()

    def before(self, desk: Desk, now: datetime) -> None:
        """Follow new holdings, judge, and write the orders of what fired."""
        watch = self._watch(desk)
        self._follow(desk, now)
        due = watch.due()
        verdicts = [
            judge(guard, _held(desk, guard), desk.board.get(guard.symbol), now, age=desk.account.limits.quote_age)
            for guard in due
        ]
        highs = {one.guard.guard_id: one.new_high for one in verdicts if one.new_high is not None}
        watch.keep_highs(highs, now)
        self._warn(desk, verdicts)
        if not desk.is_trading(now):
            return
        by_holding: dict[tuple[str, str], list[Verdict]] = {}
        for one in verdicts:
            by_holding.setdefault((one.guard.sleeve_id, one.guard.symbol), []).append(one)
        for some in by_holding.values():
            chosen = worst(some)
            if chosen is not None:
                self._fire(desk, watch, chosen, now)
        self._again(desk, watch, now)

    def after(self, desk: Desk, turn: Turn, now: datetime) -> None:
        """Let go of guards over what is sold; watch again where an order never stood at the broker."""
        if not turn.looked:
            return
        watch = self._watch(desk)
        watched = watch.of_holdings()
        gone = [guard.guard_id for guard in watched if _held(desk, guard) is None and not _bought(desk, guard)]
        if gone:
            watch.let_go(gone, now)
        watch.revive(now)

    def _watch(self, desk: Desk) -> GuardWatch:
        known = self._watches.get(desk.account.id)
        if known is None or known[0] is not desk.journal:
            watch = GuardWatch(desk.database, desk.account.owner_id, desk.journal)
            known = self._watches[desk.account.id] = (desk.journal, watch)
        return known[1]

    def _follow(self, desk: Desk, now: datetime) -> None:
        """New holdings of a strategy are watched by its own exits."""
        known = {(guard.sleeve_id, guard.symbol) for guard in self._watch(desk).due()}
        for trader in self.traders.of_account(desk.account.id):
            if trader.settings.guards:
                self._follow_one(desk, trader, known, now)

    def _follow_one(self, desk: Desk, trader: Trader, known: set[tuple[str, str]], now: datetime) -> None:
        for symbol in desk.book.sleeves.get(trader.id, Sleeve()).holdings:
            if (trader.id, symbol) in known or (trader.id, symbol) in self._followed:
                continue
            if not self._watch(desk).exiting(trader.id, symbol, now):  # else the rest would fire again at once
                self.guards.follow_strategy(trader.owner_id, desk.account.id, trader.id, symbol, trader.strategy.exit)
                self._followed.add((trader.id, symbol))

    def _fire(self, desk: Desk, watch: GuardWatch, verdict: Verdict, now: datetime) -> None:
        guard, venue = verdict.guard, _venue(desk, verdict.guard.symbol)
        quote, holding = desk.board.get(guard.symbol), _held(desk, verdict.guard)
        if venue is None or quote is None or holding is None:
            return
        orders = desk.journal.orders(desk.today(now))
        for kept in orders:  # a stop comes before an exit that rests
            mine = guard.sleeve_id in kept.parts and kept.order.symbol == guard.symbol
            if mine and kept.order.state in (OrderState.INTENT, OrderState.OPEN) and not kept.cancel_wanted:
                desk.journal.want_cancel(kept.order.order_id)
        draft = exit_draft(
            verdict, sellable(guard.sleeve_id, guard.symbol, holding.quantity, orders), quote, now, venue=venue
        )
        if draft is not None and watch.fire(guard, draft, now) is not None:
            log.info("guard_fired", guard=guard.guard_id, kind=guard.kind.value)
            self._followed.discard((guard.sleeve_id, guard.symbol))
            self.fired(desk, verdict, quote)

    def _again(self, desk: Desk, watch: GuardWatch, now: datetime) -> None:
        """What a stop could not sell yesterday joins the opening auction."""
        day = now.astimezone(UTC if desk.account.coins else KST).date()
        opening = next((one for one in windows(day, self.times(desk)) if one.step is Step.OPEN_ORDERS), None)
        if opening is None or not opening.opens <= now <= opening.closes:
            return
        for sent in watch.sent(now).values():
            if not sent:
                continue
            (sleeve_id,) = sent[-1].parts
            held = desk.book.sleeves.get(sleeve_id, Sleeve()).held(sent[-1].order.symbol)
            quantity = sellable(sleeve_id, sent[-1].order.symbol, held, desk.journal.orders(day))
            draft = send_again(sent, quantity, day, opens=opening.opens, closes=opening.closes)
            if draft is not None:
                watch.send_again(draft, now)

    def _warn(self, desk: Desk, verdicts: Iterable[Verdict]) -> None:
        for one in verdicts:
            warn = None if one.warn is None else one.warn.value
            if self._warned.get(one.guard.guard_id) != warn:
                self._warned[one.guard.guard_id] = warn
                if one.warn is not None and desk.is_trading(desk.parts.clock()):
                    self.warned(desk, one)


@dataclass(kw_only=True, eq=False)
class Repricing:
    """The duty of prices: an order near the price that is not filled is cancelled, and replaced once that is sure."""

    def symbols(self, desk: Desk) -> Iterable[str]:
        """None beyond open orders."""
        del desk
        return ()

    def before(self, desk: Desk, now: datetime) -> None:
        """Nothing: it follows what was seen."""

    def after(self, desk: Desk, turn: Turn, now: datetime) -> None:
        """Ask for cancels, and write replacements, of what this turn saw as of now."""
        if not turn.of_now or not desk.is_trading(now):
            return
        for kept in list(desk.executor.known.values()):
            policy = policy_of(kept.policy)
            venue = _venue(desk, kept.order.symbol) if policy is not None else None
            if policy is None or venue is None:
                continue
            action = reprice(kept, policy, desk.board.get(kept.order.symbol), now, venue=venue)
            if isinstance(action, Cancel):
                desk.journal.want_cancel(action.order_id, to_replace=True)
            elif isinstance(action, Replace):
                desk.journal.intend([action.draft], now)


@dataclass(kw_only=True, eq=False)
class Rescaling:
    """The duty of corporate actions: shares and levels follow what KRX made of the price, before anything is decided.

    What does not fit freezes the symbol for the day, and is told.
    """

    frozen: Callable[[Desk, str], None] = field(default=lambda _desk, _symbol: None)
    _seen: dict[str, date] = field(default_factory=dict)

    def symbols(self, desk: Desk) -> Iterable[str]:
        """None beyond what is held."""
        del desk
        return ()

    def before(self, desk: Desk, now: datetime) -> None:
        """Compare base prices with closes, once a day for each symbol, as soon as the broker's holdings are known."""
        if desk.account.coins or desk.executor.holdings is None:
            return
        day = desk.today(now)
        at_broker = {one.symbol: one.quantity for one in desk.executor.holdings}
        closes = desk.parts.closes(desk.book.symbols())
        for symbol in desk.book.symbols():
            key = f"{desk.account.id}:{symbol}"
            quote, close = desk.board.get(symbol), closes.get(symbol)
            if self._seen.get(key) == day or quote is None or close is None:
                continue
            if quote.base_price_krw is None or quote.at.astimezone(KST).date() != day:
                continue
            self._seen[key] = day
            if close.at.astimezone(KST).date() < day:
                change = base_change(symbol, close.price_krw, quote.base_price_krw)
                if change is not None:
                    self._apply(desk, change, at_broker.get(symbol, ZERO), now)

    def after(self, desk: Desk, turn: Turn, now: datetime) -> None:
        """Nothing."""

    def _apply(self, desk: Desk, change: BaseChange, there: Decimal, now: datetime) -> None:
        symbol, held = change.symbol, desk.book.held(change.symbol)
        ratio: Decimal | None = Decimal(1) if there == held or not held else there / held
        if ratio is not None and ratio != 1 and abs(ratio * change.factor - 1) > _NEAR:
            ratio = None
        watch = GuardWatch(desk.database, desk.account.owner_id, desk.journal)
        event = rescale(desk.book, watch.over(symbol), change, ratio, desk.connection.units.quantity)
        if event.state is ActionState.FROZEN:
            desk.frozen.add(symbol)
            self.frozen(desk, symbol)
        elif event.state is ActionState.RESCALED:
            entries = watch.apply(event, desk.today(now), now)
            desk.executor.book = desk.executor.book.apply(entries)
            log.info("rescaled", symbol=symbol, factor=str(change.factor), ratio=str(ratio))


def _bought(desk: Desk, guard: Guard) -> bool:
    """Whether a purchase that may still come would bring what the guard watches."""
    kepts: Iterable[Kept] = desk.executor.known.values()
    return any(
        not kept.order.state.final and guard.sleeve_id in kept.parts and kept.order.symbol == guard.symbol
        for kept in kepts
    )
