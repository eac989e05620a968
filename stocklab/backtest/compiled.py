"""One decorator for the kernel's parts, and a stamp that keeps its compiled code honest.

Numba's disk cache looks only at the file of the function it compiles; a changed helper in another file would leave old
machine code in use. The kernel therefore closes over :func:`stamp`, which is part of its cache key.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from types import CodeType, ModuleType
from typing import Any, Final, TypeVar, cast

from numba import njit

__all__ = ["part", "stamp"]

Function = TypeVar("Function", bound=Callable[..., Any])

_OPTIONS: Final[Mapping[str, bool]] = {"nogil": True, "_nrt": False}
"""Without numba's reference counting: parts allocate nothing (one that did would not compile), and counting the
references of some twenty arrays at every call took half of the kernel's time (40 ms against 14 ms, ten years)."""


def part(function: Function) -> Function:
    """Compile a helper of the kernel; it is cached with the kernel, not by itself."""
    decorate: Any = njit
    return cast("Function", decorate(**_OPTIONS)(function))


def stamp(modules: Iterable[ModuleType]) -> int:
    """Number that changes when the code or a constant of any of the modules does."""
    digest = zlib.crc32(repr(sorted(_OPTIONS.items())).encode())
    for module in modules:
        for name, value in sorted(vars(module).items()):
            code = getattr(getattr(value, "py_func", value), "__code__", None)
            if isinstance(code, CodeType):
                what: tuple[object, ...] = (code.co_code.hex(), code.co_names, code.co_varnames, repr(code.co_consts))
            elif isinstance(value, int | float | str | tuple) and not name.startswith("__"):
                what = (repr(value),)
            else:
                continue
            digest = zlib.crc32(repr((module.__name__, name, what)).encode(), digest)
    return digest
