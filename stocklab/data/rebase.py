"""Bring stored adjusted bars to the scale of newer ones.

Adjusted prices are stated as of a day: after a later split, consolidation or rights issue the same session has
another price. Where stored and new bars overlap, their closes then differ by one constant factor per symbol. The stored
bars are multiplied by it, so that the series goes on without a false jump.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from stocklab.data.datasets import DATASETS, PRICES_ADJUSTED
from stocklab.data.layouts import ROW, Piece
from stocklab.data.merge import FILE, Merged, unique_rows
from stocklab.data.snapshot import UNCHANGED, Partitions, Snapshot, Unchanged

__all__ = ["merge_rebased", "scale_factors"]

LEAST_OVERLAP: Final = 5  # traded sessions that both know
_NEARLY_WHOLE: Final = 2e-3  # sums of rounded prices give 4.998 for a consolidation of 5 to 1
_PRICES: Final = ("open", "high", "low", "close")


def scale_factors(overlap: pl.DataFrame) -> pl.DataFrame:
    """The factor from the stored scale to the new one, per symbol whose closes differ.

    Parameters
    ----------
    overlap : symbol, close, close_stored
        One row per session on which both were traded; KRW, rounded to whole won by their sources.

    Returns
    -------
    (symbol, factor, constant), sorted: ``constant`` is False where the difference is more than rounding explains, or
    fewer than `LEAST_OVERLAP` sessions overlap; such bars are on no common scale.
    """
    differing = overlap.filter((pl.col("close") != pl.col("close_stored")).any().over("symbol"))
    sums = differing.group_by("symbol").agg(
        factor=pl.col("close").sum() / pl.col("close_stored").sum(), sessions=pl.len()
    )
    factor = pl.col("factor")
    whole = pl.when(factor >= 1).then(factor.round(0)).otherwise(1 / (1 / factor).round(0))
    near = (whole / factor - 1).abs() < _NEARLY_WHOLE
    tried = differing.join(sums.with_columns(whole=pl.when(near).then(whole).otherwise(factor)), on="symbol")
    return (
        tried.group_by("symbol")
        .agg(
            factor=pl.when(_unexplained("whole") == 0).then(pl.col("whole").first()).otherwise(factor.first()),
            constant=(_unexplained("factor") == 0) & (pl.len() >= LEAST_OVERLAP),
        )
        .sort("symbol")
    )


def _unexplained(factor: str) -> pl.Expr:
    """Closes that rounding does not explain: each is off by up to half a won, and so is the sum behind the factor."""
    slack = 0.5 * (1 + pl.col(factor)) + 0.5
    return ((pl.col("close") - pl.col("close_stored") * pl.col(factor)).abs() > slack).sum()


def merge_rebased(pieces: Sequence[Piece], stored: Snapshot) -> tuple[Partitions, list[Merged], str]:
    """Adjusted bars with the new sessions added and the history of rescaled symbols multiplied.

    Stored sessions stay stored (on the new scale); symbols on no common scale are left out of the new rows.

    Returns
    -------
    The new content, what became of each year's rows, and a sentence for the report ("" when nothing was rescaled).

    Raises
    ------
    BrokenInput
        A key appears twice in the files.
    """
    spec = DATASETS[PRICES_ADJUSTED]
    new = unique_rows(spec, pieces).drop(ROW, FILE)
    files = {int(year): path for year, path in stored.files(PRICES_ADJUSTED).items()}
    new_years = new["session"].dt.year()
    overlap = [
        new.filter(new_years == year)
        .join(pl.read_parquet(path, glob=False), on=spec.key, suffix="_stored")
        .filter(pl.col("volume") > 0, pl.col("volume_stored") > 0)
        .select("symbol", "close", "close_stored")
        for year, path in files.items()
        if (new_years == year).any()
    ]
    factors = scale_factors(pl.concat(overlap)) if overlap else scale_factors(_no_overlap())
    left_out = factors.filter(~pl.col("constant"))["symbol"]
    factors = factors.filter("constant").select("symbol", "factor")
    new = new.filter(~pl.col("symbol").is_in(left_out.implode()))
    new_years = new["session"].dt.year()
    years: dict[int, pl.DataFrame | Unchanged] = {}
    merged = []
    for year in sorted({*files, *new_years.unique().to_list()}):
        mine = new.filter(new_years == year)
        if year not in files:
            years[year] = mine
            merged.append(Merged(frame=mine, added=mine.height))
            continue
        before = pl.read_parquet(files[year], glob=False)
        touched = before.join(factors, on="symbol", how="semi").height
        added = mine.join(before.select(spec.key), on=spec.key, how="anti")
        if not touched and added.is_empty():
            years[year] = UNCHANGED
            continue
        scaled = _scaled(before, factors) if touched else before
        years[year] = pl.concat([scaled.select(spec.schema.keys()), added.select(spec.schema.keys())])
        merged.append(Merged(frame=None, added=added.height, replaced=touched, left_out=tuple(left_out.to_list())))
    return Partitions(years=years), merged, _note(factors)


def _scaled(rows: pl.DataFrame, factors: pl.DataFrame) -> pl.DataFrame:
    """Prices times the factor, volume divided by it; whole numbers, a price at least 1 won. Traded value stays."""
    factor = pl.col("factor")
    price = [
        pl.when(factor.is_null()).then(pl.col(name)).otherwise((pl.col(name) * factor).round(0).clip(1).cast(pl.Int64))
        for name in _PRICES
    ]
    scaled_volume = (pl.col("volume") / factor).round(0).cast(pl.Int64)
    volume = pl.when(factor.is_null()).then(pl.col("volume")).otherwise(scaled_volume)
    return rows.join(factors, on="symbol", how="left").with_columns(*price, volume).drop("factor")


def _note(factors: pl.DataFrame) -> str:
    if factors.is_empty():
        return ""
    shown = ", ".join(f"{symbol} x{factor:.4g}" for symbol, factor in factors.head(5).iter_rows())
    shown += ", ..." if factors.height > 5 else ""
    return (
        f"{PRICES_ADJUSTED}: the stored bars of {factors.height} symbols ({shown}) "
        "were brought to the scale of the new ones, which know later corporate actions."
    )


def _no_overlap() -> pl.DataFrame:
    return pl.DataFrame(schema={"symbol": pl.String, "close": pl.Int64, "close_stored": pl.Int64})
