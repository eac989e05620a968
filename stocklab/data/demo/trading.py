"""Who trades the demo market: investor classes, foreign holdings and short sales, day by day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from stocklab.data.demo.bars import Bars
from stocklab.data.demo.cast import Cast, stream
from stocklab.data.demo.indices import largest_by_half
from stocklab.data.demo.tables import Rows
from stocklab.market.panel import KIND_CODES, MARKET_CODES
from stocklab.market.short_bans import SHORT_SALE_BANS, short_sales_banned
from stocklab.types import BoolArray, DateArray, FloatArray, IntArray

__all__ = ["InvestorFlows", "flows_frame", "holdings_frame", "make_flows", "may_be_shorted", "short_sales_frame"]

_LARGE_KOSDAQ: Final = 150
_TYPICAL_MOVE: Final = 0.025


@dataclass(frozen=True, slots=True, kw_only=True)
class InvestorFlows:
    """Won bought minus sold, (n_sessions, n_symbols) int64: foreigners, institutions, the pension funds among them."""

    foreign: IntArray
    institutions: IntArray
    pension: IntArray


def make_flows(cast: Cast, bars: Bars, seed: int) -> InvestorFlows:
    """Foreigners and institutions weakly follow the day's return and their own persistent mood.

    Together they move at most half of the value traded, pension funds at most 8 %.
    """
    rng = stream(seed, "investors")
    shape = bars.close.shape
    move = np.clip(np.log(bars.close / bars.base) / _TYPICAL_MOVE, -3, 3)
    weight = rng.uniform(0.3, 1.0, size=len(cast)) * np.where(cast.market == MARKET_CODES["KONEX"], 0.1, 1.0)
    foreign = np.tanh(0.30 * move + 0.6 * _mood(rng, shape, 0.85))
    institutions = np.tanh(0.20 * move + 0.6 * _mood(rng, shape, 0.75))
    pension = np.tanh(0.8 * _mood(rng, shape, 0.95) - 0.15 * move)
    return InvestorFlows(
        foreign=_won(0.28 * weight * foreign, bars),
        institutions=_won(0.22 * weight * institutions, bars),
        pension=_won(0.08 * weight * pension, bars),
    )


def _mood(rng: np.random.Generator, shape: tuple[int, ...], memory: float) -> FloatArray:
    """First-order autoregression of unit variance along the sessions."""
    mood = rng.standard_normal(shape)
    mood[1:] *= np.sqrt(1 - memory**2)
    for session in range(1, shape[0]):
        mood[session] += memory * mood[session - 1]
    return mood


def _won(share: FloatArray, bars: Bars) -> IntArray:
    return np.where(bars.traded, np.trunc(share * bars.tv), 0.0).astype(np.int64)


def flows_frame(cast: Cast, bars: Bars, flows: InvestorFlows, sessions: DateArray) -> pl.DataFrame:
    """`investor_flows` of every listed symbol."""
    rows = Rows(bars)
    return rows.keys(cast, sessions).with_columns(
        frgn_net=rows.take(flows.foreign),
        inst_net=rows.take(flows.institutions),
        pension_net=rows.take(flows.pension),
    )


def holdings_frame(cast: Cast, bars: Bars, flows: InvestorFlows, sessions: DateArray, seed: int) -> pl.DataFrame:
    """`foreign_holdings` of shares: what foreigners held before plus what they bought, within 0.1 to 90 %."""
    rng = stream(seed, "holdings")
    value = np.log(np.maximum(cast.price * cast.shares, 1.0))
    usual = np.clip(0.5 / (1 + np.exp(-(value - 28) / 1.2)) * np.exp(0.6 * rng.standard_normal(len(cast))), 0.003, 0.7)
    bought = flows.foreign / (bars.close * bars.shares)
    held = np.empty(bars.close.shape)
    level = usual
    for session in range(len(held)):
        level = np.clip(level + bought[session] + 0.002 * (usual - level), 0.001, 0.9)
        held[session] = level
    rows = Rows(bars)
    frame = rows.keys(cast, sessions).with_columns(frgn_shares=rows.take((held * bars.shares).astype(np.int64)))
    return frame.filter(rows.take(np.broadcast_to(~cast.of_kind("etf"), held.shape)))


def may_be_shorted(cast: Cast, bars: Bars, kospi200: BoolArray, sessions: DateArray) -> BoolArray:
    """Which shares may be sold short on each session: none in a ban, between the bans large ones only."""
    on = (bars.market == MARKET_CODES["KOSPI"]) | (bars.market == MARKET_CODES["KOSDAQ"])
    allowed = bars.listed & on & cast.of_kind("common", "preferred", "foreign", "reit")
    kosdaq = bars.listed & (bars.market == MARKET_CODES["KOSDAQ"]) & (cast.kind == KIND_CODES["common"])
    large = kospi200 | largest_by_half(kosdaq, bars.close * bars.shares, sessions, _LARGE_KOSDAQ)
    (_, first_end), (second_start, _) = SHORT_SALE_BANS
    between = (sessions > np.datetime64(first_end)) & (sessions < np.datetime64(second_start))
    allowed &= ~between[:, None] | large
    open_to_all: BoolArray = allowed & ~short_sales_banned(sessions)[:, None]
    return open_to_all


def short_sales_frame(cast: Cast, bars: Bars, allowed: BoolArray, sessions: DateArray, seed: int) -> pl.DataFrame:
    """`short_sales` of every share of KOSPI and KOSDAQ; null where it may not be sold short."""
    rng = stream(seed, "short sales")
    usual = rng.uniform(0.003, 0.08, size=len(cast))
    part = np.minimum(usual * np.exp(0.6 * _mood(rng, bars.close.shape, 0.8)), 0.3)
    sold = np.where(allowed, bars.volume * part, 0.0).astype(np.int64)
    fraction = sold / bars.shares
    owed = np.empty(fraction.shape)
    level = 5 * fraction[:20].mean(axis=0)
    for session in range(len(owed)):
        level = np.minimum(0.94 * level + 0.35 * fraction[session], 0.12)
        owed[session] = level
    rows = Rows(bars)
    frame = rows.keys(cast, sessions).with_columns(
        short_vol=rows.take(sold), short_bal=rows.take((owed * bars.shares).astype(np.int64))
    )
    known = pl.when(rows.take(allowed)).then(pl.col("short_vol", "short_bal"))
    shares = cast.of_kind("common", "preferred", "foreign", "reit") & (cast.moves_to != MARKET_CODES["KONEX"])
    return frame.with_columns(known).filter(rows.take(np.broadcast_to(shares, owed.shape)))
