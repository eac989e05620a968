"""What happens on the demo market and when: who is listed, halted or in clean-up trading, and the shocks around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from stocklab.data.demo.cast import Cast, Story, stream
from stocklab.market.panel import KIND_CODES
from stocklab.types import BoolArray, FloatArray, IntArray

__all__ = ["CLEANUP_SESSIONS", "EVENT_STORIES", "Plot", "is_thin", "make_plot"]

CLEANUP_SESSIONS: Final = 7
# story -> sessions of halt before a corporate action takes effect
EVENT_STORIES: Final = {
    Story.SPLIT: 3,
    Story.CONSOLIDATION: 15,
    Story.BONUS: 0,
    Story.RIGHTS: 0,
    Story.REDUCTION: 18,
}
_COLLAPSE = (Story.FAILED, Story.ERODED, Story.DISQUALIFIED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """The script, arrays (n_sessions, n_symbols) unless said otherwise.

    ``calm`` multiplies the noise of a session, ``shock`` is a log return that arrives overnight. ``event_at``
    (n_symbols,) is the session a corporate action takes effect, -1 = none.
    """

    listed: BoolArray
    halted: BoolArray
    cleanup: BoolArray
    calm: FloatArray
    shock: FloatArray
    event_at: IntArray


def make_plot(cast: Cast, n_sessions: int, seed: int) -> Plot:
    """Turn each symbol's story into dated halts, clean-up trading, shocks and corporate actions."""
    rng = stream(seed, "plot")
    row = np.arange(n_sessions)[:, None]
    plot = Plot(
        listed=(row >= cast.listed_at) & (row < cast.gone_at),
        halted=np.zeros((n_sessions, len(cast)), dtype=np.bool_),
        cleanup=np.zeros((n_sessions, len(cast)), dtype=np.bool_),
        calm=np.ones((n_sessions, len(cast))),
        shock=np.zeros((n_sessions, len(cast))),
        event_at=np.full(len(cast), -1),
    )
    _first_days(rng, cast, plot)
    _news(rng, cast, plot)
    for index in cast.with_story(Story.MERGED, Story.SPAC_MERGED).tolist():
        plot.halted[cast.gone_at[index] - 8 : cast.gone_at[index], index] = True
    for index in cast.with_story(Story.VOLUNTARY, Story.SPAC_DISSOLVED).tolist():
        _tender(plot, int(cast.gone_at[index]), index, premium=cast.story[index] == Story.VOLUNTARY.value)
    for index in cast.with_story(*_COLLAPSE).tolist():
        _collapse(rng, plot, int(cast.gone_at[index]), index, cleanup=cast.story[index] != Story.DISQUALIFIED.value)
    for index in cast.with_story(Story.LONG_HALT).tolist():
        _long_halt(rng, cast, plot, index)
    for story, halt in EVENT_STORIES.items():
        for index in cast.with_story(story).tolist():
            _corporate_action(rng, cast, plot, index, halt)
    plot.halted[~plot.listed] = False
    plot.calm[plot.halted] = 0.3
    plot.shock[plot.halted] = 0.0
    return plot


def _first_days(rng: np.random.Generator, cast: Cast, plot: Plot) -> None:
    """New issues jump on their first day; SPACs and funds hardly."""
    new = np.flatnonzero(cast.listed_at >= 0)
    jump = np.clip(rng.normal(0.30, 0.40, size=len(new)), -0.45, 1.35)
    quiet = cast.of_kind("spac", "etf", "reit")[new]
    plot.shock[cast.listed_at[new], new] = np.where(quiet, 0.05 * jump, jump)


