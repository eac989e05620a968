"""Administration: accounts, figures by day, messages of users and notices to them."""

from __future__ import annotations

from stocklab.ui import blocks, identity
from stocklab.ui.account import admin
from stocklab.ui.text import _

blocks.title(_("Administration"), _("Who uses this place and how much, what they say, and what they are told."))
if not identity.has_accounts():
    blocks.empty(
        _("This home has one owner and no log-in."),
        _("Accounts are on when the app listens beyond this machine, or with STOCKLAB_SINGLE_USER=false."),
        icon=":material/person:",
    )
elif not identity.is_admin():
    blocks.empty(_("Only admins may see this."), icon=":material/lock:")
else:
    with blocks.guarded():
        admin.draw(identity.owner_id())
