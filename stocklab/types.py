"""Array aliases: one name per dtype, shapes are in the docstrings of the functions that use them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["AnyArray", "BoolArray", "ByteArray", "DateArray", "Float32Array", "FloatArray", "IntArray"]

AnyArray = NDArray[Any]
BoolArray = NDArray[np.bool_]
ByteArray = NDArray[np.uint8]
DateArray = NDArray[np.datetime64]
Float32Array = NDArray[np.float32]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
