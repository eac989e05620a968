"""Each finding is seen where it is, and only there."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl

from stocklab.data.quality import CHECKS, EXAMPLES, assess
from stocklab.market.calendar import sessions_between

DAYS = sessions_between(date(2015, 3, 2), date(2016, 3, 31)).astype(object).tolist()


def series(symbol: str, closes: list[int], *, start: int = 0, volume: int | list[int] = 10_000) -> pl.DataFrame:
    count = len(closes)
    volumes = volume if isinstance(volume, list) else [volume] * count
    return pl.DataFrame({"session": DAYS[start : start + count], "symbol": symbol, "close": closes, "volume": volumes})


def bars(*parts: pl.DataFrame) -> pl.LazyFrame:
    return pl.concat(parts).lazy()


def finding(report: dict[str, Any], check: str, dataset: str = "prices_adjusted") -> dict[str, Any]:
    return next(one for one in report["checks"] if (one["check"], one["dataset"]) == (check, dataset))


def test_clean_series_have_no_finding() -> None:
    report = assess({"prices_adjusted": bars(series("000020", [100] * 100))})
    assert set(report["counts"].values()) == {0}
    assert {one["check"] for one in report["checks"]} <= set(CHECKS)


def test_gaps_and_days_the_exchange_was_closed() -> None:
    whole = series("000020", [100] * 50)
    holed = series("000040", [100] * 50).filter(~pl.col("session").is_in(DAYS[10:15]))
    sunday = pl.DataFrame({"session": [date(2015, 3, 8)], "symbol": "000050", "close": [1], "volume": [1]})
    report = assess({"prices_adjusted": bars(whole, holed, sunday)})
    assert finding(report, "gaps")["examples"] == [
        {"symbol": "000040", "before": str(DAYS[9]), "after": str(DAYS[15]), "sessions": 5}
    ]
    assert finding(report, "off_session")["examples"] == [{"symbol": "000050", "session": "2015-03-08"}]


def test_sessions_without_a_bar_and_days_that_traded_after_all() -> None:
    whole = series("000020", [100] * 50).filter(~pl.col("session").is_in([DAYS[10], DAYS[11]]))
    saturday = date(2015, 3, 7)
    traded = pl.DataFrame({"session": [saturday], "symbol": "000020", "close": [100], "volume": [1]})
    report = assess({"prices_adjusted": bars(whole, traded)})
    assert [one["session"] for one in finding(report, "missing_sessions")["examples"]] == [str(DAYS[10]), str(DAYS[11])]
    assert finding(report, "off_session")["count"] == 1
    level = pl.LazyFrame(
        {"session": [saturday], "index": ["KOSPI"], "open": [1.0], "high": [1.0], "low": [1.0], "close": [1.0]}
    )
    coverage = pl.LazyFrame({"feed": ["krx_openapi.stocks"], "key": [str(DAYS[10])], "state": ["empty"]})
    report = assess({"prices_adjusted": bars(whole, traded), "indices": level, "coverage": coverage})
    assert [one["session"] for one in finding(report, "missing_sessions")["examples"]] == [str(DAYS[11])]
    assert finding(report, "off_session")["count"] == 0, "KOSPI has a level, so the exchange was open"


def test_jumps_follow_the_limit_of_the_day() -> None:
    wide = DAYS.index(date(2015, 6, 15))  # 15 % until the session before, 30 % from here on
    closes = [1000] * 120
    closes[wide - 1 :] = [1200] * (120 - wide + 1)  # + 20 % one session too early
    fine = [1000] * 120
    fine[wide:] = [1200] * (120 - wide)
    data = bars(series("000020", closes), series("000040", fine), series("000050", [1000] * 119 + [1400]))
    report = assess({"prices_adjusted": data})
    found = finding(report, "jumps")["examples"]
    assert [(one["symbol"], one["session"], one["move"]) for one in found] == [
        ("000020", str(DAYS[wide - 1]), 0.2),
        ("000050", str(DAYS[119]), 0.4),
    ]
    event = pl.DataFrame({"session": [DAYS[119]], "symbol": ["000050"], "kind": ["split"], "ratio": [2.0]})
    assert finding(assess({"prices_adjusted": data, "events": event.lazy()}), "jumps")["count"] == 1


def test_raw_jumps_are_measured_from_the_base_price() -> None:
    frame = series("000020", [1000, 500, 500, 600], start=100).with_columns(
        change=pl.Series([0, 0, None, 100]), market=pl.lit("KONEX")
    )
    # 1000 -> 500 is a split (base 500); 500 -> 600 is 20 %, beyond KONEX's 15 %
    found = finding(assess({"prices_raw": frame.lazy()}), "jumps", "prices_raw")["examples"]
    assert [(one["session"], one["base"]) for one in found] == [(str(DAYS[103]), 500)]
    kospi = frame.with_columns(market=pl.lit("KOSPI"))
    assert finding(assess({"prices_raw": kospi.lazy()}), "jumps", "prices_raw")["count"] == 0


def test_series_that_end() -> None:
    last = DAYS[99]
    data = bars(
        series("000020", [100] * 100),
        series("000030", [100] * 50),  # no word of its end
        series("000040", [100] * 50),  # delisted months later
        series("000050", [100] * 50),  # delisted at once
        series("000060", [100] * 100),  # trades on after a delisting
        series("000070", [100] * 100, volume=[1] * 30 + [0] * 70),
        series("000080", [100] * 80, start=20, volume=0),
    )
    gone = pl.DataFrame(
        {"symbol": ["000040", "000050", "000060"], "delisted_on": [DAYS[49] + timedelta(days=100), DAYS[50], DAYS[20]]}
    )
    known = pl.DataFrame({"symbol": [f"0000{number}0" for number in (2, 3, 4, 5, 6, 7)]})
    report = assess({"prices_adjusted": data, "delistings": gone.lazy(), "instruments": known.lazy()})
    assert finding(report, "ends_early")["examples"] == [{"symbol": "000030", "last": str(DAYS[49])}]
    assert [one["symbol"] for one in finding(report, "cut_before_delisting")["examples"]] == ["000040"]
    assert [one["symbol"] for one in finding(report, "trades_after_delisting")["examples"]] == ["000060"]
    assert finding(report, "stale")["examples"] == [
        {"symbol": "000080", "last": str(last), "last_trade": None, "sessions": 80},
        {"symbol": "000070", "last": str(last), "last_trade": str(DAYS[29]), "sessions": 70},
    ]
    assert [one["symbol"] for one in finding(report, "unnamed")["examples"]] == ["000080"]


def test_volume_left_unadjusted_by_a_split() -> None:
    volume = [10_000] * 40 + [0] * 3 + [500_000] * 40
    quiet = [10] * 40 + [0] * 3 + [500] * 40
    data = bars(series("005930", [1000] * 83, volume=volume), series("000020", [1000] * 83, volume=quiet))
    assert finding(assess({"prices_adjusted": data}), "volume_breaks")["examples"] == [
        {"symbol": "005930", "session": str(DAYS[43]), "ratio": 50.0}
    ]


def test_examples_are_bounded_and_counts_are_not() -> None:
    data = bars(*(series(f"{number:06d}", [100] * 20) for number in range(30)), series("999990", [100] * 40))
    one = finding(assess({"prices_adjusted": data}), "ends_early")
    assert (one["count"], len(one["examples"])) == (30, EXAMPLES)


def test_index_rows_that_contradict_themselves() -> None:
    rows = pl.DataFrame(
        {
            "index": ["A", "B", "C"],
            "session": [DAYS[0]] * 3,
            "high": [10.0, 10.0, None],
            "low": [9.0, 9.0, None],
            "close": [9.5, 11.0, 1.0],
        }
    )
    assert finding(assess({"indices": rows.lazy()}), "index_contradictions", "indices")["examples"] == [
        {"index": "B", "session": str(DAYS[0]), "high": 10.0, "low": 9.0, "close": 11.0}
    ]
