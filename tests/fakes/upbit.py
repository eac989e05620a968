"""Upbit's quotation service on a loopback socket: markets, daily candles, its rate limit with 429 and then 418."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import date, datetime

import polars as pl
from fakes.http_service import FakeService, Fault, Reply, Seen, json_reply

_OTHERS = {"BTC-ETH": "이더리움", "USDT-BTC": "비트코인"}
_GROUPS = {"/v1/market/all": "market", "/v1/candles/days": "candles"}


class FakeUpbit(FakeService):
    """The service over daily candles.

    Parameters
    ----------
    candles : frame
        date, market, open, high, low, close, volume (columns of upbit_krw_daily_*); ``value`` is close x volume where
        missing. A day may be the one that is still running.
    names : code -> Korean name, optional
        Markets listed now; by default those of the frame. Others answer 404.
    per_second : int
        Requests a group may make in one second; beyond it 429, after three of those in a row 418.
    """

    def __init__(
        self, candles: pl.DataFrame, *, names: Mapping[str, str] | None = None, per_second: int = 1_000
    ) -> None:
        super().__init__()
        if "value" not in candles.columns:
            candles = candles.with_columns(value=pl.col("close") * pl.col("volume"))
        self._candles = {
            str(key[0]): rows.sort("date") for key, rows in candles.partition_by("market", as_dict=True).items()
        }
        self.names = dict(names or {code: code.removeprefix("KRW-") + "코인" for code in sorted(self._candles)})
        self.per_second = per_second
        self.page = 200
        self.refused = 0  # requests answered with 429
        self.banned = 0  # with 418
        self._taken: dict[str, tuple[int, int]] = {}
        self._in_a_row = 0
        self._rate_lock = threading.Lock()

    def answer(self, seen: Seen, spoil: Fault | None) -> Reply:
        group = _GROUPS.get(seen.path)
        if group is None:
            return _error(404, "no Route matched with those values")
        left, refusal = self._take(group)
        headers = {"Remaining-Req": f"group={group}; min=600; sec={left}"}
        if refusal is not None:
            return refusal
        if group == "market":
            listed = [*self.names.items(), *_OTHERS.items()]
            if spoil is Fault.HALF_ROWS:
                listed = listed[: len(listed) // 2]
            value = [{"market": code, "korean_name": name, "english_name": code} for code, name in listed]
            return json_reply(value, headers=headers)
        return self._days(seen, spoil, headers)

    def _days(self, seen: Seen, spoil: Fault | None, headers: Mapping[str, str]) -> Reply:
        market = seen.params.get("market", "")
        if market not in self.names:
            return _error(404, "Code not found")
        count = int(seen.params.get("count", "1"))
        if not 1 <= count <= 200:
            return _error(400, "count")
        to = seen.params.get("to")
        before = datetime.fromisoformat(to.replace("Z", "+00:00")).date() if to else date.max
        rows = self._candles.get(market, pl.DataFrame({"date": []}, schema={"date": pl.Date}))
        rows = rows.filter(pl.col("date") < before).tail(min(count, self.page)).reverse()
        if spoil is Fault.HALF_ROWS:
            rows = rows.gather_every(2)
        value = [_candle(row) for row in rows.iter_rows(named=True)]
        if spoil in {Fault.COMMAS, Fault.BROKEN_NUMBERS}:
            for one in value:
                one["trade_price"] = f"{one['trade_price']:,}"
        return json_reply(value, headers=headers)

    def _take(self, group: str) -> tuple[int, Reply | None]:
        with self._rate_lock:
            second = int(time.monotonic())
            before, count = self._taken.get(group, (second, 0))
            count = count + 1 if before == second else 1
            self._taken[group] = (second, count)
            if count <= self.per_second:
                self._in_a_row = 0
                return self.per_second - count, None
            self._in_a_row += 1
            if self._in_a_row > 3:
                self.banned += 1
                return 0, Reply(status=418, body="요청이 너무 많아 90초 동안 차단되었습니다.".encode())
            self.refused += 1
            return 0, Reply(status=429, body=b"Too many API requests.")


def _candle(row: Mapping[str, object]) -> dict[str, object]:
    return {
        "market": row["market"],
        "candle_date_time_utc": f"{row['date']}T00:00:00",
        "candle_date_time_kst": f"{row['date']}T09:00:00",
        "opening_price": row["open"],
        "high_price": row["high"],
        "low_price": row["low"],
        "trade_price": row["close"],
        "timestamp": 1795137312365,
        "candle_acc_trade_price": row["value"],
        "candle_acc_trade_volume": row["volume"],
        "prev_closing_price": row["open"],
        "change_price": 1.0,
        "change_rate": 0.01,
    }


def _error(status: int, message: str) -> Reply:
    return json_reply({"error": {"name": status, "message": message}}, status)
