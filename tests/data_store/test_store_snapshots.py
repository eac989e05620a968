"""Snapshots are whole, immutable, linked to each other, and never mixed with demo data."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from stocklab.data import UNCHANGED, Partitions, Store, durable
from stocklab.data.manifest import Manifest
from stocklab.errors import StoreError

INDEX = pl.DataFrame(
    {
        "session": [date(2024, 1, 2)],
        "index": ["KOSPI"],
        "open": [2600.0],
        "high": [2700.0],
        "low": [2500.0],
        "close": [2650.0],
        "volume": [1],
        "tv": [2],
    }
)


def bars(days: list[date], close: int = 100) -> pl.DataFrame:
    return pl.DataFrame(
        {"session": days, "symbol": ["005930"] * len(days), "open": close, "high": close, "low": close, "close": close}
    ).with_columns(volume=pl.lit(10), tv=pl.lit(None, dtype=pl.Int64), source=pl.lit("test"))


TWO_YEARS = [date(2023, 12, 28), date(2024, 1, 2)]
SOURCES = {"prices_adjusted": "a", "indices": "b"}


def test_empty_home_has_no_snapshot_and_nothing_is_written(store: Store) -> None:
    assert store.current() is None
    assert not store.directory.exists()


def test_written_snapshot_is_current_and_described(store: Store) -> None:
    snapshot = store.write({"prices_adjusted": bars(TWO_YEARS), "indices": INDEX}, sources=SOURCES)
    current = store.current()
    assert current is not None
    assert current.id == snapshot.id
    entry = current.manifest.datasets["prices_adjusted"]
    assert (entry.rows, entry.first_session, entry.last_session, entry.source) == (2, *TWO_YEARS, "a")
    assert list(current.files("prices_adjusted")) == ["2023", "2024"]
    assert current.sessions("prices_adjusted").astype(object).tolist() == TWO_YEARS
    assert current.manifest.synthetic is False
    assert Manifest.load(current.path) == current.manifest
    assert snapshot.id.endswith(current.manifest.content_hash[:12])
    current.verify()


def test_same_content_writes_nothing(store: Store) -> None:
    first = store.write({"prices_adjusted": bars(TWO_YEARS)}, sources=SOURCES)
    again = store.write({"prices_adjusted": bars(TWO_YEARS[::-1])}, sources=SOURCES)
    assert again.id == first.id
    assert len(list(store.snapshots.iterdir())) == 1


def test_same_content_in_another_home_has_the_same_hash(store: Store, tmp_path: Path) -> None:
    first = store.write({"prices_adjusted": bars(TWO_YEARS)}, sources=SOURCES)
    other = Store(tmp_path / "other").write({"prices_adjusted": bars(TWO_YEARS)}, sources=SOURCES)
    assert other.manifest.content_hash == first.manifest.content_hash


def test_unchanged_files_are_hard_linked(store: Store) -> None:
    first = store.write({"prices_adjusted": bars(TWO_YEARS), "indices": INDEX}, sources=SOURCES)
    newer = INDEX.with_columns(close=pl.lit(2660.0))
    second = store.write({"prices_adjusted": UNCHANGED, "indices": newer}, sources=SOURCES)
    for year in ("2023", "2024"):
        assert first.files("prices_adjusted")[year].samefile(second.files("prices_adjusted")[year])
    assert not first.files("indices")[""].samefile(second.files("indices")[""])
    assert second.id > first.id
    third = store.write(
        {
            "prices_adjusted": Partitions(years={2023: UNCHANGED, 2024: bars(TWO_YEARS[1:], close=200)}),
            "indices": UNCHANGED,
        },
        sources=SOURCES,
    )
    assert first.files("prices_adjusted")["2023"].samefile(third.files("prices_adjusted")["2023"])
    assert third.scan("prices_adjusted").collect()["close"].to_list() == [100, 200]
    assert first.scan("prices_adjusted").collect()["close"].to_list() == [100, 100]


def test_rewritten_equal_year_is_linked_too(store: Store) -> None:
    first = store.write({"prices_adjusted": bars(TWO_YEARS)}, sources=SOURCES)
    frame = pl.concat([bars(TWO_YEARS), bars([date(2024, 1, 3)])])
    second = store.write({"prices_adjusted": frame}, sources=SOURCES)
    assert first.files("prices_adjusted")["2023"].samefile(second.files("prices_adjusted")["2023"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"prices": INDEX}, "Unknown dataset 'prices'"),
        ({"indices": INDEX.drop("close")}, "column 'close' is missing"),
        ({"indices": pl.concat([INDEX, INDEX])}, r"key \(KOSPI, 2024-01-02\) appears twice"),
        ({"indices": INDEX.with_columns(close=pl.lit(None))}, "'close' must be known"),
        ({"indices": INDEX.with_columns(volume=pl.lit("many"))}, "does not fit its type"),
        ({"prices_adjusted": UNCHANGED}, "cannot be taken over"),
        ({"prices_adjusted": Partitions(years={2023: bars(TWO_YEARS)})}, "rows of another year"),
        ({"indices": Partitions(years={2024: INDEX})}, "not split by year"),
        ({"events": INDEX}, "no source is given"),
    ],
)
def test_content_that_breaks_the_contract_is_refused(store: Store, content: dict[str, object], message: str) -> None:
    before = store.write({"indices": INDEX}, sources=SOURCES)
    with pytest.raises(StoreError, match=message):
        store.write(content, sources=SOURCES)  # type: ignore[arg-type]
    assert store.current_id() == before.id
    assert [path.name for path in store.snapshots.iterdir()] == [before.id]


def test_demo_and_market_data_are_never_mixed(store: Store) -> None:
    store.write({"indices": INDEX}, sources=SOURCES, synthetic=True)
    with pytest.raises(StoreError, match="never mixed"):
        store.write({"indices": UNCHANGED, "prices_adjusted": bars(TWO_YEARS)}, sources=SOURCES)
    real = store.write({"indices": INDEX}, sources=SOURCES)
    assert real.synthetic is False  # the same bytes, but another content


def test_clock_set_back_does_not_reorder_versions(store: Store) -> None:
    first = store.write({"indices": INDEX}, sources=SOURCES)
    path = first.path / "manifest.json"
    value = json.loads(path.read_text())
    value["created_utc"] = "2999-01-01T00:00:00+00:00"
    path.write_text(json.dumps(value))
    second = store.write({"indices": INDEX.with_columns(close=pl.lit(1.0))}, sources=SOURCES)
    assert second.manifest.created_utc > datetime(2999, 1, 1, tzinfo=UTC)
    assert store.collect_garbage(grace_hours=0)[-1:] != (second.id,)
    assert [path.name for path in store.snapshots.iterdir()] == [second.id], (
        "what a wrong clock wrote goes all the same"
    )


def test_garbage_is_collected_after_the_grace_period(store: Store) -> None:
    ids = [
        store.write({"indices": INDEX.with_columns(close=pl.lit(float(level)))}, sources=SOURCES).id
        for level in (1, 2, 3)
    ]
    panel = store.panels / f"{ids[0]}-adjusted"
    panel.mkdir(parents=True)
    (store.snapshots / ".staging-999-dead").mkdir()
    assert store.collect_garbage(grace_hours=1) == ()
    assert panel.exists()
    assert not (store.snapshots / ".staging-999-dead").exists()
    assert store.collect_garbage(grace_hours=0) == tuple(ids[:2])
    assert [path.name for path in store.snapshots.iterdir()] == [ids[2]]
    assert not panel.exists()
    assert store.current_id() == ids[2]


def test_grace_counts_from_replacement_not_from_writing(store: Store) -> None:
    first = store.write({"indices": INDEX}, sources=SOURCES)
    second = store.write({"indices": INDEX.with_columns(close=pl.lit(1.0))}, sources=SOURCES)
    path = second.path / "manifest.json"
    value = json.loads(path.read_text())
    value["created_utc"] = (datetime.now(UTC) - timedelta(hours=3)).isoformat()
    path.write_text(json.dumps(value))
    assert store.collect_garbage(grace_hours=4) == ()
    assert store.collect_garbage(grace_hours=2) == (first.id,)


def test_damage_is_noticed(store: Store) -> None:
    snapshot = store.write({"indices": INDEX}, sources=SOURCES)
    path = snapshot.files("indices")[""]
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    store.snapshot(snapshot.id)  # sizes agree: opening is cheap
    with pytest.raises(StoreError, match="checksum differs"):
        snapshot.verify()
    path.write_bytes(good[:-1])
    with pytest.raises(StoreError, match="bytes"):
        store.current()
    path.unlink()
    with pytest.raises(StoreError, match=r"is missing.*delete market/CURRENT"):
        store.current()
    (store.directory / "CURRENT").unlink()  # what the message advises
    assert store.current() is None
    assert store.write({"indices": INDEX}, sources=SOURCES).id != snapshot.id


@pytest.mark.parametrize("name", ["", "..", "nothing-like-it", "a/b"])
def test_unknown_snapshot(store: Store, name: str) -> None:
    store.write({"indices": INDEX}, sources=SOURCES)
    with pytest.raises(StoreError, match="is not in"):
        store.snapshot(name)


@pytest.mark.parametrize(
    ("text", "message"),
    [('{"version": 99}', "snapshot format 99"), ("{}", "not a readable manifest"), ("[", "not a readable manifest")],
)
def test_manifest_of_another_format(store: Store, text: str, message: str) -> None:
    snapshot = store.write({"indices": INDEX}, sources=SOURCES)
    (snapshot.path / "manifest.json").write_text(text)
    with pytest.raises(StoreError, match=message):
        store.current()
    (snapshot.path / "manifest.json").unlink()
    with pytest.raises(StoreError, match="has no manifest"):
        store.current()


def test_reports_of_a_snapshot_are_readable_or_an_error(store: Store) -> None:
    snapshot = store.write({"prices_adjusted": bars(TWO_YEARS)}, sources=SOURCES, quality={"counts": {"x": 1}})
    assert snapshot.quality() == {"counts": {"x": 1}}
    assert snapshot.manifest.quality == {"x": 1}
    assert snapshot.span("prices_adjusted") == tuple(TWO_YEARS)
    assert snapshot.span("indices") is None
    with pytest.raises(StoreError, match="holds no indices"):
        snapshot.scan("indices")
    for name in ("quality.json", "sessions.json"):
        (snapshot.path / name).write_text("{")
    with pytest.raises(StoreError, match="not readable"):
        snapshot.quality()
    with pytest.raises(StoreError, match="not readable"):
        snapshot.sessions("prices_adjusted")


FULL_DISK = """
import resource, sys
from datetime import date, timedelta
from pathlib import Path
import polars as pl
from stocklab.data import Store
from stocklab.errors import StoreError
days = pl.date_range(date(2024, 1, 1), date(2024, 12, 31), eager=True)
index = pl.DataFrame({"session": days}).with_columns(index=pl.lit("KOSPI"), close=pl.int_range(1, pl.len() + 1).sqrt())
index = index.with_columns(open=pl.col("close") * 3, high=pl.col("close") * 5, low=pl.col("close") * 7,
                           volume=pl.lit(1), tv=pl.lit(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    Store(Path(sys.argv[1])).write({"indices": index}, sources={"indices": "x"})
except StoreError as error:
    print(error)
"""


def test_disk_that_refuses_leaves_the_current_snapshot(store: Store) -> None:
    before = store.write({"indices": INDEX}, sources=SOURCES)
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(store.home)], capture_output=True, text=True, check=True
    )
    assert "could not be written" in done.stdout
    assert store.current_id() == before.id
    assert [path.name for path in store.snapshots.iterdir()] == [before.id]


def test_garbage_collection_survives_a_damaged_snapshot(store: Store) -> None:
    ids = [
        store.write({"indices": INDEX.with_columns(close=pl.lit(float(level)))}, sources=SOURCES).id
        for level in (1, 2, 3)
    ]
    (store.snapshots / ids[1] / "manifest.json").write_text("{")
    assert store.collect_garbage(grace_hours=1) == ()
    assert store.collect_garbage(grace_hours=0) == tuple(ids[:2])


def test_file_systems_without_hard_links_get_copies(store: Store, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("content")
    with pytest.raises(FileNotFoundError):
        durable.link_or_copy(tmp_path / "absent", tmp_path / "target")
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second file system")
    target = shared / f"stocklab-test-{os.getpid()}"
    try:
        durable.link_or_copy(source, target)
        assert target.read_text() == "content"
    finally:
        target.unlink(missing_ok=True)


WRITER = """
import sys
from datetime import date
from pathlib import Path
import polars as pl
from stocklab.data import Store
store = Store(Path(sys.argv[1]))
days = [date(year, 1, 2) for year in range(2014, 2025)]
number = int(sys.argv[2])
print("ready", flush=True)
while True:
    number += 1
    bars = pl.DataFrame({"session": days, "symbol": "005930", "open": number, "high": number, "low": number,
                         "close": number, "volume": 1, "tv": number, "source": "x"})
    index = pl.DataFrame({"session": days, "index": "KOSPI", "open": 1.0, "high": 1.0, "low": 1.0,
                          "close": float(number), "volume": 1, "tv": 1})
    store.write({"prices_adjusted": bars, "indices": index}, sources={"prices_adjusted": "a", "indices": "b"})
"""


def test_kill_at_any_instant_leaves_a_whole_snapshot(store: Store) -> None:
    random_source = random.Random(20161121)
    number, seen = 1, set()
    for round_number in range(100):  # at least ten kills, more on a machine too busy to write in between
        if round_number >= 10 and len(seen) >= 3:
            break
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(store.home), str(number)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(random_source.uniform(0.005, 0.25) * (1 + round_number / 10))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        current = store.current()
        if current is None:  # killed before the first snapshot was complete
            continue
        current.verify()
        closes = set(current.scan("prices_adjusted").collect()["close"].to_list())
        levels = set(current.scan("indices").collect()["close"].to_list())
        assert len(closes) == 1, "rows of two versions"
        assert {float(close) for close in closes} == levels, "datasets of two versions"
        number = closes.pop()
        seen.add(current.id)
    assert len(seen) >= 3, "the test must see several versions"
    last = store.write({"indices": INDEX}, sources=SOURCES)
    assert not [path for path in store.snapshots.iterdir() if path.name.startswith(".")]
    assert store.current_id() == last.id
