"""The boards, and what may be asked of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from stocklab.errors import InputError

__all__ = ["BOARDS", "Board", "BoardFilter", "BoardLine", "board_key"]


class Board(StrEnum):
    """What a board is ordered by."""

    AFTER_PUBLICATION = "after_publication"
    DEFLATED_SHARPE = "deflated_sharpe"
    RISK_ADJUSTED = "risk_adjusted"
    BACKTEST = "backtest"


BOARDS: Final = tuple(Board)
_DEMO: Final = ":demo"


def board_key(board: Board, *, synthetic: bool) -> str:
    """The board in the tables: results on the invented market stand apart from those on real data.

    >>> board_key(Board.BACKTEST, synthetic=True)
    'backtest:demo'
    """
    return board.value + _DEMO if synthetic else board.value


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardFilter:
    """Which entries of a board are shown; None shows all.

    Attributes
    ----------
    most_cost : float
        Costs a year as a fraction of the mean equity, at most.
    least_capacity_krw : float
        Capital it can carry, at least; entries whose capacity is not known are left out.
    most_drawdown : float
        Deepest fall as a positive fraction, at most.
    least_sessions : int
        Sessions its figure was measured over, at least.
    """

    most_cost: float | None = None
    least_capacity_krw: float | None = None
    most_drawdown: float | None = None
    least_sessions: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be meant; raises `InputError`."""
        for name in ("most_cost", "least_capacity_krw", "most_drawdown", "least_sessions"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < 1e15:
                raise InputError(f"{name}: expected a number of at least 0, found {value}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardLine:
    """An entry as a board shows it.

    Attributes
    ----------
    place : int or None
        Among the entries shown; None of a grave, which holds none.
    value : float
        What the board is ordered by, as it is shown: a fraction, a ratio, or a probability.
    total_return, cagr : float or None
        Of the backtest.
    author : str or None
        None of an anonymous publication.
    """

    publication_id: str
    place: int | None
    value: float
    name: str
    author: str | None
    is_mine: bool
    is_grave: bool
    sealed: bool
    total_return: float | None
    cagr: float | None
    cost_fraction: float | None
    capacity_krw: float | None
    max_drawdown: float | None
    sessions: int
    trials: int
    published_at: datetime
