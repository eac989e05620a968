"""How far the losses of each account have gone on its ladder."""

from __future__ import annotations

import streamlit as st

from stocklab.live.losses import stage_after
from stocklab.live.owned_book import OwnedAccount, OwnedBook
from stocklab.trading.risk_gate import Stage
from stocklab.ui import blocks
from stocklab.ui import format as fmt
from stocklab.ui.brokers.words import STAGES, kind_badge
from stocklab.ui.builder.fields import escape
from stocklab.ui.text import _

__all__ = ["draw"]

_COLOURS = {Stage.NORMAL: "green", Stage.NO_ENTRIES: "orange", Stage.REDUCE: "red", Stage.FLATTEN: "red"}


def draw(book: OwnedBook) -> None:
    """A card for each account."""
    st.subheader(_("Losses and what they set off"), anchor=False)
    for account in book.accounts:
        with st.container(border=True, key=f"ladder_{account.account.id}"):
            st.markdown(f"**{escape(account.account.name)}**")
            _ladder(account)


def _ladder(account: OwnedAccount) -> None:
    lost, limits = account.lost, account.account.limits
    if lost is None:
        blocks.badges([kind_badge(account.account)])
        st.warning(_("The days kept and the deposits contradict each other: losses are unknown."))
        return
    stage = stage_after(lost, limits)
    blocks.badges([kind_badge(account.account), blocks.badge(_(STAGES[stage.value]), "stairs", _COLOURS[stage])])
    heads = [_("Loss"), _("Now"), _("no new purchases"), _("positions are halved"), _("everything is sold")]
    lines = (
        (_("Of the day"), lost.day_return, limits.day_loss),
        (_("Of the last five sessions"), lost.week_return, limits.week_loss),
        (_("From the peak"), lost.drawdown, limits.drawdown),
    )
    rows = [
        [name, fmt.percent(float(now), signed=True), *(fmt.percent(-float(step), digits=1) for step in steps)]
        for name, now, steps in lines
    ]
    blocks.table(heads, rows, stacked=True)
    if not account.days:
        st.caption(_("No close has been kept yet: losses are counted from the first one on."))
