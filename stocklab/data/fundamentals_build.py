"""Statements as filed to `Fundamentals`: versions by the day they became public, and the views these days make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
import polars as pl

from stocklab.data.raw_events import SHARE_EVENTS
from stocklab.factors.vocabulary import ITEMS
from stocklab.market.fundamentals import Fundamentals, StatementMode, slot_of
from stocklab.market.panel import MARKET_CODES
from stocklab.types import AnyArray, BoolArray, DateArray, FloatArray, IntArray

__all__ = ["fundamentals_of", "restate"]

_REPORT_KEY: Final = ("column", "filed_on", "period_end", "statement_basis")
# separate statements have no minority: their totals are the owners'
_OWNERS: Final = (("net_income_parent", "net_income"), ("equity_parent", "total_equity"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reports:
    """Columns of `Fundamentals` that describe reports, sorted by symbol, day and quarter."""

    symbol: IntArray
    day: AnyArray
    slot: AnyArray
    end: AnyArray
    quarter: AnyArray
    consolidated: BoolArray
    from_deadline: BoolArray
    restated: BoolArray
    quarter_amounts: Mapping[str, FloatArray]
    cumulative_amounts: Mapping[str, FloatArray]
    balances: Mapping[str, FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Events:
    symbol: IntArray
    day: AnyArray
    ratio: FloatArray


def fundamentals_of(
    statements: pl.DataFrame,
    events: pl.DataFrame | None,
    symbols: Sequence[str],
    sessions: DateArray,
    market: AnyArray | None,
) -> Fundamentals:
    """Every report of these symbols in the order of publication (strict mode).

    Parameters
    ----------
    statements : dataset "statements"
        An amount that does not cover three months, or the fiscal year up to its quarter, belongs to a stub period and
        is not used.
    events : dataset "events", or None
        Share events put counts on the share basis of the day.
    symbols : n_symbols codes, ascending
    sessions : (n_sessions,) datetime64[D], ascending
    market : (n_sessions, n_symbols) MARKET_CODES, or None = unknown
        Who files annual reports only: KONEX issuers.

    Returns
    -------
    Fundamentals
    """
    columns = pl.DataFrame({"symbol": list(symbols), "column": np.arange(len(symbols))})
    rows = statements.join(columns, on="symbol", how="inner")
    return _assemble(StatementMode.STRICT, _reports(rows), _events(events, columns), (len(symbols), sessions, market))


def restate(known: Fundamentals, sessions: DateArray, market: AnyArray | None) -> Fundamentals:
    """The latest numbers of every quarter, dated by its first filing: hindsight, for comparison only.

    Parameters
    ----------
    known : Fundamentals in strict mode
    sessions, market : as for `fundamentals_of`
    """
    n_symbols = len(known.first_report) - 1
    symbol = np.repeat(np.arange(n_symbols), np.diff(known.first_report))
    keys = np.column_stack([symbol, known.report_end, known.consolidated])
    _, first, group = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(group.reshape(-1), kind="stable")  # within a quarter: by day
    starts = np.searchsorted(group.reshape(-1)[order], np.arange(len(first)))
    ends = np.append(starts[1:], len(order))

    def latest(values: FloatArray) -> FloatArray:
        ordered = values[order]
        place = np.where(np.isnan(ordered), -1, np.arange(len(order)))
        last = np.maximum.reduceat(place, starts) if len(starts) else place
        return np.where(last >= 0, ordered[last], np.nan)

    opening = order[starts]
    arranged = np.lexsort((known.report_slot[opening], known.report_day[opening], symbol[opening]))

    def all_latest(amounts: Mapping[str, FloatArray]) -> Mapping[str, FloatArray]:
        return {name: latest(values)[arranged] for name, values in amounts.items()}

    reports = _Reports(
        symbol=symbol[opening][arranged],
        day=known.report_day[opening][arranged],
        slot=known.report_slot[opening][arranged],
        end=known.report_end[opening][arranged],
        quarter=known.report_quarter[opening][arranged],
        consolidated=known.consolidated[opening][arranged],
        from_deadline=known.from_deadline[opening][arranged],
        restated=(known.report_day[order[ends - 1]] > known.report_day[opening])[arranged],
        quarter_amounts=all_latest(known.quarter_amounts),
        cumulative_amounts=all_latest(known.cumulative_amounts),
        balances=all_latest(known.balances),
    )
    events = _Events(
        symbol=np.repeat(np.arange(n_symbols), np.diff(known.first_event)),
        day=known.event_day,
        ratio=known.event_ratio,
    )
    return _assemble(StatementMode.RESTATED, reports, events, (n_symbols, sessions, market))


def _reports(rows: pl.DataFrame) -> _Reports:
    rows = rows.with_columns(report=pl.struct(_REPORT_KEY).rank("dense").cast(pl.Int64) - 1)
    heads = rows.group_by("report").agg(
        *(pl.col(name).first() for name in _REPORT_KEY),
        pl.col("fiscal_quarter").first(),
        (pl.col("filed_source") == "deadline").any().alias("deadline"),
    )
    heads = heads.sort("column", "filed_on", "period_end", "statement_basis")
    place = np.empty(heads.height, dtype=np.int64)
    place[heads["report"].to_numpy()] = np.arange(heads.height)
    ends = heads["period_end"].to_numpy().astype("datetime64[D]")
    consolidated = (heads["statement_basis"] == "CFS").to_numpy()
    amounts = _amounts(rows, place, heads.height, consolidated)
    return _Reports(
        symbol=heads["column"].to_numpy().astype(np.int64),
        day=heads["filed_on"].to_numpy().astype("datetime64[D]").astype(np.int64).astype(np.int32),
        slot=slot_of(ends),
        end=ends.astype(np.int64).astype(np.int32),
        quarter=heads["fiscal_quarter"].to_numpy().astype(np.int8),
        consolidated=consolidated,
        from_deadline=heads["deadline"].to_numpy(),
        restated=np.zeros(heads.height, dtype=np.bool_),
        quarter_amounts=amounts[0],
        cumulative_amounts=amounts[1],
        balances=amounts[2],
    )


def _amounts(
    rows: pl.DataFrame, place: IntArray, n_reports: int, consolidated: BoolArray
) -> tuple[dict[str, FloatArray], dict[str, FloatArray], dict[str, FloatArray]]:
    """Amounts of the quarter, of the year to date, and balances: item -> (n_reports,)."""
    months = pl.col("months")
    year_to_date = 3 * pl.col("fiscal_quarter")
    quarter = _scatter(rows.filter(months == 3), place, n_reports)
    cumulative = _scatter(rows.filter(months == year_to_date), place, n_reports)
    balances = _scatter(rows.filter(months == 0), place, n_reports)
    flows = sorted({name for name in (*quarter, *cumulative) if ITEMS[name].flow})
    empty = np.full(n_reports, np.nan)
    by_quarter = {name: quarter.get(name, empty.copy()) for name in flows}
    to_date = {name: cumulative.get(name, empty.copy()) for name in flows}
    stocks = {name: values for name, values in balances.items() if not ITEMS[name].flow}
    for owners, total in _OWNERS:
        for table in (by_quarter, to_date, stocks):
            if total in table:
                own = table.get(owners, empty)
                table[owners] = np.where(np.isnan(own) & ~consolidated, table[total], own)
    return by_quarter, to_date, stocks


def _scatter(rows: pl.DataFrame, place: IntArray, n_reports: int) -> dict[str, FloatArray]:
    found = {}
    for (name,), part in rows.select("item", "report", "amount").group_by("item"):
        values = np.full(n_reports, np.nan)
        values[place[part["report"].to_numpy()]] = part["amount"].to_numpy()
        found[str(name)] = values
    return found


def _events(events: pl.DataFrame | None, columns: pl.DataFrame) -> _Events:
    if events is None:
        empty = np.zeros(0)
        return _Events(symbol=empty.astype(np.int64), day=empty.astype(np.int32), ratio=empty)
    rows = events.filter(pl.col("kind").is_in(sorted(SHARE_EVENTS))).join(columns, on="symbol", how="inner")
    rows = rows.sort("column", "session", "kind")
    return _Events(
        symbol=rows["column"].to_numpy().astype(np.int64),
        day=rows["session"].to_numpy().astype("datetime64[D]").astype(np.int64).astype(np.int32),
        ratio=rows["ratio"].to_numpy().astype(np.float64),
    )


def _assemble(
    mode: StatementMode, reports: _Reports, events: _Events, axes: tuple[int, DateArray, AnyArray | None]
) -> Fundamentals:
    n_symbols, sessions, market = axes
    first_report, first_event = _firsts(reports.symbol, n_symbols), _firsts(events.symbol, n_symbols)
    days, slots, since, basis, owner = _views(reports, first_report, events, first_event)
    rows = np.searchsorted(sessions.astype("datetime64[D]").astype(np.int64), days).astype(np.int32)
    annual = _market_of_views(market, rows, owner) == MARKET_CODES["KONEX"]
    width = 1
    for symbol in range(n_symbols):
        own = reports.slot[first_report[symbol] : first_report[symbol + 1]]
        width = max(width, int(own.max() - own.min()) + 1 if len(own) else 1)
    items = _with_values(reports.quarter_amounts, reports.cumulative_amounts, reports.balances)
    return Fundamentals(
        mode=mode,
        items=items,
        first_report=_frozen(first_report),
        report_day=_frozen(reports.day),
        report_slot=_frozen(reports.slot),
        report_end=_frozen(reports.end),
        report_quarter=_frozen(reports.quarter),
        consolidated=_frozen(reports.consolidated),
        from_deadline=_frozen(reports.from_deadline),
        restated=_frozen(reports.restated),
        quarter_amounts=_all_frozen(reports.quarter_amounts),
        cumulative_amounts=_all_frozen(reports.cumulative_amounts),
        balances=_all_frozen(reports.balances),
        first_event=_frozen(first_event),
        event_day=_frozen(events.day),
        event_ratio=_frozen(events.ratio),
        first_view=_frozen(_firsts(owner, n_symbols)),
        view_day=_frozen(days),
        view_row=_frozen(rows),
        view_slot=_frozen(slots),
        view_since=_frozen(since),
        view_consolidated=_frozen(basis),
        view_annual=_frozen(annual),
        width=width,
    )


def _market_of_views(market: AnyArray | None, rows: AnyArray, owner: IntArray) -> AnyArray:
    """(n_views,) code of the market on the first session that shows the view: a report may precede the listing."""
    if market is None or not market.size:
        return np.zeros(len(rows), dtype=np.uint8)
    n_sessions = len(market)
    places = np.where(market != 0, np.arange(n_sessions, dtype=np.int32)[:, None], np.int32(n_sessions - 1))
    known = np.minimum.accumulate(places[::-1], axis=0)[::-1]
    return market[known[np.minimum(rows, n_sessions - 1), owner], owner]


def _views(
    reports: _Reports, first_report: IntArray, events: _Events, first_event: IntArray
) -> tuple[AnyArray, AnyArray, AnyArray, BoolArray, IntArray]:
    """Day, newest slot, since when, basis and symbol of every view."""
    found: list[tuple[int, int, int, bool, int]] = []
    for symbol in range(len(first_report) - 1):
        begin, stop = int(first_report[symbol]), int(first_report[symbol + 1])
        if begin == stop:
            continue
        filed = reports.day[begin:stop].tolist()
        splits = events.day[first_event[symbol] : first_event[symbol + 1]].tolist()
        newest, since, consolidated = -1, 0, False
        report = begin
        for day in sorted({*filed, *(split for split in splits if split >= filed[0])}):
            while report < stop and reports.day[report] <= day:
                slot = int(reports.slot[report])
                if slot > newest:
                    newest, since, consolidated = slot, day, False
                if slot == newest:
                    consolidated |= bool(reports.consolidated[report])
                report += 1
            found.append((day, newest, since, consolidated, symbol))
    columns = list(zip(*found, strict=True)) if found else [()] * 5
    return (
        np.array(columns[0], dtype=np.int32),
        np.array(columns[1], dtype=np.int32),
        np.array(columns[2], dtype=np.int32),
        np.array(columns[3], dtype=np.bool_),
        np.array(columns[4], dtype=np.int64),
    )


def _firsts(owner: IntArray, n_symbols: int) -> IntArray:
    return np.searchsorted(owner, np.arange(n_symbols + 1)).astype(np.int64)


def _with_values(*tables: Mapping[str, FloatArray]) -> tuple[str, ...]:
    pairs: Iterable[tuple[str, FloatArray]] = (pair for table in tables for pair in table.items())
    return tuple(sorted({name for name, values in pairs if not np.isnan(values).all()}))


def _frozen(values: AnyArray) -> AnyArray:
    out = np.ascontiguousarray(values).view()
    out.flags.writeable = False
    return out


def _all_frozen(table: Mapping[str, FloatArray]) -> Mapping[str, FloatArray]:
    return MappingProxyType({name: _frozen(values) for name, values in sorted(table.items())})
