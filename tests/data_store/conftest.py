"""Tiny markets on real sessions, written as the files a user would import."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from stocklab.data import Store

SESSIONS = (
    date(2024, 1, 2),
    date(2024, 1, 3),
    date(2024, 1, 4),
    date(2024, 1, 5),
    date(2024, 1, 8),
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home")


@pytest.fixture
def sessions() -> tuple[date, ...]:
    """Five consecutive KRX sessions, Tuesday 2024-01-02 to Monday 2024-01-08."""
    return SESSIONS


@pytest.fixture
def daily() -> Callable[..., pl.DataFrame]:
    """Rows in the krx_daily layout: one symbol per keyword or pair, closes in order of the sessions."""

    def make(
        closes: dict[str, list[int]] | None = None, *, volume: int = 1000, days: tuple[date, ...] = SESSIONS
    ) -> pl.DataFrame:
        closes = closes or {"000020": [100, 110, 105, 120, 130], "005930": [70_000, 71_000, 72_000, 71_500, 73_000]}
        rows = [
            {
                "date": day,
                "code": code,
                "open": close,
                "high": close + 5,
                "low": close - 5,
                "close": close,
                "volume": volume,
                "src": 1,
            }
            for code, series in closes.items()
            for day, close in zip(days, series, strict=False)
        ]
        return pl.DataFrame(rows).with_columns(pl.col("src").cast(pl.UInt8))

    return make


@pytest.fixture
def cross_section() -> Callable[..., pl.DataFrame]:
    """Rows in the marcap layout from (day, code, open, high, low, close, change, volume, listed shares)."""

    def make(
        rows: list[tuple[object, ...]], *, market: str = "KOSDAQ", dept: str | None = "중견기업부"
    ) -> pl.DataFrame:
        names = ("date", "code", "open", "high", "low", "close", "change", "volume", "listed_shares")
        frame = pl.DataFrame([dict(zip(names, row, strict=True)) for row in rows])
        return frame.with_columns(
            name=pl.lit("이름") + pl.col("code"),
            market=pl.lit(market),
            dept=pl.lit(dept, dtype=pl.String),
            amount=pl.col("close") * pl.col("volume"),
            market_cap=pl.col("close") * pl.col("listed_shares"),
        )

    return make


@pytest.fixture
def put(tmp_path: Path) -> Callable[[str, pl.DataFrame], Path]:
    """Write a frame as a Parquet or CSV file, by the ending of its name."""

    def write(name: str, frame: pl.DataFrame) -> Path:
        path = tmp_path / name
        if path.suffix == ".csv":
            frame.write_csv(path)
        else:
            frame.write_parquet(path)
        return path

    return write


@pytest.fixture
def fingerprint() -> Callable[[Path], dict[str, bytes]]:
    """Every file below a directory with its bytes, to show that nothing changed."""

    def read(directory: Path) -> dict[str, bytes]:
        return {
            str(path.relative_to(directory)): path.read_bytes()
            for path in sorted(directory.rglob("*"))
            if path.is_file()
        }

    return read
