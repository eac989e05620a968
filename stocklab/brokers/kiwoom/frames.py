"""Frames of Kiwoom's socket: what to register, and events out of what it sends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from stocklab.brokers.kiwoom import parse
from stocklab.brokers.kiwoom.models import ITEMS_PER_CHUNK, ITEMS_PER_SOCKET, KST
from stocklab.brokers.protocol import StreamEvent, StreamKind
from stocklab.brokers.values import Quote, QuoteSource

__all__ = ["Registrations", "events_of"]

_ACCOUNT: Final = "00"
_TRADE: Final = "0B"
_ACCOUNT_GROUP: Final = "1"
_QUOTE_GROUP: Final = "2"
_TOO_FAST: Final = 105110
_TOO_MANY: Final = (105115, 105118)
_SLOWER_SECONDS: Final = 2.0


class Registrations:
    """What a connection is subscribed to. One request waits for its answer at a time, as answers name nothing.

    Symbols beyond the socket's limit have no quotes here, the last ones by code: REST serves them.
    """

    def __init__(self, *, chunk_pause: float, answer_seconds: float) -> None:
        self.account_registered = False
        self._symbols: set[str] = set()
        self._most = ITEMS_PER_SOCKET - 1  # the account's events may count as an item
        self._pending: tuple[str, list[str]] | None = None
        self._since = 0.0
        self._not_before = 0.0
        self._chunk_pause = chunk_pause
        self._answer_seconds = answer_seconds

    def next_request(self, wanted: frozenset[str], now: float) -> dict[str, Any] | None:
        """What to send now to come closer to what is wanted, if anything."""
        if self._pending is not None or now < self._not_before:
            return None
        self._since = now
        if not self.account_registered:
            self._pending = ("REG", [])
            return _register(_ACCOUNT_GROUP, [""], _ACCOUNT)
        kept = set(sorted(wanted)[: self._most])
        gone, new = sorted(self._symbols - kept), sorted(kept - self._symbols)
        if gone:
            self._pending = ("REMOVE", gone[:ITEMS_PER_CHUNK])
            return {
                "trnm": "REMOVE",
                "grp_no": _QUOTE_GROUP,
                "data": [{"item": self._pending[1], "type": [_TRADE]}],
            }
        if new:
            self._pending = ("REG", new[:ITEMS_PER_CHUNK])
            return _register(_QUOTE_GROUP, self._pending[1], _TRADE)
        return None

    def answered(self, return_code: object, inner: str, now: float) -> bool:
        """Take an answer; False where the account's events are refused, without which a socket is of no use."""
        if self._pending is None:
            return True
        name, symbols = self._pending
        self._pending, self._not_before = None, now + self._chunk_pause
        code = return_code if isinstance(return_code, int) else -1
        if code == 0:
            if name == "REMOVE":
                self._symbols -= set(symbols)
            elif symbols:
                self._symbols |= set(symbols)
            else:
                self.account_registered = True
            return True
        self._not_before = now + _SLOWER_SECONDS
        if code in _TOO_MANY or inner in map(str, _TOO_MANY):
            self._most = min(self._most, len(self._symbols))
            return bool(symbols)
        if code == _TOO_FAST or inner == str(_TOO_FAST):
            return True
        return bool(symbols)

    def overdue(self, now: float) -> bool:
        """Whether an answer has been waited for too long."""
        return self._pending is not None and now - self._since > self._answer_seconds


def _register(group: str, items: list[str], kind: str) -> dict[str, Any]:
    return {"trnm": "REG", "grp_no": group, "refresh": "1", "data": [{"item": items, "type": [kind]}]}


def events_of(frame: Mapping[str, Any], now: datetime) -> Iterator[StreamEvent]:
    """Events of a REAL frame. An element that cannot be read is left out: REST says the same, and is asked anyway."""
    elements = frame.get("data")
    for element in elements if isinstance(elements, list) else ():
        if not isinstance(element, dict):
            continue
        values = element.get("values")
        values = values[0] if isinstance(values, list) and values else values
        if not isinstance(values, dict):
            continue
        if element.get("type") == _ACCOUNT:
            yield _order_event(values, now)
        elif element.get("type") == _TRADE:
            quote = _quote(element, values, now)
            if quote is not None:
                yield StreamEvent(kind=StreamKind.QUOTE, at=now, symbol=quote.symbol, quote=quote)


def _order_event(values: Mapping[str, Any], now: datetime) -> StreamEvent:
    """An order changed. A request to cancel names its original, which is what our journal knows."""
    original, number = str(values.get("904", "")).strip(), str(values.get("9203", "")).strip()
    try:
        symbol: str | None = parse.symbol_of(values, "9001")
    except parse.Unreadable:
        symbol = None
    known = original if original.strip("0") else number
    return StreamEvent(kind=StreamKind.ORDER, at=now, symbol=symbol, order_number=known or None)


def _quote(element: Mapping[str, Any], values: Mapping[str, Any], now: datetime) -> Quote | None:
    try:
        symbol, last = parse.symbol_of(element, "item"), parse.price(values, "10")
        bid, ask = parse.price(values, "28"), parse.price(values, "27")
    except parse.Unreadable:
        return None
    if last is None:
        return None
    at = parse.clock_time(str(values.get("20", "")))
    here = now.astimezone(KST)
    # Its time has whole seconds; a clock that runs behind Kiwoom's must not make a price of the future.
    traded = min(here, datetime.combine(here.date(), at, KST)) if at is not None else here
    return Quote(symbol=symbol, price_krw=last, at=traded, source=QuoteSource.SOCKET, bid_krw=bid, ask_krw=ask)