def _news(rng: np.random.Generator, cast: Cast, plot: Plot) -> None:
    """Rare overnight news that reaches or crosses the daily limit, and one-day disclosure halts."""
    shape = plot.shock.shape
    exposed = cast.of_kind("common", "foreign") & (cast.story != Story.MERGED.value)
    chance = np.where(exposed, np.where(cast.market == 1, 0.0005, 0.0012), 0.0)
    sign = np.where(rng.random(shape) < 0.56, 1.0, -1.0)
    size = np.minimum(0.10 + rng.exponential(0.16, size=shape), 0.8)
    first = np.arange(shape[0])[:, None] == cast.listed_at
    hit = (rng.random(shape) < chance) & ~first
    plot.shock[hit] += (sign * size)[hit]
    plot.halted[(rng.random(shape) < np.where(exposed, 0.0006, 0.0)) & ~first] = True


def _open_again(plot: Plot, start: int, end: int, index: int) -> None:
    plot.halted[start:end, index] = False
    plot.shock[start:end, index] = 0.0


def _tender(plot: Plot, gone: int, index: int, *, premium: bool) -> None:
    """A tender offer (or a SPAC's deposit) pins the price until clean-up trading ends."""
    start = max(gone - 80, 0)
    _open_again(plot, start, gone, index)
    plot.calm[start:gone, index] = 0.08
    if premium:
        plot.shock[start, index] = 0.2
    plot.halted[gone - CLEANUP_SESSIONS - 6 : gone - CLEANUP_SESSIONS, index] = True
    plot.cleanup[gone - CLEANUP_SESSIONS : gone, index] = True


def _collapse(rng: np.random.Generator, plot: Plot, gone: int, index: int, *, cleanup: bool) -> None:
    """A year of decline, a long halt, then clean-up trading at a fraction of the price (or none at all)."""
    tail = CLEANUP_SESSIONS if cleanup else 0
    halt = int(rng.integers(25, 160))
    _open_again(plot, gone - tail - halt, gone, index)
    plot.halted[gone - tail - halt : gone - tail, index] = True
    decline = plot.shock[max(gone - halt - 250, 0) : gone - halt - tail, index]
    decline -= 1.3 / len(decline)
    if cleanup:
        plot.cleanup[gone - tail : gone, index] = True
        plot.calm[gone - tail : gone, index] = 4.0
        plot.shock[gone - tail, index] = np.log(rng.uniform(0.06, 0.3))
        plot.shock[gone - tail + 1 : gone, index] = rng.normal(-0.10, 0.2, size=tail - 1)


def _long_halt(rng: np.random.Generator, cast: Cast, plot: Plot, index: int) -> None:
    """Weeks to a year without trading; it resumes somewhere else."""
    length = int(rng.choice([22, 45, 90, 160, 260]))
    start = _date(rng, cast, plot, index, length + 5)
    _open_again(plot, start, start + length + 3, index)
    plot.halted[start : start + length, index] = True
    plot.shock[start + length, index] = rng.normal(-0.35, 0.3)


def _corporate_action(rng: np.random.Generator, cast: Cast, plot: Plot, index: int, halt: int) -> None:
    day = _date(rng, cast, plot, index, 40)
    _open_again(plot, day - halt, day + 3, index)
    plot.halted[day - halt : day, index] = True
    plot.event_at[index] = day
    if cast.story[index] == Story.REDUCTION.value:
        plot.shock[day - halt - 250 : day - halt, index] -= 0.6 / 250


def _date(rng: np.random.Generator, cast: Cast, plot: Plot, index: int, room: int) -> int:
    """A session at least 280 after the first bar and ``room`` before the last."""
    first = max(int(cast.listed_at[index]), 0) + 280
    return int(rng.integers(first, max(first + 1, int(cast.gone_at[index]) - room)))


def is_thin(cast: Cast) -> FloatArray:
    """Chance that a session passes without a trade, (n_symbols,)."""
    thin = np.select(
        [cast.market == 3, cast.of_kind("preferred"), cast.kind == KIND_CODES["spac"]], [0.15, 0.01, 0.03], 0.0003
    )
    return np.where(cast.of_kind("etf"), 0.0, thin)
