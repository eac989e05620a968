"""One way to compile: no interpreter lock, cached on disk, and x/0 is infinity, which the caller makes null."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from typing import Any, TypeVar, cast

from numba import njit

__all__ = ["jit"]

_Compiled = TypeVar("_Compiled", bound=Callable[..., Any])


def jit(function: _Compiled) -> _Compiled:
    """Compile at the first call; the compiled code is kept on disk until any kernel file changes.

    Numba judges a cached function by its own file only, so an edit of a function it calls elsewhere would go unseen.
    """
    compiled: Any = njit(nogil=True, cache=True, error_model="numpy")(function)
    compiled._cache._cache_file._source_stamp = _all_sources()
    return cast("_Compiled", compiled)


@lru_cache(maxsize=1)
def _all_sources() -> str:
    digest = hashlib.sha256()
    folder = files("stocklab.factors.kernels")
    for source in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if source.name.endswith(".py"):
            digest.update(source.read_bytes())
    return digest.hexdigest()
