"""lag, delta and ret."""

from __future__ import annotations

import numpy as np

from stocklab.factors.kernels import opcodes as op
from stocklab.factors.kernels.elementwise import finite
from stocklab.factors.kernels.jit import jit
from stocklab.types import FloatArray

__all__ = ["shift"]


@jit
def shift(code: int, x: FloatArray, n: int, out: FloatArray) -> None:
    """Values n bars ago, the difference to them, the return since."""
    head = min(n, out.size)
    out[:head] = np.nan
    now, past, rest = x[head:], x[: out.size - head], out[head:]  # slices from 0: the compiler sees no negative index
    if code == op.LAG:
        rest[:] = past
    elif code == op.DELTA:
        for i in range(rest.size):
            rest[i] = finite(now[i] - past[i])
    elif code == op.RET:
        for i in range(rest.size):
            rest[i] = finite(now[i] / past[i] - 1.0)
