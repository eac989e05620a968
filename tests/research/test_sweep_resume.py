"""A sweep that is killed goes on where it was, computes nothing twice and ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from stocklab.data import Store
from stocklab.errors import Cancelled, InputError, ResultNotFound
from stocklab.research.sweep_store import SweepStore
from stocklab.research.sweeping import SweepProgress, run_sweep
from stocklab.strategy.sweep import parse_sweep

CHILD = """
import json, sys
from pathlib import Path
from stocklab.data import Store
from stocklab.research.sweeping import run_sweep
from stocklab.strategy.sweep import parse_sweep
swept = run_sweep(Store(Path(sys.argv[1])), parse_sweep(sys.argv[2]))
print(json.dumps([swept.id, swept.computed, swept.known]))
"""


def document(**more: Any) -> dict[str, Any]:
    return {
        "strategy": {
            "name": "killed",
            "entry": {"rules": [{"id": "A", "formula": "rsi_14<40"}, {"id": "B", "formula": "close>sma(close,60)"}]},
            "ranking": {"factors": [{"formula": "ret(close,60)"}]},
            "exit": {"stop": {"level": 0.1}, "max_holding": 20},
        },
        "parameters": [
            {"paths": ["entry.rules.A.formula#2"], "start": 30, "stop": 55, "step": 5},
            {"paths": ["entry.rules.B.formula#1"], "start": 20, "stop": 100, "step": 20},
            {"paths": ["sizing.max_holdings"], "start": 2, "stop": 20, "step": 2},
        ],
        "start": "2018-01-02",
        "end": "2025-12-30",
        **more,
    }


@pytest.fixture
def home(tmp_path: Path, demo_home: Path) -> Path:
    shutil.copytree(demo_home, tmp_path / "home", copy_function=os.link)
    return tmp_path / "home"


def test_killed_at_any_moment_it_goes_on_and_ends_the_same(home: Path) -> None:
    sweep = parse_sweep(document())
    rng = random.Random(5)
    stored = SweepStore(home)
    code = [sys.executable, "-c", CHILD, str(home), json.dumps(document())]
    kept = [0]
    for _ in range(2):
        child = subprocess.Popen(code, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 90
        while _stored(stored) <= kept[-1] and child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(rng.random() * 0.3)
        child.send_signal(signal.SIGKILL)
        child.wait()
        kept.append(_stored(stored))
    assert 0 < kept[1] <= kept[2] < 300
    last = subprocess.run(code, check=True, capture_output=True, text=True, timeout=120)
    identity, computed, known = json.loads(last.stdout.splitlines()[-1])
    assert (computed, known) == (300 - kept[2], kept[2])
    rows = stored.rows(identity)
    other = home.with_name("other")
    shutil.copytree(home, other, copy_function=os.link, ignore=shutil.ignore_patterns("sweeps"))
    undisturbed = run_sweep(Store(other), sweep)
    assert undisturbed.id == identity
    assert (undisturbed.computed, undisturbed.known) == (300, 0)
    assert SweepStore(other).rows(identity) == rows
    assert all(row.figures is not None for row in rows)


def _stored(stored: SweepStore) -> int:
    found = stored.recent()
    return sum(row.figures is not None for row in stored.rows(found[0].id)) if found else 0


def test_cancelled_it_keeps_what_it_has_and_another_sweep_uses_it(home: Path) -> None:
    seen: list[SweepProgress] = []
    with pytest.raises(Cancelled):
        run_sweep(
            Store(home),
            parse_sweep(document()),
            on_progress=seen.append,
            should_cancel=lambda: bool(seen) and seen[-1].done >= 160,
        )
    stored = SweepStore(home)
    done = _stored(stored)
    assert 160 <= done < 300
    assert (seen[-1].done, seen[-1].total) == (done, 300)
    # a sweep over 150 of the same 300 finds what the first one has: of 160 at least ten are among them
    part = document()
    part["parameters"][2]["stop"] = 10
    known = {row.run_id for row in stored.rows(stored.recent()[0].id) if row.figures is not None}
    swept = run_sweep(Store(home), parse_sweep(part))
    assert swept.known == len(known & {variant.run_id for variant in swept.variants}) > 0
    assert swept.computed + swept.known == 150
    again = run_sweep(Store(home), parse_sweep(part))
    assert (again.id, again.computed, again.known) == (swept.id, 0, 150)


def test_two_at_once_and_unknown_ids_are_refused(home: Path) -> None:
    stored = SweepStore(home)
    with stored.turn("a" * 40), pytest.raises(InputError, match="running already"), stored.turn("a" * 40):
        pass
    with pytest.raises(ResultNotFound):
        stored.load("b" * 40)
