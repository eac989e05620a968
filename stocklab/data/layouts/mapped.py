"""Any file of daily bars, by an explicit mapping of our names to its columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from stocklab.data.checks import check_symbols, normalize_bars
from stocklab.data.convert import nearest, refuse_where, to_dates, to_texts, to_whole
from stocklab.data.layouts.markets import to_markets
from stocklab.data.layouts.piece import Piece, with_rows
from stocklab.data.reading import SourceFile
from stocklab.errors import BrokenInput, InputError
from stocklab.market.panel import PriceBasis

__all__ = ["MAPPING_KEYS", "check_mapping", "read_mapped"]

REQUIRED: Final = ("date", "code", "open", "high", "low", "close", "volume")
OPTIONAL_ADJUSTED: Final = ("tv",)
OPTIONAL_RAW: Final = ("tv", "change", "market", "mcap", "shares_listed", "dept")
MAPPING_KEYS: Final = (*REQUIRED, *OPTIONAL_RAW)
_PRICES: Final = ("open", "high", "low", "close")


def check_mapping(mapping: Mapping[str, str], basis: PriceBasis | None) -> PriceBasis:
    """The basis of a mapped import.

    Raises
    ------
    InputError
        A name on the left is unknown, or the basis is not given.
    """
    known = list(MAPPING_KEYS if basis is not PriceBasis.ADJUSTED else (*REQUIRED, *OPTIONAL_ADJUSTED))
    for name in mapping:
        if name not in known:
            raise InputError(
                f"Unknown name {name!r} in the mapping; expected {', '.join(known)}.{nearest(name, known)}"
            )
    if basis is None:
        raise InputError(
            "The price basis of a mapped file must be given. Hint: --basis adjusted when its prices are adjusted for "
            "splits and rights (most vendors' downloads), --basis raw when they are as traded."
        )
    return basis


def read_mapped(file: SourceFile, mapping: Mapping[str, str], basis: PriceBasis, source: str) -> list[Piece]:
    """Bars of a file whose columns are named by ``mapping``; a name left out is looked up under itself.

    Adjusted prices with fractions are rounded to whole won, as the exchange's own adjusted prices are. ``code`` and
    ``market`` may be constants, written ``code==005930``, for files of one symbol.

    Raises
    ------
    BrokenInput
        A column is not in the file, or a value is refused.
    """
    optional = OPTIONAL_RAW if basis is PriceBasis.RAW else OPTIONAL_ADJUSTED
    names = {name: mapping.get(name, name) for name in REQUIRED}
    names |= {name: mapping.get(name, name) for name in optional if name in mapping or name in file.columns}
    file = _with_constants(file, names)
    for ours, column in names.items():
        if column not in file.columns:
            raise BrokenInput(
                f"the file has no such column, wanted as {ours!r}.{nearest(column, file.columns)}",
                file=file.name,
                column=column,
                hint=f"the file has {', '.join(file.columns)}.",
            )
    symbols = to_texts(file, names["code"])
    check_symbols(symbols, file, names["code"])
    bars = pl.DataFrame(
        [to_dates(file, names["date"]).alias("session"), symbols.alias("symbol"), *_numbers(file, names, basis)]
    )
    bars = normalize_bars(bars, file, names)
    theirs = {"session": names["date"], "symbol": names["code"], **names}
    bars = bars.with_columns(pl.lit(source).alias("source"))
    if basis is PriceBasis.ADJUSTED:
        return [Piece(dataset="prices_adjusted", file=file.name, frame=with_rows(bars), names=theirs)]
    market = to_markets(file, names["market"]).alias("market") if "market" in names else pl.lit("").alias("market")
    dept = (
        to_texts(file, names["dept"], nullable=True).alias("dept")
        if "dept" in names
        else pl.lit(None, dtype=pl.String).alias("dept")
    )
    bars = bars.with_columns(market, dept)
    return [Piece(dataset="prices_raw", file=file.name, frame=with_rows(bars), names=theirs)]


def _numbers(file: SourceFile, names: Mapping[str, str], basis: PriceBasis) -> list[pl.Series]:
    rounded = basis is PriceBasis.ADJUSTED
    series = [to_whole(file, names[name], nullable=name != "close", rounded=rounded).alias(name) for name in _PRICES]
    series.append(to_whole(file, names["volume"], rounded=rounded).alias("volume"))
    wanted = ("tv",) if rounded else ("tv", "change", "mcap", "shares_listed")
    for name in wanted:
        if name in names:
            values = to_whole(file, names[name], nullable=True)
            if name != "change":
                refuse_where(values < 0, file, names[name], "a number of 0 or more")
        else:
            values = pl.Series(name, [None], dtype=pl.Int64).new_from_index(0, file.frame.height)
        series.append(values.alias(name))
    return series


def _with_constants(file: SourceFile, names: dict[str, str]) -> SourceFile:
    frame = file.frame
    for ours in ("code", "market"):
        constant = names.get(ours, "")
        if constant.startswith("="):
            column = f"({ours})"
            frame = frame.with_columns(pl.lit(constant[1:]).alias(column))
            names[ours] = column
    return SourceFile(file.path, frame)
