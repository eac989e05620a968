"""Broker accounts: link them, see how they are doing, set what they allow."""

from __future__ import annotations

from stocklab.ui import blocks, identity
from stocklab.ui.brokers import page
from stocklab.ui.text import _

blocks.title(_("Broker accounts"), _("Where strategies and you trade: play money first, real money last."))
owner = identity.owner_id()
with blocks.guarded():
    page.draw(owner)
