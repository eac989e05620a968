"""News: disclosures by kind and articles, of all symbols, of some, or of the watch list."""

from __future__ import annotations

from stocklab.ui import blocks, identity
from stocklab.ui.community.words import allowed
from stocklab.ui.news.page import news_page
from stocklab.ui.text import _

blocks.title(_("News and disclosures"), _("What companies filed and what was written about them, the newest first."))
identity.owner_id()
with allowed():
    news_page()
