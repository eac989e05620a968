"""Fixtures every test may use."""

from __future__ import annotations

import os
import sys
from datetime import date
from pathlib import Path

import pytest

from stocklab.data import Store
from stocklab.data.demo import build_demo

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # the module `patience`


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real KRX, DART and Upbit files; skips, saying so, where it is missing."""
    folder = Path(os.environ.get("STOCKLAB_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "krx_daily_2020_2026.parquet").is_file():
        pytest.skip(f"real market data not found in {folder} (set STOCKLAB_TEST_DATA)")
    return folder


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a small demo market (120 symbols, ten years); shared by all tests, so only read it."""
    home = tmp_path_factory.mktemp("demo-home")
    build_demo(Store(home), symbols=120, until=date(2026, 11, 21))
    return home
