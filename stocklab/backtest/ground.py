"""What every run over the same sessions of a panel shares, as arrays for the kernel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from stocklab.backtest import codes
from stocklab.backtest.corporate_actions import corporate_actions
from stocklab.backtest.rules import ppb
from stocklab.backtest.universe import read_only
from stocklab.market.costs import tax_table
from stocklab.market.limits import limit_table
from stocklab.market.panel import KIND_CODES, MARKET_CODES, Panel, PriceBasis
from stocklab.market.ticks import tick_regimes, tick_tables
from stocklab.market.upbit import coin_tick_regimes, coin_tick_tables, minimum_orders
from stocklab.types import AnyArray, DateArray, IntArray

__all__ = ["Ground", "bars_by_symbol", "deciding_ground", "ground_of"]

_NO_ROWS: Final = np.zeros((0, 0), dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What every run over the same sessions of a panel shares: the kernel's arguments before and after the rules.

    ``first`` and ``last`` are the run's sessions, ``tax`` the document's choice.
    """

    first: int
    last: int
    tax: str | float
    market: tuple[AnyArray, ...]
    actions: tuple[IntArray, ...]
    taxes: IntArray
    has_base: bool


def ground_of(
    panel: Panel, first: int, last: int, tax: str | float, *, bars: tuple[AnyArray, ...] | None = None
) -> Ground:
    """The ground of runs over sessions [first, last) with a document's ``costs.tax``; ``bars`` of `bars_by_symbol`."""
    actions = corporate_actions(panel, first, last)
    return _ground(panel, (first, last), panel.sessions[first:last], tax, actions=actions, bars=bars)


def deciding_ground(panel: Panel, first: int, t: int, tax: str | float, next_session: date) -> Ground:
    """The ground for decisions at the close of session ``t`` alone; ``next_session``, which the panel may not have yet,
    has the row after it. Nothing happens to holdings on it."""
    following = np.array([next_session], dtype=panel.sessions.dtype)
    sessions = np.concatenate([panel.sessions[first : t + 1], following])
    none = np.zeros(0, dtype=np.int64)
    quiet = np.zeros(len(sessions) + 1, dtype=np.int64)
    actions = (quiet, none, none, none, none, none, quiet, none, none, none, quiet)
    return _ground(panel, (first, t + 1), sessions, tax, actions=actions, bars=None)


def _ground(
    panel: Panel,
    run: tuple[int, int],
    sessions: DateArray,
    tax: str | float,
    *,
    actions: tuple[IntArray, ...],
    bars: tuple[AnyArray, ...] | None,
) -> Ground:
    first, last = run
    fields = panel.fields
    raw = panel.basis is PriceBasis.RAW
    if bars is None:
        bars = tuple(read_only(fields[name]) for name in _bar_names(panel))
    base = read_only(fields["base_price"]) if raw and "base_price" in fields else read_only(_NO_ROWS)
    taxes = tax_table(sessions)
    if panel.basis is PriceBasis.COIN:
        taxes[:] = taxes[:, MARKET_CODES["UPBIT"]][:, None]  # the highest of the run is that of its one market
    if not isinstance(tax, str):
        taxes[:] = ppb(tax)
    delisted = np.asarray(panel.instruments.delisted_on, dtype="datetime64[D]")
    delist_on = np.where(np.isnat(delisted), codes.NEVER, np.searchsorted(panel.sessions, delisted)).astype(np.int64)
    return Ground(
        first=first,
        last=last,
        tax=tax,
        market=(
            *bars,
            base,
            np.asarray(panel.instruments.kinds) == KIND_CODES["etf"],
            panel.sector_codes()[0],
            delist_on,
            np.array(panel.instruments.pays_last_close, dtype=np.bool_),
            sessions.astype("datetime64[D]").astype(np.int64),
            limit_table(sessions),
            taxes,
            *_tick_rules(panel, sessions),
        ),
        actions=actions,
        taxes=taxes,
        has_base=base.size > 0,
    )


def bars_by_symbol(panel: Panel) -> tuple[AnyArray, ...]:
    """Bars and marks in the memory order of histories, (n_sessions, n_symbols) as ever.

    A position then reads its next session beside the last one, which takes a fifth off the walk. For one run alone the
    copies of what the panel has not turned cost more than that.
    """
    turned = {name: panel.turned(name) for name in _bar_names(panel)}
    return tuple(
        read_only(np.asfortranarray(panel.fields[name]) if values is None else values.T)
        for name, values in turned.items()
    )


def _tick_rules(panel: Panel, sessions: DateArray) -> tuple[IntArray, ...]:
    """Regime of each session and market, tables of price-from and tick, smallest amount of an order per session."""
    if panel.basis is PriceBasis.COIN:
        return coin_tick_regimes(sessions), *coin_tick_tables(), minimum_orders(sessions)
    return tick_regimes(sessions), *tick_tables(), np.zeros(len(sessions), dtype=np.int64)


def _bar_names(panel: Panel) -> tuple[str, ...]:
    return (*panel.order_fields, "traded", "listed", "market")
