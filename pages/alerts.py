"""Alerts: the feed, rules, channels and daily notes (``?section=feed|rules|channels|notes``, ``?day=``)."""

from __future__ import annotations

from stocklab.ui import blocks, identity
from stocklab.ui.alerts.page import alerts_page
from stocklab.ui.text import _

blocks.title(_("Alerts"), _("What happened, what you want to be told, and where it is sent."))
owner_id = identity.owner_id()
with blocks.guarded():
    alerts_page(owner_id)
