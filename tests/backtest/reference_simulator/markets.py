"""Random small markets: dated changes inside, halts, locked limits, gaps, share changes, delistings, thin volume."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

import numpy as np
import numpy.typing as npt

from reference_simulator.coin_markets import build_coins
from reference_simulator.market import (
    Bands,
    down_to_tick,
    legal_limits,
    limit_percent,
    tick_bands,
    up_to_tick,
)
from stocklab.market.entitlements import Entitlements
from stocklab.market.memberships import Memberships
from stocklab.market.panel import KIND_CODES, MARKET_CODES, Instruments, Panel, PriceBasis
from stocklab.types import AnyArray

CHANGES = (
    date(2015, 6, 15),  # limits 15 -> 30 %
    date(2019, 5, 30),  # tax
    date(2020, 12, 29),
    date(2022, 12, 28),
    date(2023, 1, 25),  # ticks
    date(2023, 12, 11),  # ticks of ETFs
    date(2023, 12, 27),
    date(2024, 12, 27),
    date(2025, 12, 29),
)
KINDS = ("common",) * 8 + ("etf", "etf", "preferred", "spac", "reit", "foreign", "")
NAN = math.nan
RATIOS = (2.0, 5.0, 10.0, 50.0, 0.5, 0.1, 0.02, 1 / 3, 1.5, 2 / 3, 1.1)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a market looks like; everything else follows from the seed."""

    seed: int
    basis: str
    n_symbols: int
    n_sessions: int
    change: date
    before: int
    quiet: float
    halts: float
    locks: float
    events: float
    leavers: float
    thin: float
    holes: float
    with_base: bool


@dataclass
class _Row:
    open: float
    high: float
    low: float
    close: float
    volume: float
    traded: bool = True


NAMES = ("open", "high", "low", "close", "volume")


class _Draft:
    """The arrays of a market while they are drawn, (n_sessions, n_symbols) each."""

    def __init__(self, rng: Random, shape: Shape) -> None:
        self.rng, self.shape, self.raw = rng, shape, shape.basis == "raw"
        self.days = _sessions(rng, shape)
        numbers = range(1, shape.n_symbols + 1)
        self.symbols = tuple(f"{number:05d}{rng.choice('0005KL') if number > 1 else 0}" for number in numbers)
        self.kinds = [rng.choice(KINDS) for _ in self.symbols]
        size = (len(self.days), len(self.symbols))
        self.columns = {name: np.full(size, NAN) for name in NAMES}
        self.listed, self.traded = np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.bool_)
        self.market = np.zeros(size, dtype=np.uint8)
        self.base, self.split = np.full(size, NAN), np.ones(size, dtype=np.float32)
        self.unlisted: list[tuple[int, int, int]] = []
        self.rights: list[tuple[int, int]] = []
        self.dividends: list[tuple[int, int, int, int]] = []
        self.delisted = [self._draw_symbol(s) for s in range(len(self.symbols))]

    def _draw_symbol(self, s: int) -> date | None:
        """Fill a column; the day it is delisted."""
        rng, shape, days = self.rng, self.shape, self.days
        markets = _markets(rng, len(days))
        first, last, gap = _life(rng, shape, len(days))
        dark_from = last - 12 if last < len(days) and rng.random() < 0.4 else len(days)  # halted until it is delisted
        previous, started = _first_price(rng), False
        for t, day in enumerate(days):
            self.market[t, s] = MARKET_CODES[markets[t]]
            if not first <= t < last or t in gap:
                continue
            bands = tick_bands("ETF" if self.kinds[s] == "etf" else markets[t], day)
            base = previous
            if started and self.raw and rng.random() < shape.events:
                base = _event(rng, previous, bands, self.split, t, s)
                self._entitle(t, s)
            if started and self.raw and rng.random() < shape.events:
                units = int(previous * rng.uniform(0.001, 0.1) * 10_000) // rng.choice([1, 100, 10_000]) + 1
                self.dividends.append((t, s, units, t + rng.choice([0, 1, 5, 20, 60])))
            if started and (t >= dark_from or rng.random() < shape.halts):
                row = _Row(base, base, base, base, 0.0, traded=False)
            else:
                limits = (1, 3 * base)
                if started:
                    limits = legal_limits(base, limit_percent(markets[t], day), bands)
                row = _bar(rng, shape, base, bands, limits, near=abs((day - shape.change).days) < 5)
            for name in NAMES:
                self.columns[name][t, s] = getattr(row, name)
            self.listed[t, s], self.traded[t, s] = True, row.traded
            if started:
                self.base[t, s] = NAN if base != previous and rng.random() < 0.3 else base
            previous, started = base if math.isnan(row.close) else int(row.close + 0.5), True
        return _delisting(rng, shape, days, last)

    def _entitle(self, t: int, s: int) -> None:
        """Some share changes are bonus issues that list later, some moved base prices those of rights."""
        if self.split[t, s] > 1 and self.rng.random() < 0.6:
            self.unlisted.append((t, s, t + self.rng.choice([0, 1, 2, 5, 15, 90])))
        elif self.split[t, s] == 1 and self.rng.random() < 0.5:
            self.rights.append((t, s))

    def entitlements(self) -> Entitlements:
        """What was drawn, by session and symbol."""
        late, rights, paid = (
            np.array(sorted(rows), dtype=np.int64).reshape(-1, width).T.copy()
            for rows, width in ((self.unlisted, 3), (self.rights, 2), (self.dividends, 4))
        )
        return Entitlements(
            unlisted_row=late[0],
            unlisted_symbol=late[1],
            unlisted_until=late[2],
            rights_row=rights[0],
            rights_symbol=rights[1],
            dividend_row=paid[0],
            dividend_symbol=paid[1],
            dividend_units=paid[2],
            dividend_paid=paid[3],
            dividend_guessed=np.zeros(paid.shape[1], dtype=np.bool_),
            dividends_known=True,
        )


