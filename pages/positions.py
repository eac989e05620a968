"""Positions: what all accounts hold, what it earned, and the stops and targets over it."""

from __future__ import annotations

from stocklab.ui import blocks, identity
from stocklab.ui.positions import page
from stocklab.ui.text import _

blocks.title(_("Positions and profit"), _("Stocks and coins of all accounts, in won."))
owner = identity.owner_id()
with blocks.guarded():
    page.draw(owner)
