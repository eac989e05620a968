"""Company: quote, chart, reports, ratios, peers, dividends and disclosures of one symbol (``?symbol=CODE``)."""

from __future__ import annotations

from stocklab.ui import blocks, cached
from stocklab.ui.company.page import company_page
from stocklab.ui.text import _

blocks.title(_("Companies"), _("One stock or coin: price, reports, ratios, peers, dividends, disclosures."))
if cached.lab().store.current_id() is None:
    blocks.no_data()
else:
    with blocks.guarded():
        company_page()
