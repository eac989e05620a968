"""Who is listed when, turned to one line a symbol; kept as long as the panel it belongs to."""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass
from typing import Final

import numpy as np

from stocklab.factors.kernels import tiles
from stocklab.types import AnyArray, BoolArray, ByteArray, IntArray

__all__ = ["Listing", "listing_of"]


@dataclass(frozen=True, slots=True)
class Listing:
    """``mask`` (n_symbols, n_sessions) uint8; ``spans`` (n_symbols, 2) first and one past the last listed session."""

    mask: ByteArray
    spans: IntArray


_LOCK: Final = threading.Lock()
_KNOWN: Final[dict[int, tuple[weakref.ref[AnyArray], Listing]]] = {}


def listing_of(listed: BoolArray) -> Listing:
    """The listing of a panel's ``listed`` field.

    Parameters
    ----------
    listed : (n_sessions, n_symbols) bool
        A read-only array, as every stored panel has, is turned once and remembered while it lives.
    """
    if listed.flags.writeable:
        return _turned(listed)
    key = id(listed)
    with _LOCK:
        known = _KNOWN.get(key)
        if known is not None and known[0]() is listed:
            return known[1]
    listing = _turned(listed)
    with _LOCK:
        _KNOWN[key] = (weakref.ref(listed, lambda _: _KNOWN.pop(key, None)), listing)
    return listing


def _turned(listed: BoolArray) -> Listing:
    view = np.ascontiguousarray(listed).view()
    view.flags.writeable = False
    mask = np.empty((listed.shape[1], listed.shape[0]), dtype=np.uint8)
    spans = np.empty((listed.shape[1], 2), dtype=np.int64)
    tiles.mask_columns(view, 0, mask)
    tiles.spans_of(mask, spans)
    return Listing(mask, spans)
