"""Public-data portal (apis.data.go.kr), stock price information, on a loopback socket.

Answers JSON for ``resultType=json``; what the gateway refuses comes as XML with status 200, whatever was asked for.
"""

from __future__ import annotations

import threading
from datetime import date

import polars as pl
from fakes.http_service import FakeService, Fault, Reply, Seen, json_reply
from fakes.krx_openapi import stock_rows

KEY = "aB3+dE/9gH0iJkLmNoPqRsTuVwXyZ0123456789+/AbCdEfGh=="
ENCODED_KEY = "aB3%2BdE%2F9gH0iJkLmNoPqRsTuVwXyZ0123456789%2B%2FAbCdEfGh%3D%3D"
PATH = "/1160100/service/GetStockSecuritiesInfoService/getStockPriceInfo"
_GATEWAY = (
    "<OpenAPI_ServiceResponse><cmmMsgHeader><errMsg>SERVICE ERROR</errMsg><returnAuthMsg>{message}</returnAuthMsg>"
    "<returnReasonCode>{code}</returnReasonCode></cmmMsgHeader></OpenAPI_ServiceResponse>"
)
NOT_REGISTERED = (30, "SERVICE_KEY_IS_NOT_REGISTERED_ERROR")
EXPIRED = (31, "DEADLINE_HAS_EXPIRED_ERROR")
QUOTA = (22, "LIMITED_NUMBER_OF_SERVICE_REQUESTS_EXCEEDS_ERROR")
TIMEOUT = (5, "SERVICETIME_OUT")


class FakeDataGoKr(FakeService):
    """The service over a frame of stock rows (columns of marcap_*, see `fakes.krx_openapi.stock_rows`).

    ``most_rows`` is the largest page it gives, whatever is asked for.
    """

    def __init__(self, stocks: pl.DataFrame, *, key: str = KEY, quota: int = 10_000, most_rows: int = 10_000) -> None:
        super().__init__()
        self._stocks = stock_rows(stocks).partition_by("date", as_dict=True)
        self.key = key
        self.quota = quota
        self.most_rows = most_rows
        self.published_until: date | None = None
        self.refusal: tuple[int, str] | None = None  # code and text of the gateway, until set to None
        self.header: tuple[str, str] = ("00", "NORMAL SERVICE.")
        self.grows_by = 0  # rows more in the total of each later page
        self._answered = 0
        self._count_lock = threading.Lock()

    def replace_day(self, day: date, rows: pl.DataFrame) -> None:
        """Serve exactly these rows for a day."""
        self._stocks[(day,)] = stock_rows(rows)

    def answer(self, seen: Seen, spoil: Fault | None) -> Reply:
        if seen.path != PATH:
            return Reply(status=404, body=b"API not found")
        if self.refusal is not None:
            return _gateway(*self.refusal)
        if seen.params.get("serviceKey") != self.key:
            return _gateway(*NOT_REGISTERED)
        with self._count_lock:
            self._answered += 1
            if self._answered > self.quota:
                return _gateway(*QUOTA)
        if seen.params.get("resultType") != "json":
            return Reply(body=b"<response><header><resultCode>00</resultCode></header></response>")
        return self._page(seen, spoil)

    def _page(self, seen: Seen, spoil: Fault | None) -> Reply:
        asked = seen.params["basDt"]
        day = date(int(asked[:4]), int(asked[4:6]), int(asked[6:8]))
        size = min(int(seen.params.get("numOfRows", "10")), self.most_rows)
        page = int(seen.params.get("pageNo", "1"))
        rows = self._stocks.get((day,))
        if rows is None or (self.published_until is not None and day > self.published_until):
            rows = pl.DataFrame()
        total = rows.height + self.grows_by * (page - 1)
        items = [] if rows.is_empty() else _items(rows.slice((page - 1) * size, size), day)
        if spoil is Fault.HALF_ROWS:
            items = items[: len(items) // 2]
        if spoil in {Fault.COMMAS, Fault.BROKEN_NUMBERS}:
            form = "{:,}" if spoil is Fault.COMMAS else "{:,}x"
            for item in items:
                item.update({name: form.format(int(item[name])) for name in ("clpr", "trqu", "trPrc", "mrktTotAmt")})
        code, message = self.header
        body = {
            "numOfRows": size,
            "pageNo": page,
            "totalCount": total,
            "items": {"item": items if len(items) != 1 else items[0]} if items else "",
        }
        return json_reply({"response": {"header": {"resultCode": code, "resultMsg": message}, "body": body}})


def _gateway(code: int, message: str) -> Reply:
    text = _GATEWAY.format(code=f"{code:02}", message=message)
    return Reply(body=text.encode(), headers={"Content-Type": "text/xml;charset=UTF-8"})


def _items(rows: pl.DataFrame, day: date) -> list[dict[str, str]]:
    text = rows.select(
        basDt=pl.lit(f"{day:%Y%m%d}"),
        srtnCd=pl.col("code"),
        isinCd=pl.lit("KR7") + pl.col("code") + "003",
        itmsNm=pl.col("name"),
        mrktCtg=pl.col("market").replace({"KOSDAQ GLOBAL": "KOSDAQ"}),
        clpr=pl.col("close").cast(pl.String),
        vs=pl.col("change").cast(pl.String),
        fltRt=pl.lit(".12"),
        mkp=pl.col("open").cast(pl.String),
        hipr=pl.col("high").cast(pl.String),
        lopr=pl.col("low").cast(pl.String),
        trqu=pl.col("volume").cast(pl.String),
        trPrc=pl.col("amount").cast(pl.String),
        lstgStCnt=pl.col("listed_shares").cast(pl.String),
        mrktTotAmt=pl.col("market_cap").cast(pl.String),
    )
    return text.to_dicts()
