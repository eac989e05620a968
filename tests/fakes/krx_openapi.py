"""KRX Open API (data-dbg.krx.co.kr) on a loopback socket, over frames given by the test.

Speaks what the protocol notes say: ``/svc/apis/{group}/{service}`` by GET with ``?basDd=`` or POST with JSON, the header
AUTH_KEY, an approval per service, a day's quota per key, strings without thousands commas, ``-`` where nothing is known,
an empty list for a day without data, 404 for a service that does not exist.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta

import polars as pl
from fakes.http_service import FakeService, Fault, Reply, Seen, json_reply

KEY = "FAKEKRXKEY0000000000000000000000000000000"
STOCK_SERVICES = {"sto/stk_bydd_trd": "KOSPI", "sto/ksq_bydd_trd": "KOSDAQ", "sto/knx_bydd_trd": "KONEX"}
MASTER_SERVICES = {
    "sto/stk_isu_base_info": "KOSPI",
    "sto/ksq_isu_base_info": "KOSDAQ",
    "sto/knx_isu_base_info": "KONEX",
}
INDEX_SERVICES = {"idx/kospi_dd_trd": "KOSPI", "idx/kosdaq_dd_trd": "KOSDAQ"}
ETF_SERVICE = "etp/etf_bydd_trd"
SERVICES = frozenset({*STOCK_SERVICES, *MASTER_SERVICES, *INDEX_SERVICES, ETF_SERVICE})
UNAUTHORIZED = {"respMsg": "Unauthorized API Call", "respCode": "401"}

_MARKETS = {"KOSDAQ GLOBAL": "KOSDAQ"}
_NUMBERS = [
    "TDD_CLSPRC",
    "CMPPREVDD_PRC",
    "TDD_OPNPRC",
    "TDD_HGPRC",
    "TDD_LWPRC",
    "ACC_TRDVOL",
    "ACC_TRDVAL",
    "MKTCAP",
    "LIST_SHRS",
    "CLSPRC_IDX",
    "CMPPREVDD_IDX",
    "OPNPRC_IDX",
    "HGPRC_IDX",
    "LWPRC_IDX",
    "NAV",
]


def stock_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """A cross-section in the layout of marcap_* or krx_daily_*, with what the service says beyond it filled in.

    Needs date, code, open, high, low, close, volume. Where missing: change is to the close before (0 on a symbol's first
    day), amount is close x volume, listed_shares 1,000,000, market KOSPI, name the code.
    """
    frame = frame.sort("code", "date") if "change" not in frame.columns else frame
    filled = {
        "change": pl.col("close").diff().over("code").fill_null(0),
        "amount": pl.col("close") * pl.col("volume"),
        "listed_shares": pl.lit(1_000_000),
        "market": pl.lit("KOSPI"),
        "name": pl.col("code"),
        "dept": pl.lit(None, dtype=pl.String),
    }
    frame = frame.with_columns(value.alias(name) for name, value in filled.items() if name not in frame.columns)
    if "market_cap" not in frame.columns:
        frame = frame.with_columns(market_cap=pl.col("close") * pl.col("listed_shares"))
    return frame


class _Days:
    """Rows of a frame by its ``date``, replaceable by day."""

    def __init__(self, frame: pl.DataFrame | None) -> None:
        self._frame = frame.sort("date", maintain_order=True) if frame is not None else pl.DataFrame()
        counts = self._frame.group_by("date", maintain_order=True).len().rows() if self._frame.width else []
        self._place: dict[date, tuple[int, int]] = {}
        start = 0
        for day, count in counts:
            self._place[day] = (start, count)
            start += count
        self._replaced: dict[date, pl.DataFrame] = {}

    def of(self, day: date) -> pl.DataFrame:
        if day in self._replaced:
            return self._replaced[day]
        start, count = self._place.get(day, (0, 0))
        return self._frame.slice(start, count)

    def replace(self, day: date, rows: pl.DataFrame) -> None:
        self._replaced[day] = rows

    def days(self) -> set[date]:
        return {*self._place, *self._replaced}

    def newest_until(self, day: date) -> date | None:
        return max((one for one in self.days() if one <= day), default=None)


class FakeKrxOpenApi(FakeService):
    """The service over frames.

    Parameters
    ----------
    stocks : frame, optional
        Columns of marcap_* (see `stock_rows` for those that may be missing).
    indices : frame, optional
        Columns of krx_index_daily; KOSPI and KOSPI200 are answered by the KOSPI service, the others by KOSDAQ's.
    etfs : frame, optional
        As ``stocks``, of funds.
    master : frame, optional
        date, code, name, full_name, market, listing_date, group (증권구분), share_kind, dept, listed_shares, isin; the last
        list on or before the day asked is answered.
    approvals : key -> services, optional
        By default the one `KEY` with everything.
    quota : int
        Requests a key may make a day (`clock` tells the day).
    """

    def __init__(
        self,
        stocks: pl.DataFrame | None = None,
        *,
        indices: pl.DataFrame | None = None,
        etfs: pl.DataFrame | None = None,
        master: pl.DataFrame | None = None,
        approvals: Mapping[str, Iterable[str]] | None = None,
        quota: int = 10_000,
        clock: Callable[[], date] = date.today,
    ) -> None:
        super().__init__()
        self._stocks = _Days(stock_rows(stocks) if stocks is not None else None)
        self._etfs = _Days(stock_rows(etfs) if etfs is not None else None)
        self._indices = _Days(indices)
        self._master = _Days(master)
        self.approvals = {key: set(names) for key, names in (approvals or {KEY: SERVICES}).items()}
        self.quota = quota
        self.clock = clock
        self.published_until: date | None = None  # later days are not out yet
        self.counted: dict[tuple[str, date], int] = {}
        self._withheld: set[tuple[str, date]] = set()
        self._count_lock = threading.Lock()

    def publish(self, until: date) -> None:
        """From now on days up to ``until`` are out, later ones are not."""
        self.published_until = until

    def withhold(self, service: str, day: date) -> None:
        """Answer a service's day with nothing, until `release`."""
        self._withheld.add((service, day))

    def release(self) -> None:
        """Give out everything that was withheld."""
        self._withheld.clear()

    def correct(self, rows: pl.DataFrame) -> None:
        """Serve these stock rows (as ``stocks``, with their change) for their date and code; new codes are added."""
        for (day,), part in stock_rows(rows).group_by("date"):
            before = self._stocks.of(day)
            new = part.select(before.columns).cast(dict(before.schema)) if before.width else part
            self._stocks.replace(day, pl.concat([before.join(new, on="code", how="anti"), new]))

    def replace_day(self, day: date, rows: pl.DataFrame) -> None:
        """Serve exactly these stock rows for a day."""
        self._stocks.replace(day, stock_rows(rows))

    def requests_of(self, service: str, day: date | None = None) -> int:
        """How often a service was asked, of a day."""
        wanted = None if day is None else f"{day:%Y%m%d}"
        return sum(
            one.path == f"/svc/apis/{service}" and (wanted is None or _asked_day(one) == wanted) for one in self.seen
        )

    def answer(self, seen: Seen, spoil: Fault | None) -> Reply:
        service = seen.path.removeprefix("/svc/apis/")
        if not seen.path.startswith("/svc/apis/") or service not in SERVICES:
            return Reply(status=404, body=b"<html><body>404 Not Found</body></html>")
        key = seen.headers.get("auth_key", "")
        if service not in self.approvals.get(key, ()):
            return json_reply(UNAUTHORIZED, 401)
        if not self._counted(key):
            return json_reply({"respMsg": "API call limit exceeded", "respCode": "429"}, 429)
        asked = _asked_day(seen)
        try:
            day = date(int(asked[:4]), int(asked[4:6]), int(asked[6:8]))
        except ValueError:
            return json_reply({"OutBlock_1": []})
        hidden = (service, day) in self._withheld or (self.published_until is not None and day > self.published_until)
        rows = pl.DataFrame() if hidden else self._rows(service, day)
        return _block(rows, spoil)

    def _counted(self, key: str) -> bool:
        with self._count_lock:
            today = (key, self.clock())
            self.counted[today] = self.counted.get(today, 0) + 1
            return self.counted[today] <= self.quota

    def _rows(self, service: str, day: date) -> pl.DataFrame:
        if service in STOCK_SERVICES:
            return _stock_block(self._stocks.of(day), STOCK_SERVICES[service], day)
        if service == ETF_SERVICE:
            return _etf_block(self._etfs.of(day), day)
        if service in INDEX_SERVICES:
            return _index_block(self._indices.of(day), INDEX_SERVICES[service], day)
        last = self._master.newest_until(day)
        if last is None or last < day - timedelta(days=10):
            return pl.DataFrame()
        return _master_block(self._master.of(last), MASTER_SERVICES[service])


