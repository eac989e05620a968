"""Upbit's orders as a journal: lists put together from pages and windows, fills added up from single trades."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from stocklab.brokers.upbit.auth import Pairs
from stocklab.brokers.upbit.client import Refusal, UpbitClient
from stocklab.brokers.upbit.models import CLOSED, FIND, NOT_FOUND, OPEN, WON_PREFIX, Call
from stocklab.brokers.upbit.parse import Deals, Garbled, Placed, placed_of
from stocklab.brokers.values import BrokerName, BrokerOrder
from stocklab.errors import BrokerTemporary

__all__ = ["UpbitJournal"]

_KST: Final = ZoneInfo("Asia/Seoul")
_MOST_PAGES: Final = 200
_PASSES: Final = 4
_TRADES_LAG: Final = (0.2, 0.5, 1.0)
_REMEMBERED: Final = 5_000
_EDGE: Final = timedelta(seconds=1)  # windows reach this much further: whether their ends count is not said
_SHORTEST: Final = timedelta(seconds=2)


class UpbitJournal:
    """Reads orders. It remembers what trades add up to, since a number of executed coins never changes its meaning."""

    def __init__(
        self,
        client: UpbitClient,
        *,
        clock: Callable[[], datetime],
        sleep: Callable[[float], object],
        open_rows: int,
        closed_rows: int,
    ) -> None:
        self._client = client
        self._clock = clock
        self._sleep = sleep
        self._open_rows = open_rows
        self._closed_rows = closed_rows
        self._known: dict[str, Deals] = {}

    def day(self, day: date) -> tuple[BrokerOrder, ...]:
        """Orders in won that were made on a day in Seoul, and all that rest, oldest first.

        Raises
        ------
        BrokerTemporary, BrokerDenied
        """
        # Open ones first: what ends in between is then in the second list, and what it says there is the later truth.
        rows = {one.uuid: one for one in self._open()}
        rows |= {one.uuid: one for one in self._ended(day)}
        orders = [self._whole(one).order() for one in rows.values() if one.symbol.startswith(WON_PREFIX)]
        return tuple(sorted(orders, key=lambda one: (one.placed_at, one.ref)))

    def find(self, key: str, value: str) -> Placed | None:
        """An order by ``uuid`` or ``identifier`` with all its trades; None when the exchange says it has none.

        Raises
        ------
        BrokerTemporary
            Also while trades are still missing that are executed already.
        BrokerDenied
        """
        for pause in (*_TRADES_LAG, None):
            answer = self._client.question(FIND, [(key, value)])
            if isinstance(answer, Refusal):
                if (answer.status, answer.name) == (404, NOT_FOUND):
                    return None
                raise _unusable(FIND, answer.name)
            found = _placed(FIND, answer.body)
            if value != (found.uuid if key == "uuid" else found.client_order_id or value):
                raise _unusable(FIND, "another order")
            if found.complete:
                self._remember(found)
                return found
            if pause is not None:
                self._sleep(pause)
        raise _unusable(FIND, "trades that are executed are not listed yet")

    def _whole(self, row: Placed) -> Placed:
        """A row of a list with the won of its trades."""
        if not row.filled_quantity:
            return row
        known = self._known.get(row.uuid)
        if known is not None and known.quantity == row.filled_quantity:
            return replace(row, deals=known)
        found = self.find("uuid", row.uuid)
        if found is None:
            raise _unusable(FIND, "an order of the list is not there")
        return found

    def _remember(self, found: Placed) -> None:
        if found.deals is not None:
            self._known.pop(found.uuid, None)
            self._known[found.uuid] = found.deals
        while len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]

    def _open(self) -> list[Placed]:
        """Every resting order. An order that ends while pages are read moves the next page up, past one that is then
        in no page: where there are several, two readings must agree. The one that ended was read in the first and is
        missing in the second, so two that agree miss nothing."""
        before: set[str] | None = None
        for _ in range(_PASSES):
            pages, rows = self._open_pages()
            if pages == 1 or rows.keys() == before:
                return list(rows.values())
            before = set(rows)
        raise _unusable(OPEN, f"{_PASSES} readings that differ")

    def _open_pages(self) -> tuple[int, dict[str, Placed]]:
        rows: dict[str, Placed] = {}
        for page in range(1, _MOST_PAGES + 1):
            pairs = [
                ("states[]", "wait"),
                ("states[]", "watch"),
                ("page", str(page)),
                ("limit", str(self._open_rows)),
                ("order_by", "asc"),
            ]
            found = self._rows(OPEN, pairs)
            rows |= {one.uuid: one for one in found}
            if len(found) < self._open_rows:
                return page, rows
        raise _unusable(OPEN, f"more than {_MOST_PAGES} pages")

    def _ended(self, day: date) -> list[Placed]:
        start = datetime.combine(day, time(), _KST)
        end = start + timedelta(days=1)
        found = self._window(start - _EDGE, end + _EDGE)
        return [one for one in found if start <= one.placed_at < end]

    def _window(self, start: datetime, end: datetime) -> list[Placed]:
        """Ended orders that were made in a window. A full answer may be a part, so its halves are asked for; they
        share a second."""
        pairs = [("states[]", "done"), ("states[]", "cancel"), ("start_time", _milliseconds(start))]
        # An end that is still to come is left out: it is then seven days after the start, so that a clock that is
        # behind the exchange's hides nothing.
        if end < self._clock():
            pairs.append(("end_time", _milliseconds(end)))
        pairs += [("limit", str(self._closed_rows)), ("order_by", "asc")]
        found = self._rows(CLOSED, pairs)
        if len(found) < self._closed_rows:
            return found
        last = min(end, max(self._clock(), start)) - start
        if last <= _SHORTEST:
            raise _unusable(CLOSED, f"{self._closed_rows} orders within {last.total_seconds():.0f} s")
        middle = start + timedelta(seconds=last.total_seconds() // 2)
        halves = self._window(start, middle + _EDGE) + self._window(middle, end)
        return list({one.uuid: one for one in halves}.values())

    def _rows(self, call: Call, pairs: Pairs) -> list[Placed]:
        answer = self._client.question(call, pairs)
        if isinstance(answer, Refusal):
            raise _unusable(call, answer.name)
        if not isinstance(answer.body, list):
            raise _unusable(call, "no list")
        return [_placed(call, row) for row in answer.body]


def _placed(call: Call, row: Any) -> Placed:
    try:
        return placed_of(row)
    except Garbled as error:
        raise _unusable(call, f"unreadable: {error}") from error


def _unusable(call: Call, why: str) -> BrokerTemporary:
    return BrokerTemporary(BrokerName.UPBIT, f"no usable answer to {call[1]}: {why}")


def _milliseconds(moment: datetime) -> str:
    return str(int(moment.timestamp()) * 1000)
