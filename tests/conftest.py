"""Fixtures every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real KRX, DART and Upbit files; skips, saying so, where it is missing."""
    folder = Path(os.environ.get("STOCKLAB_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "krx_daily_2020_2026.parquet").is_file():
        pytest.skip(f"real market data not found in {folder} (set STOCKLAB_TEST_DATA)")
    return folder
