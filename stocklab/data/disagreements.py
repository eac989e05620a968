"""Values on which two sources differ, as the Data page shows them."""

from __future__ import annotations

import polars as pl

from stocklab.data.datasets import DATASETS
from stocklab.data.snapshot import Snapshot
from stocklab.data.sync.owned_rows import DISAGREEMENTS

__all__ = ["count_disagreements", "newest_disagreements"]


def count_disagreements(snapshot: Snapshot) -> pl.DataFrame:
    """How often which sources differ on what, the most frequent first.

    Returns
    -------
    dataset, column, source, other_source, count, last (newest session); without rows when nothing differs.
    """
    group = ["dataset", "column", "source", "other_source"]
    return (
        _rows(snapshot)
        .group_by(group)
        .agg(count=pl.len(), last=pl.col("session").max())
        .sort(["count", *group], descending=[True, False, False, False, False])
        .collect()
    )


def newest_disagreements(snapshot: Snapshot, most: int = 100) -> pl.DataFrame:
    """Both values with their sources, the newest sessions first: the columns of the dataset."""
    return _rows(snapshot).sort(["session", "symbol", "column"], descending=[True, False, False]).head(most).collect()


def _rows(snapshot: Snapshot) -> pl.LazyFrame:
    if snapshot.has(DISAGREEMENTS):
        return snapshot.scan(DISAGREEMENTS)
    return pl.LazyFrame(schema=dict(DATASETS[DISAGREEMENTS].schema))
