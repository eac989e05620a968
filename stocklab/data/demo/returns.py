"""The returns behind the prices: common factors, fat tails, volatility clusters, mild momentum and value effects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from stocklab.data.demo.books import Books
from stocklab.data.demo.cast import SECTORS, Cast, stream
from stocklab.data.demo.plot import Plot
from stocklab.market.panel import MARKET_CODES
from stocklab.types import BoolArray, FloatArray, IntArray

__all__ = ["Latent", "make_latent"]

_YEAR: Final = 246
_MONTH: Final = 21
_MOMENTUM_MONTHLY: Final = 0.004  # log return per standard deviation and month
_VALUE_MONTHLY: Final = 0.004


@dataclass(frozen=True, slots=True, kw_only=True)
class Latent:
    """Log returns (n_sessions, n_symbols): of the session, of its night, and the day's volatility and activity."""

    growth: FloatArray
    night: FloatArray
    sigma: FloatArray
    activity: FloatArray


def make_latent(cast: Cast, plot: Plot, books: Books, session_quarter: IntArray, seed: int) -> Latent:
    """Draw the returns of every symbol but the funds, which follow an index (their rows are noise to be replaced).

    ``session_quarter`` is the last quarter of ``books`` closed before each session, (n_sessions,).
    """
    n_sessions, n = plot.listed.shape
    rng = stream(seed, "returns")
    common = _common(rng, cast, n_sessions)
    noise, sigma = _clustered(rng, (n_sessions, n), degrees=4.5, arch=0.09, memory=0.88)
    daily = _volatility(rng, cast) / np.sqrt(_YEAR)
    parents = np.flatnonzero(cast.parent >= 0)
    noise[:, parents] = 0.8 * noise[:, cast.parent[parents]] + 0.6 * noise[:, parents]
    noise *= daily * plot.calm
    sigma *= daily
    noise += common * plot.calm - 0.42 * daily**2
    _tilt(cast, plot, books, session_quarter, noise)
    # about a third of a day's variance arrives overnight
    night = 0.33 * noise + 0.3 * sigma * plot.calm * rng.standard_normal((n_sessions, n)) + plot.shock
    growth = noise + plot.shock
    sigma *= plot.calm
    return Latent(growth=growth, night=night, sigma=sigma, activity=_activity(rng, (n_sessions, n)))


def _clustered(
    rng: np.random.Generator, shape: tuple[int, int], *, degrees: float, arch: float, memory: float
) -> tuple[FloatArray, FloatArray]:
    """GARCH(1,1) with Student-t shocks (Bollerslev 1987), unit variance: noise and its volatility."""
    noise = rng.standard_t(degrees, size=shape) * np.sqrt((degrees - 2) / degrees)
    sigma = np.empty(shape)
    variance = np.ones(shape[1])
    for session in range(shape[0]):
        np.sqrt(variance, out=sigma[session])
        noise[session] *= sigma[session]
        variance = np.minimum(1 - arch - memory + arch * noise[session] ** 2 + memory * variance, 12.0)
    return noise, sigma


def _common(rng: np.random.Generator, cast: Cast, n_sessions: int) -> FloatArray:
    """Market, KOSDAQ and sector parts of the returns, (n_sessions, n_symbols)."""
    market = _clustered(rng, (n_sessions, 1), degrees=6, arch=0.10, memory=0.88)[0] * 0.16 / np.sqrt(_YEAR)
    market += 0.06 / _YEAR
    kosdaq = _clustered(rng, (n_sessions, 1), degrees=6, arch=0.08, memory=0.89)[0] * 0.09 / np.sqrt(_YEAR)
    sector = _clustered(rng, (n_sessions, len(SECTORS)), degrees=6, arch=0.06, memory=0.90)[0] * 0.11 / np.sqrt(_YEAR)
    beta = np.clip(rng.normal(1.0, 0.28, size=len(cast)), 0.2, 2.0)
    parents = np.flatnonzero(cast.parent >= 0)
    beta[parents] = 0.8 * beta[cast.parent[parents]]
    beta[cast.of_kind("reit")] *= 0.3
    beta[cast.of_kind("spac")] = 0.03
    own_sector = np.where(cast.sector >= 0, cast.sector, 0)
    in_sector = np.where(cast.of_kind("spac", "reit", "etf"), 0.0, 1.0)
    small = np.where((cast.market != MARKET_CODES["KOSPI"]) & ~cast.of_kind("spac"), 1.0, 0.0)
    result: FloatArray = market * beta
    result += sector[:, own_sector] * in_sector
    result += kosdaq * small
    return result


def _volatility(rng: np.random.Generator, cast: Cast) -> FloatArray:
    """Own volatility of each symbol, fraction a year, (n_symbols,)."""
    level = np.select(
        [cast.of_kind("spac"), cast.of_kind("reit"), cast.of_kind("preferred"), cast.market == MARKET_CODES["KOSPI"]],
        [0.04, 0.11, 0.26, 0.29],
        0.42,
    )
    yearly: FloatArray = level * np.exp(0.25 * rng.standard_normal(len(cast)))
    return yearly


def _tilt(cast: Cast, plot: Plot, books: Books, session_quarter: IntArray, noise: FloatArray) -> None:
    """Add next month's drift for the past year's winners and for cheap book equity, in place."""
    ordinary = cast.of_kind("common", "foreign", "preferred")
    start = np.log(cast.price * cast.shares)
    path = np.zeros_like(noise)
    total = np.zeros(len(cast))
    for first in range(0, len(noise), _MONTH):
        block = slice(first, min(first + _MONTH, len(noise)))
        momentum = path[first - _MONTH] - path[first - _YEAR] if first > _YEAR else np.zeros(len(cast))
        equity = np.maximum(books.equity[session_quarter[first]], 1.0)
        value = np.log(equity) - start - total
        tilt = _MOMENTUM_MONTHLY * _standard(momentum, ordinary) + _VALUE_MONTHLY * _standard(value, ordinary)
        noise[block] += np.where(ordinary, tilt, 0.0) / _MONTH
        path[block] = total + np.cumsum(noise[block] + plot.shock[block], axis=0)
        total = path[block][-1]


def _standard(values: FloatArray, members: BoolArray) -> FloatArray:
    """Z-score over the members, cut at 2.5."""
    inside = values[members]
    spread = float(inside.std())
    return np.clip((values - inside.mean()) / spread, -2.5, 2.5) if spread > 0 else np.zeros_like(values)


def _activity(rng: np.random.Generator, shape: tuple[int, int]) -> FloatArray:
    """Log deviation of trading activity from its usual level: persistent, standard deviation 0.6."""
    noise = rng.standard_normal(shape) * 0.36
    for session in range(1, shape[0]):
        noise[session] += 0.8 * noise[session - 1]
    return noise
