"""Ranking: boards that do not reward luck, and the plain one."""

from __future__ import annotations

from stocklab.ui import blocks
from stocklab.ui.ranking.board import board_filter, board_lines, chosen_board, is_demo, my_places
from stocklab.ui.text import _

blocks.title(_("Ranking"), _("Published strategies, by what luck cannot give and by what it can."))
board = chosen_board()
demo = is_demo()
with blocks.guarded():
    my_places(board, synthetic=demo)
    board_lines(board, board_filter(), synthetic=demo)
