"""The quality report of a snapshot: what looks wrong, counted, with examples a person can look up.

Nothing here refuses data: what cannot be true is refused at import (`checks`). These are findings that real markets
produce too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl

from stocklab.data.datasets import BAR_DATASETS, PRICES_COIN, PRICES_RAW
from stocklab.data.observed import observe
from stocklab.data.sessions import closed_days, known_sessions
from stocklab.data.statement_quality import STATEMENT_CHECKS, find_in_statements
from stocklab.market.limits import LIMIT_PERCENT
from stocklab.types import DateArray

__all__ = ["CHECKS", "EXAMPLES", "assess"]

EXAMPLES: Final = 20  # per check; the count says how many there are
STALE_SESSIONS: Final = 60
CUT_DAYS: Final = 30
VOLUME_BREAK: Final = 8.0
VOLUME_WINDOW: Final = 20
VOLUME_FLOOR: Final = 5_000.0  # shares a day on the quieter side: thin trading changes 8-fold by itself
HALT_SESSIONS: Final = 2
JUMP_TOLERANCE: Final = 0.005  # of the base price: adjusted closes are rounded and rescaled

CHECKS: Final = {
    "off_session": "bars on days the exchange was closed (not used)",
    "missing_sessions": "sessions of the exchange inside the span on which no symbol has a bar",
    "gaps": "holes inside a series, in sessions of the dataset",
    "jumps": "moves beyond the day's price limit without a recorded event",
    "stale": f"series whose last {STALE_SESSIONS} or more sessions saw no trade",
    "ends_early": "series that stop before the data ends, no delisting recorded",
    "cut_before_delisting": f"series that stop more than {CUT_DAYS} days before their recorded delisting",
    "trades_after_delisting": "codes that go on after a recorded delisting (market transfer, code used again)",
    "volume_breaks": f"volume changes scale {VOLUME_BREAK:.0f}-fold over a halt although the price does not",
    "unnamed": "symbols without a row in the instrument master",
    "index_contradictions": "index rows whose close lies outside the day's range",
    **STATEMENT_CHECKS,
}

Frames = Mapping[str, pl.LazyFrame]


def assess(datasets: Frames) -> dict[str, Any]:
    """Report on a snapshot's datasets.

    Parameters
    ----------
    datasets : name -> lazy frame, columns as in `datasets.DATASETS`

    Returns
    -------
    JSON-ready ``{"counts": {"dataset.check": count}, "checks": [{check, dataset, what, count, examples, symbols}]}``;
    every check of `CHECKS` that applies is listed, also with count 0. ``symbols`` maps each symbol to how many findings
    it has and the first and last day they speak of (ISO, null without one); indices have none.
    """
    checks: list[dict[str, Any]] = []
    for name in BAR_DATASETS:
        if name in datasets:
            checks.extend(_assess_bars(name, datasets))
    if "indices" in datasets:
        outside = (pl.col("close") > pl.col("high")) | (pl.col("close") < pl.col("low"))
        rows = datasets["indices"].filter(outside).select("index", "session", "high", "low", "close").collect()
        checks.append(_finding("indices", "index_contradictions", rows))
    if "statements" in datasets:
        found = find_in_statements(datasets["statements"])
        checks.extend(_finding("statements", check, rows) for check, rows in found.items())
    return {"counts": {f"{one['dataset']}.{one['check']}": one["count"] for one in checks}, "checks": checks}


def _finding(dataset: str, check: str, rows: pl.DataFrame) -> dict[str, Any]:
    examples = [{key: _plain(value) for key, value in row.items()} for row in rows.head(EXAMPLES).iter_rows(named=True)]
    return {
        "dataset": dataset,
        "check": check,
        "what": CHECKS[check],
        "count": rows.height,
        "examples": examples,
        "symbols": _by_symbol(rows),
    }


def _by_symbol(rows: pl.DataFrame) -> dict[str, list[object]]:
    """Symbol -> [findings, first day, last day]."""
    if "symbol" not in rows.columns or rows.is_empty():
        return {}
    days = [name for name, dtype in rows.schema.items() if dtype == pl.Date]
    nothing = pl.lit(None, dtype=pl.Date)
    found = (
        rows.lazy()
        .group_by(pl.col("symbol").cast(pl.String))
        .agg(
            count=pl.len(),
            first=pl.min_horizontal(days).min() if days else nothing,
            last=pl.max_horizontal(days).max() if days else nothing,
        )
        .sort("symbol")
        .collect()
    )
    return {symbol: [count, _plain(first), _plain(last)] for symbol, count, first, last in found.iter_rows()}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


def _assess_bars(name: str, datasets: Frames) -> list[dict[str, Any]]:
    calendar = observe(datasets)
    off, bars = _by_calendar(name, datasets[name], calendar.opened)
    findings = [_finding(name, "off_session", off.select("symbol", "session").sort("session", "symbol"))]
    if name != PRICES_COIN:
        findings.append(_finding(name, "missing_sessions", _missing_sessions(bars, calendar.closed)))
    if bars.is_empty():
        return findings
    last_session = bars.select(pl.col("session").max()).item()
    ends = _series_ends(bars)
    findings += [
        _finding(name, "gaps", _gaps(bars)),
        _finding(name, "stale", _stale(ends)),
        *_endings(name, ends, datasets, last_session),
    ]
    if name != PRICES_COIN:  # coins have neither price limits nor splits
        findings[2:2] = [_finding(name, "jumps", _jumps(bars, datasets))]
        findings.append(_finding(name, "volume_breaks", _volume_breaks(bars)))
    if "instruments" in datasets:
        known = datasets["instruments"].select("symbol").collect()
        unnamed = ends.join(known, on="symbol", how="anti").select("symbol", "first", "last")
        findings.append(_finding(name, "unnamed", unnamed))
    return findings


def _missing_sessions(bars: pl.DataFrame, closed: DateArray) -> pl.DataFrame:
    """Sessions of the exchange inside the data's span on which no symbol has a bar."""
    days = bars["session"].unique().sort()
    if days.is_empty():
        return pl.DataFrame(schema={"session": pl.Date})
    known = np.setdiff1d(known_sessions(days[0], days[-1]), closed)
    return pl.DataFrame({"session": np.setdiff1d(known, days.to_numpy().astype("datetime64[D]"))})


