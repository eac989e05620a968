"""From latent returns to bars as KRX would publish them: base prices, ticks, daily limits, halts, share counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from stocklab.data.demo.cast import Cast, Story, stream
from stocklab.data.demo.grid import Grid
from stocklab.data.demo.plot import Plot, is_thin
from stocklab.data.demo.returns import Latent
from stocklab.market.panel import MARKET_CODES
from stocklab.types import BoolArray, DateArray, FloatArray, IntArray

__all__ = ["Bars", "Events", "Scene", "choose_events", "make_bars", "market_by_session"]

# a first-day price within 60..400 % of the offer price since then; before, an auction within 90..200 % set the base
OFFER_RANGE_FROM: Final = date(2023, 6, 26)
_NO_LIMIT: Final = np.int64(2**40)
_PRICE_CEILING: Final = 3_000_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Corporate actions, one entry each.

    Session and symbol index, kind, shares after for each share before, factor of the base price, and how many sessions
    later the new shares list.
    """

    session: IntArray
    symbol: IntArray
    kind: tuple[str, ...]
    ratio: FloatArray
    factor: FloatArray
    listed_after: IntArray

    @classmethod
    def none(cls) -> Events:
        """No corporate action."""
        empty = np.empty(0, dtype=np.int64)
        return cls(session=empty, symbol=empty, kind=(), ratio=np.empty(0), factor=np.empty(0), listed_after=empty)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What bars are made of: who, what happens to them, the returns behind, the days and the seed."""

    cast: Cast
    plot: Plot
    latent: Latent
    events: Events
    sessions: DateArray
    seed: int

    def grid(self) -> Grid:
        """Ticks and limits of every session and symbol."""
        market = market_by_session(self.cast, len(self.sessions))
        return Grid(self.sessions, market, self.cast.of_kind("etf"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Bars as traded, all (n_sessions, n_symbols) int64 in won or shares.

    ``base`` is the session's reference price, ``lower`` and ``upper`` its legal range. Open, high and low are the close
    where ``traded`` is False. Rows outside ``listed`` mean nothing.
    """

    open: IntArray
    high: IntArray
    low: IntArray
    close: IntArray
    base: IntArray
    lower: IntArray
    upper: IntArray
    volume: IntArray
    tv: IntArray
    shares: IntArray
    market: IntArray
    listed: BoolArray
    traded: BoolArray


def market_by_session(cast: Cast, n_sessions: int) -> IntArray:
    """Market of each symbol on each session, (n_sessions, n_symbols) MARKET_CODES."""
    row = np.arange(n_sessions)[:, None]
    return np.where(row >= cast.moves_at, cast.moves_to, cast.market)


def choose_events(cast: Cast, plot: Plot, latent: Latent, seed: int) -> Events:
    """Ratios of the corporate actions: splits and consolidations look at the price then, the others are drawn."""
    rng = stream(seed, "events")
    chosen = np.flatnonzero(plot.event_at >= 0)
    price = np.exp(_log_price(cast, latent.growth, chosen)[plot.event_at[chosen], np.arange(len(chosen))])
    ratio, factor, wait = np.ones(len(chosen)), np.ones(len(chosen)), np.zeros(len(chosen), dtype=np.int64)
    for place, (index, level) in enumerate(zip(chosen.tolist(), price.tolist(), strict=True)):
        story = cast.story[index]
        if story == Story.SPLIT.value:
            steps = ((700_000, 50.0), (250_000, 10.0), (40_000, 5.0), (0, 2.0))
            ratio[place] = next(by for floor, by in steps if level >= floor)
        elif story == Story.CONSOLIDATION.value:
            ratio[place] = 0.1 if level < 2_000 else 0.2
        elif story == Story.REDUCTION.value:
            ratio[place] = rng.choice([0.1, 0.2, 0.5])
        elif story == Story.BONUS.value:
            ratio[place], wait[place] = rng.choice([1.5, 2.0, 3.0]), rng.integers(14, 22)
        else:
            ratio[place], wait[place] = 1 + rng.choice([0.1, 0.2, 0.3, 0.5]), rng.integers(28, 36)
        factor[place] = 1 / ratio[place]
        if story == Story.RIGHTS.value:  # one new share at 75 % of the price for each (ratio - 1) held
            factor[place] = (1 + 0.75 * (ratio[place] - 1)) / ratio[place]
    return Events(
        session=plot.event_at[chosen],
        symbol=chosen,
        kind=tuple(str(cast.story[index]) for index in chosen),
        ratio=ratio,
        factor=factor,
        listed_after=wait,
    )


