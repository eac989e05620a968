"""Open a panel: choose the price basis, build the arrays if nobody has, map them read-only."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from stocklab.data.entitlements_files import open_entitlements
from stocklab.data.fundamentals_build import restate
from stocklab.data.fundamentals_files import open_fundamentals
from stocklab.data.memberships_build import open_memberships
from stocklab.data.panel_build import BY_SYMBOL, PANEL_VERSION, build_panel, dataset_of, panel_directory, read_meta
from stocklab.data.snapshot import Snapshot
from stocklab.data.store import Store
from stocklab.errors import DataError, InputError, StoreError
from stocklab.market.fundamentals import StatementMode
from stocklab.market.panel import KRX_BASES, Instruments, Panel, PriceBasis
from stocklab.strategy.document import Universe
from stocklab.types import AnyArray, DateArray

__all__ = ["basis_for", "choose_basis", "open_panel"]


def open_panel(
    store: Store,
    *,
    basis: PriceBasis | None = None,
    snapshot: Snapshot | None = None,
    start: date | None = None,
    end: date | None = None,
    statements: StatementMode = StatementMode.STRICT,
) -> Panel:
    """The panel of a snapshot, memory-mapped; the first call per snapshot and basis builds it.

    Parameters
    ----------
    basis : PriceBasis, optional
        None: the dataset with more sessions within start..end, raw when both have the same number.
    snapshot : Snapshot, optional
        None: the current one. The panel stays valid while it is open, also when a newer snapshot becomes current.
    start, end : date, optional
        Only help to choose the basis; the panel always covers all sessions.
    statements : StatementMode
        When statement figures are visible.

    Raises
    ------
    DataError
        The home has no data, or none on this basis.
    StoreError
        The snapshot or the panel is damaged, or the writer lock stays held while the panel must be built.
    """
    chosen = snapshot if snapshot is not None else store.current()
    if chosen is None:
        raise DataError("This home holds no market data. Hint: `stocklab data import PATH...` or `stocklab demo`.")
    if basis is None:
        basis = choose_basis(chosen, start, end)
    elif not chosen.has(dataset_of(basis)):
        raise DataError(
            f"Snapshot {chosen.id} holds no {basis.value} bars. Hint: choose the other price basis or import them."
        )
    directory = panel_directory(store, chosen, basis)
    meta = read_meta(directory)
    if meta is None:
        meta = read_meta(build_panel(store, chosen, basis))
    if meta is None:
        raise StoreError(f"{directory} was removed while it was opened. Hint: open the current snapshot.")
    return _map(directory, meta, statements)


def basis_for(universe: Universe, basis: PriceBasis | None) -> PriceBasis | None:
    """The basis a universe is judged on: coins where it is of Upbit, else what was asked for (None: by the data).

    Raises
    ------
    InputError
        The basis asked for is of the other kind.
    """
    coins = universe.of_coins
    if basis is None:
        return PriceBasis.COIN if coins else None
    if coins != (basis is PriceBasis.COIN):
        kind = "coins" if coins else "stocks"
        raise InputError(
            f"The universe is of {kind}, which have no {basis.value} prices. Hint: leave the price basis out."
        )
    return basis


def choose_basis(snapshot: Snapshot, start: date | None, end: date | None) -> PriceBasis:
    """The basis of stocks whose bars have the most sessions within start..end, raw on ties; coins where there are only
    coins.

    Raises
    ------
    DataError
        The snapshot holds no bars at all.
    """
    counts = {
        basis: _sessions_within(snapshot.sessions(dataset_of(basis)), start, end)
        for basis in KRX_BASES
        if snapshot.has(dataset_of(basis))
    }
    if not counts and snapshot.has(dataset_of(PriceBasis.COIN)):
        return PriceBasis.COIN
    if not counts:
        raise DataError(f"Snapshot {snapshot.id} holds no daily bars. Hint: `stocklab data import PATH...`.")
    return max(counts, key=lambda basis: counts[basis])  # the first of equals, which is raw


def _sessions_within(days: DateArray, start: date | None, end: date | None) -> int:
    low = 0 if start is None else int(np.searchsorted(days, np.datetime64(start, "D"), side="left"))
    high = len(days) if end is None else int(np.searchsorted(days, np.datetime64(end, "D"), side="right"))
    return max(0, high - low)


def _map(directory: Path, meta: dict[str, Any], mode: StatementMode) -> Panel:
    sessions: DateArray = np.load(directory / "sessions.npy")
    sessions.flags.writeable = False
    basis = PriceBasis(meta["basis"])
    known = None
    if meta["statements"] is not None:
        known = open_fundamentals(directory, meta["statements"], _mapped)
        if mode is StatementMode.RESTATED:
            known = restate(known, sessions, _mapped(directory / "market.npy"))
    fields = {name: _mapped(directory / f"{name}.npy") for name in meta["fields"]}
    by_symbol = {name: (fields[name], _mapped(directory / f"{name}{BY_SYMBOL}.npy")) for name in meta["by_symbol"]}
    hindsight = "-restated" if known is not None and mode is StatementMode.RESTATED else ""
    return Panel(
        sessions=sessions,
        symbols=tuple(meta["symbols"]),
        fields=MappingProxyType(fields),
        by_symbol=MappingProxyType(by_symbol),
        indices=MappingProxyType({name: _mapped(directory / f"index-{name}.npy") for name in meta["indices"]}),
        instruments=_instruments(meta["instruments"]),
        series=MappingProxyType({name: _mapped(directory / f"series-{name}.npy") for name in meta["series"]}),
        rf=_mapped(directory / "rf.npy") if meta["rf_known"] else _read_only(np.zeros(len(sessions))),
        rf_known=meta["rf_known"],
        basis=basis,
        snapshot_id=meta["snapshot_id"],
        synthetic=meta["synthetic"],
        tv_estimated=meta["tv_estimated"],
        key=f"{meta['snapshot_id']}-{basis.value}-v{PANEL_VERSION}{hindsight}",
        notes=tuple(meta["notes"]),
        fundamentals=known,
        entitlements=open_entitlements(directory, meta["entitlements"]),
        memberships=open_memberships(directory, meta["memberships"]),
    )


def _mapped(path: Path) -> AnyArray:
    try:
        # a plain ndarray over the map: the memmap subclass costs on every slice
        return np.asarray(np.load(path, mmap_mode="r"))
    except (OSError, EOFError, ValueError) as error:
        raise StoreError(
            f"{path}: not readable ({error}). Hint: delete {path.parent}; it is built again from the snapshot."
        ) from error


def _read_only(values: AnyArray) -> AnyArray:
    values.flags.writeable = False
    return values


def _instruments(value: dict[str, Any]) -> Instruments:
    return Instruments(
        names=tuple(value["names"]),
        sectors=tuple(value["sectors"]),
        kinds=_read_only(np.array(value["kinds"], dtype=np.uint8)),
        listed_on=_read_only(np.array(value["listed_on"], dtype="datetime64[D]")),
        delisted_on=_read_only(np.array(value["delisted_on"], dtype="datetime64[D]")),
        delisting_reason=tuple(value["delisting_reason"]),
        pays_last_close=_read_only(np.array(value["pays_last_close"], dtype=np.bool_)),
        financial=_read_only(np.array(value["financial"], dtype=np.bool_)),
    )
