"""Boards of published strategies that do not reward luck, and the marks after publication behind them."""

from stocklab.ranking.board_names import BOARDS, Board, BoardFilter, BoardLine, board_key
from stocklab.ranking.boards import MOST_OF_MINE, Boards
from stocklab.ranking.marking import Marking, mark_publications
from stocklab.ranking.places import Entry, bucket_of
from stocklab.ranking.standing import LEAST_SESSIONS

__all__ = [
    "BOARDS",
    "LEAST_SESSIONS",
    "MOST_OF_MINE",
    "Board",
    "BoardFilter",
    "BoardLine",
    "Boards",
    "Entry",
    "Marking",
    "board_key",
    "bucket_of",
    "mark_publications",
]
