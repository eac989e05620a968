"""Answers as KRX published them in its samples of 2024-01-05, read field by field."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from stocklab.data.sources.krx_rows import index_rows, master_rows, stock_cross_section
from stocklab.data.sources.text_rows import text_frame, wholes
from stocklab.data.sources.whole_market import bars_of_session
from stocklab.errors import SourceChanged

DAY = date(2024, 1, 5)
AJ = {
    "BAS_DD": "20240105", "ISU_CD": "095570", "ISU_NM": "AJ네트웍스", "MKT_NM": "KOSPI", "SECT_TP_NM": "-",
    "TDD_CLSPRC": "5280", "CMPPREVDD_PRC": "60", "FLUC_RT": "1.15", "TDD_OPNPRC": "5270", "TDD_HGPRC": "5290",
    "TDD_LWPRC": "5070", "ACC_TRDVOL": "410628", "ACC_TRDVAL": "2137622110", "MKTCAP": "238934567520",
    "LIST_SHRS": "45252759",
}  # fmt: skip
HALTED = {
    "BAS_DD": "20240105", "ISU_CD": "099520", "ISU_NM": "ITX-AI", "MKT_NM": "KOSDAQ",
    "SECT_TP_NM": "관리종목(소속부없음)", "TDD_CLSPRC": "1284", "CMPPREVDD_PRC": "0", "FLUC_RT": "0.00",
    "TDD_OPNPRC": "0", "TDD_HGPRC": "0", "TDD_LWPRC": "0", "ACC_TRDVOL": "0", "ACC_TRDVAL": "0",
    "MKTCAP": "58141862016", "LIST_SHRS": "45281824",
}  # fmt: skip
INDEX = {
    "BAS_DD": "20240105", "IDX_CLSS": "KOSPI", "IDX_NM": "코스피", "CLSPRC_IDX": "2578.08", "CMPPREVDD_IDX": "-8.94",
    "FLUC_RT": "-0.35", "OPNPRC_IDX": "2586.89", "HGPRC_IDX": "2592.29", "LWPRC_IDX": "2572.60",
    "ACC_TRDVOL": "520480370", "ACC_TRDVAL": "8379290435057", "MKTCAP": "2074105333144984",
}  # fmt: skip
FOREIGN = {**INDEX, "IDX_NM": "코스피 (외국주포함)", **dict.fromkeys(["CLSPRC_IDX", "OPNPRC_IDX", "HGPRC_IDX"], "-")}


def issue(code: str, name: str, group: str = "주권", kind: str = "보통주", section: str = "-") -> dict[str, str]:
    return {
        "ISU_CD": f"KR7{code}003", "ISU_SRT_CD": code, "ISU_NM": f"{name}보통주", "ISU_ABBRV": name, "ISU_ENG_NM": "X",
        "LIST_DD": "20150821", "MKT_TP_NM": "KOSDAQ", "SECUGRP_NM": group, "SECT_TP_NM": section,
        "KIND_STKCERT_TP_NM": kind, "PARVAL": "500", "LIST_SHRS": "45252759",
    }  # fmt: skip


def test_a_traded_share() -> None:
    bars, note, _ = bars_of_session("krx_openapi", DAY, stock_cross_section("krx_openapi", "KOSPI", [AJ]))
    assert note == ""
    assert bars.rows(named=True) == [
        {
            "session": DAY, "symbol": "095570", "open": 5270, "high": 5290, "low": 5070, "close": 5280,
            "volume": 410_628, "tv": 2_137_622_110, "change": 60, "market": "KOSPI", "mcap": 238_934_567_520,
            "shares_listed": 45_252_759, "dept": None, "source": "krx_openapi",
        }
    ]  # fmt: skip


def test_a_halted_share_keeps_its_close_and_has_no_range() -> None:
    bars, *_ = bars_of_session("krx_openapi", DAY, stock_cross_section("krx_openapi", "KOSDAQ", [HALTED]))
    row = bars.row(0, named=True)
    assert (row["open"], row["high"], row["low"], row["close"]) == (None, None, None, 1284)
    assert (row["volume"], row["tv"], row["change"], row["dept"]) == (0, 0, 0, "관리종목(소속부없음)")


def test_an_index_among_its_relatives() -> None:
    rows = index_rows("krx_openapi", DAY, [FOREIGN, INDEX], {"KOSPI": True, "KOSDAQ150": False})
    assert rows.rows() == [(DAY, "KOSPI", 2586.89, 2592.29, 2572.60, 2578.08, 520_480_370, 8_379_290_435_057)]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([FOREIGN], "KOSPI of 2024-01-05 is missing"),
        ([INDEX, INDEX], "is there twice"),
        ([{**INDEX, "CLSPRC_IDX": "-"}], "no close"),
        ([{**INDEX, "BAS_DD": "20240104"}], "another day"),
        ([{**INDEX, "LWPRC_IDX": "2,57.60"}], "expected a number in 'LWPRC_IDX'"),
        ([{**INDEX, "HGPRC_IDX": "9" * 400}], "expected a number in 'HGPRC_IDX'"),
    ],
)
def test_an_index_that_is_not_right(rows: list[Any], message: str) -> None:
    with pytest.raises(SourceChanged, match=message):
        index_rows("krx_openapi", DAY, rows, {"KOSPI": True})


def test_kinds_are_those_of_the_importers() -> None:
    rows = [
        issue("095570", "보통"),
        issue("095575", "보통우", kind="구형우선주"),
        issue("09557K", "보통2우B", kind="신형우선주"),
        issue("330590", "갑리츠", group="부동산투자회사", kind=""),
        issue("900140", "외국홀딩스", group="외국주권"),
        issue("950130", "외국바이오", group="주식예탁증권", kind="-"),
        issue("0088D0", "을제1호기업", section="SPAC(소속부없음)"),
        issue("0096B0", "병스팩12호"),
        issue("088980", "정인프라", group="사회간접자본투융자회사"),
    ]
    known = master_rows("krx_openapi", "KOSDAQ", rows)
    assert dict(known.select("symbol", "kind").rows()) == {
        "095570": "common",
        "095575": "preferred",
        "09557K": "preferred",
        "330590": "reit",
        "900140": "foreign",
        "950130": "foreign",
        "0088D0": "spac",
        "0096B0": "spac",
        "088980": "common",
    }
    assert set(known["market"]) == {"KOSDAQ"}
    assert set(known["listed_on"]) == {date(2015, 8, 21)}
    assert known["corp_code"].null_count() == known.height


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"MKT_NM": "KOSDAQ"}, "rows of another market"),
        ({"MKT_NM": "-"}, "rows of another market"),
        ({"BAS_DD": "2024-01-05"}, "expected a day"),
        ({"ISU_CD": "-"}, "no code"),
        ({"ACC_TRDVOL": "410628.5"}, "expected a whole number"),
        ({"ACC_TRDVOL": "4,10628"}, "expected a whole number"),
        ({"ACC_TRDVOL": "99999999999999999999"}, "expected a whole number"),
        ({"ACC_TRDVOL": 410628}, "expected text"),
        ({"ACC_TRDVOL": None}, "expected text"),
    ],
)
def test_a_field_that_is_not_the_protocol(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SourceChanged, match=message):
        stock_cross_section("krx_openapi", "KOSPI", [AJ, {**AJ, "ISU_CD": "000020", **change}])


def test_a_field_that_is_missing_is_named() -> None:
    short = {name: value for name, value in AJ.items() if name != "MKTCAP"}
    with pytest.raises(SourceChanged, match="'MKTCAP'"):
        stock_cross_section("krx_openapi", "KOSPI", [AJ, short])
    for rows in ({"a": 1}, ["a"], "text"):
        with pytest.raises(SourceChanged, match="list of rows"):
            stock_cross_section("krx_openapi", "KOSPI", rows)


def test_numbers_as_text() -> None:
    text = text_frame("s", [{"n": value} for value in ("1,234,567", "-5", "+7", " 8 ", "-", "", "0")], ["n"])
    assert wholes("s", text, "n").to_list() == [1_234_567, -5, 7, 8, None, None, 0]
