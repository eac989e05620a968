"""What a layout makes of a file: rows for datasets, each remembering the row of the file it came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from stocklab.data.reading import SourceFile

__all__ = ["ROW", "Layout", "Piece", "with_rows"]

ROW: Final = "_row"  # 1-based row of the file, dropped before writing


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Rows for one dataset in its schema plus `ROW`, from one file; ``names`` tells our columns' names there.

    ``note`` says what was left out of the file. ``fills_only``: instrument rows that only complete known symbols.
    """

    dataset: str
    file: str
    frame: pl.DataFrame
    names: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    fills_only: bool = False

    def their_name(self, column: str) -> str:
        """The file's own name of a column."""
        return self.names.get(column, column)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One family of files.

    ``pattern`` matches the file name without ending; ``columns`` must all be there, ``optional`` ones are read if they
    are; ``read`` turns the file into pieces, None for files a later version reads. ``incremental`` files continue
    stored bars on a scale of their own and are left out of folder imports. ``by_columns``: columns alone tell, whatever
    the file is called.
    """

    name: str
    pattern: str
    columns: tuple[str, ...]
    read: Callable[[SourceFile], list[Piece]] | None
    optional: tuple[str, ...] = ()
    incremental: bool = False
    by_columns: bool = True


def with_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Number the rows from 1."""
    return frame.with_row_index(ROW, offset=1)
