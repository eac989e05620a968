"""Random small markets of coins: every day a session, prices from a hundred-thousandth of a won to hundreds of millions."""

from __future__ import annotations

import math
from datetime import date, timedelta
from random import Random
from typing import Protocol

import numpy as np

from reference_simulator.market import Bands, down_to_tick, tick_bands
from reference_simulator.money import COIN_UNIT
from stocklab.market.panel import KIND_CODES, MARKET_CODES, Instruments, Panel, PriceBasis

COIN_CHANGES = (date(2024, 1, 29), date(2025, 7, 31), date(2023, 5, 1))
NAMES = ("open", "high", "low", "close")
NAN = math.nan


class Odds(Protocol):
    """How often something happens, of a `markets.Shape`."""

    @property
    def halts(self) -> float: ...
    @property
    def thin(self) -> float: ...
    @property
    def quiet(self) -> float: ...
    @property
    def leavers(self) -> float: ...
    @property
    def holes(self) -> float: ...


def build_coins(rng: Random, change: date, before: int, size: tuple[int, int], odds: Odds) -> Panel:
    """A panel of coins over ``size`` = (sessions, coins), ``before`` sessions of it before a dated change."""
    n, m = size
    days = [change + timedelta(days=t - before) for t in range(n)]
    columns = {name: np.full(size, NAN) for name in (*NAMES, "volume")}
    listed, traded = np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.bool_)
    for s in range(m):
        first = rng.randrange(1, n // 2) if rng.random() < 0.2 else 0
        last = rng.randrange(n // 2, n) if rng.random() < odds.leavers / 2 else n
        price, begun = int(10 ** rng.uniform(-5.0, 8.2) * COIN_UNIT), False
        for t in range(first, last):
            bands = tick_bands("UPBIT", days[t])
            listed[t, s] = True
            if begun and rng.random() < odds.halts:
                bar, volume = (price,) * 4, 0.0
            else:
                bar, volume = _bar(rng, price, bands, odds), _volume(rng, odds)
                traded[t, s] = True
            for name, value in zip(NAMES, bar, strict=True):
                columns[name][t, s] = value / COIN_UNIT
            columns["volume"][t, s] = volume
            if traded[t, s] and rng.random() < odds.holes:
                columns[rng.choice(["open", "low", "close", "volume"])][t, s] = NAN
            price, begun = bar[3], True
    fields = {
        **columns,
        "tv": columns["close"] * columns["volume"],
        "listed": listed,
        "traded": traded,
        "list_age": np.where(listed, np.cumsum(listed, axis=0), NAN).astype(np.float32),
        "market": np.where(listed, np.uint8(MARKET_CODES["UPBIT"]), np.uint8(0)),
    }
    symbols = tuple(f"KRW-C{number:02d}" for number in range(m))
    nat = np.datetime64("NaT", "D")
    return Panel(
        sessions=np.array(days, dtype="datetime64[D]"),
        symbols=symbols,
        fields={name: np.ascontiguousarray(values) for name, values in fields.items()},
        indices={"KRW-BTC": 100 * np.cumprod([math.exp(rng.gauss(0.0, 0.03)) for _ in days])},
        instruments=Instruments(
            names=symbols,
            sectors=("",) * m,
            kinds=np.full(m, KIND_CODES["coin"], dtype=np.uint8),
            listed_on=np.full(m, nat),
            delisted_on=np.full(m, nat),
            delisting_reason=("",) * m,
            financial=np.zeros(m, dtype=np.bool_),
            pays_last_close=np.zeros(m, dtype=np.bool_),
        ),
        rf=np.zeros(n),
        rf_known=False,
        basis=PriceBasis.COIN,
        snapshot_id="random",
        synthetic=False,
        tv_estimated=True,
        key="random",
    )


def _bar(rng: Random, previous: int, bands: Bands, odds: Odds) -> tuple[int, int, int, int]:
    """Open, high, low and close on the tick table; a few closes lie off it, as resting orders of before a change do."""
    if rng.random() < odds.quiet:
        legal = down_to_tick(max(previous, 1), bands)
        return legal, legal, legal, legal
    width = rng.choice([0.01, 0.05, 0.15])
    moves = [down_to_tick(max(int(previous * math.exp(rng.gauss(0.0, width))), 1), bands) for _ in range(4)]
    return moves[0], max(moves), min(moves), moves[1]


def _volume(rng: Random, odds: Odds) -> float:
    if rng.random() < odds.thin:
        return rng.choice([1e-8, 0.0003, 0.25, 3.0, 40.5])
    return rng.choice([700.125, 20_000.0, 5e5, 1e9, 2e10])
