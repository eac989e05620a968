"""The arrays of a panel on their way to the disk."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

import numpy as np

from stocklab.data.durable import flush_file
from stocklab.factors.vocabulary import FIELDS
from stocklab.types import AnyArray

__all__ = ["BY_SYMBOL", "PanelWriter"]

BY_SYMBOL: Final = ".by-symbol"
WRITES_WAITING: Final = 4  # arrays waiting for the disk, at most 70 MB each for ten years of the whole market


class PanelWriter:
    """Saves arrays in a thread of its own while the next ones are computed; only a few are in memory at a time.

    Attributes
    ----------
    fields, by_symbol : names of the fields saved, and of those that are stored by symbol as well
    notes : what a person should know of the panel
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.fields: list[str] = []
        self.by_symbol: list[str] = []
        self.notes: list[str] = []
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="panel-writer")
        self._pending: dict[str, Future[None]] = {}

    def save(self, name: str, values: AnyArray) -> None:
        """Save a field of the panel, (n_sessions, n_symbols)."""
        self.save_aside(name, values)
        self.fields.append(name)
        if name in FIELDS:  # formulas follow a symbol along the sessions
            self.save_aside(f"{name}{BY_SYMBOL}", values.T)
            self.by_symbol.append(name)

    def save_aside(self, name: str, values: AnyArray) -> None:
        """Save any other array; it is read-only from now on."""
        for done in [one for one, future in self._pending.items() if future.done()]:
            self._pending.pop(done).result()
        if len(self._pending) >= WRITES_WAITING:
            self._pending.pop(next(iter(self._pending))).result()
        values.flags.writeable = False  # what is changed later would be half written
        self._pending[name] = self._pool.submit(_save, self.directory / f"{name}.npy", values)

    def saved(self, name: str) -> AnyArray:
        """An array that was saved before, mapped."""
        if name in self._pending:
            self._pending.pop(name).result()
        return np.load(self.directory / f"{name}.npy", mmap_mode="r")  # type: ignore[no-any-return]

    def close(self) -> None:
        """Wait for the disk; the first write that failed is raised."""
        self._pool.shutdown(wait=True)
        for future in self._pending.values():
            future.result()


def _save(path: Path, values: AnyArray) -> None:
    np.save(path, np.ascontiguousarray(values), allow_pickle=False)
    flush_file(path)
