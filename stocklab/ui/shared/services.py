"""The services of sharing and ranking on the shared Lab."""

from __future__ import annotations

from stocklab.backtest.result import Result
from stocklab.errors import DataError
from stocklab.portfolios import Shelf
from stocklab.ranking import Boards
from stocklab.research.carrying import carrying_capacity
from stocklab.research.stored_run import basis_of_card
from stocklab.sharing import Clones, Likes, Publications, Showcase, sharing_limits
from stocklab.ui import cached

__all__ = ["boards", "clones", "likes", "publications", "shelf", "showcase"]


def publications() -> Publications:
    """Publishing and withdrawing; the boards follow."""
    lab = cached.lab()
    limits = sharing_limits(lab.settings)
    return Publications(lab.database, lab.results, followers=(boards(),), capacity=_capacity, limits=limits)


def showcase() -> Showcase:
    """Reading what was published."""
    return Showcase(cached.lab().database)


def clones() -> Clones:
    """Copies and family trees."""
    return Clones(cached.lab().database, sharing_limits(cached.lab().settings))


def likes() -> Likes:
    """Likes."""
    return Likes(cached.lab().database, sharing_limits(cached.lab().settings))


def boards() -> Boards:
    """The boards."""
    return Boards(cached.lab().database)


def shelf() -> Shelf:
    """The owner's strategies as possessions."""
    return Shelf(cached.lab().database)


def _capacity(result: Result) -> float | None:
    """Not known where the market data of the run are not loaded any more."""
    try:
        panel = cached.lab().panel(basis_of_card(result.card))
    except DataError:
        return None
    if panel.snapshot_id != result.card["snapshot_id"]:
        return None
    return carrying_capacity(panel, result)
