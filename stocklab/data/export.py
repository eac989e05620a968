"""Factor values as a Parquet file: session, symbol and one float64 column per formula."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from stocklab.data.panel_open import open_panel
from stocklab.data.store import Store
from stocklab.errors import DataError, InputError
from stocklab.factors import Wanted, evaluate, translate
from stocklab.market.panel import Panel, PriceBasis

__all__ = ["export_factors", "factor_table"]


def export_factors(
    store: Store,
    formulas: Sequence[str],
    *,
    start: date,
    end: date,
    out: Path,
    basis: PriceBasis | None = None,
    threads: int = 2,
) -> int:
    """Write `factor_table` of the current snapshot to ``out`` (replaced only when whole); returns the row count.

    Raises
    ------
    DataError
        The home holds no data.
    FormulaError
        A formula is not valid.
    """
    if store.current() is None:
        raise DataError("This home holds no market data. Hint: `stocklab data import PATH...` or `stocklab demo`.")
    if out.is_dir() or not out.parent.is_dir():
        raise InputError(f"--out {out}: expected a file in a directory that exists.")
    panel = open_panel(store, basis=basis, start=start, end=end)
    table = factor_table(panel, formulas, start=start, end=end, threads=threads)
    draft = out.with_name(f".{out.name}.part")
    table.write_parquet(draft, compression="zstd")
    os.replace(draft, out)
    return table.height


def factor_table(panel: Panel, formulas: Sequence[str], *, start: date, end: date, threads: int = 2) -> pl.DataFrame:
    """One row per listed symbol and session of [start, end], sorted by session and symbol; null = no value.

    Columns are named as the formulas were given; values are in catalogue units, computed in float64 with the whole
    history before ``start``.
    """
    if len(set(formulas)) != len(formulas):
        raise InputError("A factor is named twice. Expected each id or formula once.")
    first, last = panel.span(start, end)
    values = evaluate([Wanted(translate(text), "value") for text in formulas], panel, threads=threads)
    rows, columns = np.nonzero(panel.fields["listed"][first:last])
    table = pl.DataFrame(
        {
            "session": panel.sessions[first:last][rows],
            "symbol": np.asarray(panel.symbols, dtype=object)[columns],
        },
        schema={"session": pl.Date, "symbol": pl.String},
    )
    named = [
        pl.Series(name, array[first:last][rows, columns], dtype=pl.Float64, nan_to_null=True)
        for name, array in zip(formulas, values, strict=True)
    ]
    return table.with_columns(named)
