"""Where the daily fields of a panel come from and go to while it is built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from stocklab.data.cells import Cells, locate
from stocklab.data.snapshot import Snapshot
from stocklab.types import AnyArray, BoolArray, DateArray, FloatArray

__all__ = ["FieldPlace", "events_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldPlace:
    """The panel's grid, who is listed (n_sessions, n_symbols), recorded corporate actions (None = none recorded), the
    writers of a field and of any other array, and the notes of the build."""

    snapshot: Snapshot
    sessions: DateArray
    symbols: tuple[str, ...]
    listed: BoolArray
    events: pl.DataFrame | None
    write: Callable[[str, AnyArray], None]
    write_aside: Callable[[str, AnyArray], None]
    notes: list[str] = field(default_factory=list)

    def cells(self, dataset: str) -> Cells:
        """The rows of a daily dataset on the panel's grid."""
        return locate(self.snapshot, dataset, self.sessions, self.symbols)

    def save(self, name: str, values: FloatArray) -> None:
        """Write a field, unknown outside the listing (in place); one without any value is not a field."""
        values[~self.listed] = np.nan
        if not np.isnan(values).all():
            self.write(name, values)


def events_of(snapshot: Snapshot) -> pl.DataFrame | None:
    """Recorded corporate actions of a snapshot; None where it has none."""
    return snapshot.scan("events").collect() if snapshot.has("events") else None
