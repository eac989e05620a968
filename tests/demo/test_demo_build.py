"""The demo market repeats to the byte, keeps to its limits and never takes the place of real data unasked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from stocklab.data.datasets import DATASETS, conform
from stocklab.data.demo import build_demo, demo_datasets
from stocklab.data.store import Store
from stocklab.errors import InputError, StoreError

UNTIL = date(2026, 11, 21)
IN_A_NEW_PROCESS = """
import sys
from datetime import date
from pathlib import Path
from stocklab.data.demo import build_demo
from stocklab.data.store import Store
print(build_demo(Store(Path(sys.argv[1])), symbols=80, seed=7, until=date(2026, 11, 21)).manifest.content_hash)
"""


def test_same_seed_and_day_give_the_same_bytes_in_every_process(tmp_path: Path) -> None:
    def hash_of(home: str, seed: int) -> str:
        return build_demo(Store(tmp_path / home), symbols=80, seed=seed, until=UNTIL).manifest.content_hash

    here = hash_of("one", 7)
    assert hash_of("two", 7) == here
    command = [sys.executable, "-c", IN_A_NEW_PROCESS, str(tmp_path / "three")]
    other = subprocess.run(command, capture_output=True, text=True, check=True)
    assert other.stdout.split()[-1] == here
    assert hash_of("four", 8) != here


@pytest.mark.parametrize("seed", [0, 8, 19])
@pytest.mark.parametrize("symbols", [50, 150])
def test_other_sizes_and_seeds_hold_every_kind_of_event(symbols: int, seed: int) -> None:
    frames = demo_datasets(symbols=symbols, seed=seed, until=UNTIL)
    stocks = frames["instruments"].filter(pl.col("market") != "UPBIT")
    assert stocks["symbol"].n_unique() == symbols
    assert frames["events"]["kind"].n_unique() == 5
    assert frames["delistings"].height >= 5


def test_datasets_follow_the_contract_of_the_store(demo_frames: Mapping[str, pl.DataFrame]) -> None:
    kept_by_syncs = {"coverage", "disagreements"}  # nobody was asked for an invented market
    assert set(demo_frames) == set(DATASETS) - kept_by_syncs
    for name, frame in demo_frames.items():
        assert_frame_equal(conform(name, frame), frame)


@pytest.mark.parametrize(
    ("until", "last"),
    [
        (date(2026, 1, 2), date(2025, 12, 30)),
        (date(2027, 6, 1), date(2027, 5, 31)),  # expected sessions
        (date(2031, 3, 1), date(2027, 12, 30)),  # the calendar ends
        (date(2024, 2, 29), date(2024, 2, 28)),
    ],
)
def test_last_session_before_the_day(until: date, last: date) -> None:
    frames = demo_datasets(symbols=80, until=until)
    assert frames["prices_raw"]["session"].max() == last
    assert frames["prices_adjusted"]["session"].max() == last


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"symbols": 49, "until": UNTIL}, "50 to 5000 symbols; 49"),
        ({"symbols": 5001, "until": UNTIL}, "5001 were asked for"),
        ({"seed": -1, "until": UNTIL}, "non-negative"),
        ({"until": date(2019, 1, 2)}, "tick table"),
        ({"until": date(2004, 1, 2)}, "KRX calendar"),
    ],
)
def test_parameters_out_of_range_are_refused(wrong: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        demo_datasets(**wrong)


def test_build_writes_a_synthetic_snapshot_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    snapshot = build_demo(store, symbols=80, until=UNTIL)
    assert snapshot.synthetic
    assert {entry.source for entry in snapshot.manifest.datasets.values()} == {"demo data (synthetic)"}
    assert store.current().id == snapshot.id
    assert build_demo(store, symbols=80, until=UNTIL).id == snapshot.id  # nothing new to write


def test_real_data_is_not_replaced_unasked(tmp_path: Path, demo_frames: Mapping[str, pl.DataFrame]) -> None:
    store = Store(tmp_path)
    bars = demo_frames["prices_adjusted"].head(30).with_columns(source=pl.lit("a file"))
    real = store.write({"prices_adjusted": bars}, sources={"prices_adjusted": "a file"})
    with pytest.raises(StoreError, match=r"holds real market data.*STOCKLAB_HOME"):
        build_demo(store, symbols=80, until=UNTIL)
    assert store.current().id == real.id
    demo = build_demo(store, symbols=80, until=UNTIL, replace=True)
    assert store.current().id == demo.id
    assert store.snapshot(real.id).scan("prices_adjusted").collect().height == 30