def make_bars(scene: Scene) -> Bars:
    """Bars of every symbol of the cast, legal on each session."""
    cast, plot, latent, events = scene.cast, scene.plot, scene.latent, scene.events
    rng = stream(scene.seed, f"bars{len(cast)}")
    grid = scene.grid()
    traded = _traded(rng, cast, plot, events)
    targets = _targets(rng, cast, latent, events, grid)
    base, lower, upper, close = _walk(scene, grid, traded, targets)
    opens, highs, lows = (_within(part, lower, upper, traded, close) for part in targets[:3])
    # the auction of a first day may open outside the range that was wanted
    highs, lows = np.maximum(highs, opens), np.minimum(lows, opens)
    shares = _shares(cast, events, len(scene.sessions))
    volume = _volume(cast, latent, shares, locked=(highs == lower) | (lows == upper))
    volume[~traded] = 0
    traded_krw = volume * (opens + highs + lows + 2 * close) // 5
    return Bars(
        open=opens,
        high=highs,
        low=lows,
        close=close,
        base=base,
        lower=lower,
        upper=upper,
        volume=volume,
        tv=traded_krw,
        shares=shares,
        market=market_by_session(cast, len(scene.sessions)),
        listed=plot.listed,
        traded=traded,
    )


def _within(wanted: IntArray, lower: IntArray, upper: IntArray, traded: BoolArray, close: IntArray) -> IntArray:
    return np.where(traded, np.clip(wanted, lower, upper), close)


def _log_price(cast: Cast, growth: FloatArray, columns: IntArray) -> FloatArray:
    """Log price before corporate actions: the first price grows from the first bar on, (n_sessions, n_columns)."""
    path: FloatArray = np.cumsum(growth[:, columns], axis=0)
    before = np.maximum(cast.listed_at[columns], 0) - 1
    offset = np.where(before >= 0, path[np.maximum(before, 0), np.arange(len(columns))], 0.0)
    path += np.log(cast.price[columns]) - offset
    return path


def _traded(rng: np.random.Generator, cast: Cast, plot: Plot, events: Events) -> BoolArray:
    """Sessions with a trade; the first bar, a corporate action and clean-up trading always have one."""
    traded = plot.listed & ~plot.halted
    quiet = rng.random(traded.shape) < is_thin(cast)
    quiet[events.session, events.symbol] = False
    quiet &= ~plot.cleanup
    new = np.flatnonzero(cast.listed_at >= 0)
    quiet[cast.listed_at[new], new] = False
    traded &= ~quiet
    return traded


