"""Data: how old they are and how they are kept up to date, from which sources, how complete and how clean they are."""

from __future__ import annotations

from stocklab.ui import blocks, cached
from stocklab.ui.data import lookups
from stocklab.ui.data.head import head
from stocklab.ui.data.sections import sections
from stocklab.ui.data.sync_panel import sync_panel
from stocklab.ui.text import _

blocks.title(
    _("Data"),
    _("The market data every backtest runs on. Each sync or import makes a new snapshot; old results keep theirs."),
)
with blocks.guarded():
    desk, state = lookups.desk(), cached.data_status()
    head(desk, state)
    sync_panel(desk)
    sections(desk, state)