def _asked_day(seen: Seen) -> str:
    if seen.method == "POST":
        try:
            return str(json.loads(seen.body).get("basDd", ""))
        except (ValueError, AttributeError):
            return ""
    return seen.params.get("basDd", "")


def _text(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.String).fill_null("-")


def _stock_block(rows: pl.DataFrame, market: str, day: date) -> pl.DataFrame:
    if rows.is_empty():
        return rows
    rows = rows.filter(pl.col("market").replace(_MARKETS) == market)
    return rows.select(
        BAS_DD=pl.lit(f"{day:%Y%m%d}"),
        ISU_CD=pl.col("code"),
        ISU_NM=pl.col("name").fill_null(pl.col("code")),
        MKT_NM=pl.col("market"),
        SECT_TP_NM=_text("dept"),
        TDD_CLSPRC=_text("close"),
        CMPPREVDD_PRC=_text("change"),
        FLUC_RT=pl.lit("0.00"),  # nobody reads it; formatting 2,900 rates would cost more than the rest
        TDD_OPNPRC=_text("open"),
        TDD_HGPRC=_text("high"),
        TDD_LWPRC=_text("low"),
        ACC_TRDVOL=_text("volume"),
        ACC_TRDVAL=_text("amount"),
        MKTCAP=_text("market_cap"),
        LIST_SHRS=_text("listed_shares"),
    )


