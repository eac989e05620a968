"""The compiled kernel and the same code run by Python give the same bytes; stale machine code cannot be used."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import types
from typing import Any

from stocklab.backtest import codes, fills, money, simulate
from stocklab.backtest.compiled import stamp

SEEDS = range(40)


def digest_of(result: Any) -> str:
    parts = [json.dumps({"card": dict(result.card), "metrics": dict(result.metrics)}, sort_keys=True)]
    parts += [table.write_csv() for _, table in sorted(result.tables.items())]
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def test_compiled_kernel_equals_pure_python(case_of: Any, python_engine: Any) -> None:
    for seed in SEEDS:
        assert digest_of(case_of(seed).run()) == digest_of(case_of(seed).run(engine=python_engine)), seed


def test_the_python_engine_is_not_compiled(python_engine: Any) -> None:
    assert hasattr(_kernel_of(simulate), "py_func")
    assert not hasattr(_kernel_of(python_engine), "py_func")


def _kernel_of(engine: Any) -> Any:
    return engine.__globals__["run_kernel"].__globals__["bind"].__globals__["walk"]


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
