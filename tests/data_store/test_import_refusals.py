"""Every broken file is refused whole, naming file, row and column, and the store stays as it was to the byte."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from stocklab.data import Store, import_paths
from stocklab.errors import BrokenInput, InputError, StoreError
from stocklab.market.panel import PriceBasis

Daily = Callable[..., pl.DataFrame]
Put = Callable[[str, pl.DataFrame], Path]


def at(frame: pl.DataFrame, row: int, column: str, value: object) -> pl.DataFrame:
    """The frame with one value changed; the row is 1-based as in messages."""
    marked = frame.with_row_index("_n", offset=1)
    dtype = pl.String if isinstance(value, str) else frame.schema[column]
    return marked.with_columns(
        pl.when(pl.col("_n") == row)
        .then(pl.lit(value, dtype=dtype))
        .otherwise(pl.col(column).cast(dtype))
        .alias(column)
    ).drop("_n")


CHANGES: dict[str, tuple[str, object, int | None, str]] = {
    # what is wrong -> column, value, row named (None: the default 4), message
    "negative open": ("open", -1, None, "expected a price of 0 or more, found '?-1"),
    "negative close": ("close", -5, None, "expected a price of 0 or more, found '?-5"),
    "zero close": ("close", 0, None, "expected a close above 0"),
    "negative volume": ("volume", -10, None, "expected a volume of 0 or more, found '?-10"),
    "missing close": ("close", None, None, "expected a number, found nothing"),
    "missing volume": ("volume", None, None, "expected a number, found nothing"),
    "missing open on a traded day": ("open", None, None, "expected a price on a day with trades, found nothing"),
    "zero high on a traded day": (
        "high",
        0,
        None,
        "expected a high of at least open, low and close, found open 120, high 0",
    ),
    "high below close": (
        "high",
        119,
        None,
        "high of at least open, low and close, found open 120, high 119, low 115, close 120",
    ),
    "low above close": (
        "low",
        121,
        None,
        "expected a low of at most open and close, found open 120, high 125, low 121",
    ),
    "high below low": ("high", 110, None, "expected a high of at least open, low and close"),
    "no date": ("date", None, None, "expected a day, found nothing"),
    "date before the exchange": ("date", date(1900, 1, 1), None, "expected a day since 1956"),
    "no code": ("code", None, None, "expected text, found nothing"),
    "code without its zeros": ("code", "20", None, "six digits or capital letters such as 005930, found '20'"),
    "duplicate key": ("date", date(2024, 1, 2), 4, r"key \(000020, 2024-01-02\) was already in row 1"),
}


@pytest.mark.parametrize("ending", ["parquet", "csv"])
@pytest.mark.parametrize("what", CHANGES)
def test_wrong_value(
    what: str, ending: str, store: Store, daily: Daily, put: Put, fingerprint: Callable[[Path], dict[str, bytes]]
) -> None:
    column, value, row, message = CHANGES[what]
    import_paths(store, [put("krx_daily_good.parquet", daily())])
    before, current = fingerprint(store.directory), store.current_id()
    path = put(f"krx_daily_bad.{ending}", at(daily(), 4, column, value))
    with pytest.raises(BrokenInput, match=message) as refusal:
        import_paths(store, [path])
    assert (refusal.value.file, refusal.value.row, refusal.value.column) == (path.name, row or 4, column)
    assert store.current_id() == current
    assert fingerprint(store.directory) == before


@pytest.mark.parametrize("ending", ["parquet", "csv"])
@pytest.mark.parametrize("column", ["close", "volume", "open"])
@pytest.mark.parametrize("text", ["abc", "1O0", "12,000", "--"])
def test_text_in_a_number(ending: str, column: str, text: str, store: Store, daily: Daily, put: Put) -> None:
    path = put(f"krx_daily_bad.{ending}", at(daily(), 7, column, text))
    with pytest.raises(BrokenInput, match=f"expected a number, found '{text}'") as refusal:
        import_paths(store, [path])
    assert (refusal.value.row, refusal.value.column) == (7, column)
    assert store.current() is None


@pytest.mark.parametrize("text", ["2024-13-01", "yesterday", "2024-02-30", "31/01/2024"])
def test_text_that_is_no_day(text: str, store: Store, daily: Daily, put: Put) -> None:
    with pytest.raises(BrokenInput, match="expected a day such as 2024-01-31, found") as refusal:
        import_paths(store, [put("krx_daily_bad.csv", at(daily(), 2, "date", text))])
    assert (refusal.value.row, refusal.value.column) == (2, "date")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (100.5, "a whole number, found 100.5"),
        (float("inf"), "a finite number"),
        (1e17, "a number below 2"),
        (float("nan"), "found nothing"),
    ],
)
def test_number_that_is_no_count(value: float, message: str, store: Store, daily: Daily, put: Put) -> None:
    frame = at(daily().with_columns(pl.col("volume").cast(pl.Float64)), 3, "volume", value)
    with pytest.raises(BrokenInput, match=message) as refusal:
        import_paths(store, [put("krx_daily_bad.parquet", frame)])
    assert (refusal.value.row, refusal.value.column) == (3, "volume")


@pytest.mark.parametrize("ending", ["parquet", "csv"])
@pytest.mark.parametrize("column", ["date", "code", "open", "high", "low", "close", "volume", "src"])
def test_missing_column(ending: str, column: str, store: Store, daily: Daily, put: Put) -> None:
    with pytest.raises(BrokenInput, match="the column is missing") as refusal:
        import_paths(store, [put(f"krx_daily_bad.{ending}", daily().drop(column))])
    assert refusal.value.column == column


def test_missing_column_names_the_nearest(store: Store, daily: Daily, put: Put) -> None:
    with pytest.raises(BrokenInput, match="Did you mean 'volumn'"):
        import_paths(store, [put("krx_daily_bad.parquet", daily().rename({"volume": "volumn"}))])


@pytest.mark.parametrize("column", ["close", "date", "code"])
def test_column_of_another_type(column: str, store: Store, daily: Daily, put: Put) -> None:
    frame = daily().with_columns(pl.lit(value=True).alias(column))
    with pytest.raises(BrokenInput, match="found the type Boolean") as refusal:
        import_paths(store, [put("krx_daily_bad.parquet", frame)])
    assert refusal.value.column == column


def test_codes_that_are_numbers(store: Store, daily: Daily, put: Put) -> None:
    with pytest.raises(BrokenInput, match="expected text, found the type Int64"):
        import_paths(store, [put("krx_daily_bad.parquet", daily().with_columns(pl.col("code").cast(pl.Int64)))])


@pytest.mark.parametrize("keep", [0, 3, 0.3, 0.7, 0.99, -1])
def test_truncated_parquet(keep: float, store: Store, daily: Daily, put: Put) -> None:
    path = put("krx_daily_bad.parquet", daily())
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)] if 0 < keep < 1 else whole[: int(keep)])
    with pytest.raises(
        BrokenInput, match=r"krx_daily_bad.parquet: not a readable Parquet file .* Hint: it may be cut off"
    ):
        import_paths(store, [path])
    assert store.current() is None


def test_damage_inside_a_parquet_file(store: Store, put: Put) -> None:
    days = pl.date_range(date(2010, 1, 1), date(2019, 12, 31), eager=True)
    frame = pl.DataFrame({"date": days}).with_columns(
        code=pl.lit("005930"), open=pl.int_range(1000, pl.len() + 1000), src=pl.lit(1, dtype=pl.UInt8)
    )
    frame = frame.with_columns(high=pl.col("open"), low=pl.col("open"), close=pl.col("open"), volume=pl.col("open") * 7)
    path = put("krx_daily_bad.parquet", frame)
    broken = bytearray(path.read_bytes())
    broken[200:1200] = bytes(byte ^ 0x5A for byte in broken[200:1200])
    path.write_bytes(bytes(broken))
    with pytest.raises(BrokenInput):
        import_paths(store, [path])
    assert store.current() is None


def test_csv_in_another_encoding(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "krx_etf_daily_x.csv"
    lines = [
        "date,code,open,high,low,close,name,volume",
        '2024-01-02,069500,1,1,1,1,"a,b",1',
        "2024-01-03,069500,1,1,1,1,가나,1",
    ]
    path.write_bytes("\n".join(lines).encode("cp949"))
    with pytest.raises(BrokenInput, match="the text is not UTF-8") as refusal:
        import_paths(store, [path])
    assert (refusal.value.file, refusal.value.row, refusal.value.column) == (path.name, 2, "name")
    path.write_bytes("날짜,종목\n1,2\n".encode("cp949"))
    with pytest.raises(BrokenInput, match="header line itself") as refusal:
        import_paths(store, [path])
    assert refusal.value.row is None
    path.write_bytes("date,code\n1,가".encode()[:-1])
    with pytest.raises(BrokenInput, match="not UTF-8") as refusal:
        import_paths(store, [path])
    assert (refusal.value.row, refusal.value.column) == (1, "code")


def test_csv_rows_of_different_length(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "krx_daily_bad.csv"
    path.write_text(
        "date,code,open,high,low,close,volume,src\n2024-01-02,005930,1,1,1,1,1,1\n2024-01-03,005930,1,1,1,1,1,1,9\n"
    )
    with pytest.raises(BrokenInput, match="expected 8 values, found 9") as refusal:
        import_paths(store, [path])
    assert refusal.value.row == 2
    path.write_text("date,code,open,high,low,close,volume,src\n2024-01-02,005930,1,1,1,1,1,1\n2024-01-03,005930,1\n")
    with pytest.raises(BrokenInput, match="found nothing") as refusal:
        import_paths(store, [path])
    assert refusal.value.row == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("date,code,open,high,low,close,volume,src\n", "no rows"),
        ("date,date,open,high,low,close,volume,src\n1,2,3,4,5,6,7,8\n", "names this column twice"),
    ],
)
def test_csv_without_content(text: str, message: str, store: Store, tmp_path: Path) -> None:
    path = tmp_path / "krx_daily_bad.csv"
    path.write_text(text)
    with pytest.raises(BrokenInput, match=message):
        import_paths(store, [path])


def test_one_bad_file_refuses_the_good_ones_with_it(store: Store, daily: Daily, put: Put) -> None:
    good = put("krx_daily_good.parquet", daily())
    bad = put("krx_daily_bad.parquet", at(daily({"000040": [9, 9, 9, 9, 9]}), 5, "close", -1))
    with pytest.raises(BrokenInput, match="krx_daily_bad"):
        import_paths(store, [good, bad])
    assert store.current() is None
    assert not store.snapshots.exists()


def test_files_that_contradict_each_other(store: Store, daily: Daily, put: Put) -> None:
    one = put("krx_daily_one.parquet", daily())
    two = put("krx_daily_two.parquet", at(daily(), 3, "close", 104))
    with pytest.raises(
        BrokenInput, match=r"\(000020, 2024-01-04\) has close 104 here and 105 in krx_daily_one.parquet, row 3"
    ) as refusal:
        import_paths(store, [one, two])
    assert (refusal.value.file, refusal.value.row, refusal.value.column) == ("krx_daily_two.parquet", 3, "close")


def marcap_changes() -> list[tuple[str, object, str]]:
    return [
        ("amount", -1, "a traded value of 0 or more"),
        ("change", 120, "base price above 0"),
        ("market_cap", 0, "a number above 0, or nothing"),
        ("listed_shares", -7, "a number above 0, or nothing"),
        ("market", "NASDAQ", "expected one of KOSPI, KOSDAQ"),
        ("market", None, "expected text, found nothing"),
        ("close", 100.5, "a whole number"),
    ]


@pytest.mark.parametrize(("column", "value", "message"), marcap_changes())
def test_wrong_cross_section(
    column: str, value: object, message: str, store: Store, cross_section: Daily, put: Put
) -> None:
    frame = cross_section([(date(2024, 1, day), "000020", 110, 125, 105, 120, 10, 500, 1000) for day in (2, 3, 4)])
    if isinstance(value, float):
        frame = frame.with_columns(pl.col(column).cast(pl.Float64))
    with pytest.raises(BrokenInput, match=message) as refusal:
        import_paths(store, [put("marcap_bad.parquet", at(frame, 2, column, value))])
    assert (refusal.value.row, refusal.value.column) == (2, column)


def test_wrong_master_index_and_delistings(store: Store, put: Put) -> None:
    master = pl.DataFrame(
        {
            "code": ["000020", "000040"],
            "name": ["갑", "을"],
            "market": ["KOSPI", "KOSDAQ"],
            "kind": ["common", "common"],
            "industry": ["가", "나"],
            "listing_date": [date(1990, 1, 3), None],
            "settle_month": ["12월", "03월"],
            "corp_code": ["1", None],
        }
    )
    index = pl.DataFrame(
        {"date": [date(2024, 1, 2)], "index": ["KOSPI"], "open": [1.0], "high": [1.0], "low": [1.0], "close": [1.0]}
    )
    index = index.with_columns(volume=pl.lit(1), amount=pl.lit(1))
    gone = pl.DataFrame({"code": ["000030"], "name": ["병"], "market": ["KOSPI"], "secu_group": ["주권"]}).with_columns(
        listing_date=pl.lit(date(1990, 1, 3)),
        delisting_date=pl.lit(date(2000, 1, 4)),
        reason=pl.lit("피흡수합병"),
        to_code=pl.lit(None, dtype=pl.String),
    )
    cases = [
        ("krx_sectors.parquet", at(master, 2, "kind", "bond"), 2, "kind"),
        ("krx_sectors.parquet", at(master, 2, "settle_month", "13월"), 2, "settle_month"),
        ("krx_sectors.parquet", at(master, 2, "settle_month", "Q1"), 2, "settle_month"),
        ("krx_sectors.parquet", at(master, 2, "code", "000020"), 2, "code"),
        ("krx_index_daily.parquet", at(index, 1, "close", None), 1, "close"),
        ("krx_index_daily.parquet", at(index, 1, "close", 0.0), 1, "close"),
        ("krx_index_daily.parquet", at(index, 1, "high", -1.0), 1, "high"),
        ("krx_index_daily.parquet", at(index, 1, "amount", -1), 1, "amount"),
        ("krx_index_daily.parquet", at(index, 1, "open", "x"), 1, "open"),
        ("krx_index_daily.parquet", pl.concat([index, index]), 2, "date"),
        ("krx_delisted.parquet", at(gone, 1, "delisting_date", date(1980, 1, 1)), 1, "delisting_date"),
        ("krx_delisted.parquet", at(gone, 1, "delisting_date", None), 1, "delisting_date"),
    ]
    for name, frame, row, column in cases:
        with pytest.raises(BrokenInput) as refusal:
            import_paths(store, [put(name, frame)])
        assert (refusal.value.file, refusal.value.row, refusal.value.column) == (name, row, column)
    assert store.current() is None


def test_unknown_layout_names_the_nearest_and_what_it_lacks(store: Store, daily: Daily, put: Put) -> None:
    path = put("prices.parquet", daily().rename({"src": "vendor"}))
    with pytest.raises(BrokenInput, match=r"the nearest, krx_daily, this column is missing.*--map") as refusal:
        import_paths(store, [path])
    assert refusal.value.column == "src"


def test_wrong_requests(store: Store, daily: Daily, put: Put, tmp_path: Path) -> None:
    good = put("krx_daily_good.parquet", daily())
    other = tmp_path / "notes.txt"
    other.write_text("x")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="no file or folder"):
        import_paths(store, [tmp_path / "absent.parquet"])
    with pytest.raises(InputError, match=r"expected a \.parquet or \.csv"):
        import_paths(store, [other])
    with pytest.raises(InputError, match="Nothing to import"):
        import_paths(store, [empty])
    with pytest.raises(InputError, match="Choose one"):
        import_paths(store, [good], replace=True, new_rows_only=True)
    with pytest.raises(InputError, match="basis of a mapped file must be given"):
        import_paths(store, [good], mapping={"date": "date"})
    with pytest.raises(InputError, match=r"Unknown name 'closee'.*Did you mean 'close'"):
        import_paths(store, [good], mapping={"closee": "close"}, basis=PriceBasis.ADJUSTED)
    assert store.current() is None


def test_bars_on_closed_days_alone_are_refused_and_the_snapshot_stays(tmp_path: Path) -> None:
    store = Store(tmp_path / "home")
    mapping = {name: name for name in ("date", "code", "open", "high", "low", "close", "volume")}
    good, saturday = tmp_path / "good.csv", tmp_path / "saturday.csv"
    good.write_text("date,code,open,high,low,close,volume\n2024-01-05,005930,70000,71000,69000,70500,10\n")
    saturday.write_text("date,code,open,high,low,close,volume\n2024-01-06,005930,70000,71000,69000,70500,10\n")
    with pytest.raises(StoreError, match="no bar on a session of the exchange"):
        import_paths(store, [saturday], mapping=mapping, basis=PriceBasis.ADJUSTED)
    assert store.current() is None
    import_paths(store, [good], mapping=mapping, basis=PriceBasis.RAW)
    before = store.current_id()
    with pytest.raises(StoreError, match="unchanged"):
        import_paths(store, [saturday], mapping=mapping, basis=PriceBasis.ADJUSTED)
    assert store.current_id() == before
