"""Names, markets and kinds that several answers give: the newest list of a feed stands, whatever the order of asking.

A first fill goes backwards and holes are filled late, so that an answer may be about a day long past.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from stocklab.data.datasets import DATASETS
from stocklab.data.merge import Merged
from stocklab.data.sync.inbox import Kept

__all__ = ["merge_named"]

_DATASET: Final = "instruments"
_TEXTS: Final = frozenset({"name", "market", "kind", "sector"})  # "" is as good as nothing
_ONLY_SOURCE: Final = frozenset({"krx_openapi.etfs", "upbit.markets"})  # of the names of what they list


def merge_named(answers: Sequence[Kept], stored: pl.DataFrame | None, known: Mapping[str, Mapping[str, str]]) -> Merged:
    """Merge answers with rows of ``instruments`` into the stored ones.

    Field by field: a list of the exchange (it has listing days), or of the only source of these names, overrules what
    is stored if its feed knew no later key; every other answer fills what is not known.

    Parameters
    ----------
    answers : with distinct feeds and keys
        Keys of a feed that overrules are ISO days.
    known : feed -> keys stored before
    """
    columns = list(DATASETS[_DATASET].schema)
    before = (stored if stored is not None else pl.DataFrame(schema=dict(DATASETS[_DATASET].schema))).select(columns)
    merged = before
    fills: list[pl.DataFrame] = []
    for kept in sorted(answers, key=lambda one: (one.key, one.feed)):
        rows = kept.frame(_DATASET)
        if rows is None:
            continue
        overrules = kept.feed in _ONLY_SOURCE or rows["listed_on"].null_count() < rows.height
        if overrules and kept.key >= max(known.get(kept.feed, {}), default=""):
            merged = _over(rows.select(columns), merged)
        else:
            fills.append(rows.select(columns))
    for rows in reversed(fills):  # of two old lists the later one
        merged = _over(merged, rows)
    merged = merged.sort("symbol")
    if merged.is_empty() or merged.equals(before.sort("symbol")):
        return Merged(frame=None)
    return Merged(frame=merged, added=merged.height - before.height)


def _over(upper: pl.DataFrame, lower: pl.DataFrame) -> pl.DataFrame:
    """Every symbol of both; each field from the upper rows where they know it."""
    names = [name for name in upper.columns if name != "symbol"]
    both = upper.join(lower, on="symbol", how="full", suffix="_lower", coalesce=True)
    return both.select(
        "symbol", *(pl.coalesce(_known(name, name), _known(name, f"{name}_lower")).alias(name) for name in names)
    ).with_columns(pl.col("name", "market", "kind").fill_null(""))


def _known(name: str, column: str) -> pl.Expr:
    return pl.when(pl.col(column) != "").then(pl.col(column)) if name in _TEXTS else pl.col(column)
