"""The largest companies of a symbol's sector, with a few ratios."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from stocklab.factors import Wanted, check, evaluate
from stocklab.factors.one_symbol import one_symbol
from stocklab.market.panel import KIND_CODES, Panel
from stocklab.types import FloatArray

__all__ = ["PEER_FACTORS", "Peer", "peers"]

PEER_FACTORS: Final = ("per", "pbr", "roe", "mom_12_1")
_SHOWN: Final = 10
_MEAN_SESSIONS: Final = 20
_NOT_COMPANIES: Final = tuple(KIND_CODES[kind] for kind in ("etf", "preferred", "spac"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A company of the sector. ``size_krw`` is market cap, or 20-session mean traded value where no cap is known."""

    symbol: str
    name: str
    place: int
    size_krw: float
    values: Mapping[str, float]


def peers(panel: Panel, symbol: str) -> tuple[tuple[Peer, ...], bool]:
    """The ten largest listed companies of the symbol's sector on the last session, and the symbol where it is listed.

    Preferred shares, funds and SPACs are left out unless the symbol is one.

    Returns
    -------
    by size, largest first, and whether size is market cap; empty where the sector is unknown.

    Raises
    ------
    InputError
        The panel does not hold the symbol.
    """
    column = panel.column(symbol)
    sectors = np.asarray(panel.instruments.sectors)
    if not sectors[column]:
        return (), False
    row = panel.n_sessions - 1
    inside = (sectors == sectors[column]) & np.asarray(panel.fields["listed"][row], dtype=np.bool_)
    inside &= ~np.isin(panel.instruments.kinds, _NOT_COMPANIES) | (np.arange(panel.n_symbols) == column)
    size, by_cap = _sizes(panel, inside)
    members = np.flatnonzero(inside)
    order = members[np.lexsort((members, -np.nan_to_num(size[members], nan=-1.0)))]
    places = {int(each): place for place, each in enumerate(order, start=1)}
    shown = [int(each) for each in order[:_SHOWN]]
    if column in places and column not in shown:
        shown.append(column)
    return (
        tuple(
            Peer(
                symbol=panel.symbols[each],
                name=panel.instruments.names[each],
                place=places[each],
                size_krw=float(size[each]),
                values=_values(panel, each),
            )
            for each in shown
        ),
        by_cap,
    )


def _sizes(panel: Panel, inside: FloatArray) -> tuple[FloatArray, bool]:
    """(n_symbols,) market cap of the last session, or the mean traded value of the last twenty; which one."""
    if "mcap" in panel.fields:
        caps = np.asarray(panel.fields["mcap"][-1], dtype=np.float64)
        if not np.isnan(caps[inside]).all():
            return caps, True
    values = np.asarray(panel.fields["tv"][-_MEAN_SESSIONS:], dtype=np.float64)
    known = ~np.isnan(values)
    return np.where(known, values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1), False


def _values(panel: Panel, column: int) -> dict[str, float]:
    inputs = {name for factor in PEER_FACTORS for name in check(factor).inputs}
    own = one_symbol(panel, column, inputs)
    found = evaluate([Wanted(factor, "value") for factor in PEER_FACTORS], own, threads=1)
    return {factor: float(values[-1, 0]) for factor, values in zip(PEER_FACTORS, found, strict=True)}
