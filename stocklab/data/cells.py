"""Bars of a snapshot as dense arrays: each row of the Parquet files knows its cell (session, symbol)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from stocklab.data.datasets import PRICES_COIN
from stocklab.data.observed import observe_snapshot
from stocklab.data.sessions import closed_days
from stocklab.data.snapshot import Snapshot
from stocklab.errors import DataError
from stocklab.types import AnyArray, BoolArray, DateArray

__all__ = ["Cells", "locate", "open_cells"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Where the rows of a bar dataset lie on a grid of sessions and symbols.

    ``parts`` holds, per file, the rows that lie on the grid (None: all) and their flat cell numbers.
    """

    sessions: DateArray
    symbols: tuple[str, ...]
    parts: tuple[tuple[Path, BoolArray | None, AnyArray], ...]
    dropped_rows: int

    @property
    def shape(self) -> tuple[int, int]:
        """(n_sessions, n_symbols)."""
        return len(self.sessions), len(self.symbols)

    def values(self, expression: pl.Expr, columns: list[str]) -> Iterator[tuple[AnyArray, pl.Series]]:
        """Per file the cells and the values of an expression over ``columns``."""
        for path, keep, cells in self.parts:
            series = pl.read_parquet(path, columns=columns, glob=False).select(expression).to_series()
            yield cells, series if keep is None else series.filter(pl.Series(keep))

    def fill(self, expression: pl.Expr, columns: list[str], *, dtype: Any, empty: Any) -> AnyArray:
        """(n_sessions, n_symbols) array of an expression; ``empty`` where there is no row or the value is null."""
        target = np.full(self.shape, empty, dtype=dtype)
        flat = target.reshape(-1)
        for cells, series in self.values(expression, columns):
            if series.null_count():
                known = series.is_not_null()
                flat[cells[known.to_numpy()]] = series.filter(known).to_numpy()
            else:
                flat[cells] = series.to_numpy()
        return target


def open_cells(snapshot: Snapshot, name: str) -> Cells:
    """The grid of a bar dataset: its sessions (without days the exchange was closed) and its symbols.

    Raises
    ------
    DataError
        Not one row lies on a session.
    """
    scan = snapshot.scan(name)
    days = scan.select(pl.col("session").unique().sort()).collect()["session"].to_numpy().astype("datetime64[D]")
    sessions = days[~closed_days(days, name, observe_snapshot(snapshot).opened)]
    if name == PRICES_COIN:  # a day without a candle is a session all the same
        sessions = np.arange(days[0], days[-1] + 1) if len(days) else days
        days = sessions
    on_session = scan if len(sessions) == len(days) else scan.filter(pl.col("session").is_in(sessions.tolist()))
    symbols = on_session.select(pl.col("symbol").unique().sort()).collect()["symbol"]
    if not len(sessions) or not len(symbols):
        raise DataError(f"Snapshot {snapshot.id}: {name} has no bar on a session of the exchange.")
    return locate(snapshot, name, sessions, tuple(symbols.to_list()))


def locate(snapshot: Snapshot, name: str, sessions: DateArray, symbols: tuple[str, ...]) -> Cells:
    """The rows of a bar dataset on a given grid; rows off the grid are left out."""
    parts, dropped = [], 0
    order = pl.DataFrame({"symbol": list(symbols), "column": np.arange(len(symbols), dtype=np.int32)})
    for path in snapshot.files(name).values():
        keys = pl.read_parquet(path, columns=["session", "symbol"], glob=False)
        days = keys["session"].to_numpy().astype("datetime64[D]")
        row = np.minimum(np.searchsorted(sessions, days), len(sessions) - 1).astype(np.int64)
        column = keys.join(order, on="symbol", how="left", maintain_order="left")["column"].fill_null(-1).to_numpy()
        keep: BoolArray = (sessions[row] == days) & (column >= 0)
        cells = row * len(symbols) + column
        whole = bool(keep.all())
        dropped += int(keep.size - keep.sum())
        parts.append((path, None if whole else keep, cells if whole else cells[keep]))
    return Cells(sessions=sessions, symbols=symbols, parts=tuple(parts), dropped_rows=dropped)
