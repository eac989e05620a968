"""How many alerts are unread, at the top of every page."""

from __future__ import annotations

from stocklab.alerts import MOST_COUNTED
from stocklab.errors import StockLabError
from stocklab.ui import identity, navigation
from stocklab.ui.alerts import services
from stocklab.ui.text import _

__all__ = ["unread_badge"]


def unread_badge() -> None:
    """A link with the number; nothing when all is read, or nobody is logged in."""
    if not identity.is_let_in():
        return
    try:
        count = services.feed().unread(identity.owner_id())
    except StockLabError:  # the page itself says what is wrong with the database
        return
    if count:
        number = f"{MOST_COUNTED}+" if count > MOST_COUNTED else str(count)
        navigation.link("alerts", _("{count} new").format(count=number), icon=":material/notifications_unread:")
