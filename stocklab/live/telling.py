"""What an account's desk brings about, told to its owner: fills, refusals, doubts, stops, trouble with the broker."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from stocklab.alerts import AlertKind, Alerts
from stocklab.brokers.values import Quote
from stocklab.live.desk import Desk
from stocklab.live.traders import Trader
from stocklab.trading.executor import Notice, NoticeKind, Turn
from stocklab.trading.guarding import GuardKind, Verdict
from stocklab.trading.journal import Kept
from stocklab.trading.risk_gate import Stage

__all__ = ["Telling"]

_KINDS: Final = {
    NoticeKind.UNKNOWN: AlertKind.IN_DOUBT,
    NoticeKind.AMBIGUOUS: AlertKind.AMBIGUOUS,
    NoticeKind.REJECTED: AlertKind.REJECTED,
    NoticeKind.REFUSED: AlertKind.REFUSED,
}
_PROBLEMS: Final = {NoticeKind.UNREACHABLE: "unreachable", NoticeKind.DENIED: "denied"}
_ORDERS: Final = "orders?order={}"


@dataclass(kw_only=True, eq=False)
class Telling:
    """The duty of telling, and who hears of everything else. Each fact has a key, so that it is told once, also over
    kills."""

    alerts: Alerts
    _told: dict[str, int] = field(default_factory=dict)
    _broken: dict[str, date] = field(default_factory=dict)

    def symbols(self, desk: Desk) -> Iterable[str]:
        """None."""
        del desk
        return ()

    def before(self, desk: Desk, now: datetime) -> None:
        """Nothing: it tells what was seen."""

    def after(self, desk: Desk, turn: Turn, now: datetime) -> None:
        """Tell of new fills."""
        del turn
        for kept in desk.executor.known.values():
            order = kept.order
            if order.fills <= self._told.get(order.order_id, 0) or not order.booked_quantity:
                continue
            self._told[order.order_id] = order.fills
            price = order.booked_krw / order.booked_quantity
            params = {**self._of(desk, kept), "quantity": _number(order.booked_quantity), "price_krw": _number(price)}
            self._emit(
                desk, AlertKind.FILL, f"fill:{order.order_id}:{order.fills}", params, now, order_id=order.order_id
            )

    def notice(self, desk: Desk, notice: Notice, now: datetime) -> None:
        """Tell what a turn found."""
        kept = desk.executor.known.get(notice.order_id or "")
        kind = _KINDS.get(notice.kind)
        if kind is not None and kept is not None:
            params = {**self._of(desk, kept), "reason": notice.text.split(",")[0].strip()}
            self._emit(desk, kind, f"{kind.value}:{kept.order.order_id}", params, now, order_id=kept.order.order_id)
        elif notice.kind in _PROBLEMS:
            self._broker(desk, _PROBLEMS[notice.kind], notice.text, now)
        elif notice.kind in (NoticeKind.DIFFERENCE, NoticeKind.STOPPED):
            params = {"account": desk.account.name, "detail": f"{notice.symbol or 'KRW'}: {notice.text}"}
            self._emit(desk, AlertKind.DIFFERENCE, f"difference:{desk.account.id}:{now.isoformat()}", params, now)

    def fired(self, desk: Desk, verdict: Verdict, quote: Quote) -> None:
        """A guard fired."""
        guard, target = verdict.guard, verdict.guard.kind is GuardKind.TARGET
        held = desk.book.sleeves[guard.sleeve_id].held(guard.symbol) if guard.sleeve_id in desk.book.sleeves else None
        params = {
            "symbol": guard.symbol,
            "name": self._name(desk, guard.symbol),
            "quantity": _number(held or Decimal(0)),
            "price_krw": _number(quote.price_krw),
            "target_krw" if target else "stop_krw": _number(verdict.level_krw or quote.price_krw),
            "account": desk.account.name,
        }
        kind = AlertKind.TARGET_REACHED if target else AlertKind.STOP_FIRED
        self._emit(desk, kind, f"guard:{guard.guard_id}", params, desk.parts.clock())

    def reached(self, desk: Desk, stage: Stage) -> None:
        """Losses reached a stage."""
        now = desk.parts.clock()
        params = {"account": desk.account.name, "detail": f"loss stage {stage.value}"}
        self._emit(desk, AlertKind.DIFFERENCE, f"stage:{desk.account.id}:{desk.today(now)}:{stage.value}", params, now)

    def frozen(self, desk: Desk, symbol: str) -> None:
        """A corporate action is not understood."""
        now = desk.parts.clock()
        params = {"account": desk.account.name, "detail": f"{symbol}: corporate action, nothing is traded"}
        self._emit(desk, AlertKind.DIFFERENCE, f"frozen:{desk.account.id}:{symbol}:{desk.today(now)}", params, now)

    def missed(self, desk: Desk, trader: Trader, day: date, why: str) -> None:
        """Nothing could be decided in time."""
        params = {"account": desk.account.name, "detail": f"{trader.name}: {why}"}
        self._emit(desk, AlertKind.DIFFERENCE, f"missed:{trader.id}:{day}", params, desk.parts.clock())

    def _broker(self, desk: Desk, problem: str, detail: str, now: datetime) -> None:
        day = desk.today(now)
        if self._broken.get(f"{desk.account.id}:{problem}") != day:
            self._broken[f"{desk.account.id}:{problem}"] = day
            params = {"account": desk.account.name, "problem": problem, "detail": detail[:300]}
            self._emit(desk, AlertKind.BROKER, f"broker:{desk.account.id}:{problem}:{day}", params, now)

    def _of(self, desk: Desk, kept: Kept) -> dict[str, Any]:
        order = kept.order
        return {
            "symbol": order.symbol,
            "name": self._name(desk, order.symbol),
            "side": order.side.value,
            "quantity": _number(order.ticket.quantity or Decimal(0)),
            "account": desk.account.name,
        }

    def _name(self, desk: Desk, symbol: str) -> str:
        instrument = desk.parts.look_up(symbol)
        return symbol if instrument is None else instrument.name

    def _emit(
        self, desk: Desk, kind: AlertKind, key: str, params: dict[str, Any], now: datetime, *, order_id: str = ""
    ) -> None:
        self.alerts.emit(
            desk.account.owner_id,
            kind,
            dedupe_key=key[:200],
            params=params,
            link=_ORDERS.format(order_id) if order_id else "",
            now=now,
        )


def _number(value: Decimal) -> int | float:
    """As JSON has it: whole where it is."""
    return int(value) if value == value.to_integral_value() else float(value)
