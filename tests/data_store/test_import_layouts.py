"""What each layout becomes, and how files meet each other and the store."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from stocklab.data import Store, import_paths
from stocklab.data.instruments import derive_kind, pays_last_close
from stocklab.errors import BrokenInput, InputError
from stocklab.market.panel import PriceBasis

Daily = Callable[..., pl.DataFrame]
Put = Callable[[str, pl.DataFrame], Path]
SESSIONS = (date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4))


def stored(store: Store, name: str) -> pl.DataFrame:
    snapshot = store.current()
    assert snapshot is not None
    return snapshot.scan(name).collect()


def test_daily_bars_and_vendor_quirks(store: Store, daily: Daily, put: Put, sessions: tuple[date, ...]) -> None:
    frame = daily({"0088D0": [100, 100, 100, 100, 100]}).with_columns(
        # halted: all zero but the close; untraded: O=H=L=C; an open of 0 although volume is reported
        open=pl.Series([100, 0, 100, 0, 100]),
        high=pl.Series([105, 0, 100, 0, 105]),
        low=pl.Series([95, 0, 100, 0, 95]),
        volume=pl.Series([10, 0, 0, 437, 10]),
    )
    report = import_paths(store, [put("krx_daily_x.parquet", frame)])
    rows = stored(store, "prices_adjusted")
    assert rows["session"].to_list() == list(sessions)
    for column, traded in (("open", 100), ("high", 105), ("low", 95)):
        assert rows[column].to_list() == [traded, None, None, None, traded]
    assert rows["volume"].to_list() == [10, 0, 0, 0, 10]
    assert rows["close"].to_list() == [100] * 5
    assert rows["source"].unique().to_list() == ["krx_daily 1"]
    assert report.added == {"prices_adjusted": 5}


def test_csv_of_a_known_layout(store: Store, daily: Daily, put: Put) -> None:
    import_paths(store, [put("krx_daily_x.parquet", daily())])
    first = store.current_id()
    report = import_paths(store, [put("copy.csv", daily().with_columns(pl.col("date").dt.strftime("%Y.%m.%d")))])
    assert report.unchanged, "the same rows from another format are the same content"
    assert store.current_id() == first


def test_spreadsheet_csv(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "krx_daily_x.csv"
    path.write_bytes(b"\xef\xbb\xbfdate,code,open,high,low,close,volume,src\r\n20240102, 005930 ,1.0,2,1,2,1e3,1\r\n")
    import_paths(store, [path])
    row = stored(store, "prices_adjusted").row(0, named=True)
    assert (row["session"], row["symbol"], row["open"], row["volume"]) == (date(2024, 1, 2), "005930", 1, 1000)


def test_cross_section_feeds_raw_prices_and_names(store: Store, cross_section: Daily, put: Put) -> None:
    frame = cross_section(
        [
            (date(2024, 1, 2), "000020", 110, 125, 105, 120, 10, 500, 1000),
            (date(2024, 1, 3), "000020", 0, 0, 0, 120, 0, 0, 1000),
        ],
        market="KOSDAQ GLOBAL",
    )
    import_paths(store, [put("marcap_2024.parquet", frame)])
    rows = stored(store, "prices_raw")
    assert rows.columns[-7:] == ["tv", "change", "market", "mcap", "shares_listed", "dept", "source"]
    assert rows["market"].to_list() == ["KOSDAQ", "KOSDAQ"]
    assert rows["tv"].to_list() == [60_000, 0]
    assert rows["mcap"].to_list() == [120_000, 120_000]
    assert rows["open"].to_list() == [110, None]
    master = stored(store, "instruments").row(0, named=True)
    assert (master["symbol"], master["name"], master["market"], master["kind"]) == (
        "000020",
        "이름000020",
        "KOSDAQ",
        "common",
    )
    assert store.current().manifest.symbols_by_market == {"KOSDAQ": 1}  # type: ignore[union-attr]


MASTER = pl.DataFrame(
    {
        "code": ["000020", "000025", "900140"],
        "name": ["갑", "갑우", "외국"],
        "market": ["KOSPI", "KOSPI", "KOSDAQ GLOBAL"],
        "kind": ["common", "preferred", "common"],
        "industry": ["의약품 제조업", None, None],
        "listing_date": [date(1976, 3, 24), None, date(2010, 1, 4)],
        "settle_month": ["12월", None, "03월"],
        "corp_code": ["00119195", None, None],
    }
)


def test_master_wins_over_other_files_whatever_the_order(
    store: Store, cross_section: Daily, put: Put, tmp_path: Path
) -> None:
    marcap = put(
        "marcap_2024.parquet",
        cross_section([(date(2024, 1, 2), code, 9, 9, 9, 9, 0, 1, 10) for code in ("000020", "000070")]),
    )
    master = put("krx_sectors.parquet", MASTER)
    import_paths(store, [marcap, master])
    one = stored(store, "instruments")
    other = Store(tmp_path / "other")
    import_paths(other, [master])
    import_paths(other, [marcap])
    assert one.equals(stored(other, "instruments"))
    rows = {row["symbol"]: row for row in one.iter_rows(named=True)}
    assert rows["000020"]["name"] == "갑"
    assert rows["000020"]["market"] == "KOSPI"
    assert (rows["000020"]["settle_month"], rows["900140"]["settle_month"]) == (12, 3)
    assert rows["000025"]["sector"] == "의약품 제조업", "a preferred share has its common share's industry"
    assert rows["900140"]["kind"] == "foreign"
    assert rows["000070"]["name"] == "이름000070"
    assert import_paths(other, [master, marcap]).unchanged


def test_etfs_are_bars_and_instruments(store: Store, daily: Daily, put: Put) -> None:
    frame = daily({"069500": [100, 101, 102, 103, 104]}).drop("src").with_columns(name=pl.lit("KODEX 200"))
    import_paths(store, [put("krx_etf_daily_2024.parquet", frame)])
    row = stored(store, "instruments").row(0, named=True)
    assert (row["symbol"], row["name"], row["market"], row["kind"]) == ("069500", "KODEX 200", "KOSPI", "etf")
    assert stored(store, "prices_adjusted").height == 5


def test_index_levels(store: Store, put: Put) -> None:
    frame = pl.DataFrame(
        {
            "date": [date(1990, 1, 3)],
            "index": ["KOSPI200"],
            "open": None,
            "high": None,
            "low": None,
            "close": [97.5],
            "volume": None,
            "amount": None,
        }
    ).with_columns(pl.col("open", "high", "low").cast(pl.Float64), pl.col("volume", "amount").cast(pl.Int64))
    import_paths(store, [put("krx_index_daily.parquet", frame)])
    assert stored(store, "indices").row(0) == (date(1990, 1, 3), "KOSPI200", None, None, None, 97.5, None, None)


def test_delistings(store: Store, put: Put) -> None:
    frame = pl.DataFrame(
        {
            "code": ["028855", "028855", "00104021", "000030"],
            "name": ["동성판유리우", "동성판유리우", "신주인수권", "병"],
            "market": ["KOSPI"] * 4,
            "secu_group": ["주권", "주권", "신주인수권증서", "주권"],
            "listing_date": [date(1972, 5, 17)] * 4,
            "delisting_date": [date(1976, 5, 14)] * 3 + [date(2014, 11, 19)],
            "reason": ["종목별 상장폐지신청", "해산 사유 발생", "x", None],
            "to_code": [None, None, None, "000040"],
        }
    )
    import_paths(store, [put("krx_delisted.parquet", frame)])
    rows = stored(store, "delistings")
    assert rows["symbol"].to_list() == ["000030", "028855"], "rights have no bars"
    assert rows["reason"].to_list() == [None, "종목별 상장폐지신청 / 해산 사유 발생"]
    assert rows["pays_last_close"].to_list() == [False, True]
    assert rows["successor"].to_list() == ["000040", None]
    newer = frame.with_columns(reason=pl.lit("자본전액잠식"))
    assert import_paths(store, [put("krx_delisted.parquet", newer)]).replaced == {"delistings": 2}
    assert stored(store, "delistings")["pays_last_close"].to_list() == [False, False]


@pytest.mark.parametrize(
    ("reason", "name", "pays"),
    [
        ("피흡수합병", "갑", True),
        ("지주회사(최대주주등)의 완전자회사화 등", "갑", True),
        ("타법인의 완전자회사로 편입", "갑", True),
        ("신청에 의한 상장폐지", "갑", True),
        ("상장폐지 신청('25.11.06)", "갑", True),
        ("포괄적 주식교환에 따른 상장폐지 신청('20.7.17)", "갑", True),
        ("유가증권시장 상장", "갑", True),
        ("존속기간 만료", "갑", True),
        ("상장예비심사 청구서 미제출로 관리종목 지정 후 1개월 이내 동 사유 미해소", "하이제8호스팩", True),
        ("상장예비심사 청구서 미제출로 관리종목 지정 후 1개월 이내 동 사유 미해소", "갑", False),
        ("감사의견 거절(감사범위 제한 및 계속기업 존속능력에 대한 불확실성)", "갑", False),
        (
            "기업의 계속성, 경영의 투명성 또는 기타 코스닥시장의 건전성 등을 종합적으로 고려하여 상장폐지가 필요하다고 인정",
            "갑",
            False,
        ),
        ("회사정리절차 개시 신청 기각 결정", "갑", False),
        ("상장폐지유예기간종료", "갑", False),
        ("해산 사유 발생", "갑", False),
        ("자본전액잠식", "갑", False),
        (None, None, False),
    ],
)
def test_what_a_delisting_pays(reason: str | None, name: str | None, pays: bool) -> None:
    assert pays_last_close(reason, name) is pays


def test_kinds_from_codes_and_names() -> None:
    assert derive_kind("005930", "삼성전자") == "common"
    assert derive_kind("00680K", "미래에셋증권2우B") == "preferred"
    assert derive_kind("450050", "하이제8호스팩") == "spac"
    assert derive_kind("900140", "엘브이엠씨홀딩스") == "foreign"
    assert derive_kind("088260", "이리츠코크렙", "reit") == "reit"
    assert derive_kind("0088D0", "신규", "common") == "common"
    assert derive_kind("KRW-BTC", "비트코인") == ""


def test_folder_import_reads_what_it_knows_and_says_what_it_left(
    store: Store, daily: Daily, put: Put, tmp_path: Path
) -> None:
    put("krx_daily_2024.parquet", daily())
    put("krx_daily_2024_tail.parquet", daily({"000020": [1, 2, 3, 4, 5]}))
    put("upbit_krw_1h.parquet", pl.DataFrame({"market": ["KRW-BTC"]}))
    (tmp_path / "README.md").write_text("not data")
    with capture_logs() as events:
        report = import_paths(store, [tmp_path])
    skipped = {Path(file.path).name: file.note for file in report.files if file.skipped}
    assert skipped["upbit_krw_1h.parquet"] == "upbit_intraday files are read by a later version"
    assert "--rebase" in skipped["krx_daily_2024_tail.parquet"]
    done = next(event for event in events if event["event"] == "import_done")
    assert (done["files"], done["rows"], done["unchanged"]) == (1, 10, False)
    assert "skipped" in report.describe()
    assert report.to_dict()["added"] == {"prices_adjusted": 10}
    with pytest.raises(BrokenInput, match="read by a later version"):
        import_paths(store, [tmp_path / "upbit_krw_1h.parquet"])
    (tmp_path / "sub").mkdir()
    (tmp_path / "upbit_krw_1h.parquet").rename(tmp_path / "sub" / "upbit_krw_1h.parquet")
    with pytest.raises(InputError, match=r"Nothing to import .*later version"):
        import_paths(store, [tmp_path / "sub"])


def test_second_import_is_unchanged_and_says_so(store: Store, daily: Daily, put: Put) -> None:
    path = put("krx_daily_x.parquet", daily())
    first = import_paths(store, [path])
    second = import_paths(store, [path, path])
    assert (first.unchanged, second.unchanged) == (False, True)
    assert second.snapshot_id == first.snapshot_id
    assert second.describe().startswith("Unchanged")
    assert len(list(store.snapshots.iterdir())) == 1


def test_index_import_does_not_rewrite_prices(store: Store, daily: Daily, put: Put) -> None:
    import_paths(store, [put("krx_daily_x.parquet", daily())])
    before = store.current()
    index = pl.DataFrame({"date": [date(2024, 1, 2)], "index": ["KOSPI"]}).with_columns(
        *(pl.lit(2600.0).alias(name) for name in ("open", "high", "low", "close")), volume=pl.lit(1), amount=pl.lit(1)
    )
    import_paths(store, [put("krx_index_daily.parquet", index)])
    after = store.current()
    assert before is not None
    assert after is not None
    assert after.id != before.id
    assert after.files("prices_adjusted")["2024"].samefile(before.files("prices_adjusted")["2024"])
    assert after.manifest.datasets["prices_adjusted"].source == "krx_daily_x.parquet"
    assert after.manifest.datasets["indices"].source == "krx_index_daily.parquet"


def test_new_sessions_rewrite_their_year_only(store: Store, daily: Daily, put: Put) -> None:
    old = daily({"000020": [90, 95]}, days=(date(2023, 12, 27), date(2023, 12, 28)))
    import_paths(store, [put("krx_daily_2023.parquet", old), put("krx_daily_2024.parquet", daily())])
    before = store.current()
    report = import_paths(store, [put("krx_daily_more.parquet", daily({"000020": [131]}, days=(date(2024, 1, 9),)))])
    after = store.current()
    assert before is not None
    assert after is not None
    assert report.added == {"prices_adjusted": 1}
    assert after.files("prices_adjusted")["2023"].samefile(before.files("prices_adjusted")["2023"])
    assert not after.files("prices_adjusted")["2024"].samefile(before.files("prices_adjusted")["2024"])
    assert stored(store, "prices_adjusted").height == 13


def test_rows_that_differ_from_stored_ones(store: Store, daily: Daily, put: Put) -> None:
    import_paths(store, [put("krx_daily_x.parquet", daily())])
    current = store.current_id()
    # 000020 was split 2:1 in the newer file; 005930 agrees; both have a new session
    days = (date(2024, 1, 5), date(2024, 1, 8), date(2024, 1, 9))
    newer = daily({"000020": [60, 65, 66], "005930": [71_500, 73_000, 74_000]}, days=days)
    tail = put("krx_daily_tail.parquet", newer)
    with pytest.raises(
        BrokenInput, match=r"close 60 here, but 120 is stored \(2 rows differ\).*--new-rows-only"
    ) as refusal:
        import_paths(store, [tail])
    assert (refusal.value.row, refusal.value.column) == (1, "close")
    assert store.current_id() == current
    report = import_paths(store, [tail], new_rows_only=True)
    rows = stored(store, "prices_adjusted")
    assert report.added == {"prices_adjusted": 1}
    assert rows.filter(symbol="005930")["close"].to_list()[-1] == 74_000
    assert rows.filter(symbol="000020").height == 5, "its new row is on another scale"
    assert "000020" in report.notes[0]
    with pytest.raises(InputError, match="one of replace, new-rows-only and rebase"):
        import_paths(store, [tail], replace=True, rebase=True)
    report = import_paths(store, [tail], replace=True)
    assert (report.added, report.replaced) == ({"prices_adjusted": 1}, {"prices_adjusted": 2})
    assert stored(store, "prices_adjusted").filter(symbol="000020")["close"].to_list() == [100, 110, 105, 60, 65, 66]
    assert "2 replaced" in report.describe()


def test_stored_bars_are_brought_to_the_scale_of_newer_ones(store: Store, daily: Daily, put: Put) -> None:
    days = (date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4), date(2024, 1, 5), date(2024, 1, 8), date(2024, 1, 9))
    closes = {"000020": [1000, 1100, 1050, 1203, 1300], "005930": [70_000, 71_000, 72_000, 71_500, 73_000]}
    old = daily({**closes, "000040": [100, 101, 102, 103, 104]}, days=days)
    import_paths(store, [put("krx_daily_x.parquet", old.with_columns(date=pl.col("date").dt.offset_by("-364d")))])
    assert stored(store, "prices_adjusted")["session"].max().year == 2023
    import_paths(store, [put("krx_daily_y.parquet", old)])
    # afterwards 000020 was split 2:1; the newer file also has 000040 on no scale at all
    newer = daily(
        {"000020": [500, 550, 525, 602, 650, 660], "005930": [*closes["005930"], 74_000], "000040": [7, 9, 7, 9, 7, 9]},
        days=days,
        volume=2000,
    )
    report = import_paths(store, [put("krx_daily_tail.parquet", newer)], rebase=True)
    rows = stored(store, "prices_adjusted")
    mine = rows.filter(symbol="000020").sort("session")
    # each stored price halved and rounded to whole won (1203 / 2 = 601.5: rounding may go either way), volume doubled
    assert mine["close"].to_list() == [500, 550, 525, 602, 650] * 2 + [660]
    assert mine["high"].to_list()[3:5] == [604, 652]  # (1203 + 5) / 2 = 604 and (1300 + 5) / 2 = 652.5: half to even
    assert mine["volume"].to_list() == [2000] * 11
    assert rows.filter(symbol="005930")["close"].to_list()[-1] == 74_000
    assert rows.filter(symbol="000040")["close"].max() == 104, "bars on no common scale are left out"
    assert any("000020 x0.5" in note for note in report.notes)
    assert any("000040" in note and "left out" in note for note in report.notes)
    again = import_paths(store, [put("krx_daily_tail.parquet", newer)], rebase=True)
    assert again.unchanged


def test_market_data_replaces_demo_data_from_empty(store: Store, daily: Daily, put: Put) -> None:
    demo = daily({"111110": [5] * 5}).rename({"date": "session", "code": "symbol"}).drop("src")
    demo = demo.with_columns(tv=pl.lit(None, dtype=pl.Int64), source=pl.lit("demo"), open=5, high=5, low=5)
    first = store.write({"prices_adjusted": demo}, sources={"prices_adjusted": "demo"}, synthetic=True)
    report = import_paths(store, [put("krx_daily_x.parquet", daily())])
    current = store.current()
    assert current is not None
    assert current.synthetic is False
    assert set(stored(store, "prices_adjusted")["symbol"]) == {"000020", "005930"}
    assert store.snapshot(first.id).synthetic, "kept until its grace period ends"
    assert "Demo data" in report.notes[0]


def test_mapped_csv(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "vendor.csv"
    path.write_text(
        "Date,Ticker,Open,High,Low,Adj Close,Volume\n2024-01-02,005930,100.2,110.7,99.5,105.5,1000\n2024-01-03,005930,,,,105.5,0\n"
    )
    mapping = {
        "date": "Date",
        "code": "Ticker",
        "open": "Open",
        "high": "High",
        "low": "Low",
        "close": "Adj Close",
        "volume": "Volume",
    }
    report = import_paths(store, [path], mapping=mapping, basis=PriceBasis.ADJUSTED, source="Vendor, 2024-06")
    rows = stored(store, "prices_adjusted")
    assert rows["open"].to_list() == [100, None]
    assert rows["close"].to_list() == [106, 106]
    assert rows["source"].to_list() == ["Vendor, 2024-06"] * 2
    assert report.files[0].layout == "mapped"
    snapshot = store.current()
    assert snapshot is not None
    assert snapshot.manifest.datasets["prices_adjusted"].source == "Vendor, 2024-06"
    with pytest.raises(BrokenInput, match=r"wanted as 'close'.*Did you mean 'Adj Close'") as refusal:
        import_paths(store, [path], mapping={**mapping, "close": "Adj. Close"}, basis=PriceBasis.ADJUSTED)
    assert refusal.value.column == "Adj. Close"
    with pytest.raises(BrokenInput, match="wanted as 'code'"):
        import_paths(store, [path], mapping={"date": "Date"}, basis=PriceBasis.ADJUSTED)
    with pytest.raises(BrokenInput, match=r"a whole number, found '100\.2'") as refusal:
        import_paths(store, [path], mapping=mapping, basis=PriceBasis.RAW)
    assert (refusal.value.row, refusal.value.column) == (1, "Open")
    with pytest.raises(InputError, match="Unknown name 'mcap'"):
        import_paths(store, [path], mapping={**mapping, "mcap": "x"}, basis=PriceBasis.ADJUSTED)


def test_mapped_raw_file_of_one_symbol(store: Store, put: Put) -> None:
    frame = pl.DataFrame(
        {
            "date": [date(2024, 1, 2), date(2024, 1, 3)],
            "open": [100, 52],
            "high": [105, 55],
            "low": [99, 50],
            "close": [100, 54],
            "volume": [10, 20],
            "chg": [1, 4],
            "cap": [10**9, None],
        }
    )
    path = put("one.parquet", frame)
    mapping = {"code": "=005930", "market": "=코스닥", "change": "chg", "mcap": "cap"}
    import_paths(store, [path], mapping=mapping, basis=PriceBasis.RAW)
    rows = stored(store, "prices_raw")
    assert rows["symbol"].unique().to_list() == ["005930"]
    assert rows["market"].unique().to_list() == ["KOSDAQ"]
    assert rows["mcap"].to_list() == [10**9, None]
    assert rows["change"].to_list() == [1, 4]
    assert rows["shares_listed"].null_count() == 2
    path = put("one.parquet", frame.with_columns(neg=pl.lit(-1)))
    with pytest.raises(BrokenInput, match="expected a number of 0 or more"):
        import_paths(store, [path], mapping={**mapping, "tv": "neg"}, basis=PriceBasis.RAW)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_files_may_come_in_any_order_and_overlap(data: st.DataObject, daily: Daily, tmp_path: Path) -> None:
    rows = daily(days=(date(2023, 12, 27), date(2023, 12, 28), *SESSIONS[:3]))
    hashes = set()
    for _ in range(2):
        home = Path(tempfile.mkdtemp(dir=tmp_path))
        parts = [rows[sorted(data.draw(st.sets(st.integers(0, rows.height - 1), min_size=1)))] for _ in range(2)]
        paths = []
        for number, part in enumerate([*parts, rows]):
            paths.append(home / f"krx_daily_{number}.parquet")
            part.sample(fraction=1, shuffle=True, seed=number).write_parquet(paths[-1])
        order = data.draw(st.permutations(paths))
        together = data.draw(st.integers(1, len(order)))
        store = Store(home)
        import_paths(store, order[:together])
        for path in order[together:]:
            import_paths(store, [path])
        snapshot = store.current()
        assert snapshot is not None
        hashes.add(snapshot.manifest.content_hash)
    assert len(hashes) == 1