def build(shape: Shape) -> Panel:
    """The panel of a shape: the same shape, the same panel."""
    rng = Random(shape.seed)
    if shape.basis == PriceBasis.COIN:
        return build_coins(rng, shape.change, shape.before, (shape.n_sessions, shape.n_symbols), shape)
    return _panel(rng, _Draft(rng, shape))


def _sessions(rng: Random, shape: Shape) -> list[date]:
    """Weekdays with a few holidays, ``before`` of them before the change."""
    day, earlier = shape.change, 0
    while earlier < shape.before:
        day -= timedelta(days=1)
        earlier += day.weekday() < 5
    days: list[date] = []
    while len(days) < shape.n_sessions:
        if day.weekday() < 5 and (day == shape.change or rng.random() > 0.04):
            days.append(day)
        day += timedelta(days=1 if rng.random() > 0.01 else 5)
    return days


def _markets(rng: Random, n: int) -> list[str]:
    name = rng.choice(["KOSPI", "KOSPI", "KOSDAQ", "KOSDAQ", "KONEX"])
    if rng.random() < 0.1:
        move = rng.randrange(n)
        after = rng.choice(["KOSPI", "KOSPI", ""])
        return ["KOSDAQ" if t < move else after for t in range(n)]
    return [name] * n


def _first_price(rng: Random) -> int:
    return max(int(10 ** rng.uniform(1.5, 5.6)) // 10 * 10, 10)


def _life(rng: Random, shape: Shape, n: int) -> tuple[int, int, set[int]]:
    first = rng.randrange(1, n // 2) if rng.random() < 0.15 else 0
    last = rng.randrange(n // 3, n) if rng.random() < shape.leavers else n
    gap: set[int] = set()
    if rng.random() < 0.5 * shape.leavers:
        start = rng.randrange(n)
        gap = set(range(start, start + rng.randrange(1, 6)))
    return first, last, gap


def _delisting(rng: Random, shape: Shape, days: list[date], last: int) -> date | None:
    if last == len(days) or rng.random() < 0.2:
        return None
    return days[min(last + rng.choice([0, 0, 1, 3, 14]), len(days) - 1)] + timedelta(days=rng.choice([0, 0, 1]))


def _event(rng: Random, previous: int, bands: Bands, split: AnyArray, t: int, s: int) -> int:
    """A share change, or a base price moved without one."""
    if rng.random() < 0.35:
        return down_to_tick(max(int(previous * rng.uniform(0.6, 1.0)), 1), bands)
    ratio = rng.choice(RATIOS)
    if previous / ratio < 20 or previous / ratio > 5_000_000:
        return previous
    split[t, s] = ratio
    return down_to_tick(max(int(previous / ratio), 1), bands)


def _bar(rng: Random, shape: Shape, base: int, bands: Bands, limits: tuple[int, int], *, near: bool) -> _Row:
    """A session that traded; ``near`` a dated change, days at a limit are more frequent."""
    lower = max(limits[0], bands[0][1])
    upper = max(limits[1], lower)
    raw = shape.basis == "raw"
    volume = float(rng.choice([3, 40, 700]) if rng.random() < shape.thin else rng.choice([20_000, 500_000, 10**7]))
    locks = 3 * shape.locks if near else shape.locks
    chance = rng.random()
    if chance < locks:
        limit = upper if rng.random() < 0.5 else lower
        if rng.random() < 0.5:
            return _Row(limit, limit, limit, limit, volume)
        inside = _legal((base + limit) // 2, bands, raw)
        close = inside if rng.random() < 0.6 else limit
        opened = limit if rng.random() < 0.6 else inside
        return _Row(opened, max(limit, inside), min(limit, inside), close, volume)
    if chance < locks + shape.quiet:
        return _Row(base, base, base, base, volume)
    width = rng.choice([0.005, 0.02, 0.05])
    moves = [base * math.exp(rng.gauss(0.0, width)) for _ in range(4)]
    prices = [min(max(_legal(int(move), bands, raw), lower), upper) for move in moves]
    row = _Row(prices[0], max(prices), min(prices), prices[1], volume)
    if rng.random() < 0.2:
        row.open = row.low if rng.random() < 0.5 else row.high
    if rng.random() < shape.holes:
        setattr(row, rng.choice(["open", "low", "close", "volume"]), NAN)
    return row


_PRICES = frozenset({"open", "high", "low", "close", "base_price"})


def _legal(price: int, bands: Bands, raw: bool) -> int:
    price = max(price, 5)
    return up_to_tick(price, bands) if raw else price


def _adjusted(rng: Random, draft: _Draft) -> dict[str, AnyArray]:
    """Adjusted bars: of raw ones by their base prices; else as drawn, or no whole won."""
    columns = draft.columns
    if not draft.raw:
        return {name: values * 0.9 for name, values in columns.items()} if rng.random() < 0.3 else dict(columns)
    factor = np.ones(draft.listed.shape)
    for t in range(len(draft.days) - 2, -1, -1):
        known = ~np.isnan(draft.base[t + 1]) & ~np.isnan(columns["close"][t])
        factor[t] = factor[t + 1] * np.divide(
            draft.base[t + 1], columns["close"][t], out=np.ones_like(factor[t]), where=known
        )
    prices = {name: columns[name] * factor for name in ("open", "high", "low", "close")}
    return {**prices, "volume": columns["volume"] / factor}


def _dtype(name: str, values: AnyArray) -> npt.DTypeLike:
    """Prices as the store keeps them, so that the machine code under test is the one users run."""
    return np.float32 if name.removesuffix("_raw") in _PRICES else values.dtype


def _panel(rng: Random, draft: _Draft) -> Panel:
    columns, days, symbols, delisted = draft.columns, draft.days, draft.symbols, draft.delisted
    listed, m = draft.listed, len(draft.symbols)
    shares = np.array([rng.choice([10**5, 10**6, 10**7]) for _ in symbols], dtype=np.float64)
    fields = {
        **_adjusted(rng, draft),
        "tv": columns["close"] * columns["volume"],
        "listed": listed,
        "traded": draft.traded,
        "list_age": np.where(listed, np.cumsum(listed, axis=0), NAN).astype(np.float32),
        "market": draft.market,
        "mcap": columns["close"] * shares,
    }
    fields["mcap"][np.array([[rng.random() < 0.02 for _ in symbols] for _ in days])] = NAN
    for flag in ("flag_administrative", "flag_attention"):
        values = [rng.choices([0, 1, 255], [90, 5, 5], k=m) for _ in days]
        fields[flag] = np.array(values, dtype=np.uint8)
    more = Random(draft.shape.seed + 1)  # what came later: markets drawn before stay as they were
    for flag in ("flag_warning", "flag_overheated", "flag_halted"):
        if more.random() < 0.8:
            drawn = [more.choices([0, 1, 255], [90, 5, 5], k=m) for _ in days]
            fields[flag] = np.array(drawn, dtype=np.uint8)
    if draft.raw:
        fields |= {f"{name}_raw": values for name, values in columns.items()} | {"split_ratio": draft.split}
        if draft.shape.with_base:
            fields["base_price"] = draft.base
    index = 100 * np.cumprod([math.exp(rng.gauss(0.0, 0.015)) for _ in days])
    index[[rng.random() < 0.02 for _ in days]] = NAN
    nat = np.datetime64("NaT", "D")
    return Panel(
        sessions=np.array(days, dtype="datetime64[D]"),
        symbols=symbols,
        fields={name: np.ascontiguousarray(values, _dtype(name, values)) for name, values in fields.items()},
        indices={"KOSPI": index, "KOSDAQ": index[::-1].copy()},
        instruments=Instruments(
            names=symbols,
            sectors=("a", *(rng.choice(["a", "a", "a", "b", ""]) for _ in symbols[1:])),
            kinds=np.array([KIND_CODES[kind] for kind in draft.kinds], dtype=np.uint8),
            listed_on=np.full(m, nat),
            delisted_on=np.array([nat if day is None else np.datetime64(day, "D") for day in delisted]),
            delisting_reason=tuple("" if day is None else "reason" for day in delisted),
            financial=np.array([rng.random() < 0.1 for _ in symbols], dtype=np.bool_),
            pays_last_close=np.array([day is not None and rng.random() < 0.4 for day in delisted]),
        ),
        rf=np.zeros(len(days)),
        rf_known=False,
        basis=PriceBasis(draft.shape.basis),
        snapshot_id="random",
        synthetic=False,
        tv_estimated=True,
        key="random",
        entitlements=draft.entitlements(),
        memberships=_memberships(more, len(days), m),
    )


def _memberships(rng: Random, n_sessions: int, n_symbols: int) -> Memberships:
    """Lists that begin early or late and change now and then; the sector "b" has dated ones in half of the markets."""
    groups = [("index", "KOSPI200"), *([("sector", "b")] if rng.random() < 0.5 else []), ("theme", "x"), ("theme", "y")]
    first_list, rows, first_member, member = [0], [], [0], []
    for _ in groups:
        since = rng.choice([0, 0, rng.randrange(n_sessions)])
        rows += sorted({since, *(rng.randrange(since, n_sessions) for _ in range(rng.randrange(4)))})
        first_list.append(len(rows))
    for _ in rows:
        member += [symbol for symbol in range(n_symbols) if rng.random() < 0.7]
        first_member.append(len(member))
    return Memberships(
        groups=tuple(groups),
        first_list=np.array(first_list, dtype=np.int64),
        list_row=np.array(rows, dtype=np.int64),
        first_member=np.array(first_member, dtype=np.int64),
        member=np.array(member, dtype=np.int64),
    )
