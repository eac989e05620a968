"""My account: profile, password, second step, sessions, tokens, what is used, and leaving."""

from __future__ import annotations

from stocklab.ui import blocks, identity
from stocklab.ui.account import sections
from stocklab.ui.text import _

blocks.title(_("My account"), _("Who you are here, how you log in, and what you may use."))
if identity.has_accounts():
    with blocks.guarded():
        sections.draw(identity.owner_id(), identity.session_id())
else:
    blocks.empty(
        _("This home has one owner and no log-in."),
        _("Accounts are on when the app listens beyond this machine, or with STOCKLAB_SINGLE_USER=false."),
        icon=":material/person:",
    )
