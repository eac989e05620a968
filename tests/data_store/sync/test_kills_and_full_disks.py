"""A sync that is killed, or whose disk is full: every snapshot is whole, nothing is lost, nothing piles up."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from fakes.krx_openapi import KEY, FakeKrxOpenApi
from polars.testing import assert_frame_equal

from stocklab.data import Store, open_panel

from .conftest import FIRST, LAST, morning_after, served_rows, stored_rows

KILLS = int(os.environ.get("STOCKLAB_SYNC_KILLS", "6"))

CHILD = """
import json, sys
from datetime import date, datetime
from pathlib import Path
from stocklab.data import Store
from stocklab.data.sources.calls import MemoryCalls
from stocklab.data.sources.http import Pace
from stocklab.data.sources.krx_feeds import StockBars
from stocklab.data.sources.krx_openapi import KrxOpenApi
from stocklab.data.sync.run import SyncOptions, sync
from stocklab.errors import StockLabError

home, url, key, now, first, after = sys.argv[1:]
clock = lambda: datetime.fromisoformat(now)
pace = Pace(least_gap_seconds=0.0, most_gap_seconds=0.0, budget=None, first_wait_seconds=0.01)
try:
    with KrxOpenApi(url, key, MemoryCalls(clock=clock), pace=pace, clock=clock) as api:
        options = SyncOptions(
            history_from=date.fromisoformat(first), first_store_after=int(after), store_after=int(after), grace_hours=0.0
        )
        report = sync(Store(Path(home)), [StockBars(api)], options, clock=clock)
    print(json.dumps(report.to_dict()))
except StockLabError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


def child(home: Path, url: str, *, after: int = 4, until: date = LAST) -> list[str]:
    return [sys.executable, "-c", CHILD, str(home), url, KEY, morning_after(until).isoformat(), str(FIRST), str(after)]


@pytest.fixture
def krx(market: pl.DataFrame) -> Iterator[FakeKrxOpenApi]:
    with FakeKrxOpenApi(market, clock=lambda: date(2024, 4, 1), quota=10_000_000) as fake:
        yield fake


def test_killed_at_any_moment_nothing_is_lost_and_nothing_piles_up(
    krx: FakeKrxOpenApi, market: pl.DataFrame, tmp_path: Path
):
    """`STOCKLAB_SYNC_KILLS` of them; a home that is complete is begun anew."""
    rng = random.Random(20261127)
    home = tmp_path / "home"
    expected = served_rows(market)
    finished = killed = most_kept = 0
    while killed < KILLS:
        process = subprocess.Popen(child(home, krx.url), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            process.communicate(timeout=rng.uniform(0.55, 2.4))
            assert process.returncode == 0
            finished += 1
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            killed += 1
        store = Store(home)
        snapshot = store.current()  # checks every file's size
        if snapshot is not None:
            snapshot.verify()
            rows = stored_rows(store)
            held = set(rows["session"])
            assert_frame_equal(rows.drop("source"), expected.filter(pl.col("session").is_in(list(held))))
            assert snapshot.scan("coverage").collect().height == len(held)
        market_files = list((home / "market").rglob("*")) if home.exists() else []
        most_kept = max(most_kept, len(list((home / "market" / "inbox").glob("*/*"))))
        asides = [path for path in market_files if path.name.startswith((".staging", ".aside"))]
        assert len(asides) <= 4, "what killed writers leave is removed by the next"
        if process.returncode == 0:
            assert_frame_equal(stored_rows(store).drop("source"), expected)
            assert not list((home / "market" / "inbox").glob("*/*"))
            shutil.rmtree(home)
    assert most_kept <= 8, "the answers between two snapshots, not more"
    last = subprocess.run(child(home, krx.url), check=True, capture_output=True, text=True, timeout=120)
    assert json.loads(last.stdout.splitlines()[-1])["complete"]
    assert_frame_equal(stored_rows(Store(home)).drop("source"), expected)
    panel = open_panel(Store(home))
    assert panel.n_sessions == expected["session"].n_unique()
    names = [path.name for path in (home / "market").rglob("*")]
    assert not [name for name in names if name.startswith((".staging", ".aside"))]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a small file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(file: Path) -> None:
    with file.open("wb", buffering=0) as stream:
        while True:
            stream.write(b"x" * 4096)


def test_a_full_disk_is_an_error_and_the_old_snapshot_stays(
    krx: FakeKrxOpenApi, market: pl.DataFrame, small_disk: Path
):
    home = small_disk / "home"
    subprocess.run(child(home, krx.url, until=date(2024, 1, 10)), check=True, capture_output=True, timeout=60)
    store = Store(home)
    before, rows = store.current_id(), stored_rows(store)
    assert before is not None
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="space"):
        fill(filler)
    failed = subprocess.run(child(home, krx.url), check=False, capture_output=True, text=True, timeout=60)
    assert failed.returncode == 3, failed.stderr
    assert "unchanged" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert store.current_id() == before
    assert_frame_equal(stored_rows(store), rows)
    filler.unlink()
    done = subprocess.run(child(home, krx.url, after=30), check=True, capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout.splitlines()[-1])["complete"]
    assert_frame_equal(stored_rows(store).drop("source"), served_rows(market))
