"""Which code made a result: a hash over the source of everything that decides a run."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from typing import Final

__all__ = ["code_stamp"]

_PACKAGES: Final = (
    "stocklab.market",
    "stocklab.factors",
    "stocklab.factors.kernels",
    "stocklab.strategy",
    "stocklab.backtest",
)


@cache
def code_stamp() -> str:
    """Hash of the source of the pure packages, catalogue included; 16 hex digits.

    It is part of a run's id: a result of changed code is never taken for a result of the code before.
    """
    digest = hashlib.sha256()
    for package in _PACKAGES:
        sources = {entry.name: entry for entry in files(package).iterdir() if entry.name.endswith((".py", ".csv"))}
        for name in sorted(sources):
            digest.update(f"{package}/{name}\n".encode())
            digest.update(sources[name].read_bytes())
    return digest.hexdigest()[:16]
