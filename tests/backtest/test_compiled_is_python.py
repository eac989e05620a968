"""The compiled kernel and the same code run by Python give the same bytes; stale machine code cannot be used."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

from stocklab.backtest import codes, fills, money
from stocklab.backtest.compiled import stamp

SEEDS = range(24)
HERE = Path(__file__).parent

SCRIPT = """
import importlib.util, json, sys, warnings
import numba
import stocklab.factors.execute  # stays compiled: this is about the simulator
numba.config.DISABLE_JIT = True
from stocklab.backtest.kernel import walk
assert type(walk).__name__ == "function"
spec = importlib.util.spec_from_file_location("backtest_markets", sys.argv[1])
module = importlib.util.module_from_spec(spec)
sys.modules["backtest_markets"] = module
spec.loader.exec_module(module)
spec = importlib.util.spec_from_file_location("backtest_digest", sys.argv[2])
digest = importlib.util.module_from_spec(spec)
spec.loader.exec_module(digest)
warnings.simplefilter("error")
print(json.dumps([digest.digest_of(module.random_case(seed).run()) for seed in range(int(sys.argv[3]))]))
"""


def digest_of(result: Any) -> str:
    parts = [json.dumps({"card": dict(result.card), "metrics": dict(result.metrics)}, sort_keys=True)]
    parts += [table.write_csv() for _, table in sorted(result.tables.items())]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def test_compiled_kernel_equals_pure_python(case_of: Any) -> None:
    compiled = [digest_of(case_of(seed).run()) for seed in SEEDS]
    arguments = [sys.executable, "-c", SCRIPT, str(HERE / "conftest.py"), __file__, str(len(SEEDS))]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == compiled


def _module(**members: Any) -> types.ModuleType:
    module = types.ModuleType("made")
    vars(module).update(members)
    return module


def test_stamp_changes_with_code_and_constants() -> None:
    def one(x: int) -> int:
        return x + 1

    def two(x: int) -> int:
        return x + 2

    first = stamp([_module(function=one, LIMIT=3)])
    assert first == stamp([_module(function=one, LIMIT=3)])
    assert first != stamp([_module(function=two, LIMIT=3)])
    assert first != stamp([_module(function=one, LIMIT=4)])
    assert stamp([codes, fills]) != stamp([codes, money])


def test_stamp_is_the_same_in_another_process() -> None:
    from stocklab.backtest.kernel import KERNEL_STAMP

    code = "from stocklab.backtest.kernel import KERNEL_STAMP; print(KERNEL_STAMP)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert int(done.stdout) == KERNEL_STAMP
