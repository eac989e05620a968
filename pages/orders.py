"""Orders: what is open, in doubt and over, an order by hand, and what was sold by hand."""

from __future__ import annotations

from stocklab.ui import blocks, identity
from stocklab.ui.orders import page
from stocklab.ui.text import _

blocks.title(_("My orders"), _("Every order with its state, reasons, fills and history; and orders of your own."))
owner = identity.owner_id()
with blocks.guarded():
    page.draw(owner)
