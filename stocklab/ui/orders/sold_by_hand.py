"""What was sold in the broker's own app: strategies do not buy it again until their owner agrees."""

from __future__ import annotations

import streamlit as st

from stocklab.live.account_board import AccountLine
from stocklab.ui import blocks
from stocklab.ui import format as fmt
from stocklab.ui.account.saying import rerun_saying
from stocklab.ui.builder.fields import escape
from stocklab.ui.orders import services, words
from stocklab.ui.paging import places, turn_pages
from stocklab.ui.text import _

__all__ = ["sold_by_hand"]


def sold_by_hand(owner_id: str, accounts: tuple[AccountLine, ...]) -> None:
    """By account, with a button for each symbol that waits."""
    names = {line.account.id: line.account.name for line in accounts}
    if not names:
        blocks.empty(_("No account is linked yet."), icon=":material/account_balance:")
        return
    account = st.selectbox(_("Account"), list(names), format_func=names.__getitem__, key="hand_account_choice")
    begun = places("by_hand", account)
    page = services.hands_off().page(owner_id, account, after=begun[-1])
    st.caption(_("What you sell in the broker's own app is not bought again by a strategy until you agree."))
    if not page.items:
        blocks.empty(_("Nothing was sold by hand here."), icon=":material/back_hand:")
    for one in page.items:
        with st.container(
            border=True,
            horizontal=True,
            horizontal_alignment="distribute",
            vertical_alignment="center",
            key=f"by_hand_{one.symbol}",
        ):
            noticed = _("sold by hand, seen {moment}").format(moment=fmt.moment(one.noticed_at))
            st.markdown(f"**{escape(words.name_of(one.symbol))}**  \n{noticed}", width="stretch")
            if one.acknowledged_at is not None:
                st.markdown(_("may be bought again since {moment}").format(moment=fmt.moment(one.acknowledged_at)))
            elif st.button(_("Agree to buy again"), key=f"agree_{one.symbol}"):
                with blocks.guarded():
                    services.hands_off().acknowledge(owner_id, account, one.symbol)
                    rerun_saying(_("Strategies may buy it again."))
    turn_pages("by_hand", begun, page.after)
