"""What a snapshot holds: the schema, key and partitioning of every dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import polars as pl

from stocklab.errors import StoreError

__all__ = ["BAR_DATASETS", "DATASETS", "PRICES_ADJUSTED", "PRICES_COIN", "PRICES_RAW", "DatasetSpec", "conform"]

PRICES_ADJUSTED: Final = "prices_adjusted"
PRICES_RAW: Final = "prices_raw"
PRICES_COIN: Final = "prices_coin"
BAR_DATASETS: Final = (PRICES_ADJUSTED, PRICES_RAW, PRICES_COIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSpec:
    """One dataset: its columns in order, the key that is unique and sorted, and the columns that may be null.

    ``session_column`` is the date the manifest reports as first and last (None: the dataset has none).
    ``by_year`` splits the files by the year of that column, so that a new session rewrites one year only.
    """

    name: str
    schema: Mapping[str, pl.DataType | type[pl.DataType]]
    key: tuple[str, ...]
    nullable: frozenset[str]
    session_column: str | None
    by_year: bool = False


_BARS = {
    "session": pl.Date,
    "symbol": pl.String,
    "open": pl.Int64,
    "high": pl.Int64,
    "low": pl.Int64,
    "close": pl.Int64,
    "volume": pl.Int64,
    "tv": pl.Int64,
}

_SPECS: Final = (
    DatasetSpec(
        name=PRICES_ADJUSTED,
        schema=MappingProxyType({**_BARS, "source": pl.String}),
        key=("symbol", "session"),
        nullable=frozenset({"open", "high", "low", "tv"}),
        session_column="session",
        by_year=True,
    ),
    DatasetSpec(
        name=PRICES_RAW,
        schema=MappingProxyType(
            {
                **_BARS,
                "change": pl.Int64,
                "market": pl.String,
                "mcap": pl.Int64,
                "shares_listed": pl.Int64,
                "dept": pl.String,
                "source": pl.String,
            }
        ),
        key=("symbol", "session"),
        nullable=frozenset({"open", "high", "low", "tv", "change", "mcap", "shares_listed", "dept"}),
        session_column="session",
        by_year=True,
    ),
    DatasetSpec(
        # a session is a UTC day; prices in KRW are whole multiples of 1e-8, which float64 tells apart at every price
        # that a tick table allows; volumes are in coins
        name=PRICES_COIN,
        schema=MappingProxyType(
            {
                "session": pl.Date,
                "symbol": pl.String,
                "open": pl.Float64,
                "high": pl.Float64,
                "low": pl.Float64,
                "close": pl.Float64,
                "volume": pl.Float64,
                "tv": pl.Float64,
                "source": pl.String,
            }
        ),
        key=("symbol", "session"),
        nullable=frozenset({"open", "high", "low", "tv"}),
        session_column="session",
        by_year=True,
    ),
    DatasetSpec(
        name="indices",
        schema=MappingProxyType(
            {
                "session": pl.Date,
                "index": pl.String,
                "open": pl.Float64,
                "high": pl.Float64,
                "low": pl.Float64,
                "close": pl.Float64,
                "volume": pl.Int64,
                "tv": pl.Int64,
            }
        ),
        key=("index", "session"),
        nullable=frozenset({"open", "high", "low", "volume", "tv"}),
        session_column="session",
    ),
    DatasetSpec(
        name="instruments",
        schema=MappingProxyType(
            {
                "symbol": pl.String,
                "name": pl.String,
                "market": pl.String,
                "kind": pl.String,
                "sector": pl.String,
                "listed_on": pl.Date,
                "settle_month": pl.Int8,
                "corp_code": pl.String,
            }
        ),
        key=("symbol",),
        nullable=frozenset({"sector", "listed_on", "settle_month", "corp_code"}),
        session_column=None,
    ),
    DatasetSpec(
        name="delistings",
        schema=MappingProxyType(
            {
                "symbol": pl.String,
                "name": pl.String,
                "market": pl.String,
                "listed_on": pl.Date,
                "delisted_on": pl.Date,
                "reason": pl.String,
                "pays_last_close": pl.Boolean,
                "successor": pl.String,
            }
        ),
        key=("symbol", "delisted_on"),
        nullable=frozenset({"listed_on", "reason", "successor"}),
        session_column="delisted_on",
    ),
    DatasetSpec(
        name="events",
        schema=MappingProxyType({"session": pl.Date, "symbol": pl.String, "kind": pl.String, "ratio": pl.Float64}),
        key=("symbol", "session", "kind"),
        nullable=frozenset(),
        session_column="session",
    ),
    DatasetSpec(
        name="dividends",
        schema=MappingProxyType(
            {
                "symbol": pl.String,
                "record_date": pl.Date,
                "ex_date": pl.Date,  # null: one session before the record date
                "pay_date": pl.Date,  # null: not known; expected by the rules of stocklab.market.dividends
                "krw_per_share": pl.Float64,  # cash, before tax
            }
        ),
        key=("symbol", "record_date"),
        nullable=frozenset({"ex_date", "pay_date"}),
        session_column="record_date",
    ),
    DatasetSpec(
        name="statements",
        schema=MappingProxyType(
            {
                "symbol": pl.String,
                "period_end": pl.Date,
                "fiscal_year": pl.Int16,  # the year in which the fiscal year ends
                "fiscal_quarter": pl.Int8,  # 1..4; 4 = the annual report
                "statement_basis": pl.String,  # CFS (consolidated) or OFS (separate)
                "filed_on": pl.Date,  # the day this version of the number became public
                "filed_source": pl.String,  # receipt, or deadline: the statutory day, a guess
                "filing_no": pl.String,
                "months": pl.Int8,  # months the amount covers up to period_end (3, 6, 9, 12); 0 = a balance
                "item": pl.String,  # a name of factors.vocabulary.ITEMS
                "amount": pl.Float64,  # KRW as reported; shares; KRW per share
            }
        ),
        key=("symbol", "period_end", "statement_basis", "filed_on", "item", "months"),
        nullable=frozenset({"filing_no"}),
        session_column="filed_on",
    ),
    DatasetSpec(
        # periodic reports as received, every version: which numbers became public when
        name="filings",
        schema=MappingProxyType(
            {
                "symbol": pl.String,
                "filing_no": pl.String,
                "filed_on": pl.Date,
                "report_code": pl.String,  # OpenDART's reprt_code: 11013, 11012, 11014, 11011
                "period_end": pl.Date,
                "corp_code": pl.String,
                "title": pl.String,
            }
        ),
        key=("symbol", "filing_no"),
        nullable=frozenset(),
        session_column="filed_on",
    ),
    DatasetSpec(
        name="share_structure",
        schema=MappingProxyType(
            {
                "symbol": pl.String,
                "as_of": pl.Date,  # the day of the counts; they are on the share basis of that day
                "filed_on": pl.Date,
                "shares_float": pl.Int64,
                "shares_treasury": pl.Int64,
            }
        ),
        key=("symbol", "as_of", "filed_on"),
        nullable=frozenset({"shares_float", "shares_treasury"}),
        session_column="filed_on",
    ),
    DatasetSpec(
        name="investor_flows",
        schema=MappingProxyType(
            {
                "session": pl.Date,
                "symbol": pl.String,
                "frgn_net": pl.Int64,  # KRW bought minus sold; final on the evening of the session
                "inst_net": pl.Int64,
                "pension_net": pl.Int64,
            }
        ),
        key=("symbol", "session"),
        nullable=frozenset({"frgn_net", "inst_net", "pension_net"}),
        session_column="session",
        by_year=True,
    ),
    DatasetSpec(
        name="foreign_holdings",
        # shares held at the close of the session; public one session later
        schema=MappingProxyType({"session": pl.Date, "symbol": pl.String, "frgn_shares": pl.Int64}),
        key=("symbol", "session"),
        nullable=frozenset(),
        session_column="session",
        by_year=True,
    ),
    DatasetSpec(
        name="short_sales",
        # shares sold short in the session and held short at its close; public two sessions later
        schema=MappingProxyType(
            {"session": pl.Date, "symbol": pl.String, "short_vol": pl.Int64, "short_bal": pl.Int64}
        ),
        key=("symbol", "session"),
        nullable=frozenset({"short_vol", "short_bal"}),
        session_column="session",
        by_year=True,
    ),
    DatasetSpec(
        name="rates",
        # yields in percent a year, such as CD91
        schema=MappingProxyType({"session": pl.Date, "name": pl.String, "percent": pl.Float64}),
        key=("name", "session"),
        nullable=frozenset(),
        session_column="session",
    ),
    DatasetSpec(
        # what the sources were asked and answered for good: written with the rows, so that the two never disagree
        name="coverage",
        schema=MappingProxyType(
            {
                "feed": pl.String,
                "key": pl.String,
                "state": pl.String,  # final or empty
                "rows": pl.Int64,
                "checksum": pl.String,  # of the answer's rows
            }
        ),
        key=("feed", "key"),
        nullable=frozenset(),
        session_column=None,
    ),
    DatasetSpec(
        # values on which two sources differ: `source` was compared with what `other_source` says
        name="disagreements",
        schema=MappingProxyType(
            {
                "dataset": pl.String,
                "session": pl.Date,
                "symbol": pl.String,
                "column": pl.String,
                "source": pl.String,
                "value": pl.String,
                "other_source": pl.String,
                "other_value": pl.String,
            }
        ),
        key=("dataset", "session", "symbol", "column", "source", "other_source"),
        nullable=frozenset(),
        session_column="session",
    ),
    DatasetSpec(
        # every member of an index, theme or sector as listed on that session; holds until the group's next list
        name="members",
        schema=MappingProxyType(
            {
                "session": pl.Date,
                "kind": pl.String,  # one of market.memberships.MEMBER_KINDS
                "name": pl.String,
                "symbol": pl.String,
                "source": pl.String,
            }
        ),
        key=("kind", "name", "session", "symbol"),
        nullable=frozenset(),
        session_column="session",
    ),
    DatasetSpec(
        name="flags",
        schema=MappingProxyType(
            {
                "symbol": pl.String,
                "flag": pl.String,  # one of market.issue_flags.ISSUE_FLAGS
                "start": pl.Date,  # first day in force
                "end": pl.Date,  # the day of release, no longer in force; null: still in force
                "source": pl.String,
            }
        ),
        key=("symbol", "flag", "start"),
        nullable=frozenset({"end"}),
        session_column="start",
    ),
    DatasetSpec(
        # days for which `flags` is complete for a market: there, an issue without a row has no flag; elsewhere nobody
        # knows
        name="flag_coverage",
        schema=MappingProxyType(
            {"flag": pl.String, "market": pl.String, "first": pl.Date, "last": pl.Date, "source": pl.String}
        ),
        key=("flag", "market", "first"),
        nullable=frozenset(),
        session_column="last",
    ),
)

DATASETS: Final[Mapping[str, DatasetSpec]] = MappingProxyType({spec.name: spec for spec in _SPECS})


def conform(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with the dataset's columns, types and order, sorted by its key.

    Raises
    ------
    StoreError
        The dataset is unknown, a column is missing, a type cannot be converted without loss, a key repeats or a
        column that must be known holds nulls. Importers refuse such files earlier, naming row and column.
    """
    spec = DATASETS.get(name)
    if spec is None:
        raise StoreError(f"Unknown dataset {name!r}. Expected one of {', '.join(DATASETS)}.")
    missing = [column for column in spec.schema if column not in frame.columns]
    if missing:
        raise StoreError(f"Dataset {name}: column {missing[0]!r} is missing. Found {', '.join(frame.columns)}.")
    try:
        frame = frame.select(pl.col(column).cast(dtype) for column, dtype in spec.schema.items())
    except pl.exceptions.InvalidOperationError as error:
        raise StoreError(f"Dataset {name}: a value does not fit its type ({error}).") from error
    for column in spec.schema:
        if column not in spec.nullable and frame[column].null_count():
            raise StoreError(f"Dataset {name}: column {column!r} must be known in every row.")
    frame = frame.sort(spec.key)
    if frame.height > 1:
        same = pl.all_horizontal(pl.col(column) == pl.col(column).shift(1) for column in spec.key)
        repeated = frame.lazy().filter(same).head(1).collect()
        if repeated.height:
            values = ", ".join(str(repeated[column][0]) for column in spec.key)
            raise StoreError(f"Dataset {name}: key ({values}) appears twice.")
    return frame
