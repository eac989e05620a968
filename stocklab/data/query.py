"""DuckDB over a snapshot: in memory, one view per dataset, nothing outside the snapshot can be read."""

from __future__ import annotations

from datetime import date
from typing import Final

import duckdb
import polars as pl

from stocklab.data.panel_build import dataset_of
from stocklab.data.snapshot import Snapshot
from stocklab.market.panel import PriceBasis

__all__ = ["bars", "connect", "search_symbols"]

THREADS: Final = 2
MEMORY_LIMIT: Final = "1GB"


def connect(snapshot: Snapshot) -> duckdb.DuckDBPyConnection:
    """An in-memory connection with a view per dataset of the snapshot; close it after use.

    Extensions are never fetched, the configuration is locked, and file access is limited to the snapshot, so that
    ad-hoc SQL reads market data and nothing else.
    """
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": str(THREADS),
            "memory_limit": MEMORY_LIMIT,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    )
    folder = str(snapshot.path.resolve())
    connection.execute(f"SET allowed_directories=[{_quoted(folder)}]")
    connection.execute("SET enable_external_access=false")
    connection.execute("SET lock_configuration=true")
    for name, entry in snapshot.manifest.datasets.items():
        if entry.files:
            files = ", ".join(_quoted(f"{folder}/{file.path}") for file in entry.files)
            connection.execute(f'CREATE VIEW "{name}" AS SELECT * FROM read_parquet([{files}])')
    return connection


def bars(
    snapshot: Snapshot, symbol: str, basis: PriceBasis, *, start: date | None = None, end: date | None = None
) -> pl.DataFrame:
    """Stored bars of one symbol by session, columns as in the dataset; empty when it has none.

    Raises
    ------
    StoreError
        The snapshot holds no bars on this basis.
    """
    name = dataset_of(basis)
    snapshot.files(name)
    with connect(snapshot) as connection:
        return _frame(
            connection.sql(
                f'SELECT * FROM "{name}" WHERE symbol = $symbol AND session BETWEEN $start AND $end ORDER BY session',
                params={"symbol": symbol, "start": start or date.min, "end": end or date.max},
            )
        )


def search_symbols(snapshot: Snapshot, text: str, *, limit: int = 20) -> pl.DataFrame:
    """Instruments whose code or name contains ``text`` (case does not matter), beginnings first.

    Returns
    -------
    symbol, name, market, kind, sector, delisted_on (null unless delisted); at most ``limit`` rows.
    """
    empty = pl.DataFrame(schema=dict.fromkeys(("symbol", "name", "market", "kind", "sector"), pl.String))
    parts = []
    if snapshot.has("instruments"):
        parts.append("SELECT symbol, name, market, kind, sector, NULL::DATE AS delisted_on, 0 AS gone FROM instruments")
    if snapshot.has("delistings"):
        parts.append("SELECT symbol, name, market, '' AS kind, NULL AS sector, delisted_on, 1 AS gone FROM delistings")
    wanted = text.strip()
    if not parts or not wanted:
        return empty.with_columns(pl.lit(None, dtype=pl.Date).alias("delisted_on"))
    with connect(snapshot) as connection:
        return _frame(
            connection.sql(
                f"""
            SELECT symbol, name, market, kind, sector, delisted_on
            FROM (SELECT *, row_number() OVER (PARTITION BY symbol ORDER BY gone, delisted_on DESC) AS place
                  FROM ({" UNION ALL ".join(parts)}))
            WHERE place = 1 AND (contains(lower(symbol), lower($text)) OR contains(lower(name), lower($text)))
            ORDER BY NOT (starts_with(lower(symbol), lower($text)) OR starts_with(lower(name), lower($text))),
                     delisted_on IS NOT NULL, length(name), symbol
            LIMIT $limit
            """,
                params={"text": wanted, "limit": limit},
            )
        )


def _frame(answer: duckdb.DuckDBPyRelation) -> pl.DataFrame:
    return pl.DataFrame(answer.to_arrow_table())


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