def _etf_block(rows: pl.DataFrame, day: date) -> pl.DataFrame:
    if rows.is_empty():
        return rows
    stock = _stock_block(rows.with_columns(market=pl.lit("KOSPI")), "KOSPI", day).drop("MKT_NM", "SECT_TP_NM")
    return stock.with_columns(
        NAV=pl.col("TDD_CLSPRC") + ".37",
        INVSTASST_NETASST_TOTAMT=pl.col("MKTCAP"),
        IDX_IND_NM=pl.lit("코스피 200"),
        OBJ_STKPRC_IDX=pl.lit("345.67"),
        CMPPREVDD_IDX=pl.lit("-1.20"),
        FLUC_RT_IDX=pl.lit("-0.35"),
    )


_INDEX_NAMES = {"KOSPI": "코스피", "KOSPI200": "코스피 200", "KOSDAQ": "코스닥", "KOSDAQ150": "코스닥 150"}


def _index_block(rows: pl.DataFrame, market: str, day: date) -> pl.DataFrame:
    if rows.is_empty():
        return rows
    rows = rows.filter(pl.col("index").str.starts_with(market)).with_columns(
        pl.col("index").replace(_INDEX_NAMES).alias("index")
    )
    if rows.is_empty():
        return pl.DataFrame()
    name = "코스피 (외국주포함)" if market == "KOSPI" else "코스닥 (외국주포함)"
    value = rows.select(
        BAS_DD=pl.lit(f"{day:%Y%m%d}"),
        IDX_CLSS=pl.lit(market),
        IDX_NM=pl.col("index"),
        CLSPRC_IDX=_level("close"),
        CMPPREVDD_IDX=_level("change"),
        FLUC_RT=_level("change_pct"),
        OPNPRC_IDX=_level("open"),
        HGPRC_IDX=_level("high"),
        LWPRC_IDX=_level("low"),
        ACC_TRDVOL=_text("volume"),
        ACC_TRDVAL=_text("amount"),
        MKTCAP=_text("market_cap"),
    )
    first = value.head(1).with_columns(
        *(pl.lit("-").alias(column) for column in value.columns[3:9]), IDX_NM=pl.lit(name)
    )
    sector = value.head(1).with_columns(IDX_NM=pl.lit(f"{_INDEX_NAMES[market]} 제조"), CLSPRC_IDX=pl.lit("1.23"))
    return pl.concat([first, value.reverse(), sector])


def _level(name: str) -> pl.Expr:
    return pl.col(name).map_elements(lambda value: f"{value:.2f}", return_dtype=pl.String).fill_null("-")


def _master_block(rows: pl.DataFrame, market: str) -> pl.DataFrame:
    rows = rows.filter(pl.col("market").replace(_MARKETS) == market)
    return rows.select(
        ISU_CD=pl.col("isin"),
        ISU_SRT_CD=pl.col("code"),
        ISU_NM=pl.col("full_name"),
        ISU_ABBRV=pl.col("name"),
        ISU_ENG_NM=pl.lit("English Name"),
        LIST_DD=pl.col("listing_date").dt.strftime("%Y%m%d").fill_null("-"),
        MKT_TP_NM=pl.col("market"),
        SECUGRP_NM=pl.col("group"),
        SECT_TP_NM=_text("dept"),
        KIND_STKCERT_TP_NM=pl.col("share_kind"),
        PARVAL=pl.lit("500"),
        LIST_SHRS=_text("listed_shares"),
    )


def _block(rows: pl.DataFrame, spoil: Fault | None) -> Reply:
    if rows.is_empty():
        return json_reply({"OutBlock_1": []})
    if spoil is Fault.HALF_ROWS:
        rows = rows.head(rows.height // 2)
    if spoil in {Fault.COMMAS, Fault.BROKEN_NUMBERS}:
        form = "{:,}" if spoil is Fault.COMMAS else "{:,}x"
        whole = [name for name in _NUMBERS if name in rows.columns and rows[name].str.contains(r"^-?\d+$").all()]
        rows = rows.with_columns(
            pl.col(name).map_elements(lambda value: form.format(int(value)), return_dtype=pl.String) for name in whole
        )
    return Reply(body=b'{"OutBlock_1":' + rows.write_json().encode() + b"}")