def _targets(
    rng: np.random.Generator, cast: Cast, latent: Latent, events: Events, grid: Grid
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Open, high, low and close the market wants, on legal ticks, before limits.

    Between open and close the price is a Brownian bridge; its extremes are drawn from their exact law.
    """
    level = _log_price(cast, latent.growth, np.arange(len(cast)))
    for session, symbol, factor in zip(events.session, events.symbol, events.factor, strict=True):
        level[session:, symbol] += np.log(factor)
    np.clip(level, 0.0, np.log(_PRICE_CEILING), out=level)
    opens = level - latent.growth + latent.night
    day = level - opens
    spread = 2 * (0.75 * latent.sigma) ** 2
    up = 0.5 * (day + np.sqrt(day**2 - spread * np.log1p(-rng.random(day.shape))))
    down = 0.5 * (day - np.sqrt(day**2 - spread * np.log1p(-rng.random(day.shape))))
    everything = slice(None)
    return (
        grid.nearest(everything, np.exp(opens)),
        grid.nearest(everything, np.exp(opens + up)),
        grid.nearest(everything, np.exp(opens + down)),
        grid.nearest(everything, np.exp(level)),
    )


def _walk(
    scene: Scene, grid: Grid, traded: BoolArray, targets: tuple[IntArray, IntArray, IntArray, IntArray]
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Base price, legal range and close of each session: the only part in which a day depends on the day before."""
    cast, events = scene.cast, scene.events
    wanted = targets[3]
    base, lower, upper, close = (np.empty_like(wanted) for _ in range(4))
    last = grid.nearest(0, cast.price)
    actions = _by_session(events.session)
    newcomers = _by_session(cast.listed_at)
    for session in range(len(wanted)):
        reference = base[session]
        reference[:] = last
        for place in actions.get(session, ()):
            symbol = events.symbol[place]
            reference[symbol] = grid.nearest(session, last * events.factor[place])[symbol]
        lower[session], upper[session] = grid.limits(session, reference)
        free = scene.plot.cleanup[session]
        lower[session, free], upper[session, free] = 1, _NO_LIMIT
        for symbol in newcomers.get(session, ()):
            _first_day(scene, grid, symbol, targets[0], (base, lower, upper))
        np.clip(wanted[session], lower[session], upper[session], out=close[session])
        np.copyto(close[session], reference, where=~traded[session])
        last = close[session]
    return base, lower, upper, close


def _first_day(
    scene: Scene, grid: Grid, symbol: int, opens: IntArray, out: tuple[IntArray, IntArray, IntArray]
) -> None:
    """Base and range of a new issue's first session, written into ``out`` (base, lower, upper)."""
    base, lower, upper = out
    session = int(scene.cast.listed_at[symbol])
    reference = grid.nearest(session, scene.cast.price)
    offer = reference.astype(np.float64)
    if scene.cast.market[symbol] != MARKET_CODES["KONEX"]:
        if scene.sessions[session] >= np.datetime64(OFFER_RANGE_FROM):
            base[session, symbol] = reference[symbol]
            lower[session, symbol] = grid.nearest(session, offer * 0.6)[symbol]
            upper[session, symbol] = grid.nearest(session, offer * 4.0)[symbol]
            return
        reference = grid.nearest(session, np.clip(opens[session], offer * 0.9, offer * 2.0))
        opens[session, symbol] = reference[symbol]
    base[session, symbol] = reference[symbol]
    lower[session, symbol], upper[session, symbol] = (side[symbol] for side in grid.limits(session, reference))


def _by_session(days: IntArray) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for place, day in enumerate(days.tolist()):
        found.setdefault(day, []).append(place)
    return found


def _shares(cast: Cast, events: Events, n_sessions: int) -> IntArray:
    shares = np.tile(cast.shares, (n_sessions, 1))
    for session, symbol, ratio, wait in zip(
        events.session.tolist(),
        events.symbol.tolist(),
        events.ratio.tolist(),
        events.listed_after.tolist(),
        strict=True,
    ):
        shares[session + wait :, symbol] = round(int(cast.shares[symbol]) * ratio)
    return shares


def _volume(cast: Cast, latent: Latent, shares: IntArray, locked: BoolArray) -> IntArray:
    """Shares traded: usual turnover times persistent activity, more on moves, little on locked days; at least one."""
    usual = np.select(
        [cast.of_kind("etf"), cast.of_kind("spac", "reit"), cast.market == MARKET_CODES["KONEX"], cast.market == 1],
        [0.05, 0.0012, 0.0004, 0.0022],
        0.006,
    )
    spread = np.resize(np.array([0.45, 0.7, 1.0, 1.5, 2.4]), len(cast))
    surprise = np.abs(latent.growth) / np.maximum(latent.sigma, 1e-4)
    log_volume = latent.activity + 0.45 * np.minimum(surprise, 5.0) - np.where(locked, 1.6, 0.0)
    turnover = np.minimum(usual * spread * np.exp(log_volume), 0.8)
    volume: IntArray = np.maximum(np.rint(turnover * shares), 1.0).astype(np.int64)
    return volume
