"""Data: what the market store holds, how old it is, what its quality is, how to import."""

from __future__ import annotations

from stocklab.ui import blocks, cached, data_blocks
from stocklab.ui.text import _

blocks.title(
    _("Data"), _("The market data every backtest runs on. Each import makes a new snapshot; old results keep theirs.")
)
with blocks.guarded():
    state = cached.data_status()
    if state.get("snapshot"):
        data_blocks.snapshot(state)
        data_blocks.markets(state)
        data_blocks.datasets(state)
        data_blocks.quality(state)
    else:
        blocks.empty(_("There is no market data yet."), _("Follow one of the ways below."), icon=":material/database:")
data_blocks.how_to_import()
