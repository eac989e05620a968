"""Files of company reports and market data reach the store as they are, or are refused whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from stocklab.data import Store, import_paths
from stocklab.data.layouts.dart_accounts import ITEM_OF, MAJOR_COLUMNS, QUARTERLY_COLUMNS
from stocklab.errors import BrokenInput

Put = Callable[[str, pl.DataFrame], Path]


def stored(store: Store, name: str = "statements") -> pl.DataFrame:
    snapshot = store.current()
    assert snapshot is not None
    return snapshot.scan(name).collect()


def amounts(store: Store, *columns: str, **where: object) -> list[tuple[Any, ...]]:
    return stored(store).filter(*(pl.col(name) == value for name, value in where.items())).select(columns).rows()


def major(**changes: object) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(MAJOR_COLUMNS)
    row |= {
        "code": "005930",
        "rcept_date": date(2019, 5, 15),
        "fs_div": "CFS",
        "quarter": 1,
        "bs_date": date(2019, 3, 31),
        "is_start": date(2019, 1, 1),
        "is_end": date(2019, 3, 31),
        "total_assets": 900,
        "capital_stock": 10,
        "revenue": 70,
    }
    return row | changes


def majors(*rows: dict[str, object]) -> pl.DataFrame:
    money = dict.fromkeys(ITEM_OF, pl.Int64)
    return pl.DataFrame(rows, schema_overrides={**money, "is_start": pl.Date, "is_end": pl.Date})


ANNUAL = {
    "quarter": 4,
    "bs_date": date(2018, 12, 31),
    "is_start": date(2018, 1, 1),
    "is_end": date(2018, 12, 31),
    "rcept_date": date(2019, 4, 1),
}


def test_main_accounts(store: Store, put: Put) -> None:
    report = import_paths(store, [put("dart_major_accounts_x.parquet", majors(major(), major(**ANNUAL, revenue=300)))])
    assert report.added == {"statements": 6}
    first = stored(store).filter(pl.col("item") == "revenue").row(0, named=True)
    assert first == {
        "symbol": "005930",
        "period_end": date(2018, 12, 31),
        "fiscal_year": 2018,
        "fiscal_quarter": 4,
        "statement_basis": "CFS",
        "filed_on": date(2019, 4, 1),
        "filed_source": "receipt",
        "filing_no": None,
        "months": 12,
        "item": "revenue",
        "amount": 300.0,
    }
    assert amounts(store, "item", "months", "amount", fiscal_quarter=1) == [
        ("issued_capital", 0, 10),
        ("revenue", 3, 70),
        ("total_assets", 0, 900),
    ]


def test_fiscal_years_that_do_not_end_in_december(store: Store, put: Put) -> None:
    rows = [
        # a March year, then nine months to a new December year end, then two months of a company just founded
        major(code="000220", quarter=1, bs_date=date(2016, 6, 30), is_start=date(2016, 4, 1), is_end=date(2016, 6, 30)),
        major(code="000220", quarter=4, bs_date=date(2017, 3, 31), is_start=date(2016, 4, 1), is_end=date(2017, 3, 31)),
        major(
            code="000220", quarter=4, bs_date=date(2017, 12, 31), is_start=date(2017, 4, 1), is_end=date(2017, 12, 31)
        ),
        major(code="000230", quarter=1, bs_date=date(2018, 3, 31), is_start=date(2018, 2, 5), is_end=date(2018, 3, 31)),
        major(code="000230", quarter=2, bs_date=date(2018, 6, 30), is_start=date(2018, 2, 5), is_end=date(2018, 6, 30)),
    ]
    import_paths(store, [put("dart_major_accounts_x.csv", majors(*rows))])
    assert amounts(store, "symbol", "period_end", "fiscal_year", "fiscal_quarter", "months", item="revenue") == [
        ("000220", date(2016, 6, 30), 2017, 1, 3),
        ("000220", date(2017, 3, 31), 2017, 4, 12),
        ("000220", date(2017, 12, 31), 2017, 4, 9),
        ("000230", date(2018, 3, 31), 2018, 1, 2),
        ("000230", date(2018, 6, 30), 2018, 2, 3),
    ]


def test_foreign_issuers_are_left_out_and_said(store: Store, put: Put) -> None:
    report = import_paths(store, [put("dart_major_accounts_x.parquet", majors(major(), major(code="900070")))])
    assert report.files[0].note.startswith("1 foreign issuers (900070; 1 reports) left out")
    assert set(stored(store)["symbol"]) == {"005930"}


def quarterly(rows: list[tuple[str, int, int, int | None]]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=["code", "bsns_year", "quarter", "revenue"], orient="row")
    empty = [name for name in QUARTERLY_COLUMNS if name not in frame.columns]
    return frame.with_columns(pl.lit(None, dtype=pl.Int64).alias(name) for name in empty).with_columns(
        total_assets=pl.lit(500)
    )


def test_quarterly_accounts_without_receipts(store: Store, put: Put) -> None:
    rows = [("005930", 2015, 4, 400)]  # no quarters before: the year
    rows += [("005930", 2016, quarter, 100 + quarter) for quarter in (1, 2, 3, 4)]  # all of them: three months
    rows += [("005930", 2017, 2, 100), ("005930", 2017, 4, 310)]  # the year less one quarter: no use
    rows += [("373220", 2017, 1, 7), ("373220", 2019, 1, 8)]  # joined later: 60 days at first
    report = import_paths(store, [put("dart_kospi50_quarterly_x.parquet", quarterly(rows))])
    assert "1 fourth-quarter amounts left out" in report.files[0].note
    assert amounts(store, "period_end", "months", "filed_on", item="revenue", symbol="005930") == [
        (date(2015, 12, 31), 12, date(2016, 3, 30)),
        (date(2016, 3, 31), 3, date(2016, 5, 16)),
        (date(2016, 6, 30), 3, date(2016, 8, 16)),
        (date(2016, 9, 30), 3, date(2016, 11, 14)),
        (date(2016, 12, 31), 3, date(2017, 3, 31)),
        (date(2017, 6, 30), 3, date(2017, 8, 14)),
    ]
    late = amounts(store, "period_end", "filed_on", item="revenue", symbol="373220")
    assert late == [(date(2017, 3, 31), date(2017, 5, 30)), (date(2019, 3, 31), date(2019, 5, 15))]
    assert set(stored(store).select("statement_basis", "filed_source").rows()) == {("OFS", "deadline")}


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (None,)])
def test_a_receipt_takes_the_place_of_a_deadline(order: tuple[int | None, ...], store: Store, put: Put) -> None:
    files = [
        put("dart_kospi50_quarterly_x.parquet", quarterly([("005930", 2018, 4, 60), ("005930", 2019, 1, 71)])),
        # amended years later: until then the number was another, so that the guess must not show it
        put("dart_major_accounts_x.parquet", majors(major(fs_div="OFS", rcept_date=date(2021, 2, 1)), major())),
    ]
    for place in order:
        report = import_paths(store, files if place is None else [files[place]])
    assert any("1 reports dated by their deadline gave way" in note for note in report.notes)
    assert amounts(
        store, "period_end", "filed_on", "filed_source", "amount", statement_basis="OFS", item="revenue"
    ) == [
        (date(2018, 12, 31), date(2019, 4, 1), "deadline", 60),
        (date(2019, 3, 31), date(2021, 2, 1), "receipt", 70),
    ]
    again = import_paths(store, files)
    assert again.unchanged


def test_company_codes_complete_known_instruments(store: Store, put: Put) -> None:
    codes = pl.DataFrame(
        {"code": ["005930", "000010"], "corp_code": ["00126380", "00149293"], "corp_name": ["삼성전자", "신한은행"]}
    )
    master = pl.DataFrame(
        {"code": ["005930"], "name": ["삼성"], "market": ["KOSPI"], "kind": ["common"], "industry": ["가"]}
    ).with_columns(listing_date=date(1975, 6, 11), settle_month=pl.lit("12월"), corp_code=pl.lit(None, dtype=pl.String))
    report = import_paths(store, [put("dart_corp_codes.parquet", codes), put("krx_sectors.parquet", master)])
    assert stored(store, "instruments").select("symbol", "name", "corp_code").rows() == [("005930", "삼성", "00126380")]
    assert "no instrument is added" in report.files[0].note
    with pytest.raises(BrokenInput, match="eight digits"):
        import_paths(store, [put("dart_corp_codes_y.csv", codes.with_columns(corp_code=pl.lit("126380")))])


# full statements


def lines(*rows: dict[str, object]) -> pl.DataFrame:
    filing: dict[str, object] = {
        "rcept_no": "20190515000001",
        "reprt_code": "11013",
        "bsns_year": "2019",
        "corp_code": "00126380",
        "stock_code": "005930",
        "fs_div": "CFS",
        "period_end": "2019-03-31",
        "sj_div": "BS",
        "account_id": "ifrs-full_Assets",
        "account_nm": "자산총계",
        "thstrm_amount": "1,234,567",
        "thstrm_add_amount": "",
        "frmtrm_amount": "1,000",
        "frmtrm_q_amount": "-",
        "frmtrm_add_amount": None,
        "currency": "KRW",
    }
    return pl.DataFrame([filing | row for row in rows], schema=dict.fromkeys(filing, pl.String))


REVENUE = {"sj_div": "IS", "account_id": "ifrs_Revenue", "account_nm": "매출액"}


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_full_statements(ending: str, store: Store, put: Put) -> None:
    revenue = {**REVENUE, "thstrm_amount": "500", "frmtrm_amount": "9,999", "frmtrm_q_amount": "-450"}
    report = import_paths(store, [put(f"dart_statements_2019.{ending}", lines({}, revenue))])
    assert report.files[0].layout == "dart_statements"
    columns = ("period_end", "fiscal_year", "fiscal_quarter", "months", "amount", "filed_on", "filing_no")
    receipt = (date(2019, 5, 15), "20190515000001")
    assert amounts(store, *columns, item="total_assets") == [
        (date(2018, 12, 31), 2018, 4, 0, 1_000, *receipt),
        (date(2019, 3, 31), 2019, 1, 0, 1_234_567, *receipt),
    ]
    assert amounts(store, *columns, item="revenue") == [
        (date(2018, 3, 31), 2018, 1, 3, -450, *receipt),
        (date(2019, 3, 31), 2019, 1, 3, 500, *receipt),
    ]
    assert amounts(store, "amount", item="inventories") == [(0,), (0,)]
    assert amounts(store, "amount", item="cash") == []


def test_full_statements_in_other_currencies_are_left_out(store: Store, put: Put) -> None:
    yuan = {"stock_code": "900070", "currency": "CNY", "rcept_no": "20190515000002"}
    unnamed = {"stock_code": "900080", "currency": "", "rcept_no": "20190515000003"}
    report = import_paths(store, [put("fnlttSinglAcntAll.csv", lines({}, yuan, unnamed))])
    assert report.files[0].note == "2 reports in CNY, an unnamed currency left out: no exchange rates are known"
    assert set(stored(store)["symbol"]) == {"005930"}


def test_two_filings_of_one_day(store: Store, put: Put) -> None:
    amended = {"rcept_no": "20190515000009", "thstrm_amount": "7"}
    annual = {"rcept_no": "20190515000005", "reprt_code": "11011", "period_end": "2018-12-31", "thstrm_amount": "990"}
    import_paths(store, [put("dart_statements_x.csv", lines({}, amended, annual))])
    assert amounts(store, "period_end", "amount", "filing_no", item="total_assets", fiscal_year=2019) == [
        (date(2019, 3, 31), 7, "20190515000009")  # the later receipt
    ]
    assert amounts(store, "amount", "filing_no", item="total_assets", period_end=date(2018, 12, 31)) == [
        (990, "20190515000005")  # the annual report's own number, not the first quarter's comparative
    ]


def test_comparatives_are_no_receipt_of_the_earlier_report(store: Store, put: Put) -> None:
    guessed = put("dart_kospi50_quarterly_x.parquet", quarterly([("005930", 2018, 4, 60)]))
    import_paths(store, [guessed, put("dart_statements_x.csv", lines({"fs_div": "OFS"}))])
    dated = amounts(store, "filed_on", "filed_source", item="total_assets", period_end=date(2018, 12, 31))
    assert dated == [(date(2019, 4, 1), "deadline"), (date(2019, 5, 15), "receipt")]


# the plain layouts


def plain(**changes: object) -> dict[str, object]:
    return {
        "symbol": "005930",
        "period_end": "2019-03-31",
        "fiscal_year": 2019,
        "fiscal_quarter": 1,
        "statement_basis": "CFS",
        "filed_on": "2019-05-15",
        "months": 3,
        "item": "revenue",
        "amount": 70.5,
    } | changes


def test_plain_statements(store: Store, put: Put) -> None:
    frame = pl.DataFrame([plain(), plain(item="total_assets", months=0, amount=900)], strict=False)
    import_paths(store, [put("mine.csv", frame)])  # by its columns
    assert amounts(store, "item", "amount", "filed_source", "filing_no") == [
        ("revenue", 70.5, "receipt", None),
        ("total_assets", 900, "receipt", None),
    ]
    dated = frame.with_columns(filed_source=pl.lit("deadline"), filing_no=pl.lit(7), filed_on=pl.lit("2019-05-16"))
    import_paths(store, [put("statements_b.parquet", dated.with_columns(symbol=pl.lit("000660")))])
    assert amounts(store, "filed_source", "filing_no", symbol="000660") == [("deadline", "7")] * 2


MARKET_DATA: dict[str, dict[str, object]] = {
    "share_structure": {
        "symbol": "005930",
        "as_of": "2019-03-31",
        "filed_on": "2019-05-15",
        "shares_float": 5,
        "shares_treasury": None,
    },
    "investor_flows": {
        "session": "2024-01-02",
        "symbol": "005930",
        "frgn_net": -7,
        "inst_net": 9,
        "pension_net": None,
    },
    "foreign_holdings": {"session": "2024-01-02", "symbol": "005930", "frgn_shares": 3},
    "short_sales": {"session": "2024-01-02", "symbol": "005930", "short_vol": 3, "short_bal": 30},
    "rates": {"session": "2024-01-02", "name": "CD91", "percent": 3.83},
}


@pytest.mark.parametrize("dataset", MARKET_DATA)
@pytest.mark.parametrize("name", ["", "anything"])
def test_market_data(dataset: str, name: str, store: Store, put: Put) -> None:
    row = MARKET_DATA[dataset]
    report = import_paths(store, [put(f"{name or dataset}.csv", pl.DataFrame([row]))])
    assert report.added == {dataset: 1}
    found = stored(store, dataset).row(0, named=True)
    assert {key: str(value) if isinstance(value, date) else value for key, value in found.items()} == row


@pytest.mark.parametrize(
    ("dataset", "column", "value", "message"),
    [
        ("share_structure", "shares_float", -1, "expected a number of 0 or more, found '-1'"),
        ("share_structure", "filed_on", "2019-03-30", "a day on or after as_of"),
        ("investor_flows", "frgn_net", "many", "expected a number, found 'many'"),
        ("foreign_holdings", "frgn_shares", -3, "a number of 0 or more"),
        ("foreign_holdings", "frgn_shares", None, "found nothing"),
        ("short_sales", "short_bal", -3, "a number of 0 or more"),
        ("short_sales", "symbol", "5930", "six digits"),
        ("rates", "percent", "3,83", "expected a number"),
        ("rates", "session", "2024-02-30", "expected a day"),
    ],
)
def test_broken_market_data(dataset: str, column: str, value: object, message: str, store: Store, put: Put) -> None:
    with pytest.raises(BrokenInput, match=message) as refusal:
        import_paths(store, [put(f"{dataset}.csv", pl.DataFrame([MARKET_DATA[dataset] | {column: value}]))])
    assert (refusal.value.row, refusal.value.column) == (1, column)
    assert store.current() is None


BROKEN_PLAIN: list[tuple[dict[str, object], str, str]] = [
    ({"item": "revenues"}, "item", r"no statement item 'revenues'. Did you mean 'revenue'\?"),
    ({"item": None}, "item", "found nothing"),
    ({"amount": "1,000"}, "amount", "expected a number, found '1,000'"),
    ({"amount": None}, "amount", "found nothing"),
    ({"item": "shares_issued", "months": 0, "amount": -5}, "amount", "a number of 0 or more"),
    ({"months": 0}, "months", "the months a flow covers"),
    ({"item": "total_assets"}, "months", "0 for a balance"),
    ({"months": 15}, "months", "from 0 to 12"),
    ({"fiscal_quarter": 5}, "fiscal_quarter", "from 1 to 4"),
    ({"fiscal_year": 2018}, "fiscal_year", "the year in which the fiscal year of that quarter ends"),
    ({"statement_basis": "IFRS"}, "statement_basis", "CFS .* or OFS"),
    ({"filed_on": "2019-03-31"}, "filed_on", "a day after the period's end"),
    ({"filed_on": "15.05.2019"}, "filed_on", "a day such as"),
    ({"symbol": "5930"}, "symbol", "six digits"),
    ({"filed_source": "guess"}, "filed_source", "one of receipt, deadline"),
]


@pytest.mark.parametrize(("changes", "column", "message"), BROKEN_PLAIN)
def test_broken_statements(
    changes: dict[str, object],
    column: str,
    message: str,
    store: Store,
    put: Put,
    fingerprint: Callable[[Path], dict[str, bytes]],
) -> None:
    import_paths(store, [put("statements_good.csv", pl.DataFrame([plain()]))])
    before = fingerprint(store.directory)
    rows = [plain(symbol="000660", filed_source="receipt"), plain(symbol="000660", filed_source="receipt") | changes]
    with pytest.raises(BrokenInput, match=message) as refusal:
        import_paths(store, [put("statements_bad.csv", pl.DataFrame(rows, strict=False))])
    assert (refusal.value.file, refusal.value.row, refusal.value.column) == ("statements_bad.csv", 2, column)
    assert fingerprint(store.directory) == before


def test_reports_that_appear_twice(store: Store, put: Put) -> None:
    cases = [
        ("statements_bad.csv", pl.DataFrame([plain(), plain(amount=71.0)]), "months"),
        ("dart_major_accounts_bad.parquet", majors(major(), major(revenue=71)), "quarter"),
        ("dart_kospi50_quarterly_bad.parquet", quarterly([("005930", 2019, 1, 1)] * 2), "quarter"),
        ("dart_statements_bad.csv", lines({}, {}), "account_id"),
    ]
    for name, frame, column in cases:
        with pytest.raises(BrokenInput, match="already in row 1") as refusal:
            import_paths(store, [put(name, frame)])
        assert (refusal.value.file, refusal.value.row, refusal.value.column) == (name, 2, column)
    assert store.current() is None


def test_lines_that_a_filer_repeats_are_told_apart_by_their_place(store: Store, put: Put) -> None:
    untagged = {"account_id": "-표준계정코드 미사용-", "account_nm": "기타"}
    import_paths(store, [put("dart_statements_x.csv", lines({}, untagged, untagged))])
    placed = lines({}, {}).with_columns(pl.Series("ord", ["1", "2"]))
    import_paths(store, [put("dart_statements_y.csv", placed)])
    assert store.current() is not None


@pytest.mark.parametrize(
    ("changes", "column", "message"),
    [
        ({"rcept_date": date(2019, 3, 1)}, "rcept_date", "a day after the period's end"),
        ({"rcept_date": None}, "rcept_date", "found nothing"),
        ({"quarter": 0}, "quarter", "from 1 to 4"),
        ({"fs_div": "XXX"}, "fs_div", "CFS .* or OFS"),
        ({"is_start": date(2019, 6, 1)}, "is_end", "a day after is_start"),
        ({"is_start": date(2018, 3, 1)}, "is_start", "at most twelve months"),
        ({"code": "5930"}, "code", "six digits"),
    ],
)
def test_broken_main_accounts(changes: dict[str, object], column: str, message: str, store: Store, put: Put) -> None:
    with pytest.raises(BrokenInput, match=message) as refusal:
        import_paths(store, [put("dart_major_accounts_x.parquet", majors(major(code="000660"), major(**changes)))])
    assert (refusal.value.row, refusal.value.column) == (2, column)
    text = put("dart_major_accounts_x.parquet", majors(major()).with_columns(revenue=pl.lit("x")))
    with pytest.raises(BrokenInput, match="expected a number, found 'x'"):
        import_paths(store, [text])
    assert store.current() is None


@pytest.mark.parametrize(
    ("changes", "column", "message"),
    [
        ({"thstrm_amount": "12,34"}, "thstrm_amount", "an amount such as 1,234,567"),
        ({"thstrm_amount": "abc"}, "thstrm_amount", "found 'abc'"),
        ({"frmtrm_amount": "1e400"}, "frmtrm_amount", "an amount such as"),
        ({"rcept_no": "2019051500001"}, "rcept_no", "14 digits"),
        ({"rcept_no": "20191515000001"}, "rcept_no", "begins with its day"),
        ({"rcept_no": "20190331000001"}, "rcept_no", "a receipt after the period's end"),
        ({"reprt_code": "11015"}, "reprt_code", "one of 11013, 11012, 11014, 11011"),
        ({"period_end": "2019-3"}, "period_end", "a day such as"),
        ({"fs_div": "CON"}, "fs_div", "CFS .* or OFS"),
        ({"stock_code": None}, "stock_code", "found nothing"),
    ],
)
def test_broken_full_statements(changes: dict[str, object], column: str, message: str, store: Store, put: Put) -> None:
    with pytest.raises(BrokenInput, match=message) as refusal:
        import_paths(store, [put("dart_statements_x.csv", lines({}, {"account_id": "ifrs-full_Equity"} | changes))])
    assert (refusal.value.row, refusal.value.column) == (2, column)
    assert store.current() is None


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("dart_major_accounts_x.parquet", "rcept_date"),
        ("dart_kospi50_quarterly_x.parquet", "revenue"),
        ("dart_statements_x.parquet", "period_end"),
        ("dart_statements_x.parquet", "fs_div"),
        ("statements_x.parquet", "months"),
    ],
)
def test_missing_columns(name: str, column: str, store: Store, put: Put) -> None:
    frames = {
        "dart_major": majors(major()),
        "dart_kospi": quarterly([("005930", 2019, 1, 1)]),
        "dart_state": lines({}),
        "statements": pl.DataFrame([plain()]),
    }
    with pytest.raises(BrokenInput, match="the column is missing") as refusal:
        import_paths(store, [put(name, frames[name[:10]].drop(column))])
    assert refusal.value.column == column


def test_stored_reports_that_differ_are_a_decision(store: Store, put: Put) -> None:
    import_paths(store, [put("dart_major_accounts_x.parquet", majors(major()))])
    other = put("dart_major_accounts_y.parquet", majors(major(revenue=71), major(code="000660")))
    with pytest.raises(BrokenInput, match=r"has amount 71.0 here, but 70.0 is stored .*stored\.$"):
        import_paths(store, [other])
    import_paths(store, [other], new_rows_only=True)
    assert amounts(store, "symbol", "amount", item="revenue") == [("000660", 70), ("005930", 70)]
    import_paths(store, [other], replace=True)
    assert amounts(store, "symbol", "amount", item="revenue") == [("000660", 70), ("005930", 71)]


@pytest.mark.realdata
def test_real_reports(real_data: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "home")
    report = import_paths(store, sorted(real_data.glob("dart_*.parquet")))
    rows = stored(store)
    received = rows.filter(pl.col("filed_source") == "receipt")
    # 76,458 rows of the file, less 389 of 18 foreign issuers
    assert received.select("symbol", "period_end", "statement_basis").n_unique() == 76_458 - 389
    assert received["symbol"].n_unique() == 2_104 - 18
    # 1,395 of the other file, less the 808 that the first one has with their receipt
    guessed = rows.filter(pl.col("filed_source") == "deadline")
    assert guessed.select("symbol", "period_end", "statement_basis").n_unique() == 1_395 - 808
    samsung = received.filter(pl.col("symbol") == "005930", pl.col("statement_basis") == "CFS")
    assert samsung.filter(pl.col("item") == "revenue", pl.col("fiscal_year") == 2018).select(
        "fiscal_quarter", "months", "filed_on", "amount"
    ).rows() == [
        (1, 3, date(2018, 5, 15), 60_563_714e6),
        (2, 3, date(2018, 8, 14), 58_482_658e6),
        (3, 3, date(2018, 11, 14), 65_459_993e6),
        (4, 12, date(2019, 4, 1), 243_771_415e6),
    ]
    assert report.quality == {
        "statements.unit_errors": 5,
        "statements.unbalanced": 61,
        "statements.quarters_against_year": 0,
        "statements.deadline_dated": 587,
        "statements.late_reports": 3_958,
    }


@pytest.mark.realdata
def test_the_fourth_quarters_of_the_two_real_files_agree(real_data: Path, tmp_path: Path) -> None:
    """The year of one file is the sum of the four quarters of the other, unless one of the reports was amended."""
    annual, quarterly_store = Store(tmp_path / "annual"), Store(tmp_path / "quarterly")
    import_paths(annual, [real_data / "dart_major_accounts_2016_2021.parquet"])
    import_paths(quarterly_store, [real_data / "dart_kospi50_quarterly_2015_2024.parquet"])
    quarters = stored(quarterly_store).filter(pl.col("item") == "revenue", pl.col("months") == 3)
    summed = quarters.group_by("symbol", "fiscal_year").agg(pl.len(), pl.col("amount").sum()).filter(pl.col("len") == 4)
    year = stored(annual).filter(
        pl.col("item") == "revenue", pl.col("months") == 12, pl.col("statement_basis") == "OFS"
    )
    both = summed.join(year, on=["symbol", "fiscal_year"], suffix="_year")
    assert both.height == 163
    assert (both["amount"] == both["amount_year"]).all()
