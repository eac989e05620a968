"""A clock, a pace that tests can wait for, and a small market on real sessions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import polars as pl
import pytest

from stocklab.data.sources.calls import KST, MemoryCalls
from stocklab.data.sources.http import Pace


@pytest.fixture
def quick() -> Callable[..., Pace]:
    """A pace of milliseconds; keywords change it."""

    def make(**changes: object) -> Pace:
        values: dict[str, object] = {
            "least_gap_seconds": 0.0,
            "most_gap_seconds": 0.0,
            "budget": 1_000,
            "attempts": 3,
            "first_wait_seconds": 0.01,
            "longest_wait_seconds": 0.05,
            "timeout_seconds": 2.0,
        }
        return Pace(**{**values, **changes})  # type: ignore[arg-type]

    return make


@pytest.fixture
def later() -> Callable[[], datetime]:
    """A clock long after the sessions of these tests (2024-01-02..08)."""
    return lambda: datetime(2024, 2, 15, 9, 0, tzinfo=KST)


@pytest.fixture
def calls(later: Callable[[], datetime]) -> MemoryCalls:
    return MemoryCalls(clock=later)


@pytest.fixture
def market(sessions: tuple[date, ...]) -> pl.DataFrame:
    """Rows as marcap_* has them: 10 shares on KOSPI, 12 on KOSDAQ (2 of its GLOBAL segment), 4 on KONEX, five sessions.

    Of 099520 nothing trades; 000020 falls on the third session; the last KOSDAQ share is a SPAC.
    """
    shares = [
        *((f"{number:05}0", "KOSPI", None) for number in range(1, 10)),
        ("000025", "KOSPI", None),
        *((f"{number:05}0", "KOSDAQ", "중견기업부") for number in range(30001, 30010)),
        ("099520", "KOSDAQ", "관리종목(소속부없음)"),
        ("035900", "KOSDAQ GLOBAL", "우량기업부"),
        ("0088D0", "KOSDAQ GLOBAL", "SPAC(소속부없음)"),
        *((f"{number:05}0", "KONEX", "일반기업부") for number in range(24001, 24005)),
    ]
    rows = []
    for place, (code, name, dept) in enumerate(shares):
        close = 1_000 + 37 * place
        for day in sessions:
            change = 0 if code == "099520" else (-30 if (day.day, code) == (4, "000010") else 5)
            close += change
            halted = code == "099520"
            volume = 0 if halted else 1_000 + place
            rows.append(
                {
                    "date": day,
                    "code": code,
                    "name": f"이름{code}",
                    "market": name,
                    "dept": dept,
                    "open": 0 if halted else close - 3,
                    "high": 0 if halted else close + 10,
                    "low": 0 if halted else close - 40,
                    "close": close,
                    "change": change,
                    "volume": volume,
                    "amount": volume * close,
                    "market_cap": close * 45_281_824,
                    "listed_shares": 45_281_824,
                }
            )
    return pl.DataFrame(rows, schema_overrides={"dept": pl.String})
