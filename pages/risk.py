"""Risk: what the book of all accounts could lose."""

from __future__ import annotations

from stocklab.ui import blocks, identity
from stocklab.ui.risk import page
from stocklab.ui.text import _

blocks.title(_("Risk"), _("What the stocks and coins of all accounts could lose, as one book in won."))
owner = identity.owner_id()
with blocks.guarded():
    page.draw(owner)
