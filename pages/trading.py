"""Auto trading: strategies at work, from play money to real money; what they decide, approve it, stop them."""

from __future__ import annotations

from stocklab.ui import blocks, identity
from stocklab.ui.text import _
from stocklab.ui.trading import page

owner = identity.owner_id()
blocks.title(_("Auto trading"), _("Strategies at work: first with play money, last with real money."))
with blocks.guarded():
    page.draw(owner)
