"""The emergency stop on every page: a button in the bar above, and a red bar while a stop is on."""

from __future__ import annotations

import time
from collections import OrderedDict
from threading import Lock
from typing import Final

import streamlit as st
import structlog

from stocklab.accounts import Standing
from stocklab.db import LOCAL_OWNER_ID
from stocklab.errors import StockLabError
from stocklab.live.stops_in_force import StopsInForce, StopsOf
from stocklab.live.switches import Switches
from stocklab.ui import blocks, cached, identity
from stocklab.ui import format as fmt
from stocklab.ui.builder.fields import escape
from stocklab.ui.text import _

__all__ = ["bar", "button", "everybody", "forget"]

log = structlog.get_logger(__name__)

_KEPT_SECONDS: Final = 3.0
_MOST_KEPT: Final = 5_000
_kept: OrderedDict[tuple[int, str], tuple[float, StopsOf]] = OrderedDict()
_lock: Final = Lock()


def forget() -> None:
    """Ask anew: something was changed here."""
    with _lock:
        _kept.clear()


def _found() -> tuple[str, StopsOf] | None:
    """Whose page this is and their stops; one statement, kept for three seconds. None where nobody is let in."""
    owner_id, database = LOCAL_OWNER_ID, cached.lab().database
    if identity.has_accounts():
        visitor = identity.live()
        if visitor is None or visitor.standing is not Standing.GOOD:
            return None
        owner_id = visitor.user_id
    key = (id(database), owner_id)
    with _lock:
        kept = _kept.get(key)
    if kept is not None and time.monotonic() - kept[0] < _KEPT_SECONDS:
        return owner_id, kept[1]
    try:
        found = StopsInForce(database).of(owner_id)
    except StockLabError as error:  # the page itself says that the database is away
        log.warning("stops_unknown", error=type(error).__name__)
        return None if kept is None else (owner_id, kept[1])
    with _lock:
        _kept[key] = (time.monotonic(), found)
        _kept.move_to_end(key)
        while len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    return owner_id, found


def button() -> None:
    """The button, for who has an account at a broker that is not stopped."""
    found = _found()
    if found is None or not found[1].accounts or found[1].all_stopped:
        return
    with st.popover(_("Emergency stop"), icon=":material/emergency_home:", type="primary", key="emergency"):
        st.markdown(
            _("**All your accounts:** open orders are cancelled, and none is sent until you lift it. Holdings stay.")
        )
        reason = st.text_input(_("Why (if you like)"), max_chars=200, key="field_emergency_reason")
        if st.button(_("Stop everything now"), type="primary", icon=":material/front_hand:", key="emergency_now"):
            with blocks.guarded():
                Switches(cached.lab().database).stop_mine(found[0], reason or "")
                forget()
                st.rerun()


def bar() -> None:
    """The red bar, while a stop is on."""
    found = _found()
    if found is None or not found[1].accounts:
        return
    owner_id, stops = found
    if stops.everything is not None:
        words = _("All orders of everybody are stopped by the people who run this, since {moment}.")
        st.error(
            f"**{words.format(moment=fmt.moment(stops.everything.changed_at))}** {escape(stops.everything.reason)}",
            icon=":material/emergency_home:",
        )
    if stops.stopped:
        _own_bar(owner_id, stops)


def _own_bar(owner_id: str, stops: StopsOf) -> None:
    names = dict(stops.names)
    which = (
        _("All accounts") if stops.all_stopped else ", ".join(escape(names[account]) for account, _one in stops.stopped)
    )
    reasons = "; ".join(dict.fromkeys(one.reason for _account, one in stops.stopped if one.reason))
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small", key="emergency_bar"):
        words = _("Emergency stop since {moment}").format(moment=fmt.moment(stops.since))
        st.markdown(
            f":material/emergency_home: **{words}** · {which}"
            + (f"  \n{_('Why: {reason}').format(reason=escape(reasons))}" if reasons else ""),
            width="stretch",
        )
        with st.popover(_("Lift the stop"), key="emergency_lift"):
            st.markdown(_("Orders go out again from now on; what was decided before is not sent any more."))
            if st.button(_("Lift now"), key="emergency_lift_now"):
                with blocks.guarded():
                    Switches(cached.lab().database).lift_mine(owner_id)
                    forget()
                    st.rerun()


def everybody() -> None:
    """For admins: the stop over all accounts of everybody."""
    if not identity.is_admin():
        return
    st.subheader(_("Emergency stop of everybody"), anchor=False)
    database = cached.lab().database
    thrown = StopsInForce(database).over_everybody()
    actor = identity.owner_id()
    if thrown is not None:
        st.error(
            _("All orders are stopped since {moment}. {reason}").format(
                moment=fmt.moment(thrown.changed_at), reason=escape(thrown.reason)
            ),
            icon=":material/emergency_home:",
        )
        label, words, confirm = _("Lift the stop"), _("Orders of everybody go out again."), _("Lift now")
    else:
        label, confirm = _("Stop everybody"), _("Stop everything now")
        words = _("Open orders of all accounts are cancelled, and none is sent until an admin lifts it.")
    with st.popover(label, icon=":material/emergency_home:", key="everybody_stop"):
        st.markdown(words)
        reason = ""
        if thrown is None:
            reason = st.text_input(_("Why (everybody reads it)"), max_chars=200, key="field_everybody_reason") or ""
        if st.button(confirm, type="primary", key="everybody_now"):
            with blocks.guarded():
                Switches(database).stop_everything(actor, thrown=thrown is None, reason=reason)
                forget()
                st.rerun()