def _by_calendar(name: str, scan: pl.LazyFrame, opened: DateArray) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Bars on days the exchange was closed, and the others by symbol and session.

    The others carry the session's number among them, and whether the row before is of the same symbol.
    """
    columns = ["session", "symbol", "close", "volume", *(["change", "market"] if name == PRICES_RAW else [])]
    symbols = scan.select(pl.col("symbol").unique().sort()).collect()["symbol"]
    bars = scan.select(columns).with_columns(pl.col("symbol").cast(pl.Enum(symbols))).collect()
    days = bars["session"].unique().sort()
    closed = days.filter(pl.Series(closed_days(days.to_numpy(), name, opened)))
    off = bars.clear()
    if len(closed):
        on_closed = bars["session"].is_in(closed.implode())
        off, bars, days = bars.filter(on_closed), bars.filter(~on_closed), days.filter(~days.is_in(closed.implode()))
    bars = bars.sort("symbol", "session")
    number = np.searchsorted(days.to_numpy(), bars["session"].to_numpy()).astype(np.int32)
    same = (pl.col("symbol") == pl.col("symbol").shift(1)).fill_null(value=False)
    return off, bars.with_columns(pl.Series("number", number), same.alias("same"))


def _gaps(bars: pl.DataFrame) -> pl.DataFrame:
    missing = pl.col("number") - pl.col("number").shift(1) - 1
    return (
        bars.lazy()
        .with_columns(missing=missing, before=pl.col("session").shift(1))
        .filter(pl.col("same") & (pl.col("missing") > 0))
        .select(pl.col("symbol").cast(pl.String), "before", after="session", sessions="missing")
        .sort(["sessions", "symbol", "before"], descending=[True, False, False])
        .collect()
    )


def _jumps(bars: pl.DataFrame, datasets: Frames) -> pl.DataFrame:
    """Close against the base price where it is known, else against the close before; won rounding is allowed for."""
    before = pl.col("close").shift(1)
    base = before
    limit = _limit("KOSPI")  # KOSDAQ has the same; the market of adjusted bars is not stored
    tolerance = JUMP_TOLERANCE
    if "change" in bars.columns:
        base = pl.coalesce(pl.col("close") - pl.col("change"), before)
        limit = pl.when(pl.col("market") == "KONEX").then(_limit("KONEX")).otherwise(limit)
        tolerance = 0.0
    found = (
        bars.lazy()
        .with_columns(base=base, limit=limit)
        .filter(
            pl.col("same")
            & ((pl.col("close") - pl.col("base")).abs() > (pl.col("limit") + tolerance) * pl.col("base") + 1)
        )
        .select(
            pl.col("symbol").cast(pl.String),
            "session",
            "base",
            "close",
            move=(pl.col("close") / pl.col("base") - 1).round(4),
        )
    )
    if "events" in datasets:
        found = found.join(datasets["events"].select("symbol", "session"), on=["symbol", "session"], how="anti")
    return found.sort("session", "symbol").collect()


def _limit(market: str) -> pl.Expr:
    """Price limit in force at the session, fraction of the base price; null before the table begins."""
    limit = pl.lit(None, dtype=pl.Float64)
    for start, percent in LIMIT_PERCENT[market]:
        limit = pl.when(pl.col("session") >= start).then(percent / 100).otherwise(limit)
    return limit


def _series_ends(bars: pl.DataFrame) -> pl.DataFrame:
    return (
        bars.lazy()
        .group_by("symbol")
        .agg(
            first=pl.col("session").min(),
            first_number=pl.col("number").min(),
            last=pl.col("session").max(),
            last_number=pl.col("number").max(),
            traded_number=pl.col("number").filter(pl.col("volume") > 0).max(),
            traded=pl.col("session").filter(pl.col("volume") > 0).max(),
        )
        .with_columns(pl.col("symbol").cast(pl.String))
        .sort("symbol")
        .collect()
    )


def _stale(ends: pl.DataFrame) -> pl.DataFrame:
    silent = pl.col("last_number") - pl.col("traded_number").fill_null(pl.col("first_number") - 1)
    return (
        ends.with_columns(sessions=silent)
        .filter(pl.col("sessions") >= STALE_SESSIONS)
        .select("symbol", "last", last_trade="traded", sessions="sessions")
        .sort(["sessions", "symbol"], descending=[True, False])
    )


def _endings(name: str, ends: pl.DataFrame, datasets: Frames, last_session: date) -> list[dict[str, Any]]:
    if "delistings" in datasets:
        gone = datasets["delistings"].group_by("symbol").agg(delisted_on=pl.col("delisted_on").max()).collect()
        ends = ends.join(gone, on="symbol", how="left", maintain_order="left")
    else:
        ends = ends.with_columns(delisted_on=pl.lit(None, dtype=pl.Date))
    left = (pl.col("delisted_on") - pl.col("last")).dt.total_days()
    early = ends.filter(pl.col("last") < last_session, pl.col("delisted_on").is_null())
    cut = ends.filter(pl.col("last") < last_session, left > CUT_DAYS)
    after = ends.filter(pl.col("traded") >= pl.col("delisted_on"))
    columns = ["symbol", "last", "delisted_on"]
    return [
        _finding(name, "ends_early", early.select("symbol", "last")),
        _finding(name, "cut_before_delisting", cut.select(columns)),
        _finding(name, "trades_after_delisting", after.select(columns)),
    ]


def _volume_breaks(bars: pl.DataFrame) -> pl.DataFrame:
    """Mean log volume of 20 trades before and after each halt: a split whose earlier volume was left unadjusted."""
    window, one = VOLUME_WINDOW, pl.col("symbol")
    traded = bars.lazy().filter(pl.col("volume") > 0).with_columns(total=pl.col("volume").log().cum_sum())
    total = pl.col("total")
    return (
        traded.with_columns(
            halted=(one == one.shift(1)) & (pl.col("number") - pl.col("number").shift(1) > HALT_SESSIONS),
            inside=(one == one.shift(window + 1)) & (one == one.shift(-window + 1)),
            before=(total.shift(1) - total.shift(window + 1)) / window,
            after=(total.shift(-window + 1) - total.shift(1)) / window,
            move=pl.col("close") / pl.col("close").shift(1) - 1,
        )
        .with_columns(ratio=(pl.col("after") - pl.col("before")).exp())
        .filter("halted", "inside", pl.col("move").abs() <= _limit("KOSPI"))
        .filter(pl.min_horizontal("before", "after") >= math.log(VOLUME_FLOOR))
        .filter((pl.col("ratio") > VOLUME_BREAK) | (pl.col("ratio") < 1 / VOLUME_BREAK))
        .select(one.cast(pl.String), "session", pl.col("ratio").round(2))
        .sort("session", "symbol")
        .collect()
    )
