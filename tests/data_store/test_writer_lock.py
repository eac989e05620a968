"""One writer at a time, between processes and threads, and none after a death."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from stocklab.data import Store
from stocklab.data.lock import WriterLock
from stocklab.errors import StoreError

HOLDER = """
import sys, time
from pathlib import Path
from stocklab.data import Store
with Store(Path(sys.argv[1])).writing("import data"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_second_process_is_refused_and_told_who_writes(store: Store) -> None:
    child = subprocess.Popen([sys.executable, "-c", HOLDER, str(store.home)], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with (
            pytest.raises(StoreError, match=rf"Cannot sync: .* process {child.pid} \(import data\)"),
            store.writing("sync"),
        ):
            pass
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    with store.writing("sync"):
        pass  # the kernel released the dead process's lock


def test_second_thread_is_refused_even_with_another_store_object(store: Store) -> None:
    refused: list[str] = []

    def attempt(other: Store) -> None:
        try:
            with other.writing("second"):
                refused.append("not refused")
        except StoreError as error:
            refused.append(str(error))

    with store.writing("first"):
        for other in (store, Store(store.home)):
            thread = threading.Thread(target=attempt, args=(other,))
            thread.start()
            thread.join()
    assert len(refused) == 2
    assert all("being written by process" in text for text in refused)


def test_waits_for_the_holder(store: Store) -> None:
    order: list[str] = []

    def hold() -> None:
        with store.writing("first"):
            order.append("first")
            started.set()
            time.sleep(0.2)
            order.append("first done")

    started = threading.Event()
    thread = threading.Thread(target=hold)
    thread.start()
    started.wait()
    with Store(store.home).writing("second", wait_seconds=10):
        order.append("second")
    thread.join()
    assert order == ["first", "first done", "second"]


def test_a_thread_may_take_it_again(tmp_path: Path) -> None:
    lock = WriterLock(tmp_path / "writer.lock")
    assert lock.holder() == ""
    with lock.hold("outer"), lock.hold("inner"):
        assert "outer" in lock.holder()
    assert lock.holder() == ""
