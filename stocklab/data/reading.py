"""Read a Parquet or CSV file whole, or refuse it saying where it is broken."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Final

import polars as pl

from stocklab.errors import BrokenInput

__all__ = ["SUFFIXES", "SourceFile", "read_columns", "read_file"]

SUFFIXES: Final = frozenset({".parquet", ".csv"})
_CHUNK: Final = 1 << 24


class SourceFile:
    """A file to import: its path, the name used in errors, its rows; CSV columns are text until converted."""

    __slots__ = ("frame", "name", "path")

    def __init__(self, path: Path, frame: pl.DataFrame) -> None:
        self.path = path
        self.name = path.name
        self.frame = frame

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
        return self.frame.columns


def read_columns(path: Path) -> list[str]:
    """Names of a file's columns without reading its rows.

    Raises
    ------
    BrokenInput
        The file cannot be read as what its ending says.
    """
    if path.suffix.lower() == ".csv":
        _require_utf8(path)
        header = _header(path)
        if not header:
            raise BrokenInput("the file is empty; expected a header line with column names.", file=path.name)
        repeated = sorted({name for name in header if header.count(name) > 1})
        if repeated:
            raise BrokenInput("the header names this column twice.", file=path.name, column=repeated[0])
        return header
    try:
        return list(pl.read_parquet_schema(path))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise _not_parquet(path, error) from error


def read_file(path: Path, columns: list[str] | None = None) -> SourceFile:
    """All rows of a file, or some of its columns.

    Raises
    ------
    BrokenInput
        Not readable: truncated Parquet, a CSV that is not UTF-8 or whose rows differ in length, or no rows at all.
    """
    frame = _read_csv(path, columns) if path.suffix.lower() == ".csv" else _read_parquet(path, columns)
    if frame.is_empty():
        raise BrokenInput("the file has no rows.", file=path.name)
    return SourceFile(path, frame)


def _read_parquet(path: Path, columns: list[str] | None) -> pl.DataFrame:
    try:
        return pl.read_parquet(path, columns=columns, glob=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise _not_parquet(path, error) from error


def _not_parquet(path: Path, error: BaseException) -> BrokenInput:
    reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return BrokenInput(
        f"not a readable Parquet file ({reason}).",
        file=path.name,
        hint="it may be cut off or damaged; copy or download it again.",
    )


def _read_csv(path: Path, columns: list[str] | None) -> pl.DataFrame:
    read_columns(path)
    try:
        return pl.read_csv(path, columns=columns, infer_schema=False, glob=False, encoding="utf8", low_memory=True)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        row = _ragged_row(path)
        if row is not None:
            number, found, expected = row
            raise BrokenInput(f"expected {expected} values, found {found}.", file=path.name, row=number) from error
        reason = str(error).splitlines()[0][:200]
        raise BrokenInput(f"not a readable CSV file ({reason}).", file=path.name) from error


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return next(csv.reader(stream), [])


def _ragged_row(path: Path) -> tuple[int, int, int] | None:
    """First data row with more values than the header: its number, and the two counts."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.reader(stream)
        expected = len(next(rows, []))
        for number, row in enumerate(rows, start=1):
            if len(row) > expected:
                return number, len(row), expected
    return None


def _require_utf8(path: Path) -> None:
    """Refuse other encodings, with the row and column of the first byte that is not UTF-8."""
    try:
        stream = path.open("rb")
    except OSError as error:
        raise BrokenInput(f"cannot be opened ({error.strerror}).", file=path.name) from error
    offset, carried = 0, b""
    with stream:
        while chunk := stream.read(_CHUNK):
            block = carried + chunk
            try:
                block.decode("utf-8")
                carried = b""
            except UnicodeDecodeError as error:
                if error.reason == "unexpected end of data" and len(block) - error.start < 4:
                    carried = block[error.start :]  # a character cut by the chunk
                    offset += len(block) - len(carried)
                    continue
                raise _not_utf8(path, offset + error.start) from error
            offset += len(block)
    if carried:
        raise _not_utf8(path, offset)


def _not_utf8(path: Path, position: int) -> BrokenInput:
    with path.open("rb") as stream:
        before = stream.read(position)
    line = before.count(b"\n")
    start = before.rfind(b"\n") + 1
    field = len(re.findall(rb",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", before[start:]))
    column = None
    if line:
        header = before[: before.find(b"\n")].decode("utf-8", errors="replace").lstrip("\ufeff").rstrip("\r")
        names = next(csv.reader([header]), [])
        column = names[field] if field < len(names) else None
    return BrokenInput(
        "the text is not UTF-8." + ("" if line else " The header line itself is not."),
        file=path.name,
        row=line or None,
        column=column,
        hint="save the file as UTF-8 (Korean programs often write CP949).",
    )
