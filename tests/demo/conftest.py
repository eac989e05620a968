"""One demo market for every test of this folder, and its bars with what the checks need beside them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl
import pytest

from stocklab.data.demo import demo_datasets

UNTIL = date(2026, 11, 21)
CLEANUP_REASONS = ("신청에 의한 상장폐지", "감사의견 거절(감사범위 제한)", "자본전액잠식", "해산 사유 발생")


@pytest.fixture(scope="session")
def demo_frames() -> Mapping[str, pl.DataFrame]:
    return demo_datasets(until=UNTIL)


@pytest.fixture(scope="session")
def demo_bars(demo_frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """`prices_raw` with kind, base price, previous close, and whether the row is a first day or clean-up trading."""
    raw, first = demo_frames["prices_raw"], demo_frames["prices_raw"]["session"].min()
    left = demo_frames["delistings"].select("symbol", "reason")
    of_symbol = pl.int_range(pl.len()).over("symbol")
    from_end = pl.len().over("symbol") - of_symbol
    return (
        raw.join(demo_frames["instruments"].select("symbol", "kind"), on="symbol", maintain_order="left")
        .join(left, on="symbol", how="left", maintain_order="left")
        .with_columns(
            base=pl.col("close") - pl.col("change"),
            before=pl.col("close").shift(1).over("symbol"),
            first_day=(of_symbol == 0) & (pl.col("session") > first),
            cleanup=pl.col("reason").is_in(CLEANUP_REASONS).fill_null(False) & (from_end <= 7),
        )
    )
