"""The timetable of a session: which steps of a day are due, each once, and not after its time.

Times are written as on a regular day of KRX; where a session opens or closes at another hour, what belongs to the
opening moves with it, and what belongs to the close with that.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from stocklab.data.sources.calls import KST
from stocklab.errors import InputError
from stocklab.market.calendar import is_session, session_hours

__all__ = ["CoinTimes", "DayTimes", "Step", "Window", "days_at", "steps_due", "steps_missed", "windows"]

REGULAR_OPEN: Final = time(9, 0)
REGULAR_CLOSE: Final = time(15, 30)
_DAY: Final = timedelta(days=1)


class Step(StrEnum):
    """What happens in a day, in this order.

    PREPARE: strategies decide. OPEN_ORDERS: orders join the opening auction. BUY_CHECK, SELL_CHECK: limits near the
    price. CLOSE_ORDERS: orders join the closing auction. DAY_OVER: day orders are dead. VALUE: what the day came to.
    """

    PREPARE = "prepare"
    OPEN_ORDERS = "open_orders"
    BUY_CHECK = "buy_check"
    SELL_CHECK = "sell_check"
    CLOSE_ORDERS = "close_orders"
    DAY_OVER = "day_over"
    VALUE = "value"
    REPORT = "report"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """From when a step is due, and until when it may be made up for; both moments belong to it."""

    step: Step
    opens: datetime
    closes: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTimes:
    """Times of KRX's steps in Seoul, as on a day from 09:00 to 15:30. ``*_until`` is when a step is given up; what
    follows the close may be made up for until ``evening_until`` of the next morning.

    Raises
    ------
    InputError
        A step lies outside its part of the day, or ends before it begins.
    """

    prepare: time = time(8, 50)
    open_orders: time = time(8, 50)
    open_orders_until: time = time(8, 59)
    buy_check: time = time(9, 5)
    buy_check_until: time = time(10, 0)
    sell_check: time = time(14, 50)
    sell_check_until: time = time(15, 19)
    close_orders: time = time(15, 20)
    close_orders_until: time = time(15, 29)
    day_over: time = time(15, 35)
    value: time = time(15, 40)
    report: time = time(15, 45)
    evening_until: time = time(7, 0)

    def __post_init__(self) -> None:
        _in_order(self, "prepare", "open_orders", "open_orders_until", most=REGULAR_OPEN)
        _in_order(self, "buy_check", "buy_check_until", least=REGULAR_OPEN, most=REGULAR_CLOSE)
        _in_order(self, "sell_check", "sell_check_until", least=REGULAR_OPEN, most=REGULAR_CLOSE)
        _in_order(self, "close_orders", "close_orders_until", least=REGULAR_OPEN, most=REGULAR_CLOSE)
        _in_order(self, "day_over", "value", "report", least=REGULAR_CLOSE)
        _in_order(self, "evening_until", most=self.prepare)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoinTimes:
    """Times of the steps of a UTC day, which never opens or closes; for orders that a stock would send to its closing
    auction the last minutes of the day stand in.

    Raises
    ------
    InputError
        The times are not in order.
    """

    prepare: time = time(0, 1)
    open_orders: time = time(0, 1)
    open_orders_until: time = time(0, 30)
    buy_check: time = time(0, 5)
    buy_check_until: time = time(1, 0)
    sell_check: time = time(23, 50)
    sell_check_until: time = time(23, 54)
    close_orders: time = time(23, 55)
    close_orders_until: time = time(23, 59)
    made_up_for: timedelta = timedelta(hours=12)

    def __post_init__(self) -> None:
        _in_order(self, "prepare", "open_orders", "open_orders_until")
        _in_order(self, "prepare", "buy_check", "buy_check_until")
        _in_order(self, "sell_check", "sell_check_until")
        _in_order(self, "close_orders", "close_orders_until")
        if not timedelta(0) < self.made_up_for <= _DAY:
            raise InputError(f"made_up_for: expected up to a day, found {self.made_up_for}.")


def days_at(now: datetime, times: DayTimes | CoinTimes) -> tuple[date, ...]:
    """The days whose steps may be due at a moment, the older first: today's, and yesterday's for what follows its
    close."""
    today = now.astimezone(KST if isinstance(times, DayTimes) else UTC).date()
    return today - _DAY, today


def windows(day: date, times: DayTimes | CoinTimes) -> tuple[Window, ...]:
    """When each step of a day is due, in order; nothing on a day without a session.

    Raises
    ------
    InputError
        The calendar does not reach the day.
    """
    if isinstance(times, CoinTimes):
        return _coin_windows(day, times)
    if not is_session(day, expected=True):
        return ()
    opens, closes = session_hours(day, expected=True)
    early, late = _moved(opens, REGULAR_OPEN), _moved(closes, REGULAR_CLOSE)

    def at(moment: time, shift: timedelta) -> datetime:
        return datetime.combine(day, moment, tzinfo=KST) + shift

    night = datetime.combine(day + _DAY, times.evening_until, tzinfo=KST)
    return (
        # Strategies that trade at the close can still decide after a late start.
        Window(step=Step.PREPARE, opens=at(times.prepare, early), closes=at(times.close_orders_until, late)),
        Window(step=Step.OPEN_ORDERS, opens=at(times.open_orders, early), closes=at(times.open_orders_until, early)),
        Window(step=Step.BUY_CHECK, opens=at(times.buy_check, early), closes=at(times.buy_check_until, early)),
        Window(step=Step.SELL_CHECK, opens=at(times.sell_check, late), closes=at(times.sell_check_until, late)),
        Window(step=Step.CLOSE_ORDERS, opens=at(times.close_orders, late), closes=at(times.close_orders_until, late)),
        Window(step=Step.DAY_OVER, opens=at(times.day_over, late), closes=night),
        Window(step=Step.VALUE, opens=at(times.value, late), closes=night),
        Window(step=Step.REPORT, opens=at(times.report, late), closes=night),
    )


def steps_due(day: date, done: Collection[Step], now: datetime, times: DayTimes | CoinTimes) -> tuple[Step, ...]:
    """Steps of a day that are to be made now, in order: those whose time has come and is not over, and that were not
    made. A step that was missed is not among them, and holds no other back."""
    return tuple(one.step for one in windows(day, times) if one.step not in done and one.opens <= now <= one.closes)


def steps_missed(day: date, done: Collection[Step], now: datetime, times: DayTimes | CoinTimes) -> tuple[Step, ...]:
    """Steps of a day that were not made and whose time is over: they are told, and not made any more."""
    return tuple(one.step for one in windows(day, times) if one.step not in done and now > one.closes)


def _coin_windows(day: date, times: CoinTimes) -> tuple[Window, ...]:
    def at(moment: time) -> datetime:
        return datetime.combine(day, moment, tzinfo=UTC)

    end = at(time(0)) + _DAY
    until = end + times.made_up_for
    return (
        Window(step=Step.PREPARE, opens=at(times.prepare), closes=at(times.close_orders_until)),
        Window(step=Step.OPEN_ORDERS, opens=at(times.open_orders), closes=at(times.open_orders_until)),
        Window(step=Step.BUY_CHECK, opens=at(times.buy_check), closes=at(times.buy_check_until)),
        Window(step=Step.SELL_CHECK, opens=at(times.sell_check), closes=at(times.sell_check_until)),
        Window(step=Step.CLOSE_ORDERS, opens=at(times.close_orders), closes=at(times.close_orders_until)),
        *(Window(step=step, opens=end, closes=until) for step in (Step.DAY_OVER, Step.VALUE, Step.REPORT)),
    )


def _moved(hour: time, regular: time) -> timedelta:
    return datetime.combine(date.min, hour) - datetime.combine(date.min, regular)


def _in_order(times: object, *names: str, least: time = time.min, most: time = time.max) -> None:
    """Refuse times that go backwards or leave their part of the day."""
    before = least
    for name in names:
        found: time = getattr(times, name)
        if not before <= found <= most:
            raise InputError(f"{name}: expected a time from {before:%H:%M} to {most:%H:%M}, found {found:%H:%M}.")
        before = found
