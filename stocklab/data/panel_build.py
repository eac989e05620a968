"""Build the arrays of a panel from a snapshot, once per snapshot and price basis.

Files below ``market/panels/<snapshot>-<basis>/``: ``<field>.npy`` of shape (n_sessions, n_symbols) in C order, the
fields of formulas once more as ``<field>.by-symbol.npy`` of shape (n_symbols, n_sessions), statements,
``sessions.npy``, ``index-<name>.npy``, ``series-<name>.npy``, ``rf.npy`` and ``meta.json``. The directory appears by
one rename, so a reader sees all of it or nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import structlog

from stocklab.data.cells import Cells, open_cells
from stocklab.data.coin_arrays import coin_arrays
from stocklab.data.datasets import PRICES_ADJUSTED, PRICES_COIN, PRICES_RAW
from stocklab.data.durable import flush_directory, flush_file
from stocklab.data.entitlements_build import NewShares, entitlements_of, infer_new_shares
from stocklab.data.entitlements_files import save_entitlements
from stocklab.data.field_place import FieldPlace, events_of
from stocklab.data.fundamentals_build import fundamentals_of
from stocklab.data.fundamentals_files import save_fundamentals
from stocklab.data.instruments import InstrumentTable, instrument_table
from stocklab.data.issue_flags_build import save_issue_flags
from stocklab.data.market_caps import save_caps
from stocklab.data.market_fields import save_market_fields, save_rates
from stocklab.data.memberships_build import save_memberships, write_memberships
from stocklab.data.observed import observe_snapshot
from stocklab.data.panel_fields import carry_codes, compact, last_true, life, list_age, rows_between
from stocklab.data.panel_writer import BY_SYMBOL, PanelWriter
from stocklab.data.raw_events import RawEvents, broken_links, price_factors, split_ratios_from_events
from stocklab.data.size_value_build import save_size_value
from stocklab.data.snapshot import Snapshot
from stocklab.data.store import STAGING_PREFIX, Store
from stocklab.market.entitlements import NO_ENTITLEMENTS, Entitlements
from stocklab.market.fundamentals import Fundamentals
from stocklab.market.memberships import NO_MEMBERSHIPS
from stocklab.market.panel import MARKET_CODES, Instruments, PriceBasis
from stocklab.types import AnyArray, BoolArray, DateArray, FloatArray

__all__ = ["BY_SYMBOL", "META_NAME", "PANEL_VERSION", "build_panel", "dataset_of", "panel_directory", "read_meta"]

log = structlog.get_logger()

PANEL_VERSION: Final = 5  # raise it when the meaning of a field changes: older panels are then built again
META_NAME: Final = "meta.json"


def dataset_of(basis: PriceBasis) -> str:
    """Name of the bars dataset of a price basis."""
    return {PriceBasis.RAW: PRICES_RAW, PriceBasis.ADJUSTED: PRICES_ADJUSTED, PriceBasis.COIN: PRICES_COIN}[basis]


def panel_directory(store: Store, snapshot: Snapshot, basis: PriceBasis) -> Path:
    """Where the arrays of this snapshot and basis are, or will be."""
    return store.panels / f"{snapshot.id}-{basis.value}"


def build_panel(store: Store, snapshot: Snapshot, basis: PriceBasis) -> Path:
    """Build the arrays under the writer lock; a panel that another process has built meanwhile is taken.

    Raises
    ------
    StoreError
        The snapshot has no bars on this basis, or the lock stays held by somebody else for ten minutes.
    DataError
        No bar lies on a session of the exchange.
    """
    final = panel_directory(store, snapshot, basis)
    with store.writing("build a panel", wait_seconds=600.0):
        if read_meta(final) is not None:
            return final
        started = time.perf_counter()
        store.panels.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f"{STAGING_PREFIX}{os.getpid()}-", dir=store.panels))
        staging.chmod(0o755)
        try:
            meta = _write_arrays(staging, snapshot, basis)
            if final.exists():  # of an older version of the format
                final.rename(staging / "replaced")
                shutil.rmtree(staging / "replaced")
            flush_directory(staging)
            staging.rename(final)
            flush_directory(store.panels)
        finally:
            if staging.exists():
                shutil.rmtree(staging)
        log.info(
            "panel_built",
            snapshot=snapshot.id,
            basis=basis.value,
            sessions=meta["shape"][0],
            symbols=meta["shape"][1],
            seconds=round(time.perf_counter() - started, 3),
        )
    return final


def read_meta(directory: Path) -> dict[str, Any] | None:
    """What is known of a built panel; None when it is not there, damaged, or of another format version."""
    try:
        meta: dict[str, Any] = json.loads((directory / META_NAME).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return meta if meta.get("version") == PANEL_VERSION else None


def _write_arrays(directory: Path, snapshot: Snapshot, basis: PriceBasis) -> dict[str, Any]:
    writer = PanelWriter(directory)
    try:
        return _write_all(writer, snapshot, basis)
    finally:
        writer.close()


def _write_all(writer: PanelWriter, snapshot: Snapshot, basis: PriceBasis) -> dict[str, Any]:
    directory = writer.directory
    meta = _write_coins(writer, snapshot) if basis is PriceBasis.COIN else _write_stocks(writer, snapshot, basis)
    meta |= {
        "version": PANEL_VERSION,
        "snapshot_id": snapshot.id,
        "basis": basis.value,
        "synthetic": snapshot.synthetic,
        "shape": [len(meta["sessions"]), len(meta["symbols"])],
        "fields": sorted(writer.fields),
        "by_symbol": sorted(writer.by_symbol),
        "notes": writer.notes,
    }
    writer.save_aside("sessions", meta.pop("sessions"))
    writer.close()
    path = directory / META_NAME
    path.write_text(json.dumps(meta, ensure_ascii=False), encoding="utf-8")
    flush_file(path)
    return meta


def _write_coins(writer: PanelWriter, snapshot: Snapshot) -> dict[str, Any]:
    """Bars of coins: every day is a session, and there is nothing but bars."""
    cells = open_cells(snapshot, PRICES_COIN)
    coins = coin_arrays(cells)
    for name, values in coins.fields.items():
        writer.save(name, values)
    table = instrument_table(snapshot, cells.symbols, last_true(coins.fields["traded"], cells.sessions))
    for name, level in coins.indices.items():
        writer.save_aside(f"index-{name}", level)
    writer.notes.extend(coins.notes)
    return {
        "sessions": cells.sessions,
        "symbols": list(cells.symbols),
        "tv_estimated": coins.tv_estimated,
        "entitlements": save_entitlements(NO_ENTITLEMENTS, writer.save_aside),
        "memberships": write_memberships(NO_MEMBERSHIPS, writer.save_aside),
        "statements": None,
        "series": [],
        "rf_known": False,
        "indices": sorted(coins.indices),
        "instruments": _instruments_json(table.instruments),
    }


def _write_stocks(writer: PanelWriter, snapshot: Snapshot, basis: PriceBasis) -> dict[str, Any]:
    cells = open_cells(snapshot, dataset_of(basis))
    if cells.dropped_rows:
        writer.notes.append(f"{cells.dropped_rows} bars on days the exchange was closed are not used.")
    close = cells.fill(pl.col("close"), ["close"], dtype=np.float64, empty=np.nan)
    here = ~np.isnan(close)
    traded = _save_traded(writer, cells)
    tv_estimated = _save_tv(writer, cells)
    table = instrument_table(snapshot, cells.symbols, last_true(traded, cells.sessions))
    entitlements = NO_ENTITLEMENTS
    if basis is PriceBasis.RAW:
        entitlements = _save_raw_prices(writer, snapshot, cells, close, traded)
    else:
        _save_adjusted_prices(writer, cells, close)
    del close, traded
    first, end = life(here, cells.sessions, table.instruments)
    listed = rows_between(first, end, len(cells.sessions))
    writer.save("listed", listed)
    writer.save("list_age", list_age(cells.sessions, first, here, table.instruments, listed))
    place = FieldPlace(
        snapshot=snapshot,
        sessions=cells.sessions,
        symbols=cells.symbols,
        listed=listed,
        events=events_of(snapshot),
        write=writer.save,
        write_aside=writer.save_aside,
        notes=writer.notes,
    )
    market = _save_from_raw(writer, place, table)
    save_market_fields(place)
    known = _fundamentals(place, market)
    series = []
    if known is not None and "mcap" in writer.fields:
        series = save_size_value(place, known, table.instruments, market, writer.saved)
    return {
        "sessions": cells.sessions,
        "symbols": list(cells.symbols),
        "tv_estimated": tv_estimated,
        "statements": None if known is None else save_fundamentals(known, writer.save_aside),
        "series": series,
        "entitlements": save_entitlements(entitlements, writer.save_aside),
        "memberships": save_memberships(place),
        "rf_known": save_rates(place),
        "indices": _save_indices(writer, snapshot, cells.sessions),
        "instruments": _instruments_json(table.instruments),
    }


def _save_traded(writer: PanelWriter, cells: Cells) -> BoolArray:
    traded = cells.fill(
        pl.col("open").is_not_null() & (pl.col("volume") > 0), ["open", "volume"], dtype=np.bool_, empty=False
    )
    writer.save("traded", traded)
    return traded


def _save_tv(writer: PanelWriter, cells: Cells) -> bool:
    tv = cells.fill(
        pl.coalesce(pl.col("tv").cast(pl.Float64), pl.col("close").cast(pl.Float64) * pl.col("volume")),
        ["tv", "close", "volume"],
        dtype=np.float64,
        empty=np.nan,
    )
    writer.save("tv", tv)
    missing = sum(
        int(part.sum()) for _, part in cells.values(pl.col("tv").is_null() & (pl.col("volume") > 0), ["tv", "volume"])
    )
    if missing:
        writer.notes.append(f"Traded value is close x volume in {missing} bars without a published value.")
    return missing > 0


def _save_adjusted_prices(writer: PanelWriter, cells: Cells, close: FloatArray) -> None:
    writer.save("close", compact(close))
    for name in ("open", "high", "low"):
        writer.save(name, compact(_price(cells, name)))
    writer.save("volume", cells.fill(pl.col("volume"), ["volume"], dtype=np.float64, empty=np.nan))


def _save_raw_prices(
    writer: PanelWriter, snapshot: Snapshot, cells: Cells, close: FloatArray, traded: BoolArray
) -> Entitlements:
    base = cells.fill(pl.col("close") - pl.col("change"), ["close", "change"], dtype=np.float64, empty=np.nan)
    shares = cells.fill(pl.col("shares_listed"), ["shares_listed"], dtype=np.float64, empty=np.nan)
    broken = broken_links(cells.sessions, observe_snapshot(snapshot).closed)
    events = price_factors(close, base, shares, broken)
    writer.save("base_price", compact(events.base_price))
    writer.save("close_raw", compact(close))
    writer.save("close", compact(close * events.to_last))
    for name in ("open", "high", "low"):
        price = _price(cells, name)
        writer.save(f"{name}_raw", compact(price))
        writer.save(name, compact(price * events.to_last))
    volume = cells.fill(pl.col("volume"), ["volume"], dtype=np.float64, empty=np.nan)
    writer.save("volume_raw", volume)
    writer.save("volume", volume / events.to_last)
    inferred = None if snapshot.has("events") else infer_new_shares(events, shares, traded, broken)
    _save_splits(writer, snapshot, cells, events, inferred)
    if broken.any():
        writer.notes.append(
            f"Sessions of the exchange are missing before {int(broken.sum())} sessions of this panel; "
            "across these gaps no corporate action is known and prices are taken as they stand."
        )
    return entitlements_of(snapshot, (cells.sessions, cells.symbols), shares, inferred, writer.notes)


def _save_splits(
    writer: PanelWriter, snapshot: Snapshot, cells: Cells, events: RawEvents, inferred: NewShares | None
) -> None:
    if inferred is None:
        recorded = snapshot.scan("events").collect()
        ratios = split_ratios_from_events(recorded, cells.sessions, cells.symbols)
        # an event explains a price factor, whatever its kind
        known = split_ratios_from_events(
            recorded.with_columns(kind=pl.lit("split"), ratio=pl.lit(2.0)), cells.sessions, cells.symbols
        )
        unexplained = int(((np.abs(events.factor - 1) > 0.02) & (known == 1)).sum())
    else:
        ratios = events.inferred_split.copy()
        for row, symbol, ratio, _ in inferred.bonus:
            ratios[row, symbol] = ratio
        unexplained = int(events.unexplained.sum()) - len(inferred.bonus) - len(inferred.rights)
        if (ratios != 1).any():
            writer.notes.append(
                f"{int((ratios != 1).sum())} splits, consolidations and bonus issues are inferred from base prices and "
                "listed shares."
            )
        if inferred.rights or inferred.spin_offs:
            writer.notes.append(
                f"{len(inferred.rights)} rights issues and {len(inferred.spin_offs)} spin-offs are inferred from base "
                "prices and listed shares."
            )
    writer.save("split_ratio", ratios.astype(np.float32))
    if unexplained:
        writer.notes.append(
            f"{unexplained} changes of the base price beyond 2 % have no known event; share counts stay as they are."
        )


def _price(cells: Cells, name: str) -> FloatArray:
    """A price with the carried close on days without a trade."""
    return cells.fill(pl.coalesce(name, "close"), [name, "close"], dtype=np.float64, empty=np.nan)


def _fundamentals(place: FieldPlace, market: AnyArray) -> Fundamentals | None:
    if not place.snapshot.has("statements"):
        return None
    statements = place.snapshot.scan("statements").collect()
    known = fundamentals_of(statements, place.events, place.symbols, place.sessions, market)
    guessed = int(known.from_deadline.sum())
    if guessed:
        place.notes.append(
            f"{guessed} of {known.n_reports} reports have no receipt date; they count as public on the statutory day."
        )
    return known


def _save_from_raw(writer: PanelWriter, place: FieldPlace, table: InstrumentTable) -> AnyArray:
    """Market cap and listed shares, known on the raw bars' own cells only, and flags; the market, carried, is
    returned."""
    market = np.broadcast_to(table.markets, place.listed.shape).copy()
    raw = place.cells(PRICES_RAW) if place.snapshot.has(PRICES_RAW) else None
    if raw is not None:
        codes = raw.fill(
            pl.col("market").replace_strict(MARKET_CODES, default=0, return_dtype=pl.UInt8),
            ["market"],
            dtype=np.uint8,
            empty=0,
        )
        carry_codes(codes)
        np.copyto(market, codes, where=codes > 0)
        save_caps(place, raw)
    market[~place.listed] = 0
    writer.save("market", market)
    save_issue_flags(place, market, raw)
    return market


def _save_indices(writer: PanelWriter, snapshot: Snapshot, sessions: DateArray) -> list[str]:
    if not snapshot.has("indices"):
        return []
    names = []
    for (name,), rows in _by_index(snapshot):
        values = np.full(len(sessions), np.nan)
        days = rows["session"].to_numpy().astype("datetime64[D]")
        at = np.minimum(np.searchsorted(days, sessions), len(days) - 1)
        same = days[at] == sessions
        values[same] = rows["close"].to_numpy()[at[same]]
        if same.any():
            writer.save_aside(f"index-{name}", values)
            names.append(str(name))
    return names


def _by_index(snapshot: Snapshot) -> Iterator[tuple[tuple[object, ...], pl.DataFrame]]:
    frame = snapshot.scan("indices").select("index", "session", "close").sort("index", "session").collect()
    return iter(frame.group_by("index", maintain_order=True))


def _instruments_json(instruments: Instruments) -> dict[str, Any]:
    return {
        "names": list(instruments.names),
        "sectors": list(instruments.sectors),
        "kinds": instruments.kinds.tolist(),
        "listed_on": [None if np.isnat(day) else str(day) for day in instruments.listed_on],
        "delisted_on": [None if np.isnat(day) else str(day) for day in instruments.delisted_on],
        "delisting_reason": list(instruments.delisting_reason),
        "pays_last_close": instruments.pays_last_close.tolist(),
        "financial": instruments.financial.tolist(),
    }
