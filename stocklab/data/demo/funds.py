"""ETFs of the demo market: each follows an index or a sector of the demo stocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

import numpy as np

from stocklab.data.demo.bars import Bars, Events, Scene, make_bars
from stocklab.data.demo.cast import SECTORS, Cast, stream
from stocklab.data.demo.indices import IndexLevels, sector_growth
from stocklab.data.demo.plot import Plot
from stocklab.data.demo.returns import Latent
from stocklab.types import BoolArray, FloatArray

__all__ = ["add_funds"]

_INTRADAY_SIGMA = 0.008
_TRACKING_ERROR = 0.0003


def add_funds(scene: Scene, bars: Bars, members: Mapping[str, BoolArray], levels: Mapping[str, IndexLevels]) -> None:
    """Put the bars of every ETF into ``bars``, in place: the index moved first, the fund follows."""
    cast = scene.cast
    chosen = np.flatnonzero(cast.of_kind("etf"))
    rng = stream(scene.seed, "funds")
    growth = np.column_stack([_underlying(place, cast, bars, members, levels) for place in range(len(chosen))])
    growth += _TRACKING_ERROR * rng.standard_normal(growth.shape)
    never = np.zeros(growth.shape, dtype=np.bool_)
    funds = Scene(
        cast=cast.take(chosen),
        plot=Plot(
            listed=scene.plot.listed[:, chosen],
            halted=never,
            cleanup=never,
            calm=np.ones(growth.shape),
            shock=np.zeros(growth.shape),
            event_at=np.full(len(chosen), -1),
        ),
        latent=Latent(
            growth=growth,
            night=0.6 * growth,
            sigma=np.full(growth.shape, _INTRADAY_SIGMA),
            activity=0.5 * rng.standard_normal(growth.shape),
        ),
        events=Events.none(),
        sessions=scene.sessions,
        seed=scene.seed,
    )
    made = make_bars(funds)
    for field in fields(Bars):
        getattr(bars, field.name)[:, chosen] = getattr(made, field.name)


def _underlying(
    place: int,
    cast: Cast,
    bars: Bars,
    members: Mapping[str, BoolArray],
    levels: Mapping[str, IndexLevels],
) -> FloatArray:
    """Daily log growth of the fund at this place of `cast.FUND_NAMES`: three indices, an inverse, then the sectors."""
    if place < 4:
        close = levels[("KOSPI", "KOSDAQ", "KOSPI200", "KOSPI200")[place]].close
        growth = np.diff(np.log(close), prepend=np.log(close[0]))
        return -growth if place == 3 else growth
    return sector_growth((place - 4) % (len(SECTORS) - 1), cast, members, bars)
