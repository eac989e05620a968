"""OpenDART over a real socket: what becomes of every kind of company, answer and fault."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from fakes.opendart import KEY, FakeDart, Line, Report
from fakes.socket_server import Fault
from polars.testing import assert_frame_equal

from stocklab.data import Store
from stocklab.data.datasets import DATASETS, conform
from stocklab.data.layouts import dart_accounts
from stocklab.data.layouts.piece import ROW
from stocklab.data.reading import SourceFile
from stocklab.data.sources.calls import KST, MemoryCalls
from stocklab.data.sources.feed import AnswerState, Window
from stocklab.data.sources.http import Pace, SourceClient
from stocklab.data.sources.opendart import BUDGET, FEED_PACE, PACE, DartClient
from stocklab.data.sources.opendart_accounts import MainAccounts
from stocklab.data.sources.opendart_companies import CorpCodes, Filings
from stocklab.data.sources.opendart_details import Dividends, Shares
from stocklab.data.sources.opendart_known import Company, DartKnown, Receipt
from stocklab.data.sources.opendart_statements import Statements
from stocklab.errors import (
    SourceBlocked,
    SourceChanged,
    SourceDenied,
    SourceError,
    SourceExhausted,
    SourceTemporary,
)

NOW = datetime(2026, 11, 26, 19, 0, tzinfo=KST)
FAST = Pace(
    least_gap_seconds=0,
    most_gap_seconds=0,
    budget=BUDGET,
    attempts=3,
    first_wait_seconds=0.01,
    longest_wait_seconds=0.02,
    timeout_seconds=10.0,
)
SAMSUNG, SINGLE, OLD, UNTAGGED, SEPARATE = "00126380", "00100001", "00100002", "00100003", "00100004"
MARCH, BANK, CORRECTED, GONE, ODD = "00100005", "00100006", "00100007", "00100008", "00100009"
SYMBOLS = {
    SAMSUNG: "005930",
    SINGLE: "000020",
    OLD: "000040",
    UNTAGGED: "000050",
    SEPARATE: "000060",
    MARCH: "000070",
    BANK: "000080",
    CORRECTED: "000100",
    GONE: "000110",
    ODD: "0009A0",
}


def _lines(profit: str = "30", *, year: str = "2024", sj: str = "IS", prefix: str = "ifrs-full_") -> list[Line]:
    return [
        Line("BS", f"{prefix}Assets", "자산총계", "1,000", prior="900"),
        Line("BS", f"{prefix}Liabilities", "부채총계", "400", prior="350"),
        Line("BS", f"{prefix}Equity", "자본총계", "600", prior="550"),
        Line(sj, f"{prefix}Revenue", "수익(매출액)", "460", prior="400"),
        Line(sj, "dart_OperatingIncomeLoss", "영업이익", "50", prior="44"),
        Line(sj, f"{prefix}ProfitLoss", "당기순이익", profit, prior="20"),
        Line("CF", f"{prefix}CashFlowsFromUsedInOperatingActivities", "영업활동현금흐름", "70", prior="60"),
        Line("SCE", f"{prefix}ProfitLoss", "당기순이익", "77"),
    ]


def _annual(corp: str, receipt: str = "20250311001085", *, year: str = "2024", **changes: Any) -> Report:
    report = Report(
        corp=corp,
        year=year,
        code="11011",
        receipt=receipt,
        start=f"{year}.01.01",
        end=f"{year}.12.31",
        lines={"CFS": _lines()},
        title=f"사업보고서 ({year}.12)",
    )
    return replace(report, **changes)


def _quarters() -> list[Report]:
    """A December company: 100 + 110 + 120 = 330 in nine months, 460 in the year, so 130 in the fourth quarter."""
    found = []
    for code, month, receipt, revenue, to_date in (
        ("11013", "03.31", "20240516000001", "100", "100"),
        ("11012", "06.30", "20240814000002", "110", "210"),
        ("11014", "09.30", "20241114000003", "120", "330"),
    ):
        lines = [
            Line("BS", "ifrs-full_Assets", "자산총계", "1,000", prior="900"),
            Line(
                "IS", "ifrs-full_Revenue", "매출액", revenue, to_date=to_date, prior_quarter="90", prior_to_date="260"
            ),
            Line("CF", "ifrs-full_CashFlowsFromUsedInOperatingActivities", "영업활동현금흐름", to_date),
        ]
        title = f"{'반기' if code == '11012' else '분기'}보고서 (2024.{month[:2]})"
        found.append(
            Report(
                corp=SAMSUNG,
                year="2024",
                code=code,
                receipt=receipt,
                start="2024.01.01",
                end=f"2024.{month}",
                lines={"CFS": lines, "OFS": lines[:2]},
                title=title,
            )
        )
    return found


@pytest.fixture
def fake() -> Iterator[FakeDart]:
    with FakeDart() as server:
        for corp, symbol in SYMBOLS.items():
            server.company(corp, symbol)
        yield server


@pytest.fixture
def calls() -> MemoryCalls:
    return MemoryCalls(clock=lambda: NOW)


@pytest.fixture
def known() -> DartKnown:
    found = DartKnown()
    for corp, symbol in SYMBOLS.items():
        month = 3 if corp == MARCH else 12
        gone = date(2022, 6, 1) if corp == GONE else None
        found.learn_company(Company(corp_code=corp, symbol=symbol, settle_month=month, delisted_on=gone))
    return found


@pytest.fixture
def client(fake: FakeDart, calls: MemoryCalls) -> Iterator[Callable[..., DartClient]]:
    opened: list[SourceClient] = []

    def make(pace: Pace = FAST, key: str = KEY) -> DartClient:
        http = SourceClient(source="opendart", base_url=fake.url, pace=pace, calls=calls)
        opened.append(http)
        return DartClient(client=http, key=key, clock=lambda: NOW)

    yield make
    for http in opened:
        http.close()


@pytest.fixture
def dart(client: Callable[..., DartClient]) -> DartClient:
    return client()


def _window(now: datetime = NOW) -> Window:
    return Window(sessions=np.array([now.date()], dtype="datetime64[D]"), now=now)


def _amounts(frame: pl.DataFrame, item: str, *columns: str) -> list[tuple[Any, ...]]:
    rows = conform("statements", frame).filter(pl.col("item") == item)
    return rows.select(*columns, "amount").rows()


def _feed(kind: type, dart: DartClient, known: DartKnown, now: datetime = NOW) -> Any:
    return kind(dart=dart, known=known, clock=lambda: now)


# --- full statements -------------------------------------------------------------------------------------------------


def test_quarters_of_a_year_as_filed(fake: FakeDart, dart: DartClient, known: DartKnown) -> None:
    fake.reports = [*_quarters(), _annual(SAMSUNG)]
    feed = _feed(Statements, dart, known)
    frames = [
        feed.fetch(f"2024/{code}/{SAMSUNG}").frames["statements"] for code in ("11013", "11012", "11014", "11011")
    ]
    own = pl.concat(frames).filter(pl.col("period_end") >= date(2024, 1, 1), pl.col("statement_basis") == "CFS")
    assert sorted(_amounts(own, "revenue", "period_end", "filed_on", "months")) == [
        (date(2024, 3, 31), date(2024, 5, 16), 3, 100.0),
        (date(2024, 6, 30), date(2024, 8, 14), 3, 110.0),
        (date(2024, 6, 30), date(2024, 8, 14), 6, 210.0),
        (date(2024, 9, 30), date(2024, 11, 14), 3, 120.0),
        (date(2024, 9, 30), date(2024, 11, 14), 9, 330.0),
        (date(2024, 12, 31), date(2025, 3, 11), 12, 460.0),
    ]
    # cash flows of quarterly reports run from the year's beginning, and so does a receipt's own year in a comparative
    assert (date(2024, 9, 30), 9, 330.0) in _amounts(own, "cfo", "period_end", "months")
    assert (date(2023, 12, 31), 12, 400.0) in _amounts(frames[3], "revenue", "period_end", "months")
    assert set(own["filed_source"]) == {"receipt"}


def test_what_companies_file_differently(fake: FakeDart, dart: DartClient, known: DartKnown) -> None:
    debt = [
        *_lines(),
        Line("BS", "-표준계정코드 미사용-", "1. 단기차입금", "12,345"),
        Line("BS", "-표준계정코드 미사용-", "이상한부채", "9"),
    ]
    bank = [
        Line("BS", "ifrs-full_Assets", "자산총계", "5,000"),
        Line("IS", "-표준계정코드 미사용-", "Ⅰ.영업수익", "800"),
        Line("IS", "ifrs-full_ProfitLoss", "당기순이익", "90"),
    ]
    odd = [
        Line("BS", "ifrs-full_Assets", "자산총계", "1,234,567,890"),
        Line("IS", "ifrs-full_Revenue", "매출액", "-"),
        Line("IS", "ifrs-full_ProfitLoss", "당기순이익", "-1,234"),
        Line("IS", "ifrs-full_GrossProfit", "매출총이익", ""),
    ]
    fake.reports = [
        _annual(SINGLE, lines={"CFS": _lines(sj="CIS")}),
        _annual(OLD, "20170330000001", year="2016", lines={"CFS": _lines(prefix="ifrs_")}),
        _annual(UNTAGGED, lines={"CFS": debt}),
        _annual(SEPARATE, lines={"OFS": _lines()}),
        _annual(BANK, lines={"CFS": bank}),
        _annual(ODD, lines={"CFS": odd}),
        _annual(GONE, "20220331000001", year="2021"),
    ]
    feed = _feed(Statements, dart, known)

    def item(corp: str, name: str, year: str = "2024") -> float | None:
        frame = feed.fetch(f"{year}/11011/{corp}").frames["statements"]
        found = _amounts(frame.filter(pl.col("period_end") == date(int(year), 12, 31)), name)
        return found[0][0] if found else None

    assert item(SINGLE, "net_income") == 30.0
    assert item(OLD, "net_income", "2016") == 30.0
    assert item(GONE, "net_income", "2021") == 30.0  # delisted since
    assert item(UNTAGGED, "st_debt") == 12_345.0
    assert item(BANK, "revenue") == 800.0
    assert item(BANK, "current_assets") is None
    assert item(ODD, "total_assets") == 1_234_567_890.0
    assert item(ODD, "net_income") == -1_234.0
    assert item(ODD, "revenue") is None  # "-" is nothing, not zero
    assert item(ODD, "gross_profit") is None
    separate = feed.fetch(f"2024/11011/{SEPARATE}").frames["statements"]
    assert set(separate["statement_basis"]) == {"OFS"}


def test_separate_statements_are_asked_for_only_where_there_are_no_others(
    fake: FakeDart, dart: DartClient, known: DartKnown
) -> None:
    fake.reports = [_annual(SAMSUNG), _annual(SEPARATE, lines={"OFS": _lines()})]
    feed = _feed(Statements, dart, known)
    for corp in (SAMSUNG, SEPARATE):
        feed.fetch(f"2024/11011/{corp}")
    bases = [one.params["fs_div"] for one in fake.asked if "All" in one.path]
    assert bases == ["CFS", "CFS", "OFS"]
    assert feed.fetch(f"2020/11011/{SAMSUNG}").state is AnswerState.EMPTY


def test_a_fiscal_year_to_march_is_dated_by_its_own_days(fake: FakeDart, dart: DartClient, known: DartKnown) -> None:
    report = _annual(MARCH, "20250627000009", start="2024.04.01", end="2025.03.31", title="사업보고서 (2025.03)")
    fake.reports = [report]
    feed = _feed(Statements, dart, known)
    row = feed.fetch(f"2024/11011/{MARCH}").frames["statements"]
    own = row.filter(pl.col("item") == "revenue", pl.col("months") == 12).sort("period_end")
    assert own.select("period_end", "fiscal_year", "fiscal_quarter").rows()[-1] == (date(2025, 3, 31), 2025, 4)
    # by arrival it is not known which year the service calls it: both are tried
    arrived = feed.fetch(f"2025-03/11011/{MARCH}/20250627000009")
    assert_frame_equal(arrived.frames["statements"], row)
    fake.reports = [replace(report, year="2025")]
    assert_frame_equal(feed.fetch(f"2025-03/11011/{MARCH}/20250627000009").frames["statements"], row)


def test_a_correction_is_another_version_and_the_first_one_stays(
    fake: FakeDart, dart: DartClient, known: DartKnown
) -> None:
    first = _annual(CORRECTED, "20250312000100", lines={"CFS": _lines("50")})
    second = replace(
        first, receipt="20250520000200", lines={"CFS": _lines("40")}, title="[기재정정]사업보고서 (2024.12)"
    )
    fake.reports = [first, second]
    fake.today = "20250401"
    filings, statements = _feed(Filings, dart, known), _feed(Statements, dart, known)
    filings.fetch("2025-03-12")
    keys = [key for key in statements.wanted({}, _window()) if CORRECTED in key and key.count("/") == 3]
    assert keys == [f"2024-12/11011/{CORRECTED}/20250312000100"]
    before = statements.fetch(keys[0]).frames["statements"]
    fake.today = "20250601"
    filings.fetch("2025-05-20")
    newest = statements.wanted({keys[0]: "sum"}, _window())[0]
    assert newest == f"2024-12/11011/{CORRECTED}/20250520000200"
    both = pl.concat([before, statements.fetch(newest).frames["statements"]])
    own = both.filter(pl.col("period_end") == date(2024, 12, 31))
    assert _amounts(own, "net_income", "filed_on") == [(date(2025, 3, 12), 50.0), (date(2025, 5, 20), 40.0)]
    # asked for only now, the first version is no longer served, and what is served is not taken for it
    gone = statements.fetch(keys[0])
    assert gone.state is AnswerState.EMPTY
    assert "20250520000200" in gone.note


def test_a_report_that_was_received_but_is_not_served_yet(fake: FakeDart, dart: DartClient, known: DartKnown) -> None:
    key = f"2026-09/11014/{SAMSUNG}/20261113000123"
    assert _feed(Statements, dart, known).fetch(key).state is AnswerState.NOT_YET
    late = _feed(Statements, dart, known, NOW + timedelta(days=30))
    assert late.fetch(key).state is AnswerState.EMPTY


def test_lines_that_cannot_be_read_are_left_out_aloud(fake: FakeDart, dart: DartClient, known: DartKnown) -> None:
    bad = [*_lines(), Line("BS", "ifrs-full_Inventories", "재고자산", "12O0")]
    fake.reports = [_annual(SAMSUNG, lines={"CFS": bad}), _annual(SINGLE, currency="USD")]
    feed = _feed(Statements, dart, known)
    unread = feed.fetch(f"2024/11011/{SAMSUNG}")
    assert (unread.state, dict(unread.frames)) == (AnswerState.EMPTY, {})
    assert "12O0" in unread.note
    foreign = feed.fetch(f"2024/11011/{SINGLE}")
    assert foreign.state is AnswerState.EMPTY
    assert "USD" in foreign.note or "period" in foreign.note


def test_what_is_asked_for_and_in_which_order(known: DartKnown, dart: DartClient) -> None:
    wanted = list(_feed(Statements, dart, known).wanted({}, _window()))
    assert len(wanted) == len(set(wanted))
    # 2026-09-30 plus the deadline is still to come: reports of the third quarter are found by their arrival
    assert wanted[0] == f"2026/11012/{SINGLE}"
    assert f"2026/11014/{SAMSUNG}" not in wanted
    years = [int(key[:4]) for key in wanted]
    assert years == sorted(years, reverse=True)
    assert min(years) == 2015
    # nobody asks for years after a delisting, nor for a fiscal year to March before the later reading of it is due
    assert {key[:4] for key in wanted if GONE in key} == {str(year) for year in range(2015, 2023)}
    assert f"2025/11011/{MARCH}" in wanted
    assert f"2026/11012/{MARCH}" not in wanted


# --- main accounts ---------------------------------------------------------------------------------------------------


def test_main_accounts_of_many_companies(fake: FakeDart, dart: DartClient) -> None:
    known = DartKnown()
    for number in range(250):
        corp = f"{48 * number + 7:08}"
        fake.company(corp, f"{number:05}0")
        known.learn_company(Company(corp_code=corp, symbol=f"{number:05}0", settle_month=12))
        if number % 2:
            fake.reports.append(_annual(corp, f"2025031100{number:04}"))
    feed = _feed(MainAccounts, dart, known)
    answer = feed.fetch("2024/11011/part-007")
    assert [len(one.params["corp_code"].split(",")) for one in fake.asked] == [100, 100, 50]
    frame = conform("statements", answer.frames["statements"])
    assert frame["symbol"].n_unique() == 125
    one = frame.filter(pl.col("symbol") == "000010").select("item", "months", "amount").sort("item")
    assert dict(one.select("item", "amount").iter_rows()) == {
        "net_income": 30.0,
        "operating_income": 50.0,
        "revenue": 460.0,
        "total_assets": 1000.0,
        "total_equity": 600.0,
        "total_liabilities": 400.0,
    }
    # every company belongs to one part, whoever else is known
    assert known.receipt("20250311000001") is not None
    assert feed.fetch("2024/11011/part-008").state is AnswerState.EMPTY


def test_main_accounts_give_three_months_and_the_year_to_date(
    fake: FakeDart, dart: DartClient, known: DartKnown
) -> None:
    fake.reports = _quarters()
    part = int(SAMSUNG) % 48
    frame = _feed(MainAccounts, dart, known).fetch(f"2024/11014/part-{part:03}").frames["statements"]
    assert _amounts(frame, "revenue", "statement_basis", "period_end", "months") == [
        ("CFS", date(2024, 9, 30), 3, 120.0),
        ("CFS", date(2024, 9, 30), 9, 330.0),
        ("OFS", date(2024, 9, 30), 3, 120.0),
        ("OFS", date(2024, 9, 30), 9, 330.0),
    ]


def test_when_main_accounts_are_asked_for(dart: DartClient, known: DartKnown) -> None:
    feed = _feed(MainAccounts, dart, known)
    wanted = list(feed.wanted({}, _window()))
    assert wanted[0] == "2026/11012/part-000/early"
    assert "2025/11013/part-000" in wanted
    assert not any(key.startswith("2026/11014") for key in wanted)
    assert feed.fetch("2026/11014/part-000/early").state is AnswerState.NOT_YET
    assert feed.fetch("2026/11012/part-000/early").state is AnswerState.EMPTY
    assert wanted[0] not in feed.wanted({wanted[0]: "sum"}, _window())
    assert not _feed(MainAccounts, dart, DartKnown()).wanted({}, _window())


def test_main_accounts_leave_out_what_cannot_be_dated_or_counted(
    fake: FakeDart, dart: DartClient, known: DartKnown
) -> None:
    base = {
        "rcept_no": "20250311001085",
        "reprt_code": "11011",
        "bsns_year": "2024",
        "stock_code": "005930",
        "fs_div": "CFS",
        "sj_div": "BS",
        "account_nm": "자산총계",
        "thstrm_dt": "2024.12.31 현재",
        "thstrm_amount": "1,000",
        "currency": "KRW",
    }
    rows = [
        base,
        dict(base),  # the same line again says nothing new
        {**base, "thstrm_amount": "1,001"},
        {**base, "account_nm": "부채총계", "thstrm_amount": "n/a"},
        {**base, "account_nm": "자본총계", "thstrm_amount": "-"},
        {**base, "fs_div": "OFS", "rcept_no": "20241231000001"},  # received on the period's last day
        {**base, "account_nm": "비유동자산", "currency": "USD"},
    ]
    fake.reports = [_annual(SAMSUNG, main=rows)]
    answer = _feed(MainAccounts, dart, known).fetch(f"2024/11011/part-{int(SAMSUNG) % 48:03}")
    frame = answer.frames["statements"]
    assert frame.select("item", "amount").rows() == [("total_assets", 1000.0)]
    for what in (
        "1 amounts that are no numbers",
        "other currencies",
        "before their receipt",
        "1 amounts of an account",
    ):
        assert what in answer.note


@pytest.mark.realdata
def test_real_main_accounts_equal_the_imported_ones(fake: FakeDart, dart: DartClient, real_data: Path) -> None:
    """Rows of six companies, one of a fiscal year to March, behind the service, against the import of the file."""
    file = real_data / "dart_major_accounts_2016_2021.parquet"
    table = pl.read_parquet(file).filter(
        pl.col("code").is_in(["005930", "000020", "000660", "035420", "068270", "060310"])
    )
    expected = dart_accounts.LAYOUTS[0].read(SourceFile(file, table))[0].frame.drop(ROW)  # type: ignore[misc]
    names = {
        "current_assets": "유동자산",
        "noncurrent_assets": "비유동자산",
        "total_assets": "자산총계",
        "current_liabilities": "유동부채",
        "noncurrent_liabilities": "비유동부채",
        "total_liabilities": "부채총계",
        "capital_stock": "자본금",
        "retained_earnings": "이익잉여금",
        "total_equity": "자본총계",
        "revenue": "매출액",
        "operating_income": "영업이익",
        "pretax_income": "법인세차감전 순이익",
        "net_income": "당기순이익(손실)",
    }
    known, made = DartKnown(), {}
    for row in table.iter_rows(named=True):
        corp = f"{int(row['code']) // 10 * 48:08}"
        known.learn_company(Company(corp_code=corp, symbol=row["code"]))
        fake.company(corp, row["code"])
        code = {1: "11013", 2: "11012", 3: "11014", 4: "11011"}[row["quarter"]]
        receipt = f"{row['rcept_date']:%Y%m%d}{row['quarter']:06}"
        for theirs, name in names.items():
            if row[theirs] is None:
                continue
            flow = theirs in {"revenue", "operating_income", "pretax_income", "net_income"}
            period = f"{row['is_start']:%Y.%m.%d} ~ {row['is_end']:%Y.%m.%d}"
            if flow and (row["is_start"] is None or row["is_end"] is None):
                period = ""
            made.setdefault((corp, str(row["bsns_year"]), code, receipt), []).append(
                {
                    "rcept_no": receipt,
                    "reprt_code": code,
                    "bsns_year": str(row["bsns_year"]),
                    "stock_code": row["code"],
                    "fs_div": row["fs_div"],
                    "sj_div": "IS" if flow else "BS",
                    "account_nm": name,
                    "thstrm_dt": period if flow else f"{row['bs_date']:%Y.%m.%d} 현재",
                    "thstrm_amount": f"{row[theirs]:,}",
                    "currency": "KRW",
                }
            )
    for (corp, year, code, receipt), rows in made.items():
        fake.reports.append(
            Report(corp=corp, year=year, code=code, receipt=receipt, start="", end="", lines={}, main=rows)
        )
    feed = _feed(MainAccounts, dart, known)
    frames = []
    for year in range(2015, 2023):
        for code in ("11013", "11012", "11014", "11011"):
            answer = feed.fetch(f"{year}/{code}/part-000")
            frames += list(answer.frames.values())
    got = conform("statements", pl.concat(frames)).drop("filing_no")
    assert expected.height > 2_500
    assert_frame_equal(got, conform("statements", expected).drop("filing_no"))


# --- companies, filings, dividends, shares ----------------------------------------------------------------------------


def _instruments() -> pl.DataFrame:
    rows = [
        {"symbol": symbol, "name": f"N{symbol}", "market": "KOSPI", "kind": kind, "settle_month": month}
        for symbol, kind, month in (("005930", "common", 12), ("005935", "preferred", None), ("0009A0", "common", 3))
    ]
    frame = pl.DataFrame(rows, schema_overrides={"settle_month": pl.Int8})
    empty = {"sector": pl.String, "listed_on": pl.Date, "corp_code": pl.String}
    return frame.with_columns(pl.lit(None, dtype=dtype).alias(name) for name, dtype in empty.items())


def test_company_codes_complete_known_instruments(fake: FakeDart, dart: DartClient) -> None:
    fake.company("00999999", "005930", modified="20100101")  # the code was used by another company before
    fake.company("00888888", " ")
    known = DartKnown(instruments=_instruments())
    feed = _feed(CorpCodes, dart, known)
    assert feed.wanted({}, _window()) == ["2026-W48"]
    frame = conform("instruments", feed.fetch("2026-W48").frames["instruments"])
    assert frame.select("symbol", "corp_code", "kind").rows() == [
        ("0009A0", ODD, "common"),
        ("005930", SAMSUNG, "common"),
        ("005935", SAMSUNG, "preferred"),
    ]
    assert [(one.symbol, one.settle_month) for one in known.companies()] == [("0009A0", 3), ("005930", 12)]
    assert _feed(CorpCodes, dart, DartKnown()).fetch("2026-W48").state is AnswerState.NOT_YET
    fake.cut_zip = True
    with pytest.raises(SourceTemporary, match="cut or damaged"):
        feed.fetch("2026-W49")


def test_filings_of_a_day_are_paged_and_survive_the_store(
    fake: FakeDart, dart: DartClient, known: DartKnown, tmp_path: Path
) -> None:
    for number in range(230):
        fake.others.append(
            {
                "corp_code": "00777777",
                "corp_name": "비상장",
                "stock_code": " ",
                "corp_cls": "E",
                "report_nm": "분기보고서 (2026.09)",
                "rcept_no": f"20261113{number:06}",
                "flr_nm": "x",
                "rcept_dt": "20261113",
                "rm": "",
                "_ty": "A",
            }
        )
    fake.reports = [_annual(SAMSUNG, "20261113900000", year="2026", code="11014", title="분기보고서 (2026.09)")]
    feed = _feed(Filings, dart, known)
    answer = feed.fetch("2026-11-13")
    assert len(fake.asked) == 3
    frame = conform("filings", answer.frames["filings"])
    assert frame.rows() == [
        (
            "005930",
            "20261113900000",
            date(2026, 11, 13),
            "11014",
            date(2026, 9, 30),
            SAMSUNG,
            "분기보고서 (2026.09)",
        )
    ]
    store = Store(tmp_path)
    statements = _feed(Statements, dart, known).fetch(f"2026-09/11014/{SAMSUNG}/20261113900000").frames["statements"]
    written = {"filings": frame, "statements": statements, "instruments": _instruments()}
    store.write(written, sources=dict.fromkeys(written, "test"), synthetic=False)
    again = DartKnown.of_snapshot(store.current())
    assert again.arrivals() == known.arrivals()
    assert again.receipt("20261113900000") == Receipt(period_end=date(2026, 9, 30), bases=frozenset({"CFS"}))
    assert DartKnown.of_snapshot(None).companies() == again.companies() == []  # no codes are known yet
    fake.bad_total = True
    with pytest.raises(SourceTemporary, match="of 232"):
        feed.fetch("2026-11-13")


def test_today_is_learnt_but_not_over(fake: FakeDart, dart: DartClient, known: DartKnown) -> None:
    fake.reports = [_annual(SAMSUNG, "20261126000001", code="11014", title="분기보고서 (2026.09)")]
    feed = _feed(Filings, dart, known)
    assert feed.fetch("2026-11-26").state is AnswerState.NOT_YET
    assert _feed(Statements, dart, known).wanted({}, _window())[0] == f"2026-09/11014/{SAMSUNG}/20261126000001"
    assert feed.fetch("2026-11-22").state is AnswerState.EMPTY
    days = feed.wanted({"2026-11-24": "sum", "2026-03-02": "sum"}, _window())
    assert days[:2] == ["2026-11-26", "2026-11-25"]
    assert "2026-11-24" not in days
    assert len(days) == 270 - 2  # from the first known day to today
    assert len(feed.wanted({}, _window())) == 121


def _dividend(per_share: str, total: str, kind: str = "보통주") -> list[dict[str, str]]:
    return [
        {"se": "주당액면가액(원)", "thstrm": "100"},
        {"se": "현금배당금총액(백만원)", "thstrm": total},
        {"se": "주당 현금배당금(원)", "stock_knd": kind, "thstrm": per_share},
        {"se": "주당 현금배당금(원)", "stock_knd": "우선주", "thstrm": "1,445"},
    ]


def test_dividends_a_common_share(fake: FakeDart, dart: DartClient, known: DartKnown) -> None:
    both = {"CFS": _lines(), "OFS": _lines()}
    fake.reports = [
        _annual(SAMSUNG, lines=both, dividends=_dividend("1,444", "9,809,438")),
        _annual(SINGLE, dividends=_dividend("-", "-")),
        _annual(OLD, dividends=_dividend("-", "77")),
        _annual(BANK, dividends=[{"se": "주당액면가액(원)", "thstrm": "100"}]),
    ]
    feed = _feed(Dividends, dart, known)
    frame = feed.fetch(f"2024/11011/{SAMSUNG}").frames["statements"]
    assert _amounts(frame, "dps", "statement_basis", "months", "filed_on") == [
        ("CFS", 12, date(2025, 3, 11), 1444.0),
        ("OFS", 12, date(2025, 3, 11), 1444.0),
    ]
    # "-" is zero only where the report's total says that nothing was paid
    assert _amounts(feed.fetch(f"2024/11011/{SINGLE}").frames["statements"], "dps") == [(0.0,)]
    unclear = feed.fetch(f"2024/11011/{OLD}")
    assert (unclear.state, unclear.frames) == (AnswerState.EMPTY, {})
    assert "how much a share" in unclear.note
    assert feed.fetch(f"2024/11011/{BANK}").state is AnswerState.EMPTY
    # none: totals are not stated either
    fake.reports.append(_annual(ODD, dividends=[{"se": "주당 현금배당금(원)", "stock_knd": "보통주", "thstrm": "-"}]))
    assert feed.fetch(f"2024/11011/{ODD}").state is AnswerState.EMPTY


def test_share_counts(fake: FakeDart, dart: DartClient, known: DartKnown) -> None:
    def table(own: str, issued: str = "5,969,782,550", outstanding: str = "-") -> list[dict[str, str]]:
        shares = {"istc_totqy": issued, "tesstk_co": own, "distb_stock_co": outstanding, "stlm_dt": "2024-12-31"}
        return [
            {"se": "보통주", **shares},
            {"se": "우선주", **shares, "istc_totqy": "815,974,664"},
            {"se": "합계", **shares, "istc_totqy": "6,785,757,214"},
        ]

    fake.reports = [
        _annual(SAMSUNG, shares=table("33,000")),
        _annual(SINGLE, shares=table("-", outstanding="5,969,782,550")),
        _annual(OLD, shares=table("-")),
        _annual(BANK, shares=table("둘")),
    ]
    feed = _feed(Shares, dart, known)
    frames = feed.fetch(f"2024/11011/{SAMSUNG}").frames
    assert _amounts(frames["statements"], "shares_issued", "months") == [(0, 6_785_757_214.0)]
    assert conform("share_structure", frames["share_structure"]).rows() == [
        ("005930", date(2024, 12, 31), date(2025, 3, 11), None, 33_000)
    ]
    assert feed.fetch(f"2024/11011/{SINGLE}").frames["share_structure"]["shares_treasury"].to_list() == [0]
    assert "share_structure" not in feed.fetch(f"2024/11011/{OLD}").frames
    assert feed.fetch(f"2024/11011/{BANK}").state is AnswerState.EMPTY


# --- faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("010", SourceDenied),
        ("011", SourceDenied),
        ("012", SourceDenied),
        ("901", SourceDenied),
        ("020", SourceExhausted),
        ("021", SourceChanged),
        ("100", SourceChanged),
        ("800", SourceBlocked),
        ("999", SourceChanged),
    ],
)
def test_statuses(fake: FakeDart, dart: DartClient, known: DartKnown, status: str, error: type[SourceError]) -> None:
    fake.reports, fake.echo_key = [_annual(SAMSUNG)], True
    for feed, key in (
        (_feed(Statements, dart, known), f"2024/11011/{SAMSUNG}"),
        (_feed(CorpCodes, dart, known), "2026-W48"),
    ):
        before = len(fake.asked)
        fake.statuses.append(status)
        with pytest.raises(error) as raised:
            feed.fetch(key)
        assert KEY not in str(raised.value)
        assert len(fake.asked) <= before + 1
        if status in {"020", "800"}:
            with pytest.raises(SourceBlocked) as blocked:
                feed.fetch(key)
            assert len(fake.asked) == 1  # not even asked
            wait = blocked.value.until - NOW
            assert wait == (timedelta(hours=1) if status == "800" else timedelta(hours=5))
            return


def test_an_undefined_error_is_tried_again(fake: FakeDart, dart: DartClient, known: DartKnown) -> None:
    fake.reports = [_annual(SAMSUNG)]
    fake.statuses.extend(["900", "900"])
    assert _feed(Statements, dart, known).fetch(f"2024/11011/{SAMSUNG}").state is AnswerState.FINAL
    fake.statuses.extend(["900"] * 3)
    with pytest.raises(SourceTemporary, match="900"):
        _feed(Statements, dart, known).fetch(f"2024/11011/{SAMSUNG}")


@pytest.mark.parametrize("fault", list(Fault))
def test_no_fault_is_taken_for_an_answer(
    fake: FakeDart, client: Callable[..., DartClient], known: DartKnown, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    dart = client(replace(FAST, attempts=2, timeout_seconds=0.3) if fault is Fault.SLOW else FAST)
    caplog.set_level(logging.DEBUG, logger="stocklab")
    fake.reports = [_annual(SAMSUNG)]
    feeds = [
        (_feed(Statements, dart, known), f"2024/11011/{SAMSUNG}"),
        (_feed(MainAccounts, dart, known), f"2024/11011/part-{int(SAMSUNG) % 48:03}"),
        (_feed(Filings, dart, known), "2025-03-11"),
        (_feed(CorpCodes, dart, DartKnown(instruments=_instruments())), "2026-W48"),
    ]
    for feed, key in feeds:
        fake.always = fault
        with pytest.raises((SourceTemporary, SourceChanged)) as raised:
            feed.fetch(key)
        assert KEY not in str(raised.value)
        fake.always = None
        feed.dart = client()
        assert feed.fetch(key).state is AnswerState.FINAL
    assert KEY not in caplog.text


@pytest.mark.parametrize("name", ["rcept_no", "reprt_code", "thstrm_amount", "account_nm"])
def test_a_field_that_is_gone_is_noticed(fake: FakeDart, dart: DartClient, known: DartKnown, name: str) -> None:
    fake.reports, fake.drop_field = [_annual(SAMSUNG)], name
    for kind, key in ((Statements, f"2024/11011/{SAMSUNG}"), (MainAccounts, f"2024/11011/part-{int(SAMSUNG) % 48:03}")):
        with pytest.raises(SourceChanged):
            _feed(kind, dart, known).fetch(key)


def test_pace_and_budget_are_kept(
    fake: FakeDart, client: Callable[..., DartClient], known: DartKnown, calls: MemoryCalls
) -> None:
    feed = _feed(Statements, client(PACE), known)
    begin = time.monotonic()
    for year in range(2015, 2018):
        feed.fetch(f"{year}/11011/{SAMSUNG}")
    assert len(fake.asked) == 6
    # arrivals, which a busy machine can only delay: the n-th request never comes before its turn
    early = [number for number, one in enumerate(fake.asked) if one.at - begin < number * PACE.least_gap_seconds]
    assert early == []
    small = _feed(Statements, client(replace(FAST, budget=8)), known)
    small.fetch(f"2018/11011/{SAMSUNG}")
    with pytest.raises(SourceExhausted):
        small.fetch(f"2019/11011/{SAMSUNG}")
    assert len(fake.asked) == calls.taken("opendart") == 8
    assert (PACE.budget, FEED_PACE.budget) == (19_000, 17_500)
    assert set(DATASETS) >= {"filings"}
