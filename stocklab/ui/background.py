"""What a page says where the background process would have to work and does not run."""

from __future__ import annotations

import streamlit as st

from stocklab.operations import SchedulerStatus
from stocklab.ui import cached
from stocklab.ui import format as fmt
from stocklab.ui.text import _

__all__ = ["nobody_trades", "nobody_works"]


def nobody_works(scheduler: SchedulerStatus) -> None:
    """That nothing is fetched, since when, and how to start it."""
    lines = [f"**{_('The background process is not running, so that nothing is fetched.')}**"]
    if cached.lab().settings.scheduler == "off":
        lines.append(_("It is switched off by STOCKLAB_SCHEDULER=off. Start it by hand:"))
    else:
        lines.append(_("`stocklab up` starts it together with the pages; alone it is started by:"))
    seen = scheduler.last_seen_at
    if seen is not None:
        lines[0] += " " + _("It was last seen {moment}.").format(moment=fmt.moment(seen))
    st.warning("\n\n".join([*lines, "```bash\nstocklab scheduler\n```"]), icon=":material/power_off:")


def nobody_trades(*, off: bool) -> None:
    """That no order is sent now. ``off``: because trading is switched off here."""
    if off:
        words = _("Trading is switched off (STOCKLAB_TRADING=off): no order is sent and none is followed.")
    else:
        words = _("The background process is not running: no order is sent and none is followed.")
    st.warning(words, icon=":material/power_off:")
