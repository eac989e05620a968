"""Answers of Upbit's quotation service as values: pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import polars as pl

from stocklab.errors import SourceChanged

__all__ = ["Market", "candle_frame", "krw_markets"]

_KRW: Final = re.compile(r"KRW-[0-9A-Z]{1,10}")
_NUMBERS: Final = {
    "open": "opening_price",
    "high": "high_price",
    "low": "low_price",
    "close": "trade_price",
    "volume": "candle_acc_trade_volume",
    "value": "candle_acc_trade_price",
}
_SCHEMA: Final = {"date": pl.Date, "market": pl.String, **dict.fromkeys(_NUMBERS, pl.Float64)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """A market such as KRW-BTC with its Korean name."""

    code: str
    korean_name: str


def krw_markets(source: str, answer: Any) -> tuple[Market, ...]:
    """Markets in won of ``/v1/market/all``, by code.

    Raises
    ------
    SourceChanged
        It is no list of markets, one comes twice, or there is none in won.
    """
    if not isinstance(answer, list):
        raise SourceChanged(source, "expected a list of markets", found=repr(answer)[:80])
    markets: dict[str, Market] = {}
    for one in answer:
        if not isinstance(one, dict) or not isinstance(one.get("market"), str):
            raise SourceChanged(source, "expected a market", found=repr(one)[:80])
        code, name = one["market"], one.get("korean_name")
        if not code.startswith("KRW-"):
            continue
        if not _KRW.fullmatch(code) or not isinstance(name, str) or code in markets:
            raise SourceChanged(source, "expected each market in won once, with a name", found=repr(one)[:80])
        markets[code] = Market(code=code, korean_name=name.strip())
    if not markets:
        raise SourceChanged(source, "there is no market in won")
    return tuple(markets[code] for code in sorted(markets))


def candle_frame(source: str, market: str, before: date, count: int, answer: Any) -> pl.DataFrame:
    """Daily candles of ``/v1/candles/days``, oldest first.

    Returns
    -------
    date, market, open, high, low, close (KRW), volume (coins), value (KRW), Float64.

    Raises
    ------
    SourceChanged
        A candle is of another market or not of a day before ``before``, a day comes twice, there are more than
        ``count``, or a field is missing or no number.
    """
    if not isinstance(answer, list) or not all(isinstance(one, dict) for one in answer):
        raise SourceChanged(source, "expected a list of candles", found=repr(answer)[:80])
    if len(answer) > count:
        raise SourceChanged(source, f"{count} candles of {market} were asked, {len(answer)} came")
    columns: dict[str, list[Any]] = {name: [] for name in _SCHEMA}
    for one in answer:
        if one.get("market") != market:
            raise SourceChanged(source, f"{market} was asked", found=repr(one.get("market")))
        columns["market"].append(market)
        columns["date"].append(_day(source, market, one.get("candle_date_time_utc")))
        for ours, theirs in _NUMBERS.items():
            value = one.get(theirs)
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise SourceChanged(source, f"{market}: expected a number in {theirs!r}", found=repr(value))
            columns[ours].append(float(value))
    frame = pl.DataFrame(columns, schema=_SCHEMA).sort("date")
    if frame.height and (frame["date"].is_duplicated().any() or frame["date"][-1] >= before):
        raise SourceChanged(
            source, f"{market}: days before {before} were asked, each once", found=str(frame["date"][-1])
        )
    return frame


def _day(source: str, market: str, text: Any) -> date:
    try:
        day, clock = str(text).split("T")
        if clock == "00:00:00":
            return date.fromisoformat(day)
    except ValueError:
        pass
    raise SourceChanged(source, f"{market}: expected the beginning of a UTC day", found=repr(text))
