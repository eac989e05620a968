"""Watch list: the symbols a user watches, and those looked at last."""

from __future__ import annotations

from stocklab.ui import blocks, identity, navigation
from stocklab.ui.community.words import allowed
from stocklab.ui.text import _
from stocklab.ui.watch.lists import recent_list, watch_list

blocks.title(_("Watch list"), _("Symbols you follow, with their last close and how old it is; and what you looked at."))
identity.owner_id()
with allowed():
    shown = navigation.choice_in_url(
        "list", {"watch": _("Watched"), "recent": _("Recently viewed")}, _("List"), default="watch", key="watch_choice"
    )
    if shown == "watch":
        watch_list()
    else:
        recent_list()
