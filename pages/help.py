"""Help: a first backtest step by step, the words that are used, and a line to the people who run this."""

from __future__ import annotations

from stocklab.ui import blocks
from stocklab.ui.help import page
from stocklab.ui.text import _

blocks.title(_("Help"), _("The way to a first backtest, what the words mean, and where to ask."))
with blocks.guarded():
    page.draw()
